"""The visitor: one walk over a StateValues serves save and load; the visitor decides direction and format.

The generated ``visit`` of a class calls one method per field, in wire order: ``self.mac = v.bytes("mac", self.mac,
6)``. A visitor that reads returns the value from its source, one that writes returns the value it was given. This
base walks an existing object and does nothing else; nesting, path, limits and errors live here. A visitor of one's
own overrides what it wants to see: a leaf method (:meth:`Visitor.integer`, :meth:`Visitor.bytes` ...), or
``visit_CLASSNAME(self, value, *scope)`` for a class, which may call ``value.visit(self, *scope)`` to go on.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias, TypeVar

from vmsgen.runtime.errors import DataError, ValueOutOfRange
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.limits import DEFAULT_LIMITS, Limits
from vmsgen.runtime.nesting import Nesting
from vmsgen.runtime.values import ORDER, StateValues, SubsectionInfo, Values, plain_class

T = TypeVar("T")
S = TypeVar("S", bound=Values)

#: Visits one element of an array: name (``[3]``) and value in, value out.
Element: TypeAlias = Callable[[str, Any], Any]
#: One alternative of a union: its name, the class (None: no bytes) and its scope.
Case: TypeAlias = "tuple[str, type[Values] | None, tuple[Any, ...]]"


class Visitor(Nesting):
    """The walk over an object that exists. ``facts`` answers the questions of the layout."""

    #: a reading visitor fills objects; all others leave them as they are
    reading: bool = False
    #: what a value that cannot be written raises
    value_error: type[DataError] = ValueOutOfRange

    def __init__(self, facts: Facts | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(limits)
        self.facts = facts if facts is not None else Facts()

    # ------------------------------------------------------------------ running

    def run(self, value: Values, scope: tuple[Any, ...] = ()) -> None:
        """Walks one object from its top; ``scope`` are the values of its parameters."""
        self._owners.append((value, len(self._path)))
        self.dispatch(value, scope)
        self._owners.pop()

    def dispatch(self, value: Values, scope: tuple[Any, ...]) -> None:
        """Calls ``visit_CLASSNAME`` if this visitor has it, else walks the object."""
        own = getattr(self, f"visit_{type(value).__name__}", None)
        if own is not None:
            own(value, *scope)
        else:
            value.visit(self, *scope)

    # ------------------------------------------------------------------ leaves

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
        """An integer of ``bits`` in byte ``order``; ``default`` is written for None."""
        return value

    def int8(self, name: str, value: Any, *, labels: Any = None, default: int | None = None) -> Any:
        return self.integer(name, value, 8, True, "big", labels, default)

    def uint8(self, name: str, value: Any, *, labels: Any = None, default: int | None = None) -> Any:
        return self.integer(name, value, 8, False, "big", labels, default)

    def int16(
        self,
        name: str,
        value: Any,
        *,
        order: str = "big",
        labels: Any = None,
        default: int | None = None,
    ) -> Any:
        return self.integer(name, value, 16, True, order, labels, default)

    def uint16(
        self,
        name: str,
        value: Any,
        *,
        order: str = "big",
        labels: Any = None,
        default: int | None = None,
    ) -> Any:
        return self.integer(name, value, 16, False, order, labels, default)

    def int32(
        self,
        name: str,
        value: Any,
        *,
        order: str = "big",
        labels: Any = None,
        default: int | None = None,
    ) -> Any:
        return self.integer(name, value, 32, True, order, labels, default)

    def uint32(
        self,
        name: str,
        value: Any,
        *,
        order: str = "big",
        labels: Any = None,
        default: int | None = None,
    ) -> Any:
        return self.integer(name, value, 32, False, order, labels, default)

    def int64(
        self,
        name: str,
        value: Any,
        *,
        order: str = "big",
        labels: Any = None,
        default: int | None = None,
    ) -> Any:
        return self.integer(name, value, 64, True, order, labels, default)

    def uint64(
        self,
        name: str,
        value: Any,
        *,
        order: str = "big",
        labels: Any = None,
        default: int | None = None,
    ) -> Any:
        return self.integer(name, value, 64, False, order, labels, default)

    def uint(
        self, name: str, value: Any, bits: int, *, order: str = "big", labels: Any = None, default: int | None = None
    ) -> Any:
        """An unsigned integer whose width the sender's facts give."""
        if bits not in (8, 16, 32, 64):
            raise self.error(f"an integer of {bits} bits; 8, 16, 32 and 64 exist", name)
        return self.integer(name, value, bits, False, order, labels, default)

    def timer(self, name: str, value: Any, *, order: str = "big", default: int | None = None) -> Any:
        """Nanoseconds as int64; -1 is not armed."""
        return self.integer(name, value, 64, True, order, None, default)

    def bool(self, name: str, value: Any, *, default: builtins.bool | None = None) -> Any:
        """One byte, 0 or 1; other values are kept."""
        return value

    def float64(self, name: str, value: Any, *, order: str = "big", default: float | None = None) -> Any:
        """The bits of an IEEE 754 double."""
        return value

    def bytes(
        self, name: str, value: Any, size: int, *, opaque: builtins.bool = False, default: builtins.bytes | None = None
    ) -> Any:
        """``size`` bytes. ``opaque``: the spec does not say what they are."""
        return value

    def counted_bytes(
        self,
        name: str,
        value: Any,
        bits: int,
        order: str = "big",
        *,
        opaque: builtins.bool = False,
        default: builtins.bytes | None = None,
    ) -> Any:
        """Bytes behind their length, an unsigned integer of ``bits``."""
        return value

    def string(self, name: str, value: Any, size: int, *, default: str | None = None) -> Any:
        """Text in ``size`` bytes, ended by NUL; what follows the NUL is kept."""
        return value

    def counted_string(
        self, name: str, value: Any, bits: int, order: str = "big", *, default: str | None = None
    ) -> Any:
        """Text behind its length in bytes."""
        return value

    def pad(self, name: str, size: int, *, opaque: builtins.bool = False) -> None:
        """``size`` bytes without a value; others than zero are kept."""

    def bitmap(self, name: str, value: Any, bits: int, *, order: str = "big", default: int | None = None) -> Any:
        """``bits`` bits in whole 64-bit words, as an int (bit i is 1 << i)."""
        return value

    # ------------------------------------------------------------------ parts

    def struct(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        """A nested struct; ``scope`` are the values of its parameters."""
        if not isinstance(value, cls):
            raise self.error(f"expected {cls.__name__}, found {type(value).__name__}", name, self.value_error)
        self.enter(name)
        self._owners.append((value, len(self._path)))
        self.dispatch(value, scope)
        self._owners.pop()
        self.leave()
        return value

    def nullable(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        """A struct behind a pointer, or None."""
        return value if value is None else self.struct(name, value, cls, *scope)

    def doubtful(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        """As :meth:`nullable`, where a value may begin like the mark of a NULL."""
        return self.nullable(name, value, cls, *scope)

    def of(self, cls: type[Values], *scope: Any) -> Element:
        """The element function for an array of ``cls``."""
        return lambda name, value: self.struct(name, value, cls, *scope)

    def of_nullable(self, cls: type[Values], *scope: Any) -> Element:
        """The element function for an array of pointers to ``cls``."""
        return lambda name, value: self.nullable(name, value, cls, *scope)

    def of_doubtful(self, cls: type[Values], *scope: Any) -> Element:
        """As :meth:`of_nullable`, where a value may begin like the mark of a NULL."""
        return lambda name, value: self.doubtful(name, value, cls, *scope)

    def is_null(self, name: str) -> builtins.bool:
        """Whether the byte 30 at this place is a NULL: an open question, asked as ``STRUCT.FIELD?`` for each such
        place; a NULL if nothing answers it.
        """
        field = [part for part in (*self._path, name) if not part.startswith("[")][-1]
        return builtins.bool(self.facts.unknown(f"{plain_class(type(self.owner)).__name__}.{field}?", "bool"))

    def elements(self, name: str, value: Any, element: Element) -> Any:
        """Every element of a list, each with its index as name."""
        if not isinstance(value, (list, tuple)):
            raise self.error(f"expected a list, found {type(value).__name__}", name, self.value_error)
        self.enter(name)
        for index, item in enumerate(value):
            element(f"[{index}]", item)
        self.leave()
        return value

    def array(self, name: str, value: Any, count: int, element: Element) -> Any:
        """``count`` elements (a negative count is none)."""
        self.match_count(name, value, count)
        return self.elements(name, value, element)

    def match_count(self, name: str, value: Any, count: int) -> None:
        """Raises unless the list (or bytes) has as many elements as the layout wants."""
        if not isinstance(value, (list, tuple, bytes, bytearray)):
            raise self.error(f"expected a list, found {type(value).__name__}", name, self.value_error)
        if len(value) != max(count, 0):
            raise self.error(f"{len(value)} elements where the layout has {max(count, 0)}", name, self.value_error)

    def integers(self, name: str, value: Any, count: int, bits: int, signed: builtins.bool, order: str = "big") -> Any:
        """``count`` plain integers (a negative count is none)."""
        return self.array(
            name, value, count, lambda index, item: self.integer(index, item, bits, signed, order, None, None)
        )

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
        """Plain integers behind their number, an unsigned integer of ``count_bits``."""
        return self.counted(
            name,
            value,
            count_bits,
            count_order,
            lambda index, item: self.integer(index, item, bits, signed, order, None, None),
        )

    def grid(self, name: str, value: Any, sizes: Sequence[int], element: Element) -> Any:
        """Rows of rows of elements, row-major."""
        if len(sizes) == 1:
            return self.array(name, value, sizes[0], element)
        return self.array(name, value, sizes[0], lambda row, items: self.grid(row, items, sizes[1:], element))

    def counted(self, name: str, value: Any, bits: int, order: str, element: Element) -> Any:
        """Elements behind their number."""
        return self.elements(name, value, element)

    def until(
        self, name: str, value: Any, bits: int, signed: builtins.bool, order: str, end: int, element: Element
    ) -> Any:
        """Elements up to the integer ``end`` in the place of an element."""
        return self.elements(name, value, element)

    def through(self, name: str, value: Any, last: Callable[[Any], builtins.bool], element: Element) -> Any:
        """Elements up to and including the first for which ``last`` is true."""
        return self.elements(name, value, element)

    def linked_list(self, name: str, value: Any, element: Element) -> Any:
        """QTAILQ or QLIST: each element behind a byte 01, then 00."""
        return self.elements(name, value, element)

    def tree(self, name: str, value: Any, key: Element, item: Element) -> Any:
        """GTREE: a list of (key, value) pairs."""
        return self.elements(name, value, lambda entry, pair: self.pair(entry, pair, key, item))

    def pair(self, name: str, value: Any, key: Element, item: Element) -> Any:
        """One entry of a tree."""
        self.enter(name)
        made = (key("key", value[0]), item("value", value[1]))
        self.leave()
        return made

    def union(
        self, name: str, value: Any, selector: Any, cases: Mapping[Any, Case], otherwise: Case | None = None
    ) -> Any:
        """The alternative that ``selector`` chooses; other values need ``otherwise``."""
        return self.alternative(name, value, self.case_of(name, selector, cases, otherwise))

    def case_of(self, name: str, selector: Any, cases: Mapping[Any, Case], otherwise: Case | None) -> Case:
        """The case of a selector. Raises DataError when there is none."""
        case = cases.get(selector, otherwise)
        if case is None:
            raise self.error(f"no case for {selector!r}; there are {', '.join(map(repr, cases))}", name)
        return case

    def alternative(self, name: str, value: Any, case: Case) -> Any:
        """The chosen case of a union."""
        _, cls, scope = case
        return value if cls is None else self.struct(name, value, cls, *scope)

    def hook(self, name: str, value: Any, visit: Callable[..., Any], *scope: Any) -> Any:
        """Bytes that a hand-written function visits: ``visit(visitor, value, scope)``."""
        return visit(self, value, scope)

    def placed(self, name: str, offset: int) -> AbstractContextManager[None]:
        """Around a part of a view that stands at ``offset`` of the bytes; what follows it goes on where it was."""
        return nullcontext()

    # ------------------------------------------------------------------ what is no bytes

    def check(self, text: str, holds: builtins.bool, name: str = "") -> None:
        """A validation of the spec."""

    def equal(self, name: str, found: Any, expected: Any) -> None:
        """A derived value against what it is derived from."""

    def subsections(
        self, owner: Values, known: Sequence[SubsectionInfo], scopes: Mapping[str, tuple[Any, ...]] | None = None
    ) -> None:
        """The subsections that are there, in the order met."""
        for info, value in self.present_subsections(owner, known):
            self.subsection(info, value, (scopes or {}).get(info.name, ()))

    def subsection(self, info: SubsectionInfo, value: StateValues, scope: tuple[Any, ...]) -> None:
        """One subsection."""
        self.enter(f"<{info.wire_name}>")
        self._owners.append((value, len(self._path)))
        self.dispatch(value, scope)
        self._owners.pop()
        self.leave()

    def present_subsections(
        self, owner: Values, known: Sequence[SubsectionInfo]
    ) -> list[tuple[SubsectionInfo, StateValues]]:
        """Subsections of an object with their values: in the order that a stream had them, else in the order of the
        spec.
        """
        kept = owner._kept.get(ORDER) if owner._kept else None
        present = {info.name: info for info in known if getattr(owner, info.name) is not None}
        if kept is None:
            return [(info, getattr(owner, info.name)) for info in present.values()]
        order = list(dict.fromkeys(n for n in kept.decode("utf-8", "replace").split("\0") if n in present))
        order += [name for name in present if name not in order]
        return [(present[name], getattr(owner, name)) for name in order]
