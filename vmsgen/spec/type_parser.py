"""Types (Types, Arrays and counts in docs/language.md).

Types name nothing here: whether ``Port`` is a struct is the resolver's question.
"""

from __future__ import annotations

import re

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.diagnostics.suggest import did_you_mean
from vmsgen.spec.expression_parser import Parser
from vmsgen.spec.lexer import SpecSyntaxError, Token, describe
from vmsgen.spec.nodes import Scalar
from vmsgen.spec.syntax import (
    Argument,
    ArrayType,
    Dim,
    Expr,
    ExprDim,
    ListType,
    NamedType,
    NullableType,
    PrefixDim,
    SizedType,
    ThroughDim,
    TreeType,
    TypeExpr,
    UntilDim,
)

INTEGER_TYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_INTEGER_LIKE = re.compile(r"u?int[0-9]+\Z")
SIZED_TYPES = ("bytes", "string", "pad", "bitmap")

_RULE = "type/syntax"


def parse_type(scalar: Scalar, reporter: Reporter) -> TypeExpr | None:
    """The type that ``scalar`` is (an alias, a case of a union), or None after one report."""
    try:
        parser = TypeParser(scalar, rule=_RULE)
        type_ = parser.type()
        parser.expect_end_of_type()
        return type_
    except SpecSyntaxError as error:
        error.report(reporter)
        return None


