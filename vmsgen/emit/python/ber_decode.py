"""``_decode``: straight-line BER decoding of the canonical form; every other legal form is the walk's."""

from __future__ import annotations

from collections.abc import Sequence

from vmsgen.emit.python.ber_line import BerLine, table
from vmsgen.emit.python.layout import Lines, assign
from vmsgen.emit.python.runs import short
from vmsgen.emit.python.straight_line import NoStraightLine
from vmsgen.emit.python.tlv_runs import Component, codes_of, component
from vmsgen.spec.model import Field
from vmsgen.spec.wire_types import (
    Array,
    Bool,
    Bytes,
    Fixed,
    Float64,
    Grid,
    Int,
    Pad,
    Prefixed,
    SizedInt,
    String,
    StructRef,
    Timer,
)


class BerDecode(BerLine):
    """Prints ``_decode``."""

    reads = True

    def method(self) -> Lines:
        definition = self.plan.definition
        self.steps(definition.steps)
        self.proofs()
        if definition.subsections:
            self.helpers.add("decode_subsections")
            items = ["self", "d", "p", "e", self.tag("<subsections>", True), "f", self.scopes()]
            self.out.statement("p = decode_subsections(", items, ")")
        # what is left is a newer writer's, or was kept
        self.refuse_if("p != e", "a component more")
        lines = Lines(1)
        lines.add("@classmethod")
        head = ["cls", "d: bytes", "p: int", "e: int", "f: Facts", *self.parameters()]
        lines.statement("def _decode(", head, f") -> {definition.name}:")
        lines.indent()
        self.new_object(lines)
        lines.extend(self.out.without_unused())
        lines.add("return self")
        return lines

    def fields(self, block: Sequence[Field]) -> None:
        run: list[Component] = []
        for each in block:
            part = component(self.plan.model, each)
            if run and not (part and self.follows(run[-1].field, each)):
                self.run(run)
                run = []
            self.ask(each)
            if part:
                run.append(part)
            elif not isinstance(each.type, Pad):
                self.field(each)
                self.checked(each)
        if run:
            self.run(run)

    def follows(self, last: Field, each: Field) -> bool:
        """Whether a component can be read in one run with the one before it. A check ends a run."""
        return last.check is None and self.tags[each.name] == self.tags[last.name] + 1

    def run(self, run: list[Component]) -> None:
        """Neighbouring components in one call."""
        if len(run) == 1:
            self.field(run[0].field)
        else:
            codes, first = codes_of(run), self.tags[run[0].field.name]
            name = f"_TLV{first}_{short(codes)}"
            self.runs[name] = (codes, first)
            nested = self.nested([each.field for each in run])
            self.new_nested(nested)
            targets: list[str] = []
            lists: list[tuple[str, list[str]]] = []
            for each in run:
                if each.inside:
                    targets += map(nested[each.field.name].target, each.inside)
                elif each.elements:
                    lists.append((self.target(each.field), [self.local("x") for _ in range(each.elements)]))
                    targets += lists[-1][1]
                else:
                    targets.append(self.target(each.field))
            self.out.lines.extend(assign(self.out.depth, [*targets, "p"], f"{name}.take(d, p, e)"))
            for target, elements in lists:
                self.out.statement(f"{target} = [", elements, "]")
        self.checked(run[-1].field)

    def field(self, each: Field) -> None:
        target = self.target(each)
        match each.type:
            case Int() | Timer():
                self.take(each, target, "take_integer", self.table(table(each.type)))
            case SizedInt(bits=bits):
                self.take(each, target, "take_integer", f"{self.table('UNSIGNED')}[{self.compile(bits)}]")
            case Bool():
                self.take(each, target, "take_bool")
            case Float64():
                self.take(each, target, "take_double")
            case Bytes(count=Fixed(value=size)):
                self.take(each, target, "take_octets", self.compile(size))
            case Bytes(count=Prefixed(type=prefix)) if prefix.bits >= 32:
                self.take(each, target, "take_octets")
            case String(count=Fixed(value=size)):
                self.take(each, target, "take_text", self.compile(size))
            case String(count=Prefixed(type=prefix)) if prefix.bits >= 32:
                self.take(each, target, "take_text")
            case Array(element=Int(bits=8, signed=False, labels=None), count=Fixed(value=size)):
                self.take(each, "x", "take_octets", self.compile(size))
                self.out.add(f"{target} = list(x)")
            case Array(element=Bool(), count=Fixed(value=size)):
                self.take(each, target, "take_booleans", self.compile(size), constructed=True)
            case Grid(element=Int() as element, sizes=(rows, columns)):
                sizes = (self.compile(rows), self.compile(columns))
                self.take(each, target, "take_grid", self.table(table(element)), *sizes, constructed=True)
            case Array(element=Int() | Timer() as element, count=Fixed(value=size)):
                self.take(
                    each, target, "take_integers", self.table(table(element)), self.compile(size), constructed=True
                )
            case StructRef(definition=identifier):
                self.open(each)
                scope = self.plan.codec_scope(each.type, self.compile)
                arguments = ["d", "p", "end", "f", *scope]
                self.out.statement(f"{target} = {self.plan.class_name(identifier)}._decode(", arguments, ")")
                self.out.add("p = end")
            case Array(element=StructRef() as element, count=Fixed(value=size)):
                self.helpers.add("count_of")
                self.structs(each, element, target, f"count_of({{}}, {self.compile(size)})")
            case Array(element=StructRef() as element, count=Prefixed(type=prefix)) if prefix.bits >= 32:
                self.structs(each, element, target, "{}")
            case _:
                raise NoStraightLine

    def table(self, name: str) -> str:
        """A table of the runtime."""
        self.helpers.add(name)
        return name

    def take(self, each: Field, target: str, function: str, *more: str, constructed: bool = False) -> None:
        """One component by one call of the runtime."""
        self.helpers.add(function)
        arguments = ["d", "p", "e", self.tag(each.name, constructed), *more]
        self.out.statement(f"{target}, p = {function}(", arguments, ")")

    def open(self, each: Field) -> None:
        """Steps into a constructed component, which ends at ``end``."""
        self.helpers.add("content")
        self.out.statement("p, end = content(", ["d", "p", "e", self.tag(each.name, True)], ")")

    def structs(self, each: Field, element: StructRef, target: str, checked: str) -> None:
        """A SEQUENCE OF structs; ``checked`` is what becomes of the list."""
        if self.plan.is_tagged(element):
            raise NoStraightLine
        items = self.local("items")
        self.open(each)
        self.out.add(f"{items} = []")
        self.out.add("while p < end:")
        self.out.indent()
        self.out.add('p, n = content(d, p, end, b"0")')
        arguments = ", ".join(["d", "p", "n", "f", *self.plan.codec_scope(element, self.compile)])
        cls = self.plan.class_name(element.definition)
        self.out.statement(f"{items}.append(", [f"{cls}._decode({arguments})"], ")")
        self.out.add("p = n")
        self.out.dedent()
        self.out.add(f"{target} = {checked.format(items)}")
