"""The one diagnostic type.

Whatever looks at a spec returns :class:`Diagnostic` values; only a command prints them. A position is a
:class:`Span` in a :class:`SourceFile`; lines and columns count from 1, as editors do, and the end is exclusive.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import cached_property


class Severity(enum.Enum):
    """How bad a finding is; only errors stop a build."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class SourceFile:
    """A spec as it was read: ``path`` relative to where the user stands (for messages), and its text."""

    path: str
    text: str = field(repr=False)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")


@dataclass(frozen=True, slots=True)
class Span:
    """A range of a source file. ``line`` and ``column`` count from 1; ``end_column`` is exclusive."""

    file: SourceFile
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Note:
    """A second place that a finding speaks of ("first defined here")."""

    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: rule id (``type/double-bracket``), severity, message, place, and how to mend it."""

    rule: str
    severity: Severity
    message: str
    span: Span
    help: str | None = None
    notes: tuple[Note, ...] = ()
