"""Which rules are looked for: ``--select``, ``--extend-select`` and ``--ignore``, as users of ruff know them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vmsgen.diagnostics.rules import RULES, Rule
from vmsgen.diagnostics.suggest import did_you_mean

ALL = "ALL"


class SelectionError(Exception):
    """A selector that is no rule and no family of rules."""


@dataclass(frozen=True)
class Selection:
    """What was asked for. A selector is a rule (``name/unused``), a family (``name``) or ``ALL``.

    Without ``select`` it is every rule that is on by default. The selector that says most about a rule decides: its id
    before its family before ``ALL``; at one level ``ignore`` wins. Errors are always shown.
    """

    select: tuple[str, ...] = ()
    extend: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def __contains__(self, rule: object) -> bool:
        found = RULES[str(rule)]
        wanted = max((_weight(one, found) for one in (*self.select, *self.extend)), default=0)
        if not wanted and not self.select:
            wanted = 1 if found.default else 0  # as if they were selected with ALL
        return wanted > max((_weight(one, found) for one in self.ignore), default=0)

    def names(self, rule: str) -> bool:
        """Whether a rule was selected by its own id or its family."""
        return rule in self and max((_weight(one, RULES[rule]) for one in (*self.select, *self.extend)), default=0) > 1


def selection(select: Iterable[str], extend: Iterable[str], ignore: Iterable[str]) -> Selection:
    """A selection from options, each any number of selectors with commas between. Raises SelectionError."""
    return Selection(_selectors(select), _selectors(extend), _selectors(ignore))


def _weight(selector: str, rule: Rule) -> int:
    """How much a selector says about a rule; 0 if nothing."""
    return 3 if selector == rule.id else 2 if selector == rule.family else 1 if selector == ALL else 0


def _selectors(values: Iterable[str]) -> tuple[str, ...]:
    known = [ALL, *RULES, *dict.fromkeys(rule.family for rule in RULES.values())]
    found = [part.strip() for value in values for part in value.split(",") if part.strip()]
    for one in found:
        if one not in known:
            near = did_you_mean(one, known)
            hint = f"did you mean `{near}`?" if near else "`vmsgen rule` lists them"
            raise SelectionError(f"there is no rule or family of rules `{one}`; {hint}")
    return tuple(found)
