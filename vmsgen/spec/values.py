"""What a wire type is as a value in expressions."""

from __future__ import annotations

from vmsgen.spec.expression import ValueType
from vmsgen.spec.wire_types import (
    Array,
    Bitmap,
    Bool,
    Bytes,
    Float64,
    Grid,
    Hook,
    Int,
    ListOf,
    Nullable,
    Pad,
    SizedInt,
    String,
    StructRef,
    Timer,
    Tree,
    Union,
    WireType,
)

#: Types of values in words, for messages.
ARTICLES: dict[ValueType, str] = {
    "int": "an int",
    "bool": "a bool",
    "text": "a text",
    "bytes": "bytes",
    "release": "a release",
    "endian": "a byte order",
    "ints": "an array of ints",
    "bools": "an array of bools",
    "texts": "an array of texts",
    "struct": "a struct",
    "structs": "an array of structs",
    "list": "a list",
}


def value_type(wire: WireType) -> ValueType | None:
    """The type in expressions; None: it has none (see :func:`why_none`)."""
    match wire:
        case Int() | SizedInt() | Timer():
            return "int"
        case Bool():
            return "bool"
        case Bytes():
            return "bytes"
        case String():
            return "text"
        case StructRef() | Union() | Nullable():
            return "struct"
        case Array() | ListOf():
            match wire.element:
                case Int() | SizedInt() | Timer():
                    return "ints"
                case Bool():
                    return "bools"
                case String():
                    return "texts"
                case StructRef() | Union() | Nullable():
                    return "structs"
            return "list"
        case Grid() | Tree():
            return "list"
        case Hook():
            return value_type(wire.type)
        case Float64() | Pad() | Bitmap():
            return None


def why_none(wire: WireType) -> str:
    """Why a wire type has no value in expressions."""
    match wire:
        case Float64():
            return "a float64 cannot be used in expressions"
        case Pad():
            return "a pad has no value"
        case Bitmap():
            return "a bitmap cannot be used in expressions"
    return "it has no value in expressions"


def element_of(wire: WireType | None) -> WireType | None:
    """The wire type of an element, for arrays and lists."""
    return wire.element if isinstance(wire, (Array, ListOf)) else None


def definition_of(wire: WireType | None) -> str | None:
    """The definition of a struct-valued wire type (of its elements, for an array), where it is a single one."""
    match wire:
        case StructRef():
            return wire.definition
        case Nullable():
            return wire.element.definition
        case Array() | ListOf():
            return definition_of(wire.element)
    return None
