"""QEMU's types of leaves, as a vmdesc names them, and what a spec calls them.

The names are those of the ``VMStateInfo`` tables of QEMU 5.2, 7.2 and 10.0 (``migration/vmstate-types.c`` and the
targets). A name is not always true: ``int64 equal`` is unsigned, ``int32 le`` is big-endian ("less or equal"), and 5.2
and 7.2 give a NULL pointer the type of what it should point to. So the size decides, and the name only among types of
that size.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Leaf", "leaf_of_dump", "leaf_of_vmdesc"]

_LONG = 16  # bytes from which on a spec should say what they are


@dataclass(frozen=True, slots=True)
class Leaf:
    """The type of one element: ``base`` with ``[dim]`` behind it if that is given; ``elements`` of them if it is one
    leaf of QEMU's but an array of ours. ``family`` is equal for types that may stand for each other.
    """

    base: str
    dim: int | None = None
    elements: int | None = None
    check: str | None = None
    doc: str | None = None
    view: str | None = None
    size: int = 0

    @property
    def family(self) -> tuple[str, int]:
        """What an older or newer description of the same bytes would share: integers of one width are one family."""
        if self.base in _WIDTHS and self.elements is None:
            return ("int", self.size)
        return (self.base, self.elements or 0)


_WIDTHS = {"bool": 1, "timer": 8, "float64": 8}
_WIDTHS.update({f"{sign}int{bits}": bits // 8 for sign in ("u", "") for bits in (8, 16, 32, 64)})

_UNSIGNED = {1: "uint8", 2: "uint16", 4: "uint32", 8: "uint64"}

#: vmdesc type -> our type, number of elements, check
_KNOWN: dict[str, tuple[str, int | None, str | None]] = {
    **{name: (name, None, None) for name in _WIDTHS if name != "float64"},
    "uint8 equal": ("uint8", None, "it == mine"),
    "uint16 equal": ("uint16", None, "it == mine"),
    "uint32 equal": ("uint32", None, "it == mine"),
    "int32 equal": ("int32", None, "it == mine"),
    "int64 equal": ("uint64", None, "it == mine"),
    "int32 le": ("int32", None, "0 <= it <= mine"),
    "CPU_Double_U": ("float64", None, None),
    "float64": ("float64", None, None),
    "pci irq state": ("uint32", 4, None),
    "avr": ("uint64", 2, None),
    "slbe": ("uint64", 2, None),
}

#: Types whose bytes are the device's own, with words for them.
_BYTES = {
    "buffer": "memory of the device, as it is",
    "unused_buffer": "nothing, or what an older version had here",
    "pci config": "PCI configuration space",
    "msix state": "MSI-X table and pending bits",
    "usb-redir-parser": "state of the protocol's parser, behind its length",
}
_VIEWS = {"pci config": "PciHeader"}


def leaf_of_vmdesc(type_name: str, size: int) -> Leaf:
    """The type for a leaf of ``size`` bytes that QEMU calls ``type_name``."""
    known = _KNOWN.get(type_name)
    if known is not None:
        base, elements, check = known
        if _WIDTHS[base] * (elements or 1) == size:
            return Leaf(base, elements=elements, check=check, size=size)
    if type_name == "unused_buffer":
        return Leaf("pad", size, doc=_BYTES[type_name] if size > _LONG else None, size=size)
    if type_name == "bitmap" and size % 8 == 0:
        return Leaf("bitmap", size * 8, size=size)
    if type_name in _BYTES:
        view = _VIEWS.get(type_name) if size >= 256 else None
        return Leaf("bytes", size, doc=_BYTES[type_name] if size > _LONG else None, view=view, size=size)
    if size in _UNSIGNED:
        # hand-written in QEMU, but as long as a number: cpsr, fpscr, sreg, vsr, a marker of 5.2 under another name
        return Leaf(_UNSIGNED[size], size=size)
    if type_name == "fpr" and size == 16:
        return Leaf("uint64", elements=2, size=size)
    return Leaf("bytes", size, size=size)


def leaf_of_dump(name: str, size: int) -> Leaf:
    """The type for a field that only a dump tells of, by its size in memory: right for numbers, a guess else."""
    if name == "unused":
        return Leaf("pad", size, size=size)
    if size in _UNSIGNED:
        return Leaf(_UNSIGNED[size], size=size)
    return Leaf("bytes", size or None, size=size)
