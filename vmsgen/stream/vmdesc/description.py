"""The JSON description that QEMU puts behind a stream: what each device section holds, leaf by leaf.

It gives the exact size of every section with a FULL header, in the order of the stream, and the place, type and C name
of every leaf. It is written by QEMU's own walk over its tables (migration/vmstate.c and savevm.c), with quirks that are
undone here:

* lists and trees repeat the keys of their elements in one object, so keys are kept in order and doubled;
* QEMU 10.0 describes an array of pointers in runs, of which the first may claim the length of the whole array;
* QEMU 5.2 and 7.2 describe such an array by its first element: if that is NULL the size of the section cannot be told
  (``Description.exact`` is then false).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from vmsgen.runtime.slotted import Slotted

__all__ = ["DescribedField", "DescribedSection", "DescribedState", "Description", "Leaf"]

#: Types whose elements are described one by one.
_LISTS = frozenset(("qtailq", "qlist", "gtree"))


class DescribedField(Slotted, frozen=True):
    """A field: ``count`` elements of ``size`` bytes; ``states`` describes one element (or each one of a list or
    tree).
    """

    name: str
    type: str
    size: int
    count: int
    index: int | None
    array: bool
    states: tuple[DescribedState, ...]

    @property
    def total(self) -> int:
        """Bytes of all elements."""
        return self.size * self.count


class DescribedState(Slotted, frozen=True):
    """A VMState: its fields, and the subsections that were sent."""

    name: str
    version: int
    fields: tuple[DescribedField, ...]
    subsections: tuple[DescribedState, ...]

    @property
    def size(self) -> int:
        """Bytes of the fields and of the subsections with their headers."""
        size = sum(field.total for field in self.fields)
        return size + sum(_header(subsection) + subsection.size for subsection in self.subsections)


class Leaf(NamedTuple):
    """A leaf: ``path`` by C names (``[i]`` elements, ``<name>`` subsections), place in the section's contents, and
    QEMU's type.
    """

    path: str
    offset: int
    size: int
    type: str


class DescribedSection:
    """A device section. ``exact`` is false where the description cannot give the size (see above).

    ``made`` gives its state, and is called when that is asked for; without it there is none: QEMU says only the size.
    """

    __slots__ = ("_made", "_state", "exact", "instance", "name", "size")

    def __init__(
        self, name: str, instance: int, size: int, exact: bool = True, made: Callable[[], DescribedState] | None = None
    ) -> None:
        self.name = name
        self.instance = instance
        self.size = size
        self.exact = exact
        self._made = made
        self._state: DescribedState | None = None

    @property
    def state(self) -> DescribedState | None:
        """What the section holds."""
        if self._made is not None:
            self._state, self._made = self._made(), None
        return self._state

    def leaves(self) -> Iterator[Leaf]:
        """All leaves in the order of the wire."""
        state = self.state
        if state is None:
            yield Leaf("data", 0, self.size, "buffer")
        else:
            yield from _leaves(state, "", 0)


class Description(Slotted, frozen=True):
    """The whole description. ``page_size`` is None if it is not given."""

    page_size: int | None
    sections: tuple[DescribedSection, ...]


def _header(state: DescribedState) -> int:
    """Bytes before the fields of a subsection: mark, name with its length, version."""
    return 1 + 1 + len(state.name.encode("utf-8", "surrogateescape")) + 4


def _leaves(state: DescribedState, path: str, offset: int) -> Iterator[Leaf]:
    prefix = f"{path}." if path else ""
    position: dict[str, int] = {}
    for field in state.fields:
        name = prefix + field.name
        first = position.get(field.name, 0)
        elements = field.array or field.index is not None or first > 0
        if field.index is not None:
            first = field.index
        position[field.name] = first + field.count
        # (elements without bytes would only repeat themselves, up to 2^31 times)
        for step in range(field.count if field.size else min(field.count, 1)):
            place = f"{name}[{first + step}]" if elements else name
            start = offset + step * field.size
            if not field.states:
                yield Leaf(place, start, field.size, field.type)
            elif field.type in _LISTS:
                yield from _list_leaves(field, place, start)
            else:
                yield from _leaves(field.states[0], place, start)
        offset += field.total
    for subsection in state.subsections:
        offset += _header(subsection)
        yield from _leaves(subsection, f"{prefix}<{subsection.name}>", offset)
        offset += subsection.size


def _list_leaves(field: DescribedField, place: str, start: int) -> Iterator[Leaf]:
    """Elements of a list (01 before each, 00 at the end). The keys of a tree and its count are one leaf with their
    element.
    """
    if field.type == "gtree" or sum(1 + state.size for state in field.states) + 1 != field.size:
        yield Leaf(place, start, field.size, field.type)
        return
    at = start
    for number, state in enumerate(field.states):
        yield Leaf(f"{place}[{number}]", at, 1, "mark")
        yield from _leaves(state, f"{place}[{number}]", at + 1)
        at += 1 + state.size
    yield Leaf(place, at, 1, "mark")
