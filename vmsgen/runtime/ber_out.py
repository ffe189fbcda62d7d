"""Writing BER: definite and minimal; one SEQUENCE per object, its components under the context tags of its class."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from vmsgen.runtime import ber
from vmsgen.runtime.binary_out import BinaryOut
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.limits import DEFAULT_LIMITS, Limits
from vmsgen.runtime.values import UNKNOWN, StateValues, SubsectionInfo, Values
from vmsgen.runtime.visitor import Case, Element

_UNIVERSAL = {
    number: ber.tag_bytes(ber.UNIVERSAL, number == ber.SEQUENCE, number)
    for number in (ber.BOOLEAN, ber.INTEGER, ber.OCTET_STRING, ber.NULL, ber.UTF8_STRING, ber.SEQUENCE)
}


class _Scope:
    """What is being collected: the components of an object (by tag), or the elements of a list."""

    __slots__ = ("components", "elements", "inline", "tags")

    def __init__(self, tags: Mapping[str, int] | None) -> None:
        self.tags = tags
        self.components: dict[int, bytes] = {}
        self.elements: list[bytes] = []
        #: keys of ``_kept`` that travel in a component of their own
        self.inline: set[str] = {UNKNOWN}


class BerOut(BinaryOut):
    """Encodes objects; checks of values are those of the binary writer, bytes are BER's."""

    def __init__(self, facts: Facts | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(facts, limits)
        self._scopes: list[_Scope] = []
        #: content octets of the object walked last
        self.made = b""

    def offset(self) -> None:  # type: ignore[override]
        return None

    # ------------------------------------------------------------------ collecting

    def component(self, name: str, universal: int, content: builtins.bytes, constructed: builtins.bool = False) -> None:
        """One component of the object, or one element of the list, at hand."""
        scope = self._scopes[-1]
        if scope.tags is None:
            scope.elements.append(ber.tlv(_UNIVERSAL[universal], content))
        else:
            tag = scope.tags[name]
            scope.components[tag] = ber.tlv(ber.tag_bytes(ber.CONTEXT, constructed, tag), content)

    def choice(self, name: str, alternative: builtins.bytes) -> None:
        """A CHOICE: its alternative as it is in a list, explicitly tagged as a component."""
        scope = self._scopes[-1]
        if scope.tags is None:
            scope.elements.append(alternative)
        else:
            self.component(name, ber.SEQUENCE, alternative, True)

    def collect(self, tags: Mapping[str, int] | None, walk: Callable[[], object]) -> _Scope:
        """Runs ``walk`` with a new scope and gives what it collected."""
        self._scopes.append(_Scope(tags))
        walk()
        return self._scopes.pop()

    def content(self, value: Values, scope: _Scope) -> builtins.bytes:
        """The content octets of an object's SEQUENCE, with what is kept of it and what a newer writer had added."""
        kept = value._kept or {}
        tags = value.TAGS
        entries = [
            ber.tlv(b"\x30", ber.tlv(b"\x80", key.encode("utf-8", "surrogateescape")) + ber.tlv(b"\x81", data))
            for key, data in sorted(kept.items())
            if key not in scope.inline
        ]
        if entries:
            tag = tags["<kept>"]
            scope.components[tag] = ber.tlv(ber.tag_bytes(ber.CONTEXT, True, tag), b"".join(entries))
        if isinstance(value, StateValues) and not value.TAG and value._version != 1:
            tag = tags["<version>"]
            scope.components[tag] = ber.tlv(ber.tag_bytes(ber.CONTEXT, False, tag), ber.integer_content(value._version))
        pieces = sorted(scope.components.items())
        unknown = kept.get(UNKNOWN)
        if unknown:
            pieces = _merged(pieces, unknown)
        return b"".join(piece for _, piece in pieces)

    # ------------------------------------------------------------------ leaves

    def put(self, data: builtins.bytes, name: str, kind: str, value: Any) -> None:
        """A leaf, its checked wire bytes in ``data``. Counts and marks are no components: BER has lengths."""
        if kind == "int":
            self.component(name, ber.INTEGER, ber.integer_content(value))
        elif kind == "bool":
            self.component(name, ber.BOOLEAN, b"\xff" if value else b"\0")
        elif kind == "float":
            self._scopes[-1].inline.add(self.kept_key(name))
            self.component(name, ber.OCTET_STRING, data)
        elif kind == "string":
            self.component(name, ber.OCTET_STRING, value.encode("utf-8", "surrogateescape"))
        elif kind in ("bytes", "opaque", "bitmap"):
            self.component(name, ber.OCTET_STRING, data)
        elif kind in ("pad", "opaque pad"):
            self._scopes[-1].inline.add(name)
            if data.strip(b"\0"):
                self.component(name, ber.OCTET_STRING, data)

    def float64(self, name: str, value: Any, *, order: str = "big", default: float | None = None) -> Any:
        # a double in BER is its bits, big-endian, whatever order the wire has
        return super().float64(name, value, order="big", default=default)

    def bitmap(self, name: str, value: Any, bits: int, *, order: str = "big", default: int | None = None) -> Any:
        return super().bitmap(name, value, bits, order="big", default=default)

    # ------------------------------------------------------------------ parts

    def dispatch(self, value: Values, scope: tuple[Any, ...]) -> None:
        collected = self.collect(value.TAGS, lambda: super(BerOut, self).dispatch(value, scope))
        self.made = self.content(value, collected)

    def struct(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        super().struct(name, value, cls, *scope)
        if self._scopes[-1].tags is None and cls.TAG:
            # in a list nothing replaces the tag that the type has
            self._scopes[-1].elements.append(ber.tlv(ber.tag_bytes(ber.APPLICATION, True, cls.TAG), self.made))
        else:
            self.component(name, ber.SEQUENCE, self.made, True)
        return value

    def _alternative(self, name: str, number: int, walk: Callable[[], object]) -> None:
        """A CHOICE whose alternative [number] is the one component that ``walk`` makes under its name."""
        inner = self.collect({name: number}, walk)
        self.choice(name, b"".join(inner.components.values()))

    def nullable(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        if value is None:
            self.choice(name, b"\x80\x00")
        else:
            self._alternative(name, 1, lambda: self.struct(name, value, cls, *scope))
        return value

    def doubtful(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        return self.nullable(name, value, cls, *scope)  # the alternative tells, so that nothing is asked

    def union(
        self, name: str, value: Any, selector: Any, cases: Mapping[Any, Case], otherwise: Case | None = None
    ) -> Any:
        case = self.case_of(name, selector, cases, otherwise)
        number = list(cases).index(selector) if selector in cases else len(cases)
        _, cls, scope = case
        if cls is None:
            self.choice(name, ber.tlv(ber.tag_bytes(ber.CONTEXT, False, number), b""))
        else:
            self._alternative(name, number, partial(self.struct, name, value, cls, *scope))
        return value

    def elements(self, name: str, value: Any, element: Element) -> Any:
        scope = self.collect(None, lambda: super(BerOut, self).elements(name, value, element))
        self.component(name, ber.SEQUENCE, b"".join(scope.elements), True)
        kept_below = scope.inline - {UNKNOWN}
        self._scopes[-1].inline |= kept_below
        return value

    def integers(self, name: str, value: Any, count: int, bits: int, signed: builtins.bool, order: str = "big") -> Any:
        self.match_count(name, value, count)
        return self._integers(name, value, bits, signed)

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
        return self._integers(name, value, bits, signed)

    def _integers(self, name: str, value: Any, bits: int, signed: builtins.bool) -> Any:
        if bits == 8 and not signed:
            try:
                self.component(name, ber.OCTET_STRING, builtins.bytes(value))
            except (ValueError, TypeError):
                raise self.error("expected a list of integers from 0 to 255", name, self.value_error) from None
            return value
        return self.elements(
            name, value, lambda index, item: self.integer(index, item, bits, signed, "big", None, None)
        )

    def counted(self, name: str, value: Any, bits: int, order: str, element: Element) -> Any:
        return self.elements(name, value, element)

    def until(
        self, name: str, value: Any, bits: int, signed: builtins.bool, order: str, end: int, element: Element
    ) -> Any:
        return self.elements(name, value, element)

    def linked_list(self, name: str, value: Any, element: Element) -> Any:
        return self.elements(name, value, element)

    def tree(self, name: str, value: Any, key: Element, item: Element) -> Any:
        def entry(index: str, pair: Any) -> Any:
            inner = self.collect({"key": 0, "value": 1}, lambda: self.pair(index, pair, key, item))
            self.component(index, ber.SEQUENCE, b"".join(inner.components.values()), True)

        return self.elements(name, value, entry)

    def subsections(
        self, owner: Values, known: Sequence[SubsectionInfo], scopes: Mapping[str, tuple[Any, ...]] | None = None
    ) -> None:
        present = self.present_subsections(owner, known)
        if not present:
            return
        pieces: dict[int, bytes] = {}
        for info, value in present:
            self.subsection(info, value, (scopes or {}).get(info.name, ()))
            pieces[info.tag] = ber.tlv(ber.tag_bytes(ber.CONTEXT, True, info.tag), self.made)
        self.component("<subsections>", ber.SEQUENCE, b"".join(piece for _, piece in sorted(pieces.items())), True)


def _merged(pieces: list[tuple[int, bytes]], unknown: bytes) -> list[tuple[int, bytes]]:
    """Components with the unknown elements of a newer writer between them, in tag order; other classes come last."""
    position = 0
    known = {tag for tag, _ in pieces}
    extra: list[tuple[int, bytes]] = []
    while position < len(unknown):
        element = ber.read_element(unknown, position, len(unknown))
        if element.tag_class == ber.CONTEXT and element.number not in known:
            extra.append((element.number, unknown[element.start : element.end]))
        elif element.tag_class != ber.CONTEXT:
            extra.append((1 << 40, unknown[element.start : element.end]))
        position = element.end
    return sorted(pieces + extra, key=lambda piece: piece[0])
