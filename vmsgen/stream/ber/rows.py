"""Rows of full pages in BER (see :mod:`vmsgen.stream.ram.rows`): one address, then an OCTET STRING for each page."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from vmsgen.runtime import ber
from vmsgen.runtime.ber import OCTET_STRING, SEQUENCE, UNIVERSAL
from vmsgen.stream.ber import tags
from vmsgen.stream.ber.source import BerSource, Head
from vmsgen.stream.items import ROW, ROW_HEAD, Record
from vmsgen.stream.machine.facts import MAX_PAGE_BITS
from vmsgen.stream.ram.rows import count_alike, write_row
from vmsgen.stream.transport.sink import ByteSink

__all__ = ["RowWriter", "read_row"]

_MAX_PAGE = 1 << MAX_PAGE_BITS
_ADDRESSES = 1 << 64
_MAX_ROW = 4096  # pages in one record

#: OCTET STRING, and a length in six octets: what stands before a page takes eight octets, as in the binary format.
_PAGE = 0x0486 << 48
_SIZE = (1 << 48) - 1
_word = struct.Struct(">Q").unpack_from

_OPEN = tags.opening(tags.PAGE_ROW)
_OPEN_PAGES = ber.tag_bytes(UNIVERSAL, True, SEQUENCE) + ber.INDEFINITE
_CLOSE = tags.CLOSE + tags.CLOSE


def read_row(source: BerSource, head: Head) -> Iterator[list[Record]]:
    """The pages of a row, those that stand in the buffer together in one record. Raises DataError."""
    what = "a row of RAM pages"
    source.enter(head)
    addr = source.integer(source.expect(UNIVERSAL, ber.INTEGER, "the address of a RAM page"), _ADDRESSES - 1, what)
    source.enter(source.expect(UNIVERSAL, SEQUENCE, what))
    size = 0
    while source.more():
        start = source.source.offset
        pages, count = _plain(source, size) or (_other(source, what), 1)
        begins = not size
        size = size or len(pages) // count - ROW_HEAD
        if len(pages) != count * (ROW_HEAD + size) or not size:
            raise source.fail(f"a RAM page of another size than those before it in its row, {size}", start)
        if addr + count * size > _ADDRESSES:
            raise source.fail("a row of RAM pages runs past the last address", start)
        yield [(ROW, addr, count, pages, begins)]
        addr += count * size
    if not size:
        raise source.fail("a row without RAM pages", head.start)
    source.leave(what)


def _plain(source: BerSource, size: int) -> tuple[memoryview, int] | None:
    """Pages as we write them, of ``size`` (0: any), as many as are there; None if something else comes."""
    buffer, bound = source.source, source.bound
    room = _ADDRESSES if bound is None else bound - buffer.offset
    if room < ROW_HEAD or not buffer.ensure(ROW_HEAD):
        return None
    (word,) = _word(buffer.view, buffer.pos)
    size = size or word & _SIZE
    stride = ROW_HEAD + size
    if word != _PAGE | size or not 0 < size <= _MAX_PAGE or size % ROW_HEAD or room < stride:
        return None
    if not buffer.ensure(stride):
        return None
    pos = buffer.pos
    there = min((buffer.end - pos) // stride, room // stride, _MAX_ROW)
    page = word.to_bytes(ROW_HEAD, "big")
    count = count_alike(buffer.view[pos : pos + there * stride], size, lambda at, count: page * count)
    buffer.pos = pos + count * stride
    return buffer.view[pos : buffer.pos], count


def _other(source: BerSource, what: str) -> memoryview:
    """A page in any other form, behind eight octets. Raises DataError."""
    data = source.octets(source.expect(UNIVERSAL, OCTET_STRING, what), what, limit=_MAX_PAGE)
    return memoryview(bytes(ROW_HEAD) + data)


class RowWriter:
    """Writes rows. They have no length of their own, so a row that comes in several records is one element."""

    def __init__(self, sink: ByteSink) -> None:
        self._sink = sink
        self._next: int | None = None  # address at which the open row goes on

    def write(self, row: Record) -> None:
        """Writes pages: those of an open row, or the first of one."""
        _, addr, count, pages, begins = row
        size = len(pages) // count - ROW_HEAD
        if begins or addr != self._next:
            self.close()
            self._sink.write(_OPEN + ber.tlv(b"\x02", ber.integer_content(addr)) + _OPEN_PAGES)
        write_row(self._sink, pages, size, (_PAGE | size).to_bytes(ROW_HEAD, "big") * count)
        self._next = addr + count * size

    def close(self) -> None:
        """Ends the row that is open, if one is."""
        if self._next is not None:
            self._sink.write(_CLOSE)
            self._next = None
