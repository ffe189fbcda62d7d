"""XBZRLE: a page as its difference from the one sent before.

Pairs of a run of bytes that stay and a run of new bytes, each behind its length in one or two octets of seven bits, the
lower ones first. What is left at the end stays (docs/xbzrle.txt and migration/xbzrle.c, QEMU 5.2 to 10.0).
"""

from __future__ import annotations

from vmsgen.runtime.errors import DataError

__all__ = ["decode_xbzrle", "decode_zlib_page"]


def decode_xbzrle(data: bytes, page: bytearray) -> None:
    """Applies a difference to a page. Raises DataError if it does not fit."""
    at = place = 0
    end = len(data)
    while at < end:
        for new in (False, True):
            if at >= end:
                raise DataError("an XBZRLE page that ends between its runs")
            size = data[at]
            at += 1
            if size & 0x80:
                if at >= end or data[at] & 0x80:
                    raise DataError("an XBZRLE page with a length of more than two octets")
                size = (size & 0x7F) | data[at] << 7
                at += 1
            if place + size > len(page) or (new and (not size or at + size > end)):
                raise DataError(f"an XBZRLE page with a run of {size} bytes at {place:#x} that does not fit")
            if new:
                page[place : place + size] = data[at : at + size]
                at += size
            place += size


def decode_zlib_page(data: bytes, page_size: int) -> bytes:
    """A page from the zlib stream of capability compress. Raises DataError if that is no page."""
    import zlib

    stream = zlib.decompressobj()
    try:
        page = stream.decompress(data, page_size + 1)
    except zlib.error as error:
        raise DataError(f"a compressed page that is no zlib stream: {error}") from None
    if len(page) != page_size or not stream.eof:
        raise DataError(f"a compressed page of {len(page)} bytes or more, expected {page_size}")
    return page
