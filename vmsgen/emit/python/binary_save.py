"""``_save``: straight-line writing of the binary format."""

from __future__ import annotations

from collections.abc import Sequence

from vmsgen.emit.python.binary_load import byte_order
from vmsgen.emit.python.expressions import local_name
from vmsgen.emit.python.layout import Call, Lines, assign
from vmsgen.emit.python.runs import CODES, Piece, Run, runs_of
from vmsgen.emit.python.straight_line import NoStraightLine, StraightLine, rows
from vmsgen.spec.expression import Const
from vmsgen.spec.model import Field
from vmsgen.spec.wire_types import (
    Array,
    Bool,
    Bytes,
    Fixed,
    Grid,
    Int,
    Pad,
    Prefixed,
    SizedInt,
    String,
    StructRef,
    Union,
    WireType,
)


class BinarySave(StraightLine):
    """Prints ``_save``."""

    reads = False

    def method(self) -> Lines:
        self.steps(self.plan.definition.steps)
        if self.plan.definition.subsections:
            self.helpers.add("save_subsections")
            self.out.statement("save_subsections(", ["self", "out", "f", self.scopes()], ")")
        lines = Lines(1)
        lines.statement("def _save(", ["self", "out: list[bytes]", "f: Facts", *self.parameters()], ") -> None:")
        lines.indent()
        lines.add("if self._kept is not None:")
        lines.indent()
        lines.statement("super()._save(", ["out", "f", *self.arguments()], ")")
        lines.add("return")
        lines.dedent()
        lines.extend(self.out.without_unused())
        return lines

    def fields(self, block: Sequence[Field]) -> None:
        for part in runs_of(block, self.plan.model):
            if isinstance(part, Run):
                self.run(part)
                for each in part.fields:
                    self.checked(each)
            else:
                self.single(part)
                self.checked(part)

    # ------------------------------------------------------------------ runs

    def run(self, run: Run) -> None:
        """One struct call."""
        name = self.formats[run.format] = run.constant
        nested = self.nested(run.fields)
        for each in run.fields:
            if each.name in nested:
                held = nested[each.name].owner
                self.out.add(f"{held} = {self.needed(each, self.target(each))}")
                self.refuse_if(f"{held}._kept is not None", "what the struct keeps")
        values = []
        for piece in run.pieces:
            printer = self if piece.owner is None else nested[piece.owner.name]
            values += printer.packed(piece, alone=len(run.pieces) == 1)
        for each in run.fields:
            if each.derived is not None and not isinstance(each.derived, Const):
                self.out.add(f"{local_name(each.name)} = {self.compile(each.derived)}")
        self.out.statement("out.append(", [Call(f"{name}.pack(", values, ")")], ")")

    def packed(self, piece: Piece, *, alone: bool) -> list[str]:
        """The arguments of ``pack`` for a piece."""
        each, code, count = piece[:3]
        value = self.written(each)
        if isinstance(each.type, Pad):
            return [f"bytes({count})"]
        if code == "s":
            self.helpers.add("sized")
            return [f"sized({self.needed(each, value)}, {count})"]
        if piece.is_array and alone:
            return [f"*{self.needed(each, value)}"]
        if piece.is_array:
            elements = [self.local("x") for _ in range(count)]
            # too few or too many are an error of Python's own
            self.out.lines.extend(assign(self.out.depth, elements, self.needed(each, value)))
            return elements
        if isinstance(each.type, Bool):
            self.helpers.add("BIT")
            return [f"BIT[{value}]"]
        return [value]

    def written(self, each: Field) -> str:
        """The value that is written."""
        if isinstance(each.derived, Const):
            return self.compile(each.derived)
        return self.target(each)

    # ------------------------------------------------------------------ what is no run

    def single(self, each: Field) -> None:
        """A field that has statements of its own."""
        if each.derived is not None:
            raise NoStraightLine
        if isinstance(each.type, Pad):
            assert isinstance(each.type.count, Fixed)
            size = self.compile(each.type.count.value)
            if not size.isdigit():
                self.helpers.add("padding")
            self.append(f"{'bytes' if size.isdigit() else 'padding'}({size})")
        else:
            self.value(each.type, self.needed(each, f"self.{each.name}"))

    def append(self, code: str) -> None:
        """Appends the bytes of an expression."""
        self.out.statement("out.append(", [code], ")")

    def prefix(self, prefix: Int, count: str) -> None:
        """A count in front of a part."""
        self.append(f"{count}.to_bytes({prefix.bits // 8}, {byte_order(prefix.order)})")

    def value(self, wire: WireType, value: str) -> None:
        """Statements that append ``value``."""
        match wire:
            case Bytes(count=Fixed(value=size)):
                self.helpers.add("sized")
                self.append(f"sized({value}, {self.compile(size)})")
            case Bytes(count=Prefixed(type=prefix)):
                self.prefix(prefix, f"len({value})")
                self.append(value)
            case String(count=Fixed(value=size)):
                self.helpers.add("string_bytes")
                self.append(f"string_bytes({value}, {self.compile(size)})")
            case String(count=Prefixed(type=prefix)):
                name = self.local("text")
                self.out.add(f'{name} = {value}.encode("utf-8", "surrogateescape")')
                self.prefix(prefix, f"len({name})")
                self.append(name)
            case SizedInt(bits=width, order=order):
                self.helpers.add("OCTETS")
                self.append(f"{value}.to_bytes(OCTETS[{self.compile(width)}], {byte_order(order)})")
            case Int(bits=bits, signed=signed, order=order):
                sign = ", signed=True" if signed else ""
                self.append(f"{value}.to_bytes({bits // 8}, {byte_order(order)}{sign})")
            case StructRef():
                self.out.statement(f"{value}._save(", ["out", "f", *self.plan.codec_scope(wire, self.compile)], ")")
            case Array(element=Int() as element, count=Fixed(value=size)) if element.order != "host":
                self.numbers(element, value, self.compile(size))
            case Array(element=Bool(), count=Fixed(value=size)):
                self.helpers.add("count_of")
                self.refuse_if(f"None in {value}", "no value")
                self.append(f"bytes([1 if each else 0 for each in count_of({value}, {self.compile(size)})])")
            case Array(element=element, count=Fixed() | Prefixed() as count):
                item = self.local("item")
                if isinstance(count, Prefixed):
                    self.prefix(count.type, f"len({value})")
                    items = value
                else:
                    self.helpers.add("count_of")
                    items = f"count_of({value}, {self.compile(count.value)})"
                self.out.add(f"for {item} in {items}:")
                self.out.indent()
                self.value(element, item)
                self.out.dedent()
            case Grid():
                self.value(rows(wire), value)
            case Union():
                self.union(wire, lambda chosen: self.alternative(chosen, value))
            case _:
                raise NoStraightLine

    def alternative(self, chosen: StructRef | None, value: str) -> None:
        """A case of a union, which a value of another case must not pass for."""
        if chosen is None:
            self.refuse_if(f"{value} is not None", "a case without bytes")
        else:
            name = self.plan.class_name(chosen.definition)
            self.refuse_if(f"not isinstance({value}, {name})", "the value of another case")
            self.value(chosen, value)

    def numbers(self, element: Int, value: str, size: str) -> None:
        """An array of plain integers in one call."""
        self.helpers.add("count_of")
        counted = f"count_of({value}, {size})"
        if (element.bits, element.signed) == (8, False):
            self.append(f"bytes({counted})")
        else:
            self.formats[""] = ""
            mark = "<" if element.order == "little" else ">"
            self.append(f'struct.pack(f"{mark}{{len({value})}}{CODES[element.bits, element.signed]}", *{counted})')
