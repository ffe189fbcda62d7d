"""Subsections that a reader would not find, or would give to another owner.

QEMU looks for subsections behind the fields of every description, the innermost first, and takes one whose name begins
with that description's name (``migration/vmstate.c``, ``vmstate_subsection_load``, QEMU 10.0).
"""

from __future__ import annotations

from collections.abc import Iterator

from vmsgen.diagnostics import Note
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.expression import Const
from vmsgen.spec.model import CheckStep, Field, Group, Let, Step
from vmsgen.spec.passes.walking import own_scopes
from vmsgen.spec.resolver import Resolved
from vmsgen.spec.scope import Scope
from vmsgen.spec.wire_types import Array, Fixed, Grid, Nullable, StructRef, Union, WireType


def check_subsections(resolved: Resolved, reporter: Reporter) -> None:
    """``sub/prefix``: lint for a name that does not begin with its owner's, an error where another one takes it.

    ``sub/ambiguous``: lint where a subsection takes the one behind it.
    """
    for scope in own_scopes(resolved):
        if scope.subsections and scope.wire_name is None and scope.kind == "struct":
            reporter.error(
                "spec/missing-key",
                f"{scope.class_name} has subsections, so it needs the key `vmstate`: their names begin with it",
                scope.span,
            )
            continue
        _siblings(scope, resolved, reporter)
        tail = {inner.id: inner for inner in _tail(scope, resolved)}
        for subsection in scope.subsections:
            own = scope.wire_name or ""
            claim = next(
                (o for o in tail.values() if o.wire_name is not None and subsection.wire_name.startswith(o.wire_name)),
                None,
            )
            if claim is not None:
                reporter.error(
                    "sub/prefix",
                    f"a reader would give `{subsection.wire_name}` to `{claim.wire_name}`, "
                    f"which ends `{own}` and is asked first",
                    subsection.span,
                    notes=[Note("that one", claim.span)],
                )
            elif not subsection.wire_name.startswith(own):
                reporter.warning(
                    "sub/prefix",
                    f"`{subsection.wire_name}` does not begin with its owner's name `{own}`",
                    subsection.span,
                    help="QEMU's reader would not take it",
                )


def _siblings(scope: Scope, resolved: Resolved, reporter: Reporter) -> None:
    """A subsection is a description, too: it claims those behind it whose names begin with its own."""
    before: list[Scope] = []
    for subsection in scope.subsections:
        claim = next((o for o in before if o.wire_name and subsection.wire_name.startswith(o.wire_name)), None)
        if claim is not None:
            reporter.warning(
                "sub/ambiguous",
                f"right behind `{claim.wire_name}` a reader would look for `{subsection.wire_name}` in it",
                subsection.span,
                notes=[Note("that one", claim.span)],
            )
        own = resolved.scopes[subsection.definition]
        before += [own, *_tail(own, resolved)]


def _tail(scope: Scope, resolved: Resolved, depth: int = 0) -> Iterator[Scope]:
    """The descriptions that can end where ``scope`` does: their subsections are looked for before its own."""
    if depth > 16:
        return
    for wire in _last(scope.steps):
        for inner in _structs(wire):
            found = resolved.scopes[inner.definition]
            if found.wire_name is not None:
                yield found
            yield from _tail(found, resolved, depth + 1)


def _last(steps: list[Step] | tuple[Step, ...]) -> list[WireType]:
    """The types of the fields that can be the last one."""
    found: list[WireType] = []
    for step in reversed(steps):
        if isinstance(step, (Let, CheckStep)):
            continue
        if isinstance(step, Group):
            found.extend(_last(step.steps))
            if step.condition is None and found:
                return found
            continue
        assert isinstance(step, Field)
        if step.never:
            continue
        found.append(step.type)
        if step.condition is None and not _may_be_empty(step.type):
            return found
    return found


def _may_be_empty(wire: WireType) -> bool:
    count = getattr(wire, "count", None)
    return isinstance(count, Fixed) and not (isinstance(count.value, Const) and count.value.value != 0)


def _structs(wire: WireType) -> Iterator[StructRef]:
    match wire:
        case StructRef():
            yield wire
        case Array() | Grid() | Nullable():
            yield from _structs(wire.element)
        case Union():
            yield from (case.type for case in wire.cases if case.type is not None)
            if isinstance(wire.otherwise, StructRef):
                yield wire.otherwise
