"""``_encode``: straight-line BER encoding; the pieces of a whole object are joined once."""

from __future__ import annotations

from vmsgen.emit.python.ber_line import BerLine, is_constructed, short_size, table
from vmsgen.emit.python.layout import Lines
from vmsgen.emit.python.plan import ClassPlan
from vmsgen.emit.python.straight_line import NoStraightLine
from vmsgen.spec.model import Field
from vmsgen.spec.wire_types import (
    Array,
    Bool,
    Bytes,
    Fixed,
    Float64,
    Grid,
    Int,
    Prefixed,
    SizedInt,
    String,
    StructRef,
    Timer,
    WireType,
)


class BerEncode(BerLine):
    """Prints ``_encode``."""

    reads = False

    def __init__(self, plan: ClassPlan) -> None:
        super().__init__(plan)
        #: expressions of octets that were not printed yet
        self.pieces: list[str] = []

    def method(self) -> Lines:
        definition = self.plan.definition
        self.steps(definition.steps)
        if definition.subsections:
            self.helpers |= {"encode_subsections", "tlv"}
            self.out.statement("x = encode_subsections(", ["self", "f", self.scopes()], ")")
            self.out.add("if x:")
            self.out.indent()
            self.append(f"tlv({self.tag('<subsections>', True)}, x)")
            self.out.dedent()
        lines = Lines(1)
        lines.statement("def _encode(", ["self", "f: Facts", *self.parameters()], ") -> bytes:")
        lines.indent()
        # the version of a subsection travels in a component of its own, which version 1 does without
        other = " or version != 1" if definition.kind == "subsection" else ""
        lines.add(f"if self._kept is not None{other}:")
        lines.indent()
        lines.statement("return super()._encode(", ["f", *self.arguments()], ")")
        lines.dedent()
        lines.add("out: list[bytes] = []")
        lines.extend(self.out.without_unused())
        lines.add('return b"".join(out)')
        return lines

    def append(self, code: str) -> None:
        """Appends the octets of an expression."""
        self.out.statement("out.append(", [code], ")")

    def flush(self) -> None:
        if len(self.pieces) > 1:
            self.out.statement("out += (", self.pieces, ")")
        self.pieces = []

    def field(self, each: Field) -> None:
        target = self.target(each)
        if each.derived is not None:
            self.flush()
            self.out.add(f"{target} = {self.compile(each.derived)}")
        value = self.needed(each, target)
        short = short_size(each.type)
        if short is not None:
            self.pieces += [self.tag(each.name, False, short), self.call("sized", value, str(short))]
            return
        octets = self.octets(each.type, value)
        if octets is not None:
            self.pieces += [self.tag(each.name, is_constructed(each.type)), octets]
            return
        self.helpers.add("tlv")
        # what stands inside may set what later pieces depend on
        self.flush()
        tag = self.tag(each.name, True)
        match each.type:
            case StructRef():
                scope = ", ".join(["f", *self.plan.codec_scope(each.type, self.compile)])
                self.append(f"tlv({tag}, {value}._encode({scope}))")
            case Array(element=element, count=Fixed(value=size)):
                self.helpers.add("count_of")
                self.items(tag, element, f"count_of({value}, {self.compile(size)})")
            case Array(element=element, count=Prefixed(type=prefix)) if prefix.bits >= 32:
                self.items(tag, element, value)
            case _:
                raise NoStraightLine

    def octets(self, wire: WireType, value: str) -> str | None:
        """Length and content octets of a value as an expression, None for what has objects in it."""
        match wire:
            case Int(bits=8, signed=signed):
                complete = "INT8" if signed else "UINT8"
                self.helpers.add(complete)
                return f"{complete}[{value}]"
            case Int() | Timer():
                self.helpers.add(table(wire))
                return f"{table(wire)}[{value}]"
            case SizedInt(bits=bits):
                self.helpers.add("UNSIGNED")
                return f"UNSIGNED[{self.compile(bits)}][{value}]"
            case Bool():
                self.helpers.add("BOOL")
                return f"BOOL[{value}]"
            case Float64():
                return self.call("double_octets", value)
            case Bytes(count=Fixed(value=size)):
                return self.call("octets", value, self.compile(size))
            case Bytes(count=Prefixed(type=prefix)) if prefix.bits >= 32:
                return self.call("octets", value)
            case String(count=Fixed(value=size)):
                return self.call("text_octets", value, self.compile(size))
            case String(count=Prefixed(type=prefix)) if prefix.bits >= 32:
                return self.call("text_octets", value)
            case Array(element=Int(bits=8, signed=False, labels=None), count=Fixed(value=size)):
                return self.call("small_octets", value, self.compile(size))
            case Grid(element=Int() as element, sizes=(rows, columns)):
                self.helpers.add(table(element))
                return self.call("grid", value, table(element), self.compile(rows), self.compile(columns))
            case Array(element=Int() | Timer() as element, count=Fixed(value=size)):
                self.helpers.add(table(element))
                return self.call("integers", value, table(element), self.compile(size))
            case Array(element=Int() as element, count=Prefixed(type=prefix)) if prefix.bits >= 32:
                self.helpers.add(table(element))
                return self.call("integers", value, table(element))
            case _:
                return None

    def call(self, function: str, *arguments: str) -> str:
        """A call of a runtime function."""
        self.helpers.add(function)
        return f"{function}({', '.join(arguments)})"

    def items(self, tag: str, element: WireType, items: str) -> None:
        """A SEQUENCE OF: its elements under universal tags."""
        match element:
            case StructRef() if not self.plan.is_tagged(element):
                scope = ", ".join(["f", *self.plan.codec_scope(element, self.compile)])
                one = f'tlv(b"0", item._encode({scope}))'
            case Bool():
                one = f'b"\\x01" + {self.octets(element, "item")}'
            case SizedInt() | Timer():
                one = f'b"\\x02" + {self.octets(element, "item")}'
            case _:
                octets = self.octets(element, "item")
                if octets is None or isinstance(element, Array):
                    raise NoStraightLine
                one = f'b"\\x04" + {octets}'
        self.out.add(f'x = b"".join([{one} for item in {items}])')
        self.append(f"tlv({tag}, x)")
