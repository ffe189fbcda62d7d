"""Which definitions are views: structs that read the bytes of a field for people, and have no form on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from vmsgen.spec.asks import Ask, home
from vmsgen.spec.model import Field, Group, Step
from vmsgen.spec.scope import Scope
from vmsgen.spec.wire_types import Array, Bytes, Grid, Hook, ListOf, Nullable, StructRef, Tree, Union, WireType


def view_only(scopes: Iterable[Scope], asked: Iterable[Ask] = ()) -> set[str]:
    """Ids of the definitions that are views, or parts of views, and of nothing else. ``asked`` is what files want that
    are not among the scopes.
    """
    viewed, holds = _uses(scopes)
    seen = _reached([*viewed, *(target for kind, target, _ in asked if kind == "view")], holds)
    held = [identifier for identifier in holds if identifier not in seen]
    return seen - _reached([*held, *(target for kind, target, _ in asked if kind == "hold")], holds)


def asks_of_views(scopes: Sequence[Scope], asked: Iterable[Ask] = ()) -> Iterator[tuple[str, Ask]]:
    """What each file, by its module, wants of definitions of others: to be a view, or to have a form on the wire."""
    viewed, holds = _uses(scopes)
    seen = _reached([*viewed, *(target for kind, target, _ in asked if kind == "view")], holds)
    for scope in scopes:
        path = scope.module.path
        kind = "view" if scope.id in seen else "hold"
        uses = [(kind, target) for target in holds[scope.id]]
        uses += [("view", target) for target in _views_of(scope)]
        yield from ((path, (kind, target, "")) for kind, target in uses if home(target) != path)


def _uses(scopes: Iterable[Scope]) -> tuple[list[str], dict[str, list[str]]]:
    """Ids of what is viewed; and by definition, ids of what it holds."""
    viewed: list[str] = []
    holds: dict[str, list[str]] = {}
    for scope in scopes:
        viewed += _views_of(scope)
        viewed += [scope.id] if scope.uses_bytes is not None else []
        types = [wire for step in _fields(scope.steps) for wire in _parts(step.type)]
        holds[scope.id] = _structs_of(types) + [subsection.definition for subsection in scope.subsections]
    return viewed, holds


def _views_of(scope: Scope) -> list[str]:
    types = (wire for step in _fields(scope.steps) for wire in _parts(step.type))
    return [wire.view for wire in types if isinstance(wire, Bytes) and wire.view is not None]


def structs_in(wire: WireType) -> list[str]:
    """Ids of the definitions whose bytes a type holds, on the wire."""
    return _structs_of(_parts(wire))


def _structs_of(types: Iterable[WireType]) -> list[str]:
    return [wire.definition for wire in types if isinstance(wire, StructRef)]


def _reached(starts: Iterable[str], holds: dict[str, list[str]]) -> set[str]:
    found: set[str] = set()
    queue = list(starts)
    while queue:
        identifier = queue.pop()
        if identifier not in found:
            found.add(identifier)
            queue += holds.get(identifier, ())
    return found


def _fields(steps: Iterable[Step]) -> Iterator[Field]:
    for step in steps:
        if isinstance(step, Field):
            yield step
        elif isinstance(step, Group):
            yield from _fields(step.steps)


def _parts(wire: WireType) -> Iterator[WireType]:
    """A type and the types in it."""
    yield wire
    match wire:
        case Array() | ListOf() | Grid() | Nullable():
            yield from _parts(wire.element)
        case Tree():
            yield from _parts(wire.key)
            yield from _parts(wire.value)
        case Union():
            yield from (case.type for case in wire.cases if case.type is not None)
            if isinstance(wire.otherwise, StructRef):
                yield wire.otherwise
        case Hook():
            yield from _parts(wire.type)
