"""The list of RAM blocks that opens the RAM section, in the binary format.

``total`` (in the record's word), then blocks until their lengths sum to it: a name with a length byte, the length, and
two 64 bit numbers that not every sender writes: the block's page size (postcopy, only for blocks of huge pages) and its
guest address (x-ignore-shared). Source: migration/ram.c, ram_save_setup(), QEMU 5.2, 7.2 and 10.0.
"""

from __future__ import annotations

from vmsgen.runtime.errors import DataError, LimitError
from vmsgen.stream.items import BlockList, RamBlock, wire_name
from vmsgen.stream.transport.sink import ByteSink
from vmsgen.stream.transport.source import ByteSource

__all__ = ["read_block_list", "write_block_list"]

MAX_BLOCKS = 1 << 16
_WINDOW = 1 << 16  # bytes looked at where the layout must be searched
_MAX_STEPS = 10_000


def read_block_list(
    source: ByteSource, total: int, page_size: int, *, with_gpa: bool, maybe_page_size: bool
) -> BlockList:
    """The list whose word was just read. Raises DataError."""
    if maybe_page_size:
        return _search(source, total, page_size, with_gpa)
    blocks: list[RamBlock] = []
    left = total
    while left:
        where = source.offset
        if len(blocks) >= MAX_BLOCKS:
            raise LimitError(f"more than {MAX_BLOCKS} RAM blocks", offset=where)
        name = source.str8("the list of RAM blocks")
        wire_name(name, "the name of a RAM block", where)
        length = source.u64("the list of RAM blocks")
        gpa = source.u64("the list of RAM blocks") if with_gpa else None
        if length > left:
            raise DataError(
                f"RAM block {name.decode()} has {length} bytes, but only {left} of the announced {total} are left",
                offset=where,
            )
        left -= length
        blocks.append(RamBlock(name, length, None, gpa))
    return BlockList(total, tuple(blocks), page_size)


def _search(source: ByteSource, total: int, page_size: int, with_gpa: bool) -> BlockList:
    """The list of a sender with postcopy: which blocks have a page size shows only in that the lengths sum up."""
    start = source.offset
    data = source.peek(_WINDOW)
    steps = 0
    stack: list[tuple[int, int, tuple[RamBlock, ...]]] = [(0, total, ())]
    while stack:
        pos, left, blocks = stack.pop()
        steps += 1
        if steps > _MAX_STEPS:
            break
        if not left:
            word = int.from_bytes(data[pos : pos + 8], "big")
            if len(data) - pos >= 8 and word in (0x10, 0x200):
                source.skip(pos, "the list of RAM blocks")
                return BlockList(total, blocks, page_size)
            continue
        name_end = pos + 1 + (data[pos] if pos < len(data) else 0)
        name = data[pos + 1 : name_end]
        if not name or not name.isascii() or not name.decode().isprintable():
            continue
        for sized in (True, False):  # the last one pushed is tried first
            at = name_end + 8
            length = int.from_bytes(data[name_end:at], "big")
            size = gpa = None
            if sized:
                size = int.from_bytes(data[at : at + 8], "big")
                at += 8
                if size < 1024 or size & (size - 1):
                    continue
            if with_gpa:
                gpa = int.from_bytes(data[at : at + 8], "big")
                at += 8
            if at <= len(data) and length <= left:
                stack.append((at, left - length, (*blocks, RamBlock(name, length, size, gpa))))
    raise DataError(f"expected a list of RAM blocks that sums to {total} bytes", offset=start)


def write_block_list(sink: ByteSink, blocks: BlockList, flag: int) -> None:
    """Writes the list with its word. Raises DataError if a number or name does not fit."""
    if blocks.total & (blocks.page_size - 1) or blocks.total >> 64:
        raise DataError(f"a RAM size of {blocks.total} bytes, expected a multiple of the page size {blocks.page_size}")
    if sum(block.length for block in blocks.blocks) != blocks.total:
        raise DataError(f"the lengths of the RAM blocks do not sum to the announced {blocks.total}")
    parts = [(blocks.total | flag).to_bytes(8, "big")]
    for block in blocks.blocks:
        if not 1 <= len(block.name) <= 255:
            raise DataError(f"a RAM block's name of {len(block.name)} bytes")
        parts += [bytes((len(block.name),)), block.name, block.length.to_bytes(8, "big")]
        if block.page_size is not None:
            parts.append(block.page_size.to_bytes(8, "big"))
        if block.gpa is not None:
            parts.append(block.gpa.to_bytes(8, "big"))
    sink.write(b"".join(parts))
