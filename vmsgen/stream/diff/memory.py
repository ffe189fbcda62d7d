"""Guest memory of two streams, compared as it is after the last record of each.

The contents of each stream go to a file without a name that has holes where nothing was sent, so memory does not grow
with the guest's.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from typing import BinaryIO

from vmsgen.runtime.errors import DataError
from vmsgen.stream.items import RamRecords, Section, SectionKind
from vmsgen.stream.memory.contents import BlockMemory, Memory, Window
from vmsgen.stream.transport.part import named, scratch_name

__all__ = ["BlockDifference", "SentMemory", "compare_memory"]

_PAGES = 1024  # compared at once


@dataclass(frozen=True, slots=True)
class BlockDifference:
    """A RAM block; a stream that lacks it has length None. ``differ`` counts pages that both sent and whose contents
    are not the same, ``first`` is the address of the first of them; ``only_first`` and ``only_second`` count pages that
    one stream sent alone.
    """

    block: str
    lengths: tuple[int | None, int | None]
    page_sizes: tuple[int | None, int | None]
    differ: int = 0
    first: int | None = None
    only_first: int = 0
    only_second: int = 0


class SentMemory:
    """The memory that one stream sends; ``ended`` once all of it was read."""

    def __init__(self) -> None:
        self._files: list[BinaryIO] = []
        self._memory = Memory(self._keep)
        self.ended = True

    @property
    def blocks(self) -> dict[bytes, BlockMemory]:
        """The RAM blocks by name."""
        return self._memory.blocks

    def _keep(self, name: str, length: int, page_size: int) -> Window:
        file = tempfile.TemporaryFile(prefix="vmsgen-", buffering=0)  # noqa: SIM115  # closed with this object
        self._files.append(file)
        return Window(file.fileno(), 0, length + page_size)

    def take(self, section: Section, body: RamRecords) -> None:
        """Applies the records of a section. Raises DataError, OSError."""
        self.ended = False
        try:
            with named(scratch_name()):
                self._memory.take(body.rows)
        except DataError as error:
            raise error if error.section else error.located(section=section.label) from None
        self.ended = section.kind is SectionKind.END


def compare_memory(one: SentMemory, other: SentMemory) -> list[BlockDifference]:
    """The blocks that differ, those of the first stream before those that only the second one has. Raises OSError."""
    found = []
    for name in dict.fromkeys([*one.blocks, *other.blocks]):
        left, right = one.blocks.get(name), other.blocks.get(name)
        difference = _compare(left, right)
        if difference is not None:
            found.append(difference)
    return found


def _compare(left: BlockMemory | None, right: BlockMemory | None) -> BlockDifference | None:
    there = left if left is not None else right
    assert there is not None
    lengths = (left.length if left else None, right.length if right else None)
    sizes = (left.page_size if left else None, right.page_size if right else None)
    if left is None or right is None or left.page_size != right.page_size:
        return BlockDifference(there.name, lengths, sizes)
    differ, first, only_left, only_right = 0, None, 0, 0
    for start in range(0, max(left.pages, right.pages), _PAGES):
        states = [_sent(block, start) for block in (left, right)]
        if states[0] == states[1] and not any(states[0]):
            continue
        contents = [_contents(block, start) for block in (left, right)]
        same = contents[0] == contents[1]
        if same and states[0] == states[1]:
            continue
        size = left.page_size
        for at, (mine, theirs) in enumerate(zip(*states, strict=True)):
            if mine and not theirs:
                only_left += 1
            elif theirs and not mine:
                only_right += 1
            elif mine and not same:
                place = slice(at * size, (at + 1) * size)
                if contents[0][place] != contents[1][place]:
                    differ += 1
                    first = (start + at) * size if first is None else first
    if lengths[0] == lengths[1] and not (differ or only_left or only_right):
        return None
    return BlockDifference(there.name, lengths, sizes, differ, first, only_left, only_right)


def _sent(block: BlockMemory, start: int) -> bytes:
    """For each page from number ``start`` on whether it was sent (1) or never (0)."""
    states = block.states[start : min(start + _PAGES, block.pages)]
    return states.translate(_WAS_SENT).ljust(_PAGES, b"\0")


_WAS_SENT = bytes(min(state, 1) for state in range(256))


def _contents(block: BlockMemory, start: int) -> bytes:
    assert block.window is not None
    size = block.page_size
    return os.pread(block.window.descriptor, _PAGES * size, start * size).ljust(_PAGES * size, b"\0")
