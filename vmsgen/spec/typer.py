"""Expressions with their names looked up and their types checked.

:meth:`Expressions.resolve` turns the parsed form into the typed form of :mod:`vmsgen.spec.expression`; constants are
folded on the way. The first mistake of an expression is reported, then it is given up.
"""

from __future__ import annotations

from collections.abc import Callable

from vmsgen.diagnostics import Note, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec import syntax
from vmsgen.spec.expression import (
    Binary,
    Compare,
    Conditional,
    Const,
    Expression,
    Index,
    InRange,
    InSet,
    Unary,
    Unknown,
    ValueType,
)
from vmsgen.spec.facts import conjuncts, denied
from vmsgen.spec.folding import NotComputable, arithmetic, compare
from vmsgen.spec.place import Place, source_text
from vmsgen.spec.scope import Failed, Scope, Typed
from vmsgen.spec.typer_functions import Functions
from vmsgen.spec.typer_names import Names
from vmsgen.spec.values import ARTICLES, element_of

_ELEMENT_TYPES: dict[ValueType, ValueType] = {
    "bytes": "int",
    "ints": "int",
    "bools": "bool",
    "texts": "text",
    "structs": "struct",
}
_ORDERED = ("int", "release")


class Expressions:
    """Resolves expressions. ``open_scope`` gives the scope of a definition, resolved as far as it can be."""

    def __init__(
        self, reporter: Reporter, open_scope: Callable[[str], Scope], hints: Callable[[str], str | None]
    ) -> None:
        self.reporter = reporter
        self.names = Names(reporter, open_scope, hints)
        self.functions = Functions(self)

    # ------------------------------------------------------------------------------------------ entry points

    def resolve(self, expr: syntax.Expr, place: Place, wanted: ValueType | None = None) -> Expression | None:
        """The typed expression, of type ``wanted`` if that is given; None after a report."""
        found = self.attempt(expr, place, wanted)
        return found.expression if found is not None else None

    def attempt(self, expr: syntax.Expr, place: Place, wanted: ValueType | None = None) -> Typed | None:
        """As :meth:`resolve`, with what is known of a struct-valued result."""
        try:
            return self.typed(expr, place, wanted)
        except Failed:
            return None

    def typed(self, expr: syntax.Expr, place: Place, wanted: ValueType | None = None) -> Typed:
        """The typed expression; raises :class:`Failed` after a report."""
        found = self._dispatch(expr, place, wanted)
        if wanted is not None and found.type != wanted:
            found = self._converted(found, wanted)
        return found

    def fail(
        self, rule: str, message: str, span: Span, help: str | None = None, notes: tuple[Note, ...] = ()
    ) -> Failed:
        """Report an error; the exception to raise, which gives the expression up."""
        self.reporter.error(rule, message, span, help=help, notes=notes)
        return Failed()

    def _converted(self, found: Typed, wanted: ValueType) -> Typed:
        constant = found.expression
        if wanted == "endian" and isinstance(constant, Const) and constant.value in ("big", "little"):
            return Typed(Const(constant.value, "endian", constant.span))
        text = source_text(found.span)
        help = None
        if wanted == "bool" and found.type == "int":
            help = f"write `{text} != 0`"
        elif wanted == "bool" and found.type in ("bytes", "text", "ints", "structs", "bools", "texts", "list"):
            help = f"write `len({text}) != 0`"
        elif wanted == "release" and found.type == "int":
            help = f"a release is written `{text}.0`"
        elif wanted == "int" and found.type == "bool":
            help = f"write `1 if {text} else 0`"
        raise self.fail("expr/type", f"`{text}` is {ARTICLES[found.type]}, not {ARTICLES[wanted]}", found.span, help)

    # ------------------------------------------------------------------------------------------ forms

    def _dispatch(self, expr: syntax.Expr, place: Place, wanted: ValueType | None) -> Typed:
        match expr:
            case syntax.IntLiteral():
                return Typed(Const(expr.value, "int", expr.span))
            case syntax.BoolLiteral():
                return Typed(Const(expr.value, "bool", expr.span))
            case syntax.TextLiteral():
                return Typed(Const(expr.value, "text", expr.span))
            case syntax.ReleaseLiteral():
                return Typed(Const(expr.value, "release", expr.span))
            case syntax.UnknownLiteral():
                if place.reach == "constant":
                    raise self.fail("expr/type", "`unknown` is no constant", expr.span)
                self.reporter.note("unknown/open", f"an open question, asked as `{place.subject}`", expr.span)
                return Typed(Unknown(place.subject, wanted or "int", expr.span))
            case syntax.NameExpr():
                return self.names.bare(expr.name, expr.span, place)
            case syntax.MemberExpr():
                return self._member(expr, place)
            case syntax.IndexExpr():
                return self._index(expr, place)
            case syntax.CallExpr():
                return self.functions.call(expr, place)
            case syntax.UnaryExpr():
                return self._unary(expr, place)
            case syntax.BinaryExpr(operator="and" | "or"):
                return self._logical(expr, place)
            case syntax.BinaryExpr():
                return self._arithmetic(expr, place)
            case syntax.CompareExpr():
                return self._compare(expr, place)
            case syntax.InRangeExpr():
                return self._in_range(expr, place)
            case syntax.InSetExpr() | syntax.InNameExpr():
                return self._in_set(expr, place)
            case syntax.ConditionalExpr():
                return self._conditional(expr, place, wanted)

    def _member(self, expr: syntax.MemberExpr, place: Place) -> Typed:
        found = self.names.dotted(expr, place)
        if found is not None:
            return found
        return self.names.members.member(
            self.typed(expr.base, place.taking()), expr.name, expr.name_span, expr.span, place
        )

    def _index(self, expr: syntax.IndexExpr, place: Place) -> Typed:
        self.names.mistakes.wire_spelling(expr, place)
        base = self.typed(expr.base, place.taking())
        index = self.typed(expr.index, place, "int")
        wire = element_of(base.wire)
        kind = _ELEMENT_TYPES.get(base.type)
        if kind is None and base.type == "list" and wire is not None:
            kind = self.names.value_type(wire)
        if kind is None:
            raise self.fail(
                "expr/type",
                f"`{source_text(base.span)}` is {ARTICLES[base.type]}: it has no elements to index",
                base.span,
            )
        return Typed(Index(base.expression, index.expression, kind, expr.span), wire, base.origin, base.moved)

    def _unary(self, expr: syntax.UnaryExpr, place: Place) -> Typed:
        if expr.operator == "not":
            operand = self.typed(expr.operand, place, "bool").expression
            if isinstance(operand, Const):
                return Typed(Const(not operand.value, "bool", expr.span))
            return Typed(Unary("not", operand, "bool", expr.span))
        operand = self.typed(expr.operand, place, "int").expression
        if isinstance(operand, Const) and isinstance(operand.value, int):
            return Typed(Const(-operand.value if expr.operator == "-" else ~operand.value, "int", expr.span))
        return Typed(Unary("-" if expr.operator == "-" else "~", operand, "int", expr.span))

    def _logical(self, expr: syntax.BinaryExpr, place: Place) -> Typed:
        left = self.typed(expr.left, place, "bool").expression
        # The right side is looked at only where the left one leaves it open, so that may be taken as known there.
        known = conjuncts(left, place.namer) if expr.operator == "and" else denied(left, place.namer)
        right = self.typed(expr.right, place.knowing(known), "bool").expression
        if isinstance(left, Const):
            decided = left.value is (expr.operator == "or")
            return Typed(Const(left.value, "bool", expr.span)) if decided else Typed(right)
        return Typed(Binary(expr.operator, left, right, "bool", expr.span))

    def _arithmetic(self, expr: syntax.BinaryExpr, place: Place) -> Typed:
        left = self.typed(expr.left, place, "int").expression
        right = self.typed(expr.right, place, "int").expression
        if isinstance(left, Const) and isinstance(right, Const):
            try:
                value = arithmetic(expr.operator, int(left.value), int(right.value))  # type: ignore[arg-type]
            except NotComputable as problem:
                raise self.fail(problem.rule, str(problem), expr.span) from None
            return Typed(Const(value, "int", expr.span))
        return Typed(Binary(expr.operator, left, right, "int", expr.span))

    def _compare(self, expr: syntax.CompareExpr, place: Place) -> Typed:
        operands = self._alike(expr.operands, place)
        for operator, operand in zip(expr.operators, operands, strict=False):
            if operator not in ("==", "!=") and operand.type not in _ORDERED:
                raise self.fail(
                    "expr/type", f"`{operator}` needs ints or releases; this is {ARTICLES[operand.type]}", operand.span
                )
        values = [operand.value for operand in operands if isinstance(operand, Const)]
        if len(values) == len(operands):
            pairs = zip(expr.operators, values, values[1:], strict=False)
            return Typed(Const(all(compare(o, a, b) for o, a, b in pairs), "bool", expr.span))
        return Typed(Compare(tuple(operands), expr.operators, expr.span))

    def _alike(self, exprs: tuple[syntax.Expr, ...], place: Place) -> list[Expression]:
        """Operands of one type; ``unknown`` takes that of the others."""
        decisive = next((e for e in exprs if not isinstance(e, (syntax.UnknownLiteral, syntax.TextLiteral))), exprs[0])
        first = self.typed(decisive, place)
        if first.type not in ("int", "bool", "text", "bytes", "release", "endian"):
            raise self.fail(
                "expr/type", f"`{source_text(first.span)}` is {ARTICLES[first.type]}: it cannot be compared", first.span
            )
        wanted = first.type
        found: list[Expression] = []
        for expr in exprs:
            one = (
                first
                if expr is decisive
                else self.typed(expr, place, None if isinstance(expr, syntax.NameExpr) else wanted)
            )
            if one.type != wanted:
                if one.type == "release" and wanted == "int":
                    text = source_text(first.span)
                    raise self.fail(
                        "expr/type",
                        f"`{text}` is an int, not a release",
                        first.span,
                        f"a release is written `{text}.0`",
                    )
                one = self._converted(one, wanted)
            found.append(one.expression)
        return found

    def _in_range(self, expr: syntax.InRangeExpr, place: Place) -> Typed:
        value, low, high = self._alike((expr.value, expr.low, expr.high), place)
        if value.type not in _ORDERED:
            raise self.fail(
                "expr/type", f"a range needs an int or a release; this is {ARTICLES[value.type]}", value.span
            )
        if isinstance(low, Const) and isinstance(high, Const) and compare("<", high.value, low.value):
            raise self.fail(
                "check/impossible",
                f"nothing is in {source_text(expr.low.span)}..{source_text(expr.high.span)}",
                expr.span,
                "the lower end comes first",
            )
        if isinstance(value, Const) and isinstance(low, Const) and isinstance(high, Const):
            inside = compare("<=", low.value, value.value) and compare("<=", value.value, high.value)
            return Typed(Const(inside, "bool", expr.span))
        return Typed(InRange(value, low, high, expr.span))

    def _in_set(self, expr: syntax.InSetExpr | syntax.InNameExpr, place: Place) -> Typed:
        if isinstance(expr, syntax.InSetExpr):
            value, *items = self._alike((expr.value, *expr.items), place)
        else:
            constant = self.names.list_constant(expr.name, expr.name_span, place)
            value = self.typed(
                expr.value, place, "text" if constant and isinstance(constant[0], str) else "int"
            ).expression
            kind = value.type
            items = [Const(item, kind, expr.name_span) for item in constant]
        if isinstance(value, Const) and all(isinstance(item, Const) for item in items):
            return Typed(
                Const(any(value.value == item.value for item in items if isinstance(item, Const)), "bool", expr.span)
            )
        return Typed(InSet(value, tuple(items), expr.span))

    def _conditional(self, expr: syntax.ConditionalExpr, place: Place, wanted: ValueType | None) -> Typed:
        test = self.typed(expr.test, place, "bool").expression
        then_place = place.knowing(conjuncts(test, place.namer))
        other_place = place.knowing(denied(test, place.namer))
        unknown = isinstance(expr.then, syntax.UnknownLiteral)
        if unknown:
            other = self.typed(expr.other, other_place, wanted)
            then = self.typed(expr.then, then_place, other.type)
        else:
            then = self.typed(expr.then, then_place, wanted)
            other = self.typed(expr.other, other_place, then.type)
        if then.type == "struct":
            raise self.fail("expr/type", "a struct cannot be chosen by `if`; choose one of its members", expr.span)
        if isinstance(test, Const):
            return then if test.value else other
        return Typed(Conditional(test, then.expression, other.expression, then.type, expr.span))
