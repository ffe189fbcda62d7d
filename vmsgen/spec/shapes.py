"""Reading plain values out of positioned nodes: a text, a number, a truth value, a list of names.

Every function reports what does not fit (``spec/shape`` for the wrong kind of node, ``spec/value`` for the wrong
content) and returns None or what is left, so that a caller can go on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingABC
from types import MappingProxyType
from typing import Literal

from vmsgen.diagnostics import Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.diagnostics.suggest import did_you_mean
from vmsgen.spec.nodes import Mapping, Node, Scalar, Sequence

_INT = re.compile(
    r"-?(?:0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0[oO][0-7]+(?:_[0-7]+)*|0[bB][01]+(?:_[01]+)*|[0-9]+(?:_[0-9]+)*)\Z"
)

Endian = Literal["big", "little", "host"]


def kind_of(node: Node) -> str:
    """What a node is, in words for messages."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    return "nothing" if is_empty(node) else "a text"


def is_empty(node: Node) -> bool:
    """Whether nothing was written: ``key:`` alone."""
    return isinstance(node, Scalar) and node.plain and not node.text


def integer(text: str) -> int | None:
    """An INT of the language (decimal, 0x, 0o, 0b, ``_`` between digits, a minus before it), or None."""
    if not _INT.match(text) or len(text) > 64:
        return None
    bare = text.replace("_", "")
    if bare.lstrip("-").isdigit():
        return int(bare, 10)
    return int(bare, 0)


class Shapes:
    """Readers of values that share a reporter."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter

    def wrong(self, node: Node, expected: str, what: str) -> None:
        """Report that ``what`` should be ``expected``."""
        self.reporter.error("spec/shape", f"{what}: expected {expected}, found {kind_of(node)}", node.span)

    def mapping(self, node: Node, what: str) -> Mapping | None:
        if isinstance(node, Mapping):
            return node
        self.wrong(node, "a mapping", what)
        return None

    def sequence(self, node: Node, what: str) -> Sequence | None:
        if isinstance(node, Sequence):
            return node
        self.wrong(node, "a list", what)
        return None

    def scalar(self, node: Node, what: str, expected: str = "a text") -> Scalar | None:
        """A scalar that is not empty."""
        if isinstance(node, Scalar) and not is_empty(node):
            return node
        self.wrong(node, expected, what)
        return None

    def text(self, node: Node, what: str) -> str | None:
        found = self.scalar(node, what)
        return found.text if found is not None else None

    def number(self, node: Node, what: str, low: int, high: int) -> int | None:
        """A whole number from ``low`` to ``high``."""
        found = self.scalar(node, what, "a number")
        if found is None:
            return None
        value = integer(found.text)
        if value is None:
            self.reporter.error(
                "spec/value", f"{what}: expected a whole number, found `{short(found.text)}`", found.span
            )
            return None
        if not low <= value <= high:
            self.reporter.error("spec/value", f"{what}: {value} is not in {low}..{high}", found.span)
            return None
        return value

    def word(self, node: Node, what: str, allowed: Iterable[str]) -> str | None:
        """One of a closed list of words."""
        found = self.scalar(node, what)
        if found is None:
            return None
        words = tuple(allowed)
        if found.text in words:
            return found.text
        near = did_you_mean(found.text, words)
        self.reporter.error(
            "spec/value",
            f"{what}: expected {_alternatives(words)}, found `{short(found.text)}`",
            found.span,
            help=f"did you mean `{near}`?" if near else None,
        )
        return None

    def endian(self, node: Node, what: str) -> Endian | None:
        return self.word(node, what, ("big", "little", "host"))  # type: ignore[return-value]

    def scalars(self, node: Node, what: str) -> tuple[Scalar, ...]:
        """One text, or a list of texts."""
        if isinstance(node, Sequence):
            found = (self.scalar(item, what) for item in node.items)
            return tuple(item for item in found if item is not None)
        one = self.scalar(node, what, "a text or a list of texts")
        return (one,) if one is not None else ()

    def keys(
        self,
        node: Mapping,
        known: MappingABC[str, object] | Iterable[str],
        what: str,
        first: int = 0,
        hints: MappingABC[str, str] = MappingProxyType({}),
    ) -> dict[str, tuple[Scalar, Node]]:
        """The entries of ``node`` (after the first ``first``) by key.

        Others are reported with the help that ``hints`` has for them, else with the nearest key that exists.
        """
        names = list(known)
        found: dict[str, tuple[Scalar, Node]] = {}
        for key, value in node.entries[first:]:
            if key.text in names:
                found.setdefault(key.text, (key, value))
                continue
            near = did_you_mean(key.text, names)
            near_or_all = f"did you mean `{near}`?" if near else f"allowed here: {', '.join(names)}" if names else None
            self.reporter.error(
                "spec/unknown-key",
                f"unknown key `{short(key.text)}` in {what}",
                key.span,
                help=hints.get(key.text, near_or_all),
            )
        return found

    def missing(self, key: str, what: str, span: Span) -> None:
        self.reporter.error("spec/missing-key", f"{what} needs the key `{key}`", span)


def _alternatives(words: tuple[str, ...]) -> str:
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " or " + quoted[-1]


def short(text: str, limit: int = 60) -> str:
    """The first line of a text, cut for messages."""
    line = text.split("\n", 1)[0]
    return line if len(line) <= limit else line[: limit - 1] + "…"
