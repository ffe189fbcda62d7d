"""Our leaves against those of QEMU's description of the same section.

Both sides are flat. Where QEMU has a struct boundary does not matter, and leaves of ours may be finer; a boundary of
theirs inside a scalar of ours means that one of the two is wrong. Names are compared without the numbers of elements.
"""

from __future__ import annotations

import re
from typing import Any

from vmsgen.runtime.errors import DataError
from vmsgen.runtime.slotted import Slotted
from vmsgen.runtime.trace import Leaf as OurLeaf
from vmsgen.runtime.trace import trace
from vmsgen.stream.vmdesc.description import DescribedSection

__all__ = ["Comparison", "compare", "compare_leaves", "is_of"]

_INDEX = re.compile(r"\[[^\]]*\]")
_RAW = frozenset(("bytes", "pad", "string", "bitmap"))
#: Types of QEMU's leaves that are several of ours, but whose size alone fixes what is in them.
_FIXED = frozenset(("msix state", "shpc", "pci config", "pci irq state", "unused_buffer", "bitmap", "CPU_Double_U"))
#: Those of them that are called alike wherever a PCI device has them: what stands inside has this name in its path.
_NAMED = frozenset(("msix state", "shpc", "pci config", "pci irq state"))
#: Types that are one scalar: a field of ours inside one of them is another field.
_SCALARS = frozenset(
    f"{sign}int{bits}{more}" for sign in ("", "u") for bits in (8, 16, 32, 64) for more in ("", " equal", " le")
) | {"bool", "timer"}


class Comparison(Slotted, frozen=True):
    """How well they agree: boundaries of theirs inside scalars of ours, and leaves at one place with different
    names.
    """

    boundaries: int
    names: int
    hidden: int  # leaves of theirs, such as a whole virtio device, that tell nothing of what we have inside
    first: str | None = None  # the first boundary that disagrees
    details: int = 0  # leaves of one side inside those of the other, and leaves at one place in another struct

    @property
    def closeness(self) -> tuple[int, int, int]:
        """The rank, and what tells apart layouts that are otherwise alike: a struct and what is wrapped in one."""
        return (self.boundaries, self.names, self.details)

    @property
    def rank(self) -> tuple[int, int]:
        """The better of two layouts has the lower rank."""
        return (self.boundaries, self.names)


def compare(described: DescribedSection, state: Any) -> Comparison:
    """Compares a state as it is on the wire with its description. A state that cannot be written agrees in nothing."""
    try:
        ours = trace(state)
    except DataError:
        return Comparison(1 << 30, 1 << 30, 0)
    return compare_leaves(described, ours)


def compare_leaves(described: DescribedSection, ours: list[OurLeaf]) -> Comparison:
    """Compares flattened leaves."""
    boundaries = names = hidden = details = matched = 0
    first: str | None = None
    rest = iter(ours)
    leaf = next(rest, None)
    around = ""  # what must be in the paths of our leaves that stand inside theirs
    for path, offset, size, kind in described.leaves():
        if not size:
            continue
        while leaf is not None and leaf.offset + leaf.size <= offset:
            if leaf.size and around not in leaf.wire_path:
                boundaries += 1
                first = first or f"{leaf.path} stands inside {around} ({leaf.offset:#x})"
                around = ""
            leaf = next(rest, None)
        around = _last(path) if kind in _NAMED else ""
        if around and leaf is not None and leaf.offset + leaf.size > offset + size:
            boundaries += 1
            first = first or f"{path} ends inside {leaf.path} ({offset + size:#x})"
        if leaf is None:
            boundaries += 1
            first = first or f"{path} at {offset:#x} is behind our last field"
            break
        if leaf.offset == offset:
            matched += 1
            # what is one leaf there and several here has names of its own, and QEMU has none for what it leaves unused
            coarser = size > leaf.size and kind not in _SCALARS
            if leaf.wire_path != path:
                details += _INDEX.sub("", leaf.wire_path) != _INDEX.sub("", path)
                if not coarser and kind != "unused_buffer":
                    names += _last(leaf.wire_path) != _last(path)
            hidden += coarser and kind not in _FIXED
        elif leaf.kind in _RAW:
            details += 1
        else:
            boundaries += 1
            first = first or f"{path} begins inside {leaf.path} ({offset:#x})"
    return Comparison(boundaries, names, hidden, first, details + len(ours) - matched)


def _last(path: str) -> str:
    return _INDEX.sub("", path).rpartition(".")[2]


def is_of(described: DescribedSection, version: int, kind: Any) -> bool:
    """Whether the spec of class ``kind`` describes these contents, be they right or wrong: it knows their version, and
    at least half of the fields that QEMU names. Else they are another body of the same name.
    """
    if not kind.MINIMUM_VERSION <= version <= kind.VERSION:
        return False
    if described.state is None:
        return True
    theirs = {_last(field.name) for field in described.state.fields if field.type != "unused_buffer"}
    ours = {_last(name) for field in kind.FIELDS for name in kind.WIRE_NAMES.get(field, (field,))}
    return 2 * len(theirs & ours) >= len(theirs)
