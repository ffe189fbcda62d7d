"""Diagnostics for people: the place, the line with the spot marked, what to do, and other places that matter."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from vmsgen.diagnostics.diagnostic import Diagnostic, Severity, Span
from vmsgen.diagnostics.reporter import ordered

#: Columns of a source line that are shown; of longer ones the part around the spot.
WIDTH = 110

_BOLD, _RESET = "\x1b[1m", "\x1b[0m"
_COLORS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m", Severity.NOTE: "\x1b[1;36m"}


def render(diagnostic: Diagnostic, *, color: bool = False) -> str:
    """One diagnostic as text without a final newline.

    ``path:line:column: error[rule]: message``, the source line with a row of carets, then ``help:`` and each ``note:``
    with its own place and line. What comes from a file is made harmless for a terminal: control characters are shown
    as ``\\x1b``.
    """

    def paint(text: str, code: str) -> str:
        return f"{code}{text}{_RESET}" if color else text

    shade = _COLORS[diagnostic.severity]
    head = paint(f"{diagnostic.severity.value}[{diagnostic.rule}]", shade)
    place = paint(printable(str(diagnostic.span)), _BOLD)
    lines = [f"{place}: {head}: {printable(diagnostic.message)}"]
    lines += _source(diagnostic.span, shade if color else "")
    if diagnostic.help is not None:
        lines.append(f"  {paint('help', _COLORS[Severity.NOTE])}: {printable(diagnostic.help)}")
    for note in diagnostic.notes:
        mark = paint("note", _COLORS[Severity.NOTE])
        lines.append(f"  {mark}: {printable(note.message)}: {printable(str(note.span))}")
        lines += _source(note.span, _COLORS[Severity.NOTE] if color else "")
    return "\n".join(lines)


def render_all(diagnostics: Sequence[Diagnostic], *, color: bool = False) -> str:
    """All of them by place, a blank line between, and a last line that counts; empty for none."""
    if not diagnostics:
        return ""
    parts = [render(d, color=color) for d in ordered(diagnostics)]
    return "\n\n".join([*parts, summary(diagnostics)]) + "\n"


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """``2 errors, 1 warning, 3 notes``."""
    counts = []
    for severity in Severity:
        number = sum(d.severity is severity for d in diagnostics)
        if number:
            counts.append(f"{number} {severity.value}{'' if number == 1 else 's'}")
    return ", ".join(counts) or "nothing found"


def printable(text: str) -> str:
    """The text with everything that a terminal could obey or hide written as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _source(span: Span, shade: str) -> list[str]:
    """The line of ``span`` and the carets below it; nothing where the file has no such line."""
    lines = span.file.lines
    if not 1 <= span.line <= len(lines):
        return []
    line = lines[span.line - 1].rstrip("\r")
    start = min(span.column - 1, len(line))
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    end = max(start + 1, min(end, max(len(line), start + 1)))
    left, right = "", ""
    if len(line) > WIDTH:
        first = max(0, min(start - WIDTH // 3, len(line) - WIDTH))
        left = "..." if first else ""
        right = "..." if first + WIDTH < len(line) else ""
        line, start, end = line[first : first + WIDTH], start - first, min(end - first, WIDTH)
    before, marked, after = printable(line[:start]), printable(line[start:end]), printable(line[end:])
    number = str(span.line)
    bar = " " * len(number)
    carets = "^" * max(1, _columns(marked))
    if shade:
        carets = f"{shade}{carets}{_RESET}"
    return [
        f"  {number} | {left}{before}{marked}{after}{right}".rstrip(),
        f"  {bar} | {' ' * (len(left) + _columns(before))}{carets}",
    ]


def _columns(text: str) -> int:
    """Columns of a terminal: characters of East Asian scripts take two, combining marks none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
