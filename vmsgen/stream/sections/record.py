"""What a kind of section is made of: types of records with named fields, and how they are read and written.

A record is an :data:`Entry`: its type and the values of its fields in order: ``int`` for numbers (a tuple for
several), ``bytes`` for octets and text, ``None`` for an optional field that is not there.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from vmsgen.runtime.errors import DataError
from vmsgen.runtime.slotted import Slotted
from vmsgen.stream.transport.source import ByteSource

__all__ = [
    "MAX_OCTETS",
    "U16",
    "U32",
    "U64",
    "Entry",
    "Field",
    "FieldKind",
    "FullReader",
    "RecordType",
    "SectionForm",
    "closed",
    "named",
]

U16, U32, U64 = (1 << 16) - 1, (1 << 32) - 1, (1 << 64) - 1

#: Longest contents of one record. QEMU sends pieces of up to 1 MiB.
MAX_OCTETS = 64 << 20


class FieldKind(enum.Enum):
    """Kinds of fields: INTEGER, OCTET STRING, UTF8String and SEQUENCE OF INTEGER in BER."""

    NUMBER = "number"
    OCTETS = "octets"
    TEXT = "text"
    NUMBERS = "numbers"


class Field(Slotted, frozen=True):
    """A field of a record. ``high`` is the largest number, or the most octets."""

    name: str
    kind: FieldKind = FieldKind.NUMBER
    high: int = U64
    optional: bool = False


class RecordType(Slotted, frozen=True, eq=False):  # there is one of each: it is compared by identity
    """A type of record: its name, its APPLICATION tag in BER (two letters), its fields (none: a mark).

    ``opaque``: the last field holds device state whose meaning is not known.
    """

    name: str
    tag: int
    fields: tuple[Field, ...] = ()
    opaque: bool = False


Entry = tuple[RecordType, tuple[Any, ...]]

#: Reads contents that must end where ``fits`` says so: (data, start, end if it is known, fits) -> records and end.
FullReader = Callable[[memoryview, int, int | None, Callable[[int], bool]], tuple[list[Entry], int]]


class SectionForm(Slotted, frozen=True):
    """A kind of section. ``read`` gives the records of one section from the source up to and with the last one,
    ``write`` the bytes of a record, ``ends`` tells whether a record is the last one of its section.

    ``full`` reads FULL sections, where this kind has any. ``skip`` reads as ``read`` does, with its checks, where the
    records themselves are not wanted; kinds that have many small ones have it. ``body_tag`` and ``asn1`` are the
    context tag of the contents in BER and the name of the records' type in the schema.
    """

    name: str
    version: int
    body_tag: int
    asn1: str
    types: tuple[RecordType, ...]
    read: Callable[[ByteSource], Iterator[Entry]]
    write: Callable[[Entry], tuple[bytes, ...]]
    ends: Callable[[Entry], bool]
    full: FullReader | None = None
    skip: Callable[[ByteSource], None] | None = None


def closed(form: SectionForm, entries: Iterable[Entry]) -> Iterator[Entry]:
    """The same records, if the last one and no other ends the section. Raises DataError: the binary format could not
    tell where the section ends.
    """
    ended = False
    for entry in entries:
        if ended:
            raise DataError(f"a record ({entry[0].name}) after the end of the section's records")
        ended = form.ends(entry)
        yield entry
    if not ended:
        raise DataError("the records of the section do not end with an end mark")


def named(entry: Entry) -> dict[str, Any]:
    """The fields of a record that are there, by name; octets as ``bytes``, text as ``str``."""
    kind, values = entry
    return {
        field.name: value.decode(errors="surrogateescape") if field.kind is FieldKind.TEXT else value
        for field, value in zip(kind.fields, values, strict=True)
        if value is not None
    }
