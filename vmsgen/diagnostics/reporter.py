"""Collects diagnostics; nothing is printed and nothing is raised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vmsgen.diagnostics.diagnostic import Diagnostic, Note, Severity, Span
from vmsgen.diagnostics.rules import RULES


class Reporter:
    """Where parsers, the resolver and the passes put what they find.

    A finding that says the same at the same place as another is kept once. A rule id that :data:`RULES` does not have
    is a mistake in vmsgen and raises KeyError.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, Severity, str, str, int, int], Diagnostic] = {}

    def error(
        self, rule: str, message: str, span: Span, *, help: str | None = None, notes: Iterable[Note] = ()
    ) -> None:
        """Add an error."""
        self.add(Diagnostic(RULES[rule].id, Severity.ERROR, message, span, help, tuple(notes)))

    def warning(
        self, rule: str, message: str, span: Span, *, help: str | None = None, notes: Iterable[Note] = ()
    ) -> None:
        """Add a lint finding."""
        self.add(Diagnostic(RULES[rule].id, Severity.WARNING, message, span, help, tuple(notes)))

    def note(self, rule: str, message: str, span: Span) -> None:
        """Add something to be known, which is no mistake."""
        self.add(Diagnostic(RULES[rule].id, Severity.NOTE, message, span))

    def add(self, diagnostic: Diagnostic) -> None:
        """Add a diagnostic that was made elsewhere."""
        place = diagnostic.span
        key = (diagnostic.rule, diagnostic.severity, diagnostic.message, place.file.path, place.line, place.column)
        self._found.setdefault(key, diagnostic)

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Everything found, by file, line and column; what was reported first comes first at one place."""
        return ordered(tuple(self._found.values()))

    @property
    def has_errors(self) -> bool:
        """Whether anything that stops a build was found."""
        return any(d.severity is Severity.ERROR for d in self._found.values())


def ordered(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The diagnostics by file, line and column."""
    return sorted(diagnostics, key=lambda d: (d.span.file.path, d.span.line, d.span.column))
