"""Going over what was resolved: definitions, fields, wire types, expressions."""

from __future__ import annotations

from collections.abc import Iterator

from vmsgen.spec.expression import (
    Binary,
    Call,
    Compare,
    Conditional,
    Expression,
    Index,
    InRange,
    InSet,
    Member,
    Unary,
)
from vmsgen.spec.model import CheckStep, Field, Group, Step
from vmsgen.spec.resolver import Resolved
from vmsgen.spec.scope import Scope
from vmsgen.spec.wire_types import Array, Grid, ListOf, Nullable, Tree, Union, WireType


def own_scopes(resolved: Resolved) -> Iterator[Scope]:
    """Every definition of this build, those of the shipped library left out."""
    return (scope for scope in resolved.scopes.values() if not scope.module.file.external)


def fields(steps: list[Step] | tuple[Step, ...]) -> Iterator[Field]:
    """Every field, groups flattened."""
    for step in steps:
        if isinstance(step, Field):
            yield step
        elif isinstance(step, Group):
            yield from fields(step.steps)


def check_steps(steps: list[Step] | tuple[Step, ...]) -> Iterator[CheckStep]:
    """Every ``check`` entry, groups flattened."""
    for step in steps:
        if isinstance(step, CheckStep):
            yield step
        elif isinstance(step, Group):
            yield from check_steps(step.steps)


def wire_types(wire: WireType) -> Iterator[WireType]:
    """A type and the types of its elements."""
    yield wire
    match wire:
        case Array() | Grid() | ListOf():
            yield from wire_types(wire.element)
        case Nullable():
            yield wire.element
        case Tree():
            yield from wire_types(wire.key)
            yield from wire_types(wire.value)
        case Union():
            yield from (case.type for case in wire.cases if case.type is not None)
            if wire.otherwise is not None and not isinstance(wire.otherwise, str):
                yield wire.otherwise


def parts(expression: Expression) -> Iterator[Expression]:
    """An expression and everything in it."""
    yield expression
    inner: tuple[Expression, ...] = ()
    match expression:
        case Member():
            inner = (expression.base,)
        case Index():
            inner = (expression.base, expression.index)
        case Unary():
            inner = (expression.operand,)
        case Binary():
            inner = (expression.left, expression.right)
        case Compare():
            inner = expression.operands
        case InRange():
            inner = (expression.value, expression.low, expression.high)
        case InSet():
            inner = (expression.value, *expression.items)
        case Conditional():
            inner = (expression.test, expression.then, expression.other)
        case Call():
            inner = expression.arguments
    for one in inner:
        yield from parts(one)
