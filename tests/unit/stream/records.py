"""Streams with sections of every kind that comes in records, byte for byte as QEMU lays them out."""

from __future__ import annotations

from tests.unit.stream.synthetic import (
    EOS_RECORD,
    HEADER,
    be16,
    be32,
    be64,
    block_list,
    configuration,
    end,
    full,
    part,
    start,
    str8,
    vmdesc,
)

DISK = bytes(range(256)) * 4096
VFIO = "0000:00:05.0/vfio"

BLOCK = (
    be64(2),
    be64(7 << 9 | 1) + str8("disk0") + DISK + be64(2048 << 9 | 9) + str8("disk0") + be64(2),
    be64(100 << 9 | 4) + be64(2),
)
BITMAPS = (
    b"\x1c" + str8("node") + str8("b") + be32(65536) + b"\1" + b"\x14" + str8("c") + be32(4096) + b"\0" + b"\1",
    b"\x4c" + str8("node") + str8("b") + be64(64) + be32(128) + be64(32) + bytes(range(32)) + b"\1",
    b"\x46" + str8("c") + be64(0) + be32(9) + b"\x20" + b"\1",
)
HTAB = (
    be32(24),
    be32(0) + be32(5) + be16(2) + be16(3) + bytes(range(32)) + be32(99) + be16(0) + be16(7) + bytes(8),
    be32(0) + bytes(8),
)
ATTRIBUTES = (be64(1), be64(3 << 12 | 2) + be64(5) + b"\0\1\2\3\4" + be64(1), be64(8) + be64(1))
MARKS = {number: be64(0xFFFFFFFFEF100000 + number) for number in range(1, 6)}
CONFIG = b"\5" + MARKS[1] + b"\x7e" + be32(1) + b"pci config"  # an end mark that is none
VFIO_DATA = (
    MARKS[3] + MARKS[1],
    MARKS[4] + be64(6) + b"device" + MARKS[5],
    MARKS[4] + be64(0) + MARKS[1],
)
VFIO_FULL = MARKS[2] + CONFIG + MARKS[1]

#: section name -> version and the contents of START, PART and END
KINDS = {
    "block": (1, BLOCK),
    "dirty-bitmap": (1, BITMAPS),
    "spapr/htab": (1, HTAB),
    "s390-storage_attributes": (0, ATTRIBUTES),
    VFIO: (1, VFIO_DATA),
}


def of_kind(name: str, *, foot: bool = True) -> bytes:
    """A stream with the three sections of one kind, besides RAM."""
    version, (first, second, last) = KINDS[name]
    ram = block_list([("pc.ram", 1 << 20)])
    return (
        HEADER
        + configuration()
        + start(1, name, first, version=version, foot=foot)
        + start(2, "ram", ram, foot=foot)
        + part(1, second, foot=foot)
        + end(1, last, foot=foot)
        + end(2, EOS_RECORD, foot=foot)
        + b"\0"
    )


def with_vfio(*, described: bool = True, contents: bytes = VFIO_FULL) -> bytes:
    """The FULL section of a vfio device, with a description and without one."""
    tail = vmdesc([(VFIO, 0, len(contents)), ("x", 0, 1)]) if described else b""
    other = full(9, "x", b"y") if described else b""
    return of_kind(VFIO)[:-1] + full(1, VFIO, contents) + other + b"\0" + tail


def everything() -> bytes:
    """All kinds in one stream."""
    body = b""
    for number, (name, (version, (first, second, last))) in enumerate(KINDS.items(), 20):
        body += start(number, name, first, version=version) + part(number, second) + end(number, last)
    return HEADER + configuration() + body + full(24, VFIO, VFIO_FULL) + b"\0"
