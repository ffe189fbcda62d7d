"""Rows of full pages in BER (see :mod:`vmsgen.stream.ram.rows`): one address, then an OCTET STRING for each page."""

from __future__ import annotations

from vmsgen.runtime import ber
from vmsgen.runtime.ber import SEQUENCE, UNIVERSAL
from vmsgen.stream.ber import tags
from vmsgen.stream.items import ROW_HEAD, Record
from vmsgen.stream.ram.rows import write_row
from vmsgen.stream.transport.sink import ByteSink

__all__ = ["CLOSE_ROW", "OPEN_PAGES", "OPEN_ROW", "RowWriter", "page_head", "page_size_in"]

#: How a row begins, before its address; how the pages begin; and how both end.
OPEN_ROW = tags.opening(tags.PAGE_ROW)
OPEN_PAGES = ber.tag_bytes(UNIVERSAL, True, SEQUENCE) + ber.INDEFINITE
CLOSE_ROW = tags.CLOSE + tags.CLOSE

_OCTET_STRING = 0x0486 << 48  # with a length in six octets


def page_head(size: int) -> int:
    """What stands before a page, as a number: eight octets, as many as in the binary format."""
    return _OCTET_STRING | size


def page_size_in(head: int) -> int:
    """The size of the page behind a head, if it is one."""
    return head & (1 << 48) - 1


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
            self._sink.write(OPEN_ROW + ber.tlv(b"\x02", ber.integer_content(addr)) + OPEN_PAGES)
        write_row(self._sink, pages, size, page_head(size).to_bytes(ROW_HEAD, "big") * count)
        self._next = addr + count * size

    def close(self) -> None:
        """Ends the row that is open, if one is."""
        if self._next is not None:
            self._sink.write(CLOSE_ROW)
            self._next = None
