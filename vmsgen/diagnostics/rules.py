"""Every rule that a diagnostic can name: its id, how bad it is, and what it is about.

The ids are part of the interface (``accepted-breaks``, ``vmsgen: ignore`` comments, SARIF, editors), so one that was
published keeps its meaning. Only errors stop a build; rules of severity WARNING and NOTE are advice, which
``vmsgen lint`` selects from.
"""

from __future__ import annotations

from dataclasses import dataclass

from vmsgen.diagnostics.diagnostic import Severity
from vmsgen.diagnostics.rule_table import TABLE


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``summary`` is a short phrase, ``explanation`` says why it is wrong and what to write instead."""

    id: str
    severity: Severity
    summary: str
    explanation: str

    @property
    def family(self) -> str:
        """What stands before the ``/``: a selector for all rules that share it."""
        return self.id.partition("/")[0]

    @property
    def default(self) -> bool:
        """Whether ``vmsgen lint`` looks for it without being asked."""
        return self.id not in _ON_REQUEST

    @property
    def heading(self) -> str:
        """The heading of docs/language.md under which that part of the language is explained."""
        return _HEADINGS.get(self.id) or _HEADINGS[self.family]


#: Rules that `vmsgen lint` looks for only if they are selected: much of what they find is no mistake.
_ON_REQUEST = frozenset(("doc/missing", "count/stored", "tag/order", "sub/guest-bytes"))

#: Where docs/language.md explains what a rule, or a family of rules, is about.
_HEADINGS = {
    "yaml": "YAML",
    "yaml/limit": "Limits",
    "spec": "Files",
    "spec/no-type": "The entries of `fields`",
    "name": "Names",
    "name/unknown-type": "Types",
    "name/unknown": "Which names there are",
    "name/shadow": "Which names there are",
    "name/later": "Which names there are",
    "name/outer": "Parameters",
    "name/wire-spelling": "Expressions",
    "import": "Imports",
    "type": "Types",
    "type/syntax": "The field line",
    "type/double-bracket": "Arrays and counts",
    "type/arguments": "Parameters",
    "type/recursion": "Definitions",
    "type/union": "Unions",
    "type/ends": "Arrays and counts",
    "type/order": "Byte order",
    "view": "Views",
    "expr": "Expressions",
    "expr/absent": "Absent fields in expressions",
    "expr/constant": "Conditions",
    "cond": "Conditions",
    "cond/needed-by": "Derived values",
    "check": "Checks",
    "count": "Arrays and counts",
    "count/stored": "Derived values",
    "sub": "Subsections",
    "sub/length": "Limits",
    "version": "Versions",
    "tag": "Tags",
    "lock": "Tags",
    "compat": "Evolution",
    "unknown": "`unknown`",
    "match": "Variants",
    "hook": "Hooks",
    "doc": "The entries of `fields`",
    "doc/source": "Props and facts",
    "doc/summary": "Files",
    "ignore": "Messages",
}

#: Every rule by its id.
RULES: dict[str, Rule] = {row[0]: Rule(*row) for row in TABLE}
