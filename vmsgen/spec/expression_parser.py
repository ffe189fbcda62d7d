"""Expressions (that heading of docs/language.md), by recursive descent.

Precedence and chaining are Python's. Operators of other languages have messages of their own; after one error the line
is given up. Depth is bounded for what is written and for the tree that comes out, so that no walk over it can overflow.
"""

from __future__ import annotations

from collections.abc import Callable

from vmsgen.diagnostics import Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.lexer import SpecSyntaxError, Token, describe
from vmsgen.spec.nodes import Scalar
from vmsgen.spec.syntax import (
    BinaryExpr,
    BoolLiteral,
    CallExpr,
    CompareExpr,
    ConditionalExpr,
    Expr,
    IndexExpr,
    InNameExpr,
    InRangeExpr,
    InSetExpr,
    IntLiteral,
    MemberExpr,
    NameExpr,
    ReleaseLiteral,
    TextLiteral,
    UnaryExpr,
    UnknownLiteral,
)
from vmsgen.spec.token_cursor import MAX_DEPTH, Cursor

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")

#: Binary operators below comparisons, the loosest first.
_LEVELS: tuple[tuple[str, ...], ...] = (("|",), ("^",), ("&",), ("<<", ">>"), ("+", "-"), ("*", "//", "%"))
_LEVEL = {operator: level for level, operators in enumerate(_LEVELS) for operator in operators}

_RESERVED = {"and", "or", "not", "if", "else", "in"}

_CAPITALS = {"True": "true", "False": "false", "TRUE": "true", "FALSE": "false"}


def parse_expression(scalar: Scalar, reporter: Reporter, start: int = 0) -> Expr | None:
    """The expression that ``scalar.text[start:]`` is, or None after one report."""
    try:
        parser = Parser(scalar, start)
        result = parser.expression()
        parser.expect_end()
        return result
    except SpecSyntaxError as error:
        error.report(reporter)
        return None


