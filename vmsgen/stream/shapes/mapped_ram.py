"""Any stream as a mapped-ram file: the pages at their fixed places (see :mod:`vmsgen.stream.ram.mapped`).

Which pages there are must be known before the first of them is written, so everything before the last RAM section
waits: pages in files without names, the other items in memory, where they are few.
"""

from __future__ import annotations

from collections.abc import Iterator

from vmsgen.runtime.errors import DataError
from vmsgen.runtime.slotted import replaced
from vmsgen.stream.binary.writer import BinaryWriter
from vmsgen.stream.channels.joined import HasItems
from vmsgen.stream.items import (
    EOS,
    GROUP,
    MAPPED,
    PAGE,
    SIZE,
    Configuration,
    Eof,
    Item,
    MappedBlock,
    RamBlock,
    RamRecords,
    Record,
    Section,
    SectionKind,
    SectionRecords,
)
from vmsgen.stream.memory.contents import DATA, BlockMemory
from vmsgen.stream.shapes.plain import MAPPED_RAM, PlainReader, block_pages
from vmsgen.stream.transport.sink import MemorySink

__all__ = ["MappedReader"]

_ALIGNMENT = 1 << 20
_ENTRY = 1 + 8 + 28  # bytes of a block's entry but for its name and address


class MappedReader(PlainReader):
    """The items of a stream in the shape of a mapped-ram file, which stands ``begin_at`` bytes behind the file's
    start.
    """

    def __init__(self, main: HasItems, *, begin_at: int = 0) -> None:
        super().__init__(main)
        self._begin_at = begin_at

    def items(self) -> Iterator[Item]:
        """The items in order. Raises DataError, OSError."""
        with self._files:
            start: Section | None = None
            said = False
            waiting: list[Item] = []
            before = MemorySink()  # what stands before RAM, for its size
            writer = BinaryWriter(before)
            for item in self._main.items():
                known = bool(self._blocks)
                again: Item | None = item
                if isinstance(item, Configuration):
                    item = again = _with_mapped(item)
                    said = True
                elif isinstance(item, Section) and not said:
                    raise DataError(
                        "a stream without a configuration cannot be a mapped-ram file, which says there that it is one",
                        offset=item.offset,
                    )
                elif isinstance(item, Section) and isinstance(item.body, SectionRecords):
                    form, entries = item.body.form, tuple(item.body.entries)
                    again = replaced(item, body=SectionRecords(form, entries))
                    # (a copy: who reads the input uses up what is left of its own)
                    item = replaced(item, body=SectionRecords(form, entries))
                elif isinstance(item, Section) and isinstance(item.body, RamRecords):
                    self._gather(item, item.body.rows)
                    item = replaced(item, body=RamRecords(iter([[(EOS,)]])))
                    if item.kind is SectionKind.START:
                        start, again = item, None
                    if item.kind is SectionKind.END and start is not None:
                        start.body = RamRecords(self._mapped(start, self._begin_at + before.offset))
                        yield from waiting
                        waiting, start = [], None
                elif isinstance(item, Eof) and start is not None:
                    raise DataError("RAM has no last section: not all of its pages are known", offset=item.offset)
                if again is not None and not known:
                    writer.item(again)
                if start is None:
                    yield item
                else:
                    waiting.append(item)

    def _mapped(self, start: Section, at: int) -> Iterator[list[Record]]:
        """The records of the first RAM section, which begins at ``at`` in the file."""
        at += 1 + 4 + 1 + len(start.name.encode()) + 8 + 8
        yield [(SIZE, self._total, self._page_size)]
        for block in self._blocks:
            memory = self._memory.blocks[block.name]
            entry = self._entry(block, memory, at)
            yield [(MAPPED, entry)]
            yield [(GROUP, block.name, False)]
            for records in block_pages(memory):
                if records[0][0] == PAGE:
                    yield records
            at = entry.pages_offset + block.length
        yield [(EOS,)]

    def _entry(self, block: RamBlock, memory: BlockMemory, at: int) -> MappedBlock:
        import numpy as np

        if block.length % self._page_size:
            raise DataError(f"RAM block {memory.name} has {block.length} bytes, no multiple of {self._page_size}")
        states = np.frombuffer(memory.states, dtype=np.uint8, count=memory.pages)
        bits = np.packbits(states == DATA, bitorder="little").tobytes()
        bitmap = bits.ljust(-(-memory.pages // 64) * 8, b"\0")
        bitmap_at = at + _ENTRY + len(block.name) + (0 if block.gpa is None else 8)
        pages_at = -(-(bitmap_at + len(bitmap)) // _ALIGNMENT) * _ALIGNMENT
        return MappedBlock(block.name, block.length, bitmap_at, pages_at, bitmap, gpa=block.gpa)


def _with_mapped(item: Configuration) -> Configuration:
    names = item.capabilities or ()
    return item if MAPPED_RAM in names else replaced(item, capabilities=(*names, MAPPED_RAM))
