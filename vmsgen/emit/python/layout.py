"""Printing Python the way black prints it: a statement on one line, else its bracket's content on one, else an item
a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

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
        """One line: a statement, the head of a block, or a line of text."""
        line = INDENT * self.depth + text if text else ""
        if len(line) > WIDTH and not text.startswith("#"):
            self.lines.extend(split_by_black(self.depth, text))
        else:
            self.lines.append(line)

    def statement(self, head: str, items: Sequence[Item], tail: str) -> None:
        """``head`` (ending in its open bracket), the items inside the bracket, and ``tail`` (beginning with the
        closing one).
        """
        lines = fit(self.depth, head, items, tail)
        if any(len(line) > WIDTH for line in lines):
            lines = split_by_black(self.depth, f"{head}{', '.join(map(str, items))}{tail}")
        self.lines.extend(lines)

    def assign_local(self, name: str, value: str) -> None:
        """``name = value``, marked so that :meth:`without_unused` can leave it out."""
        start = len(self.lines)
        self.add(f"{name} = {value}")
        self.lines[start:] = [f"{line}\0{name}" for line in self.lines[start:]]

    def without_unused(self) -> Lines:
        """This block without the marked locals that nothing in it uses: each method computes only what it needs."""
        names = dict.fromkeys(line.partition("\0")[2] for line in self.lines if "\0" in line)
        for name in reversed(names):
            used = re.compile(rf"(?<![\w.]){re.escape(name)}\b")
            if not any(used.search(line.partition("\0")[0]) for line in self.lines if not line.endswith(f"\0{name}")):
                self.lines = [line for line in self.lines if not line.endswith(f"\0{name}")]
        self.lines = [line.partition("\0")[0] for line in self.lines]
        return self

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


@dataclass(frozen=True)
class Call:
    """An item that has a bracket of its own, so that it can be printed over several lines."""

    head: str
    items: Sequence[Item]
    tail: str

    def __str__(self) -> str:
        return f"{self.head}{', '.join(map(str, self.items))}{self.tail}"


Item: TypeAlias = "str | Call"


def fit(depth: int, head: str, items: Sequence[Item], tail: str) -> list[str]:
    """One bracketed statement in black's three shapes."""
    outer = INDENT * depth
    content = ", ".join(map(str, items))
    line = f"{outer}{head}{content}{tail}"
    if len(line) <= WIDTH or not items:
        return [line]
    inner = INDENT * (depth + 1)
    # the content of a call's bracket may stand on one line; a tuple, list or dict has an item a line
    is_call = head[-2:-1].isalnum() or head[-2:-1] in "_)]"
    if is_call and len(inner) + len(content) <= WIDTH:
        return [outer + head, inner + content, outer + tail]
    if len(items) == 1 and (is_call or str(items[0]).endswith(",")):
        return [outer + head, *_item(depth + 1, items[0], ""), outer + tail]
    return [outer + head, *(line for item in items for line in _item(depth + 1, item, ",")), outer + tail]


def _item(depth: int, item: Item, end: str) -> list[str]:
    if isinstance(item, Call):
        return fit(depth, item.head, item.items, item.tail + end)
    return [f"{INDENT * depth}{item}{end}"]


def assign(depth: int, targets: Sequence[str], value: str) -> list[str]:
    """``a, b = value`` in black's shapes."""
    outer = INDENT * depth
    left = ", ".join(targets)
    line = f"{outer}{left} = {value}"
    if len(line) <= WIDTH:
        return [line]
    function, _, arguments = value.partition("(")
    if len(f"{outer}{left} = {function}(") <= WIDTH:
        return [f"{outer}{left} = {function}(", f"{outer}{INDENT}{arguments.removesuffix(')')}", f"{outer})"]
    if len(outer) + len(left) + 4 <= WIDTH:
        return [f"{outer}{left} = (", f"{outer}{INDENT}{value}", f"{outer})"]
    return [f"{outer}(", *(f"{outer}{INDENT}{target}," for target in targets), f"{outer}) = {value}"]


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


def split_by_black(depth: int, statement: str) -> list[str]:
    """A statement that fits none of the shapes printed here, as black splits it at this depth."""
    lines = _splits.get((depth, statement))
    if lines is None:
        lines = _black(depth, statement)
    _splits[depth, statement] = _used[depth, statement] = lines
    return list(lines)


#: What black has made of statements, and those of them that were asked for since :func:`used_splits`.
_splits: dict[tuple[int, str], list[str]] = {}
_used: dict[tuple[int, str], list[str]] = {}

#: A statement, its depth and its lines: what an earlier build knows, for black takes long to import.
Split = tuple[int, str, list[str]]


def remember_splits(splits: Iterable[Split]) -> None:
    """Takes over what the same black has made of statements before."""
    _splits.update({(depth, statement): lines for depth, statement, lines in splits})


def used_splits() -> list[Split]:
    """What was asked for since the last call."""
    found = [(depth, statement, lines) for (depth, statement), lines in _used.items()]
    _used.clear()
    return found


def _black(depth: int, statement: str) -> list[str]:
    import black
    from black.parsing import InvalidInput

    block = statement.endswith(":")
    comma = statement.endswith("),")
    source = f"{statement}\n{INDENT}pass" if block else statement.removesuffix(",") if comma else statement
    try:
        text = black.format_str(source, mode=black.Mode(line_length=WIDTH - len(INDENT) * depth))
    except InvalidInput:  # a line of a text, such as a docstring's
        return [INDENT * depth + statement]
    lines = text.rstrip("\n").split("\n")
    if block:
        lines.pop()
    if comma:
        lines[-1] += ","
    return [INDENT * depth + line for line in lines]


def joined(items: Iterable[str]) -> str:
    """A tuple's content: one item needs its comma."""
    listed = list(items)
    return f"{listed[0]}," if len(listed) == 1 else ", ".join(listed)
