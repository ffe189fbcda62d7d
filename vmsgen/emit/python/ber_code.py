"""Straight-line BER codecs: ``_encode`` and ``_decode`` of a class.

Identifier octets stand in the code; lengths and small integers come ready made. Encoding joins the pieces of a
whole object once; decoding expects the canonical form in order and leaves every other legal form to the walk.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from vmsgen.emit.python.binary_code import NoStraightLine, stored_below
from vmsgen.emit.python.expressions import Compiler, constant, local_name, uses_mine
from vmsgen.emit.python.layout import Lines, bytes_literal, joined, quote
from vmsgen.emit.python.plan import ClassPlan
from vmsgen.runtime.ber import CONTEXT, tag_bytes
from vmsgen.spec.model import (
    Array,
    Bool,
    Bytes,
    Field,
    Fixed,
    Float64,
    Group,
    Int,
    Let,
    Pad,
    Prefixed,
    SizedInt,
    Step,
    String,
    StructRef,
    Tags,
    Timer,
    WireType,
)


def table(wire: Int | SizedInt | Timer) -> str:
    """The runtime's table of ready octets for an integer type."""
    if isinstance(wire, Timer):
        return "S64"
    if isinstance(wire, SizedInt):
        return "U64"
    return f"{'S' if wire.signed else 'U'}{wire.bits}"


def depends_on_host(wire: WireType) -> bool:
    """Whether the byte order is the sending host's: BER has none, but carries that fact, which the walk asks for."""
    count = getattr(wire, "count", None)
    inner = [part for part in (getattr(wire, "element", None), getattr(count, "type", None)) if part is not None]
    return getattr(wire, "order", None) == "host" or any(map(depends_on_host, inner))


