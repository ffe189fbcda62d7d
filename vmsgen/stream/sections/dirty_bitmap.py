"""Section ``dirty-bitmap``: which parts of disks changed since a backup.

A record begins with a byte of flags. A record that does not name node or bitmap is about those of the record before,
also across sections; the BER form keeps what is named as it is (migration/block-dirty-bitmap.c, QEMU 5.2, 7.2, 10.0).
"""

from __future__ import annotations

from collections.abc import Iterator

from vmsgen.runtime.errors import DataError
from vmsgen.stream.items import wire_name
from vmsgen.stream.sections.record import MAX_OCTETS, U32, Entry, Field, FieldKind, RecordType, SectionForm
from vmsgen.stream.transport.source import ByteSource

__all__ = ["DIRTY_BITMAP"]

_END, _ZEROES, _BITMAP, _NODE, _START, _COMPLETE, _BITS = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40

_NAMES = (
    Field("node", FieldKind.TEXT, 255, optional=True),
    Field("bitmap", FieldKind.TEXT, 255, optional=True),
)
_RANGE = (Field("sector"), Field("sectors", high=U32))
Start = RecordType("start", 8787, (*_NAMES, Field("granularity", high=U32), Field("flags", high=255)))  # DS
Bits = RecordType("bits", 8770, (*_NAMES, *_RANGE, Field("data", FieldKind.OCTETS, MAX_OCTETS)))  # DB
Zeros = RecordType("zeros", 8794, (*_NAMES, *_RANGE))  # DZ
Complete = RecordType("complete", 8771, _NAMES)  # DC
End = RecordType("end", 8773)  # DE

_FLAGS = {Start: _START, Bits: _BITS, Zeros: _BITS | _ZEROES, Complete: _COMPLETE}
_TYPES = {flags: kind for kind, flags in _FLAGS.items()}


def _read(source: ByteSource) -> Iterator[Entry]:
    what = "a record of dirty bitmaps"
    while True:
        where = source.offset
        flags = source.u8(what)
        if flags == _END:
            yield End, ()
            return
        kind = _TYPES.get(flags & ~(_NODE | _BITMAP))
        if kind is None:
            raise DataError(f"expected {what}, found the flags {flags:#04x}", offset=where)
        node = source.str8(what) if flags & _NODE else None
        bitmap = source.str8(what) if flags & _BITMAP else None
        for name in (node, bitmap):
            if name is not None:
                wire_name(name, "the name of a node or bitmap", where)
        if kind is Complete:
            yield kind, (node, bitmap)
        elif kind is Start:
            yield kind, (node, bitmap, source.u32(what), source.u8(what))
        else:
            sector, sectors = source.u64(what), source.u32(what)
            if kind is Zeros:
                yield kind, (node, bitmap, sector, sectors)
            else:
                yield kind, (node, bitmap, sector, sectors, source.read(source.u64(what), what, limit=MAX_OCTETS))


def _write(entry: Entry) -> tuple[bytes, ...]:
    kind, values = entry
    if kind is End:
        return (bytes((_END,)),)
    node, bitmap, *rest = values
    flags = _FLAGS[kind] | (_NODE if node is not None else 0) | (_BITMAP if bitmap is not None else 0)
    head = bytes((flags,)) + b"".join(bytes((len(name),)) + name for name in (node, bitmap) if name is not None)
    if kind is Complete:
        return (head,)
    if kind is Start:
        return (head + rest[0].to_bytes(4, "big") + bytes((rest[1],)),)
    head += rest[0].to_bytes(8, "big") + rest[1].to_bytes(4, "big")
    if kind is Zeros:
        return (head,)
    return head + len(rest[2]).to_bytes(8, "big"), rest[2]


DIRTY_BITMAP = SectionForm(
    "dirty-bitmap",
    1,
    6,
    "BitmapRecord",
    (Start, Bits, Zeros, Complete, End),
    _read,
    _write,
    lambda entry: entry[0] is End,
)
