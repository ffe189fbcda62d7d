"""What a spec says, before any name is looked up: expressions, types and field lines as written.

The parsers (:mod:`vmsgen.spec.expression_parser`, :mod:`vmsgen.spec.field_line`) make these from the source slice of
a YAML scalar, every node with its own span; the resolver turns them into the typed forms of :mod:`vmsgen.spec.model`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from vmsgen.diagnostics import Span

# ---------------------------------------------------------------------------------------------- expressions


@dataclass(frozen=True, slots=True)
class IntLiteral:
    value: int
    span: Span


@dataclass(frozen=True, slots=True)
class BoolLiteral:
    value: bool
    span: Span


@dataclass(frozen=True, slots=True)
class TextLiteral:
    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class ReleaseLiteral:
    """``8.2`` or ``10.0.1``."""

    value: tuple[int, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class UnknownLiteral:
    span: Span


@dataclass(frozen=True, slots=True)
class NameExpr:
    """A bare name, or the head of a dotted one: a field, let, parameter, constant, ``it``, ``mine``, ``version`` ..."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class MemberExpr:
    """``base.name``: a member of a struct, ``Enum.member``, ``props.x``, ``target.arch`` ..."""

    base: Expr
    name: str
    name_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class IndexExpr:
    base: Expr
    index: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class CallExpr:
    function: str
    arguments: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class UnaryExpr:
    """``-``, ``~`` or ``not``."""

    operator: str
    operand: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class BinaryExpr:
    """``+ - * // % << >> & ^ |`` or ``and`` / ``or``."""

    operator: str
    left: Expr
    right: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class CompareExpr:
    """A chain as in Python: ``3 <= n <= 32`` has two operators and three operands."""

    operands: tuple[Expr, ...]
    operators: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class InRangeExpr:
    """``value in low..high`` (both ends belong to it)."""

    value: Expr
    low: Expr
    high: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class InSetExpr:
    """``value in (1, 2)``."""

    value: Expr
    items: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class InNameExpr:
    """``value in WRITE_COMMANDS``: a list constant."""

    value: Expr
    name: str
    name_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class ConditionalExpr:
    """``then if test else other``."""

    test: Expr
    then: Expr
    other: Expr
    span: Span


Expr: TypeAlias = (
    IntLiteral
    | BoolLiteral
    | TextLiteral
    | ReleaseLiteral
    | UnknownLiteral
    | NameExpr
    | MemberExpr
    | IndexExpr
    | CallExpr
    | UnaryExpr
    | BinaryExpr
    | CompareExpr
    | InRangeExpr
    | InSetExpr
    | InNameExpr
    | ConditionalExpr
)

# ---------------------------------------------------------------------------------------------- types


@dataclass(frozen=True, slots=True)
class ExprDim:
    """``[n]``: one expression, or several for rows and columns."""

    sizes: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class PrefixDim:
    """``[uint32]``: the count stands before the part."""

    int_type: str
    span: Span


@dataclass(frozen=True, slots=True)
class UntilDim:
    """``[until uint32 0]``."""

    int_type: str
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class ThroughDim:
    """``[through it.kind == 1]``."""

    condition: Expr
    span: Span


Dim: TypeAlias = ExprDim | PrefixDim | UntilDim | ThroughDim


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a parametrised struct; ``name`` is None when it was given by position."""

    name: str | None
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class NamedType:
    """A built-in without brackets of its own, an alias, or a struct: ``uint32``, ``Mac``, ``MsixState(vectors)``.

    ``arguments`` is None when there are no parentheses. ``uint(expr)``, ``union(expr)`` and ``hook(name)`` come as
    NamedType with one positional argument.
    """

    name: str
    arguments: tuple[Argument, ...] | None
    span: Span


@dataclass(frozen=True, slots=True)
class SizedType:
    """``bytes[..]``, ``string[..]``, ``pad[..]``, ``bitmap[..]``: the first bracket belongs to the type."""

    name: str
    size: Dim
    span: Span


@dataclass(frozen=True, slots=True)
class ListType:
    element: TypeExpr
    span: Span


@dataclass(frozen=True, slots=True)
class TreeType:
    key: TypeExpr
    value: TypeExpr
    span: Span


@dataclass(frozen=True, slots=True)
class ArrayType:
    element: TypeExpr
    dim: Dim
    span: Span


@dataclass(frozen=True, slots=True)
class NullableType:
    element: TypeExpr
    span: Span


TypeExpr: TypeAlias = NamedType | SizedType | ListType | TreeType | ArrayType | NullableType

# ---------------------------------------------------------------------------------------------- field lines


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of a field line. Which of the values is set follows from ``keyword``:

    ``little-endian big-endian host-endian`` none; ``as`` name; ``=``, ``at`` and ``when`` expr; ``at-version since
    until`` number.
    """

    keyword: str
    span: Span
    name: str | None = None
    number: int | None = None
    expr: Expr | None = None


@dataclass(frozen=True, slots=True)
class FieldLine:
    """``type { clause }``, each clause at most once."""

    type: TypeExpr
    clauses: tuple[Clause, ...]
    span: Span

    def clause(self, keyword: str) -> Clause | None:
        """The clause with this keyword, or None."""
        return next((c for c in self.clauses if c.keyword == keyword), None)
