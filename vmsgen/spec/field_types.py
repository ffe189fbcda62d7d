"""The type of a field with everything that its line and attributes say about it: order, labels, version, view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from vmsgen.diagnostics import Note, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec import syntax
from vmsgen.spec.declarations import FieldDecl
from vmsgen.spec.integers import has_order, limits
from vmsgen.spec.place import Place
from vmsgen.spec.scope import Failed
from vmsgen.spec.typer import Expressions
from vmsgen.spec.types import TypePlace, Types
from vmsgen.spec.wire_types import (
    Array,
    Bytes,
    Grid,
    Int,
    Labels,
    ListOf,
    Nullable,
    Order,
    SizedInt,
    StructRef,
    WireType,
)

_ORDERS: dict[str, Order] = {"big-endian": "big", "little-endian": "little", "host-endian": "host"}


class FieldTypes:
    """Resolves the types of fields. ``struct`` gives the definition that a `view:` names."""

    def __init__(self, reporter: Reporter, expressions: Expressions, types: Types, struct: Callable[..., str]) -> None:
        self.reporter = reporter
        self.expressions = expressions
        self.types = types
        self.struct = struct

    def resolve(self, entry: FieldDecl, name: str, place: Place, order: Order) -> WireType:
        if entry.broken:
            raise Failed
        line = entry.line
        if line is None:
            return self.types.anonymous(TypePlace(place, order, entry, name), entry.span)
        clause = next((c for c in line.clauses if c.keyword.endswith("-endian")), None)
        if clause is not None:
            order = _ORDERS[clause.keyword]
        wire = self.types.resolve(line.type, TypePlace(place, order, entry, name))
        if clause is not None and not has_order(wire):
            self.reporter.error(
                "type/order",
                "this has no byte order",
                clause.span,
                help="a struct has its own: `endian:` where it is defined" if isinstance(wire, StructRef) else None,
            )
        self._needless(entry, line.type)
        wire = self._labelled(wire, line, place)
        wire = self._at_version(wire, line, place)
        if entry.view is not None:
            if not isinstance(wire, Bytes):
                self.reporter.error("spec/value", "only bytes can have a view", entry.view.span)
                raise Failed
            wire = replace(wire, view=self.struct(place.module, entry.view))
        return wire

    def _needless(self, entry: FieldDecl, found: syntax.TypeExpr) -> None:
        """Report ``cases`` and ``fields`` that belong to no union or anonymous struct."""
        names = set()
        while not isinstance(found, syntax.NamedType | syntax.SizedType | syntax.TreeType):
            found = found.element
        if isinstance(found, syntax.NamedType):
            names.add(found.name)
        if entry.cases is not None and "union" not in names:
            self.reporter.error(
                "type/union",
                "`cases:` belongs to a union",
                entry.cases_span or entry.span,
                help="write `union(SELECTOR)`",
            )
        if entry.entries is not None and "struct" not in names:
            self.reporter.error("spec/shape", "`fields:` belongs to the type `struct`", entry.span)

    def _labelled(self, wire: WireType, line: syntax.FieldLine, place: Place) -> WireType:
        clause = line.clause("as")
        if clause is None or clause.name is None:
            return wire
        entity = place.module.find(clause.name)
        if entity is None or entity.labels is None:
            raise self.expressions.names.mistakes.no_labels(clause.name, clause.span, place)
        integer = wire.element if isinstance(wire, (Array, Grid, ListOf)) else wire
        if isinstance(integer, Int):
            self._labels_fit(entity.labels, integer, clause.span)
        if isinstance(wire, (Int, SizedInt)):
            return replace(wire, labels=entity.labels)
        if isinstance(wire, (Array, Grid, ListOf)) and isinstance(wire.element, (Int, SizedInt)):
            return replace(wire, element=replace(wire.element, labels=entity.labels))
        self.reporter.error("expr/type", "only integers can have names for their values", clause.span)
        raise Failed

    def _labels_fit(self, labels: Labels, integer: Int, span: Span) -> None:
        """Every number of an enum is one that the integer can have, every bit of flags one that it has."""
        low, high = limits(integer) if labels.kind == "enum" else (0, integer.bits - 1)
        name = f"{'' if integer.signed else 'u'}int{integer.bits}"
        for first, last, label in labels.members:
            if not low <= first <= last <= high:
                what = f"{first}" if labels.kind == "enum" else f"bit {last}"
                self.reporter.error(
                    "type/width",
                    f"`{label}` of {labels.name} is {what}, which {name} does not have",
                    span,
                    notes=[Note("defined here", labels.span)],
                )
                return

    def _at_version(self, wire: WireType, line: syntax.FieldLine, place: Place) -> WireType:
        clause = line.clause("at-version")
        if clause is None or clause.number is None:
            return wire
        if isinstance(wire, (Array, ListOf)) and isinstance(wire.element, StructRef):
            return replace(wire, element=self._versioned(wire.element, clause.number, clause.span))
        if isinstance(wire, Nullable):
            return replace(wire, element=self._versioned(wire.element, clause.number, clause.span))
        if isinstance(wire, StructRef):
            return self._versioned(wire, clause.number, clause.span)
        self.reporter.error("expr/type", "`at-version` belongs to a struct", clause.span)
        raise Failed

    def _versioned(self, ref: StructRef, number: int, span: Span) -> StructRef:
        scope = self.expressions.names.members.open_scope(ref.definition)
        if scope.kind in ("state", "section"):
            self.reporter.error(
                "cond/version",
                f"`at-version` belongs to a struct, and {scope.class_name} is a state, which knows its own version",
                span,
                help="make a struct of the fields that stand here",
            )
        if not scope.minimum <= number <= scope.version:
            self.reporter.error(
                "cond/version",
                f"`at-version {number}` can never be: {scope.class_name} has versions {scope.minimum} to "
                f"{scope.version}",
                span,
            )
        return replace(ref, at_version=number)
