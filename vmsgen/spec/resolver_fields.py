"""The steps of a definition: fields, lets, checks and groups, resolved in wire order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from vmsgen.diagnostics import Note, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec import syntax
from vmsgen.spec.declarations import CheckDecl, CheckText, EntryDecl, FieldDecl, GroupDecl, LetDecl
from vmsgen.spec.defaults import default_value
from vmsgen.spec.expression import Binary, Compare, Const, Expression, It
from vmsgen.spec.facts import FALSE, Key, bounds, conjuncts
from vmsgen.spec.model import (
    Array,
    Bytes,
    Check,
    CheckStep,
    Field,
    Fixed,
    Grid,
    Group,
    Int,
    Labels,
    Let,
    ListOf,
    Nullable,
    Order,
    Pad,
    SizedInt,
    Step,
    StructRef,
    WireType,
)
from vmsgen.spec.names import asn1_field_name, python_name
from vmsgen.spec.place import Place, source_text
from vmsgen.spec.scope import Failed, Scope, Symbol, Typed
from vmsgen.spec.typer import Expressions
from vmsgen.spec.types import TypePlace, Types, has_order, limits
from vmsgen.spec.values import value_type, why_none

#: Bytes or pads up to this size need no words about what they hold.
OPAQUE_ABOVE = 16


@dataclass(frozen=True)
class Surroundings:
    """What the groups around an entry say: their facts, their conditions, and those as written."""

    place: Place
    conditions: tuple[Expression, ...] = ()
    presence: tuple[Key, ...] = ()
    guard: tuple[str, ...] = ()
    never: bool = False


@dataclass
class Gate:
    """The conditions of one entry itself."""

    expressions: list[Expression] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    never: bool = False


class Fields:
    """Walks the entries of a definition."""

    def __init__(self, reporter: Reporter, expressions: Expressions, types: Types, struct: Callable[..., str]) -> None:
        self.reporter = reporter
        self.expressions = expressions
        self.types = types
        #: the definition that a `view:` names, by module and scalar
        self.struct = struct

    # ------------------------------------------------------------------------------------------ names first

    def declare(self, entries: tuple[EntryDecl, ...], scope: Scope) -> None:
        """Put every name of a definition into ``scope.declared``; two alike are an error."""
        for entry in entries:
            match entry:
                case GroupDecl():
                    self.declare(entry.entries, scope)
                case LetDecl():
                    self._declare(entry.name, f"let {entry.name}", entry.name_span, scope)
                case FieldDecl() if not is_pad(entry):
                    name = field_name(entry, scope)
                    self._declare(name, entry.key.text, entry.span, scope)

    def names_of(self, entries: tuple[EntryDecl, ...], scope: Scope) -> dict[str, Span]:
        """The names that entries give their definition, with their places."""
        found: dict[str, Span] = {}
        for entry in entries:
            match entry:
                case GroupDecl():
                    found.update(self.names_of(entry.entries, scope))
                case LetDecl():
                    found[entry.name] = entry.name_span
                case FieldDecl() if not is_pad(entry):
                    found[field_name(entry, scope)] = entry.span
        return found

    def _declare(self, name: str, shown: str, span: Span, scope: Scope) -> None:
        if name in scope.symbols and scope.symbols[name].source == "param":
            self.reporter.error(
                "name/shadow",
                f"`{shown}` is called `{name}` like a parameter",
                span,
                help="give it another name with `as:`",
                notes=[Note("the parameter", scope.symbols[name].span)],
            )
        elif name in scope.declared:
            self.reporter.error(
                "name/collision",
                f"`{shown}` and another entry of {scope.class_name} are both called `{name}`",
                span,
                help="give one of them another name with `as:`",
                notes=[Note("the other one", scope.declared[name])],
            )
        else:
            scope.declared[name] = span

    # ------------------------------------------------------------------------------------------ entries

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
            self._version(entry.keyword, entry.number, entry.span, scope, around.place, gate)
        elif entry.condition is not None:
            self._when(entry.condition, replace(around.place, subject=f"{scope.class_name}.when"), gate)
        inner = self._behind(around, gate)
        steps = tuple(self.walk(entry.entries, scope, inner, order))
        return Group(both(gate.expressions), steps, entry.span)

    def _behind(self, around: Surroundings, gate: Gate) -> Surroundings:
        """What holds for an entry with these conditions of its own."""
        keys = [k for expression in gate.expressions for k in conjuncts(expression, around.place.namer)]
        if gate.never:
            keys.append(FALSE)
        return Surroundings(
            around.place.knowing(keys),
            (*around.conditions, *gate.expressions),
            (*around.presence, *keys),
            (*around.guard, *gate.texts),
            around.never or gate.never,
        )

    def _version(self, keyword: str, number: int, span: Span, scope: Scope, place: Place, gate: Gate) -> None:
        version = self.expressions.names.version(span, place).expression
        operator = ">=" if keyword == "since" else "<="
        gate.texts.append(f"{keyword} {number}")
        owner = scope.versioned
        known = place.facts | {k for one in gate.expressions for k in conjuncts(one, place.namer)}
        low, high = bounds(known, ("version", owner.id))
        if number > high if keyword == "since" else number < low:
            if keyword == "since":
                limit = f"version {owner.version}" if number > owner.version else f"`until {high}` around it"
            else:
                limit = f"minimum version {owner.minimum}" if number < owner.minimum else f"`since {low}` around it"
            self.reporter.error(
                "cond/version", f"`{keyword} {number}` can never be: {owner.class_name} has {limit}", span
            )
            raise Failed
        if number <= low if keyword == "since" else number >= high:
            self.reporter.warning(
                "expr/constant",
                f"`{keyword} {number}` is always true: {owner.class_name} has versions {low} to {high} here",
                span,
            )
        gate.expressions.append(Compare((version, Const(number, "int", span)), (operator,), span))

    def _when(self, condition: syntax.Expr, place: Place, gate: Gate) -> None:
        found = self.expressions.typed(condition, place, "bool").expression
        gate.texts.append(f"when {source_text(condition.span)}")
        if isinstance(found, Const):
            written = isinstance(condition, syntax.BoolLiteral) and condition.value is False
            if not written:
                self.reporter.warning(
                    "expr/constant", f"the condition is always {str(found.value).lower()}", condition.span
                )
            gate.never = gate.never or found.value is False
            return
        gate.expressions.append(found)

    def _let(self, entry: LetDecl, scope: Scope, around: Surroundings) -> Step | None:
        symbol = Symbol(entry.name, "let", entry.name_span, origin=scope, presence=around.presence)
        symbol.guard = " and ".join(around.guard)
        found = None
        if entry.expression is not None:
            place = replace(around.place, subject=f"{scope.class_name}.{entry.name}")
            found = self.expressions.attempt(entry.expression, place)
        if found is not None:
            symbol.type, symbol.wire, symbol.origin, symbol.moved = found.type, found.wire, found.origin, found.moved
        scope.symbols.setdefault(entry.name, symbol)
        return Let(entry.name, found.expression, found.type, entry.span, doc=entry.doc) if found is not None else None

    def _check(self, check: CheckText, place: Place) -> Check:
        return Check(check.text, self.expressions.typed(check.expression, place, "bool").expression, check.span)

    # ------------------------------------------------------------------------------------------ fields

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
        gate = self._gate(entry.line, replace(around.place, subject=subject), scope)
        here = self._behind(around, gate)
        place = replace(here.place, subject=subject)
        wire = self._wire(entry, name, place, order)
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
            check=self._field_check(entry, symbol, place),
            default=default_value(entry.default, wire, self.reporter) if entry.default is not None else None,
            unit=entry.unit,
            doc=entry.doc,
            was=tuple(scalar.text for scalar in entry.was),
            ignore=entry.ignore,
            stability=entry.stability,
            opaque=entry.doc is None and is_opaque(wire),
        )

    def _gate(self, line: syntax.FieldLine | None, place: Place, scope: Scope) -> Gate:
        gate = Gate()
        for keyword in ("since", "until"):
            clause = line.clause(keyword) if line is not None else None
            if clause is not None and clause.number is not None:
                self._version(keyword, clause.number, clause.span, scope, place, gate)
        when = line.clause("when") if line is not None else None
        if when is not None and when.expr is not None:
            keys = [k for expression in gate.expressions for k in conjuncts(expression, place.namer)]
            self._when(when.expr, place.knowing(keys), gate)
        return gate

    def _wire(self, entry: FieldDecl, name: str, place: Place, order: Order) -> WireType:
        if entry.broken:
            raise Failed
        line = entry.line
        if line is None:
            return self.types.anonymous(TypePlace(place, order, entry, name), entry.span)
        clause = next((c for c in line.clauses if c.keyword.endswith("-endian")), None)
        if clause is not None:
            order = {"big-endian": "big", "little-endian": "little", "host-endian": "host"}[clause.keyword]  # type: ignore[assignment]
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
            self.expressions.names.no_labels(clause.name, clause.span, place)
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
        scope = self.expressions.names.open_scope(ref.definition)
        if not scope.minimum <= number <= scope.version:
            self.reporter.error(
                "cond/version",
                f"`at-version {number}` can never be: {scope.class_name} has versions {scope.minimum} to {scope.version}",
                span,
            )
        return replace(ref, at_version=number)

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


def is_pad(entry: FieldDecl) -> bool:
    """Whether a field has no attribute, so that its name need not be unique."""
    line = entry.line
    return (
        line is not None
        and isinstance(line.type, syntax.SizedType)
        and line.type.name == "pad"
        and entry.as_name is None
    )


def field_name(entry: FieldDecl, scope: Scope) -> str:
    """The Python name of a field."""
    return python_name(entry.as_name.text) if entry.as_name is not None else scope.python_name(entry.key.text)


def free_name(name: str, scope: Scope) -> str:
    """``name``, or the first of ``name_2``, ``name_3`` ... that nothing in the definition has."""
    taken = scope.declared.keys() | scope.symbols.keys()
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def both(conditions: list[Expression]) -> Expression | None:
    """The conjunction of conditions, None for none."""
    found: Expression | None = None
    for condition in conditions:
        found = condition if found is None else Binary("and", found, condition, "bool", condition.span)
    return found


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