class TypeParser(Parser):
    """The parser of expressions with types around them."""

    def type(self) -> TypeExpr:
        """``base { "[" dims "]" | "?" }``"""
        self.enter()
        first = self.token
        result = self._base()
        while self.token.kind == "op" and self.token.text in ("[", "?"):
            if self.is_op("?"):
                if isinstance(result, NullableType):
                    raise self.error("`??`: NULL twice", self.token, rule="type/null", help="write one `?`")
                self.next()
                result = NullableType(result, self.span_from(first))
                continue
            opened = self.next()
            dim = self._dims(opened)
            if isinstance(result, ArrayType):
                raise self._double_bracket(first, opened, result, dim)
            result = ArrayType(result, dim, self.span_from(first))
        self.leave()
        return result

    def _base(self) -> TypeExpr:
        token = self.token
        if token.kind != "name":
            raise self.error(f"expected a type, found {describe(token)}", token)
        self.next()
        name = token.text
        if name in SIZED_TYPES:
            return self._sized(token)
        if name == "list":
            opened = self._parenthesis(token, "list(Element)")
            element = self.type()
            self.expect(")", opened)
            return ListType(element, self.span_from(token))
        if name == "tree":
            opened = self._parenthesis(token, "tree(Key, Value)")
            key = self.type()
            self.expect(",")
            value = self.type()
            self.expect(")", opened)
            return TreeType(key, value, self.span_from(token))
        if name in ("uint", "union", "hook"):
            example = {"uint": "uint(target.long_bits)", "union": "union(selector)", "hook": "hook(name)"}[name]
            opened = self._parenthesis(token, example)
            if name == "hook" and (self.token.kind != "name" or self.ahead().text != ")"):
                raise self.error(
                    "`hook` takes the name of its function", self.token, help="write `hook(parser)` for `visit_parser`"
                )
            value_start = self.token
            value_expr = self.expression()
            argument = Argument(None, value_expr, self.span_from(value_start))
            self.expect(")", opened)
            return NamedType(name, (argument,), self.span_from(token))
        if not self.is_op("("):
            return NamedType(name, None, self.span(token, token))
        return NamedType(name, self._arguments(), self.span_from(token))

    def _parenthesis(self, word: Token, example: str) -> Token:
        if self.is_op("("):
            return self.next()
        raise self.error(f"`{word.text}` needs parentheses", word, help=f"write `{example}`")

    def _arguments(self) -> tuple[Argument, ...]:
        opened = self.next()
        arguments: list[Argument] = []
        seen: set[str] = set()
        while not self.is_op(")") or arguments:
            start = self.token
            name: str | None = None
            if start.kind == "name" and self.ahead().kind == "op" and self.ahead().text == "=":
                name = start.text
                if name in seen:
                    raise self.error(f"the argument `{name}` stands twice", start, rule="type/arguments")
                seen.add(name)
                self.next()
                self.next()
            elif seen:
                raise self.error(
                    "an argument without a name behind one with a name",
                    start,
                    rule="type/arguments",
                    help="name this one, too",
                )
            value = self.expression()
            arguments.append(Argument(name, value, self.span_from(start)))
            if not self.accept(","):
                break
        self.expect(")", opened)
        return tuple(arguments)

    def _sized(self, token: Token) -> SizedType:
        name = token.text
        if not self.is_op("["):
            raise self.error(
                f"`{name}` needs its length",
                token,
                help=f"write `{name}[16]`, or `{name}[uint32]` for a length before it",
            )
        opened = self.next()
        dim = self._dims(opened)
        if isinstance(dim, (UntilDim, ThroughDim)):
            word = "until" if isinstance(dim, UntilDim) else "through"
            raise SpecSyntaxError(_RULE, f"`{name}` cannot end by `{word}`", dim.span, f"write `uint8[{word} ...]`")
        if isinstance(dim, ExprDim) and len(dim.sizes) > 1:
            raise SpecSyntaxError(
                _RULE, f"`{name}` has one length", dim.span, f"rows of `{name}` are `{name}[8][rows]`"
            )
        return SizedType(name, dim, self.span_from(token))

    # ------------------------------------------------------------------------------------------ dimensions

    def _dims(self, opened: Token) -> Dim:
        first = self.token
        if self.is_op("]"):
            raise self.error(
                "empty brackets",
                opened,
                help="write the number of elements, `[uint32]`, `[until uint32 0]` or `[through it.last]`",
            )
        dim: Dim
        if first.kind == "name" and first.text in INTEGER_TYPES:
            self.next()
            if not self.is_op("]"):
                raise self.error(
                    f"expected `]`, found {describe(self.token)}",
                    self.token,
                    help=f"`[{first.text}]` is a count that stands before the part",
                )
            dim = PrefixDim(first.text, self.span(first, first))
        elif first.kind == "name" and _INTEGER_LIKE.match(first.text) and self.ahead().text == "]":
            meant = did_you_mean(first.text, INTEGER_TYPES)
            raise self.error(
                f"there is no integer type `{first.text}`",
                first,
                rule="name/unknown-type",
                help=f"did you mean `{meant}`?" if meant else None,
            )
        elif first.kind == "name" and first.text in ("until", "through") and self._operand_follows():
            dim = self._until() if first.text == "until" else self._through()
        else:
            sizes: list[Expr] = [self.expression()]
            while self.accept(","):
                sizes.append(self.expression())
            dim = ExprDim(tuple(sizes), self.span_from(first))
        self.expect("]", opened)
        return dim

    def _operand_follows(self) -> bool:
        following = self.ahead()
        return following.kind in ("name", "int", "release", "text") or (
            following.kind == "op" and following.text in ("(", "-", "~", "!")
        )

    def _until(self) -> UntilDim:
        first = self.next()
        type_ = self.token
        if type_.kind != "name" or type_.text not in INTEGER_TYPES:
            meant = did_you_mean(type_.text, INTEGER_TYPES) if type_.kind == "name" else None
            raise self.error(
                f"`until` takes an integer type and a value, found {describe(type_)}",
                type_,
                help=f"did you mean `{meant}`?" if meant else "write `[until uint32 0]`",
            )
        self.next()
        if self.is_op("]"):
            raise self.error(
                "`until` needs the value that ends the part", type_, help=f"write `[until {type_.text} 0]`"
            )
        value = self.expression()
        return UntilDim(type_.text, value, self.span_from(first))

    def _through(self) -> ThroughDim:
        first = self.next()
        condition = self.expression()
        return ThroughDim(condition, self.span_from(first))

    def _double_bracket(self, first: Token, opened: Token, inner: ArrayType, dim: Dim) -> SpecSyntaxError:
        end = self.ahead(-1).end
        place = self.scalar.span_of(opened.start, end)
        help = "put the inner array into a struct of its own"
        if isinstance(inner.dim, ExprDim) and isinstance(dim, ExprDim):
            inside = self.scalar.text[first.start : opened.start].rstrip()
            outside = self.scalar.text[opened.start + 1 : end - 1].strip()
            written = f"{inside[:-1]}, {outside}]"
            if len(written) <= 60 and "\n" not in written:
                help = f"write `{written}`"
        return SpecSyntaxError("type/double-bracket", "an array of arrays", place, help)

    def expect_end_of_type(self) -> None:
        """Only a type may stand here."""
        if self.token.kind == "end":
            return
        token = self.token
        if (token.kind == "name" and token.text in ("as", "since", "until", "when")) or token.text == "=":
            raise self.error(f"only a type can stand here, `{token.text}` belongs to a field", token)
        raise self.error(f"expected the end of the type, found {describe(token)}", token)
