"""Rows of full pages: pages of one block whose addresses follow each other, which are handled together.

Before each page of a row stand eight octets, in both formats: the binary format has the page's word there, BER the head
of an OCTET STRING (a length in more octets than it needs is legal BER). So a row of one format becomes one of the
other where it stands, in the reader's buffer: only the eight octets are written anew, and what is read from a pipe at
once goes on at once, whatever the number of pages.
"""

from __future__ import annotations

import functools
import struct

from vmsgen.stream.items import ROW_HEAD
from vmsgen.stream.transport.sink import ByteSink, Piece

__all__ = ["count_alike", "shortest_row", "words", "write_row"]

_LEAST_BYTES = 1 << 15


def shortest_row(page_size: int) -> int:
    """How many pages a row has at least. (To know whether it has so many, a reader looks ahead so far.)"""
    return max(2, _LEAST_BYTES // page_size)


@functools.lru_cache(maxsize=64)
def _heads(page_size: int) -> struct.Struct:
    return struct.Struct(f">Q{page_size}x")


def count_alike(pages: memoryview, page_size: int, head: int, step: int) -> int:
    """How many of the pages, each behind its eight octets, begin with ``head``, which grows by ``step`` with each."""
    count = 0
    for (found,) in _heads(page_size).iter_unpack(pages):
        if found != head:
            break
        head += step
        count += 1
    return count


def words(first: int, pages: int, page_size: int) -> bytes:
    """The words of pages whose addresses follow each other. Raises struct.error beyond 64 bits."""
    return struct.pack(f">{pages}Q", *range(first, first + pages * page_size, page_size))


def write_row(sink: ByteSink, pages: memoryview, page_size: int, heads: bytes) -> None:
    """Writes pages, each behind eight octets, with ``heads`` in place of those; where ``pages`` can be written to, they
    are exchanged there.
    """
    stride = ROW_HEAD + page_size
    if not pages.readonly:
        for at in range(ROW_HEAD):
            pages[at::stride] = heads[at::ROW_HEAD]
        sink.write(pages)
        return
    count = len(pages) // stride
    pieces: list[Piece] = [b""] * (2 * count)
    pieces[0::2] = [heads[at : at + ROW_HEAD] for at in range(0, ROW_HEAD * count, ROW_HEAD)]
    pieces[1::2] = [pages[at + ROW_HEAD : at + stride] for at in range(0, stride * count, stride)]
    sink.gather(pieces, len(pages))
