"""A channel of multifd: pages in packets, beside the main stream, which keeps the list of blocks and the devices.

A channel begins with 64 bytes that say which one it is. A packet is a header of a fixed size, with an array of page
addresses, and what they hold: the pages one behind the other, or one piece of a compressed stream that goes on through
the whole channel. A packet with flag SYNC ends a round. Up to QEMU 7.2 what an earlier packet left in a header stays
there: addresses behind the used ones, and in a SYNC packet the size of contents that do not follow
(migration/multifd.c, QEMU 5.2, 7.2 and 10.0).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from vmsgen.runtime.errors import DataError, LimitError
from vmsgen.stream.items import wire_name
from vmsgen.stream.marks import MULTIFD_MAGIC
from vmsgen.stream.sections.record import U32, U64, Entry, Field, FieldKind, RecordType, SectionForm
from vmsgen.stream.transport.source import ByteSource

__all__ = ["CHANNEL", "COMPRESSIONS", "SYNC", "DevicePacket", "Hello", "PagePacket", "compression_of"]

SYNC = 1
_VERSION = 1
_DEVICE_STATE = 64
#: Names of the compressions by bits 1 to 5 of the flags.
COMPRESSIONS = {0: "none", 1: "zlib", 2: "zstd", 4: "qpl", 8: "uadk", 16: "qatzip"}

_HELLO = struct.Struct(">4sI16sB39s")
_PACKET = struct.Struct(">4sIIIIIQI28s256s")
_DEVICE = struct.Struct(">4sII256sII")
_ADDR = 8
#: Addresses in the array of a header: those of 512 KiB of pages, 4 KiB pages being the most frequent.
_SLOTS = (128, 64, 32, 512, 2048, 256, 1024)
_MAX_CONTENTS = 64 << 20

Hello = RecordType(
    "hello",
    9928,  # MH
    (
        Field("version", high=U32),
        Field("uuid", FieldKind.OCTETS, 16),
        Field("channel", high=255),
        Field("reserved", FieldKind.OCTETS, 39, optional=True),
    ),
)
PagePacket = RecordType(
    "pages",
    9936,  # MP
    (
        Field("version", high=U32),
        Field("flags", high=U32),
        Field("allocated", high=U32),
        Field("normal", high=U32),
        Field("size", high=U32),
        Field("number", high=U64),
        Field("zero", high=U32),
        Field("reserved", FieldKind.OCTETS, 28, optional=True),
        Field("block", FieldKind.TEXT, 255, optional=True),
        Field("padding", FieldKind.OCTETS, 256, optional=True),
        Field("slots", high=_SLOTS[4]),
        Field("addresses", FieldKind.NUMBERS, U64),
        Field("contents", FieldKind.OCTETS, _MAX_CONTENTS, optional=True),
    ),
)
DevicePacket = RecordType(
    "device",
    9924,  # MD
    (
        Field("version", high=U32),
        Field("flags", high=U32),
        Field("name", FieldKind.TEXT, 255, optional=True),
        Field("padding", FieldKind.OCTETS, 256, optional=True),
        Field("instance", high=U32),
        Field("contents", FieldKind.OCTETS, _MAX_CONTENTS),
    ),
    opaque=True,
)


def compression_of(flags: int) -> str:
    """How the contents of a packet are compressed."""
    method = flags >> 1 & 0x1F
    return COMPRESSIONS.get(method, f"method {method}")


def _read(source: ByteSource) -> Iterator[Entry]:
    what = "the head of a multifd channel"
    magic, version, uuid, channel, reserved = _HELLO.unpack(source.read(_HELLO.size, what))
    if magic != MULTIFD_MAGIC or version != _VERSION:
        raise DataError(f"expected {what} of version {_VERSION}, found {magic.hex()} {version}", offset=0)
    yield Hello, (version, uuid, channel, reserved if any(reserved) else None)
    while not source.at_end():
        source.need(12, "a multifd packet")
        flags = int.from_bytes(source.view[source.pos + 8 : source.pos + 12], "big")
        yield _device(source) if flags & _DEVICE_STATE else _pages(source)


def _pages(source: ByteSource) -> Entry:
    what = "a multifd packet"
    where = source.offset
    source.need(_PACKET.size, what)
    allocated = int.from_bytes(source.view[source.pos + 12 : source.pos + 16], "big")
    normal = int.from_bytes(source.view[source.pos + 16 : source.pos + 20], "big")
    slots = allocated or _slots(source, normal)
    if slots > _SLOTS[4]:
        raise LimitError(f"{what} with {slots} addresses", offset=where)
    fields = _PACKET.unpack(source.read(_PACKET.size, what))
    magic, version, flags, _, _, size, number, zero, reserved, raw = fields
    _check(magic, version, where)
    if normal + zero > slots:
        raise DataError(f"{what} with {normal} + {zero} pages and {slots} addresses", offset=where)
    name, padding = _name(raw, where)
    addresses = list(struct.unpack(f">{slots}Q", source.read(slots * _ADDR, what)))
    while addresses and not addresses[-1] and len(addresses) > normal + zero:
        addresses.pop()
    contents = source.read(size, "the contents of a multifd packet", limit=_MAX_CONTENTS) if normal else None
    values = (version, flags, allocated, normal, size, number, zero, reserved if any(reserved) else None)
    return PagePacket, (*values, name, padding, slots, tuple(addresses), contents)


def _slots(source: ByteSource, normal: int) -> int:
    """Addresses in the array of a packet that has no pages and does not say it: the next packet stands behind it."""
    for slots in _SLOTS if not normal else ():
        end = _PACKET.size + slots * _ADDR
        ahead = source.peek(end + len(MULTIFD_MAGIC))
        if len(ahead) == end or ahead[end:] == MULTIFD_MAGIC:
            return slots
    return _SLOTS[0]


def _device(source: ByteSource) -> Entry:
    what = "a multifd packet of device state"
    where = source.offset
    magic, version, flags, raw, instance, size = _DEVICE.unpack(source.read(_DEVICE.size, what))
    _check(magic, version, where)
    name, padding = _name(raw, where)
    return DevicePacket, (version, flags, name, padding, instance, source.read(size, what, limit=_MAX_CONTENTS))


def _check(magic: bytes, version: int, where: int) -> None:
    if magic != MULTIFD_MAGIC or version != _VERSION:
        raise DataError(
            f"expected a multifd packet ({MULTIFD_MAGIC.hex()}, version {_VERSION}), found {magic.hex()} {version}",
            offset=where,
        )


def _name(raw: bytes, where: int) -> tuple[bytes | None, bytes | None]:
    """The name in a field of 256 bytes, and what stands behind the NUL at its end if that is not all zeros."""
    name, nul, padding = raw.partition(b"\0")
    if not nul:
        raise DataError("a name without an end in a multifd packet", offset=where)
    if name:
        wire_name(name, "the name of a RAM block", where)
    return name or None, padding.rstrip(b"\0") or None


def _write(entry: Entry) -> tuple[bytes, ...]:
    kind, values = entry
    if kind is Hello:
        version, uuid, channel, reserved = values
        if len(uuid) != 16:
            raise DataError(f"expected a uuid of 16 bytes, found {len(uuid)}")
        return (_HELLO.pack(MULTIFD_MAGIC, version, uuid, channel, _sized(reserved, 39)),)
    if kind is DevicePacket:
        version, flags, name, padding, instance, contents = values
        return _DEVICE.pack(MULTIFD_MAGIC, version, flags, _named(name, padding), instance, len(contents)), contents
    version, flags, allocated, normal, size, number, zero, reserved, name, padding, slots, addresses, contents = values
    fits = contents is None if not normal else contents is not None and len(contents) == size
    if len(addresses) > slots or not fits:
        raise DataError("a multifd packet whose numbers do not fit its contents")
    head = _PACKET.pack(
        *(MULTIFD_MAGIC, version, flags, allocated, normal, size, number, zero),
        *(_sized(reserved, 28), _named(name, padding)),
    )
    rest: tuple[bytes, ...] = () if contents is None else (contents,)
    return (head, struct.pack(f">{slots}Q", *addresses, *bytes(slots - len(addresses))), *rest)


def _named(name: bytes | None, padding: bytes | None) -> bytes:
    raw = (name or b"") + b"\0" + (padding or b"")
    if len(raw) > 256:
        raise DataError(f"a name and what follows of {len(raw)} bytes, more than the 256 of its field")
    return raw


def _sized(reserved: Any, size: int) -> bytes:
    if reserved is not None and len(reserved) != size:
        raise DataError(f"expected {size} reserved bytes, found {len(reserved)}")
    return reserved or bytes(size)


CHANNEL = SectionForm(
    "multifd channel", 1, 1, "ChannelPacket", (Hello, PagePacket, DevicePacket), _read, _write, lambda entry: False
)
