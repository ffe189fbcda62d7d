"""The layout of a spec: nodes and comments back to text, two blanks a level, in the order in which they stand.

* An item of a list starts two columns right of the key that the list belongs to; that of a list which is the value of
  an item's first key (a group, an anonymous struct) right below that key.
* A comment keeps its line, its place before what follows it, or the level that it was indented to.
* At most one empty line stands between two others. Texts over several lines keep their lines.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from vmsgen.diagnostics import SourceFile
from vmsgen.fmt.lines import tidy
from vmsgen.fmt.roles import Role
from vmsgen.spec.comments import Comment, scalars
from vmsgen.spec.nodes import Mapping, Node, Scalar, Sequence

STEP = 2


def lay_out(source: SourceFile, root: Mapping, roles: dict[int, Role], comments: list[Comment]) -> str:
    """The text of a spec in the house style."""
    printer = _Printer(source, root, roles, comments)
    printer.mapping(root, 0)
    printer.before(len(source.text), 0)
    return "".join(f"{line}\n" for line in printer.lines)


class _Printer:
    def __init__(self, source: SourceFile, root: Mapping, roles: dict[int, Role], comments: list[Comment]) -> None:
        self.source = source
        self.roles = roles
        self.comments = comments
        self.lines: list[str] = []
        self._next = 0  # the comment to be printed next
        self._end = 0  # where in the source printing has come to
        self._starts = [scalar.start for scalar in scalars(root) if scalar.end > scalar.start]
        self._offsets = [0]
        for line in source.lines:
            self._offsets.append(self._offsets[-1] + len(line) + 1)

    # ------------------------------------------------------------------------------------------ collections

    def mapping(self, node: Mapping, indent: int, first: str | None = None) -> None:
        """A block mapping whose keys stand at ``indent``; ``first`` is what stands before its first key (a dash)."""
        for number, (key, value) in enumerate(node.entries):
            prefix = " " * indent if number or first is None else first
            self.before(key.start, indent if prefix is not first else prefix.index("-"))
            self._end = key.end
            head = f"{prefix}{self._text(key)}:"
            behind_dash = first is not None and number == 0
            if isinstance(value, Scalar) or self._is_flow(value):
                self._value(value, head, key, indent)
            else:
                self._line(head, key.span.line)
                if isinstance(value, Sequence):
                    self.sequence(value, indent if behind_dash else indent + STEP)
                else:
                    self.mapping(value, indent + STEP)
        self._behind(node, indent)

    def sequence(self, node: Sequence, indent: int, first: str | None = None) -> None:
        """A block list whose dashes stand at ``indent``."""
        for number, item in enumerate(node.items):
            prefix = f"{' ' * indent}- " if number or first is None else f"{first}- "
            inner = indent + STEP
            if isinstance(item, Scalar) or self._is_flow(item):
                self.before(self._start(item), indent)
                self._value(item, prefix.rstrip(), item, indent)
            elif isinstance(item, Mapping):
                self.mapping(item, inner, prefix)
            else:
                self.sequence(item, inner, prefix)
        self._behind(node, indent)

    def _behind(self, node: Node, indent: int) -> None:
        """The comments behind the last part of a block that are indented as its parts are."""
        found = bisect_left(self._starts, self._end)
        limit = self._starts[found] if found < len(self._starts) else len(self.source.text) + 1
        while self._next < len(self.comments):
            comment = self.comments[self._next]
            if not comment.alone or comment.start >= limit or comment.span.column < node.span.column:
                return
            self._comment(comment, indent)

    # ------------------------------------------------------------------------------------------ values

    def _value(self, value: Node, head: str, key: Node, indent: int) -> None:
        """A text or a flow collection behind ``head``, which is a key with its colon or a dash."""
        start, end = self._start(value), self._end_of(value)
        self.before(start, indent)
        if isinstance(value, Scalar) and value.style in ("|", ">"):
            parts = self._block_text(value)
        elif "\n" in self.source.text[start:end]:
            parts = self._several_lines(value, start, end)
        else:
            parts = [self._text(value) if isinstance(value, Scalar) else self._flow(value)]
        self._end = max(self._end, end)
        while self._next < len(self.comments) and self.comments[self._next].start < end:
            self._next += 1  # inside of a collection that keeps its lines
        self._line(f"{head} {parts[0]}".rstrip(" "), key.span.line, trailing=len(parts) == 1)
        for number, part in enumerate(parts[1:], 2):
            closing = not isinstance(value, Scalar) and part[:1] in ("]", "}")
            shift = 0 if closing else STEP
            self.lines.append(f"{' ' * (indent + shift)}{part}" if part else "")
            if number == len(parts):
                self.lines[-1] += self._trailing()

    def _text(self, scalar: Scalar) -> str:
        """A text on one line, as it stands in the file or, if it is plain and has a role, in its one spelling."""
        role = self.roles.get(scalar.start)
        if role is not None and scalar.plain and scalar.text:
            return tidy(scalar, role)
        return self.source.text[scalar.start : scalar.end]

    def _several_lines(self, value: Node, start: int, end: int) -> list[str]:
        return [line.strip(" ") for line in self.source.text[start:end].split("\n")]

    def _block_text(self, value: Scalar) -> list[str]:
        """The header of a `|` or `>` text and its lines, their common indentation taken off."""
        line_end = self.source.text.find("\n", value.end)
        header, *body = self.source.text[value.start : line_end if line_end >= 0 else None].split("\n")
        mark, hash_, words = header.partition("#")
        if value.style == "|":
            body = value.text.rstrip("\n").split("\n") if value.text.strip("\n") else []
        else:
            shown = next((line for line in value.text.split("\n") if line.strip()), "")
            written = next((line for line in body if line.strip()), "")
            depth = (len(written) - len(written.lstrip(" "))) - (len(shown) - len(shown.lstrip(" ")))
            body = [line[depth:] for line in body]
        if "+" in mark:  # its empty lines at the end belong to it
            body += [""] * (len(value.text) - len(value.text.rstrip("\n")) - bool(body))
        return [re.sub("[1-9]", str(STEP), mark).rstrip(" ") + (f"  {hash_}{words}".rstrip() if hash_ else ""), *body]

    def _flow(self, node: Node) -> str:
        """A flow collection on one line."""
        if isinstance(node, Scalar):
            return self._text(node)
        if any(scalar.end == scalar.start for scalar in scalars(node)):
            return self.source.text[self._start(node) : self._end_of(node)]  # `{a, b: }`: left alone
        if isinstance(node, Sequence):
            return f"[{', '.join(map(self._flow, node.items))}]"
        return "{" + ", ".join(f"{self._text(key)}: {self._flow(value)}" for key, value in node.entries) + "}"

    def _is_flow(self, node: Node) -> bool:
        return not isinstance(node, Scalar) and self.source.text[self._start(node)] in "{["

    def _start(self, node: Node) -> int:
        if isinstance(node, Scalar):
            return node.start
        return self._offsets[node.span.line - 1] + node.span.column - 1

    def _end_of(self, node: Node) -> int:
        if isinstance(node, Scalar):
            return node.end
        return self._offsets[node.span.end_line - 1] + node.span.end_column - 1

    # ------------------------------------------------------------------------------------------ lines

    def before(self, offset: int, indent: int) -> None:
        """The comments that stand before ``offset`` and were not printed yet."""
        while self._next < len(self.comments) and self.comments[self._next].start < offset:
            self._comment(self.comments[self._next], indent)

    def _comment(self, comment: Comment, indent: int) -> None:
        self._next += 1
        self._line(f"{' ' * indent}{comment.text}", comment.span.line, trailing=False)

    def _line(self, text: str, source_line: int, *, trailing: bool = True) -> None:
        """A line, with the empty one that stood before it, and the comment that stands behind it."""
        above = self.source.lines[source_line - 2] if source_line > 1 else "-"
        if self.lines and self.lines[-1] and not above.strip(" "):
            self.lines.append("")
        self.lines.append(text + (self._trailing() if trailing else ""))

    def _trailing(self) -> str:
        """The comment that stands in the source behind what was printed last."""
        if self._next == len(self.comments):
            return ""
        comment = self.comments[self._next]
        if comment.alone or "\n" in self.source.text[self._end : comment.start]:
            return ""
        self._next += 1
        before = self.source.text[self._end : comment.start]
        return " " * max(2, len(before) - len(before.rstrip(" "))) + comment.text
