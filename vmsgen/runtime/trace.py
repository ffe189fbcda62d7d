"""The trace: every byte that a state puts on the wire, with the field it belongs to.

One walk gives what statistics, the comparison with a stream's description, and the search for the first differing
byte need.
"""

from __future__ import annotations

import builtins
import struct
from itertools import count as counting
from typing import Any, Final, NamedTuple

from vmsgen.runtime.binary_in import CODES
from vmsgen.runtime.binary_out import BinaryOut
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.values import StateValues


class Leaf(NamedTuple):
    """Bytes ``offset`` to ``offset + size`` of the payload, and what they are.

    ``path`` has Python names, ``wire_path`` QEMU's. ``kind``: int, bool, float, string, bytes, bitmap, pad, count,
    mark, null,
    subsection (its header), repeated; ``opaque``: the spec does not say what the bytes are.
    """

    path: str
    wire_path: str
    offset: int
    size: int
    value: Any
    kind: str
    opaque: bool


_LEAF: Final = tuple.__new__
_WHOLE: Final = frozenset((int, bool))


class Trace(BinaryOut):
    """Writes a state and keeps a leaf for every piece written."""

    def __init__(self, facts: Facts | None = None) -> None:
        super().__init__(facts)
        self.leaves: list[Leaf] = []
        self._prefixes: list[tuple[str, str]] = [("", "")]  # both paths of the part at hand and of those around it

    def enter(self, name: str) -> None:
        super().enter(name)
        path, wire = self._prefixes[-1]
        self._prefixes.append((_joined(path, name), _joined(wire, self.wire_name(name))))

    def leave(self) -> None:
        super().leave()
        self._prefixes.pop()

    def wire_name(self, name: str) -> str:
        """QEMU's name of a field of the object at hand."""
        if name.startswith(("[", "<")) or not self._owners:
            return name
        names = self.owner.WIRE_NAMES.get(name)
        return names[0] if names else name

    def put(self, data: builtins.bytes, name: str, kind: str, value: Any) -> None:
        path, wire = self._prefixes[-1]
        opaque = kind.startswith("opaque")
        if opaque:
            kind = kind[len("opaque ") :] or "bytes"
        ours, theirs = _joined(path, name) if name else path, _joined(wire, self.wire_name(name))
        # (what the class does, without its call)
        self.leaves.append(_LEAF(Leaf, (ours, theirs, len(self.out), len(data), value, kind, opaque)))
        self.out += data

    def integer(
        self,
        name: str,
        value: Any,
        bits: int,
        signed: builtins.bool,
        order: str,
        labels: Any,
        default: int | None,
    ) -> Any:
        number: Any = default if value is None else value
        try:
            data: builtins.bytes = number.to_bytes(bits >> 3, "little" if order == "little" else "big", signed=signed)
        except (AttributeError, OverflowError):
            return super().integer(name, value, bits, signed, order, labels, default)
        path, wire = self._prefixes[-1]
        ours, theirs = _joined(path, name), _joined(wire, self.wire_name(name))
        self.leaves.append(_LEAF(Leaf, (ours, theirs, len(self.out), len(data), number, "int", False)))
        self.out += data
        return value

    def integers(self, name: str, value: Any, count: int, bits: int, signed: builtins.bool, order: str = "big") -> Any:
        self.match_count(name, value, count)
        try:
            data = struct.pack(f"{'<' if order == 'little' else '>'}{len(value)}{CODES[bits, signed]}", *value)
        except struct.error:
            data = b""
        if not data or not _WHOLE.issuperset(map(type, value)):
            # which one does not fit shows when they are written one by one
            return super().integers(name, value, count, bits, signed, order)
        self.enter(name)
        path, wire = self._prefixes[-1]
        self.leave()
        size = bits // 8
        self.leaves += [
            _LEAF(Leaf, (f"{path}[{index}]", f"{wire}[{index}]", offset, size, item, "int", False))
            for index, item, offset in zip(counting(), value, counting(len(self.out), size))
        ]
        self.out += data
        return value


class _OpaqueTrace(Trace):
    """Keeps only the leaves whose bytes no spec explains. Arrays of plain integers hold none and are passed over."""

    integer = BinaryOut.integer

    def put(self, data: builtins.bytes, name: str, kind: str, value: Any) -> None:
        if kind.startswith("opaque"):
            super().put(data, name, kind, value)
        else:
            BinaryOut.put(self, data, name, kind, value)

    def integers(self, name: str, value: Any, count: int, bits: int, signed: builtins.bool, order: str = "big") -> Any:
        self.match_count(name, value, count)
        self.out += builtins.bytes(len(value) * bits // 8)
        return value

    def counted_integers(
        self,
        name: str,
        value: Any,
        count_bits: int,
        count_order: str,
        bits: int,
        signed: builtins.bool,
        order: str = "big",
    ) -> Any:
        self.put_count(name, len(value), count_bits, count_order)
        return self.integers(name, value, len(value), bits, signed, order)


def _joined(path: str, name: str) -> str:
    """The path of a part inside another."""
    return f"{path}.{name}" if path and not name.startswith("[") else path + name


def trace(state: StateValues) -> list[Leaf]:
    """Every leaf of a state as it is on the wire. Raises DataError when a value does not fit."""
    visitor = Trace(state.facts.fresh())
    visitor.run(state)
    return visitor.leaves


def opaque_trace(state: StateValues) -> list[Leaf]:
    """The leaves of a state that was read whose bytes no spec explains. Raises DataError when a value does not fit."""
    visitor = _OpaqueTrace(state.facts.fresh())
    visitor.run(state)
    return visitor.leaves


def leaf_at(leaves: list[Leaf], offset: int) -> Leaf | None:
    """The leaf that holds the byte at ``offset``."""
    return next((leaf for leaf in leaves if leaf.offset <= offset < leaf.offset + leaf.size), None)
