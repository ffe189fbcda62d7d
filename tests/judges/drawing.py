"""Objects of generated classes with drawn values, whose counts, conditions and unions fit together.

The generated walk is the guide: :class:`Draw` is a visitor that reads, but from a source of random numbers. What the
walk asks for next depends on what it was given before, exactly as when it reads a stream, so a layout is consistent
by construction. Only checks can fail; hints from the model make that rare, and what remains is drawn again.
"""

from __future__ import annotations

import builtins
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from random import Random
from typing import Any

from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.state import VMState
from vmsgen.runtime.values import ORDER, SubsectionInfo, Values, plain_class
from vmsgen.runtime.visitor import Case, Element, Visitor
from vmsgen.spec.expression import Binary, Compare, Const, Expression, InRange, InSet, It, Ref
from vmsgen.spec.model import Definition, Field, Model, Prop
from vmsgen.spec.wire_types import (
    Array,
    Bitmap,
    Bytes,
    Fixed,
    Grid,
    Int,
    Labels,
    ListOf,
    Nullable,
    Pad,
    String,
    StructRef,
    Tree,
    Union,
    WireType,
)

EDGES = (
    0,
    1,
    -1,
    2**7,
    2**8 - 1,
    2**15,
    2**16 - 1,
    2**31,
    2**31 - 1,
    2**32 - 1,
    2**63,
    2**63 - 1,
    2**64 - 1,
    -(2**63),
    0x30,
)
_LARGEST_COUNT = 1 << 18
_MOST_BYTES = 1 << 22
_TRIES = 300
#: Elements of a long list that are drawn; the others repeat them, where they can.
_DIFFERENT = 16


class Rejected(Exception):
    """These draws lead to no valid object."""


@dataclass
class Hints:
    """What the model says about one definition's fields, by Python name."""

    #: the values that the check, the union or the labels allow
    allowed: dict[str, list[int]] = field(default_factory=dict)
    ranges: dict[str, tuple[int, int]] = field(default_factory=dict)
    #: fields that count something
    counts: set[str] = field(default_factory=set)
    #: end marks of lists
    ends: dict[str, int] = field(default_factory=dict)


def draw(random: Random, cls: type[VMState], definitions: Definitions) -> VMState:
    """An object of ``cls`` that can be written in binary and in BER. Raises Rejected when none is found."""
    for _ in range(_TRIES):
        facts = Facts(_facts(random, definitions.model, definitions.of(cls)))
        made = cls._blank()
        made._version = random.choice((cls.VERSION, random.randint(cls.MINIMUM_VERSION, cls.VERSION)))
        visitor = Draw(random, definitions, facts)
        try:
            visitor.run(made)
            made._facts = facts.settled()
            made.to_binary()
        except (VmsgenError, Rejected, IndexError, ZeroDivisionError, ValueError, OverflowError):
            continue
        return made
    raise Rejected(f"no valid {cls.__name__} in {_TRIES} draws")


def _facts(random: Random, model: Model, definition: Definition) -> dict[str, Any]:
    """Answers for some of the props that the state may ask for, and for the machine."""
    known: dict[str, Any] = {}
    for prop in _props(model, definition.module):
        values = list(prop.candidates)
        if prop.kind == "bool":
            values = [True, False]
        elif prop.low is not None and prop.high is not None:
            values = [prop.low, prop.high, random.randint(prop.low, prop.high)]
        if values and prop.kind in ("bool", "int", "text") and random.random() < 0.7:
            known[prop.name] = random.choice(values)
    if random.random() < 0.5:
        known["qemu"] = random.choice(((2, 4), (5, 2), (7, 2), (10, 0)))
    if random.random() < 0.3:
        known["target.long_bits"] = 32
    if random.random() < 0.2:
        known["host_endian"] = "big"
    if random.random() < 0.5:
        # what a stream tells by its header and its sections' names; where nobody says it, it has no value
        known |= {"machine.name": "pc", "machine.release": (7, 2), "target.arch": random.choice(("x86", "s390x"))}
        known |= {"section.bus": random.choice(("pci", "isa")), "section.instance": random.randint(0, 2)}
    return known


def _props(model: Model, path: str) -> list[Prop]:
    module = model.module(path)
    found = [prop for prop in module.props if "." not in prop.name and prop.name not in ("qemu", "host_endian")]
    for imported in module.imports:
        found += _props(model, imported)
    return found


