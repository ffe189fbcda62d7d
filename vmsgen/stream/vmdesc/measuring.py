"""How long the contents of each section are by the description, found without making objects of what it says.

Every value that :mod:`vmsgen.stream.vmdesc.parsing` looks at is looked at here, too. What does not have the form that
QEMU gives it as a rule is left to that.
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from vmsgen.stream.vmdesc.entries import Entry, cut

__all__ = ["Measure", "Measured", "measured"]

_KEPT = 1 << 20  # bytes of descriptions that are remembered; 221 streams of QEMU 7.2 have 327 in 0.6 MB

_MAX_COUNT = 1 << 31
_MAX_INSTANCE = (1 << 32) - 1
_MAX_DEPTH = 100
_HEADER = 6  # bytes of a subsection before its fields: mark, length of its name, version; and the name

# Keys of objects in their order, as QEMU 5.2, 7.2 and 10.0 write them (migration/vmstate.c and savevm.c)
_OPAQUE = ("name", "instance_id", "size", "fields")
_STATE = ("vmsd_name", "version", "fields")
_LEAF = ("name", "type", "size")
_LEAVES = ("name", "array_len", "type", "size")
_NUMBERED_LEAF = ("name", "index", "type", "size")
_STRUCT = ("name", "type", "struct", "size")
_STRUCTS = ("name", "array_len", "type", "struct", "size")
_NUMBERED_STRUCT = ("name", "index", "type", "struct", "size")
_INSIDE = ("name", "type", *_STATE, "size")

#: Types that only the parser understands: lists repeat keys, and a NULL says something of the field before it.
_OTHERS = frozenset(("qtailq", "qlist", "gtree", "nullptr"))
#: Types whose state stands in the field itself.
_INLINE = frozenset(("vstruct", "tmp"))


class Measure(NamedTuple):
    """A section: its name and instance, the size of its contents, whether that is exact, whether more is said of it."""

    name: str
    instance: int
    size: int
    exact: bool
    described: bool


class Measured(NamedTuple):
    """A description: the page size as it stands there, and all sections with the places of their descriptions in the
    text; None for a section that is the parser's to say.
    """

    page_size: object
    sections: list[tuple[Entry, Measure | None]]


class _Unusual(Exception):
    """Something that is left to the parser."""


class _Known:
    """What was measured. Streams of like machines describe most of their sections alike, octet for octet."""

    def __init__(self) -> None:
        self._found: dict[bytes, tuple[int, bool, bool]] = {}
        self._kept = 0

    def get(self, inside: bytes) -> tuple[int, bool, bool] | None:
        """Size, exactness, whether more is said, of a description that was measured before."""
        return self._found.get(inside)

    def put(self, inside: bytes, measure: Measure) -> None:
        """Keeps a description, as long as they are not too many."""
        if len(inside) > _KEPT // 8:
            return
        self._kept += len(inside)
        if self._kept > _KEPT:
            self._found.clear()
            self._kept = len(inside)
        self._found[inside] = measure[2:]


_KNOWN: Final = _Known()


def measured(text: bytes) -> Measured | None:
    """The sizes of all sections; None for a text that is the parser's to say."""
    found = cut(text)
    if found is None:
        return None
    try:
        top = _DECODER.decode(_text(found.frame))
        if type(top) is not dict or top.get("devices") != [] or not _once(_keys(top), found.frame):
            return None
        return Measured(top.get("page_size"), [(entry, _measure(text, entry)) for entry in found.entries])
    except (_Unusual, ValueError, RecursionError):
        return None


def _measure(text: bytes, entry: Entry) -> Measure | None:
    """A section, None if that is the parser's to say. Raises ValueError, RecursionError, _Unusual where its description
    is no object of JSON.
    """
    inside = text[entry.inside : entry.end]
    known = _KNOWN.get(inside)
    if known is not None and entry.instance <= _MAX_INSTANCE:
        return Measure(_text(entry.name), entry.instance, *known)
    whole = text[entry.start : entry.end]
    device = _DECODER.decode(_text(whole))
    # an escape may be half of a character, and what is equal to an integer need not be one
    if b"\\u" in whole or b"true" in whole or b"false" in whole:
        return None
    ruler = _Ruler()
    measure = ruler.device(device)
    if not _once(ruler.keys, whole):
        return None
    if measure is not None:
        _KNOWN.put(inside, measure)
    return measure


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _once(keys: int, text: bytes) -> bool:
    """Whether these are all keys of a text: one that repeats was seen once. (In a string, the quote before the colon
    stands behind a backslash.)
    """
    return keys == text.count(b'":') or keys == text.count(b'":') + text.count(b'" :')


