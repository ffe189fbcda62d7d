"""The vmdesc behind a spooled BER stream: found from the end, so that it helps with the sections before it."""

from __future__ import annotations

from vmsgen.runtime import ber
from vmsgen.runtime.ber import APPLICATION, tag_bytes
from vmsgen.runtime.errors import DataError
from vmsgen.stream.ber import tags
from vmsgen.stream.transport.source import MemorySource
from vmsgen.stream.vmdesc import MAX_BYTES
from vmsgen.stream.vmdesc.parsing import parse_vmdesc
from vmsgen.stream.vmdesc.trailer import Trailer

__all__ = ["find_ber_trailer"]

_TAG = tag_bytes(APPLICATION, False, tags.VMDESC)
_WINDOWS = (1 << 20, 8 << 20, MAX_BYTES + (1 << 10))
#: Ends of the containers around the items, which may be of definite length and then have none.
_ENDS = (b"", tags.CLOSE, tags.CLOSE + tags.CLOSE)


def find_ber_trailer(source: MemorySource) -> Trailer:
    """Looks for the vmdesc as the last item of what was spooled. None is no error; one that cannot be read is a
    warning.
    """
    for size in _WINDOWS:
        lowest = max(source.pos, source.end - size)
        text = _vmdesc(bytes(source.view[lowest : source.end]))
        if text is not None or lowest == source.pos:
            break
    if text is None:
        return Trailer()
    try:
        return Trailer(parse_vmdesc(text))
    except DataError as error:
        return Trailer(warnings=[f"{error.message}; sections are read without it"])


def _vmdesc(tail: bytes) -> bytes | None:
    """The contents of the last item if that is a vmdesc (a primitive one, as this program writes it)."""
    at = len(tail)
    while (at := tail.rfind(_TAG, 0, at)) >= 0:
        try:
            length, start = ber.read_length(tail, at + len(_TAG), len(tail), at)
        except DataError:
            continue
        if length is None or not 0 <= len(tail) - start - length <= len(_ENDS[-1]):
            continue
        if tail[start + length :] in _ENDS:
            return tail[start : start + length]
    return None
