"""Bounds on what hostile input may ask for."""

from __future__ import annotations

from vmsgen.runtime.slotted import Slotted


class Limits(Slotted, frozen=True):
    """``depth``: nesting of structs, elements and subsections. ``count``: elements of one array where neither the
    section nor
    the announced length bounds it. ``length``: bytes of one BER value held in memory."""

    depth: int = 100
    count: int = 1 << 24
    length: int = 1 << 28


DEFAULT_LIMITS = Limits()
