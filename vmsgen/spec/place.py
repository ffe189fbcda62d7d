"""Where an expression stands, and so what it may use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from vmsgen.diagnostics import Span
from vmsgen.spec.expression import Ambient, Ref
from vmsgen.spec.facts import NOTHING, Facts, Key, Namer, with_facts
from vmsgen.spec.scope import ModuleScope, Scope, Typed


@dataclass(frozen=True)
class Place:
    """``reach``: only constants, only ambient facts as well, or the names of ``scope`` as well."""

    module: ModuleScope
    scope: Scope | None = None
    facts: Facts = NOTHING
    #: what ``it`` is, in checks and in ``through``
    it: Typed | None = None
    #: whether ``mine`` may be used, the value that the loading machine has
    mine: bool = False
    #: in derived values: every name of the definition is there
    forward: bool = False
    reach: Literal["constant", "ambient", "scope"] = "scope"
    #: the name that an ``unknown`` here is asked under
    subject: str = ""
    #: for ``needed``: the subsection asked about, by the attribute that holds it
    about: tuple[str, Scope] | None = None
    #: inside the count of an array: its field
    counting: str = ""
    #: inside ``has``: whether the name is there need not be proven
    probing: bool = False

    def knowing(self, keys: Iterable[Key]) -> Place:
        """This place with more facts."""
        return replace(self, facts=with_facts(self.facts, keys))

    def taking(self) -> Place:
        """This place for the base of a member or an element: what ``has`` asks about is only the last name."""
        return replace(self, probing=False) if self.probing else self

    @property
    def namer(self) -> Namer:
        """Keys of names as they read here."""
        return self.scope.namer if self.scope is not None else _ambient


def _ambient(found: Ref | Ambient) -> Key:
    return ("ambient", found.name)


def source_text(span: Span) -> str:
    """What stands in the file at ``span``, shortened to one line."""
    lines = span.file.lines
    if not 0 < span.line <= len(lines):
        return ""
    if span.line == span.end_line:
        text = lines[span.line - 1][span.column - 1 : span.end_column - 1]
    else:
        parts = [lines[span.line - 1][span.column - 1 :], *lines[span.line : span.end_line - 1]]
        parts.append(lines[min(span.end_line, len(lines)) - 1][: span.end_column - 1])
        text = " ".join(part.strip() for part in parts)
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:79] + "…"
