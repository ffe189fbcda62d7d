"""What a struct's bytes begin with: whether they can be told from a NULL, or from an end mark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from vmsgen.spec.expression import Binary, Compare, Const, Expression, InRange, InSet, It, Ref
from vmsgen.spec.integers import limits
from vmsgen.spec.model import Field, Group, Let
from vmsgen.spec.scope import Scope
from vmsgen.spec.wire_types import Array, Bytes, Fixed, Int, Prefixed, String, StructRef, Timer, WireType

#: What QEMU writes for a NULL pointer.
NULL_MARK = 0x30

#: Closed ranges of values.
Ranges: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class FirstItem:
    """The first item: its integer type, the values it can have, and the field it belongs to."""

    type: Int
    values: Ranges
    field: Field | None


def first_item(wire: WireType, scopes: Mapping[str, Scope], busy: frozenset[str] = frozenset()) -> FirstItem | None:
    """The first integer of a value, None where what comes first is no integer or need not be there."""
    match wire:
        case Int():
            return FirstItem(wire, (limits(wire),), None)
        case Timer():
            return FirstItem(Int(64, True, wire.order), (limits(wire),), None)
        case Bytes(count=Prefixed() as count) | String(count=Prefixed() as count):
            return FirstItem(count.type, (limits(count.type),), None)
        case Array(count=Prefixed() as count):
            return FirstItem(count.type, (limits(count.type),), None)
        case Array(count=Fixed(value=Const(value=value))) if isinstance(value, int) and value > 0:
            return first_item(wire.element, scopes, busy)
        case StructRef():
            return _of_struct(wire, scopes, busy)
    return None


def _of_struct(ref: StructRef, scopes: Mapping[str, Scope], busy: frozenset[str]) -> FirstItem | None:
    if ref.definition in busy:
        return None
    scope = scopes[ref.definition]
    steps = list(scope.steps)
    while steps:
        step = steps.pop(0)
        if isinstance(step, Group) and step.condition is None:
            steps[:0] = step.steps
        elif isinstance(step, Group):
            return None
        elif isinstance(step, Field):
            if step.never or step.at is not None:
                continue
            if step.condition is not None:
                return None
            found = first_item(step.type, scopes, busy | {ref.definition})
            if found is None or found.field is not None:
                return found
            return FirstItem(found.type, _restricted(step, found.values, scope), step)
        elif not isinstance(step, Let):
            continue
    return None


def _restricted(step: Field, values: Ranges, scope: Scope) -> Ranges:
    """The values that the check of a field leaves, or the one that it always has."""
    if not isinstance(step.type, (Int, Timer)):
        return values
    derived = scope.derived.get(step.name)
    if derived is not None and isinstance(derived[0], Const):
        return ((int(derived[0].value), int(derived[0].value)),)  # type: ignore[arg-type]
    if step.check is None:
        return values
    return _meet(values, allowed(step.check.expression))


def allowed(check: Expression, name: str | None = None) -> Ranges | None:
    """The values of ``it`` (or of the field ``name``) for which a check can be true; None: any."""
    match check:
        case InRange(low=Const(value=int() as low), high=Const(value=int() as high)) if _is(check.value, name):
            return ((low, high),)
        case InSet() if _is(check.value, name) and all(isinstance(item, Const) for item in check.items):
            values = sorted(int(i.value) for i in check.items if isinstance(i, Const) and isinstance(i.value, int))
            return tuple((value, value) for value in values) if len(values) == len(check.items) else None
        case Compare():
            return _compared(check, name)
        case Binary(operator="and"):
            left, right = allowed(check.left, name), allowed(check.right, name)
            return _meet(left, right) if left is not None else right
        case Binary(operator="or"):
            left, right = allowed(check.left, name), allowed(check.right, name)
            return tuple(sorted((*left, *right))) if left is not None and right is not None else None
    return None


def _is(expression: Expression, name: str | None) -> bool:
    """Whether an expression is what a check is about."""
    if name is None:
        return isinstance(expression, It)
    return isinstance(expression, Ref) and expression.source in ("field", "derived") and expression.name == name


_FAR = 1 << 130


def _compared(check: Compare, name: str | None) -> Ranges | None:
    found: Ranges | None = None
    for left, operator, right in zip(check.operands, check.operators, check.operands[1:], strict=False):
        if _is(right, name):
            left, right = right, left
            operator = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(operator, operator)
        if not _is(left, name) or not isinstance(right, Const) or not isinstance(right.value, int):
            continue
        value = int(right.value)
        ranges: Ranges = {
            "<": ((-_FAR, value - 1),),
            "<=": ((-_FAR, value),),
            ">": ((value + 1, _FAR),),
            ">=": ((value, _FAR),),
            "==": ((value, value),),
            "!=": ((-_FAR, value - 1), (value + 1, _FAR)),
        }[operator]
        found = _meet(found, ranges) if found is not None else ranges
    return found


def _meet(values: Ranges, others: Ranges | None) -> Ranges:
    if others is None:
        return values
    pairs = ((max(a, c), min(b, d)) for a, b in values for c, d in others)
    return tuple((low, high) for low, high in pairs if low <= high)


def contains(values: Ranges, value: int) -> bool:
    """Whether a value is in one of the ranges."""
    return any(low <= value <= high for low, high in values)


def starts_unlike_null(ref: StructRef, scopes: Mapping[str, Scope]) -> bool:
    """Whether no value of a struct can begin with the byte that stands for NULL."""
    found = first_item(ref, scopes)
    if found is None or found.type.order == "host":
        return False
    for low, high in found.values:
        for first, last in _unsigned(low, high, found.type.bits):
            if _first_byte_may_be(first, last, found.type):
                return False
    return True


def _unsigned(low: int, high: int, bits: int) -> Ranges:
    """A range of values as it stands in memory, two's complement."""
    if low >= 0:
        return ((low, high),)
    top = 1 << bits
    return ((low + top, min(high, -1) + top), *(((0, high),) if high >= 0 else ()))


def _first_byte_may_be(low: int, high: int, integer: Int) -> bool:
    if integer.order == "little" and integer.bits > 8:
        # the low byte comes first: it takes every value once 256 numbers are in the range
        return high - low >= 255 or any(value & 0xFF == NULL_MARK for value in range(low, high + 1))
    shift = integer.bits - 8
    return (low >> shift) <= NULL_MARK <= (high >> shift)
