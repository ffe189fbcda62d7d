"""Where the description of each section stands in the text of a vmdesc, found without parsing it.

Only the descriptions of sections have a number of their instance, behind their name, so the text is cut before those
names. That the cuts are right shows when the pieces are parsed: each is one object, and what is left around them is an
object whose list ``devices`` is empty.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["Cut", "Entry", "cut"]

_NUMBER: Final = b'"instance_id"'
_SPACE: Final = b" \t\n\r"
_COMMA: Final = ord(",")
_HEAD: Final = re.compile(
    rb'\{\s*"name"\s*:\s*"([^"\\]*)"\s*,\s*"instance_id"\s*:\s*(0|[1-9][0-9]{0,9})\s*(?=,)'.replace(
        rb"\s", b"[%b]" % _SPACE
    )
)
_LIST: Final = re.compile(rb'"devices"\s*:\s*\[\s*\Z'.replace(rb"\s", b"[%b]" % _SPACE))
_END: Final = re.compile(rb"\s*\]\s*\}\s*\Z".replace(rb"\s", b"[%b]" % _SPACE))


class Entry(NamedTuple):
    """The description of a section: ``text[start:end]``; what stands behind name and instance begins at ``inside``."""

    name: bytes
    instance: int
    start: int
    inside: int
    end: int


class Cut(NamedTuple):
    """A vmdesc as the descriptions of its sections, and the object around them, from which they are cut out."""

    frame: bytes
    entries: list[Entry]


def cut(text: bytes) -> Cut | None:
    """Cuts a text that has the form which QEMU gives it; None for another one."""
    heads: list[re.Match[bytes]] = []
    at = 0
    while (number := text.find(_NUMBER, at)) >= 0:
        start = text.rfind(b"{", at, number)
        head = _HEAD.match(text, start) if start >= 0 else None
        if head is None:
            return None
        heads.append(head)
        at = head.end()
    last = _END.search(text, max(at, len(text) - 16))
    if not heads or last is None:
        return None
    frame = text[: heads[0].start()] + text[last.start() :]
    if b"\\" in frame or frame.count(b'"devices"') != 1 or not _LIST.search(text, 0, heads[0].start()):
        return None
    entries = []
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        end = last.start()
        if following is not None:
            # a comma and white space stand between two
            end = following.start() - 1
            while text[end] in _SPACE:
                end -= 1
            if text[end] != _COMMA:
                return None
        entries.append(Entry(head[1], int(head[2]), head.start(), head.end(), end))
    return Cut(frame, entries)
