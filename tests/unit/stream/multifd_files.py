"""Channels of multifd made by hand, byte for byte as QEMU lays them out."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from tests.unit.stream.synthetic import PAGE

SLOTS = 128
SYNC, ZLIB, ZSTD = 1, 1 << 1, 2 << 1


def hello(channel: int = 0, *, reserved: bytes = bytes(39)) -> bytes:
    return bytes.fromhex("11223344") + struct.pack(">I", 1) + bytes(range(16)) + bytes((channel,)) + reserved


def packet(
    number: int,
    normal: Sequence[int] = (),
    *,
    zero: Sequence[int] = (),
    contents: bytes = b"",
    flags: int = 0,
    block: bytes = b"pc.ram",
    size: int | None = None,
    allocated: int = SLOTS,
    slots: int = SLOTS,
    stale: Sequence[int] = (),
    reserved: bytes = bytes(28),
) -> bytes:
    addresses = [*normal, *zero, *stale]
    told = len(contents) if size is None else size
    head = struct.pack(">4sIIIIIQI", b"\x11\x22\x33\x44", 1, flags, allocated, len(normal), told, number, len(zero))
    array = struct.pack(f">{slots}Q", *addresses, *bytes(slots - len(addresses)))
    return head + reserved + block.ljust(256, b"\0") + array + contents


def page(fill: int) -> bytes:
    return bytes((fill + at) & 0xFF for at in range(PAGE))


class Deflater:
    """The compressed stream of one channel."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(1)

    def __call__(self, *pages: bytes) -> bytes:
        return self._stream.compress(b"".join(pages)) + self._stream.flush(zlib.Z_SYNC_FLUSH)


def device_packet(name: bytes, contents: bytes) -> bytes:
    head = struct.pack(">4sII256sII", b"\x11\x22\x33\x44", 1, 64, name, 0, len(contents))
    return head + contents
