"""Section ``spapr/htab``: the hash page table of a ppc64 pseries guest.

A section begins with a number: the size of the table as a power of two in START, 0 where chunks follow, and all ones
where the guest has no such table (radix). A chunk holds valid entries of 16 bytes each and says how many invalid ones
come after them (hw/ppc/spapr.c, QEMU 5.2, 7.2, 10.0).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from vmsgen.runtime.errors import DataError
from vmsgen.stream.sections.record import U16, U32, Entry, Field, FieldKind, RecordType, SectionForm
from vmsgen.stream.transport.source import ByteSource

__all__ = ["HTAB"]

_ENTRY = 16
_head = struct.Struct(">IHH")

Table = RecordType("table", 9300, (Field("shift", high=U32),))  # HT
Chunk = RecordType(
    "chunk",
    9283,  # HC
    (Field("index", high=U32), Field("invalid", high=U16), Field("entries", FieldKind.OCTETS, U16 * _ENTRY)),
)
End = RecordType("end", 9285)  # HE


def _read(source: ByteSource) -> Iterator[Entry]:
    what = "a chunk of the hash page table"
    shift = source.u32("the size of the hash page table")
    yield Table, (shift,)
    if shift:
        return
    while True:
        source.need(_head.size, what)
        index, valid, invalid = _head.unpack_from(source.view, source.pos)
        source.pos += _head.size
        if not (index or valid or invalid):
            yield End, ()
            return
        yield Chunk, (index, invalid, source.read(valid * _ENTRY, what))


def _skip(source: ByteSource) -> None:
    what = "a chunk of the hash page table"
    if source.u32("the size of the hash page table"):
        return
    unpack, size = _head.unpack_from, _head.size
    while True:
        source.need(size, what)
        view, at, last = source.view, source.pos, source.end - size
        while at <= last:
            index, valid, invalid = unpack(view, at)
            at += size
            if not valid and not index and not invalid:
                source.pos = at
                return
            if valid:
                start, at = at, at + valid * _ENTRY
        if at <= source.end:
            source.pos = at
        else:  # more of the last chunk is to be read
            source.pos = start
            source.skip(at - start, what)


def _write(entry: Entry) -> tuple[bytes, ...]:
    kind, values = entry
    if kind is End:
        return (bytes(_head.size),)
    if kind is Table:
        return (values[0].to_bytes(4, "big"),)
    index, invalid, entries = values
    if len(entries) % _ENTRY or not (index or invalid or entries):
        raise DataError(f"a chunk of the hash page table with {len(entries)} bytes of entries")
    return _head.pack(index, len(entries) // _ENTRY, invalid), entries


HTAB = SectionForm(
    "spapr/htab",
    1,
    7,
    "HtabRecord",
    (Table, Chunk, End),
    _read,
    _write,
    lambda entry: entry[0] is End or (entry[0] is Table and entry[1][0] != 0),
    skip=_skip,
)
