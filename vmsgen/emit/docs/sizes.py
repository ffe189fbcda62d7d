"""Sizes on the binary wire, where they are fixed: for the offset columns of the pages."""

from __future__ import annotations

from vmsgen.spec.expression import Const, Expression
from vmsgen.spec.model import Definition, Field, Group, Model, Step
from vmsgen.spec.wire_types import (
    Array,
    Bitmap,
    Bool,
    Bytes,
    Fixed,
    Float64,
    Grid,
    Int,
    Pad,
    Prefixed,
    String,
    StructRef,
    Through,
    Timer,
    Until,
    WireType,
)


def fixed_size(model: Model, type_: WireType) -> int | None:
    """Bytes that a value of this type always has; None if that depends on the value, the version or the sender."""
    match type_:
        case Int(bits=bits):
            return bits // 8
        case Bool():
            return 1
        case Float64() | Timer():
            return 8
        case Bytes(count=count) | String(count=count) | Pad(count=count):
            return _constant(count)
        case Bitmap(count=count):
            bits_ = _constant(count)
            return None if bits_ is None else -(-bits_ // 64) * 8
        case StructRef(definition=identifier):
            return _definition_size(model, model.definition(identifier))
        case Array(element=element, count=count):
            return _product([_constant(count), fixed_size(model, element)])
        case Grid(element=element, sizes=sizes):
            return _product([*(_number(size) for size in sizes), fixed_size(model, element)])
    return None


def offsets(model: Model, definition: Definition) -> dict[int, int]:
    """Offset of each field whose place is always the same, by position among :meth:`Definition.fields`."""
    found: dict[int, int] = {}
    place = 0
    for position, field in enumerate(definition.fields()):
        if field.never:
            continue
        if field.presence is not None:
            break
        found[position] = place
        size = fixed_size(model, field.type)
        if size is None:
            break
        place += size
    return found


def _definition_size(model: Model, definition: Definition) -> int | None:
    """A struct's size; none where subsections may follow it. It cannot hold itself but through lists, which end
    this."""
    if definition.subsections or definition.marked:
        return None
    return _steps_size(model, definition.steps)


def _steps_size(model: Model, steps: tuple[Step, ...]) -> int | None:
    total = 0
    for step in steps:
        size: int | None = 0
        if isinstance(step, Field) and not step.never:
            size = fixed_size(model, step.type) if step.presence is None else None
        elif isinstance(step, Group):
            size = _steps_size(model, step.steps) if step.condition is None else None
        if size is None:
            return None
        total += size
    return total


def _constant(count: Fixed | Prefixed | Until | Through) -> int | None:
    return _number(count.value) if isinstance(count, Fixed) else None


def _number(expression: Expression) -> int | None:
    if isinstance(expression, Const) and isinstance(expression.value, int):
        return max(0, expression.value)
    return None


def _product(factors: list[int | None]) -> int | None:
    total = 1
    for factor in factors:
        if factor is None:
            return None
        total *= factor
    return total
