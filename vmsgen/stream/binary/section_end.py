"""Where a device section may end: what can follow its contents tells, since they have no length."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from vmsgen.runtime.slotted import Slotted
from vmsgen.stream import marks
from vmsgen.stream.transport.source import ByteSource

__all__ = ["SectionEnd"]

#: What stands behind a section without a footer: the header of the next one, or the end of the stream.
_NEXT = re.compile(rb"\x04.{4}[\x01-\xff][ -~]|\x00\x06|\x00\Z", re.DOTALL)
#: The state ``eeprom`` of network cards has a date for its version, 20061113 (hw/nvram/eeprom93xx.c, QEMU 10.0).
_LARGEST_VERSION = 0x1FF_FFFF
_LARGEST_COMMAND = 0xFF


class SectionEnd(Slotted, frozen=True):
    """Judges ends (positions in ``source.view``) of the section of one id. ``footers``: whether the stream has them,
    None while that is not known; ``started``: ids of the sections that come in parts; ``packaged``: the source is a
    package, which ends behind an item, without an end mark.
    """

    source: ByteSource
    id: int
    footers: bool | None
    started: Collection[int]
    packaged: bool = False

    def fits(self, end: int) -> bool:
        """Whether what stands at ``end`` may follow the section: its footer, and then (or at once) an item."""
        view, limit = self.source.view, self.source.end
        if end > limit:
            return False
        has_footer = bytes(view[end : end + 5]) == self._footer
        if self.footers is not None and has_footer is not self.footers:
            return False
        after = end + 5 if has_footer else end
        if after == limit:
            return self.packaged
        return self._item_at(after) and (has_footer or self._is_whole(after))

    def among(self, start: int, stop: int) -> Iterator[int]:
        """Every end from ``start`` to ``stop`` that fits, the first one first."""
        # (a footer may stand across the end)
        data = bytes(self.source.view[start : min(stop + 16, self.source.end)])
        footer = re.escape(self._footer)
        pattern = re.compile(footer) if self.footers else re.compile(footer + b"|" + _NEXT.pattern, re.DOTALL)
        if self.footers is False:
            pattern = _NEXT
        at = 0
        while (found := pattern.search(data, at)) is not None and start + found.start() <= stop:
            if self.fits(start + found.start()):
                yield start + found.start()
            at = found.start() + 1

    @property
    def _footer(self) -> bytes:
        return bytes((marks.FOOTER,)) + self.id.to_bytes(4, "big")

    def _item_at(self, at: int) -> bool:
        """Whether an item can begin at ``at``: a legal mark, and for a section a plausible header."""
        view, limit = self.source.view, self.source.end
        mark = view[at]
        if mark not in marks.ITEMS:
            return False
        if mark in (marks.PART, marks.END):
            return int.from_bytes(view[at + 1 : at + 5], "big") in self.started
        if mark in (marks.START, marks.FULL):
            if at + 6 > limit:
                return False
            name = bytes(view[at + 6 : at + 6 + view[at + 5]])
            behind = at + 6 + len(name) + 8
            version = int.from_bytes(view[behind - 4 : behind], "big")
            plausible = len(name) > 0 and name.isascii() and name.decode().isprintable()
            return behind <= limit and plausible and version <= _LARGEST_VERSION
        if mark == marks.COMMAND:
            return at + 5 <= limit and int.from_bytes(view[at + 1 : at + 3], "big") <= _LARGEST_COMMAND
        return at + 1 == limit or view[at + 1] == marks.VMDESC

    def _is_whole(self, at: int) -> bool:
        """Whether an end mark, which is but a zero, has the very end of the stream behind it."""
        view, limit = self.source.view, self.source.end
        return (
            view[at] != marks.EOF or at + 1 == limit or at + 6 + int.from_bytes(view[at + 2 : at + 6], "big") == limit
        )