class Draw(Visitor):
    """Fills objects from a random source."""

    reading = True
    value_error = DataError

    def __init__(self, random: Random, definitions: Definitions, facts: Facts) -> None:
        super().__init__(facts)
        self.random = random
        self.definitions = definitions
        self.left = 60_000

    def hints(self) -> Hints:
        return _hints(self.definitions.of(type(self.owner)))

    def spend(self, number: int) -> None:
        """Bounds the size of an object."""
        self.left -= number
        if self.left < 0:
            raise Rejected("too large")

    def length(self) -> int:
        """How many elements a list has that nothing else counts."""
        return self.random.choice((0, 0, 1, 1, 2, 3)) if len(self._path) < 8 else 0

    # ------------------------------------------------------------------ leaves

    def integer(
        self, name: str, value: Any, bits: int, signed: builtins.bool, order: str, labels: Any, default: Any
    ) -> int:
        self.spend(1)
        random, hints = self.random, self.hints()
        low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
        if name in hints.allowed and random.random() < 0.95:
            return int(random.choice(hints.allowed[name]))
        if name in hints.ranges:
            low, high = max(low, hints.ranges[name][0]), min(high, hints.ranges[name][1])
            if low > high:
                raise Rejected(name)
        if name in hints.counts and random.random() < 0.95:
            return min(max(random.randint(0, 4), low), high)
        if labels and random.random() < 0.5:
            fitting = [number for number in labels if low <= number <= high]
            if fitting:
                return int(random.choice(fitting))
        kind = random.random()
        if kind < 0.4:
            fitting = [number for number in EDGES if low <= number <= high]
            return random.choice(fitting) if fitting else random.randint(low, high)
        if kind < 0.6:
            return min(max(random.randint(0, 3), low), high)
        return random.randint(low, high)

    def bool(self, name: str, value: Any, *, default: builtins.bool | None = None) -> builtins.bool:
        self.spend(1)
        drawn = self.random.random() < 0.5
        if drawn and self.random.random() < 0.1:
            self.owner._keep(self.kept_key(name), builtins.bytes([self.random.randint(2, 255)]))
        return drawn

    def float64(self, name: str, value: Any, *, order: str = "big", default: float | None = None) -> float:
        nan = ["7ff8000000000000", "fff0000000000001", "7ff4dead00000000"]
        raw = (
            builtins.bytes.fromhex(self.random.choice(nan)) if self.random.random() < 0.4 else self.random.randbytes(8)
        )
        number: float = struct.unpack(">d", raw)[0]
        if number != number:
            self.owner._keep(self.kept_key(name), raw)
        return number

    def bytes(
        self, name: str, value: Any, size: int, *, opaque: builtins.bool = False, default: Any = None
    ) -> builtins.bytes:
        return self.some_bytes(size)

    def some_bytes(self, size: int) -> builtins.bytes:
        if size > _MOST_BYTES:
            raise Rejected("too large")
        return self.random.choice((self.random.randbytes, builtins.bytes))(max(size, 0))

    def counted_bytes(
        self,
        name: str,
        value: Any,
        bits: int,
        order: str = "big",
        *,
        opaque: builtins.bool = False,
        default: Any = None,
    ) -> builtins.bytes:
        return self.some_bytes(self.length() * 3)

    def string(self, name: str, value: Any, size: int, *, default: str | None = None) -> str:
        size = max(size, 0)
        text = self.text(self.random.randint(0, min(size, 20)))
        room = size - len(text.encode("utf-8", "surrogateescape")) - 1
        if 0 < room <= 64 and self.random.random() < 0.2:
            self.owner._keep(self.kept_key(name), b"\xfe" * room)
        return text

    def counted_string(self, name: str, value: Any, bits: int, order: str = "big", *, default: Any = None) -> str:
        return self.text(self.random.randint(0, 12))

    def text(self, size: int) -> str:
        """Text of ``size`` bytes, not all of it UTF-8, none of it NUL."""
        raw = builtins.bytes(self.random.choice(b"a-/Z9\xc3\xa4\xff") for _ in range(size))
        return raw.decode("utf-8", "surrogateescape")

    def pad(self, name: str, size: int, *, opaque: builtins.bool = False) -> None:
        if 0 < size < 1 << 16 and self.random.random() < 0.2:
            self.owner._keep(self.kept_key(name), builtins.bytes(size - 1) + b"\5")

    def bitmap(self, name: str, value: Any, bits: int, *, order: str = "big", default: int | None = None) -> int:
        words = (max(bits, 0) + 63) // 64
        if words > _LARGEST_COUNT:
            raise Rejected("too large")
        return self.random.getrandbits(words * 64) if words else 0

    # ------------------------------------------------------------------ parts

    def struct(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        return super().struct(name, cls._blank(), cls, *scope)

    def nullable(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        return None if self.random.random() < 0.4 or len(self._path) > 8 else self.struct(name, None, cls, *scope)

    def several(self, name: str, count: int, element: Element) -> list[Any]:
        if count > 4096:
            raise Rejected("too large")
        self.enter(name)
        items = [element(f"[{index}]", None) for index in range(max(min(count, _DIFFERENT), 0))]
        if items and isinstance(items[0], Values):
            # what is kept of an object stands in it, so one may stand in a list twice
            items += self.random.choices(items, k=max(count - _DIFFERENT, 0))
        else:
            items += [element(f"[{index}]", None) for index in range(_DIFFERENT, count)]
        self.leave()
        return items

    def array(self, name: str, value: Any, count: int, element: Element) -> list[Any]:
        return self.several(name, count, element)

    def integers(
        self, name: str, value: Any, count: int, bits: int, signed: builtins.bool, order: str = "big"
    ) -> list[int]:
        if count > _LARGEST_COUNT:
            raise Rejected("too large")
        if bits == 8 and not signed:
            return list(self.some_bytes(count))
        if count > 64:
            # a long one repeats a few values: what is drawn for each costs too much
            few = [self.integer(name, None, bits, signed, order, None, None) for _ in range(_DIFFERENT)]
            return self.random.choices(few, k=count)
        return self.several(name, count, lambda n, x: self.integer(n, x, bits, signed, order, None, None))

    def counted_integers(
        self,
        name: str,
        value: Any,
        count_bits: int,
        count_order: str,
        bits: int,
        signed: builtins.bool,
        order: str = "big",
    ) -> list[int]:
        return self.integers(name, value, self.length(), bits, signed, order)

    def counted(self, name: str, value: Any, bits: int, order: str, element: Element) -> list[Any]:
        return self.several(name, self.length(), element)

    def linked_list(self, name: str, value: Any, element: Element) -> list[Any]:
        return self.several(name, self.length(), element)

    def tree(self, name: str, value: Any, key: Element, item: Element) -> list[Any]:
        return self.several(name, self.length(), lambda n, x: self.pair(n, (None, None), key, item))

    def until(
        self, name: str, value: Any, bits: int, signed: builtins.bool, order: str, end: int, element: Element
    ) -> list[Any]:
        """Elements whose first bytes are not the mark: drawn again as long as they are."""

        def other(index: str, item: Any) -> Any:
            for _ in range(20):
                made = element(index, item)
                if not self.begins_with(made, end):
                    return made
            raise Rejected(name)

        return self.several(name, self.length(), other)

    def begins_with(self, item: Any, end: int) -> builtins.bool:
        """Whether an element's first bytes are the mark. A derived first field never is: the specs see to that."""
        if isinstance(item, Values):
            first = next(self.definitions.of(type(item)).fields())
            item = None if first.derived is not None else getattr(item, first.name)
        if isinstance(item, int):
            return item == end
        return item is not None and len(item) == end

    def through(self, name: str, value: Any, last: Callable[[Any], builtins.bool], element: Element) -> list[Any]:
        wanted = self.random.randint(0, 2)
        items: list[Any] = []
        self.enter(name)
        for _ in range(3000):
            left = self.left
            made = element(f"[{len(items)}]", None)
            if last(made) == (len(items) == wanted):
                items.append(made)
                if len(items) > wanted:
                    self.leave()
                    return items
            else:
                self.left = left
        raise Rejected(name)

    def alternative(self, name: str, value: Any, case: Case) -> Any:
        _, cls, scope = case
        return None if cls is None else self.struct(name, None, cls, *scope)

    # ------------------------------------------------------------------ what is no bytes

    def check(self, text: str, holds: builtins.bool, name: str = "") -> None:
        if not holds:
            raise Rejected(f"{self.path(name)}: {text}")

    def subsections(
        self, owner: Values, known: Sequence[SubsectionInfo], scopes: Mapping[str, tuple[Any, ...]] | None = None
    ) -> None:
        met: list[str] = []
        for info in known:
            if self.random.random() < 0.4:
                value = info.type._blank()
                value._version = self.random.choice((info.type.VERSION, info.type.MINIMUM_VERSION))
                self.subsection(info, value, (scopes or {}).get(info.name, ()))
                setattr(owner, info.name, value)
                met.append(info.name)
        wire = {info.name: info.wire_name for info in known}
        if _taken_for_a_part(wire[name] for name in met):
            raise Rejected(f"{owner.VMSTATE}: subsections that cannot stand behind each other")
        turned = met[::-1]
        if len(met) > 1 and self.random.random() < 0.3 and not _taken_for_a_part(wire[name] for name in turned):
            owner._keep(ORDER, "\0".join(turned).encode())


def _taken_for_a_part(names: Iterable[str]) -> bool:
    """Whether QEMU, and so we, would take a subsection for one of the subsection before it: its name begins so."""
    return any(after.startswith(before) for before, after in pairwise(names))


# ---------------------------------------------------------------------------------------------- what the model says


class Definitions:
    """From a generated class to its definition in the model."""

    def __init__(self, model: Model) -> None:
        from vmsgen.emit.python.module import module_parts

        self.model = model
        self._found = {(".".join(module_parts(m.path)), d.name): d for m in model.modules for d in m.definitions}

    def of(self, cls: type[Values]) -> Definition:
        """The definition of a class, in whatever package it was generated. Raises KeyError."""
        plain = plain_class(cls)
        parts = plain.__module__.split(".")
        for start in range(len(parts)):
            found = self._found.get((".".join(parts[start:]), plain.__name__))
            if found is not None:
                return found
        raise KeyError(f"{plain.__module__}.{plain.__name__}")


@cache
def _hints(definition: Definition) -> Hints:
    hints = Hints()
    for each in definition.fields():
        _from_check(hints, each)
        for count in _counts(each.type):
            hints.counts |= set(_names(count))
        if isinstance(each.type, Union):
            _from_union(hints, each.type, definition)
        if isinstance(each.type, Int) and isinstance(each.type.labels, Labels) and each.name in hints.counts:
            hints.counts.discard(each.name)
    return hints


def _from_check(hints: Hints, each: Field) -> None:
    if each.check is None:
        return
    match each.check.expression:
        case InRange(value=It(), low=Const(value=int(low)), high=Const(value=int(high))):
            hints.ranges[each.name] = (low, high)
        case InSet(value=It(), items=items):
            numbers = [item.value for item in items if isinstance(item, Const) and isinstance(item.value, int)]
            hints.allowed[each.name] = numbers
        case Compare(operands=(It(), Const(value=int(number))), operators=("==",)):
            hints.allowed[each.name] = [number]
        case Compare(operands=(It(), Const(value=int(number))), operators=("<=",)):
            hints.ranges[each.name] = (-(1 << 64), number)
        case Compare(operands=(It(), Const(value=int(number))), operators=("<",)):
            hints.ranges[each.name] = (-(1 << 64), number - 1)
        case Compare(operands=(It(), *_)):
            hints.counts.add(each.name)


def _from_union(hints: Hints, union: Union, definition: Definition) -> None:
    for name in _names(union.selector):
        hints.allowed[name] = [case.value for case in union.cases if isinstance(case.value, int)]
        if union.otherwise is not None:
            hints.allowed[name].append(255)


def _counts(type_: WireType) -> Iterator[Expression]:
    match type_:
        case Array(element=element, count=count):
            if isinstance(count, Fixed):
                yield count.value
            yield from _counts(element)
        case Bytes(count=Fixed(value=value)) | String(count=Fixed(value=value)) | Pad(count=Fixed(value=value)):
            yield value
        case Bitmap(count=Fixed(value=value)):
            yield value
        case Grid(element=element, sizes=sizes):
            yield from sizes
            yield from _counts(element)
        case ListOf(element=element) | Nullable(element=element):
            yield from _counts(element)
        case Tree(key=key, value=item):
            yield from _counts(key)
            yield from _counts(item)
        case StructRef(arguments=arguments):
            yield from arguments


def _names(expression: Expression) -> Iterator[str]:
    match expression:
        case Ref(name=name, source="field" | "derived"):
            yield name
        case Binary(left=left, right=right):
            yield from _names(left)
            yield from _names(right)
