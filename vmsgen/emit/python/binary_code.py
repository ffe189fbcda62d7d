"""Straight-line binary codecs: ``_load`` and ``_save`` of a class, runs of fixed-width scalars in one ``struct``
call.

They do what is plain and leave the rest to the walk (see :mod:`vmsgen.runtime.straight`). A type that has no
straight line here makes the class go without; the walk then serves it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from zlib import crc32

from vmsgen.emit.python.expressions import Compiler, constant, local_name, uses_mine
from vmsgen.emit.python.layout import Call, Lines, assign, joined, quote
from vmsgen.emit.python.plan import ClassPlan
from vmsgen.spec.expression import Const
from vmsgen.spec.model import (
    Array,
    Bool,
    Bytes,
    CheckStep,
    Field,
    Fixed,
    Float64,
    Group,
    Int,
    Let,
    Order,
    Pad,
    Prefixed,
    SizedInt,
    Step,
    String,
    StructRef,
    Timer,
    WireType,
)

_FORMATS = {
    (8, False): "B",
    (8, True): "b",
    (16, False): "H",
    (16, True): "h",
    (32, False): "I",
    (32, True): "i",
    (64, False): "Q",
    (64, True): "q",
}
_SIZES = {"B": 1, "b": 1, "H": 2, "h": 2, "I": 4, "i": 4, "Q": 8, "q": 8, "d": 8}

#: Longest constant bytes field that is part of a run.
_RUN_BYTES = 64


class NoStraightLine(Exception):
    """The class has a part that only the walk serves."""


@dataclass
class Run:
    """Neighbouring fields of constant width: one struct format, a target and a value for each piece of it."""

    order: str
    pieces: list[tuple[Field, str, int]] = field(default_factory=list)

    @property
    def format(self) -> str:
        """The struct format, neighbours of one code joined."""
        text = ""
        codes = [(code, count) for _, code, count in self.pieces]
        index = 0
        while index < len(codes):
            code, count = codes[index]
            index += 1
            if code == "s":
                text += f"{count}s"
                continue
            while index < len(codes) and codes[index][0] == code:
                count += codes[index][1]
                index += 1
            text += f"{count if count > 1 else ''}{code}"
        return ("<" if self.order == "little" else ">") + text

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return sum(count * (1 if code == "s" else _SIZES[code]) for _, code, count in self.pieces)


def run_piece(each: Field) -> tuple[str, str, int] | None:
    """Byte order, struct code and count of a field that can be part of a run."""
    match each.type:
        case Int(bits=bits, signed=signed, order=order) if order != "host":
            return ("any" if bits == 8 else order), _FORMATS[bits, signed], 1
        case Timer(order=order) if order != "host":
            return order, "q", 1
        case Float64(order=order) if order != "host":
            return order, "d", 1
        case Bool():
            return "any", "B", 1
        case Bytes(count=Fixed(value=value)) | Pad(count=Fixed(value=value)):
            size = constant(value)
            return ("any", "s", size) if size is not None and 0 < size <= _RUN_BYTES else None
        case Array(element=Int(bits=bits, signed=signed, order=order, labels=None), count=Fixed(value=value)) if (
            order != "host"
        ):
            size = constant(value)
            if size is not None and 0 < size <= 256 and (bits, signed) != (8, False):
                return ("any" if bits == 8 else order), _FORMATS[bits, signed], size
            return None
        case _:
            return None


class BinaryCode:
    """Prints ``_load`` and ``_save`` for one class. Raises NoStraightLine."""

    def __init__(self, plan: ClassPlan) -> None:
        self.plan = plan
        self.compile: Compiler = plan.compiler()
        self.out = Lines(2)
        self.loading = True
        self.structs: dict[str, str] = {}  # struct format -> module constant
        self.helpers: set[str] = set()
        self._locals = 0

    # ------------------------------------------------------------------ the two methods

    def load(self) -> Lines:
        """``_load``."""
        plan = self.plan
        self.loading, self.out = True, Lines(2)
        self.steps(plan.definition.steps)
        for each in plan.fields:
            self.proof(each)
        if plan.definition.marked or plan.definition.subsections:
            self.helpers.add("load_subsections")
            self.out.add('if d[p : p + 1] == b"\\x05":')
            self.out.indent()
            self.out.statement("p = load_subsections(", ["self", "d", "p", "f", self.scopes()], ")")
            self.out.dedent()
        body = self.out.without_unused()
        lines = Lines(1)
        lines.add("@classmethod")
        lines.statement(
            "def _load(",
            ["cls", "d: bytes", "p: int", "f: Facts", *self.scope()],
            f") -> tuple[{plan.definition.name}, int]:",
        )
        lines.indent()
        lines.add("self = cls.__new__(cls)")
        lines.add("self._kept = None")
        if plan.is_state:
            lines.add("self._version = version")
            lines.add("self._facts = f")
        for subsection in plan.definition.subsections:
            lines.add(f"self.{subsection.name} = None")
        lines.extend(body)
        lines.add("return self, p")
        return lines

    def save(self) -> Lines:
        """``_save``."""
        plan = self.plan
        self.loading, self.out = False, Lines(2)
        self.steps(plan.definition.steps)
        for each in plan.fields:
            self.proof(each)
        if plan.definition.subsections:
            self.helpers.add("save_subsections")
            self.out.statement("save_subsections(", ["self", "out", "f", self.scopes()], ")")
        body = self.out.without_unused()
        lines = Lines(1)
        lines.statement("def _save(", ["self", "out: list[bytes]", "f: Facts", *self.scope()], ") -> None:")
        lines.indent()
        lines.add("if self._kept is not None:")
        lines.indent()
        lines.statement("super()._save(", ["out", "f", *self.names()], ")")
        lines.add("return")
        lines.dedent()
        lines.extend(body)
        return lines

    def scope(self) -> list[str]:
        """Parameters behind the data and the facts."""
        version = ["version: int"] if self.plan.is_state else []
        return [*version, *(f"{name}: {kind}" for name, kind in self.plan.arguments())]

    def names(self) -> list[str]:
        """The same, as arguments."""
        return [*(["version"] if self.plan.is_state else []), *(name for name, _ in self.plan.arguments())]

    def scopes(self) -> str:
        """The scopes of the subsections that capture something."""
        found = []
        for subsection in self.plan.definition.subsections:
            target = self.plan.model.definition(subsection.definition)
            given = [self.plan.captured(param, self.compile) for param in target.captures]
            if given:
                found.append(f"{quote(subsection.name)}: ({joined(given)})")
        return "{" + ", ".join(found) + "}"

    # ------------------------------------------------------------------ steps

    def steps(self, steps: tuple[Step, ...]) -> None:
        """Steps in order: runs of fields under one condition, then what is no run."""
        index = 0
        while index < len(steps):
            step = steps[index]
            if isinstance(step, Field) and step.never:
                index += 1
                continue
            if isinstance(step, Field):
                block = [step]
                while index + len(block) < len(steps):
                    following = steps[index + len(block)]
                    if not isinstance(following, Field) or self.test(following) != self.test(step):
                        break
                    block.append(following)
                self.under(self.test(step), partial(self.fields, block), partial(self.absent, block))
                index += len(block)
                continue
            if isinstance(step, Group):
                below = stored_below(step)
                self.under(self.test(step), partial(self.steps, step.steps), partial(self.absent, below))
            elif isinstance(step, Let):
                if step.name in self.plan.exported:
                    self.out.add(f"self.{step.name} = {self.compile(step.expression)}")
                else:
                    self.out.assign_local(local_name(step.name), self.compile(step.expression))
            elif isinstance(step, CheckStep) and not uses_mine(step.check.expression):
                self.refuse_unless(self.compile(step.check.expression))
            index += 1

    def test(self, step: Field | Group) -> str | None:
        return None if step.condition is None else self.compile.condition(step.condition)

    def under(self, condition: str | None, then: Callable[[], object], absent: Callable[[], object]) -> None:
        """What is printed under a condition, and what a reader does where it does not hold."""
        if condition is None:
            then()
            return
        self.out.add(f"if {condition}:")
        self.out.indent()
        before = len(self.out.lines)
        then()
        if len(self.out.lines) == before:
            self.out.add("pass")
        self.out.dedent()
        if self.loading:
            outer, self.out = self.out, Lines(self.out.depth + 1)
            absent()
            inner, self.out = self.out, outer
            if inner.lines:
                self.out.add("else:")
                self.out.extend(inner)

    def absent(self, fields: list[Field]) -> None:
        """Fields that the wire does not have."""
        for each in fields:
            if not each.never and each.derived is None and not isinstance(each.type, Pad):
                self.out.add(f"self.{each.name} = {self.plan.default(each)}")

    def refuse_unless(self, condition: str) -> None:
        self.helpers.add("NotPlain")
        self.out.add(f"if not ({condition}):")
        self.out.indent()
        self.out.add('raise NotPlain("a check")')
        self.out.dedent()

    def proof(self, each: Field) -> None:
        """A derived value against what it is derived from."""
        if each.derived is None or (not self.loading and isinstance(each.derived, Const)):
            return
        if not self.loading:
            return
        code = self.compile(each.derived)
        if each.presence is not None:
            self.out.add(f"if {self.compile.condition(each.presence)}:")
            self.out.indent()
        self.helpers.add("NotPlain")
        self.out.add(f"if {local_name(each.name)} != {code}:")
        self.out.indent()
        self.out.add('raise NotPlain("a derived value")')
        self.out.dedent()
        if each.presence is not None:
            self.out.dedent()

    # ------------------------------------------------------------------ fields

    def fields(self, block: list[Field]) -> None:
        """Fields under one condition: as few struct calls as possible."""
        run: Run | None = None
        for each in block:
            if each.never:
                continue
            piece = run_piece(each)
            if piece is not None:
                order, code, count = piece
                if run is None or (order != "any" and run.order not in ("any", order)):
                    self.flush(run)
                    run = Run("any")
                if run.order == "any":
                    run.order = order
                run.pieces.append((each, code, count))
                if each.check is not None:
                    self.flush(run)
                    run = None
                continue
            self.flush(run)
            run = None
            self.single(each)
            self.checked(each)
        self.flush(run)

    def checked(self, each: Field) -> None:
        if each.check is not None and not uses_mine(each.check.expression):
            self.compile.it = self.plan.checked_value(each, self.target(each))
            self.refuse_unless(self.compile(each.check.expression))

    def target(self, each: Field) -> str:
        return f"self.{each.name}" if each.derived is None else local_name(each.name)

    def struct_name(self, text: str) -> str:
        """The module constant of a struct format."""
        order = "LE" if text[0] == "<" else "BE"
        name = f"_{order}_{text[1:]}" if len(text) <= 24 else f"_{order}_{crc32(text.encode()):08X}"
        self.structs[text] = name
        return name

    def flush(self, run: Run | None) -> None:
        """Prints a run."""
        if run is None:
            return
        if self.loading:
            self.load_run(run)
        else:
            self.save_run(run)
        for each, _, _ in run.pieces:
            self.checked(each)

    def load_run(self, run: Run) -> None:
        if [code for _, code, _ in run.pieces] == ["s"] and run.size > 8:
            self.load_bytes(run.pieces[0][0], str(run.size))
            return
        name = self.struct_name(run.format)
        arrays = any(count > 1 and code != "s" for _, code, count in run.pieces)
        targets, bools, pads, floats = [], [], [], []
        for each, _, _ in run.pieces:
            if isinstance(each.type, Bool):
                self._locals += 1
                targets.append(f"_b{self._locals}")
                bools.append((each, targets[-1]))
            elif isinstance(each.type, Pad):
                self._locals += 1
                targets.append(f"_pad{self._locals}")
                pads.append(targets[-1])
            else:
                targets.append(self.target(each))
                if isinstance(each.type, Float64):
                    floats.append(targets[-1])
        if arrays and len(run.pieces) == 1:
            self.out.add(f"{targets[0]} = list({name}.unpack_from(d, p))")
        elif arrays:
            self.out.add(f"x = {name}.unpack_from(d, p)")
            index = 0
            for target, (each, code, count) in zip(targets, run.pieces, strict=True):
                if isinstance(each.type, Array):
                    self.out.add(
                        f"{target} = list(x[{index}:{index + count}])" if count > 1 else f"{target} = [x[{index}]]"
                    )
                else:
                    self.out.add(f"{target} = x[{index}]")
                index += 1 if code == "s" else count
        else:
            single = len(targets) == 1
            one_element_array = single and isinstance(run.pieces[0][0].type, Array)
            if one_element_array:
                self.out.add(f"{targets[0]} = list({name}.unpack_from(d, p))")
            elif any(isinstance(each.type, Array) for each, _, _ in run.pieces):
                self.out.add(f"x = {name}.unpack_from(d, p)")
                for index, (target, (each, _, _)) in enumerate(zip(targets, run.pieces, strict=True)):
                    self.out.add(
                        f"{target} = [x[{index}]]" if isinstance(each.type, Array) else f"{target} = x[{index}]"
                    )
            elif single:
                self.out.add(f"({targets[0]},) = {name}.unpack_from(d, p)")
            else:
                self.out.lines.extend(assign(self.out.depth, targets, f"{name}.unpack_from(d, p)"))
        self.out.add(f"p += {run.size}")
        if bools:
            self.helpers.add("NotPlain")
            self.out.add(f"if ({' | '.join(name for _, name in bools)}) > 1:")
            self.out.indent()
            self.out.add('raise NotPlain("a boolean that is kept")')
            self.out.dedent()
            for each, raw in bools:
                self.out.add(f"{self.target(each)} = {raw} == 1")
        for pad in pads:
            self.plain_if_zero(pad)
        for number in floats:
            self.helpers.add("NotPlain")
            self.out.add(f"if {number} != {number}:")
            self.out.indent()
            self.out.add('raise NotPlain("a NaN, whose bits are kept")')
            self.out.dedent()

    def plain_if_zero(self, data: str) -> None:
        self.helpers.add("NotPlain")
        self.out.add(f"if any({data}):")
        self.out.indent()
        self.out.add('raise NotPlain("a pad that is kept")')
        self.out.dedent()

    def save_run(self, run: Run) -> None:
        name = self.struct_name(run.format)
        values = []
        for each, code, count in run.pieces:
            value = self.value(each)
            if isinstance(each.type, Pad):
                values.append(f"bytes({count})")
            elif code == "s":
                self.helpers.add("sized")
                values.append(f"sized({self.needed(each, value)}, {count})")
            elif isinstance(each.type, Array):
                values.append(f"*{self.needed(each, value)}")
            elif isinstance(each.type, Bool):
                values.append(f"1 if {value} else 0")
            else:
                values.append(value)
        for each, _, _ in run.pieces:
            if isinstance(each.type, Bool):
                self.not_none(self.value(each))
            elif isinstance(each.type, Array) and sum(isinstance(e.type, Array) for e, _, _ in run.pieces) > 1:
                self.helpers.add("count_of")
        many = sum(isinstance(e.type, Array) for e, _, _ in run.pieces) > 1
        if many:
            values = [
                f"*count_of({self.needed(each, self.value(each))}, {count})" if isinstance(each.type, Array) else value
                for value, (each, _, count) in zip(values, run.pieces, strict=True)
            ]
        for each, _, _ in run.pieces:
            if each.derived is not None and not isinstance(each.derived, Const):
                self.out.add(f"{local_name(each.name)} = {self.compile(each.derived)}")
        self.out.statement("out.append(", [Call(f"{name}.pack(", values, ")")], ")")

    def not_none(self, value: str) -> None:
        """A boolean's truth says nothing of None."""
        if not value.startswith("self."):
            return
        self.helpers.add("NotPlain")
        self.out.add(f"if {value} is None:")
        self.out.indent()
        self.out.add('raise NotPlain("no value")')
        self.out.dedent()

    def value(self, each: Field) -> str:
        """The value that is written."""
        if each.derived is not None:
            return self.compile(each.derived) if isinstance(each.derived, Const) else local_name(each.name)
        return f"self.{each.name}"

    # ------------------------------------------------------------------ what is no run

    def single(self, each: Field) -> None:
        """A field that has statements of its own."""
        wire = each.type
        if each.derived is not None:
            raise NoStraightLine
        target = f"self.{each.name}"
        if isinstance(wire, Pad):
            self.pad(wire)
        elif self.loading:
            self.load_value(wire, target)
        else:
            self.save_value(wire, self.needed(each, target))

    def needed(self, each: Field, value: str) -> str:
        """A value that the wire has, of a field that may be None."""
        if each.derived is not None or not self.plan.is_optional(each):
            return value
        self.helpers.add("need")
        return f"need({value})"

    def pad(self, wire: Pad) -> None:
        assert isinstance(wire.count, Fixed)
        size = self.compile(wire.count.value)
        if self.loading:
            self.plain_if_zero(f"d[p : p + {self.atom(size)}]")
            self.out.add(f"p += {size}")
        else:
            self.out.add(f"out.append(bytes({size}))")

    def atom(self, code: str) -> str:
        return code if code.replace("_", "").replace(".", "").isalnum() else f"({code})"

    def load_bytes(self, each: Field, size: str) -> None:
        if isinstance(each.type, Pad):
            self.plain_if_zero(f"d[p : p + {size}]")
        else:
            self.out.add(f"{self.target(each)} = d[p : p + {size}]")
        self.out.add(f"p += {size}")

    def length(self, size: str) -> str:
        """A size as a local name, bounded and not negative, unless it is a number."""
        if size.isdigit():
            return size
        self.helpers.add("bounded")
        self._locals += 1
        name = f"_n{self._locals}"
        self.out.add(f"{name} = bounded(max({size}, 0), d)")
        return name

    def prefix(self, prefix: Int) -> str:
        """Reads a count in front of a part."""
        if prefix.order == "host":
            raise NoStraightLine
        self._locals += 1
        name, size = f"_n{self._locals}", prefix.bits // 8
        self.helpers.add("bounded")
        self.out.add(f'{name} = bounded(int.from_bytes(d[p : p + {size}], "{prefix.order}"), d)')
        self.out.add(f"p += {size}")
        return name

    def load_value(self, wire: WireType, target: str) -> None:
        """Statements that set ``target`` and move ``p``."""
        match wire:
            case Bytes(count=count):
                size = (
                    self.prefix(count.type) if isinstance(count, Prefixed) else self.length(self.compile(count.value))
                )
                self.out.add(f"{target} = d[p : p + {size}]")
                self.out.add(f"p += {size}")
            case String(count=count):
                size = (
                    self.prefix(count.type) if isinstance(count, Prefixed) else self.length(self.compile(count.value))
                )
                if isinstance(count, Prefixed):
                    self.out.add(f'{target} = d[p : p + {size}].decode("utf-8", "surrogateescape")')
                else:
                    self.helpers.add("plain_string")
                    self.out.add(f"{target} = plain_string(d[p : p + {size}])")
                self.out.add(f"p += {size}")
            case SizedInt(bits=bits, order=order):
                size = self.compile(bits)
                self.out.statement(
                    f"{target} = int.from_bytes(", [f"d[p : p + {self.atom(size)} // 8]", self.order(order)], ")"
                )
                self.out.add(f"p += {self.atom(size)} // 8")
            case Int(bits=bits, signed=signed, order=order):
                items = [f"d[p : p + {bits // 8}]", self.order(order), *(["signed=True"] if signed else [])]
                self.out.statement(f"{target} = int.from_bytes(", items, ")")
                self.out.add(f"p += {bits // 8}")
            case StructRef(definition=identifier):
                arguments = ["d", "p", "f", *self.plan.codec_scope(wire, self.compile)]
                self.out.statement(f"{target}, p = {self.plan.class_name(identifier)}._load(", arguments, ")")
            case Array(element=Int() as element, count=Fixed(value=value)) if element.order != "host":
                size = self.length(self.compile(value))
                if element.bits == 8 and not element.signed:
                    self.out.add(f"{target} = list(d[p : p + {size}])")
                    self.out.add(f"p += {size}")
                else:
                    code = _FORMATS[element.bits, element.signed]
                    mark = "<" if element.order == "little" else ">"
                    self.structs[""] = ""
                    text = f'f"{mark}{{{size}}}{code}"' if not size.isdigit() else f'"{mark}{size}{code}"'
                    self.out.add(f"{target} = list(struct.unpack_from({text}, d, p))")
                    self.out.add(
                        f"p += {size} * {element.bits // 8}"
                        if not size.isdigit()
                        else f"p += {int(size) * element.bits // 8}"
                    )
            case Array(element=element, count=Fixed() | Prefixed() as count):
                size = (
                    self.prefix(count.type) if isinstance(count, Prefixed) else self.length(self.compile(count.value))
                )
                self._locals += 1
                found, item = f"_items{self._locals}", f"_item{self._locals}"
                self.out.add(f"{found} = []")
                self.out.add(f"for _ in range({size}):")
                self.out.indent()
                self.load_value(element, item)
                self.out.add(f"{found}.append({item})")
                self.out.dedent()
                self.out.add(f"{target} = {found}")
            case _:
                raise NoStraightLine

    def order(self, order: Order) -> str:
        if order == "host":
            raise NoStraightLine
        return quote(order)

    def save_value(self, wire: WireType, value: str) -> None:
        """Statements that append ``value``."""
        match wire:
            case Bytes(count=Fixed(value=size)):
                self.helpers.add("sized")
                self.out.statement("out.append(", [f"sized({value}, {self.compile(size)})"], ")")
            case Bytes(count=Prefixed(type=prefix)):
                self.save_prefix(prefix, f"len({value})")
                self.out.add(f"out.append({value})")
            case String(count=Fixed(value=size)):
                self.helpers.add("string_bytes")
                self.out.statement("out.append(", [f"string_bytes({value}, {self.compile(size)})"], ")")
            case String(count=Prefixed(type=prefix)):
                self._locals += 1
                name = f"_text{self._locals}"
                self.out.add(f'{name} = {value}.encode("utf-8", "surrogateescape")')
                self.save_prefix(prefix, f"len({name})")
                self.out.add(f"out.append({name})")
            case SizedInt(bits=width, order=order):
                octets = f"{self.atom(self.compile(width))} // 8"
                self.out.statement("out.append(", [f"{value}.to_bytes({octets}, {self.order(order)})"], ")")
            case Int(bits=bits, signed=signed, order=order):
                sign = ", signed=True" if signed else ""
                self.out.statement("out.append(", [f"{value}.to_bytes({bits // 8}, {self.order(order)}{sign})"], ")")
            case StructRef():
                self.out.statement(f"{value}._save(", ["out", "f", *self.plan.codec_scope(wire, self.compile)], ")")
            case Array(element=Int() as element, count=Fixed(value=size)) if element.order != "host":
                self.helpers.add("count_of")
                counted = f"count_of({value}, {self.compile(size)})"
                if element.bits == 8 and not element.signed:
                    self.out.statement("out.append(", [f"bytes({counted})"], ")")
                else:
                    code = _FORMATS[element.bits, element.signed]
                    mark = "<" if element.order == "little" else ">"
                    self.structs[""] = ""
                    self.out.statement(
                        "out.append(", [f'struct.pack(f"{mark}{{len({value})}}{code}", *{counted})'], ")"
                    )
            case Array(element=element, count=Fixed() | Prefixed() as count):
                self._locals += 1
                item = f"_item{self._locals}"
                if isinstance(count, Prefixed):
                    self.save_prefix(count.type, f"len({value})")
                    source = value
                else:
                    self.helpers.add("count_of")
                    source = f"count_of({value}, {self.compile(count.value)})"
                self.out.add(f"for {item} in {source}:")
                self.out.indent()
                self.save_value(element, item)
                self.out.dedent()
            case _:
                raise NoStraightLine

    def save_prefix(self, prefix: Int, count: str) -> None:
        self.out.add(f"out.append({count}.to_bytes({prefix.bits // 8}, {self.order(prefix.order)}))")


def stored_below(group: Group) -> list[Field]:
    """Every field of a group, groups inside it included."""
    found: list[Field] = []
    for step in group.steps:
        if isinstance(step, Field):
            found.append(step)
        elif isinstance(step, Group):
            found += stored_below(step)
    return found
