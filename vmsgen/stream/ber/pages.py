"""The pages of one RAM block in BER, read.

What stands in the form that we and other writers of short elements give it is read from the buffer itself, without an
object for each element, and rows of full pages (:mod:`vmsgen.stream.ram.rows`) without one for each page. Every other
legal form goes through :class:`BerSource`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from vmsgen.runtime import ber
from vmsgen.runtime.ber import APPLICATION, OCTET_STRING, SEQUENCE, UNIVERSAL
from vmsgen.stream.ber import tags
from vmsgen.stream.ber.rows import CLOSE_ROW, OPEN_PAGES, OPEN_ROW, page_head, page_size_in
from vmsgen.stream.ber.source import BerSource, Head
from vmsgen.stream.items import COMPRESS, FILL, HOOK, PAGE, ROW, ROW_HEAD, XBZRLE, ZERO, Record
from vmsgen.stream.machine.facts import MAX_PAGE_BITS
from vmsgen.stream.ram.rows import count_alike

__all__ = ["PageReader"]

_U64 = (1 << 64) - 1
_MAX_PAGE = 1 << MAX_PAGE_BITS
_MAX_BATCH = 1024
_MAX_ROW = 4096  # pages in one record
_LONGEST_OPENING = len(OPEN_ROW) + 2 + 9 + len(OPEN_PAGES)

_INTEGER, _ZERO_PAGE = 0x02, 0x40
_FULL_PAGE = ber.tag_bytes(APPLICATION, True, tags.FULL_PAGE) + b"\x82"
_ZERO_RUN = ber.tag_bytes(APPLICATION, True, tags.ZERO_RUN)
_word = struct.Struct(">Q").unpack_from

_ADDRESS = "the address of a RAM page"
_ROW = "a row of RAM pages"


def checked_page_size(source: BerSource, head: Head) -> int:
    """The page size in an INTEGER. Raises DataError for one that cannot be."""
    page_size = source.integer(head, 1 << MAX_PAGE_BITS, "the page size")
    if page_size < 256 or page_size & (page_size - 1):
        raise source.fail(f"expected a page size that is a power of two from 256 on, found {page_size}", head.start)
    return page_size


class PageReader:
    """Reads up to the end of the list of pages that was entered last."""

    def __init__(self, source: BerSource) -> None:
        self._source = source
        self._addr = 0  # of the next page in a row
        self._size: int | None = None  # of the row's pages, 0 before the first; None outside of rows
        self._missing = 0  # bytes that must be there before the next element can be read from the buffer

    def batches(self, records: list[Record]) -> Iterator[list[Record]]:
        """The pages, behind ``records`` in the first batch. Raises DataError."""
        while True:
            self._missing = 0
            self._plain(records)
            if records:
                yield records
            records = []
            if self._missing and self._source.source.ensure(self._missing):
                continue
            if not self._other(records):
                return

    # ------------------------------------------------------------------ from the buffer

    def _plain(self, records: list[Record]) -> None:
        """Appends what stands complete in the buffer, up to the first element in another form."""
        buffer, bound = self._source.source, self._source.bound
        view, pos, end = buffer.view, buffer.pos, buffer.end
        if bound is not None:
            end = min(end, bound - buffer.offset_of(0))
        while len(records) < _MAX_BATCH:
            if self._size is not None:
                after = self._plain_row(records, view, pos, end)
            elif end - pos < ROW_HEAD:
                break
            elif view[pos] == _ZERO_PAGE:
                addr, after = _integer(view, pos, end, _ZERO_PAGE)
                if after >= 0:
                    records.append((ZERO, addr, 1))
            else:
                after = self._plain_element(records, view, pos, end)
            if after < 0:
                break
            pos = after
        buffer.pos = pos

    def _plain_element(self, records: list[Record], view: memoryview, pos: int, end: int) -> int:
        """A full page, a run of zero pages or the beginning of a row; where it ends, or -1."""
        opening = view[pos : pos + len(OPEN_ROW)]
        if opening == _FULL_PAGE:
            return self._plain_page(records, view, pos, end)
        if opening == OPEN_ROW:
            if end - pos < _LONGEST_OPENING:
                return self._wants(_LONGEST_OPENING, pos)
            addr, at = _integer(view, pos + len(OPEN_ROW), end, _INTEGER)
            after = at + len(OPEN_PAGES)
            if at < 0 or view[at:after] != OPEN_PAGES or not self._source.enter_open(2):
                return -1
            self._addr, self._size = addr, 0
            return after
        if opening[:-1] == _ZERO_RUN and opening[-1] < 0x80:
            stop = pos + len(opening) + opening[-1]
            if stop > end:
                return self._wants(stop - pos, pos)
            addr, at = _integer(view, pos + len(opening), stop, _INTEGER)
            if at >= 0:
                pages, at = _integer(view, at, stop, _INTEGER)
                if at == stop:
                    records.append((ZERO, addr, pages))
                    return stop
        return -1

    def _plain_page(self, records: list[Record], view: memoryview, pos: int, end: int) -> int:
        size = view[pos + 4] << 8 | view[pos + 5]
        stop = pos + 6 + size
        if stop > end:
            return self._wants(stop - pos, pos)
        addr, at = _integer(view, pos + 6, stop, _INTEGER)
        data = at + 4
        if at < 0 or bytes(view[at : at + 2]) != b"\x04\x82" or data + (view[at + 2] << 8 | view[at + 3]) != stop:
            return -1
        records.append((PAGE, addr, view[data:stop]))
        return stop

    def _plain_row(self, records: list[Record], view: memoryview, pos: int, end: int) -> int:
        """Pages of a row, or its end."""
        assert self._size is not None
        if self._size and view[pos : min(pos + len(CLOSE_ROW), end)] == CLOSE_ROW and self._source.leave_open(2):
            self._size = None
            return pos + len(CLOSE_ROW)
        if end - pos < ROW_HEAD:
            return self._wants(ROW_HEAD, pos)
        (word,) = _word(view, pos)
        size = self._size or page_size_in(word)
        stride = ROW_HEAD + size
        if not 0 < size <= _MAX_PAGE or size % ROW_HEAD or word != page_head(size):
            return -1
        if end - pos < stride:
            return self._wants(stride, pos)
        there = min((end - pos) // stride, _MAX_ROW, (_U64 + 1 - self._addr) // size)
        head = word.to_bytes(ROW_HEAD, "big")
        count = count_alike(view[pos : pos + there * stride], size, lambda at, count: head * count) if there else 0
        if not count:
            return -1
        self._row(records, view[pos : pos + count * stride], count, size)
        return pos + count * stride

    def _wants(self, size: int, pos: int) -> int:
        """Notes that an element of ``size`` bytes is cut by the buffer, unless it is cut by the container around it."""
        buffer, bound = self._source.source, self._source.bound
        if size <= buffer.capacity and (bound is None or buffer.offset_of(pos + size) <= bound):
            self._missing = size
        return -1

    def _row(self, records: list[Record], pages: memoryview, count: int, size: int) -> None:
        records.append((ROW, self._addr, count, pages, not self._size))
        self._addr += count * size
        self._size = size

    # ------------------------------------------------------------------ in any legal form

    def _other(self, records: list[Record]) -> bool:
        """The next element, copied out of the buffer; False at the end of the pages. Raises DataError."""
        source = self._source
        if self._size is not None:
            self._other_in_row(records)
            return True
        if not source.more():
            return False
        head = source.head()
        if (head.tag_class, head.number) != (APPLICATION, tags.PAGE_ROW):
            records.append(_page(source, head))
            return True
        source.enter(head)
        self._addr = source.integer(source.expect(UNIVERSAL, ber.INTEGER, _ADDRESS), _U64, _ADDRESS)
        source.enter(source.expect(UNIVERSAL, SEQUENCE, _ROW))
        self._size = 0
        return True

    def _other_in_row(self, records: list[Record]) -> None:
        source, size = self._source, self._size
        start = source.source.offset
        if not source.more():
            if not size:
                raise source.fail("a row without RAM pages", start)
            source.leave(_ROW)
            self._size = None
            return
        data = source.octets(source.expect(UNIVERSAL, OCTET_STRING, _ROW), _ROW, limit=_MAX_PAGE)
        if not data or len(data) != (size or len(data)):
            raise source.fail(f"a RAM page of {len(data)} octets, another size than those before it in its row", start)
        if self._addr + len(data) > _U64 + 1:
            raise source.fail("a row of RAM pages runs past the last address", start)
        self._row(records, memoryview(bytes(ROW_HEAD) + data), 1, len(data))


def _integer(view: memoryview, at: int, end: int, tag: int) -> tuple[int, int]:
    """An INTEGER from 0 to 2^64 - 1 with a one-octet tag, and where it ends; -1 as that for anything else."""
    if end - at < 3 or view[at] != tag:
        return 0, -1
    octets = view[at + 1]
    first = at + 2
    if (
        not 1 <= octets <= 9
        or first + octets > end
        or view[first] >= 0x80
        or (octets > 1 and not view[first] and view[first + 1] < 0x80)
        or (octets == 9 and view[first])
    ):
        return 0, -1
    return int.from_bytes(view[first : first + octets], "big"), first + octets


def _page(source: BerSource, head: Head) -> Record:
    """Any page in any legal form but that of a row. Raises DataError."""
    kind = head.number if head.tag_class == APPLICATION else -1
    if kind == tags.ZERO_PAGE:
        return (ZERO, source.integer(head, _U64, _ADDRESS), 1)
    if kind == tags.HOOK:
        source.null(head)
        return (HOOK,)
    if kind not in (tags.FULL_PAGE, tags.XBZRLE_PAGE, tags.COMPRESS_PAGE, tags.ZERO_RUN, tags.FILL_PAGE):
        raise source.fail(f"expected a RAM page, found {head.describe()}", head.start)
    source.enter(head)
    addr = source.integer(source.expect(UNIVERSAL, ber.INTEGER, _ADDRESS), _U64, _ADDRESS)
    record: Record
    if kind == tags.ZERO_RUN:
        what = "the length of a run of zero pages"
        record = (ZERO, addr, source.integer(source.expect(UNIVERSAL, ber.INTEGER, what), _U64, what))
    elif kind == tags.FILL_PAGE:
        what = "the byte that fills a page"
        value = source.integer(source.expect(UNIVERSAL, ber.INTEGER, what), 255, what)
        record = (FILL, addr, value)
    else:
        what = "the contents of a RAM page"
        data = source.octets(source.expect(UNIVERSAL, OCTET_STRING, what), what, limit=_MAX_PAGE)
        record = ({tags.FULL_PAGE: PAGE, tags.XBZRLE_PAGE: XBZRLE, tags.COMPRESS_PAGE: COMPRESS}[kind], addr, data)
    source.leave("a RAM page")
    return record
