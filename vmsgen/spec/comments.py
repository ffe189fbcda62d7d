"""The comments of a spec: YAML drops them, but the formatter keeps them and some of them speak to the lint."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vmsgen.diagnostics import SourceFile, Span
from vmsgen.spec.nodes import Node, Scalar, Sequence

_COMMENT = re.compile(r"#[^\n]*")


@dataclass(frozen=True)
class Comment:
    """``text`` from its ``#`` to the end of the line, trailing blanks left out; ``start`` is an offset into the file.

    ``alone``: nothing but blanks stands before it in its line.
    """

    text: str
    start: int
    alone: bool
    span: Span


def scalars(node: Node) -> Iterator[Scalar]:
    """Every text of a document, keys included, in the order of the file."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from scalars(item)
    else:
        for key, value in node.entries:
            yield key
            yield from scalars(value)


def comments(source: SourceFile, root: Node) -> list[Comment]:
    """Every comment of a file that was read without an error, in order.

    A ``#`` inside a text is none; that behind the ``|`` or ``>`` of a block text belongs to the text.
    """
    found: list[Comment] = []
    at = 0
    line, line_start = 1, 0
    for start, end in [*((s.start, s.end) for s in scalars(root)), (len(source.text), len(source.text))]:
        for match in _COMMENT.finditer(source.text, at, max(start, at)):
            line += source.text.count("\n", line_start, match.start())
            line_start = source.text.rfind("\n", 0, match.start()) + 1
            text = match.group().rstrip()
            column = match.start() - line_start + 1
            alone = not source.text[line_start : match.start()].strip(" ")
            span = Span(source, line, column, line, column + len(text))
            found.append(Comment(text, match.start(), alone, span))
        at = max(at, end)
    return found
