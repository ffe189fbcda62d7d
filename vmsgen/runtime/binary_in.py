"""Reading the binary format: the walk over bytes, with the exact place of whatever is wrong.

Binary constants of a StateValues stand here and in :mod:`vmsgen.runtime.binary_out` alone: big-endian fixed-width
integers, the NULL marker 0x30 (QEMU 2.9, migration/vmstate-types.c), list marks 01 and 00, the subsection mark 05
(QEMU 0.13, migration/vmstate.c).
"""

from __future__ import annotations

import builtins
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from vmsgen.runtime.errors import CheckError, DataError, LimitError, TruncatedError
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.limits import DEFAULT_LIMITS, Limits
from vmsgen.runtime.values import ORDER, StateValues, SubsectionInfo, Values
from vmsgen.runtime.visitor import Case, Element, Visitor

NULL_MARK: Final = 0x30
SUBSECTION_MARK: Final = 0x05

#: codes of the struct module, by width and whether the integer has a sign
CODES: Final = {
    (bits, signed): code.lower() if signed else code
    for bits, code in ((8, "B"), (16, "H"), (32, "I"), (64, "Q"))
    for signed in (False, True)
}


class BinaryIn(Visitor):
    """Fills objects from ``data``, beginning at ``position``; ``position`` moves on."""

    reading = True
    value_error = DataError

    def __init__(
        self, data: builtins.bytes, position: int = 0, facts: Facts | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        super().__init__(facts, limits)
        self.data = data
        self.position = position
        self._field_start = position

    def offset(self) -> int:
        return self._field_start

    # ------------------------------------------------------------------ bytes

    def take(self, size: int, name: str) -> builtins.bytes:
        """The next ``size`` bytes. Raises TruncatedError."""
        start = self._field_start = self.position
        size = max(size, 0)
        left = len(self.data) - start
        if size > left:
            raise self.error(f"expected {size} bytes, {left} are left", name, TruncatedError)
        self.position = start + size
        return self.data[start : start + size]

    def take_count(self, name: str, bits: int, order: str) -> int:
        return int.from_bytes(self.take(bits // 8, name), "little" if order == "little" else "big")

    def bounded(self, name: str, count: int, at_least: int = 1) -> int:
        """A count that the bytes left can hold. Raises LimitError, TruncatedError."""
        count = max(count, 0)
        left = len(self.data) - self.position
        if at_least and count * at_least > left:
            raise self.error(f"{count} elements announced, {left} bytes are left", name, TruncatedError)
        if count > self.limits.count:
            raise self.error(f"{count} elements; {self.limits.count} are allowed", name, LimitError)
        return count

    # ------------------------------------------------------------------ leaves

    def integer(
        self,
        name: str,
        value: Any,
        bits: int,
        signed: bool,
        order: str,
        labels: Any,
        default: int | None,
    ) -> int:
        data = self.take(bits // 8, name)
        return int.from_bytes(data, "little" if order == "little" else "big", signed=signed)

    def bool(self, name: str, value: Any, *, default: builtins.bool | None = None) -> builtins.bool:
        raw = self.take(1, name)
        if raw[0] > 1:
            self.owner._keep(self.kept_key(name), raw)
        return raw[0] != 0

    def float64(self, name: str, value: Any, *, order: str = "big", default: float | None = None) -> float:
        raw = self.take(8, name)
        if order == "little":
            raw = raw[::-1]
        number: float = struct.unpack(">d", raw)[0]
        if number != number:
            self.owner._keep(self.kept_key(name), raw)
        return number

    def bytes(
        self, name: str, value: Any, size: int, *, opaque: builtins.bool = False, default: builtins.bytes | None = None
    ) -> builtins.bytes:
        return self.take(size, name)

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
        return self.take(self.take_count(name, bits, order), name)

    def string(self, name: str, value: Any, size: int, *, default: str | None = None) -> str:
        raw = self.take(size, name)
        text, nul, tail = raw.partition(b"\0")
        if nul and tail.strip(b"\0"):
            self.owner._keep(self.kept_key(name), tail)
        return text.decode("utf-8", "surrogateescape")

    def counted_string(
        self, name: str, value: Any, bits: int, order: str = "big", *, default: str | None = None
    ) -> str:
        return self.take(self.take_count(name, bits, order), name).decode("utf-8", "surrogateescape")

    def pad(self, name: str, size: int, *, opaque: builtins.bool = False) -> None:
        raw = self.take(size, name)
        if raw.strip(b"\0"):
            self.owner._keep(self.kept_key(name), raw)

    def bitmap(self, name: str, value: Any, bits: int, *, order: str = "big", default: int | None = None) -> int:
        raw = self.take((max(bits, 0) + 63) // 64 * 8, name)
        if order == "little":
            return int.from_bytes(raw, "little")
        return int.from_bytes(b"".join(raw[i : i + 8][::-1] for i in range(0, len(raw), 8)), "little")

    # ------------------------------------------------------------------ parts

    def struct(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        return super().struct(name, cls._blank(), cls, *scope)

    def nullable(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        if self.position < len(self.data) and self.data[self.position] == NULL_MARK:
            self.position += 1
            return None
        return self.struct(name, None, cls, *scope)

    def doubtful(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        marked = self.position < len(self.data) and self.data[self.position] == NULL_MARK
        if marked and not self.is_null(name):
            return self.struct(name, None, cls, *scope)
        return self.nullable(name, value, cls, *scope)

    def array(self, name: str, value: Any, count: int, element: Element) -> list[Any]:
        return self._several(name, self.bounded(name, count, 0), element)

    def _several(self, name: str, count: int, element: Element) -> list[Any]:
        items: list[Any] = []
        self.enter(name)
        start = self.position
        for index in range(count):
            items.append(element(f"[{index}]", None))
            if self.position == start and count > len(self.data) + 1:
                raise self.error(f"{count} elements of no bytes", name, LimitError)
        self.leave()
        return items

    def integers(
        self, name: str, value: Any, count: int, bits: int, signed: builtins.bool, order: str = "big"
    ) -> list[int]:
        count = self.bounded(name, count, 0)
        size = count * bits // 8
        if not count or size > len(self.data) - self.position:
            # which one is not there shows when they are read one by one
            each: list[int] = super().integers(name, value, count, bits, signed, order)
            return each
        form = f"{'<' if order == 'little' else '>'}{count}{CODES[bits, signed]}"
        found = list(struct.unpack_from(form, self.data, self.position))
        self.position += size
        self._field_start = self.position - bits // 8
        return found

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
        return self.integers(name, value, self.take_count(name, count_bits, count_order), bits, signed, order)

    def grid(self, name: str, value: Any, sizes: Sequence[int], element: Element) -> list[Any]:
        total = 1
        for size in sizes:
            total *= max(size, 0)
        self.bounded(name, total, 0)
        if len(sizes) == 1:
            return self.array(name, value, sizes[0], element)
        return self.array(name, value, sizes[0], lambda row, items: self.grid(row, items, sizes[1:], element))

    def counted(self, name: str, value: Any, bits: int, order: str, element: Element) -> list[Any]:
        return self._several(name, self.bounded(name, self.take_count(name, bits, order), 0), element)

    def until(
        self, name: str, value: Any, bits: int, signed: builtins.bool, order: str, end: int, element: Element
    ) -> list[Any]:
        mark = end.to_bytes(bits // 8, "little" if order == "little" else "big", signed=signed)
        items: list[Any] = []
        self.enter(name)
        while self.data[self.position : self.position + len(mark)] != mark:
            if self.position + len(mark) > len(self.data):
                raise self.error(f"the data ends before the mark {end} that ends the list", kind=TruncatedError)
            self.bounded("", len(items), 0)
            before = self.position
            items.append(element(f"[{len(items)}]", None))
            if self.position == before:
                raise self.error("an element of no bytes in a list that a mark ends", kind=LimitError)
        self.take(len(mark), "")
        self.leave()
        return items

    def through(self, name: str, value: Any, last: Callable[[Any], builtins.bool], element: Element) -> list[Any]:
        items: list[Any] = []
        self.enter(name)
        while True:
            before = self.position
            items.append(element(f"[{len(items)}]", None))
            if last(items[-1]):
                break
            self.bounded("", len(items), 0)
            if self.position == before:
                raise self.error("an element of no bytes in a list that an element ends", kind=LimitError)
        self.leave()
        return items

    def linked_list(self, name: str, value: Any, element: Element) -> list[Any]:
        items: list[Any] = []
        self.enter(name)
        while (mark := self.take(1, "")) != b"\0":
            if mark != b"\1":
                raise self.error(f"expected a list mark, 00 or 01, found {mark[0]:02x}")
            self.bounded("", len(items), 0)
            items.append(element(f"[{len(items)}]", None))
        self.leave()
        return items

    def tree(self, name: str, value: Any, key: Element, item: Element) -> list[Any]:
        count = self.bounded(name, self.take_count(name, 32, "big"))
        items: list[Any] = []
        self.enter(name)
        for index in range(count):
            if self.take(1, "") != b"\1":
                raise self.error(f"expected the mark 01 before entry {index} of {count}")
            items.append(self.pair(f"[{index}]", (None, None), key, item))
        if self.take(1, "") != b"\0":
            raise self.error(f"expected the mark 00 after {count} entries")
        self.leave()
        return items

    def alternative(self, name: str, value: Any, case: Case) -> Any:
        _, cls, scope = case
        return None if cls is None else self.struct(name, None, cls, *scope)

    @contextmanager
    def placed(self, name: str, offset: int) -> Iterator[None]:
        before = self.position
        if not 0 <= offset <= len(self.data):
            raise self.error(f"offset {offset} is outside of {len(self.data)} bytes", name)
        self.position = offset
        yield
        self.position = before

    # ------------------------------------------------------------------ what is no bytes

    def check(self, text: str, holds: builtins.bool, name: str = "") -> None:
        if not holds:
            error = self.error(f"check failed: {text}", name, CheckError)
            if isinstance(error, CheckError):
                error.check, error.found = text, getattr(self.owner, name, None)
            raise error

    def equal(self, name: str, found: Any, expected: Any) -> None:
        if found != expected:
            raise self.error(f"expected {expected!r}, found {found!r}", name)

    def subsections(
        self, owner: Values, known: Sequence[SubsectionInfo], scopes: Mapping[str, tuple[Any, ...]] | None = None
    ) -> None:
        """QEMU's rule (vmstate_subsection_load, 5.2 to 10.0): a mark, a name that begins with the owner's, a known
        name.
        """
        prefix = owner.VMSTATE.encode()
        by_name = {info.wire_name: info for info in known}
        met: list[str] = []
        repeated = False
        starts: dict[str, tuple[int, int]] = {}
        while self.position < len(self.data) and self.data[self.position] == SUBSECTION_MARK:
            start = self._field_start = self.position
            length = self.data[start + 1] if start + 1 < len(self.data) else 0
            name = self.data[start + 2 : start + 2 + length]
            if length <= len(prefix) or len(name) < length or not name.startswith(prefix):
                break
            text = name.decode("utf-8", "replace")
            info = by_name.get(text)
            if info is None:
                raise self.error(f"subsection {text!r} is not known to {owner.VMSTATE!r}")
            self.position = start + 2 + length
            version = self.take_count(f"<{text}>", 32, "big")
            if not info.type.MINIMUM_VERSION <= version <= info.type.VERSION:
                raise self.error(
                    f"version {version}; {info.type.MINIMUM_VERSION} to {info.type.VERSION} are known", f"<{text}>"
                )
            if len(met) > 4096:
                raise self.error("more than 4096 subsections", kind=LimitError)
            if info.name in met:
                begin, end = starts[info.name]
                met[met.index(info.name)] = "=" + self.data[begin:end].hex()
                repeated = True
            value = info.type._blank()
            value._version = version
            self.subsection(info, value, (scopes or {}).get(info.name, ()))
            setattr(owner, info.name, value)
            met.append(info.name)
            starts[info.name] = (start, self.position)
        if repeated or met != [info.name for info in known if info.name in met]:
            owner._keep(ORDER, "\0".join(met).encode())

    def subsection(self, info: SubsectionInfo, value: StateValues, scope: tuple[Any, ...]) -> None:
        super().subsection(info, value, scope)
