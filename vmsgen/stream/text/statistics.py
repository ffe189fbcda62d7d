"""What the bytes of a stream are: RAM, framing, device state that ended in named and typed fields, and the rest of it.

The four numbers add up to the size of the file. ``ram`` is the contents of RAM sections; ``typed`` and ``opaque`` are
the contents of all other sections, subsection headers included; ``framing`` is everything else: headers, footers,
configuration, commands, the end mark and the vmdesc. In BER the contents count with their tags and lengths.
"""

from __future__ import annotations

import heapq
from typing import Any, NamedTuple

from vmsgen.runtime.errors import DataError
from vmsgen.runtime.slotted import Slotted, field
from vmsgen.runtime.trace import opaque_trace
from vmsgen.stream.items import RamRecords, Section, SectionRecords, State

__all__ = ["OpaqueLeaf", "Statistics", "opaque_leaves"]

_LISTED = 20


class OpaqueLeaf(NamedTuple):
    """Bytes of device state that no spec explains."""

    size: int
    section: str
    path: str  # empty: the whole section


def opaque_leaves(section: Section) -> list[OpaqueLeaf]:
    """The bytes of a device section that did not end in named, typed fields."""
    size = section.body_end - section.body_offset
    if isinstance(section.body, SectionRecords):
        return [OpaqueLeaf(section.body.opaque, section.label, "")] if section.body.opaque else []
    if not isinstance(section.body, State) or section.body.value is None:
        return [OpaqueLeaf(size, section.label, "")] if size else []
    try:
        leaves = opaque_trace(section.body.value)
    except DataError:
        return [OpaqueLeaf(size, section.label, "")]
    return [OpaqueLeaf(leaf.size, section.label, leaf.path) for leaf in leaves if leaf.size]


class Statistics(Slotted):
    """Counts in bytes; ``bytes`` is known when the whole stream was counted. ``largest`` are the largest opaque
    leaves.
    """

    bytes: int = 0
    ram: int = 0
    typed: int = 0
    opaque: int = 0
    largest: list[OpaqueLeaf] = field(default_factory=list)

    @property
    def framing(self) -> int:
        """Everything that is no section's contents."""
        return self.bytes - self.ram - self.typed - self.opaque

    def count(self, section: Section) -> int:
        """Counts a section that was used up; returns how many of its bytes are opaque."""
        size = section.body_end - section.body_offset
        if isinstance(section.body, RamRecords):
            self.ram += size
            return 0
        leaves = opaque_leaves(section)
        opaque = min(sum(leaf.size for leaf in leaves), size)
        self.opaque += opaque
        self.typed += size - opaque
        self.largest = heapq.nlargest(_LISTED, [*self.largest, *leaves])
        return opaque

    def values(self) -> dict[str, Any]:
        """The numbers as JSON values."""
        return {
            "bytes": self.bytes,
            "ram": self.ram,
            "framing": self.framing,
            "typed": self.typed,
            "opaque": self.opaque,
            "largest": [{"section": leaf.section, "field": leaf.path, "bytes": leaf.size} for leaf in self.largest],
        }
