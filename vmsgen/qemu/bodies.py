"""What a source says of a VMState, without the quirks of how it says it.

A :class:`Body` is one description: its items in wire order and its subsections. Bodies of a vmdesc say what one section
held, with types and counts; those of ``-dump-vmstate`` say what a section may hold, with predicates and versions but no
types. Both are immutable and compare by value, so that the same body of a thousand streams is kept once.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from vmsgen.qemu.names import check_field_name, check_wire_name
from vmsgen.runtime.errors import LimitError
from vmsgen.stream.vmdesc.description import DescribedField, DescribedState

__all__ = ["Body", "Item", "Kind", "Runs", "body_of_vmdesc", "walk"]

#: ``leaf``: bytes of QEMU's ``type``; ``struct``; ``tmp``: a struct that stands in its user's place; ``list``: a linked
#: list; ``tree``: a GTree.
Kind: TypeAlias = Literal["leaf", "struct", "tmp", "list", "tree"]

#: Elements in runs of equal ones: how many, and what they are (None: NULL pointers).
Runs: TypeAlias = "tuple[tuple[int, Body | None], ...]"

MAX_ITEMS = 20_000  # of one body; the largest of QEMU 10.0 have about 1,500
MAX_LEVELS = 5  # of subsections inside of subsections; QEMU 10.0 has 1
MAX_SUBSECTIONS = 1_000  # of one body; QEMU 10.0 has 40 at most

_KINDS: dict[str, Kind] = {
    "struct": "struct",
    "vstruct": "struct",
    "tmp": "tmp",
    "qtailq": "list",
    "qlist": "list",
    "gtree": "tree",
}


@dataclass(frozen=True, slots=True)
class Item:
    """A field. ``type`` is QEMU's name of it, empty in a dump; ``size`` the bytes of one element (in memory, in a dump;
    0 for what has an inner description); ``count`` the elements, None where it is no array or the source does not say.
    """

    name: str
    kind: Kind
    type: str
    size: int
    count: int | None
    runs: Runs = ()
    #: the rest is said by a dump alone: the field's version, whether a predicate decides about it, and whether the dump
    #: would say the length of an array of fixed length (QEMU 10.0 does)
    since: int = 0
    predicate: bool = False
    counts_said: bool = False

    def bodies(self) -> Iterator[Body]:
        """The bodies of its elements."""
        return (body for _, body in self.runs if body is not None)

    @property
    def nullable(self) -> bool:
        """Whether an element is a NULL pointer."""
        return any(body is None for _, body in self.runs)


@dataclass(frozen=True)
class Body:
    """A description of the VMState ``name``. ``minimum`` and ``dumped`` come with a dump."""

    name: str
    version: int
    items: tuple[Item, ...]
    subsections: tuple[Body, ...] = ()
    minimum: int | None = None
    dumped: bool = False
    #: written by hand in QEMU (``save_state``): no subsection is looked for behind it
    old_style: bool = field(default=False)

    @cached_property
    def _hash(self) -> int:
        return hash((self.name, self.version, self.items, self.subsections, self.dumped))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Body):
            return NotImplemented
        return self is other or (
            self._hash == other._hash
            and (self.name, self.version, self.minimum, self.dumped, self.old_style)
            == (other.name, other.version, other.minimum, other.dumped, other.old_style)
            and self.items == other.items
            and self.subsections == other.subsections
        )


def walk(body: Body) -> Iterator[Body]:
    """``body`` and every description inside of it, subsections left out (they belong to their owner)."""
    yield body
    for item in body.items:
        for inner in item.bodies():
            yield from walk(inner)
    for subsection in body.subsections:
        for item in subsection.items:
            for inner in item.bodies():
                yield from walk(inner)
        for deeper in subsection.subsections:
            yield from itertools.islice(walk(deeper), 1, None)


def body_of_vmdesc(state: DescribedState, where: str = "", level: int = 0) -> Body:
    """The body that a vmdesc tells of; ``level``: how many subsections it is inside of. Raises DataError for a name
    that cannot be one, LimitError.
    """
    name = check_wire_name(state.name)
    where = f"{where}/{name}" if where else name
    if level > MAX_LEVELS:
        raise LimitError(f"{where}: subsections inside of subsections, more than {MAX_LEVELS} deep")
    if len(state.fields) > MAX_ITEMS or len(state.subsections) > MAX_SUBSECTIONS:
        raise LimitError(
            f"{where}: {len(state.fields)} fields and {len(state.subsections)} subsections are above the limits of "
            f"{MAX_ITEMS} and {MAX_SUBSECTIONS}"
        )
    return Body(
        name,
        state.version,
        tuple(_item(group, where) for group in _groups(state.fields)),
        tuple(body_of_vmdesc(inner, where, level + 1) for inner in state.subsections),
    )


def _groups(fields: Sequence[DescribedField]) -> Iterator[list[DescribedField]]:
    """Fields that are one array: QEMU describes its elements one by one where they may differ, and NULL pointers apart.

    Two fields of one name would have got a suffix (``migration/vmstate.c``, ``vmfield_name_num``, QEMU 10.0), so
    neighbours of one name are one array. A NULL in an array whose name has a suffix is called ``name[-1]``.
    """
    group: list[DescribedField] = []
    for each in fields:
        if group and not _continues(group, each):
            yield group
            group = []
        group.append(each)
    if group:
        yield group


def _continues(group: list[DescribedField], each: DescribedField) -> bool:
    first, name = group[0].name, _plain_name(each)
    if name == _plain_name(group[0]):
        # an index that begins again is another array
        return each.index is None or each.index > max((one.index or 0 for one in group), default=0)
    nulls = each.type == "nullptr" or all(one.type == "nullptr" for one in group)
    return nulls and _without_suffix(name) == _without_suffix(first) and _is_null_name(each, group)


def _is_null_name(each: DescribedField, group: list[DescribedField]) -> bool:
    return each.name.endswith("[-1]") or group[0].name.endswith("[-1]")


def _plain_name(each: DescribedField) -> str:
    return each.name.removesuffix("[-1]") if each.type == "nullptr" else each.name


def _without_suffix(name: str) -> str:
    head, bracket, tail = name.rpartition("[")
    return head if bracket and tail[:-1].isdigit() and tail.endswith("]") else name


def _item(group: list[DescribedField], where: str) -> Item:
    first = next((one for one in group if one.type != "nullptr"), group[0])
    name = check_field_name(_plain_name(first), where)
    place = f"{where}.{name}"
    kind = _KINDS.get(first.type, "leaf")
    array = len(group) > 1 or any(one.array or one.index is not None for one in group)
    count = sum(one.count for one in group) if array else None
    if kind in ("list", "tree"):
        # the states are those of the elements, and several lists of one name are an array of lists
        inner = _runs((1, body_of_vmdesc(state, place)) for one in group for state in one.states)
        return Item(name, kind, first.type, 0, count, inner)
    pointers = any(one.type == "nullptr" or _unsaid(one) for one in group)
    if kind == "leaf" and not pointers:
        return Item(name, kind, first.type, first.size, count)
    if kind == "leaf" and first.type == "nullptr":
        return Item(name, "struct", "nullptr", 0, count, _runs((one.count, None) for one in group))
    if kind == "leaf":
        # pointers to values: only a struct can be NULL, so the value becomes one
        value = Body(first.type, 1, (Item("value", "leaf", first.type, first.size, None),))
        runs = _runs((one.count, None if one.type == "nullptr" else value) for one in group)
        return Item(name, "struct", first.type, 0, count, runs)
    return Item(
        name,
        kind,
        first.type,
        0,
        count,
        _runs(
            (one.count, None if one.type == "nullptr" or not one.states else body_of_vmdesc(one.states[0], place))
            for one in group
        ),
    )


def _unsaid(one: DescribedField) -> bool:
    """A NULL pointer as QEMU 5.2 and 7.2 describe it, and with it all the array: an empty struct of one byte."""
    return one.type == "struct" and not one.states


def _runs(elements: Iterable[tuple[int, Body | None]]) -> Runs:
    """Neighbours that are equal as one run."""
    found: list[tuple[int, Body | None]] = []
    for count, body in elements:
        if found and found[-1][1] == body:
            found[-1] = (found[-1][0] + count, body)
        elif count:
            found.append((count, body))
    return tuple(found)
