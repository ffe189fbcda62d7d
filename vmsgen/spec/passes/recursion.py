"""Structs that hold themselves, so that no value could ever end."""

from __future__ import annotations

from vmsgen.diagnostics import Note
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.expression import Const
from vmsgen.spec.model import Field, Group, Step
from vmsgen.spec.resolver import Resolved
from vmsgen.spec.wire_types import Array, Fixed, StructRef, WireType


def check_recursion(resolved: Resolved, reporter: Reporter) -> None:
    """``type/recursion``: a chain of fields that are always there, back to where it began."""
    holds: dict[str, list[tuple[str, Field]]] = {
        identifier: list(_always(scope.steps)) for identifier, scope in resolved.scopes.items()
    }
    done: set[str] = set()
    for start in holds:
        path: list[str] = []
        chain: list[Field] = []
        stack: list[tuple[str, Field | None, bool]] = [(start, None, False)]
        while stack:
            identifier, via, leaving = stack.pop()
            if leaving:
                path.pop()
                if chain:
                    chain.pop()
                done.add(identifier)
                continue
            if identifier in path:
                assert via is not None
                _report(path[path.index(identifier) :], [*chain, via], resolved, reporter)
                continue
            if identifier in done:
                continue
            path.append(identifier)
            if via is not None:
                chain.append(via)
            stack.append((identifier, via, True))
            stack.extend((target, field, False) for target, field in holds[identifier])


def _report(cycle: list[str], fields: list[Field], resolved: Resolved, reporter: Reporter) -> None:
    names = [resolved.scopes[identifier].class_name for identifier in cycle]
    last = fields[-1]
    reporter.error(
        "type/recursion",
        f"{names[0]} holds itself and would have no end: {' -> '.join([*names, names[0]])}",
        last.span,
        help="hold it in a `list()`, behind `?`, or in an array whose count can be 0",
        notes=[Note("through this field", field.span) for field in fields[-len(cycle) : -1]],
    )


def _always(steps: list[Step] | tuple[Step, ...]) -> list[tuple[str, Field]]:
    """The structs that are there in every value, with their fields."""
    found: list[tuple[str, Field]] = []
    for step in steps:
        if isinstance(step, Group) and step.condition is None:
            found.extend(_always(step.steps))
        elif isinstance(step, Field) and step.condition is None and not step.never:
            target = _target(step.type)
            if target is not None:
                found.append((target, step))
    return found


def _target(wire: WireType) -> str | None:
    match wire:
        case StructRef():
            return wire.definition
        case Array(count=Fixed(value=Const(value=int() as count))) if count > 0:
            return _target(wire.element)
    return None
