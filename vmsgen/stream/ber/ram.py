"""The RAM section in BER: its records, read and written.

Pages of one block stand in one RAMSecBlock behind its name; a run of zero pages is one element.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from vmsgen.runtime import ber
from vmsgen.runtime.ber import APPLICATION, CONTEXT, SEQUENCE, UNIVERSAL, UTF8_STRING
from vmsgen.runtime.errors import LimitError
from vmsgen.stream.ber import tags
from vmsgen.stream.ber.pages import PageReader, checked_page_size
from vmsgen.stream.ber.rows import RowWriter
from vmsgen.stream.ber.source import BerSource, Head
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
    SIZE,
    XBZRLE,
    ZERO,
    BlockList,
    RamBlock,
    Record,
)
from vmsgen.stream.machine.facts import MAX_PAGE_BITS
from vmsgen.stream.transport.sink import ByteSink

__all__ = ["read_ram_body", "write_ram_body"]

_U64 = (1 << 64) - 1
_MAX_BLOCKS = 1 << 16
_MAX_PAGE = 1 << MAX_PAGE_BITS
_INTEGER = b"\x02"
_OCTETS = b"\x04"


def read_ram_body(source: BerSource) -> Iterator[list[Record]]:
    """Batches of records, up to the end of the container that was entered last. Raises DataError."""
    while source.more():
        head = source.head()
        kind = head.number if head.tag_class == APPLICATION else -1
        if kind == tags.BLOCK_PAGES:
            yield from _block_pages(source, head)
        elif kind == tags.BLOCK_LIST:
            yield [(LIST, _block_list(source, head))]
        elif kind in (tags.MAPPED_SIZE, tags.MAPPED_BLOCK):
            yield [_mapped(source, head)]
        elif kind in (tags.EOS, tags.FLUSH, tags.HOOK):
            source.null(head)
            yield [({tags.EOS: EOS, tags.FLUSH: FLUSH, tags.HOOK: HOOK}[kind],)]
        else:
            raise source.fail(f"expected a record of the RAM section, found {head.describe()}", head.start)


def _mapped(source: BerSource, head: Head) -> Record:
    """A record of a mapped-ram file, before its pages."""
    from vmsgen.stream.ber.mapped import read_mapped_block, read_mapped_size  # here, for most streams have none

    return (
        read_mapped_size(source, head) if head.number == tags.MAPPED_SIZE else (MAPPED, read_mapped_block(source, head))
    )


def _block_list(source: BerSource, head: Head) -> BlockList:
    what = "the list of RAM blocks"
    source.enter(head)
    total = source.integer(source.expect(UNIVERSAL, ber.INTEGER, what), _U64, what)
    source.enter(source.expect(UNIVERSAL, SEQUENCE, what))
    blocks: list[RamBlock] = []
    while source.more():
        one = source.head()
        if (one.tag_class, one.number) != (UNIVERSAL, SEQUENCE):
            raise source.fail(f"expected a RAM block, found {one.describe()}", one.start)
        if len(blocks) >= _MAX_BLOCKS:
            raise LimitError(f"more than {_MAX_BLOCKS} RAM blocks", offset=one.start)
        blocks.append(_block(source, one))
    page_size = 4096
    if source.more():
        one = source.head()
        if (one.tag_class, one.number) != (CONTEXT, 0):
            raise source.fail(f"expected the page size, found {one.describe()}", one.start)
        page_size = checked_page_size(source, one)
        source.leave(what)
    return BlockList(total, tuple(blocks), page_size)


def _block(source: BerSource, head: Head) -> RamBlock:
    what = "a RAM block"
    source.enter(head)
    name = source.text(source.expect(UNIVERSAL, UTF8_STRING, "the name of a RAM block"), "the name of a RAM block")
    length = source.integer(source.expect(UNIVERSAL, ber.INTEGER, what), _U64, "the length of a RAM block")
    page_size = gpa = None
    while source.more():
        one = source.head()
        if (one.tag_class, one.number) == (CONTEXT, 0) and page_size is None and gpa is None:
            page_size = source.integer(one, _U64, "the page size of a RAM block")
        elif (one.tag_class, one.number) == (CONTEXT, 1) and gpa is None:
            gpa = source.integer(one, _U64, "the address of a RAM block")
        else:
            raise source.fail(f"{one.describe()} does not belong into a RAM block", one.start)
    return RamBlock(name.encode(), length, page_size, gpa)


def _block_pages(source: BerSource, head: Head) -> Iterator[list[Record]]:
    what = "the pages of a RAM block"
    source.enter(head)
    name = source.text(source.expect(UNIVERSAL, UTF8_STRING, "the name of a RAM block"), "the name of a RAM block")
    continued = False
    if not source.more():
        raise source.fail(f"expected {what}, found none", source.source.offset)
    one = source.head()
    if (one.tag_class, one.number) == (CONTEXT, 0):
        continued = source.boolean(one, "the mark of a continued block")
        one = source.expect(UNIVERSAL, SEQUENCE, what)
    elif (one.tag_class, one.number) != (UNIVERSAL, SEQUENCE):
        raise source.fail(f"expected {what}, found {one.describe()}", one.start)
    source.enter(one)
    yield from PageReader(source).batches([(GROUP, name.encode(), continued)])
    source.leave(what)


# ---------------------------------------------------------------------------------------------- writing

_OPEN_PAGES = tags.opening(tags.BLOCK_PAGES)
_OPEN_SEQUENCE = ber.tag_bytes(UNIVERSAL, True, SEQUENCE) + ber.INDEFINITE
_CONTINUED = tags.member(0) + b"\x01\xff"
_ZERO_PAGE = ber.tag_bytes(APPLICATION, False, tags.ZERO_PAGE)
_NULLS = {
    EOS: ber.tag_bytes(APPLICATION, False, tags.EOS) + b"\0",
    FLUSH: ber.tag_bytes(APPLICATION, False, tags.FLUSH) + b"\0",
    HOOK: ber.tag_bytes(APPLICATION, False, tags.HOOK) + b"\0",
}
_PAIRS = {
    PAGE: ber.tag_bytes(APPLICATION, True, tags.FULL_PAGE),
    XBZRLE: ber.tag_bytes(APPLICATION, True, tags.XBZRLE_PAGE),
    COMPRESS: ber.tag_bytes(APPLICATION, True, tags.COMPRESS_PAGE),
    ZERO: ber.tag_bytes(APPLICATION, True, tags.ZERO_RUN),
    FILL: ber.tag_bytes(APPLICATION, True, tags.FILL_PAGE),
}


def write_ram_body(sink: ByteSink, batches: Iterator[list[Record]]) -> None:
    """Writes records as the contents of ``RamRecords``, up to the end of the batches."""
    write = sink.write
    rows = RowWriter(sink)
    in_group = False
    for records in batches:
        for record in records:
            kind = record[0]
            if kind == ROW:
                rows.write(record)
                continue
            rows.close()
            if kind == PAGE:
                addr, data = record[1], record[2]
                width = (addr.bit_length() >> 3) + 1
                before, behind = _page_head(len(data), width)
                write(before + addr.to_bytes(width, "big") + behind)
                write(data)
            elif kind == ZERO:
                _, addr, pages = record
                if pages == 1:
                    write(ber.tlv(_ZERO_PAGE, ber.integer_content(addr)))
                else:
                    write(ber.tlv(_PAIRS[ZERO], _integer(addr) + _integer(pages)))
            elif kind == GROUP:
                if in_group:
                    write(tags.CLOSE + tags.CLOSE)
                in_group = True
                name = ber.tlv(ber.tag_bytes(UNIVERSAL, False, UTF8_STRING), record[1])
                write(_OPEN_PAGES + name + (_CONTINUED if record[2] else b"") + _OPEN_SEQUENCE)
            elif kind == FILL:
                write(ber.tlv(_PAIRS[FILL], _integer(record[1]) + _integer(record[2])))
            elif kind in (XBZRLE, COMPRESS):
                write(ber.tlv(_PAIRS[kind], _integer(record[1]) + ber.tlv(_OCTETS, record[2])))
            else:
                if in_group and kind != HOOK:
                    write(tags.CLOSE + tags.CLOSE)
                    in_group = False
                write(_element(record))
        sink.settle()
    rows.close()
    if in_group:
        write(tags.CLOSE + tags.CLOSE)


def _integer(value: int) -> bytes:
    return ber.tlv(_INTEGER, ber.integer_content(value))


@functools.lru_cache(maxsize=256)
def _page_head(size: int, width: int) -> tuple[bytes, bytes]:
    """What stands before and after the address of a page of ``size`` bytes, whose address takes ``width`` octets."""
    tail = _OCTETS + ber.length_bytes(size)
    inner = 2 + width + len(tail) + size
    return _PAIRS[PAGE] + ber.length_bytes(inner) + _INTEGER + ber.length_bytes(width), tail


def _element(record: Record) -> bytes:
    """A record that is no page."""
    kind = record[0]
    if kind in _NULLS:
        return _NULLS[kind]
    if kind == LIST:
        return _list_element(record)
    from vmsgen.stream.ber.mapped import mapped_block_element, mapped_size_element

    return mapped_size_element(record) if kind == SIZE else mapped_block_element(record)


def _list_element(record: Record) -> bytes:
    blocks: BlockList = record[1]
    parts = [tags.opening(tags.BLOCK_LIST), _integer(blocks.total), _OPEN_SEQUENCE]
    for block in blocks.blocks:
        parts += [_OPEN_SEQUENCE, ber.tlv(ber.tag_bytes(UNIVERSAL, False, UTF8_STRING), block.name)]
        parts.append(_integer(block.length))
        if block.page_size is not None:
            parts.append(ber.tlv(tags.member(0), ber.integer_content(block.page_size)))
        if block.gpa is not None:
            parts.append(ber.tlv(tags.member(1), ber.integer_content(block.gpa)))
        parts.append(tags.CLOSE)
    parts.append(tags.CLOSE)
    if blocks.page_size != 4096:
        parts.append(ber.tlv(tags.member(0), ber.integer_content(blocks.page_size)))
    parts.append(tags.CLOSE)
    return b"".join(parts)
