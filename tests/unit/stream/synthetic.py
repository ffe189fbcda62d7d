"""Small streams made by hand, byte for byte as QEMU lays them out, and what tests do with them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from vmsgen.stream.ber.reader import BerReader
from vmsgen.stream.ber.writer import BerWriter
from vmsgen.stream.binary.decoder import SectionDecoder
from vmsgen.stream.binary.reader import BinaryReader
from vmsgen.stream.binary.writer import BinaryWriter
from vmsgen.stream.items import Item, RamRecords, Record, Section
from vmsgen.stream.transport.sink import MemorySink
from vmsgen.stream.transport.source import ByteSource, MemorySource

PAGE = 4096
ZERO, MEM_SIZE, FULL, EOS, CONTINUE, XBZRLE, HOOK, COMPRESS, FLUSH = 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200


def be16(value: int) -> bytes:
    return value.to_bytes(2, "big")


def be32(value: int) -> bytes:
    return value.to_bytes(4, "big")


def be64(value: int) -> bytes:
    return value.to_bytes(8, "big")


def str8(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return bytes((len(raw),)) + raw


HEADER = b"QEVM" + be32(3)


def subsection(name: str, content: bytes, version: int = 1) -> bytes:
    return b"\5" + str8(name) + be32(version) + content


def configuration(machine: str = "pc-i440fx-7.2", *subsections: bytes) -> bytes:
    return b"\7" + be32(len(machine)) + machine.encode() + b"".join(subsections)


def footer(number: int, there: bool = True) -> bytes:
    return b"\x7e" + be32(number) if there else b""


def start(number: int, name: str, content: bytes, *, version: int = 4, instance: int = 0, foot: bool = True) -> bytes:
    head = b"\1" + be32(number) + str8(name) + be32(instance) + be32(version)
    return head + content + footer(number, foot)


def part(number: int, content: bytes, *, foot: bool = True) -> bytes:
    return b"\2" + be32(number) + content + footer(number, foot)


def end(number: int, content: bytes, *, foot: bool = True) -> bytes:
    return b"\3" + be32(number) + content + footer(number, foot)


def full(number: int, name: str, content: bytes, *, version: int = 1, instance: int = 0, foot: bool = True) -> bytes:
    head = b"\4" + be32(number) + str8(name) + be32(instance) + be32(version)
    return head + content + footer(number, foot)


def command(code: int, data: bytes = b"") -> bytes:
    return b"\x08" + be16(code) + be16(len(data)) + data


def vmdesc(devices: Sequence[tuple[str, int, int]], **more: Any) -> bytes:
    """Old-style descriptions: (name, instance, size) of each device section."""
    described = {
        "page_size": 4096,
        "devices": [
            {
                "name": name,
                "instance_id": instance,
                "size": size,
                "fields": [{"name": "data", "size": size, "type": "buffer"}],
            }
            for name, instance, size in devices
        ],
        **more,
    }
    return raw_vmdesc(json.dumps(described).encode())


def raw_vmdesc(text: bytes) -> bytes:
    return b"\6" + be32(len(text)) + text


# ---------------------------------------------------------------------------------------------- RAM

EOS_RECORD = be64(EOS)


def block_list(blocks: Iterable[tuple[str, int]]) -> bytes:
    listed = list(blocks)
    total = sum(length for _, length in listed)
    return be64(total | MEM_SIZE) + b"".join(str8(name) + be64(length) for name, length in listed) + EOS_RECORD


def word(addr: int, flag: int, block: str | None) -> bytes:
    """A page's word, with the block's name or (None) with CONTINUE."""
    return be64(addr | flag | CONTINUE) if block is None else be64(addr | flag) + str8(block)


def full_page(addr: int, block: str | None, fill: int = 0xA5, size: int = PAGE) -> bytes:
    return word(addr, FULL, block) + bytes((fill + at) & 0xFF for at in range(size))


def zero_page(addr: int, block: str | None, value: int = 0) -> bytes:
    return word(addr, ZERO, block) + bytes((value,))


def ordinary(*, foot: bool = True, config: bool = True, described: bool = True) -> bytes:
    """A stream with everything that is usual, of about 13 KB."""
    ram = block_list([("pc.ram", 1 << 20), ("vga.vram", 1 << 16)])
    first = (
        full_page(0, "pc.ram")
        + zero_page(0x1000, None)
        + zero_page(0x2000, None)
        + zero_page(0x8000, None)
        + full_page(0x3000, None, 1)
        + zero_page(0, "vga.vram")
        + EOS_RECORD
    )
    last = full_page(0x1000, None, 7) + zero_page(0x4000, "pc.ram", 0x55) + EOS_RECORD
    devices = full(5, "timer", bytes(range(24)), version=2, foot=foot)
    devices += full(9, "0000:00:02.0/vga", b"\x7e\0\0\0\x09" * 3 + b"\5\4vga/", instance=0, foot=foot)
    devices += full(3, "cpu", b"", version=12, instance=0x80000000, foot=foot)
    return (
        HEADER
        + (configuration() if config else b"")
        + start(2, "ram", ram, foot=foot)
        + part(2, first, foot=foot)
        + part(2, EOS_RECORD, foot=foot)
        + command(11)
        + end(2, last, foot=foot)
        + devices
        + b"\0"
        + (vmdesc([("timer", 0, 24), ("0000:00:02.0/vga", 0, 21), ("cpu", 0x80000000, 0)]) if described else b"")
    )


# ---------------------------------------------------------------------------------------------- using them


class Trickle(io.RawIOBase):
    """An input that gives a few bytes at a time, as pipes do."""

    def __init__(self, data: bytes, steps: Sequence[int] = (1, 3, 2, 7, 5000, 1)) -> None:
        super().__init__()
        self._data = data
        self._at = 0
        self._steps = steps
        self._turn = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        step = self._steps[self._turn % len(self._steps)]
        self._turn += 1
        piece = self._data[self._at : self._at + min(step, len(buffer))]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def piped(data: bytes, capacity: int = 1 << 16) -> ByteSource:
    return ByteSource(Trickle(data), capacity=capacity)


def to_ber(data: bytes, decoder: SectionDecoder | None = None) -> bytes:
    sink = MemorySink()
    writer = BerWriter(sink)
    for item in BinaryReader(piped(data), decoder).items():
        writer.item(item)
    writer.finish()
    return sink.getvalue()


def to_binary(data: bytes) -> bytes:
    sink = MemorySink()
    writer = BinaryWriter(sink)
    for item in BerReader(piped(data)).items():
        writer.item(item)
    return sink.getvalue()


def items(data: bytes, decoder: SectionDecoder | None = None) -> list[Item]:
    """The items of a binary stream, sections used up."""
    found = []
    for item in BinaryReader(MemorySource(data), decoder).items():
        if isinstance(item, Section):
            item.exhaust()
        found.append(item)
    return found


def records(data: bytes) -> list[list[Record]]:
    """The RAM records of every section of a binary stream, pages as bytes."""
    found = []
    for item in BinaryReader(piped(data)).items():
        if isinstance(item, Section) and isinstance(item.body, RamRecords):
            found.append([frozen(record) for batch in item.body.batches for record in batch])
    return found


def frozen(record: Record) -> Record:
    return tuple(bytes(part) if isinstance(part, memoryview) else part for part in record)
