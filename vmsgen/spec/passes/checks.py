"""Checks that nothing passes, and numbers that do not fit into the field they stand for."""

from __future__ import annotations

from vmsgen.diagnostics import Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.expression import Compare, Const, Expression, InRange, InSet, It, Ref
from vmsgen.spec.first_item import Ranges, allowed
from vmsgen.spec.integers import limits
from vmsgen.spec.model import Check, Field, Group, Step
from vmsgen.spec.passes.walking import check_steps, fields, own_scopes, parts
from vmsgen.spec.resolver import Resolved
from vmsgen.spec.scope import Scope
from vmsgen.spec.wire_types import Int, Timer


def check_checks(resolved: Resolved, reporter: Reporter) -> None:
    """``check/impossible`` and ``type/width`` in checks, conditions and derived constants."""
    for scope in own_scopes(resolved):
        integers = {f.name: f.type for f in fields(scope.steps) if isinstance(f.type, (Int, Timer))}
        for step in check_steps(scope.steps):
            if not _entry(step.check, integers, reporter):
                _widths(step.check.expression, None, integers, reporter)
        for expression in _conditions(scope):
            _widths(expression, None, integers, reporter)
        for field in fields(scope.steps):
            _field(field, scope, integers, reporter)


def _conditions(scope: Scope) -> list[Expression]:
    """Every condition of a definition."""
    found = [f.condition for f in fields(scope.steps) if f.condition is not None]
    found += [s.needed for s in scope.subsections if s.needed is not None]
    groups: list[Step] = list(scope.steps)
    while groups:
        step = groups.pop()
        if isinstance(step, Group):
            groups.extend(step.steps)
            if step.condition is not None:
                found.append(step.condition)
    return found


def _field(field: Field, scope: Scope, integers: dict[str, Int | Timer], reporter: Reporter) -> None:
    integer = field.type if isinstance(field.type, (Int, Timer)) else None
    derived = scope.derived.get(field.name)
    if integer is not None and derived is not None and isinstance(derived[0], Const):
        _fits(derived[0], integer, field.name, reporter)
    if field.check is None:
        return
    expression = field.check.expression
    if isinstance(expression, Const):
        if expression.value is False:
            reporter.error("check/impossible", "nothing passes this check", field.check.span)
        else:
            reporter.warning("expr/constant", "this check is always true", field.check.span)
        return
    ranges = allowed(expression)
    if integer is not None and ranges is not None and not _within(ranges, limits(integer)):
        _impossible(field.name, integer, field.check.span, reporter)
    else:
        _widths(expression, integer, integers, reporter)


def _impossible(name: str, integer: Int | Timer, span: Span, reporter: Reporter) -> None:
    low, high = limits(integer)
    reporter.error("check/impossible", f"no value of `{name}` ({low}..{high}) passes this check", span)


def _entry(check: Check, integers: dict[str, Int | Timer], reporter: Reporter) -> bool:
    """Report a `check` entry that nothing passes; whether it was one."""
    expression = check.expression
    if isinstance(expression, Const):
        if expression.value is False:
            reporter.error("check/impossible", "nothing passes this check", check.span)
        else:
            reporter.warning("expr/constant", "this check is always true", check.span)
        return True
    for part in parts(expression):
        integer = integers.get(part.name) if isinstance(part, Ref) and part.source in ("field", "derived") else None
        if integer is None or not isinstance(part, Ref):
            continue
        ranges = allowed(expression, part.name)
        if ranges is not None and not _within(ranges, limits(integer)):
            _impossible(part.name, integer, check.span, reporter)
            return True
    return False


def _within(ranges: Ranges, bounds: tuple[int, int]) -> bool:
    return any(low <= bounds[1] and high >= bounds[0] for low, high in ranges)


def _widths(
    expression: Expression, it: Int | Timer | None, integers: dict[str, Int | Timer], reporter: Reporter
) -> bool:
    """Report constants that are compared with an integer which cannot have them; whether there was one."""
    wrong = False
    for part in parts(expression):
        pairs: list[tuple[Expression, Expression]] = []
        match part:
            case Compare():
                sides = list(zip(part.operands, part.operators, part.operands[1:], strict=False))
                pairs = [(a, b) for a, o, b in sides if o in ("==", "!=")]
                pairs += [(b, a) for a, b in pairs]
            case InSet():
                pairs = [(part.value, item) for item in part.items]
            case InRange():
                pairs = [(part.value, part.low), (part.value, part.high)]
        for value, constant in pairs:
            integer = it if isinstance(value, It) else None
            if isinstance(value, Ref) and value.source in ("field", "derived"):
                integer = integers.get(value.name)
            if integer is not None and isinstance(constant, Const):
                name = value.name if isinstance(value, Ref) else "it"
                wrong = _fits(constant, integer, name, reporter) or wrong
    return wrong


def _fits(constant: Const, integer: Int | Timer, name: str, reporter: Reporter) -> bool:
    """Report a constant that an integer cannot have; whether it was one."""
    low, high = limits(integer)
    if not isinstance(constant.value, int) or low <= constant.value <= high:
        return False
    span: Span = constant.span
    reporter.error("type/width", f"`{name}` is never {constant.value}: it goes from {low} to {high}", span)
    return True
