"""What the two printers of straight-line BER share: identifier octets, and when a class has no straight line in BER."""

from __future__ import annotations

from collections.abc import Sequence

from vmsgen.emit.python.expressions import constant
from vmsgen.emit.python.layout import bytes_literal
from vmsgen.emit.python.plan import ClassPlan
from vmsgen.emit.python.straight_line import NoStraightLine, StraightLine, in_host_order
from vmsgen.runtime.ber import CONTEXT, tag_bytes
from vmsgen.spec.model import Field, Tags
from vmsgen.spec.wire_types import Array, Bytes, Fixed, Grid, Int, Pad, SizedInt, Timer, WireType


class BerLine(StraightLine):
    """Prints one BER method. Components stand under their context tags, in the order of the tags."""

    def __init__(self, plan: ClassPlan, owner: str = "self") -> None:
        super().__init__(plan, owner)
        if plan.definition.kind == "view":
            # read over bytes that travel as bytes: no component of its own
            raise NoStraightLine
        self.tags = plan.model.tags.get(plan.definition.asn1_name, Tags(None, {})).components
        order = [self.tags[each.name] for each in plan.fields]
        if "<subsections>" in self.tags:
            order.append(self.tags["<subsections>"])
        if order != sorted(order):
            # a field was put between others after the tags were given: the walk knows how to sort
            raise NoStraightLine
        for each in plan.fields:
            if is_varying_pad(each.type) or _asks_by_element(each.type):
                # no octet of BER depends on these, but the binary form does: the walk asks, so that the facts travel
                raise NoStraightLine

    def tag(self, name: str, constructed: bool, size: int | None = None) -> str:
        """Identifier octets of a component; with ``size``, which is below 128, the octet of its length."""
        size_octet = b"" if size is None else bytes((size,))
        return bytes_literal(tag_bytes(CONTEXT, constructed, self.tags[name]) + size_octet)

    def ask(self, each: Field) -> None:
        """Asks for what only the binary form of a field depends on, so that the fact travels."""
        if in_host_order(each.type):
            self.flush()
            self.helpers.add("ask_host_endian")
            self.out.add("ask_host_endian(f)")

    def fields(self, block: Sequence[Field]) -> None:
        for each in block:
            if not isinstance(each.type, Pad):
                self.ask(each)
                self.field(each)
                self.checked(each)

    def field(self, each: Field) -> None:
        """One component."""
        raise NoStraightLine


def _asks_by_element(wire: WireType) -> bool:
    """Whether the walk asks for the byte order once for each element, so not at all where there is none."""
    plain = isinstance(wire, Array) and isinstance(wire.element, Int) and wire.element.labels is None
    return isinstance(wire, (Array, Grid)) and not plain and in_host_order(wire.element)


def table(wire: Int | SizedInt | Timer) -> str:
    """The runtime's table for an integer type of constant width."""
    if isinstance(wire, Int):
        return f"{'S' if wire.signed else 'U'}{wire.bits}"
    return "S64" if isinstance(wire, Timer) else "U64"


def is_varying_pad(wire: WireType) -> bool:
    """Whether it is a pad whose size is not the same in every state."""
    return isinstance(wire, Pad) and isinstance(wire.count, Fixed) and constant(wire.count.value) is None


def short_size(wire: WireType) -> int | None:
    """The constant size of bytes whose length is one octet in BER."""
    if isinstance(wire, Bytes) and isinstance(wire.count, Fixed):
        size = constant(wire.count.value)
        return size if size is not None and 0 < size < 0x80 else None
    return None


def is_constructed(wire: WireType) -> bool:
    """Whether an array is a SEQUENCE OF, and not the OCTET STRING that one of bytes is."""
    if isinstance(wire, Array) and isinstance(wire.count, Fixed) and isinstance(wire.element, Int):
        return wire.element != Int(8, False, wire.element.order)
    return isinstance(wire, (Array, Grid))
