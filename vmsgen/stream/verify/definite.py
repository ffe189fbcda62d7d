"""The definite form of BER: the same elements with definite, minimal lengths, as judges of the schema write them."""

from __future__ import annotations

from vmsgen.runtime import ber
from vmsgen.runtime.ber import length_bytes
from vmsgen.runtime.errors import LimitError
from vmsgen.runtime.limits import DEFAULT_LIMITS

__all__ = ["definite", "place_of"]


def definite(data: bytes) -> bytes:
    """Every element of ``data`` in definite form. Raises DataError if it is not BER."""
    return b"".join(_definite(data, 0, len(data), 0))


def _definite(data: bytes, position: int, end: int, depth: int) -> list[bytes]:
    if depth > DEFAULT_LIMITS.depth:
        raise LimitError(f"elements are nested deeper than {DEFAULT_LIMITS.depth}", offset=position)
    parts: list[bytes] = []
    while position < end:
        element = ber.read_element(data, position, end)
        _, _, _, after = ber.read_tag(data, position, end)
        if element.constructed:
            content = b"".join(_definite(data, element.content, element.content_end, depth + 1))
        else:
            content = data[element.content : element.content_end]
        parts += [data[position:after], length_bytes(len(content)), content]
        position = element.end
    return parts


def place_of(data: bytes, offset: int) -> str:
    """The tags around a byte of definite BER, from the outside in: ``[APPLICATION 10694] [4] [2]``."""
    tags: list[str] = []
    position, end = 0, len(data)
    while position < end:
        element = ber.read_element(data, position, end)
        if offset >= element.end:
            position = element.end
            continue
        tags.append(element.describe())
        if not element.constructed or offset < element.content:
            break
        position, end = element.content, element.content_end
    return " ".join(tags)
