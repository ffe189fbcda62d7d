"""Reading BER: every legal form of every element, nothing else, with offset and path of what is wrong.

Components are found by their context tags; what has an unknown tag was added by a newer writer and is kept as it
is. A component that the layout has no place for, one that it misses, one twice or out of order is an error (X.690
8.9, X.680 25).
"""

from __future__ import annotations

import builtins
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vmsgen.runtime import ber
from vmsgen.runtime.errors import DataError, LimitError
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.limits import DEFAULT_LIMITS, Limits
from vmsgen.runtime.values import ORDER, UNKNOWN, StateValues, SubsectionInfo, Values
from vmsgen.runtime.visitor import Case, Element, Visitor

#: components that are no fields
VERSION, FACTS, KEPT, SUBSECTIONS = "<version>", "<facts>", "<kept>", "<subsections>"


class _Scope:
    """The elements of the object or list at hand, and how far they have been taken."""

    __slots__ = ("by_name", "element", "elements", "next")

    def __init__(self, element: ber.Element) -> None:
        self.element = element
        #: components of an object that were not taken yet; None in a list
        self.by_name: dict[str, ber.Element] | None = None
        self.elements: list[ber.Element] = []
        self.next = 0


class BerIn(Visitor):
    """Fills objects from the elements of ``data``."""

    reading = True
    value_error = DataError

    def __init__(self, data: builtins.bytes, facts: Facts | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(facts, limits)
        self.data = data
        self._scopes: list[_Scope] = []
        self._place: int | None = None

    def offset(self) -> int | None:
        return self._place

    # ------------------------------------------------------------------ elements

    def open(self, value: Values, element: ber.Element) -> None:
        """Begins an object: its components by name, unknown elements kept."""
        scope = _Scope(element)
        scope.by_name = {}
        names = {number: name for name, number in value.TAGS.items()}
        last = -1
        unknown: list[builtins.bytes] = []
        for child in ber.children(self.data, element, self.limits, len(self._path)):
            name = names.get(child.number) if child.tag_class == ber.CONTEXT else None
            if name is None:
                unknown.append(self.data[child.start : child.end])
                continue
            if child.number <= last:
                self._place = child.start
                kind = "twice" if child.number == last else "out of order"
                raise self.error(f"component {child.describe()} stands {kind}", name)
            last = child.number
            scope.by_name[name] = child
        self._scopes.append(scope)
        if unknown:
            value._keep(UNKNOWN, b"".join(unknown))
        kept = scope.by_name.pop(KEPT, None)
        if kept is not None:
            for key, data in self._pairs(kept):
                value._keep(key, data)

    def run_content(self, value: Values, position: int, end: int, scope: tuple[Any, ...]) -> None:
        """Fills an object from the content octets ``position`` to ``end`` of its SEQUENCE."""
        self._owners.append((value, len(self._path)))
        self.open(value, ber.Element(ber.UNIVERSAL, True, ber.SEQUENCE, position, position, end, end))
        if isinstance(value, StateValues):
            value._version = self.version_of(type(value))
        self.dispatch(value, scope)
        self.close()
        self._owners.pop()

    def close(self) -> None:
        """Ends an object: every component must have been taken."""
        scope = self._scopes.pop()
        for name, element in (scope.by_name or {}).items():
            self._place = element.start
            raise self.error("present, but the layout has no place for it", name)

    def _pairs(self, element: ber.Element) -> list[tuple[str, builtins.bytes]]:
        """Kept entries and facts: SEQUENCE OF SEQUENCE { [0] name, [1] data }."""
        found = []
        for entry in ber.children(self.data, element, self.limits):
            self._place = entry.start
            parts = list(ber.children(self.data, entry, self.limits)) if entry.constructed else []
            tags = [(part.tag_class, part.number) for part in (entry, *parts)]
            if tags != [(ber.UNIVERSAL, ber.SEQUENCE), (ber.CONTEXT, 0), (ber.CONTEXT, 1)]:
                raise self.error("expected a SEQUENCE of a name [0] and its data [1]")
            found.append((ber.text(self.data, parts[0], self.limits), ber.octets(self.data, parts[1], self.limits)))
        return found

    def take(self, name: str, universal: int, constructed: builtins.bool | None, application: int = 0) -> ber.Element:
        """The component ``name`` of the object, or the next element of the list. Raises DataError.

        ``application`` is the tag that an element of a list has when its type has one.
        """
        scope = self._scopes[-1]
        if scope.by_name is not None:
            element = scope.by_name.pop(name, None)
            if element is None:
                self._place = scope.element.start
                raise self.error("missing", name)
        else:
            if scope.next >= len(scope.elements):
                self._place = scope.element.start
                raise self.error(f"the list ends after {scope.next} elements", name)
            element = scope.elements[scope.next]
            scope.next += 1
            wanted = (ber.APPLICATION, application) if application else (ber.UNIVERSAL, universal)
            if (element.tag_class, element.number) != wanted:
                self._place = element.start
                raise self.error(f"expected {ber.describe_tag(*wanted)}, found {element.describe()}", name)
        self._place = element.start
        if constructed is not None and element.constructed != constructed:
            raise self.error(f"expected a {'constructed' if constructed else 'primitive'} element", name)
        return element

    def take_choice(self, name: str) -> ber.Element:
        """The alternative of a CHOICE: inside its explicit tag as a component, bare in a list."""
        scope = self._scopes[-1]
        if scope.by_name is None:
            if scope.next >= len(scope.elements):
                self._place = scope.element.start
                raise self.error(f"the list ends after {scope.next} elements", name)
            scope.next += 1
            alternative = scope.elements[scope.next - 1]
        else:
            inner = list(ber.children(self.data, self.take(name, ber.SEQUENCE, True), self.limits, len(self._path)))
            if len(inner) != 1:
                raise self.error(f"expected one alternative, found {len(inner)}", name)
            alternative = inner[0]
        self._place = alternative.start
        if alternative.tag_class != ber.CONTEXT:
            raise self.error(f"expected an alternative, found {alternative.describe()}", name)
        return alternative

    def guarded(self, name: str, read: Callable[..., Any], *arguments: Any) -> Any:
        """Runs a primitive of :mod:`vmsgen.runtime.ber`, with the path added to its error."""
        try:
            return read(*arguments)
        except DataError as error:
            raise error.located(path=self.path(name)) from None

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
    ) -> int:
        number: int = self.guarded(name, ber.integer, self.data, self.take(name, ber.INTEGER, False))
        low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
        if not low <= number < high:
            raise self.error(f"{number} does not fit {'int' if signed else 'uint'}{bits}", name)
        return number

    def bool(self, name: str, value: Any, *, default: builtins.bool | None = None) -> builtins.bool:
        return bool(self.guarded(name, ber.boolean, self.data, self.take(name, ber.BOOLEAN, False)))

    def octets(self, name: str) -> builtins.bytes:
        element = self.take(name, ber.OCTET_STRING, None)
        if element.end - element.start > self.limits.length:
            raise self.error(
                f"{element.end - element.start} octets; {self.limits.length} are allowed", name, LimitError
            )
        data: bytes = self.guarded(name, ber.octets, self.data, element, self.limits)
        return data

    def sized(self, name: str, size: int) -> builtins.bytes:
        data = self.octets(name)
        if len(data) != max(size, 0):
            raise self.error(f"{len(data)} octets where the layout has {max(size, 0)}", name)
        return data

    def float64(self, name: str, value: Any, *, order: str = "big", default: float | None = None) -> float:
        raw = self.sized(name, 8)
        number: float = struct.unpack(">d", raw)[0]
        if number != number:
            self.owner._keep(self.kept_key(name), raw)
        return number

    def bytes(
        self, name: str, value: Any, size: int, *, opaque: builtins.bool = False, default: builtins.bytes | None = None
    ) -> builtins.bytes:
        return self.sized(name, size)

    def counted_bytes(
        self,
        name: str,
        value: Any,
        bits: int,
        order: str = "big",
        *,
        opaque: builtins.bool = False,
        default: builtins.bytes | None = None,
    ) -> builtins.bytes:
        data = self.octets(name)
        if len(data) >> bits:
            raise self.error(f"{len(data)} octets do not fit a count of {bits} bits", name)
        return data

    def string(self, name: str, value: Any, size: int, *, default: str | None = None) -> str:
        data = self.octets(name)
        if len(data) > max(size, 0) or b"\0" in data:
            raise self.error(f"text of {len(data)} octets does not fit {max(size, 0)} bytes ended by NUL", name)
        return data.decode("utf-8", "surrogateescape")

    def counted_string(
        self, name: str, value: Any, bits: int, order: str = "big", *, default: str | None = None
    ) -> str:
        return self.counted_bytes(name, value, bits).decode("utf-8", "surrogateescape")

    def pad(self, name: str, size: int, *, opaque: builtins.bool = False) -> None:
        by_name = self._scopes[-1].by_name
        if by_name is not None and name in by_name:
            self.owner._keep(self.kept_key(name), self.sized(name, size))

    def bitmap(self, name: str, value: Any, bits: int, *, order: str = "big", default: int | None = None) -> int:
        raw = self.sized(name, (max(bits, 0) + 63) // 64 * 8)
        return int.from_bytes(b"".join(raw[i : i + 8][::-1] for i in range(0, len(raw), 8)), "little")

    # ------------------------------------------------------------------ parts

    def fill(self, name: str, element: ber.Element, cls: type[Values], scope: tuple[Any, ...]) -> Any:
        """An object of ``cls`` from its SEQUENCE."""
        value = cls._blank()
        self.enter(name)
        self._owners.append((value, len(self._path)))
        self.guarded("", self.open, value, element)
        self.dispatch(value, scope)
        self.close()
        self._owners.pop()
        self.leave()
        return value

    def struct(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        return self.fill(name, self.take(name, ber.SEQUENCE, True, cls.TAG), cls, scope)

    def nullable(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        alternative = self.take_choice(name)
        if alternative.number == 0:
            return self.guarded(name, ber.null, alternative)
        if alternative.number != 1:
            raise self.error(f"expected NULL [0] or a value [1], found {alternative.describe()}", name)
        return self.fill(name, alternative, cls, scope)

    def union(
        self, name: str, value: Any, selector: Any, cases: Mapping[Any, Case], otherwise: Case | None = None
    ) -> Any:
        _, cls, scope = self.case_of(name, selector, cases, otherwise)
        number = list(cases).index(selector) if selector in cases else len(cases)
        alternative = self.take_choice(name)
        if alternative.number != number:
            raise self.error(f"expected alternative [{number}] for {selector!r}, found {alternative.describe()}", name)
        if cls is None:
            return self.guarded(name, ber.null, alternative)
        return self.fill(name, alternative, cls, scope)

    def several(self, name: str, element: Element, count: int | None = None) -> list[Any]:
        """Every element of a list; ``count``: as many as the layout wants."""
        taken = self.take(name, ber.SEQUENCE, True)
        scope = _Scope(taken)
        scope.elements = list(
            self.guarded(name, lambda: list(ber.children(self.data, taken, self.limits, len(self._path))))
        )
        if count is not None and len(scope.elements) != max(count, 0):
            raise self.error(f"{len(scope.elements)} elements where the layout has {max(count, 0)}", name)
        if len(scope.elements) > self.limits.count:
            raise self.error(f"{len(scope.elements)} elements; {self.limits.count} are allowed", name, LimitError)
        self._scopes.append(scope)
        self.enter(name)
        items = [element(f"[{index}]", None) for index in range(len(scope.elements))]
        self.leave()
        self._scopes.pop()
        return items

    def array(self, name: str, value: Any, count: int, element: Element) -> list[Any]:
        return self.several(name, element, count)

    def integers(
        self, name: str, value: Any, count: int, bits: int, signed: builtins.bool, order: str = "big"
    ) -> list[Any]:
        if bits == 8 and not signed:
            return list(self.sized(name, count))
        return self.several(name, lambda index, item: self.integer(index, item, bits, signed, "big", None, None), count)

    def counted_integers(
        self,
        name: str,
        value: Any,
        count_bits: int,
        count_order: str,
        bits: int,
        signed: builtins.bool,
        order: str = "big",
    ) -> list[Any]:
        if bits == 8 and not signed:
            return list(self.counted_bytes(name, None, count_bits))
        return self.counted(
            name,
            value,
            count_bits,
            count_order,
            lambda index, item: self.integer(index, item, bits, signed, "big", None, None),
        )

    def counted(self, name: str, value: Any, bits: int, order: str, element: Element) -> list[Any]:
        items = self.several(name, element)
        if len(items) >> bits:
            raise self.error(f"{len(items)} elements do not fit a count of {bits} bits", name)
        return items

    def until(
        self, name: str, value: Any, bits: int, signed: builtins.bool, order: str, end: int, element: Element
    ) -> list[Any]:
        return self.several(name, element)

    def through(self, name: str, value: Any, last: Callable[[Any], builtins.bool], element: Element) -> list[Any]:
        items = self.several(name, element)
        if [last(item) for item in items] != [False] * (len(items) - 1) + [True]:
            raise self.error("the last element, and only it, ends the list", name)
        return items

    def linked_list(self, name: str, value: Any, element: Element) -> list[Any]:
        return self.several(name, element)

    def tree(self, name: str, value: Any, key: Element, item: Element) -> list[Any]:
        def entry(index: str, _: Any) -> Any:
            taken = self.take(index, ber.SEQUENCE, True)
            scope = _Scope(taken)
            parts = list(self.guarded(index, lambda: list(ber.children(self.data, taken, self.limits))))
            if [(part.tag_class, part.number) for part in parts] != [(ber.CONTEXT, 0), (ber.CONTEXT, 1)]:
                raise self.error("expected a key [0] and a value [1]", index)
            scope.by_name = {"key": parts[0], "value": parts[1]}
            self._scopes.append(scope)
            made = self.pair(index, (None, None), key, item)
            self._scopes.pop()
            return made

        return self.several(name, entry)

    # ------------------------------------------------------------------ what is no bytes

    def check(self, text: str, holds: builtins.bool, name: str = "") -> None:
        if not holds:
            raise self.error(f"check failed: {text}", name)

    def equal(self, name: str, found: Any, expected: Any) -> None:
        if found != expected:
            raise self.error(f"expected {expected!r}, found {found!r}", name)

    def subsections(
        self, owner: Values, known: Sequence[SubsectionInfo], scopes: Mapping[str, tuple[Any, ...]] | None = None
    ) -> None:
        by_name = self._scopes[-1].by_name
        if by_name is None or SUBSECTIONS not in by_name:
            return
        taken = self.take(SUBSECTIONS, ber.SEQUENCE, True)
        by_tag = {info.tag: info for info in known}
        unknown: list[builtins.bytes] = []
        last = -1
        for child in self.guarded(
            SUBSECTIONS, lambda: list(ber.children(self.data, taken, self.limits, len(self._path)))
        ):
            self._place = child.start
            info = by_tag.get(child.number) if child.tag_class == ber.CONTEXT else None
            if info is None:
                unknown.append(self.data[child.start : child.end])
                continue
            if child.number <= last:
                raise self.error(f"subsection {info.wire_name} stands twice or out of order")
            last = child.number
            value = info.type._blank()
            self.enter(f"<{info.wire_name}>")
            self._owners.append((value, len(self._path)))
            self.guarded("", self.open, value, child)
            value._version = self.version_of(info.type)
            self.dispatch(value, (scopes or {}).get(info.name, ()))
            self.close()
            self._owners.pop()
            self.leave()
            setattr(owner, info.name, value)
        if unknown:
            raise self.error("a subsection of a newer writer, which this description does not know")
        order = owner._kept.get(ORDER) if owner._kept else None
        if order is not None and not order:
            raise self.error("the kept order of subsections is empty")

    def version_of(self, cls: type[StateValues]) -> int:
        """The version component of the object at hand, 1 without one. Raises DataError for one out of range."""
        by_name = self._scopes[-1].by_name
        if by_name is None or VERSION not in by_name:
            # not written for version 1, so that a reader whose spec is newer knows what it has
            return min(max(1, cls.MINIMUM_VERSION), cls.VERSION)
        version: int = self.guarded(VERSION, ber.integer, self.data, self.take(VERSION, ber.INTEGER, False))
        if not cls.MINIMUM_VERSION <= version <= cls.VERSION:
            raise self.error(f"version {version}; {cls.MINIMUM_VERSION} to {cls.VERSION} are known", VERSION)
        return version

    def facts_of(self) -> list[tuple[str, str]]:
        """The facts component of the object at hand: names and answers."""
        by_name = self._scopes[-1].by_name
        element = by_name.pop(FACTS, None) if by_name is not None else None
        if element is None:
            return []
        found: list[tuple[str, str]] = []
        for name, data in self.guarded(FACTS, self._pairs, element):
            try:
                found.append((name, data.decode("utf-8")))
            except UnicodeDecodeError:
                raise self.error("the octets of a fact are not UTF-8", FACTS) from None
        return found
