"""Sections called ``PATH/vfio``: the state of a device of the host that a guest uses, in the device's own form.

Records begin with a mark of 64 bits. START, PART and END are lists of marks and data. The FULL section holds the
device's configuration in QEMU's form between two marks; nothing says how long it is, so it ends where the last mark and
then something legal stand (hw/vfio/migration.c, QEMU 5.2, 7.2, 10.0; not seen in a real stream).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vmsgen.runtime.errors import DataError
from vmsgen.stream.sections.record import MAX_OCTETS, Entry, Field, FieldKind, RecordType, SectionForm
from vmsgen.stream.transport.source import ByteSource

__all__ = ["VFIO"]

_END, _CONFIG, _SETUP, _DATA, _SENT = range(0xFFFFFFFFEF100001, 0xFFFFFFFFEF100006)

Config = RecordType("config", 11075, (Field("state", FieldKind.OCTETS, MAX_OCTETS),), opaque=True)  # VC
Setup = RecordType("setup", 11091)  # VS
Data = RecordType("data", 11092, (Field("data", FieldKind.OCTETS, MAX_OCTETS),))  # VT
Sent = RecordType("initial-data-sent", 11081)  # VI
End = RecordType("end", 11077)  # VE

_MARKS = {End: _END, Config: _CONFIG, Setup: _SETUP, Data: _DATA, Sent: _SENT}


def _read(source: ByteSource) -> Iterator[Entry]:
    what = "a mark of vfio"
    while True:
        where = source.offset
        mark = source.u64(what)
        if mark == _DATA:
            yield Data, (source.read(source.u64(what), "the data of a vfio device", limit=MAX_OCTETS),)
        elif mark == _SETUP:
            yield Setup, ()
        elif mark in (_END, _SENT):
            # the sender puts the one or the other
            yield (End if mark == _END else Sent), ()
            return
        else:
            raise DataError(f"expected {what}, found {mark:#018x}", offset=where)


def _read_full(data: memoryview, start: int, end: int | None, fits: Callable[[int], bool]) -> tuple[list[Entry], int]:
    mark, last = _CONFIG.to_bytes(8, "big"), _END.to_bytes(8, "big")
    if data[start : start + 8] == last and (end == start + 8 or (end is None and fits(start + 8))):
        return [(End, ())], start + 8  # the configuration went over a channel of its own
    if data[start : start + 8] != mark:
        raise DataError(f"expected the mark of a vfio configuration, found {bytes(data[start : start + 8]).hex()}")
    if end is None:
        end = _end_of(data, start + 8, last, fits)
    elif end - start < 16 or data[end - 8 : end] != last:
        raise DataError("expected the end mark of vfio at the end of the section")
    config = bytes(data[start + 8 : end - 8])
    if len(config) > MAX_OCTETS:
        raise DataError(f"a vfio configuration of {len(config)} bytes")
    return [(Config, (config,)), (End, ())], end


def _end_of(data: memoryview, start: int, last: bytes, fits: Callable[[int], bool]) -> int:
    window = bytes(data[start : start + MAX_OCTETS])
    at = window.find(last)
    while at >= 0:
        if fits(start + at + 8):
            return start + at + 8
        at = window.find(last, at + 1)
    raise DataError("the configuration of a vfio device has no end mark")


def _write(entry: Entry) -> tuple[bytes, ...]:
    kind, values = entry
    mark = _MARKS[kind].to_bytes(8, "big")
    if kind is Data:
        return mark + len(values[0]).to_bytes(8, "big"), values[0]
    return (mark, values[0]) if kind is Config else (mark,)


VFIO = SectionForm(
    "vfio",
    1,
    9,
    "VfioRecord",
    (Config, Setup, Data, Sent, End),
    _read,
    _write,
    lambda entry: entry[0] in (End, Sent),
    _read_full,
)
