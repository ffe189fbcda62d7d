"""Operators and functions over constants: what both operands being known makes known."""

from __future__ import annotations

import operator as operators
from collections.abc import Callable, Sequence
from typing import Any

#: Constants stay small: 64 bits are the widest on the wire, twice that leaves room for products.
MAX_BITS = 128
#: As at run time: a shift by more is a data error.
MAX_SHIFT = 64

_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": operators.add,
    "-": operators.sub,
    "*": operators.mul,
    "//": operators.floordiv,
    "%": operators.mod,
    "<<": operators.lshift,
    ">>": operators.rshift,
    "&": operators.and_,
    "^": operators.xor,
    "|": operators.or_,
}
_COMPARISON: dict[str, Callable[[Any, Any], bool]] = {
    "==": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}


class NotComputable(Exception):
    """A constant expression has no value; the text says why, ``rule`` is what to report it under."""

    rule = "spec/value"


class TooWide(NotComputable):
    """The value needs more than :data:`MAX_BITS` bits."""

    rule = "type/width"


def arithmetic(operator: str, left: int, right: int) -> int:
    """``left operator right`` over whole numbers. Raises :class:`NotComputable`."""
    if operator in ("//", "%") and right == 0:
        raise NotComputable("division by zero")
    if operator in ("<<", ">>") and not 0 <= right <= MAX_SHIFT:
        raise NotComputable(f"a shift goes from 0 to {MAX_SHIFT} bits, not {right}")
    value = _ARITHMETIC[operator](left, right)
    if value.bit_length() > MAX_BITS:
        raise TooWide(f"the value has more than {MAX_BITS} bits")
    return value


def compare(operator: str, left: Any, right: Any) -> bool:
    """``left operator right``; releases compare as if the shorter one went on with zeros."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        width = max(len(left), len(right))
        left += (0,) * (width - len(left))
        right += (0,) * (width - len(right))
    return _COMPARISON[operator](left, right)


def call(function: str, arguments: Sequence[Any]) -> int | None:
    """A function over constants, or None where it needs data. Raises :class:`NotComputable`."""
    if function == "min":
        return int(min(arguments))
    if function == "max":
        return int(max(arguments))
    if function == "align":
        value, to = arguments
        if to <= 0:
            raise NotComputable(f"nothing can be aligned to {to}")
        return int(-(-value // to) * to)
    return None
