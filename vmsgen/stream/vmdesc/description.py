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

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vmsgen.runtime.errors import DataError, LimitError

__all__ = ["DescribedField", "DescribedSection", "DescribedState", "Description", "Leaf", "parse_vmdesc"]

MAX_BYTES = 16 << 20  # the largest of QEMU 5.2, 7.2 and 10.0 that was seen has 159 kB
_MAX_OBJECTS = 500_000  # of JSON; that one has 3,000, and each takes some hundred bytes of memory
_MAX_COUNT = 1 << 31
_MAX_DEPTH = 100

#: Types whose description stands in the field's own object, once per element.
_INLINE = frozenset(("vstruct", "tmp", "qtailq", "qlist", "gtree"))


class _Pairs(list[tuple[str, object]]):
    """A JSON object with the order and the repetition of its keys."""

    def first(self, key: str) -> object:
        for name, value in self:
            if name == key:
                return value
        return None


@dataclass(frozen=True, slots=True)
class DescribedField:
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


@dataclass(frozen=True, slots=True)
class DescribedState:
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


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf: ``path`` by C names (``[i]`` elements, ``<name>`` subsections), place in the section's contents, and
    QEMU's type.
    """

    path: str
    offset: int
    size: int
    type: str


@dataclass(frozen=True, slots=True)
class DescribedSection:
    """A device section. ``exact`` is false where the description cannot give the size (see above)."""

    name: str
    instance: int
    state: DescribedState | None
    size: int
    exact: bool = True

    def leaves(self) -> Iterator[Leaf]:
        """All leaves in the order of the wire."""
        if self.state is None:
            yield Leaf("data", 0, self.size, "buffer")
        else:
            yield from _leaves(self.state, "", 0)


@dataclass(frozen=True, slots=True)
class Description:
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
            elif field.type in _INLINE and field.type not in ("vstruct", "tmp"):
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


def parse_vmdesc(data: bytes | memoryview) -> Description:
    """Parses the description. Raises DataError if it is not one, LimitError if it is out of all proportion."""
    if len(data) > MAX_BYTES:
        raise LimitError(f"a vmdesc of {len(data)} bytes is above the limit of {MAX_BYTES}")
    text = bytes(data)
    if text.count(b"{") > _MAX_OBJECTS:
        raise LimitError(f"a vmdesc of more than {_MAX_OBJECTS} objects")
    try:
        # QEMU 5.2 does not escape its strings; a name that is not UTF-8 must not hide the rest
        top = json.loads(text.decode("utf-8", "surrogateescape"), object_pairs_hook=_Pairs, strict=False)
    except RecursionError:
        raise LimitError("the vmdesc is nested too deeply") from None
    except ValueError as error:
        raise DataError(f"expected a vmdesc in JSON: {error}") from None
    devices = top.first("devices") if isinstance(top, _Pairs) else None
    if not isinstance(top, _Pairs) or not _is_list(devices):
        raise DataError("expected a vmdesc with a list of devices")
    assert isinstance(devices, list)
    page_size = top.first("page_size")
    return Description(
        page_size if isinstance(page_size, int) and not isinstance(page_size, bool) else None,
        tuple(_section(device, f"devices[{number}]") for number, device in enumerate(devices)),
    )


def _is_list(value: object) -> bool:
    return isinstance(value, list) and not isinstance(value, _Pairs)


def _object(value: object, where: str) -> _Pairs:
    if not isinstance(value, _Pairs):
        raise DataError(f"vmdesc: expected an object at {where}")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"vmdesc: expected a text at {where}")
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a pair, escaped in JSON
        raise DataError(f"vmdesc: the text at {where} holds a character that is not printable") from None
    return value


def _number(value: object, where: str, most: int = _MAX_COUNT) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise DataError(f"vmdesc: expected a number from 0 to {most} at {where}")
    return value


def _section(value: object, where: str) -> DescribedSection:
    device = _object(value, where)
    name = _text(device.first("name"), f"{where}.name")
    instance = _number(device.first("instance_id"), f"{where}.instance_id", 0xFFFFFFFF)
    if device.first("vmsd_name") is None:
        return DescribedSection(name, instance, None, _number(device.first("size"), f"{where}.size"))
    state = _states(device, where, 0)[0]
    return DescribedSection(name, instance, state, state.size, _exact(state))


def _exact(state: DescribedState) -> bool:
    for field in state.fields:
        if field.type == "struct" and not field.states and field.size == 1:
            return False
        if not all(_exact(inner) for inner in field.states):
            return False
    return all(_exact(subsection) for subsection in state.subsections)


def _states(pairs: _Pairs, where: str, depth: int) -> list[DescribedState]:
    """The states in an object: each ``vmsd_name`` begins one, to which the keys after it belong."""
    if depth > _MAX_DEPTH:
        raise LimitError("the vmdesc is nested too deeply")
    found: list[_Pairs] = []
    for key, value in pairs:
        if key == "vmsd_name":
            found.append(_Pairs())
        if found and key in ("vmsd_name", "version", "fields", "subsections"):
            found[-1].append((key, value))
    return [_state(one, where, depth) for one in found]


def _state(pairs: _Pairs, where: str, depth: int) -> DescribedState:
    name = _text(pairs.first("vmsd_name"), f"{where}.vmsd_name")
    fields = pairs.first("fields")
    subsections = pairs.first("subsections")
    for part, key in ((fields, "fields"), (subsections, "subsections")):
        if part is not None and not _is_list(part):
            raise DataError(f"vmdesc: expected a list at {where}.{key}")
    parsed = [
        _field(_object(one, f"{where}.fields[{number}]"), f"{where}.fields[{number}]", depth + 1)
        for number, one in enumerate(_as_list(fields))
    ]
    inner: list[DescribedState] = []
    for number, one in enumerate(_as_list(subsections)):
        place = f"{where}.subsections[{number}]"
        inner += _states(_object(one, place), place, depth + 1)
    return DescribedState(
        name,
        _number(pairs.first("version"), f"{where}.version"),
        tuple(_cut_first_runs(parsed)),
        tuple(inner),
    )


def _as_list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _field(pairs: _Pairs, where: str, depth: int) -> DescribedField:
    kind = _text(pairs.first("type"), f"{where}.type")
    length = pairs.first("array_len")
    index = pairs.first("index")
    struct = pairs.first("struct")
    states: list[DescribedState] = []
    if kind in _INLINE:
        states = _states(pairs, where, depth)
    elif struct is not None:
        states = _states(_object(struct, f"{where}.struct"), f"{where}.struct", depth)[:1]
    return DescribedField(
        _text(pairs.first("name"), f"{where}.name"),
        kind,
        _number(pairs.first("size"), f"{where}.size"),
        1 if length is None else _number(length, f"{where}.array_len"),
        None if index is None else _number(index, f"{where}.index"),
        length is not None,
        tuple(states),
    )


def _cut_first_runs(fields: list[DescribedField]) -> list[DescribedField]:
    """Undoes the wrong length of the first run of an array of pointers, see QEMU 10.0, vmstate_save_vmsd_v()."""
    done: list[DescribedField] = []
    at = 0
    while at < len(fields):
        stop = at + 1
        while stop < len(fields) and fields[stop].name == fields[at].name:
            stop += 1
        run = fields[at:stop]
        later = sum(field.count for field in run[1:])
        first = run[0]
        if later and first.array and first.type != "nullptr" and any(field.type == "nullptr" for field in run):
            cut = max(first.count - later, 0)
            run[0] = DescribedField(first.name, first.type, first.size, cut, first.index, first.array, first.states)
        done += run
        at = stop
    return done
