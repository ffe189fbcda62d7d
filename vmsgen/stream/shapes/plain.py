"""A stream as one plain stream, in which every page comes once and as it is at the end.

What it is made from may be a mapped-ram file, have other channels, differences (XBZRLE), compressed pages, or many
rounds. The pages wait in files without names, because a mapped-ram file has them before the list of all blocks is
known, and stand in the last RAM section. A page that a mapped-ram file does not have was all zeros (migration/ram.c,
QEMU 10.0), and is sent as such; in other streams a page that was never sent stays so.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
from collections.abc import Iterable, Iterator

from vmsgen.runtime.errors import DataError
from vmsgen.runtime.slotted import replaced
from vmsgen.stream.channels.joined import HasItems
from vmsgen.stream.items import (
    EOS,
    GROUP,
    LIST,
    MAPPED,
    PAGE,
    SIZE,
    ZERO,
    BlockList,
    Configuration,
    Eof,
    Item,
    RamBlock,
    RamRecords,
    Record,
    Section,
    SectionKind,
)
from vmsgen.stream.memory.contents import DATA, ZEROS, BlockMemory, Memory, Window
from vmsgen.stream.transport.part import named, scratch_name

__all__ = ["MAPPED_RAM", "PlainReader", "block_pages"]

MAPPED_RAM = b"mapped-ram"
_PAGES = 256  # read at once
_LOOKED_AT = 1 << 20  # pages, for which memory is taken


class PlainReader:
    """The items of a stream, its RAM in plain form."""

    def __init__(self, main: HasItems) -> None:
        self._main = main
        self._files = contextlib.ExitStack()
        self._memory = Memory(self._keep)
        self._blocks: list[RamBlock] = []
        self._total = 0
        self._page_size = 4096
        self._started = False

    def _keep(self, name: str, length: int, page_size: int) -> Window:
        made = tempfile.TemporaryFile(prefix="vmsgen-", buffering=0)  # noqa: SIM115 - closed with the others
        file = self._files.enter_context(made)
        return Window(file.fileno(), 0, length)

    def items(self) -> Iterator[Item]:
        """The items in order. Raises DataError, OSError."""
        with self._files:
            for item in self._main.items():
                if isinstance(item, Configuration):
                    yield _without_mapped(item)
                    continue
                if isinstance(item, Section) and isinstance(item.body, RamRecords):
                    self._started = item.kind is not SectionKind.END
                    item.body = RamRecords(self._plain(item, item.body.rows))
                elif isinstance(item, Eof) and self._started:
                    # (a background snapshot)
                    raise DataError("RAM has no last section, into which its pages could be put", offset=item.offset)
                yield item

    def _plain(self, section: Section, batches: Iterable[list[Record]]) -> Iterator[list[Record]]:
        self._gather(section, batches)
        if section.kind is SectionKind.START:
            yield [(LIST, BlockList(self._total, tuple(self._blocks), self._page_size))]
        elif section.kind is SectionKind.END:
            for name, block in self._memory.blocks.items():
                pages = block_pages(block)
                first = next(pages, None)
                if first is not None:
                    yield [(GROUP, name, False)]
                    yield first
                    yield from pages
        yield [(EOS,)]

    def _gather(self, section: Section, batches: Iterable[list[Record]]) -> None:
        """Uses up the records of a section. Raises DataError, OSError."""
        try:
            with named(scratch_name()):
                self._memory.take(self._noted(batches))
        except DataError as error:
            raise error if error.section else error.located(section=section.label) from None

    def _noted(self, batches: Iterable[list[Record]]) -> Iterator[list[Record]]:
        """The same batches; what they say of the blocks is kept."""
        for records in batches:
            for record in records:
                if record[0] == LIST:
                    self._total, self._page_size = record[1].total, record[1].page_size
                    # (without the sizes of host pages, which only postcopy has)
                    self._blocks = [replaced(block, page_size=None) for block in record[1].blocks]
                elif record[0] == SIZE:
                    self._total, self._page_size = record[1], record[2]
                elif record[0] == MAPPED:
                    self._blocks.append(RamBlock(record[1].name, record[1].length, gpa=record[1].gpa))
            yield records


def _without_mapped(item: Configuration) -> Configuration:
    left = tuple(name for name in item.capabilities or () if name != MAPPED_RAM)
    return item if left == item.capabilities else replaced(item, capabilities=left or None)


def block_pages(block: BlockMemory) -> Iterator[list[Record]]:
    """The pages of a block in order: those with data from its file, others as runs of zeros."""
    import numpy as np

    for first in range(0, block.pages, _LOOKED_AT):
        count = min(_LOOKED_AT, block.pages - first)
        states = np.frombuffer(block.states, dtype=np.uint8, count=count, offset=first)
        bounds = [0, *(np.flatnonzero(np.diff(states)) + 1).tolist(), count]
        for start, end in itertools.pairwise(bounds):
            if states[start] == ZEROS:
                yield [(ZERO, (first + start) * block.page_size, end - start)]
            elif states[start] == DATA:
                yield from _contents(block, first + start, first + end)


def _contents(block: BlockMemory, start: int, end: int) -> Iterator[list[Record]]:
    """Pages from number ``start`` to ``end``, as full ones."""
    assert block.window is not None
    size = block.page_size
    for at in range(start, end, _PAGES):
        count = min(_PAGES, end - at)
        view = memoryview(os.pread(block.window.descriptor, count * size, at * size).ljust(count * size, b"\0"))
        yield [(PAGE, (at + page) * size, view[page * size : (page + 1) * size]) for page in range(count)]
