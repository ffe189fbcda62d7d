"""The guest's memory as it is after the last record of a stream: later pages replace earlier ones, zero pages, filled
pages, differences (XBZRLE) and compressed pages are applied.

Contents go to files, at the pages' own addresses; what was never sent stays a hole. Of every page a byte is kept that
says what it was last.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from vmsgen.runtime.errors import DataError, LimitError
from vmsgen.runtime.slotted import Slotted, field
from vmsgen.stream.items import (
    COMPRESS,
    FILL,
    GROUP,
    LIST,
    MAPPED,
    PAGE,
    ROW,
    ROW_HEAD,
    SIZE,
    XBZRLE,
    ZERO,
    MappedBlock,
    RamRecords,
    Record,
    Section,
    SectionKind,
    pages_of_row,
)
from vmsgen.stream.ram.xbzrle import decode_xbzrle, decode_zlib_page

if TYPE_CHECKING:
    from vmsgen.stream.channels.joined import HasItems

__all__ = ["DATA", "NEVER", "ZEROS", "BlockMemory", "Memory", "Window", "read_memory"]

#: What a page was last.
NEVER, DATA, ZEROS = range(3)
_MAX_PAGES = 1 << 30
_MAX_BLOCKS = 1000
_GATHER = 256
_COUNTED = 1 << 20


class Window(Slotted, frozen=True):
    """Where a block's contents go: those from ``start`` to ``end`` (whole pages) to a file, ``start`` at its start."""

    descriptor: int
    start: int
    end: int


