"""The RAM section in the binary format: its records, written (see :mod:`vmsgen.stream.ram.reader`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vmsgen.runtime.errors import DataError, LimitError
from vmsgen.stream import marks
from vmsgen.stream.items import (
    COMPRESS,
    EOS,
    FILL,
    FLUSH,
    GROUP,
    HOOK,
    LIST,
    MAPPED,
    PAGE,
    ROW,
    ROW_HEAD,
    SIZE,
    XBZRLE,
    ZERO,
    Record,
    pages_of_row,
)
from vmsgen.stream.ram.block_list import write_block_list
from vmsgen.stream.ram.reader import MAX_RUN, RamState
from vmsgen.stream.ram.rows import words, write_row
from vmsgen.stream.transport.sink import ByteSink

if TYPE_CHECKING:
    from vmsgen.stream.ram.mapped import MappedWriter

__all__ = ["write_records"]

_RUN_PIECE = 4096  # zero pages written at once


def write_records(sink: ByteSink, batches: Iterator[list[Record]], state: RamState) -> None:
    """Writes the records of one section. Raises DataError where they cannot be said in the binary format."""
    writer = _Writer(sink, state)
    for batch in batches:
        writer.batch(batch)
        sink.settle()
    if not writer.ended:
        raise DataError("the records of a RAM section do not end with EOS")


class _Writer:
    """Writes the records of one section."""

    def __init__(self, sink: ByteSink, state: RamState) -> None:
        self.sink = sink
        self.state = state
        self.ended = False
        self._name: bytes | None = None  # to be written with the next page
        self._block = b""  # of the group
        self._in_group = False
        self._mapped: MappedWriter | None = None

    def batch(self, records: list[Record]) -> None:
        """Writes a batch."""
        for record in records:
            kind = record[0]
            if self.ended:
                raise DataError("a RAM record after the end of the section's records")
            if self._mapped is not None:
                self._mapped_record(self._mapped, record)
            elif kind == PAGE:
                self._page(record[1], record[2])
            elif kind == ROW:
                self._row(record[1], record[2], record[3])
            elif kind == ZERO:
                self._zeros(record[1], record[2])
            else:
                self._other(record)

    def _page(self, addr: int, data: bytes | memoryview) -> None:
        if len(data) != self.state.page_size:
            raise DataError(f"a RAM page of {len(data)} bytes, expected {self.state.page_size}")
        self.sink.write(self._head(addr, marks.RAM_PAGE))
        self.sink.write(data)

    def _row(self, addr: int, pages: int, data: memoryview) -> None:
        page_size = self.state.page_size
        stride = ROW_HEAD + page_size
        if len(data) != pages * stride:
            raise DataError(f"RAM pages of {len(data) // pages - ROW_HEAD} bytes, expected {page_size}")
        if self._name is not None:
            self._page(addr, data[ROW_HEAD:stride])
            addr, pages, data = addr + page_size, pages - 1, data[stride:]
            if not pages:
                return
        if addr & (page_size - 1) or not self._in_group:
            self._refuse(addr)
        if addr + pages * page_size > 1 << 64:
            raise DataError(f"a RAM page at {addr + (pages - 1) * page_size:#x}, beyond 64 bits")
        write_row(self.sink, data, page_size, words(addr | marks.RAM_PAGE | marks.RAM_CONTINUE, pages, page_size))

    def _mapped_record(self, mapped: MappedWriter, record: Record) -> None:
        """A record after a block of a mapped-ram file."""
        kind = record[0]
        if kind == PAGE:
            mapped.page(record[1], record[2])
        elif kind == ROW:
            for _, addr, data in pages_of_row(record):
                mapped.page(addr, data)
        elif kind == GROUP and record[1] == mapped.block.name and not record[2]:
            return  # its place says whose pages these are
        elif kind in (MAPPED, EOS, FLUSH):
            mapped.close()
            self._mapped = None
            self._other(record)
        else:
            raise DataError(
                f"RAM block {mapped.block.name.decode(errors='replace')} of a mapped-ram file has full pages only"
            )

    def _refuse(self, addr: int) -> None:
        if not self._in_group:
            raise DataError(f"a RAM page at {addr:#x} outside of any block")
        raise DataError(f"a RAM page at {addr:#x}, which is not a multiple of the page size {self.state.page_size}")

    def _head(self, addr: int, flag: int) -> bytes:
        """The word of a page and, where it is due, the name of its block."""
        if addr & (self.state.page_size - 1) or not self._in_group:
            self._refuse(addr)
        if addr >> 64:
            raise DataError(f"a RAM page at {addr:#x}, beyond 64 bits")
        name, self._name = self._name, None
        if name is None:
            return (addr | flag | marks.RAM_CONTINUE).to_bytes(8, "big")
        self.state.block = name
        return (addr | flag).to_bytes(8, "big") + bytes((len(name),)) + name

    def _zeros(self, addr: int, pages: int) -> None:
        page_size = self.state.page_size
        last = addr + pages * page_size
        known = self.state.lengths.get(self._block)
        # (where its pages are is QEMU's to judge: what came from the binary format goes back to it)
        if pages < 1 or last > (1 << 64) or pages > MAX_RUN or (known is not None and pages * page_size > known):
            raise LimitError(f"a run of {pages} zero pages from {addr:#x} on does not fit its block")
        write = self.sink.write
        if self._name is not None or pages == 1:
            write(self._head(addr, marks.RAM_ZERO) + b"\0")
            addr += page_size
        elif addr & (page_size - 1) or not self._in_group:
            self._refuse(addr)
        flags = marks.RAM_ZERO | marks.RAM_CONTINUE
        while addr < last:
            stop = min(last, addr + _RUN_PIECE * page_size)
            write(words(addr | flags, (stop - addr) // page_size, page_size, b"\0"))
            addr = stop

    def _other(self, record: Record) -> None:
        kind = record[0]
        write = self.sink.write
        if kind == GROUP:
            self._group(record[1], record[2])
        elif kind == FILL:
            write(self._head(record[1], marks.RAM_ZERO) + bytes((record[2],)))
        elif kind == XBZRLE:
            if len(record[2]) > 0xFFFF:
                raise DataError(f"an XBZRLE page of {len(record[2])} bytes, more than its length field can say")
            write(self._head(record[1], marks.RAM_XBZRLE) + b"\1" + len(record[2]).to_bytes(2, "big") + record[2])
        elif kind == COMPRESS:
            write(self._head(record[1], marks.RAM_COMPRESS) + len(record[2]).to_bytes(4, "big") + record[2])
        elif kind == SIZE:
            if record[1] & (record[2] - 1) or record[1] >> 64:
                raise DataError(f"a RAM size of {record[1]} bytes, expected a multiple of the page size {record[2]}")
            self.state.page_size = record[2]
            self._in_group = False
            write((record[1] | marks.RAM_MEM_SIZE).to_bytes(8, "big"))
        elif kind == MAPPED:
            self._in_group = False
            from vmsgen.stream.ram.mapped import MappedWriter  # here, for most streams have none

            self._mapped = MappedWriter(self.sink, record[1], self.state.page_size)
            self._mapped.open()
        elif kind == HOOK:
            write(marks.RAM_HOOK.to_bytes(8, "big"))
        elif kind == FLUSH:
            self._in_group = False
            write(marks.RAM_FLUSH.to_bytes(8, "big"))
        elif kind == LIST:
            self._in_group = False
            self.state.page_size = record[1].page_size
            self.state.learn(record[1])
            write_block_list(self.sink, record[1], marks.RAM_MEM_SIZE)
        else:
            if kind != EOS:
                raise ValueError(f"no RAM record of kind {kind}")
            self.ended = True
            write(marks.RAM_EOS.to_bytes(8, "big"))

    def _group(self, name: bytes, continued: bool) -> None:
        if not 1 <= len(name) <= 255:
            raise DataError(f"a RAM block's name of {len(name)} bytes")
        if continued and name != self.state.block:
            raise DataError(f"a RAM page continues block {name!r}, but the one before is of {self.state.block!r}")
        self._name = None if continued else name
        self._block = name
        self._in_group = True