class Parser(Cursor):
    """The grammar over the tokens of one scalar. The parser of types builds upon it."""

    def __init__(self, scalar: Scalar, start: int = 0, *, rule: str = "expr/syntax") -> None:
        super().__init__(scalar, start, rule=rule)
        self._depths: dict[int, int] = {}

    def nested(self, parse: Callable[[], Expr]) -> Expr:
        """Parse one level deeper."""
        self.enter()
        result = parse()
        self.leave()
        return result

    # ------------------------------------------------------------------------------------------ the grammar

    def expression(self) -> Expr:
        """``or [ "if" or "else" expr ]``"""
        self.enter()
        outside, self.rule = self.rule, "expr/syntax"
        first = self.token
        value = self._or()
        if self.is_word("if"):
            opened = self.next()
            test = self._or()
            if not self.is_word("else"):
                self.refuse_foreign()
                raise self.error("this `if` has no `else`", opened, help="write `b if a else c`")
            self.next()
            other = self.expression()
            value = self._made(ConditionalExpr(test, value, other, self.span_from(first)), first, test, value, other)
        self.rule = outside
        self.leave()
        return value

    def _or(self) -> Expr:
        first = self.token
        left = self._and()
        while self.is_word("or"):
            self.next()
            right = self._and()
            left = self._made(BinaryExpr("or", left, right, self.span_from(first)), first, left, right)
        return left

    def _and(self) -> Expr:
        first = self.token
        left = self._not()
        while self.is_word("and"):
            self.next()
            right = self._not()
            left = self._made(BinaryExpr("and", left, right, self.span_from(first)), first, left, right)
        return left

    def _not(self) -> Expr:
        first = self.token
        if not self.is_word("not"):
            return self._comparison()
        self.next()
        operand = self.nested(self._not)
        return self._made(UnaryExpr("not", operand, self.span_from(first)), first, operand)

    def _comparison(self) -> Expr:
        first = self.token
        left = self.bits()
        if self.is_word("in"):
            return self._membership(first, left)
        operands = [left]
        operators: list[str] = []
        while self.token.kind == "op" and self.token.text in _COMPARISONS:
            operators.append(self.next().text)
            operands.append(self.bits())
        if not operators:
            return left
        if self.is_word("in"):
            raise self.error("`in` does not chain with comparisons", self.token, help="join them with `and`")
        return self._made(CompareExpr(tuple(operands), tuple(operators), self.span_from(first)), first, *operands)

    def _membership(self, first: Token, value: Expr) -> Expr:
        self.next()
        if self.is_op("("):
            opened = self.next()
            items = [self.expression()]
            while self.accept(","):
                if self.is_op(")"):
                    break
                items.append(self.expression())
            self.expect(")", opened)
            if len(items) > 1 or not self._continues():
                return self._made(InSetExpr(value, tuple(items), self.span_from(first)), first, value, *items)
            # the parentheses were only the beginning of the lower end
            low = self._operators(0, opened, self._postfix(opened, items[0]))
        elif self.token.kind == "op" and self.token.text in ("[", "{"):
            raise self.error("a set stands in parentheses", self.token, help="write `x in (1, 2)`")
        else:
            low = self.bits()
        if self.accept(".."):
            high = self.bits()
            result: Expr = InRangeExpr(value, low, high, self.span_from(first))
            result = self._made(result, first, value, low, high)
        elif isinstance(low, NameExpr):
            result = self._made(InNameExpr(value, low.name, low.span, self.span_from(first)), first, value)
        else:
            self.refuse_foreign()
            raise SpecSyntaxError(
                "expr/syntax",
                "`in` takes a range, a set or a list constant",
                low.span,
                "write `x in 1..3` or `x in (1, 2)`",
            )
        if self.token.kind == "op" and self.token.text in _COMPARISONS:
            raise self.error("`in` does not chain with comparisons", self.token, help="join them with `and`")
        return result

    def _continues(self) -> bool:
        token = self.token
        return token.kind == "op" and (token.text in _LEVEL or token.text in ("..", ".", "["))

    def bits(self) -> Expr:
        """An operand of a comparison: everything that binds tighter."""
        return self._operators(0, self.token, self._unary())

    def _operators(self, lowest: int, first: Token, left: Expr) -> Expr:
        while self.token.kind == "op":
            operator = self.token.text
            level = _LEVEL.get(operator)
            if level is None:
                if operator == "/":
                    self.refuse_foreign()
                return left
            if level < lowest:
                return left
            self.next()
            start = self.token
            right = self._unary()
            # tighter operators behind take the right operand first
            while self.token.kind == "op" and _LEVEL.get(self.token.text, -1) > level:
                right = self._operators(_LEVEL[self.token.text], start, right)
            left = self._made(BinaryExpr(operator, left, right, self.span_from(first)), first, left, right)
        return left

    def _unary(self) -> Expr:
        first = self.token
        if first.kind == "op" and first.text in ("-", "~", "--"):
            if first.text == "--":
                self.refuse_foreign()
            self.next()
            operand = self.nested(self._unary)
            return self._made(UnaryExpr(first.text, operand, self.span_from(first)), first, operand)
        return self._postfix(first, self._atom())

    def _postfix(self, first: Token, base: Expr) -> Expr:
        while self.token.kind == "op" and self.token.text in (".", "[", "->", "::"):
            if self.token.text in ("->", "::"):
                self.refuse_foreign()
            opened = self.next()
            if opened.text == ".":
                name = self.token
                if name.kind != "name":
                    raise self.error(f"expected a name behind `.`, found {describe(name)}", name)
                self.next()
                base = MemberExpr(base, name.text, self.span(name, name), self.span_from(first))
                base = self._made(base, first, base.base)
                if self.is_op("("):
                    raise self.error(f"`{name.text}` is no function", self.token, help="functions have no dots")
                continue
            index = self.expression()
            self.expect("]", opened)
            base = self._made(IndexExpr(base, index, self.span_from(first)), first, base, index)
        return base

    def _atom(self) -> Expr:
        token = self.token
        place = self.span(token, token)
        if token.kind == "int" and isinstance(token.value, int):
            self.next()
            return IntLiteral(token.value, place)
        if token.kind == "release" and isinstance(token.value, tuple):
            self.next()
            return ReleaseLiteral(token.value, place)
        if token.kind == "text" and isinstance(token.value, str):
            self.next()
            return TextLiteral(token.value, place)
        if token.kind == "name":
            return self._word(token, place)
        if token.kind == "op" and token.text == "(":
            self.next()
            inner = self.expression()
            self.expect(")", token)
            return inner
        self.refuse_foreign()
        if token.kind == "op" and token.text == "+":
            raise self.error("a sign `+` is not part of the language", token, help="leave it out")
        raise self.error(f"expected a value, found {describe(token)}", token)

    def _word(self, token: Token, place: Span) -> Expr:
        word = token.text
        if word in ("true", "false"):
            self.next()
            return BoolLiteral(word == "true", place)
        if word == "unknown":
            self.next()
            return UnknownLiteral(place)
        if word in _CAPITALS:
            raise self.error(f"`{word}` is not a value", token, help=f"write `{_CAPITALS[word]}`")
        if word in ("None", "NULL", "null"):
            raise self.error(f"`{word}` is not a value", token, help="presence is asked by `has(field)`")
        if word in _RESERVED:
            raise self.error(f"expected a value, found `{word}`", token)
        self.next()
        if not self.is_op("("):
            return NameExpr(word, place)
        opened = self.next()
        arguments: list[Expr] = []
        if not self.is_op(")"):
            arguments.append(self.expression())
            while self.accept(","):
                arguments.append(self.expression())
        self.expect(")", opened)
        return self._made(CallExpr(word, tuple(arguments), self.span_from(token)), token, *arguments)

    def _made(self, node: Expr, first: Token, *children: Expr) -> Expr:
        """Note the height of a new tree: a chain of operators is deep without being nested."""
        depth = 1 + max((self._depths.get(id(child), 1) for child in children), default=0)
        if depth > MAX_DEPTH:
            raise self.error(f"more than {MAX_DEPTH} operators in a row", first, help="use `let` for parts of it")
        self._depths[id(node)] = depth
        return node
