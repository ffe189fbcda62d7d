"""Section ``block``: contents of disks, sent along with the guest (capability ``block``; QEMU up to 9.0).

Every record begins with 64 bits: the number of a sector of 512 bytes, and flags in the low nine bits. Data comes in
pieces of 1 MiB, also the last one of a disk whose size is no multiple of that (migration/block.c, QEMU 5.2 and 7.2).
"""

from __future__ import annotations

from collections.abc import Iterator

from vmsgen.runtime.errors import DataError
from vmsgen.stream.items import wire_name
from vmsgen.stream.sections.record import Entry, Field, FieldKind, RecordType, SectionForm
from vmsgen.stream.transport.source import ByteSource

__all__ = ["BLOCK"]

_DATA, _END, _PROGRESS, _ZERO = 1, 2, 4, 8
_SIZE = 1 << 20
_BITS = 9
_MAX = (1 << 64 - _BITS) - 1

_SECTOR = Field("sector", high=_MAX)
_DEVICE = Field("device", FieldKind.TEXT, 255)
Data = RecordType("data", 8516, (_SECTOR, _DEVICE, Field("data", FieldKind.OCTETS, _SIZE)))  # BD
Zeros = RecordType("zeros", 8538, (_SECTOR, _DEVICE))  # BZ
Progress = RecordType("progress", 8528, (Field("percent", high=_MAX),))  # BP
End = RecordType("end", 8517)  # BE


def _read(source: ByteSource) -> Iterator[Entry]:
    what = "a record of block migration"
    while True:
        where = source.offset
        word = source.u64(what)
        flags, sector = word & 0x1FF, word >> _BITS
        if flags in (_DATA, _DATA | _ZERO):
            name = source.str8(what)
            wire_name(name, "the name of a block device", where + 8)
            if flags == _DATA:
                yield Data, (sector, name, source.read(_SIZE, "the data of a block device"))
            else:
                yield Zeros, (sector, name)
        elif flags == _PROGRESS:
            yield Progress, (sector,)
        elif word == _END:
            yield End, ()
            return
        else:
            raise DataError(f"expected {what}, found the word {word:#x}", offset=where)


def _write(entry: Entry) -> tuple[bytes, ...]:
    kind, values = entry
    if kind is End:
        return (_END.to_bytes(8, "big"),)
    flags = {Data: _DATA, Zeros: _DATA | _ZERO, Progress: _PROGRESS}[kind]
    word = (values[0] << _BITS | flags).to_bytes(8, "big")
    if kind is Progress:
        return (word,)
    head = word + bytes((len(values[1]),)) + values[1]
    if kind is Zeros:
        return (head,)
    if len(values[2]) != _SIZE:
        raise DataError(f"expected {_SIZE} bytes of a block device, found {len(values[2])}")
    return head, values[2]


BLOCK = SectionForm(
    "block", 1, 5, "BlockRecord", (Data, Zeros, Progress, End), _read, _write, lambda entry: entry[0] is End
)
