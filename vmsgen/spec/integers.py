"""Integer types: their names, what they can hold, and which types have a byte order."""

from __future__ import annotations

from vmsgen.spec.wire_types import (
    Array,
    Bitmap,
    Bytes,
    Float64,
    Grid,
    Int,
    ListOf,
    Pad,
    Prefixed,
    SizedInt,
    String,
    Timer,
    Tree,
    Until,
    WireType,
)

#: Names of the integer types: bits and whether there is a sign.
INTEGERS: dict[str, tuple[int, bool]] = {
    f"{sign}int{bits}": (bits, not sign) for bits in (8, 16, 32, 64) for sign in ("", "u")
}


def fits(value: int, integer: Int | Timer) -> bool:
    """Whether an integer type can hold ``value``."""
    low, high = limits(integer)
    return low <= value <= high


def limits(integer: Int | Timer) -> tuple[int, int]:
    """The lowest and the highest value of an integer type."""
    bits, signed = (integer.bits, integer.signed) if isinstance(integer, Int) else (64, True)
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


def has_order(wire: WireType) -> bool:
    """Whether a byte order means something for a type, its counts included."""
    match wire:
        case Int() | SizedInt() | Float64() | Timer() | Bitmap():
            return True
        case Bytes() | String() | Pad():
            return isinstance(wire.count, Prefixed)
        case Array():
            return has_order(wire.element) or isinstance(wire.count, (Prefixed, Until))
        case Grid() | ListOf():
            return has_order(wire.element)
        case Tree():
            return has_order(wire.key) or has_order(wire.value)
    return False
