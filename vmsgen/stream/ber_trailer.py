"""The vmdesc of a BER stream, found from its end before the sections that it describes are read.

It is the last item. Only what can be read in any order is looked at: a file or memory. From a pipe nothing is found,
which is no error: sections that no spec describes then stay the bytes that they are in BER.
"""

from __future__ import annotations

import os
import stat

from vmsgen.runtime import ber
from vmsgen.runtime.ber import APPLICATION, tag_bytes
from vmsgen.runtime.errors import DataError
from vmsgen.stream import ber_tags as tags
from vmsgen.stream.source import ByteSource, MemorySource
from vmsgen.stream.trailer import Trailer
from vmsgen.stream.vmdesc import MAX_BYTES, parse_vmdesc

__all__ = ["find_ber_trailer"]

_TAG = tag_bytes(APPLICATION, False, tags.VMDESC)
_WINDOWS = (1 << 20, 8 << 20, MAX_BYTES + (1 << 10))
#: Ends of the containers around the items, which may be of definite length and then have none.
_ENDS = (b"", tags.CLOSE, tags.CLOSE + tags.CLOSE)


def find_ber_trailer(source: ByteSource) -> Trailer:
    """Looks for the vmdesc at the end of the input, whose position does not change. One that cannot be read is a
    warning.
    """
    for size in _WINDOWS:
        tail, whole = _tail(source, size)
        found = _vmdesc(tail)
        if found is not None:
            try:
                return Trailer(parse_vmdesc(found))
            except DataError as error:
                return Trailer(warnings=[f"{error.message}; sections are read without it"])
        if whole:
            break
    return Trailer()


def _tail(source: ByteSource, size: int) -> tuple[bytes, bool]:
    """The last ``size`` bytes of the input, and whether there are no more."""
    if isinstance(source, MemorySource):
        start = max(source.end - size, 0)
        return bytes(source.view[start : source.end]), start == 0
    descriptor = source.descriptor
    if descriptor is None or not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return b"", True
    end = os.fstat(descriptor).st_size
    start = max(end - size, 0)
    return os.pread(descriptor, end - start, start), start == 0


def _vmdesc(tail: bytes) -> bytes | None:
    """The contents of the last item if that is a vmdesc (a primitive one, as this program writes it)."""
    at = len(tail)
    while (at := tail.rfind(_TAG, 0, at)) >= 0:
        try:
            length, start = ber.read_length(tail, at + len(_TAG), len(tail), at)
        except DataError:
            continue
        if length is not None and tail[start + length :] in _ENDS and start + length <= len(tail):
            return tail[start : start + length]
    return None
