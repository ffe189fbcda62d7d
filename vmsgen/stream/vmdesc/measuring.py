"""How long the contents of a section are by its description, found without making objects of what it says.

Every value that :mod:`vmsgen.stream.vmdesc.parsing` looks at is looked at here. What does not have the form that QEMU
gives it as a rule, such as a list that repeats its keys, is left to that.
"""

from __future__ import annotations

from typing import Any

__all__ = ["measured"]

_MAX_COUNT = 1 << 31
_MAX_DEPTH = 100
_HEADER = 6  # bytes of a subsection's before its fields: mark, length of its name, version; and the name

# Keys of objects in their order, as QEMU 5.2, 7.2 and 10.0 write them (migration/vmstate.c and savevm.c)
_DEVICE = ("name", "instance_id", "vmsd_name", "version", "fields")
_STATE = ("vmsd_name", "version", "fields")
_LEAF = ("name", "type", "size")
_LEAVES = ("name", "array_len", "type", "size")
_NUMBERED_LEAF = ("name", "index", "type", "size")
_STRUCT = ("name", "type", "struct", "size")
_STRUCTS = ("name", "array_len", "type", "struct", "size")
_NUMBERED_STRUCT = ("name", "index", "type", "struct", "size")
_INSIDE = ("name", "type", "vmsd_name", "version", "fields", "size")

#: Types whose elements the parser has to look at: in the field itself, or as what the size before it depends on.
_OTHERS = frozenset(("qtailq", "qlist", "gtree", "nullptr"))
#: Types whose state stands in the field itself.
_INLINE = frozenset(("vstruct", "tmp"))


class _Unusual(Exception):
    """Something that is left to the parser."""


def measured(device: tuple[tuple[str, object], ...]) -> tuple[int, bool] | None:
    """Size of a device's state, and whether it is exact; None if that is the parser's to say."""
    try:
        names: tuple[str, ...]
        names, values = zip(*device, strict=True)
        if names[:5] != _DEVICE:
            return None
        return _state(names[2:], values[2:], 0)
    except (_Unusual, TypeError, ValueError):
        return None


def _object(value: Any) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    if type(value) is not tuple:
        raise _Unusual
    names, values = zip(*value, strict=True)
    return names, values


def _state(names: tuple[str, ...], values: tuple[Any, ...], depth: int) -> tuple[int, bool]:
    """A state, given the keys of its object and what they are."""
    subsections: Any = ()
    if names == _STATE:
        name, version, fields = values
    elif names == (*_STATE, "subsections"):
        name, version, fields, subsections = values
        if type(subsections) is not list:
            raise _Unusual
    else:
        raise _Unusual
    if depth > _MAX_DEPTH or type(name) is not str or type(fields) is not list or not _is_number(version):
        raise _Unusual
    total, exact = _fields(fields, depth)
    for subsection in subsections:
        names, values = _object(subsection)
        size, sure = _state(names, values, depth + 1)
        total += _HEADER + len(values[0].encode("utf-8", "surrogateescape")) + size
        exact = exact and sure
    return total, exact


def _fields(fields: list[Any], depth: int) -> tuple[int, bool]:
    """Size of all fields of a state, and whether it is exact."""
    total = 0
    exact = True
    for field in fields:
        if type(field) is not tuple:
            raise _Unusual
        names, values = zip(*field, strict=True)
        count = 1
        inner: Any = None
        if names == _LEAF:
            name, kind, size = values
        elif names == _LEAVES:
            name, count, kind, size = values
        elif names == _STRUCT:
            name, kind, inner, size = values
        elif names == _NUMBERED_STRUCT:
            name, index, kind, inner, size = values
            if not _is_number(index):
                raise _Unusual
        elif names == _STRUCTS:
            name, count, kind, inner, size = values
        elif names == _NUMBERED_LEAF:
            name, index, kind, size = values
            if not _is_number(index):
                raise _Unusual
        elif names == _INSIDE and values[1] in _INLINE:
            name, kind, size = values[0], values[1], values[5]
            exact &= _state(_STATE, values[2:5], depth + 1)[1]
        else:
            raise _Unusual
        if type(name) is not str or type(kind) is not str or type(size) is not int or type(count) is not int:
            raise _Unusual
        if not 0 <= size <= _MAX_COUNT or not 0 <= count <= _MAX_COUNT or kind in _OTHERS:
            raise _Unusual
        if inner is not None:
            if kind in _INLINE:
                raise _Unusual
            names, values = _object(inner)
            exact &= _state(names, values, depth + 1)[1]
        elif kind == "struct" and size == 1:
            exact = False
        total += size * count
    return total, exact


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MAX_COUNT