class BerCode:
    """Prints ``_encode`` and ``_decode`` for one class. Raises NoStraightLine."""

    def __init__(self, plan: ClassPlan) -> None:
        self.plan = plan
        self.compile: Compiler = plan.compiler()
        self.out = Lines(2)
        self.helpers: set[str] = set()
        self.tags = plan.model.tags.get(plan.definition.asn1_name, Tags(None, {}))
        self.pieces: list[str] = []
        self.encoding = True
        self._locals = 0
        if plan.definition.kind == "view":
            # read over bytes that travel as bytes: no component of its own
            raise NoStraightLine
        if any(in_host_order(each.type) for each in plan.fields):
            # BER has no byte order, but the binary form needs the answer: the walk asks, so that the fact travels
            raise NoStraightLine
        order = [self.tags.components[f.name] for f in plan.fields]
        if order != sorted(order):
            # a field was put between others after the tags were given: components stand in tag order, which the walk
            # knows
            raise NoStraightLine
        if "<subsections>" in self.tags.components and order and self.tags.components["<subsections>"] < order[-1]:
            raise NoStraightLine

    def tag(self, name: str, constructed: bool) -> str:
        """Identifier octets of a component."""
        return bytes_literal(tag_bytes(CONTEXT, constructed, self.tags.components[name]))

    def scope(self) -> list[str]:
        version = ["version: int"] if self.plan.is_state else []
        return [*version, *(f"{name}: {kind}" for name, kind in self.plan.arguments())]

    def names(self) -> list[str]:
        return [*(["version"] if self.plan.is_state else []), *(name for name, _ in self.plan.arguments())]

    def scopes(self) -> str:
        found = []
        for subsection in self.plan.definition.subsections:
            target = self.plan.model.definition(subsection.definition)
            given = [self.plan.captured(param, self.compile) for param in target.captures]
            if given:
                found.append(f"{quote(subsection.name)}: ({joined(given)})")
        return "{" + ", ".join(found) + "}"

    # ------------------------------------------------------------------ the two methods

    def encode(self) -> Lines:
        """``_encode``."""
        plan = self.plan
        self.encoding, self.out = True, Lines(2)
        self.steps(plan.definition.steps)
        if plan.definition.subsections:
            self.flush()
            self.helpers |= {"encode_subsections", "tlv"}
            self.out.statement("x = encode_subsections(", ["self", "f", self.scopes()], ")")
            self.out.add("if x:")
            self.out.indent()
            self.out.statement("out.append(", [f"tlv({self.tag('<subsections>', True)}, x)"], ")")
            self.out.dedent()
        self.flush()
        body = self.out.without_unused()
        lines = Lines(1)
        lines.statement("def _encode(", ["self", "f: Facts", *self.scope()], ") -> bytes:")
        lines.indent()
        refused = "self._kept is not None"
        if plan.definition.kind == "subsection":
            refused += f" or version != {plan.definition.version}"
        lines.add(f"if {refused}:")
        lines.indent()
        lines.statement("return super()._encode(", ["f", *self.names()], ")")
        lines.dedent()
        lines.add("out: list[bytes] = []")
        lines.extend(body)
        lines.add('return b"".join(out)')
        return lines

    def decode(self) -> Lines:
        """``_decode``."""
        plan = self.plan
        self.encoding, self.out = False, Lines(2)
        self.steps(plan.definition.steps)
        for each in plan.fields:
            self.proof(each)
        if plan.definition.subsections:
            self.helpers.add("decode_subsections")
            items = ["self", "d", "p", "e", self.tag("<subsections>", True), "f", self.scopes()]
            self.out.statement("p = decode_subsections(", items, ")")
        body = self.out.without_unused()
        lines = Lines(1)
        lines.add("@classmethod")
        head = ["cls", "d: bytes", "p: int", "e: int", "f: Facts", *self.scope()]
        lines.statement("def _decode(", head, f") -> {plan.definition.name}:")
        lines.indent()
        lines.add("self = cls.__new__(cls)")
        lines.add("self._kept = None")
        if plan.is_state:
            lines.add("self._version = version")
            lines.add("self._facts = f")
        for subsection in plan.definition.subsections:
            lines.add(f"self.{subsection.name} = None")
        lines.extend(body)
        self.helpers.add("NotPlain")
        lines.add("if p != e:")
        lines.indent()
        lines.add('raise NotPlain("a component more")')
        lines.dedent()
        lines.add("return self")
        return lines

    # ------------------------------------------------------------------ steps

    def steps(self, steps: tuple[Step, ...]) -> None:
        """Steps in order; neighbours under one condition share one ``if``."""
        index = 0
        while index < len(steps):
            step = steps[index]
            index += 1
            if isinstance(step, Field):
                if step.never:
                    continue
                block = [step]
                while index < len(steps):
                    following = steps[index]
                    if not isinstance(following, Field) or self.test(following) != self.test(step):
                        break
                    block.append(following)
                    index += 1
                self.under(self.test(step), partial(self.fields, block), block)
            elif isinstance(step, Group):
                self.under(self.test(step), partial(self.steps, step.steps), stored_below(step))
            elif isinstance(step, Let):
                self.flush()
                if step.name in self.plan.exported:
                    self.out.add(f"self.{step.name} = {self.compile(step.expression)}")
                else:
                    self.out.assign_local(local_name(step.name), self.compile(step.expression))
            elif not uses_mine(step.check.expression):
                self.flush()
                self.refuse_unless(self.compile(step.check.expression))

    def test(self, step: Field | Group) -> str | None:
        return None if step.condition is None else self.compile.condition(step.condition)

    def under(self, condition: str | None, then: Callable[[], object], fields: list[Field]) -> None:
        """What is printed under a condition; a reader sets what is absent else."""
        if condition is None:
            then()
            return
        self.flush()
        self.out.add(f"if {condition}:")
        self.out.indent()
        before = len(self.out.lines)
        then()
        self.flush()
        if len(self.out.lines) == before:
            self.out.add("pass")
        self.out.dedent()
        if not self.encoding:
            stored = [f for f in fields if not f.never and f.derived is None and not isinstance(f.type, Pad)]
            if stored:
                self.out.add("else:")
                self.out.indent()
                for each in stored:
                    self.out.add(f"self.{each.name} = {self.plan.default(each)}")
                self.out.dedent()

    def refuse_unless(self, condition: str) -> None:
        self.helpers.add("NotPlain")
        self.out.add(f"if not ({condition}):")
        self.out.indent()
        self.out.add('raise NotPlain("a check")')
        self.out.dedent()

    def proof(self, each: Field) -> None:
        """A derived value against what it is derived from."""
        if each.derived is None:
            return
        if each.presence is not None:
            self.out.add(f"if {self.compile.condition(each.presence)}:")
            self.out.indent()
        self.helpers.add("NotPlain")
        self.out.add(f"if {local_name(each.name)} != {self.compile(each.derived)}:")
        self.out.indent()
        self.out.add('raise NotPlain("a derived value")')
        self.out.dedent()
        if each.presence is not None:
            self.out.dedent()

    def flush(self) -> None:
        """Prints the pieces collected so far as one statement."""
        if self.pieces:
            if len(self.pieces) == 1:
                self.out.statement("out.append(", self.pieces, ")")
            else:
                self.out.statement("out += (", self.pieces, ")")
            self.pieces = []

    # ------------------------------------------------------------------ fields

    def fields(self, block: list[Field]) -> None:
        """Components under one condition."""
        for each in block:
            self.field(each)

    def field(self, each: Field) -> None:
        """One component."""
        if isinstance(each.type, Pad):
            if isinstance(each.type.count, Fixed) and constant(each.type.count.value) is not None:
                return
            # no component, but BER carries the facts that its size depends on, which the walk asks for
            raise NoStraightLine
        if depends_on_host(each.type):
            raise NoStraightLine
        target = f"self.{each.name}" if each.derived is None else local_name(each.name)
        if self.encoding:
            if each.derived is not None:
                self.flush()
                self.out.add(f"{target} = {self.compile(each.derived)}")
            self.encode_field(each, self.needed(each, target))
        else:
            self.decode_field(each, target)
        if each.check is not None and not uses_mine(each.check.expression):
            self.flush()
            self.compile.it = self.plan.checked_value(each, target)
            self.refuse_unless(self.compile(each.check.expression))

    def needed(self, each: Field, value: str) -> str:
        """A value that the wire has, of a field that may be None."""
        if each.derived is not None or not self.plan.is_optional(each):
            return value
        self.helpers.add("need")
        return f"need({value})"

    def octets(self, wire: WireType, value: str) -> str | None:
        """Length and content octets of a primitive value as an expression, None for what is constructed."""
        match wire:
            case Int() | SizedInt() | Timer():
                if isinstance(wire, SizedInt):
                    self.helpers.add("UNSIGNED")
                    return f"UNSIGNED[{self.compile(wire.bits)}][{value}]"
                self.helpers.add(table(wire))
                return f"{table(wire)}[{value}]"
            case Bool():
                self.helpers.add("BOOL")
                return f"BOOL[{value}]"
            case Float64():
                self.helpers.add("double_octets")
                return f"double_octets({value})"
            case Bytes(count=Fixed(value=size)):
                self.helpers.add("octets")
                return f"octets({value}, {self.compile(size)})"
            case Bytes(count=Prefixed(type=prefix)) if prefix.bits >= 32:
                self.helpers.add("octets")
                return f"octets({value})"
            case String(count=Fixed(value=size)):
                self.helpers.add("text_octets")
                return f"text_octets({value}, {self.compile(size)})"
            case String(count=Prefixed(type=prefix)) if prefix.bits >= 32:
                self.helpers.add("text_octets")
                return f"text_octets({value})"
            case Array(element=Int(bits=8, signed=False, labels=None), count=Fixed(value=size)):
                self.helpers.add("small_octets")
                return f"small_octets({value}, {self.compile(size)})"
            case _:
                return None

    def encode_field(self, each: Field, value: str) -> None:
        octets = self.octets(each.type, value)
        if octets is not None:
            self.pieces += [self.tag(each.name, False), octets]
            return
        self.helpers.add("tlv")
        tag = self.tag(each.name, True)
        match each.type:
            case StructRef():
                scope = ", ".join(["f", *self.plan.codec_scope(each.type, self.compile)])
                # the pieces before are printed first: what stands inside may set what they depend on, and the other way
                # round
                self.flush()
                self.out.statement("out.append(", [f"tlv({tag}, {value}._encode({scope}))"], ")")
            case Array(element=element, count=Fixed(value=size)):
                self.helpers.add("count_of")
                self.encode_list(tag, element, f"count_of({value}, {self.compile(size)})")
            case Array(element=element, count=Prefixed(type=prefix)) if prefix.bits >= 32:
                self.encode_list(tag, element, value)
            case _:
                raise NoStraightLine

    def encode_list(self, tag: str, element: WireType, items: str) -> None:
        self.flush()
        if isinstance(element, Int):
            self.helpers |= {"integers", table(element)}
            self.out.statement("out.append(", [f"tlv({tag}, integers({items}, {table(element)}))"], ")")
            return
        if isinstance(element, StructRef):
            scope = ", ".join(["f", *self.plan.codec_scope(element, self.compile)])
            one = f'tlv(b"0", item._encode({scope}))'
        else:
            octets = self.octets(element, "item")
            if octets is None or isinstance(element, Array):
                raise NoStraightLine
            mark = (
                'b"\\x01"'
                if isinstance(element, Bool)
                else 'b"\\x02"'
                if isinstance(element, (SizedInt, Timer))
                else 'b"\\x04"'
            )
            one = f"{mark} + {octets}"
        self.out.add(f'x = b"".join([{one} for item in {items}])')
        self.out.statement("out.append(", [f"tlv({tag}, x)"], ")")

    def decode_field(self, each: Field, target: str) -> None:
        place = ["d", "p", "e"]
        match each.type:
            case Int() | Timer():
                self.helpers |= {"take_integer", table(each.type)}
                self.take(target, "take_integer", [*place, self.tag(each.name, False), table(each.type)])
            case SizedInt(bits=bits):
                self.helpers |= {"take_integer", "UNSIGNED"}
                chosen = f"UNSIGNED[{self.compile(bits)}]"
                self.take(target, "take_integer", [*place, self.tag(each.name, False), chosen])
            case Bool():
                self.helpers.add("take_bool")
                self.take(target, "take_bool", [*place, self.tag(each.name, False)])
            case Float64():
                self.helpers.add("take_double")
                self.take(target, "take_double", [*place, self.tag(each.name, False)])
            case Bytes(count=Fixed(value=size)):
                self.helpers.add("take_octets")
                self.take(target, "take_octets", [*place, self.tag(each.name, False), self.compile(size)])
            case Bytes(count=Prefixed(type=prefix)) if prefix.bits >= 32:
                self.helpers.add("take_octets")
                self.take(target, "take_octets", [*place, self.tag(each.name, False)])
            case String(count=Fixed(value=size)):
                self.helpers.add("take_text")
                self.take(target, "take_text", [*place, self.tag(each.name, False), self.compile(size)])
            case String(count=Prefixed(type=prefix)) if prefix.bits >= 32:
                self.helpers.add("take_text")
                self.take(target, "take_text", [*place, self.tag(each.name, False)])
            case Array(element=Int(bits=8, signed=False, labels=None), count=Fixed(value=size)):
                self.helpers.add("take_octets")
                self.take("x", "take_octets", [*place, self.tag(each.name, False), self.compile(size)])
                self.out.add(f"{target} = list(x)")
            case StructRef():
                self.helpers.add("content")
                self.out.statement("p, end = content(", [*place, self.tag(each.name, True)], ")")
                cls, scope = self.plan.class_name(each.type.definition), self.plan.codec_scope(each.type, self.compile)
                self.out.statement(f"{target} = {cls}._decode(", ["d", "p", "end", "f", *scope], ")")
                self.out.add("p = end")
            case Array(element=Int() as element, count=Fixed(value=size)):
                self.helpers |= {"take_integers", table(element)}
                items = [*place, self.tag(each.name, True), table(element), self.compile(size)]
                self.take(target, "take_integers", items)
            case Array(element=StructRef() as element, count=Fixed(value=size)):
                self.helpers |= {"content", "count_of"}
                self.decode_structs(each, element, target, self.compile(size))
            case Array(element=StructRef() as element, count=Prefixed(type=prefix)) if prefix.bits >= 32:
                self.helpers.add("content")
                self.decode_structs(each, element, target, None)
            case _:
                raise NoStraightLine

    def take(self, target: str, function: str, arguments: list[str]) -> None:
        self.out.statement(f"{target}, p = {function}(", arguments, ")")

    def decode_structs(self, each: Field, element: StructRef, target: str, size: str | None) -> None:
        self._locals += 1
        items = f"_items{self._locals}"
        self.out.statement("p, end = content(", ["d", "p", "e", self.tag(each.name, True)], ")")
        self.out.add(f"{items} = []")
        self.out.add("while p < end:")
        self.out.indent()
        self.out.add('p, n = content(d, p, end, b"0")')
        cls, scope = self.plan.class_name(element.definition), self.plan.codec_scope(element, self.compile)
        self.out.statement(f"{items}.append(", [f"{cls}._decode({', '.join(['d', 'p', 'n', 'f', *scope])})"], ")")
        self.out.add("p = n")
        self.out.dedent()
        self.out.add(f"{target} = {items if size is None else f'count_of({items}, {size})'}")


def in_host_order(wire: WireType) -> bool:
    """Whether the wire form of a value depends on the byte order of the sending host."""
    count = getattr(wire, "count", None)
    if getattr(wire, "order", "big") == "host" or getattr(getattr(count, "type", None), "order", "big") == "host":
        return True
    return any(in_host_order(inner) for inner in (getattr(wire, "element", None), getattr(wire, "key", None)) if inner)
