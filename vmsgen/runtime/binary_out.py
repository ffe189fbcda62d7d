"""Writing the binary format: the walk that gives the bytes a stream holds, what was kept included."""

from __future__ import annotations

import builtins
import struct
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from vmsgen.runtime.binary_in import NULL_MARK, SUBSECTION_MARK
from vmsgen.runtime.errors import LimitError
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.limits import DEFAULT_LIMITS, Limits
from vmsgen.runtime.values import ORDER, SubsectionInfo, Values
from vmsgen.runtime.visitor import Case, Element, Visitor


class BinaryOut(Visitor):
    """Collects the bytes of the object walked in ``out``."""

    def __init__(self, facts: Facts | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(facts, limits)
        self.out = bytearray()
        self._padding = 0

    def offset(self) -> int:
        return len(self.out)

    # ------------------------------------------------------------------ leaves

    def put(self, data: builtins.bytes, name: str, kind: str, value: Any) -> None:
        """Takes the wire bytes of one leaf."""
        self.out += data

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
        number = default if value is None else value
        if not isinstance(number, int):
            raise self.error(f"expected an int, found {type(number).__name__}", name, self.value_error)
        try:
            data = number.to_bytes(bits // 8, "little" if order == "little" else "big", signed=signed)
        except OverflowError:
            raise self.error(
                f"{number} does not fit {'int' if signed else 'uint'}{bits}", name, self.value_error
            ) from None
        self.put(data, name, "int", number)
        return value

    def bool(self, name: str, value: Any, *, default: builtins.bool | None = None) -> Any:
        flag = default if value is None else value
        if not isinstance(flag, int):
            raise self.error(f"expected a bool, found {type(flag).__name__}", name, self.value_error)
        kept = self.kept(name)
        self.put(
            kept if kept is not None and len(kept) == 1 and flag else (b"\1" if flag else b"\0"),
            name,
            "bool",
            builtins.bool(flag),
        )
        return value

    def float64(self, name: str, value: Any, *, order: str = "big", default: float | None = None) -> Any:
        number = default if value is None else value
        if not isinstance(number, (int, float)):
            raise self.error(f"expected a float, found {type(number).__name__}", name, self.value_error)
        kept = self.kept(name)
        data = kept if number != number and kept is not None and len(kept) == 8 else struct.pack(">d", number)
        self.put(data[::-1] if order == "little" else data, name, "float", number)
        return value

    def _as_bytes(self, name: str, value: Any) -> builtins.bytes:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise self.error(f"expected bytes, found {type(value).__name__}", name, self.value_error)
        return builtins.bytes(value)

    def bytes(
        self, name: str, value: Any, size: int, *, opaque: builtins.bool = False, default: builtins.bytes | None = None
    ) -> Any:
        data = self._as_bytes(name, default if value is None else value)
        if len(data) != max(size, 0):
            raise self.error(f"{len(data)} bytes where the layout has {max(size, 0)}", name, self.value_error)
        self.put(data, name, "opaque" if opaque else "bytes", data)
        return value

    def put_count(self, name: str, count: int, bits: int, order: str) -> None:
        """The number of elements (or bytes) in front of them."""
        if count >> bits:
            raise self.error(f"{count} elements do not fit a count of {bits} bits", name, self.value_error)
        self.put(count.to_bytes(bits // 8, "little" if order == "little" else "big"), name, "count", count)

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
        data = self._as_bytes(name, default if value is None else value)
        self.put_count(name, len(data), bits, order)
        self.put(data, name, "opaque" if opaque else "bytes", data)
        return value

    def _as_text(self, name: str, value: Any) -> builtins.bytes:
        if not isinstance(value, str):
            raise self.error(f"expected str, found {type(value).__name__}", name, self.value_error)
        try:
            return value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as problem:
            raise self.error(f"text that is no UTF-8: {problem.reason}", name, self.value_error) from None

    def string(self, name: str, value: Any, size: int, *, default: str | None = None) -> Any:
        text = default if value is None else value
        data = self._as_text(name, text)
        size = max(size, 0)
        if len(data) > size or b"\0" in data:
            raise self.error(f"{text!r} does not fit {size} bytes ended by NUL", name, self.value_error)
        kept = self.kept(name)
        tail = (
            kept if kept is not None and len(data) + 1 + len(kept) == size else self.zeros(name, size - len(data) - 1)
        )
        self.put(data + (b"\0" + tail if len(data) < size else b""), name, "string", text)
        return value

    def counted_string(
        self, name: str, value: Any, bits: int, order: str = "big", *, default: str | None = None
    ) -> Any:
        data = self._as_text(name, default if value is None else value)
        self.put_count(name, len(data), bits, order)
        self.put(data, name, "string", default if value is None else value)
        return value

    def pad(self, name: str, size: int, *, opaque: builtins.bool = False) -> None:
        kept = self.kept(name)
        data = kept if kept is not None and len(kept) == max(size, 0) else self.zeros(name, size)
        self.put(data, name, "opaque pad" if opaque else "pad", None)

    def zeros(self, name: str, size: int) -> builtins.bytes:
        """Bytes that no value says, of which an object has no more than ``limits.count``: a count of a few octets in
        BER can ask for any number. Raises LimitError.
        """
        self._padding += max(size, 0)
        if self._padding > self.limits.count:
            raise self.error(f"{self._padding} bytes of padding; {self.limits.count} are allowed", name, LimitError)
        return builtins.bytes(max(size, 0))

    def bitmap(self, name: str, value: Any, bits: int, *, order: str = "big", default: int | None = None) -> Any:
        number = default if value is None else value
        size = (max(bits, 0) + 63) // 64 * 8
        if not isinstance(number, int) or number < 0 or number >> (size * 8):
            raise self.error(f"expected a bitmap of {bits} bits, found {number!r:.80}", name, self.value_error)
        data = number.to_bytes(size, "little")
        if order != "little":
            data = b"".join(data[i : i + 8][::-1] for i in range(0, size, 8))
        self.put(data, name, "bitmap", number)
        return value

    # ------------------------------------------------------------------ parts

    def nullable(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        if value is None:
            self.put(builtins.bytes((NULL_MARK,)), name, "null", None)
            return None
        start = len(self.out)
        self.struct(name, value, cls, *scope)
        if self.out[start : start + 1] == builtins.bytes((NULL_MARK,)):
            raise self.error("a value that begins with byte 30 would be read as NULL", name, self.value_error)
        return value

    def doubtful(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        start = len(self.out)
        if value is not None:
            self.struct(name, value, cls, *scope)
            if self.out[start : start + 1] != builtins.bytes((NULL_MARK,)):
                return value
        # a reader will ask at this place, too
        if self.is_null(name) is not (value is None):
            what, other = ("NULL", "a value") if value is None else ("a value that begins with byte 30", "NULL")
            raise self.error(f"{what} would be read as {other}", name, self.value_error)
        return value if value is not None else self.nullable(name, None, cls, *scope)

    def counted(self, name: str, value: Any, bits: int, order: str, element: Element) -> Any:
        if not isinstance(value, (list, tuple)):
            raise self.error(f"expected a list, found {type(value).__name__}", name, self.value_error)
        self.put_count(name, len(value), bits, order)
        return self.elements(name, value, element)

    def until(
        self, name: str, value: Any, bits: int, signed: builtins.bool, order: str, end: int, element: Element
    ) -> Any:
        mark = end.to_bytes(bits // 8, "little" if order == "little" else "big", signed=signed)

        def checked(index: str, item: Any) -> Any:
            start = len(self.out)
            element(index, item)
            if self.out[start : start + len(mark)] == mark:
                raise self.error(f"an element that begins with {end} would end the list", index, self.value_error)
            return item

        self.elements(name, value, checked)
        self.put(mark, name, "mark", None)
        return value

    def through(self, name: str, value: Any, last: Callable[[Any], builtins.bool], element: Element) -> Any:
        if not isinstance(value, (list, tuple)) or not value:
            raise self.error("expected a list with at least the element that ends it", name, self.value_error)
        for index, item in enumerate(value):
            if last(item) != (index == len(value) - 1):
                raise self.error("the last element, and only it, ends the list", f"{name}[{index}]", self.value_error)
        return self.elements(name, value, element)

    def linked_list(self, name: str, value: Any, element: Element) -> Any:
        def marked(index: str, item: Any) -> Any:
            self.put(b"\1", index, "mark", None)
            return element(index, item)

        self.elements(name, value, marked)
        self.put(b"\0", name, "mark", None)
        return value

    def tree(self, name: str, value: Any, key: Element, item: Element) -> Any:
        if not isinstance(value, (list, tuple)):
            raise self.error(f"expected a list of pairs, found {type(value).__name__}", name, self.value_error)
        self.put_count(name, len(value), 32, "big")

        def marked(index: str, pair: Any) -> Any:
            if not isinstance(pair, (list, tuple)) or len(pair) != 2:
                raise self.error("expected a pair", index, self.value_error)
            self.put(b"\1", index, "mark", None)
            return self.pair(index, pair, key, item)

        self.elements(name, value, marked)
        self.put(b"\0", name, "mark", None)
        return value

    def alternative(self, name: str, value: Any, case: Case) -> Any:
        _, cls, scope = case
        if cls is None:
            if value is not None:
                raise self.error(f"this case has no bytes, found {type(value).__name__}", name, self.value_error)
            return None
        return self.struct(name, value, cls, *scope)

    # ------------------------------------------------------------------ what is no bytes

    def check(self, text: str, holds: builtins.bool, name: str = "") -> None:
        if not holds:
            raise self.error(f"check failed: {text}", name, self.value_error)

    def subsections(
        self, owner: Values, known: Sequence[SubsectionInfo], scopes: Mapping[str, tuple[Any, ...]] | None = None
    ) -> None:
        kept = owner._kept.get(ORDER) if owner._kept else None
        present = self.present_subsections(owner, known)
        repeats = {} if kept is None else _repeats(kept, {info.name for info, _ in present})
        for index, (info, value) in enumerate(present):
            for raw in repeats.get(index, ()):
                copy_of = raw[2 : 2 + raw[1]].decode("utf-8", "replace") if len(raw) > 1 else info.wire_name
                self.put(raw, f"<{copy_of}>", "repeated", None)
            name = info.wire_name.encode()
            self.put(
                builtins.bytes((SUBSECTION_MARK, len(name))) + name + value._version.to_bytes(4, "big"),
                f"<{info.wire_name}>",
                "subsection",
                None,
            )
            self.subsection(info, value, (scopes or {}).get(info.name, ()))


def _repeats(order: bytes, present: Container[str]) -> dict[int, list[bytes]]:
    """Earlier copies of a repeated subsection, as they were, by the number of subsections that stand before them."""
    found: dict[int, list[bytes]] = {}
    seen: set[str] = set()
    for token in order.decode("utf-8", "replace").split("\0"):
        if token.startswith("="):
            try:
                found.setdefault(len(seen), []).append(bytes.fromhex(token[1:]))
            except ValueError:
                continue
        elif token in present:
            seen.add(token)
    return found
