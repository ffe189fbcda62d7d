"""The RAM section in the binary format: its records, read.

Every payload of the section is a list of records that ends with EOS. A record begins with a 64 bit big-endian word: an
address, whose low bits (below the page size) are flags. CONTINUE says that the page is in the block of the page before,
also across sections; without it the block's name follows the word (migration/ram.c, QEMU 5.2, 7.2 and 10.0).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from vmsgen.runtime.errors import DataError, TruncatedError
from vmsgen.runtime.slotted import Slotted, field
from vmsgen.stream import marks
from vmsgen.stream.items import (
    COMPRESS,
    EOS,
    FILL,
    FLUSH,
    GROUP,
    HOOK,
    LIST,
    PAGE,
    ROW,
    ROW_HEAD,
    SIZE,
    XBZRLE,
    ZERO,
    BlockList,
    Record,
    wire_name,
)
from vmsgen.stream.ram.block_list import read_block_list
from vmsgen.stream.ram.rows import count_alike, count_zeros, shortest_row, words
from vmsgen.stream.transport.source import ByteSource

__all__ = ["MAX_RUN", "RamState", "read_records"]

#: Longest run of zero pages in one record: what a reader has to take without a block list to check it against.
MAX_RUN = 1 << 24
_MAX_BATCH = 1024
_MAX_ROW = 4096  # pages in one record of a row
_ZERO_RECORD = 9  # octets of a zero page
_NONE = -1

_word = struct.Struct(">Q").unpack_from


class RamState(Slotted):
    """What the records of one channel share: it outlives sections.

    ``shared_gpa`` and ``block_page_sizes`` are what the configuration and the commands announce about the block list:
    capability x-ignore-shared adds an address to each block, postcopy may add a page size; so does ``mapped``, for the
    capability mapped-ram, which puts the pages behind each block.
    """

    page_size: int = 4096
    block: bytes | None = None  # of the last page
    shared_gpa: bool = False
    block_page_sizes: bool = False
    mapped: bool = False
    lengths: dict[bytes, int] = field(default_factory=dict)  # of the blocks, once their list was seen

    def learn(self, blocks: BlockList) -> None:
        """Takes the lengths from the block list."""
        self.lengths = {block.name: block.length for block in blocks.blocks}


def read_records(source: ByteSource, state: RamState) -> Iterator[list[Record]]:
    """Batches of records up to and including EOS. Raises DataError with the offset in the input."""
    reader = _Reader(source, state)
    while not reader.done:
        batch = reader.batch()
        if batch:
            yield batch
        if batch and batch[0][0] == SIZE:
            from vmsgen.stream.ram.mapped import read_mapped_blocks  # here, for most streams have none

            yield from read_mapped_blocks(source, batch[0][1], state.page_size, with_gpa=state.shared_gpa)


class _Reader:
    """Reads the records of one section from the source's buffer."""

    def __init__(self, source: ByteSource, state: RamState) -> None:
        self.source = source
        self.state = state
        self.done = False
        self._in_group = False
        self._missing = 8  # bytes that the next record needs at least
        self._cut = False  # the input ends before them
        # A run of zero pages that may go on, also behind what the buffer holds now: how the input comes in pieces must
        # not show in what is read from it.
        self._zeros = (_NONE, _NONE)
        self._row_next = _NONE  # address at which a row goes on

    def batch(self) -> list[Record]:
        """The records that stand complete in the buffer, after reading on if not one does."""
        source, state = self.source, self.state
        self._cut = not source.ensure(self._missing)
        self._missing = 8
        records: list[Record] = []
        page_size = state.page_size
        mask = page_size - 1
        view, pos, end = source.view, source.pos, source.end
        plain_page, plain_zero = marks.RAM_PAGE | marks.RAM_CONTINUE, marks.RAM_ZERO | marks.RAM_CONTINUE
        while len(records) < _MAX_BATCH and end - pos >= 8:
            (word,) = _word(view, pos)
            flags = word & mask
            if flags == plain_page and self._in_group:
                after = self._pages(records, word, pos, end)
            elif flags == plain_zero and self._in_group and end - pos > 8 and not view[pos + 8]:
                after = self._zero_pages(records, word, pos, end)
            else:
                self._end_run(records)
                source.pos = pos
                if flags & ~marks.RAM_CONTINUE == marks.RAM_MEM_SIZE:
                    if not records:
                        records.append(self._list(word))
                        return records
                    break  # reading the list moves the buffer: hand out what points into it first
                after = self._other(records, word, flags, pos, end)
            if after < 0:
                break
            pos = after
            if self.done:
                break
        source.pos = pos
        if self._cut and not records:
            self._end_run(records)
            if not records:
                raise TruncatedError("the stream ends inside a RAM record", offset=source.offset)
        return records

    def _pages(self, records: list[Record], word: int, pos: int, end: int) -> int:
        """Full pages from ``pos`` on, as a row if there are enough of them: appends them and returns where they end, or
        -1 with ``_missing`` set.
        """
        page_size = self.state.page_size
        stride = ROW_HEAD + page_size
        addr = word & ~(page_size - 1)
        view = self.source.view
        if end - pos < stride:
            self._missing = stride
            return -1
        begins = addr != self._row_next
        if begins and end - pos >= stride + 8 and _word(view, pos + stride)[0] != word + page_size:
            self._end_run(records)
            records.append((PAGE, addr, view[pos + ROW_HEAD : pos + stride]))
            return pos + stride
        there = min((end - pos) // stride, _MAX_ROW, ((1 << 64) - addr) // page_size)
        pages = count_alike(
            view[pos : pos + there * stride],
            page_size,
            lambda at, count: words(word + at * page_size, count, page_size),
        )
        stop = pos + pages * stride
        if begins and pages < shortest_row(page_size):
            # how the input comes in pieces must not show: what comes next says whether this is a row
            known = end - stop >= 8
            if not self._cut and (not known or _word(view, stop)[0] == word + pages * page_size):
                self._missing = stop - pos + (stride if known else 8)
                return -1
            self._end_run(records)
            records += [
                (PAGE, addr + at * page_size, view[pos + at * stride + ROW_HEAD : pos + (at + 1) * stride])
                for at in range(pages)
            ]
            return stop
        self._end_run(records)
        records.append((ROW, addr, pages, view[pos:stop], begins))
        self._row_next = addr + pages * page_size
        return stop

    def _zero_pages(self, records: list[Record], word: int, pos: int, end: int) -> int:
        """Zero pages from ``pos`` on, which go on a run or begin one that is held back; returns where they end."""
        page_size = self.state.page_size
        addr = word & ~(page_size - 1)
        first, following = self._zeros
        if addr != following or addr - first >= MAX_RUN * page_size:
            self._end_run(records)
            first = addr
        room = min(MAX_RUN - (addr - first) // page_size, ((1 << 64) - addr) // page_size)
        size = min((end - pos) // _ZERO_RECORD, room) * _ZERO_RECORD
        pages = count_zeros(self.source.view[pos : pos + size], page_size, word)
        self._row_next = _NONE
        self._zeros = (first, addr + pages * page_size)
        return pos + pages * _ZERO_RECORD

    def _end_run(self, records: list[Record]) -> None:
        """What was held back of zero pages, and the end of a row: something else comes."""
        first, following = self._zeros
        if first != _NONE:
            records.append((ZERO, first, (following - first) // self.state.page_size))
            self._zeros = (_NONE, _NONE)
        self._row_next = _NONE

    def _list(self, word: int) -> Record:
        self.source.pos += 8
        total = word & ~(self.state.page_size - 1)
        if self.state.mapped:
            self._in_group = False
            return (SIZE, total, self.state.page_size)
        blocks = read_block_list(
            self.source,
            total,
            self.state.page_size,
            with_gpa=self.state.shared_gpa,
            maybe_page_size=self.state.block_page_sizes,
        )
        self.state.learn(blocks)
        self._in_group = False
        return (LIST, blocks)

    def _other(self, records: list[Record], word: int, flags: int, pos: int, end: int) -> int:
        """Any other record at ``pos``: appends it and returns where it ends, or -1 with ``_missing`` set."""
        view = self.source.view
        where = self.source.offset_of(pos)
        kind = flags & ~marks.RAM_CONTINUE
        addr = word - flags
        at = pos + 8
        if kind in (marks.RAM_EOS, marks.RAM_FLUSH, marks.RAM_HOOK):
            if addr or flags != kind:
                raise DataError(f"a RAM record {word:#x} with an address where none belongs", offset=where)
            if kind == marks.RAM_EOS:
                self.done = True
                records.append((EOS,))
            elif kind == marks.RAM_FLUSH:
                self._in_group = False
                records.append((FLUSH,))
            else:
                records.append((HOOK,))
            return at
        if kind not in (marks.RAM_ZERO, marks.RAM_PAGE, marks.RAM_XBZRLE, marks.RAM_COMPRESS):
            raise DataError(f"expected a RAM record, found the word {word:#x} with flags {flags:#x}", offset=where)
        name = None
        if not flags & marks.RAM_CONTINUE:
            if at >= end or at + 1 + view[at] > end:
                self._missing = at + 1 - pos if at >= end else at + 1 + view[at] - pos
                return -1
            name = bytes(view[at + 1 : at + 1 + view[at]])
            at += 1 + len(name)
        size = self._content_size(kind, view, pos, at, end)
        if size < 0 or at + size > end:
            if size >= 0:
                self._missing = at + size - pos
            return -1
        if name is not None:
            wire_name(name, "the name of a RAM block", where + 8)
            self.state.block = name
            records.append((GROUP, name, False))
        elif not self._in_group:
            if self.state.block is None:
                raise DataError("a RAM page continues a block, but no block was named before", offset=where)
            records.append((GROUP, self.state.block, True))
        self._in_group = True
        if kind == marks.RAM_ZERO and not view[at]:
            self._zeros = (addr, addr + self.state.page_size)
        else:
            records.append(_page_record(kind, addr, view, at, size))
        return at + size

    def _content_size(self, kind: int, view: memoryview, pos: int, at: int, end: int) -> int:
        """Bytes of a page's contents that stand at ``at``, or -1 with ``_missing`` set."""
        if kind == marks.RAM_ZERO:
            return 1
        if kind == marks.RAM_PAGE:
            return self.state.page_size
        prefix = 3 if kind == marks.RAM_XBZRLE else 4
        if at + prefix > end:
            self._missing = at + prefix - pos
            return -1
        where = self.source.offset_of(at)
        if kind == marks.RAM_XBZRLE:
            if view[at] != 1:
                raise DataError(f"expected an XBZRLE page of encoding 1, found {view[at]}", offset=where)
            size = int.from_bytes(view[at + 1 : at + 3], "big")
            most = self.state.page_size
        else:
            size = int.from_bytes(view[at : at + 4], "big")
            most = self.state.page_size + (self.state.page_size >> 3) + 64  # above zlib's own bound
        if size > most:
            raise DataError(
                f"an encoded page of {size} bytes, more than {most} for a page of {self.state.page_size}", offset=where
            )
        return prefix + size


def _page_record(kind: int, addr: int, view: memoryview, at: int, size: int) -> Record:
    if kind == marks.RAM_PAGE:
        return (PAGE, addr, view[at : at + size])
    if kind == marks.RAM_ZERO:
        return (FILL, addr, view[at])
    if kind == marks.RAM_XBZRLE:
        return (XBZRLE, addr, bytes(view[at + 3 : at + size]))
    return (COMPRESS, addr, bytes(view[at + 4 : at + size]))
