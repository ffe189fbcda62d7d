"""Blocks of mapped-ram files in BER (see :mod:`vmsgen.stream.ram.mapped`)."""

from __future__ import annotations

from vmsgen.runtime import ber
from vmsgen.runtime.ber import APPLICATION, CONTEXT, UNIVERSAL, UTF8_STRING
from vmsgen.stream.ber import tags
from vmsgen.stream.ber.pages import checked_page_size
from vmsgen.stream.ber.source import BerSource, Head
from vmsgen.stream.items import SIZE, MappedBlock, Record
from vmsgen.stream.ram.mapped import MAX_BITMAP, MAX_GAP

__all__ = ["mapped_block_element", "mapped_size_element", "read_mapped_block", "read_mapped_size"]

_U64 = (1 << 64) - 1
_INTEGER, _OCTETS = b"\x02", b"\x04"


def read_mapped_size(source: BerSource, head: Head) -> Record:
    """The record with the size of all RAM. Raises DataError."""
    what = "the size of mapped RAM"
    source.enter(head)
    total = source.integer(source.expect(UNIVERSAL, ber.INTEGER, what), _U64, what)
    page_size = checked_page_size(source, source.expect(UNIVERSAL, ber.INTEGER, "the page size"))
    source.leave(what)
    return (SIZE, total, page_size)


def read_mapped_block(source: BerSource, head: Head) -> MappedBlock:
    """The entry of a block. Raises DataError."""
    what = "a mapped RAM block"
    source.enter(head)
    name = source.text(source.expect(UNIVERSAL, UTF8_STRING, "the name of a RAM block"), "the name of a RAM block")
    length, bitmap_at, pages_at = (
        source.integer(source.expect(UNIVERSAL, ber.INTEGER, what), _U64, what) for _ in range(3)
    )
    bitmap = source.octets(source.expect(UNIVERSAL, ber.OCTET_STRING, "the bitmap"), "the bitmap", limit=MAX_BITMAP)
    filler, gpa, last = b"", None, -1
    while source.more():
        one = source.head()
        if one.tag_class != CONTEXT or not last < one.number <= 1:
            raise source.fail(f"{one.describe()} does not belong into a RAM block", one.start)
        last = one.number
        if last == 0:
            filler = source.octets(one, "the filler of a RAM block", limit=MAX_GAP)
        else:
            gpa = source.integer(one, _U64, "the address of a RAM block")
    return MappedBlock(name.encode(), length, bitmap_at, pages_at, bitmap, filler, gpa)


def mapped_size_element(record: Record) -> bytes:
    """The record with the size of all RAM."""
    return ber.tlv(ber.tag_bytes(APPLICATION, True, tags.MAPPED_SIZE), _integer(record[1]) + _integer(record[2]))


def mapped_block_element(record: Record) -> bytes:
    """The entry of a block."""
    block: MappedBlock = record[1]
    content = ber.tlv(ber.tag_bytes(UNIVERSAL, False, UTF8_STRING), block.name)
    content += _integer(block.length) + _integer(block.bitmap_offset) + _integer(block.pages_offset)
    content += ber.tlv(_OCTETS, block.bitmap)
    if block.filler:
        content += ber.tlv(tags.member(0), block.filler)
    if block.gpa is not None:
        content += ber.tlv(tags.member(1), ber.integer_content(block.gpa))
    return ber.tlv(ber.tag_bytes(APPLICATION, True, tags.MAPPED_BLOCK), content)


def _integer(value: int) -> bytes:
    return ber.tlv(_INTEGER, ber.integer_content(value))