class BlockMemory(Slotted):
    """A RAM block: what its pages were last, and how often a page came again. ``window`` None keeps no contents."""

    name: str
    length: int
    page_size: int
    window: Window | None
    states: mmap.mmap
    repeated: int = 0
    mapped: bytes | None = None  # the bitmap of a mapped-ram file
    _run: list[bytes | memoryview] = field(default_factory=list)
    _run_at: int = 0

    @property
    def pages(self) -> int:
        """Pages that the block has."""
        return -(-self.length // self.page_size)

    def counts(self) -> dict[str, int]:
        """Pages by what they were last: ``data``, ``zero``, ``never``; and ``repeated``, how many records came for a
        page that had one before.
        """
        found = [0, 0, 0]
        for start in range(0, self.pages, _COUNTED):
            states = self.states[start : min(start + _COUNTED, self.pages)]
            for state in (DATA, ZEROS):
                found[state] += states.count(state)
        never = self.pages - found[DATA] - found[ZEROS]
        return {"data": found[DATA], "zero": found[ZEROS], "never": never, "repeated": self.repeated}

    def data(self, addr: int, page: bytes | memoryview) -> None:
        """A page's new contents, used until :meth:`flush`."""
        number = self._seen(addr)
        if self.mapped is not None and not self.mapped[number >> 3] >> (number & 7) & 1:
            return  # stands there from before the sender cleared the page
        self.states[number] = DATA
        window = self.window
        if window is None or not window.start <= addr < window.end:
            return
        if self._run and (self._run_at + len(self._run) * self.page_size != addr or len(self._run) == _GATHER):
            self.flush()
        if not self._run:
            self._run_at = addr
        self._run.append(page)

    def row(self, row: Record) -> None:
        """New contents of pages that follow each other (a ROW), used until :meth:`flush`."""
        _, addr, pages, data, _ = row
        if len(data) != pages * (ROW_HEAD + self.page_size):
            raise DataError(f"pages at {addr:#x} of another size than {self.page_size}")
        window = self.window
        if self.mapped is not None or (window is not None and addr < window.end):
            for _, at, page in pages_of_row(row):
                self.data(at, page)
            return
        first = self._checked(addr, pages)
        self.repeated += pages - self.states[first : first + pages].count(NEVER)
        self.states[first : first + pages] = bytes((DATA,)) * pages

    def zeros(self, addr: int, pages: int) -> None:
        """Pages of zeros, one after the other."""
        first = self._checked(addr, pages)
        before = self.states[first : first + pages]
        self.repeated += pages - before.count(NEVER)
        if DATA in before:
            self.flush()
            for at in range(pages):
                if before[at] == DATA:
                    self._write(addr + at * self.page_size, bytes(self.page_size))
        self.states[first : first + pages] = b"\2" * pages

    def difference(self, addr: int, data: bytes) -> None:
        """A difference to what the page was. Raises DataError."""
        self.flush()
        window = self.window
        if window is None or not window.start <= addr < window.end:
            self.data(addr, b"")
            return
        page = bytearray(os.pread(window.descriptor, self.page_size, addr - window.start).ljust(self.page_size, b"\0"))
        decode_xbzrle(data, page)
        self.data(addr, bytes(page))

    def _seen(self, addr: int) -> int:
        number = self._checked(addr, 1)
        if self.states[number] and self.mapped is None:
            self.repeated += 1
        return number

    def _checked(self, addr: int, pages: int) -> int:
        number, rest = divmod(addr, self.page_size)
        if rest or number + pages > self.pages or pages < 1:
            raise DataError(f"a page at {addr:#x} does not belong to RAM block {self.name} of {self.length} bytes")
        return number

    def flush(self) -> None:
        """Writes what was gathered; pages that were handed in are not needed any more. Raises OSError."""
        run, self._run = self._run, []
        if not run:
            return
        assert self.window is not None
        at = self._run_at - self.window.start
        written = os.pwritev(self.window.descriptor, run, at)
        size = len(run) * self.page_size
        if written < size:  # a full disk says so with the next bytes
            rest = memoryview(b"".join(run))
            while written < size:
                written += os.pwrite(self.window.descriptor, rest[written:], at + written)

    def _write(self, addr: int, page: bytes) -> None:
        window = self.window
        if window is not None and window.start <= addr < window.end:
            os.pwrite(window.descriptor, page, addr - window.start)


class Memory:
    """All blocks. ``keep`` is asked for each: name, length, page size -> where its contents go."""

    def __init__(self, keep: Callable[[str, int, int], Window | None]) -> None:
        self._keep = keep
        self.blocks: dict[bytes, BlockMemory] = {}
        self._page_size = 4096
        self._block: BlockMemory | None = None

    def take(self, batches: Iterable[list[Record]]) -> None:
        """Applies the records of a section. Raises DataError, OSError."""
        for records in batches:
            for record in records:
                self._record(record)
            if self._block is not None:
                self._block.flush()

    def _record(self, record: Record) -> None:
        kind = record[0]
        if kind == GROUP:
            if self._block is not None:
                self._block.flush()
            self._block = self.blocks.get(record[1])
            if self._block is None:
                raise DataError(
                    f"a page of RAM block {record[1].decode(errors='replace')}, which the stream does not list"
                )
        elif kind == LIST:
            self._page_size = record[1].page_size
            for block in record[1].blocks:
                self._add(block.name, block.length)
        elif kind == SIZE:
            self._page_size = record[2]
        elif kind == MAPPED:
            self._mapped(record[1])
        elif kind in (PAGE, ROW, ZERO, FILL, XBZRLE, COMPRESS):
            self._page(record)

    def _page(self, record: Record) -> None:
        kind, addr, content = record[:3]
        block = self._block
        if block is None:
            raise DataError(f"a RAM page at {addr:#x} outside of any block")
        if kind == PAGE:
            block.data(addr, content)
        elif kind == ROW:
            block.row(record)
        elif kind == ZERO:
            block.zeros(addr, content)
        elif kind == FILL:
            block.data(addr, bytes((content,)) * self._page_size)
        elif kind == XBZRLE:
            block.difference(addr, content)
        else:
            block.data(addr, decode_zlib_page(content, self._page_size))

    def _add(self, name: bytes, length: int) -> BlockMemory:
        pages = -(-length // self._page_size)
        if pages > _MAX_PAGES or len(self.blocks) >= _MAX_BLOCKS:
            raise LimitError(f"RAM of more than {_MAX_PAGES} pages or {_MAX_BLOCKS} blocks")
        text = name.decode(errors="surrogateescape")
        # not a bytearray: what is never touched takes no memory
        states = mmap.mmap(-1, max(pages, 1))
        block = BlockMemory(text, length, self._page_size, self._keep(text, length, self._page_size), states)
        self.blocks[name] = block
        return block

    def _mapped(self, entry: MappedBlock) -> None:
        import numpy as np

        block = self._add(entry.name, entry.length)
        # words of the sender's host, taken for a little-endian one: nothing in the file says which it was
        block.mapped = bytes(entry.bitmap)
        # a page that is not there was all zeros; but a block that is not migrated at all (x-ignore-shared) has none
        if entry.gpa is None or any(block.mapped):
            np.frombuffer(block.states, dtype=np.uint8)[: block.pages] = ZEROS


def read_memory(reader: HasItems, memory: Memory) -> None:
    """Reads a stream up to the end of its RAM. Raises DataError with section and offset, OSError."""
    for item in reader.items():
        if not isinstance(item, Section) or not isinstance(item.body, RamRecords):
            continue
        try:
            memory.take(item.body.rows)
        except DataError as error:
            raise error if error.section else error.located(section=item.label) from None
        if item.kind is SectionKind.END:
            return
