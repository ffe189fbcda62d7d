"""Reading BER: every legal form of every element, nothing else, with offset and path of what is wrong."""

from __future__ import annotations

import builtins
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vmsgen.runtime import ber
from vmsgen.runtime.ber_elements import SUBSECTIONS, BerElements, Scope
from vmsgen.runtime.errors import DataError, LimitError
from vmsgen.runtime.values import ORDER, StateValues, SubsectionInfo, Values
from vmsgen.runtime.visitor import Case, Element


class BerIn(BerElements):
    """Fills objects from the elements of ``data``."""

    reading = True
    value_error = DataError

    def run_content(self, value: Values, position: int, end: int, scope: tuple[Any, ...]) -> None:
        """Fills an object from the content octets ``position`` to ``end`` of its SEQUENCE."""
        self._owners.append((value, len(self._path)))
        self.open(value, ber.Element(ber.UNIVERSAL, True, ber.SEQUENCE, position, position, end, end))
        if isinstance(value, StateValues):
            value._version = self.version_of(type(value))
        self.dispatch(value, scope)
        self.close()
        self._owners.pop()

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
        scope = Scope(taken)
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
            scope = Scope(taken)
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
