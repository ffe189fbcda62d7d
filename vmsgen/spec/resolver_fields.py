"""The steps of a definition: fields, lets, checks and groups, resolved in wire order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from vmsgen.diagnostics import Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec import syntax
from vmsgen.spec.declarations import CheckDecl, CheckText, EntryDecl, FieldDecl, GroupDecl, LetDecl
from vmsgen.spec.defaults import default_value
from vmsgen.spec.expression import Const, Expression, It
from vmsgen.spec.field_names import field_name, free_name, is_pad
from vmsgen.spec.field_types import FieldTypes
from vmsgen.spec.gates import Gate, Gates, Surroundings, both
from vmsgen.spec.model import Check, CheckStep, Field, Group, Let, Step
from vmsgen.spec.names import asn1_field_name
from vmsgen.spec.place import Place
from vmsgen.spec.scope import Failed, Scope, Symbol, Typed
from vmsgen.spec.typer import Expressions
from vmsgen.spec.types import Types
from vmsgen.spec.values import value_type, why_none
from vmsgen.spec.wire_types import Array, Bytes, Fixed, Grid, ListOf, Order, Pad, WireType

#: Bytes or pads up to this size need no words about what they hold.
OPAQUE_ABOVE = 16


class Fields:
    """Walks the entries of a definition."""

    def __init__(self, reporter: Reporter, expressions: Expressions, types: Types, struct: Callable[..., str]) -> None:
        self.reporter = reporter
        self.expressions = expressions
        self.types = types
        self.gates = Gates(reporter, expressions)
        self.field_types = FieldTypes(reporter, expressions, types, struct)

    def walk(self, entries: tuple[EntryDecl, ...], scope: Scope, around: Surroundings, order: Order) -> list[Step]:
        """The steps of ``entries``; what cannot be resolved is reported and left out."""
        steps: list[Step] = []
        for entry in entries:
            try:
                match entry:
                    case FieldDecl():
                        step: Step | None = self._field(entry, scope, around, order)
                    case LetDecl():
                        step = self._let(entry, scope, around)
                    case CheckDecl():
                        subject = replace(around.place, subject=f"{scope.class_name}.check")
                        step = CheckStep(self._check(entry.check, subject))
                    case GroupDecl():
                        step = self._group(entry, scope, around, order)
            except Failed:
                continue
            if step is not None:
                steps.append(step)
        return steps

    def _group(self, entry: GroupDecl, scope: Scope, around: Surroundings, order: Order) -> Step | None:
        if entry.keyword == "tmp":
            return Group(None, tuple(self.walk(entry.entries, scope, around, order)), entry.span, entry.tmp)
        gate = Gate()
        if entry.number is not None:
            self.gates.version(entry.keyword, entry.number, entry.span, scope, around.place, gate)
        elif entry.condition is not None:
            self.gates.when(entry.condition, replace(around.place, subject=f"{scope.class_name}.when"), gate)
        inner = self.gates.behind(around, gate)
        steps = tuple(self.walk(entry.entries, scope, inner, order))
        return Group(both(gate.expressions), steps, entry.span)

    def _let(self, entry: LetDecl, scope: Scope, around: Surroundings) -> Step | None:
        symbol = Symbol(entry.name, "let", entry.name_span, origin=scope, presence=around.presence)
        symbol.guard = " and ".join(around.guard)
        found = None
        if entry.expression is not None:
            place = replace(around.place, subject=f"{scope.class_name}.{entry.name}")
            found = self.expressions.attempt(entry.expression, place)
        if found is not None:
            symbol.type = found.type
            if found.wire is not None:
                symbol.wire, symbol.origin, symbol.moved = found.wire, found.origin, found.moved
        scope.symbols.setdefault(entry.name, symbol)
        return Let(entry.name, found.expression, found.type, entry.span, doc=entry.doc) if found is not None else None

    def _check(self, check: CheckText, place: Place) -> Check:
        return Check(check.text, self.expressions.typed(check.expression, place, "bool").expression, check.span)

    def _field(self, entry: FieldDecl, scope: Scope, around: Surroundings, order: Order) -> Step | None:
        name = field_name(entry, scope) if not is_pad(entry) else free_name(field_name(entry, scope), scope)
        symbol = Symbol(name, "field", entry.span, origin=scope)
        line = entry.line
        if line is not None and line.clause("="):
            symbol.source = "derived"
        try:
            return self._typed_field(entry, name, symbol, scope, around, order)
        finally:
            # Also after a failure: what uses the name then fails without a report of its own.
            scope.symbols.setdefault(name, symbol)

    def _typed_field(
        self, entry: FieldDecl, name: str, symbol: Symbol, scope: Scope, around: Surroundings, order: Order
    ) -> Step | None:
        subject = f"{scope.class_name}.{name}"
        gate = self.gates.of_line(entry.line, replace(around.place, subject=subject), scope)
        here = self.gates.behind(around, gate)
        place = replace(here.place, subject=subject)
        wire = self.field_types.resolve(entry, name, place, order)
        symbol.wire = wire
        symbol.type = value_type(wire)
        symbol.why = why_none(wire) if symbol.type is None else None
        symbol.presence = here.presence
        symbol.guard = " and ".join(here.guard)
        derived = entry.line.clause("=") if entry.line is not None else None
        if derived is not None and derived.expr is not None:
            self._derive(name, derived.expr, derived.span, symbol, scope, place)
        since = entry.line.clause("since") if entry.line is not None else None
        until = entry.line.clause("until") if entry.line is not None else None
        return Field(
            name=name,
            asn1_name=asn1_field_name(name),
            wire_names=entry.wire_names,
            type=wire,
            span=entry.span,
            presence=both(list(here.conditions)),
            condition=both(gate.expressions),
            never=here.never,
            since=since.number if since is not None else None,
            until=until.number if until is not None else None,
            at=self._at(entry.line, scope, place),
            check=self._field_check(entry, symbol, place),
            default=default_value(entry.default, wire, self.reporter) if entry.default is not None else None,
            unit=entry.unit,
            doc=entry.doc,
            was=tuple(scalar.text for scalar in entry.was),
            ignore=entry.ignore,
            stability=entry.stability,
            opaque=entry.doc is None and is_opaque(wire),
        )

    def _at(self, line: syntax.FieldLine | None, scope: Scope, place: Place) -> Expression | None:
        """Where a part of a view stands in the bytes."""
        clause = line.clause("at") if line is not None else None
        if clause is None or clause.expr is None:
            return None
        self.expressions.names.looking("at", clause.span, scope)
        offset = self.expressions.typed(clause.expr, place, "int").expression
        if isinstance(offset, Const) and int(offset.value) < 0:  # type: ignore[arg-type]
            self.reporter.error("spec/value", f"an offset cannot be {offset.value}", offset.span)
        return offset

    def _field_check(self, entry: FieldDecl, symbol: Symbol, place: Place) -> Check | None:
        if entry.check is None:
            return None
        if symbol.type is None:
            self.reporter.error("expr/type", f"nothing can be checked here: {symbol.why}", entry.check.span)
            return None
        it = Typed(It(symbol.type, entry.check.span), symbol.wire, symbol.origin)
        try:
            return self._check(entry.check, replace(place, it=it, mine=True))
        except Failed:
            return None

    def _derive(self, name: str, expr: syntax.Expr, span: Span, symbol: Symbol, scope: Scope, place: Place) -> None:
        if symbol.type not in ("int", "bool", "text", "bytes") or isinstance(symbol.wire, Pad):
            self.reporter.error("expr/type", "only integers, bools, texts and bytes can be derived", span)
            raise Failed

        def derive() -> None:
            # Looks forward: it is computed when the whole value exists. Its own conditions still hold.
            found = self.expressions.resolve(expr, replace(place, forward=True), symbol.type)
            if found is not None:
                scope.derived[name] = (found, False)

        scope.deferred.append(derive)


# ---------------------------------------------------------------------------------------------- small questions


def is_opaque(wire: WireType) -> bool:
    """Whether a type holds more than a few bytes that no type describes."""
    if isinstance(wire, (Array, Grid, ListOf)):
        return is_opaque(wire.element)
    if not isinstance(wire, (Bytes, Pad)) or (isinstance(wire, Bytes) and wire.view is not None):
        return False
    count = wire.count
    if isinstance(count, Fixed) and isinstance(count.value, Const):
        return int(count.value.value) > OPAQUE_ABOVE  # type: ignore[arg-type]
    return True