def _refused(text: str) -> object:
    raise _Unusual


_DECODER: Final = json.JSONDecoder(parse_float=_refused, strict=False)


def _keys(value: Any) -> int:
    """How many keys the objects of a value have."""
    if type(value) is dict:
        return len(value) + sum(map(_keys, value.values()))
    return sum(map(_keys, value)) if type(value) is list else 0


class _Ruler:
    """Measures sections, and counts the keys of what it measured."""

    def __init__(self) -> None:
        self.keys = 0

    def device(self, device: Any) -> Measure | None:
        """A section, None if that is the parser's to say."""
        before = self.keys
        try:
            return self._device(device)
        except (_Unusual, TypeError, ValueError, AttributeError):
            self.keys = before + _keys(device)
            return None

    def _device(self, device: Any) -> Measure:
        names, (name, instance, *rest) = tuple(device), device.values()
        if type(device) is not dict or type(name) is not str or not _is_number(instance, _MAX_INSTANCE):
            raise _Unusual
        if names == _OPAQUE:
            self.keys += _keys(device)
            size = device["size"]
            if not _is_number(size):
                raise _Unusual
            return Measure(name, instance, size, True, False)
        if names[:2] != _OPAQUE[:2]:
            raise _Unusual
        self.keys += 2
        return Measure(name, instance, *self._state(names[2:], tuple(rest), 0), True)

    def _state(self, names: tuple[str, ...], values: tuple[Any, ...], depth: int) -> tuple[int, bool]:
        """Size of a state, given the keys of its object and what they are, and whether it is exact."""
        subsections: Any = []
        if names == _STATE:
            name, version, fields = values
        elif names == (*_STATE, "subsections"):
            name, version, fields, subsections = values
        else:
            raise _Unusual
        if type(name) is not str or type(fields) is not list or type(subsections) is not list:
            raise _Unusual
        if depth > _MAX_DEPTH or not _is_number(version):
            raise _Unusual
        self.keys += len(names)
        total, exact = self._fields(fields, depth)
        for subsection in subsections:
            size, sure = self._object(subsection, depth + 1)
            total += _HEADER + len(subsection["vmsd_name"].encode("utf-8", "surrogateescape")) + size
            exact = exact and sure
        return total, exact

    def _object(self, value: Any, depth: int) -> tuple[int, bool]:
        """As :meth:`_state`, for a state with an object of its own."""
        if type(value) is not dict:
            raise _Unusual
        return self._state(tuple(value), tuple(value.values()), depth)

    def _fields(self, fields: list[Any], depth: int) -> tuple[int, bool]:
        """Size of all fields of a state, and whether it is exact."""
        total = keys = 0
        exact = True
        last: Any = None  # the elements of an array are mostly described alike
        last_keys = 0
        last_exact = True
        for field in fields:
            names = tuple(field)
            keys += len(names)
            count = 1
            inner: Any = None
            if names == _LEAF:
                name, kind, size = field.values()
            elif names == _LEAVES:
                name, count, kind, size = field.values()
            elif names == _STRUCT:
                name, kind, inner, size = field.values()
            elif names == _NUMBERED_STRUCT:
                name, index, kind, inner, size = field.values()
                if not _is_number(index):
                    raise _Unusual
            elif names == _STRUCTS:
                name, count, kind, inner, size = field.values()
            elif names == _NUMBERED_LEAF:
                name, index, kind, size = field.values()
                if not _is_number(index):
                    raise _Unusual
            elif names == _INSIDE and field["type"] in _INLINE:
                name, kind, *state, size = field.values()
                keys -= len(_STATE)
                exact &= self._state(_STATE, tuple(state), depth + 1)[1]
            else:
                raise _Unusual
            if type(name) is not str or type(kind) is not str or type(size) is not int or type(count) is not int:
                raise _Unusual
            if not 0 <= size <= _MAX_COUNT or not 0 <= count <= _MAX_COUNT or kind in _OTHERS:
                raise _Unusual
            if inner is not None:
                if kind in _INLINE:
                    raise _Unusual
                if inner != last:
                    before = self.keys
                    last_exact = self._object(inner, depth + 1)[1]
                    last, last_keys = inner, self.keys - before
                else:
                    keys += last_keys
                exact &= last_exact
            elif kind == "struct" and size == 1:
                exact = False
            total += size * count
        self.keys += keys
        return total, exact


def _is_number(value: Any, most: int = _MAX_COUNT) -> bool:
    return type(value) is int and 0 <= value <= most
