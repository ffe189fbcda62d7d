"""Section ``s390-storage_attributes``: a byte per page, by which a guest tells what it needs of it.

A record begins with 64 bits: the number of a page of 4096 bytes, shifted by 12, and flags
(hw/s390x/s390-stattrib.c, QEMU 5.2, 7.2, 10.0).
"""

from __future__ import annotations

from collections.abc import Iterator

from vmsgen.runtime.errors import DataError
from vmsgen.stream.sections.record import MAX_OCTETS, Entry, Field, FieldKind, RecordType, SectionForm
from vmsgen.stream.transport.source import ByteSource

__all__ = ["STORAGE_ATTRIBUTES"]

_BITS = 12
_END, _VALUES, _ERROR, _DONE = 1, 2, 4, 8
_PAGE = Field("page", high=(1 << 64 - _BITS) - 1)

Values = RecordType("values", 8406, (_PAGE, Field("attributes", FieldKind.OCTETS, MAX_OCTETS)))  # AV
Error = RecordType("error", 8408, (_PAGE,))  # AX
Done = RecordType("done", 8388)  # AD
End = RecordType("end", 8389)  # AE

_MARKS = {Done: _DONE, End: _END}


def _read(source: ByteSource) -> Iterator[Entry]:
    what = "a record of storage attributes"
    while True:
        where = source.offset
        word = source.u64(what)
        flags, page = word & 0xFFF, word >> _BITS
        if flags == _VALUES:
            yield Values, (page, source.read(source.u64(what), what, limit=MAX_OCTETS))
        elif flags == _ERROR:
            yield Error, (page,)
        elif word == _DONE:
            yield Done, ()
        elif word == _END:
            yield End, ()
            return
        else:
            raise DataError(f"expected {what}, found the word {word:#x}", offset=where)


def _write(entry: Entry) -> tuple[bytes, ...]:
    kind, values = entry
    if kind in _MARKS:
        return (_MARKS[kind].to_bytes(8, "big"),)
    flag = _VALUES if kind is Values else _ERROR
    word = (values[0] << _BITS | flag).to_bytes(8, "big")
    if kind is Error:
        return (word,)
    return word + len(values[1]).to_bytes(8, "big"), values[1]


STORAGE_ATTRIBUTES = SectionForm(
    "s390-storage_attributes",
    0,
    8,
    "AttributeRecord",
    (Values, Error, Done, End),
    _read,
    _write,
    lambda entry: entry[0] is End,
)
