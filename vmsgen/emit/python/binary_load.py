"""``_load``: straight-line reading of the binary format."""

from __future__ import annotations

from collections.abc import Sequence

from vmsgen.emit.python.layout import Lines, assign, quote
from vmsgen.emit.python.plan import STATE_KINDS
from vmsgen.emit.python.runs import CODES, Run, only_run, runs_of
from vmsgen.emit.python.straight_line import NoStraightLine, StraightLine, rows
from vmsgen.spec.model import Definition, Field
from vmsgen.spec.wire_types import (
    Array,
    Bool,
    Bytes,
    Fixed,
    Float64,
    Grid,
    Int,
    Order,
    Pad,
    Prefixed,
    SizedInt,
    String,
    StructRef,
    Union,
    WireType,
)


def byte_order(order: Order) -> str:
    """The argument of ``int.from_bytes``. Raises NoStraightLine for the host's order."""
    if order == "host":
        raise NoStraightLine
    return quote(order)


#: from so many elements on an array of plain structs is read by one call
_MANY = 16


class BinaryLoad(StraightLine):
    """Prints ``_load``."""

    reads = True

    def method(self) -> Lines:
        definition = self.plan.definition
        self.steps(definition.steps)
        self.proofs()
        if definition.marked or definition.subsections:
            self.helpers.add("load_subsections")
            self.out.add("if p < len(d) and d[p] == 5:")
            self.out.indent()
            self.out.statement("p = load_subsections(", ["self", "d", "p", "f", self.scopes()], ")")
            self.out.dedent()
        lines = Lines(1)
        lines.add("@classmethod")
        head = ["cls", "d: bytes", "p: int", "f: Facts", *self.parameters()]
        lines.statement("def _load(", head, f") -> tuple[{definition.name}, int]:")
        lines.indent()
        self.new_object(lines)
        lines.extend(self.out.without_unused())
        lines.add("return self, p")
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
        """One struct call, then what its values need before they are stored."""
        if len(run.pieces) == 1 and run.pieces[0].code == "s" and run.size > 8:
            self.slice(run.pieces[0].field, str(run.size))
            return
        name = self.formats[run.format] = run.constant
        self.unpacked(run, f"{name}.unpack_from(d, p)", f"p += {run.size}")

    def unpacked(self, run: Run, call: str, behind: str = "") -> None:
        """The values of a run, which ``call`` gives, put where they belong; ``behind`` is the statement after it."""
        targets = []
        later: list[tuple[BinaryLoad, Field, str]] = []
        arrays: list[tuple[str, list[str]]] = []
        nested = self.nested(run.fields)
        self.new_nested(nested)
        for piece in run.pieces:
            printer = self if piece.owner is None else nested[piece.owner.name]
            if isinstance(piece.field.type, (Bool, Pad)):
                target = self.local("b" if isinstance(piece.field.type, Bool) else "pad")
                later.append((printer, piece.field, target))
            else:
                target = printer.target(piece.field)
                if isinstance(piece.field.type, Float64):
                    later.append((printer, piece.field, target))
                if piece.is_array and len(run.pieces) > 1:
                    elements = [self.local("x") for _ in range(piece.times)]
                    arrays.append((target, elements))
                    targets += elements
                    continue
            targets.append(target)
        self.unpack(run, call, targets)
        if behind:
            self.out.add(behind)
        for target, elements in arrays:
            self.out.statement(f"{target} = [", elements, "]")
        for printer, each, value in later:
            if isinstance(each.type, Bool):
                self.helpers.add("TRUTH")
                self.out.add(f"{printer.target(each)} = TRUTH[{value}]")
            elif isinstance(each.type, Pad):
                self.refuse_if(f"any({value})", "a pad that is kept")
            elif isinstance(each.type, Float64):
                self.refuse_if(f"{value} != {value}", "a NaN, whose bits are kept")

    def unpack(self, run: Run, call: str, targets: Sequence[str]) -> None:
        """The struct call and where its values go."""
        if len(targets) == 1:
            self.out.add(f"{targets[0]} = list({call})" if run.pieces[0].is_array else f"({targets[0]},) = {call}")
            return
        self.out.lines.extend(assign(self.out.depth, targets, call))

    # ------------------------------------------------------------------ what is no run

    def single(self, each: Field) -> None:
        """A field that has statements of its own."""
        if each.derived is not None:
            raise NoStraightLine
        if isinstance(each.type, Pad):
            assert isinstance(each.type.count, Fixed)
            self.slice(each, self.count(each.type.count))
        else:
            self.value(each.type, f"self.{each.name}")

    def slice(self, each: Field, size: str) -> None:
        """Bytes, or a pad, of ``size``."""
        piece = f"d[p : p + {size}]"
        if isinstance(each.type, Pad):
            self.refuse_if(f"any({piece})", "a pad that is kept")
        else:
            self.out.add(f"{self.target(each)} = {piece}")
        self.out.add(f"p += {size}")

    def count(self, count: Fixed | Prefixed) -> str:
        """A count as a number or a local name, bounded by the data and not negative."""
        if isinstance(count, Fixed):
            code = self.compile(count.value)
            if code.isdigit():
                return code
            found = f"max({code}, 0)"
        else:
            size = count.type.bits // 8
            found = f"int.from_bytes(d[p : p + {size}], {byte_order(count.type.order)})"
        self.helpers.add("bounded")
        name = self.local("n")
        self.out.add(f"{name} = bounded({found}, d)")
        if isinstance(count, Prefixed):
            self.out.add(f"p += {count.type.bits // 8}")
        return name

    def value(self, wire: WireType, target: str) -> None:
        """Statements that set ``target`` and move ``p``."""
        match wire:
            case Bytes(count=count):
                size = self.count(count)
                self.out.add(f"{target} = d[p : p + {size}]")
                self.out.add(f"p += {size}")
            case String(count=count):
                size = self.count(count)
                if isinstance(count, Prefixed):
                    self.out.add(f'{target} = d[p : p + {size}].decode("utf-8", "surrogateescape")')
                else:
                    self.helpers.add("plain_string")
                    self.out.add(f"{target} = plain_string(d[p : p + {size}])")
                self.out.add(f"p += {size}")
            case SizedInt(bits=bits, order=order):
                self.helpers.add("OCTETS")
                octets = self.local("n")
                self.out.add(f"{octets} = OCTETS[{self.compile(bits)}]")
                self.out.statement(f"{target} = int.from_bytes(", [f"d[p : p + {octets}]", byte_order(order)], ")")
                self.out.add(f"p += {octets}")
            case Int(bits=width, signed=signed, order=order):
                items = [f"d[p : p + {width // 8}]", byte_order(order), *(["signed=True"] if signed else [])]
                self.out.statement(f"{target} = int.from_bytes(", items, ")")
                self.out.add(f"p += {width // 8}")
            case StructRef(definition=identifier):
                arguments = ["d", "p", "f", *self.plan.codec_scope(wire, self.compile)]
                self.out.statement(f"{target}, p = {self.plan.class_name(identifier)}._load(", arguments, ")")
            case Array(element=Int() as element, count=Fixed() as count) if element.order != "host":
                self.numbers(element, self.count(count), target)
            case Array(element=Bool(), count=Fixed() as count):
                size = self.count(count)
                raw = self.local("b")
                self.out.add(f"{raw} = d[p : p + {size}]")
                self.out.add(f"p += {size}")
                self.refuse_if(f'{raw}.strip(b"\\0\\1")', "a boolean that is kept")
                self.out.add(f"{target} = [each == 1 for each in {raw}]")
            case Array(element=element, count=Fixed() | Prefixed() as count):
                size = self.count(count)
                found, item = self.local("items"), self.local("item")
                self.out.add(f"{found} = []")
                row = self.row(element) if size.isdigit() and int(size) >= _MANY else None
                if row is not None:
                    self.rows(*row, int(size), item, found)
                    self.out.indent()
                self.out.add(f"for _ in range({size}):")
                self.out.indent()
                self.value(element, item)
                self.out.add(f"{found}.append({item})")
                self.out.dedent()
                if row is not None:
                    self.out.dedent()
                self.out.add(f"{target} = {found}")
            case Grid():
                self.value(rows(wire), target)
            case Union():
                self.union(wire, lambda chosen: self.alternative(chosen, target))
            case _:
                raise NoStraightLine

    def row(self, element: WireType) -> tuple[Definition, Run] | None:
        """The struct that is an array's element, and the run that it consists of; None where it is more than that."""
        if not isinstance(element, StructRef):
            return None
        definition = self.plan.model.definition(element.definition)
        run = None if definition.kind in STATE_KINDS else only_run(definition)
        return None if run is None else (definition, run)

    def rows(self, definition: Definition, run: Run, count: int, item: str, found: str) -> None:
        """Many structs that are a run each, by one struct call: begins the other way for data that ends before them,
        or where the mark of a subsection stands behind one.
        """
        constant = self.formats[run.format] = run.constant
        size, whole = run.size, run.size * count
        plain = f"p + {whole} <= len(d)"
        if definition.marked:
            plain += f" and 5 not in d[p + {size} : p + {whole + 1}{f' : {size}' if size > 1 else ''}]"
        self.out.add(f"if {plain}:")
        self.out.indent()
        row = self.local("row")
        self.out.add(f"for {row} in {constant}.iter_unpack(d[p : p + {whole}]):")
        self.out.indent()
        self.out.add(f"{item} = {definition.name}.__new__({definition.name})")
        self.out.add(f"{item}._kept = None")
        self.within(definition, item).unpacked(run, row)
        self.out.add(f"{found}.append({item})")
        self.out.dedent()
        self.out.add(f"p += {whole}")
        self.out.dedent()
        self.out.add("else:")

    def alternative(self, chosen: StructRef | None, target: str) -> None:
        """A case of a union."""
        if chosen is None:
            self.out.add(f"{target} = None")
        else:
            self.value(chosen, target)

    def numbers(self, element: Int, size: str, target: str) -> None:
        """An array of plain integers in one call."""
        octets = element.bits // 8
        if (element.bits, element.signed) == (8, False):
            self.out.add(f"{target} = list(d[p : p + {size}])")
        else:
            self.formats[""] = ""
            code = CODES[element.bits, element.signed]
            mark = "<" if element.order == "little" else ">"
            text = f'"{mark}{size}{code}"' if size.isdigit() else f'f"{mark}{{{size}}}{code}"'
            self.out.add(f"{target} = list(struct.unpack_from({text}, d, p))")
        moved = str(int(size) * octets) if size.isdigit() else size if octets == 1 else f"{size} * {octets}"
        self.out.add(f"p += {moved}")
