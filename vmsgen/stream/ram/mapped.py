"""RAM in a file of capability mapped-ram: the list of blocks, with each block's pages at their fixed places behind its
entry.

An entry is the block's name and length, a header (version, page size, where the bitmap and the pages stand in the
file), a bitmap of the pages that are there, a gap up to a multiple of 1 MiB, and the pages, those that are not there
being holes. Places count from the start of the file, also if the stream does not begin there (``offset=``); here only
their distances are used (migration/ram.c, QEMU 10.0).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from vmsgen.runtime.errors import DataError, LimitError, TruncatedError
from vmsgen.runtime.slotted import Slotted
from vmsgen.stream.items import GROUP, MAPPED, PAGE, MappedBlock, Record, wire_name
from vmsgen.stream.ram.block_list import MAX_BLOCKS
from vmsgen.stream.transport.sink import ByteSink
from vmsgen.stream.transport.source import ByteSource

__all__ = ["MAX_BITMAP", "MAX_GAP", "MappedWriter", "read_mapped_blocks"]

_HEADER = struct.Struct(">IQQQ")
_VERSION = 1
MAX_GAP = 16 << 20
MAX_BITMAP = 64 << 20
_MAX_BATCH = 1024


def bitmap_size(length: int, page_size: int) -> int:
    """Bytes of the bitmap of a block: whole words of 64 bits."""
    return (length // page_size + 63) // 64 * 8


def read_mapped_blocks(source: ByteSource, total: int, page_size: int, *, with_gpa: bool) -> Iterator[list[Record]]:
    """The entries after the word with the total, each followed by its pages that are not all zeros. Raises
    DataError.
    """
    left = total
    origin: int | None = None
    for count in range(MAX_BLOCKS + 1):
        if not left:
            return
        where = source.offset
        if count == MAX_BLOCKS:
            raise LimitError(f"more than {MAX_BLOCKS} RAM blocks", offset=where)
        block = _entry(source, page_size, with_gpa)
        # the distance between places in the file and in the stream: what `offset=` was
        distance = block.bitmap_offset - (source.offset - len(block.bitmap) - block.gap)
        if distance < 0 or origin not in (None, distance):
            raise DataError(
                f"the bitmap of RAM block {block.name.decode()} stands at another place than its header says",
                offset=where,
            )
        origin = distance
        if block.length > left or block.length % page_size:
            raise DataError(
                f"RAM block {block.name.decode()} has {block.length} bytes, expected a multiple of {page_size} "
                f"and at most {left}",
                offset=where,
            )
        left -= block.length
        yield [(MAPPED, block)]
        yield from _pages(source, block, page_size)


def _entry(source: ByteSource, page_size: int, with_gpa: bool) -> MappedBlock:
    what = "the entry of a RAM block"
    where = source.offset
    name = source.str8(what)
    wire_name(name, "the name of a RAM block", where)
    length = source.u64(what)
    gpa = source.u64(what) if with_gpa else None
    version, size, bitmap_offset, pages_offset = _HEADER.unpack(source.read(_HEADER.size, what))
    if version != _VERSION or size != page_size:
        raise DataError(
            f"expected mapped RAM of version {_VERSION} in pages of {page_size}, found version {version} in pages "
            f"of {size}",
            offset=where,
        )
    wanted = bitmap_size(length, page_size)
    gap = pages_offset - bitmap_offset - wanted
    if not 0 <= gap <= MAX_GAP or wanted > MAX_BITMAP:
        raise DataError(f"RAM block {name.decode()} has its pages at no place that can be", offset=where)
    bitmap = source.read(wanted, "the bitmap of a RAM block")
    filler = source.read(gap, "the gap before the pages of a RAM block")
    return MappedBlock(name, length, bitmap_offset, pages_offset, bitmap, filler.rstrip(b"\0"), gpa)


def _pages(source: ByteSource, block: MappedBlock, page_size: int) -> Iterator[list[Record]]:
    import numpy as np

    yield [(GROUP, block.name, False)]
    addr = 0
    while addr < block.length:
        addr += source.skip_hole(block.length - addr, page_size)
        if addr == block.length:
            return
        if not source.ensure(page_size):
            raise TruncatedError(f"the stream ends inside RAM block {block.name.decode()}", offset=source.offset)
        pages = min((block.length - addr) // page_size, source.available() // page_size, _MAX_BATCH)
        view, pos = source.view, source.pos
        there = np.frombuffer(view[pos : pos + pages * page_size], dtype=np.uint8).reshape(pages, page_size).any(axis=1)
        records: list[Record] = [
            (PAGE, addr + at * page_size, view[pos + at * page_size : pos + (at + 1) * page_size])
            for at in np.flatnonzero(there).tolist()
        ]
        source.pos = pos + pages * page_size
        addr += pages * page_size
        if records:
            yield records


class MappedWriter(Slotted):
    """Writes one block: its entry, and its pages in the order of their addresses, with holes between them."""

    sink: ByteSink
    block: MappedBlock
    page_size: int
    _start: int = 0  # of the pages, in the output
    _next: int = 0  # address behind the last page

    def open(self) -> None:
        """Writes the entry. Raises DataError where it contradicts itself."""
        block = self.block
        gap = block.pages_offset - block.bitmap_offset - len(block.bitmap)
        if len(block.bitmap) != bitmap_size(block.length, self.page_size) or not len(block.filler) <= gap <= MAX_GAP:
            raise DataError(
                f"the bitmap of RAM block {block.name.decode(errors='replace')} does not fit before its pages"
            )
        head = bytes((len(block.name),)) + block.name + block.length.to_bytes(8, "big")
        if block.gpa is not None:
            head += block.gpa.to_bytes(8, "big")
        head += _HEADER.pack(_VERSION, self.page_size, block.bitmap_offset, block.pages_offset)
        self.sink.write(head + block.bitmap + block.filler)
        self.sink.hole(gap - len(block.filler))
        self._start = self.sink.offset

    def page(self, addr: int, data: bytes | memoryview) -> None:
        """Writes a page. Raises DataError for one that is out of order or no page of the block."""
        end = addr + len(data)
        if addr < self._next or addr % self.page_size or len(data) != self.page_size or end > self.block.length:
            raise DataError(f"a page of {len(data)} bytes at {addr:#x} does not fit its RAM block, or its order")
        self._to(addr)
        self.sink.write(data)
        self._next = end

    def close(self) -> None:
        """Goes to the end of the block."""
        self._to(self.block.length)

    def _to(self, addr: int) -> None:
        size = self._start + addr - self.sink.offset
        if size:
            self.sink.hole(size)
