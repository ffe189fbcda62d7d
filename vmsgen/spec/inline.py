"""Derived values that an object can compute from its own fields, so that they are properties."""

from __future__ import annotations

from dataclasses import replace

from vmsgen.spec.expression import (
    Binary,
    Call,
    Compare,
    Conditional,
    Const,
    Expression,
    Index,
    InRange,
    InSet,
    Member,
    Ref,
    Unary,
)
from vmsgen.spec.model import Group, Let, Step
from vmsgen.spec.scope import Scope

#: Expressions that grow beyond this (lets of lets) stay computed where the whole value is read or written.
MAX_PARTS = 200


class Inliner:
    """Replaces the lets of one definition by what they are."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.lets = {let.name: let for let in _lets(scope.steps)}
        self.left = MAX_PARTS
        self.busy: set[str] = set()

    def inlined(self, expression: Expression) -> Expression | None:
        """``expression`` over stored fields alone; None if it needs anything else."""
        self.left -= 1
        if self.left < 0:
            return None
        match expression:
            case Const() | Ref(source="field"):
                return expression
            case Ref(source="derived"):
                return expression if self._computable(expression.name) else None
            case Ref(source="let"):
                let = self.lets.get(expression.name)
                return self.inlined(let.expression) if let is not None else None
            case Member():
                base = self.inlined(expression.base)
                return replace(expression, base=base) if base is not None else None
            case Index():
                ends = self._all((expression.base, expression.index))
                return replace(expression, base=ends[0], index=ends[1]) if ends is not None else None
            case Unary():
                operand = self.inlined(expression.operand)
                return replace(expression, operand=operand) if operand is not None else None
            case Binary():
                sides = self._all((expression.left, expression.right))
                return replace(expression, left=sides[0], right=sides[1]) if sides is not None else None
            case Conditional():
                parts = self._all((expression.test, expression.then, expression.other))
                return replace(expression, test=parts[0], then=parts[1], other=parts[2]) if parts is not None else None
            case Compare():
                operands = self._all(expression.operands)
                return replace(expression, operands=operands) if operands is not None else None
            case Call():
                arguments = self._all(expression.arguments)
                return replace(expression, arguments=arguments) if arguments is not None else None
            case InRange():
                parts = self._all((expression.value, expression.low, expression.high))
                return replace(expression, value=parts[0], low=parts[1], high=parts[2]) if parts is not None else None
            case InSet():
                parts = self._all((expression.value, *expression.items))
                return replace(expression, value=parts[0], items=parts[1:]) if parts is not None else None
        return None

    def _computable(self, name: str) -> bool:
        """Whether another derived field is a property, too."""
        found = self.scope.derived.get(name)
        if found is None or name in self.busy:
            return False
        self.busy.add(name)
        own = self.inlined(found[0]) is not None
        self.busy.discard(name)
        return own

    def _all(self, expressions: tuple[Expression, ...]) -> tuple[Expression, ...] | None:
        found = [self.inlined(expression) for expression in expressions]
        complete = tuple(one for one in found if one is not None)
        return complete if len(complete) == len(found) else None


def _lets(steps: list[Step] | tuple[Step, ...]) -> list[Let]:
    found: list[Let] = []
    for step in steps:
        if isinstance(step, Let):
            found.append(step)
        elif isinstance(step, Group):
            found.extend(_lets(step.steps))
    return found
