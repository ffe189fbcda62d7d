"""The shape of an item: what must agree for two items to be one field."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from vmsgen.qemu.align import Label, bare_name
from vmsgen.qemu.bodies import Body, Item
from vmsgen.qemu.leaves import leaf_of_vmdesc

__all__ = ["Shape", "alike", "labels_of"]


@dataclass(frozen=True, slots=True)
class Shape:
    """``kind`` as an item has it; for leaves the family and size of their type, for others the VMStates inside."""

    kind: str
    family: tuple[str, int]
    size: int
    count: int | None
    inner: frozenset[str]
    dumped: bool


def alike(left: object, right: object) -> bool:
    """Whether two shapes may be one field in two descriptions."""
    assert isinstance(left, Shape) and isinstance(right, Shape)
    if left.dumped or right.dumped:
        # a dump does not tell lists from structs, nor types of leaves
        if (left.kind == "leaf") != (right.kind == "leaf"):
            return False
        return not left.inner or not right.inner or bool(left.inner & right.inner)
    if left.kind != right.kind:
        return False
    if left.kind != "leaf":
        return not left.inner or not right.inner or bool(left.inner & right.inner)
    if left.family == right.family:
        return True
    if left.family[0] == right.family[0] == "int":
        return {left.size, right.size} == {4, 8}  # target_ulong, or nothing that can be told apart here
    return False


@lru_cache(maxsize=1 << 16)
def _shape(kind: str, type_name: str, size: int, count: int | None, inner: frozenset[str], dumped: bool) -> Shape:
    family = leaf_of_vmdesc(type_name, size).family if kind == "leaf" and not dumped else ("", 0)
    return Shape(kind, family, size, count, inner, dumped)


def _label(item: Item, dumped: bool) -> Label:
    inner = frozenset(body.name for body in item.bodies())
    shape = _shape(item.kind, item.type if item.kind == "leaf" else "", item.size, item.count, inner, dumped)
    return Label(item.name, bare_name(item.name), shape)


def labels_of(body: Body) -> tuple[Label, ...]:
    """The labels of a body's items, by which it is aligned with others."""
    return tuple(_label(item, body.dumped) for item in body.items)
