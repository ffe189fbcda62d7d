"""The closed set of functions that expressions have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vmsgen.diagnostics.suggest import did_you_mean
from vmsgen.spec import syntax
from vmsgen.spec.expression import Call, Const, Index, Member, ValueType
from vmsgen.spec.folding import NotComputable, call
from vmsgen.spec.place import Place, source_text
from vmsgen.spec.scope import Typed
from vmsgen.spec.values import ARTICLES, element_of

if TYPE_CHECKING:
    from vmsgen.spec.typer import Expressions

#: Functions over ints and bytes: the types of their arguments; all give an int. ``min`` and ``max`` take more.
SIGNATURES: dict[str, tuple[ValueType, ...]] = {
    "min": ("int", "int"),
    "max": ("int", "int"),
    "align": ("int", "int"),
    "le16": ("bytes", "int"),
    "le32": ("bytes", "int"),
    "le64": ("bytes", "int"),
    "be16": ("bytes", "int"),
    "be32": ("bytes", "int"),
    "be64": ("bytes", "int"),
    "pci_capability": ("bytes", "int"),
}
FUNCTIONS = (*SIGNATURES, "len", "has", "sum")


class Functions:
    """Checks calls and gives them their types."""

    def __init__(self, expressions: Expressions) -> None:
        self.expressions = expressions

    def call(self, expr: syntax.CallExpr, place: Place) -> Typed:
        """A call. Raises :class:`~vmsgen.spec.scope.Failed` after a report."""
        match expr.function:
            case "len":
                return self._len(expr, place)
            case "has":
                return self._has(expr, place)
            case "sum":
                return self._sum(expr, place)
        if expr.function not in SIGNATURES:
            near = did_you_mean(expr.function, FUNCTIONS)
            raise self.expressions.fail(
                "name/unknown",
                f"there is no function `{expr.function}`",
                expr.span,
                f"did you mean `{near}`?" if near else f"functions are {', '.join(sorted(FUNCTIONS))}",
            )
        signature = SIGNATURES[expr.function]
        if expr.function in ("min", "max"):
            signature += signature[:1] * (len(expr.arguments) - 2)
        self._count(expr, len(signature))
        arguments = tuple(
            self.expressions.typed(a, place, t).expression for a, t in zip(expr.arguments, signature, strict=True)
        )
        values = [argument.value for argument in arguments if isinstance(argument, Const)]
        if len(values) == len(arguments):
            try:
                value = call(expr.function, values)
            except NotComputable as problem:
                raise self.expressions.fail("spec/value", str(problem), expr.span) from None
            if value is not None:
                return Typed(Const(value, "int", expr.span))
        return Typed(Call(expr.function, arguments, "int", expr.span))

    def _count(self, expr: syntax.CallExpr, wanted: int) -> None:
        if len(expr.arguments) != wanted:
            noun = "argument" if wanted == 1 else "arguments"
            raise self.expressions.fail(
                "expr/type", f"`{expr.function}` takes {wanted} {noun}, not {len(expr.arguments)}", expr.span
            )

    def _len(self, expr: syntax.CallExpr, place: Place) -> Typed:
        self._count(expr, 1)
        found = self.expressions.typed(expr.arguments[0], place)
        if found.type not in ("bytes", "text", "ints", "bools", "texts", "structs", "list"):
            raise self.expressions.fail(
                "expr/type", f"`{source_text(found.span)}` is {ARTICLES[found.type]}: it has no length", found.span
            )
        return Typed(Call("len", (found.expression,), "int", expr.span))

    def _has(self, expr: syntax.CallExpr, place: Place) -> Typed:
        self._count(expr, 1)
        argument = expr.arguments[0]
        if not isinstance(argument, (syntax.NameExpr, syntax.MemberExpr)):
            raise self.expressions.fail("expr/type", "`has` asks for a field by its name", argument.span)
        found = self.expressions.typed(argument, replace(place, probing=True))
        return Typed(Call("has", (found.expression,), "bool", expr.span))

    def _sum(self, expr: syntax.CallExpr, place: Place) -> Typed:
        self._count(expr, 1)
        argument = expr.arguments[0]
        if not isinstance(argument, syntax.MemberExpr):
            raise self.expressions.fail(
                "expr/type", "`sum` adds up one field over an array: `sum(list.field)`", argument.span
            )
        base = self.expressions.typed(argument.base, place)
        element = element_of(base.wire)
        if base.type != "structs" or element is None:
            raise self.expressions.fail(
                "expr/type", f"`{source_text(base.span)}` is {ARTICLES[base.type]}, not an array of structs", base.span
            )
        zero = Const(0, "int", base.span)
        one = Typed(Index(base.expression, zero, "struct", base.span), element, base.origin, base.moved)
        member = self.expressions.names.members.member(one, argument.name, argument.name_span, argument.span, place)
        if member.type != "int":
            raise self.expressions.fail(
                "expr/type", f"`{source_text(argument.span)}` is {ARTICLES[member.type]}, not an int", argument.span
            )
        return Typed(Call("sum", (Member(base.expression, argument.name, "int", argument.span),), "int", expr.span))
