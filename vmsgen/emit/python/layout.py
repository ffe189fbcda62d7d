"""Printing Python the way black prints it: a statement on one line, else its bracket's content on one, else an item
a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

WIDTH: Final = 88
INDENT: Final = "    "


def quote(text: str) -> str:
    """A string literal in black's style; the only way from a name of a spec into code."""
    literal = repr(text)
    if literal.startswith("'") and '"' not in literal:
        return f'"{literal[1:-1]}"'
    return literal


def bytes_literal(data: bytes) -> str:
    """A bytes literal in black's style."""
    literal = repr(data)
    return f'b"{literal[2:-1]}"' if literal.startswith("b'") and '"' not in literal else literal


def one_line(text: str) -> str:
    """Text of a spec for a comment or a docstring: one line, nothing that could end either."""
    joined = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return joined.replace("\\", "\\\\").replace('"""', "'''")


class Lines:
    """Lines of a block, with the indentation at hand."""

    def __init__(self, depth: int = 0) -> None:
        self.depth = depth
        self.lines: list[str] = []

    def add(self, text: str = "") -> None:
        """One line as it is."""
        self.lines.append(INDENT * self.depth + text if text else "")

    def statement(self, head: str, items: Sequence[str], tail: str) -> None:
        """``head`` (ending in its open bracket), the items inside the bracket, and ``tail`` (beginning with the
        closing one).
        """
        self.lines.extend(fit(self.depth, head, items, tail))

    def extend(self, other: Lines) -> None:
        """Takes the lines of another block."""
        self.lines.extend(other.lines)

    def indent(self) -> None:
        """One level deeper."""
        self.depth += 1

    def dedent(self) -> None:
        """One level up."""
        self.depth -= 1

    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines)


def fit(depth: int, head: str, items: Sequence[str], tail: str) -> list[str]:
    """One bracketed statement in black's three shapes."""
    outer = INDENT * depth
    line = f"{outer}{head}{', '.join(items)}{tail}"
    if len(line) <= WIDTH or not items:
        return [line]
    inner = INDENT * (depth + 1)
    body = f"{inner}{', '.join(items)}"
    # black keeps the content on one line unless the bracket is of a definition with a bare star, which ends in a comma
    # anyway
    if len(body) <= WIDTH:
        return [outer + head, body, outer + tail]
    return [outer + head, *(f"{inner}{item}," for item in items), outer + tail]


def wrap_comment(text: str, depth: int, prefix: str = "#: ") -> list[str]:
    """A comment of one paragraph, wrapped."""
    import textwrap

    outer = INDENT * depth + prefix
    return textwrap.wrap(
        one_line(text),
        WIDTH,
        initial_indent=outer,
        subsequent_indent=INDENT * depth + "#  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def too_long(text: str) -> bool:
    """Whether a line of code is longer than black would leave it (comments and texts aside)."""
    return any(len(line) > WIDTH and not line.lstrip().startswith("#") for line in text.split("\n"))


def joined(items: Iterable[str]) -> str:
    """A tuple's content: one item needs its comma."""
    listed = list(items)
    return f"{listed[0]}," if len(listed) == 1 else ", ".join(listed)
