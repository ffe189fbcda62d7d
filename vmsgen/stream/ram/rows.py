"""Rows of full pages: pages of one block whose addresses follow each other, which are handled together.

Before each page of a row stand eight octets, its head, in both formats: the binary format has the page's word there,
BER the beginning of an OCTET STRING (a length in more octets than it needs is legal BER). So a row of one format
becomes one of the other where it stands, in the reader's buffer: only the heads are written anew, all at once (with
pages of 4 KiB they are every 513th number of 64 bits), and what is read from a pipe at once goes on at once, however
many pages it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from vmsgen.stream.items import ROW_HEAD
from vmsgen.stream.transport.sink import ByteSink, Piece

__all__ = ["count_alike", "count_zeros", "shortest_row", "words", "write_row"]

_LEAST_BYTES = 1 << 15
_FIRST_LOOK = 32  # pages
_REGION = 1 << 24


def shortest_row(page_size: int) -> int:
    """How many pages a row has at least. (To know whether it has so many, a reader looks ahead so far.)"""
    return max(2, _LEAST_BYTES // page_size)


def words(first: int, pages: int, page_size: int, behind: bytes = b"") -> bytes | bytearray:
    """The heads, in the binary format, of pages that follow each other; ``first`` is the first one, as a number, and
    ``behind`` stands behind each.
    """
    stride = ROW_HEAD + len(behind)
    middle, low = _octets(page_size)
    heads: list[bytearray] = []
    while pages:
        # within 16 MiB only two octets change: the lowest is the flags
        at = (first & _REGION - 1) // page_size
        count = min(pages, len(low) - at)
        some = bytearray((first.to_bytes(ROW_HEAD, "big") + behind) * count)
        some[5::stride] = middle[at : at + count]
        some[6::stride] = low[at : at + count]
        heads.append(some)
        first += count * page_size
        pages -= count
    return heads[0] if len(heads) == 1 else b"".join(heads)


@functools.lru_cache(maxsize=8)
def _octets(page_size: int) -> tuple[bytes, bytes]:
    """Octets 16 to 23 and 8 to 15 of the addresses of the pages in 16 MiB."""
    pages = _REGION // page_size
    middle = bytearray(pages)
    for at in range(each := max(pages >> 8, 1)):
        middle[at::each] = bytes(range(0, 256, max(page_size >> 16, 1)))
    low = bytes(range(0, 256, min(page_size >> 8, 256)))
    return bytes(middle), low * (pages // len(low))


def count_alike(pages: memoryview, page_size: int, expected: Callable[[int, int], bytes | bytearray]) -> int:
    """How many of the pages have the expected heads, up to the first that has not; ``expected(at, count)`` gives those
    of ``count`` pages from number ``at`` on.
    """
    found = _heads(pages, page_size)
    at, size = 0, _FIRST_LOOK
    while at < len(found):
        some = found[at : at + size]
        wanted = memoryview(expected(at, len(some))).cast("Q")
        if some != wanted:
            return at + _common(some, wanted)
        at += len(some)
        size *= 4  # most rows are short, but most pages are in long ones
    return at


def count_zeros(records: memoryview, page_size: int, first: int) -> int:
    """How many records of zero pages, nine octets each, follow each other, the first of the word ``first``."""
    stride = ROW_HEAD + 1
    there = len(records) // stride
    at, size = 0, _FIRST_LOOK
    while at < there:
        count = min(size, there - at)
        some = bytes(records[at * stride : (at + count) * stride])
        wanted = words(first + at * page_size, count, page_size, b"\0")
        if some != wanted:
            return at + _common(some, wanted) // stride
        at += count
        size *= 4
    return at


def _common(one: memoryview | bytes, other: memoryview | bytes | bytearray) -> int:
    """How many elements are the same before the first that is not, which there is."""
    low, high = 0, len(one)
    while high - low > 1:
        middle = (low + high) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle
    return low


def _heads(pages: memoryview, page_size: int) -> memoryview:
    return pages.cast("Q")[:: (ROW_HEAD + page_size) // ROW_HEAD]


def write_row(sink: ByteSink, pages: memoryview, page_size: int, heads: bytes | bytearray) -> None:
    """Writes pages with other heads, which are exchanged where they stand if ``pages`` can be written to."""
    if not pages.readonly:
        _heads(pages, page_size)[:] = memoryview(heads).cast("Q")
        sink.write(pages)
        return
    stride = ROW_HEAD + page_size
    count = len(pages) // stride
    pieces: list[Piece] = [b""] * (2 * count)
    pieces[0::2] = [heads[at : at + ROW_HEAD] for at in range(0, ROW_HEAD * count, ROW_HEAD)]
    pieces[1::2] = [pages[at + ROW_HEAD : at + stride] for at in range(0, stride * count, stride)]
    sink.gather(pieces, len(pages))
