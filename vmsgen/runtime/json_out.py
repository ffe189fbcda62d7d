"""JSON: a state as plain values (dict, list, int, str, bool, None), fields by their Python names, in wire order.

Bytes are hex text; a NaN is ``{"float64": bits in hex}``; text that is no UTF-8 has its odd bytes as lone
surrogates, which the JSON module escapes. What was kept stands under ``"<kept>"`` as hex, what a view reads in the
bytes of a field under ``"FIELD:VIEW"``. A struct that stands in a union has its type as ``"<case>"``.
A bitmap of more than 64 bits is text, ``"0x1f"``.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vmsgen.runtime.facts import Facts
from vmsgen.runtime.values import StateValues, SubsectionInfo, Values
from vmsgen.runtime.views import view_of
from vmsgen.runtime.visitor import Case, Element, Visitor


class JsonOut(Visitor):
    """Collects values in :attr:`result`."""

    def __init__(self, facts: Facts | None = None) -> None:
        super().__init__(facts)
        self.result: dict[str, Any] = {}
        self._into: list[Any] = [self.result]

    def put(self, name: str, value: Any) -> None:
        """One value of the object or list at hand."""
        into = self._into[-1]
        if isinstance(into, list):
            into.append(value)
        else:
            into[name] = value

    def below(self, name: str, container: Any, walk: Callable[[], Any]) -> None:
        """Collects what ``walk`` visits in ``container``."""
        self.put(name, container)
        self._into.append(container)
        walk()
        self._into.pop()

    def dispatch(self, value: Values, scope: tuple[Any, ...]) -> None:
        super().dispatch(value, scope)
        if value._kept:
            self.put("<kept>", {key: data.hex() for key, data in sorted(value._kept.items())})

    def integer(
        self, name: str, value: Any, bits: int, signed: builtins.bool, order: str, labels: Any, default: int | None
    ) -> Any:
        self.put(name, value)
        return value

    def bool(self, name: str, value: Any, *, default: builtins.bool | None = None) -> Any:
        self.put(name, value)
        return value

    def float64(self, name: str, value: Any, *, order: str = "big", default: float | None = None) -> Any:
        kept = self.kept(name)
        if value is None or math.isfinite(value):
            self.put(name, value)
        else:
            self.put(name, {"float64": kept.hex() if kept else repr(value)})
        return value

    def _hex(self, name: str, value: Any) -> Any:
        self.put(name, None if value is None else value.hex())
        return value

    def bytes(
        self, name: str, value: Any, size: int, *, opaque: builtins.bool = False, default: builtins.bytes | None = None
    ) -> Any:
        self._hex(name, value)
        seen = view_of(self, name, value)
        if seen is not None:
            self.below(f"{name}:{type(seen).__name__}", {}, lambda: self._within(name, seen))
        return value

    def _within(self, name: str, seen: Values) -> None:
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
        return self._hex(name, value)

    def string(self, name: str, value: Any, size: int, *, default: str | None = None) -> Any:
        self.put(name, value)
        return value

    def counted_string(
        self, name: str, value: Any, bits: int, order: str = "big", *, default: str | None = None
    ) -> Any:
        self.put(name, value)
        return value

    def bitmap(self, name: str, value: Any, bits: int, *, order: str = "big", default: int | None = None) -> Any:
        # (many bits are no number: Python and others refuse to write or read one of thousands of digits)
        self.put(name, value if value is None or bits <= 64 else f"{value:#x}")
        return value

    def struct(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        self.below(name, {}, lambda: super(JsonOut, self).struct(name, value, cls, *scope))
        return value

    def nullable(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        if value is None:
            self.put(name, None)
            return None
        return self.struct(name, value, cls, *scope)

    def elements(self, name: str, value: Any, element: Element) -> Any:
        self.below(name, [], lambda: super(JsonOut, self).elements(name, value, element))
        return value

    def integers(self, name: str, value: Any, count: int, bits: int, signed: builtins.bool, order: str = "big") -> Any:
        self.put(name, list(value))
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
        self.put(name, list(value))
        return value

    def pair(self, name: str, value: Any, key: Element, item: Element) -> Any:
        self.below(name, {}, lambda: super(JsonOut, self).pair(name, value, key, item))
        return value

    def alternative(self, name: str, value: Any, case: Case) -> Any:
        _, cls, scope = case
        if cls is None:
            self.put(name, None)
            return value
        named = {"<case>": cls.__name__}
        self.below(name, named, lambda: super(JsonOut, self).struct(name, value, cls, *scope))
        return value

    def subsections(
        self, owner: Values, known: Sequence[SubsectionInfo], scopes: Mapping[str, tuple[Any, ...]] | None = None
    ) -> None:
        present = self.present_subsections(owner, known)
        if present:
            self.below("<subsections>", {}, lambda: super(JsonOut, self).subsections(owner, known, scopes))

    def subsection(self, info: SubsectionInfo, value: StateValues, scope: tuple[Any, ...]) -> None:
        self.below(
            info.wire_name, {"version": value._version}, lambda: super(JsonOut, self).subsection(info, value, scope)
        )


def to_json(state: StateValues) -> dict[str, Any]:
    """A state as JSON values."""
    visitor = JsonOut(state.facts.fresh())
    visitor.run(state)
    return visitor.result
