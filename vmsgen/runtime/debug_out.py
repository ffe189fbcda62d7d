"""The debug format: deterministic text of a visit, a line per field, for people and for diff."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from vmsgen.runtime.facts import Facts
from vmsgen.runtime.values import StateValues, SubsectionInfo, Values
from vmsgen.runtime.views import view_of
from vmsgen.runtime.visitor import Case, Element, Visitor

_BYTES_A_LINE = 32


def label_text(labels: Any, value: int) -> str | None:
    """The label of a value, or of its bits, from a generated enum class; None if it has none."""
    members = {int(member): member.name for member in labels}
    if value in members:
        return str(members[value])
    found = [name for bits, name in members.items() if bits and value & bits == bits]
    return "|".join(found) if found and hasattr(labels, "_flag_mask_") else None


class DebugOut(Visitor):
    """Collects lines: ``name = value`` indented by nesting; hex for bytes; runs of equal array elements in one line."""

    def __init__(self, facts: Facts | None = None, indent: int = 0) -> None:
        super().__init__(facts)
        self.lines: list[str] = []
        self._indent = indent
        #: a part of a view that stands elsewhere in the bytes, and where, until its first line is printed
        self._place: tuple[str, int] | None = None

    def line(self, text: str) -> None:
        """One line at the current depth."""
        if self._place is not None:
            name, offset = self._place
            self._place = None
            text = f"{name} at {offset:#x}{text.removeprefix(name)}"
        self.lines.append("  " * (self._indent + len(self._path)) + text)

    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines)

    def integer(
        self, name: str, value: Any, bits: int, signed: builtins.bool, order: str, labels: Any, default: int | None
    ) -> Any:
        if value is None:
            self.line(f"{name} = none")
            return value
        shown = str(value) if -10 < value < 10 else f"{value} ({value:#x})"
        label = label_text(labels, value) if labels is not None else None
        self.line(f"{name} = {shown}" + (f" {label}" if label else ""))
        return value

    def bool(self, name: str, value: Any, *, default: builtins.bool | None = None) -> Any:
        kept = self.kept(name)
        self.line(f"{name} = {'true' if value else 'false'}" + (f" (byte {kept.hex()})" if kept else ""))
        return value

    def float64(self, name: str, value: Any, *, order: str = "big", default: float | None = None) -> Any:
        kept = self.kept(name)
        self.line(f"{name} = {value!r}" + (f" (bits {kept.hex()})" if kept else ""))
        return value

    def _hex(self, name: str, data: builtins.bytes) -> None:
        if len(data) <= _BYTES_A_LINE:
            self.line(f"{name} = {data.hex() or 'empty'}")
            return
        self.line(f"{name} = {len(data)} bytes")
        last: builtins.bytes | None = None
        repeated = False
        for start in range(0, len(data), _BYTES_A_LINE):
            row = data[start : start + _BYTES_A_LINE]
            if row == last:
                if not repeated:
                    self.line("  *")
                repeated = True
                continue
            repeated, last = False, row
            self.line(f"  {start:06x} {row.hex()}")

    def bytes(
        self, name: str, value: Any, size: int, *, opaque: builtins.bool = False, default: builtins.bytes | None = None
    ) -> Any:
        self._hex(name, value if value is not None else b"")
        self._view(name, value)
        return value

    def _view(self, name: str, value: Any) -> None:
        """What the struct that the spec lays over the bytes reads in them; nothing where it does not fit."""
        seen = view_of(self, name, value)
        if seen is not None:
            self.line(f"{name} as {type(seen).__name__}:")
            self.enter(name)
            self._owners.append((seen, len(self._path)))
            self.dispatch(seen, ())
            self._owners.pop()
            self.leave()

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
        self._hex(name, value if value is not None else b"")
        return value

    def string(self, name: str, value: Any, size: int, *, default: str | None = None) -> Any:
        kept = self.kept(name)
        self.line(f"{name} = {value!a}" + (f" (tail {kept.hex()})" if kept else ""))
        return value

    def counted_string(
        self, name: str, value: Any, bits: int, order: str = "big", *, default: str | None = None
    ) -> Any:
        self.line(f"{name} = {value!a}")
        return value

    def pad(self, name: str, size: int, *, opaque: builtins.bool = False) -> None:
        kept = self.kept(name)
        if kept is not None:
            self._hex(f"{name} (pad)", kept)

    def bitmap(self, name: str, value: Any, bits: int, *, order: str = "big", default: int | None = None) -> Any:
        self.line(f"{name} = {value:#x}" if value is not None else f"{name} = none")
        return value

    @contextmanager
    def placed(self, name: str, offset: int) -> Iterator[None]:
        self._place = (name, offset)
        yield
        self._place = None

    def struct(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        self.line(f"{name}:")
        return super().struct(name, value, cls, *scope)

    def nullable(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        if value is None:
            self.line(f"{name} = null")
            return value
        return self.struct(name, value, cls, *scope)

    def integers(self, name: str, value: Any, count: int, bits: int, signed: builtins.bool, order: str = "big") -> Any:
        self._numbers(name, value)
        return value

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
        self._numbers(name, value)
        return value

    def _numbers(self, name: str, value: Sequence[int]) -> None:
        shown = " ".join(f"{n:#x}" if n > 9 else str(n) for n in value)
        if len(shown) <= 100:
            self.line(f"{name} = [{shown}]")
            return
        self.line(f"{name} = {len(value)} numbers")
        index = 0
        while index < len(value):
            end = index + 1
            while end < len(value) and value[end] == value[index]:
                end += 1
            span = f"[{index}]" if end == index + 1 else f"[{index}..{end - 1}]"
            self.line(f"  {span} = {value[index]:#x}")
            index = end

    def elements(self, name: str, value: Any, element: Element) -> Any:
        self.line(f"{name}: {len(value)} elements")
        return super().elements(name, value, element)

    def alternative(self, name: str, value: Any, case: Case) -> Any:
        if case[1] is None:
            self.line(f"{name} = nothing")
            return value
        return super().alternative(name, value, case)

    def subsection(self, info: SubsectionInfo, value: StateValues, scope: tuple[Any, ...]) -> None:
        self.line(f"<{info.wire_name}> version {value._version}:")
        super().subsection(info, value, scope)


def debug_text(state: StateValues, indent: int = 0) -> str:
    """A state as debug text."""
    visitor = DebugOut(state.facts.fresh(), indent)
    visitor.run(state)
    return visitor.text()
