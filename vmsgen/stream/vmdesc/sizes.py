"""The vmdesc of a stream whose sections were changed: it must not say wrong where one ends.

The description of a section that has another size now is replaced by the kind that QEMU gives contents which it writes
by hand: the size, and nothing about what is inside. The rest of the text stays as it is, byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from vmsgen.runtime.errors import DataError
from vmsgen.stream.vmdesc.description import DescribedSection
from vmsgen.stream.vmdesc.parsing import parse_vmdesc
from vmsgen.stream.vmdesc.trailer import Trailer

__all__ = ["with_sizes"]


def with_sizes(vmdesc: bytes, sections: Iterable[tuple[str, int, int | None]]) -> bytes:
    """``sections`` are all that may be described, in the order of the stream: name, instance, and the size now, None
    for one that was not changed. A text that is no vmdesc comes back as it is.
    """
    try:
        trailer = Trailer(parse_vmdesc(vmdesc))
    except DataError:
        return vmdesc
    changed: dict[int, tuple[DescribedSection, int]] = {}
    for name, instance, size in sections:
        described = trailer.next(name, instance)
        if described is not None and size is not None and described.exact and described.size != size:
            changed[trailer.passed - 1] = described, size
    return _replaced(vmdesc, changed) if changed else vmdesc


def _replaced(vmdesc: bytes, changed: Mapping[int, tuple[DescribedSection, int]]) -> bytes:
    text = vmdesc.decode("utf-8", "surrogateescape")
    done: list[str] = []
    at = 0
    for number, (start, end) in enumerate(_devices(text)):
        if number in changed:
            described, size = changed[number]
            # (a name that is not UTF-8 goes back as the bytes it was)
            entry = {
                "name": described.name,
                "instance_id": described.instance,
                "size": size,
                "fields": [{"name": "data", "size": size, "type": "buffer"}],
            }
            done += [text[at:start], json.dumps(entry, ensure_ascii=False)]
            at = end
    return "".join([*done, text[at:]]).encode("utf-8", "surrogateescape")


def _devices(text: str) -> list[tuple[int, int]]:
    """Where the descriptions of the sections stand in the text of a vmdesc, which was parsed before."""
    decoder = json.JSONDecoder(strict=False)
    at = _skip(text, 0) + 1
    while True:
        key, at = decoder.raw_decode(text, _skip(text, at))
        at = _skip(text, _skip(text, at) + 1)  # behind the colon
        if key == "devices":
            break
        _, at = decoder.raw_decode(text, at)
        at = _skip(text, at) + 1
    spans: list[tuple[int, int]] = []
    at = _skip(text, at + 1)
    while text[at] != "]":
        start = at
        _, end = decoder.raw_decode(text, start)
        spans.append((start, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return spans


def _skip(text: str, at: int) -> int:
    """The next place that is no white space of JSON."""
    while text[at] in " \t\n\r":
        at += 1
    return at
