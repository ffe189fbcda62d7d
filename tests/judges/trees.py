"""Objects as the value trees of asn1tools, made from the model and not from the BER codecs."""

from __future__ import annotations

import builtins
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.judges.drawing import Definitions
from vmsgen.emit.asn1.reach import alternatives
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.state import Values, VMState
from vmsgen.runtime.values import UNKNOWN, SubsectionInfo
from vmsgen.runtime.visitor import Case, Element, Visitor
from vmsgen.spec.model import Definition
from vmsgen.spec.wire_types import Float64, Pad, Union, WireType

Tree = dict[str, Any]


def tree_of(value: VMState, definitions: Definitions) -> Tree:
    """The value tree of a state that stands alone: with its version, and the facts that it asked for."""
    visitor = TreeOut(definitions, Facts(value.facts.known))
    visitor.run(value)
    tree = visitor.made
    if value.section_version != 1:
        tree["vmstate-version"] = value.section_version
    pairs = visitor.facts.pairs()
    if pairs:
        tree["vmstate-facts"] = [{"name": name, "value": answer} for name, answer in pairs]
    return tree


class TreeOut(Visitor):
    """Collects components under their ASN.1 names."""

    def __init__(self, definitions: Definitions, facts: Facts) -> None:
        super().__init__(facts)
        self.definitions = definitions
        #: where values go: a dict of components with their names, or a list
        self._targets: list[tuple[Any, Mapping[str, str]]] = []
        self.made: Tree = {}

    def definition(self, value: Values) -> Definition:
        return self.definitions.of(type(value))

    def dispatch(self, value: Values, scope: tuple[Any, ...]) -> None:
        definition = self.definition(value)
        names = {each.name: each.asn1_name for each in definition.fields()}
        tree: Tree = {}
        self._targets.append((tree, names))
        value.visit(self, *scope)
        self._targets.pop()
        kept = _kept_entries(value, definition)
        if kept:
            tree["vmstate-kept"] = kept
        if isinstance(value, VMState) and not value.TAG and value.section_version != 1:
            tree["vmstate-version"] = value.section_version
        self.made = tree

    def put(self, name: str, value: Any) -> None:
        target, names = self._targets[-1]
        if isinstance(target, list):
            target.append(value)
        else:
            target[names[name]] = value

    def collect(self, target: Any, walk: Callable[[], object]) -> Any:
        self._targets.append((target, {"key": "key", "value": "value"}))
        walk()
        self._targets.pop()
        return target

    # ------------------------------------------------------------------ leaves

    def integer(
        self, name: str, value: Any, bits: int, signed: builtins.bool, order: str, labels: Any, default: Any
    ) -> Any:
        self.put(name, default if value is None else value)
        return value

    def bool(self, name: str, value: Any, *, default: builtins.bool | None = None) -> Any:
        self.put(name, default if value is None else value)
        return value

    def float64(self, name: str, value: Any, *, order: str = "big", default: float | None = None) -> Any:
        bits = self.kept(name)
        self.put(name, bits if bits is not None else struct.pack(">d", default if value is None else value))
        return value

    def bytes(self, name: str, value: Any, size: int, *, opaque: builtins.bool = False, default: Any = None) -> Any:
        self.put(name, default if value is None else value)
        return value

    def counted_bytes(self, name: str, value: Any, bits: int, order: str = "big", **more: Any) -> Any:
        self.put(name, value)
        return value

    def string(self, name: str, value: Any, size: int, *, default: Any = None) -> Any:
        text: str = default if value is None else value
        self.put(name, text.encode("utf-8", "surrogateescape"))
        return value

    def counted_string(self, name: str, value: Any, bits: int, order: str = "big", *, default: Any = None) -> Any:
        return self.string(name, value, len(value), default=default)

    def pad(self, name: str, size: int, *, opaque: builtins.bool = False) -> None:
        kept = self.kept(name)
        if kept is not None:
            self.put(name, kept)

    def bitmap(self, name: str, value: Any, bits: int, *, order: str = "big", default: Any = None) -> Any:
        number: int = default if value is None else value
        octets = number.to_bytes((max(bits, 0) + 63) // 64 * 8, "little")
        self.put(name, b"".join(octets[at : at + 8][::-1] for at in range(0, len(octets), 8)))
        return value

    # ------------------------------------------------------------------ parts

    def struct(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        super().struct(name, value, cls, *scope)
        self.put(name, self.made)
        return value

    def nullable(self, name: str, value: Any, cls: type[Values], *scope: Any) -> Any:
        if value is None:
            self.put(name, ("null", None))
        else:
            super().struct(name, value, cls, *scope)
            self.put(name, ("value", self.made))
        return value

    def union(
        self, name: str, value: Any, selector: Any, cases: Mapping[Any, Case], otherwise: Case | None = None
    ) -> Any:
        case = self.case_of(name, selector, cases, otherwise)
        position = list(cases).index(selector) if selector in cases else len(cases)
        union = next(f.type for f in self.definition(self.owner).fields() if f.name == name)
        assert isinstance(union, Union)
        label = alternatives(union)[position][0]
        if case[1] is None:
            self.put(name, (label, None))
        else:
            super().struct(name, value, case[1], *case[2])
            self.put(name, (label, self.made))
        return value

    def elements(self, name: str, value: Any, element: Element) -> Any:
        self.put(name, self.collect([], lambda: super(TreeOut, self).elements(name, value, element)))
        return value

    def integers(self, name: str, value: Any, count: int, bits: int, signed: builtins.bool, order: str = "big") -> Any:
        self.put(name, builtins.bytes(value) if bits == 8 and not signed else list(value))
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
        return self.integers(name, value, len(value), bits, signed, order)

    def tree(self, name: str, value: Any, key: Element, item: Element) -> Any:
        def entry(index: str, pair: Any) -> Any:
            self.put(index, self.collect({}, lambda: self.pair(index, pair, key, item)))

        return self.elements(name, value, entry)

    def subsections(
        self, owner: Values, known: Sequence[SubsectionInfo], scopes: Mapping[str, tuple[Any, ...]] | None = None
    ) -> None:
        definition = self.definition(owner)
        names = {each.name: each.asn1_name for each in definition.subsections}
        tree: Tree = {}
        for info, value in self.present_subsections(owner, known):
            self.subsection(info, value, (scopes or {}).get(info.name, ()))
            tree[names[info.name]] = self.made
        if tree:
            self._targets[-1][0]["subsections"] = tree


def _kept_entries(value: Values, definition: Definition) -> list[Tree]:
    """What travels in the component for what values do not say: all but what has a component of its own."""
    own = {each.name for each in definition.fields() if _carries_itself(each.type)} | {UNKNOWN}
    return [
        {"name": key, "data": data}
        for key, data in sorted((value._kept or {}).items())
        if key not in own and key.partition("[")[0].partition(".")[0] not in own
    ]


def _carries_itself(type_: WireType) -> bool:
    inner = getattr(type_, "element", type_)
    return isinstance(inner, Pad | Float64)
