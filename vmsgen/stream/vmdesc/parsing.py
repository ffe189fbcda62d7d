"""QEMU's description from its JSON, whose objects are kept as pairs: lists repeat the keys of their elements in one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TypeAlias

from vmsgen.runtime.errors import DataError, LimitError
from vmsgen.runtime.garbage import uncollected
from vmsgen.stream.vmdesc import MAX_BYTES
from vmsgen.stream.vmdesc.description import DescribedField, DescribedSection, DescribedState, Description
from vmsgen.stream.vmdesc.entries import Entry
from vmsgen.stream.vmdesc.measuring import Measured, measured

__all__ = ["parse_vmdesc"]

_MAX_OBJECTS = 500_000  # of JSON; that one has 3,000, and each takes some hundred bytes of memory
_MAX_COUNT = 1 << 31
_MAX_DEPTH = 100

#: Types whose description stands in the field's own object, once per element.
_INLINE = frozenset(("vstruct", "tmp", "qtailq", "qlist", "gtree"))

#: An object of JSON, with the order and the repetition of its keys. (A list is a list.)
_Pairs: TypeAlias = tuple[tuple[str, object], ...]


def parse_vmdesc(data: bytes | memoryview) -> Description:
    """Parses the description. Raises DataError if it is not one, LimitError if it is out of all proportion."""
    if len(data) > MAX_BYTES:
        raise LimitError(f"a vmdesc of {len(data)} bytes is above the limit of {MAX_BYTES}")
    text = bytes(data)
    if text.count(b"{") > _MAX_OBJECTS:
        raise LimitError(f"a vmdesc of more than {_MAX_OBJECTS} objects")
    with uncollected():
        found = measured(text)
        return _whole(text) if found is None else _in_pieces(text, found)


def _whole(text: bytes) -> Description:
    """All of a text, whatever its form. Raises DataError."""
    top = _pairs(text)
    devices = _first(top, "devices") if isinstance(top, tuple) else None
    if not isinstance(top, tuple) or not isinstance(devices, list):
        raise DataError("expected a vmdesc with a list of devices")
    return _description(_first(top, "page_size"), [_section(device, at) for at, device in enumerate(devices)])


def _in_pieces(text: bytes, found: Measured) -> Description:
    """A text of the form that QEMU gives it: mostly the sizes of the sections are all that is asked for. Raises
    DataError.
    """
    sections = []
    for number, (entry, known) in enumerate(found.sections):
        if known is None:
            sections.append(_section(_pairs(text[entry.start : entry.end]), number))
        else:
            made = partial(_made, text, entry, number) if known.described else None
            sections.append(DescribedSection(known.name, known.instance, known.size, known.exact, made))
    return _description(found.page_size, sections)


def _made(text: bytes, entry: Entry, number: int) -> DescribedState:
    """What a section holds that was measured. Raises DataError."""
    where = f"devices[{number}]"
    return _states(_object(_pairs(text[entry.start : entry.end]), where), where, 0)[0]


def _description(page_size: object, sections: list[DescribedSection]) -> Description:
    return Description(page_size if type(page_size) is int else None, tuple(sections))


def _pairs(text: bytes) -> object:
    """What JSON says, with the order and the repetition of keys. Raises DataError."""
    try:
        # QEMU 5.2 does not escape its strings; a name that is not UTF-8 must not hide the rest
        return json.loads(text.decode("utf-8", "surrogateescape"), object_pairs_hook=tuple, strict=False)
    except RecursionError:
        raise LimitError("the vmdesc is nested too deeply") from None
    except ValueError as error:
        raise DataError(f"expected a vmdesc in JSON: {error}") from None


def _section(device: object, number: int) -> DescribedSection:
    """A section, all of whose contents are looked at. Raises DataError."""
    where = f"devices[{number}]"
    pairs = _object(device, where)
    name = _text(_first(pairs, "name"), f"{where}.name")
    instance = _number(_first(pairs, "instance_id"), f"{where}.instance_id", 0xFFFFFFFF)
    if _first(pairs, "vmsd_name") is None:
        return DescribedSection(name, instance, _number(_first(pairs, "size"), f"{where}.size"))
    state = _states(pairs, where, 0)[0]
    return DescribedSection(name, instance, state.size, _exact(state), lambda: state)


def _first(pairs: Iterable[tuple[str, object]], key: str) -> object:
    for name, value in pairs:
        if name == key:
            return value
    return None


def _object(value: object, where: str) -> _Pairs:
    if not isinstance(value, tuple):
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
    found: list[list[tuple[str, object]]] = []
    for key, value in pairs:
        if key == "vmsd_name":
            found.append([])
        if found and key in ("vmsd_name", "version", "fields", "subsections"):
            found[-1].append((key, value))
    return [_state(one, where, depth) for one in found]


def _state(pairs: Iterable[tuple[str, object]], where: str, depth: int) -> DescribedState:
    name = _text(_first(pairs, "vmsd_name"), f"{where}.vmsd_name")
    fields = _first(pairs, "fields")
    subsections = _first(pairs, "subsections")
    for part, key in ((fields, "fields"), (subsections, "subsections")):
        if part is not None and not isinstance(part, list):
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
        _number(_first(pairs, "version"), f"{where}.version"),
        tuple(_cut_first_runs(parsed)),
        tuple(inner),
    )


def _as_list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _field(pairs: _Pairs, where: str, depth: int) -> DescribedField:
    kind = _text(_first(pairs, "type"), f"{where}.type")
    length = _first(pairs, "array_len")
    index = _first(pairs, "index")
    struct = _first(pairs, "struct")
    states: list[DescribedState] = []
    if kind in _INLINE:
        states = _states(pairs, where, depth)
    elif struct is not None:
        states = _states(_object(struct, f"{where}.struct"), f"{where}.struct", depth)[:1]
    return DescribedField(
        _text(_first(pairs, "name"), f"{where}.name"),
        kind,
        _number(_first(pairs, "size"), f"{where}.size"),
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
