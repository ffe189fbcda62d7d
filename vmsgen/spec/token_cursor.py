"""Where a parser stands in the tokens of a line, and what it says when the next one does not fit.

Operators of other languages are refused here, wherever an operator or an operand should stand.
"""

from __future__ import annotations

from vmsgen.diagnostics import Span
from vmsgen.spec.lexer import SpecSyntaxError, Token, describe, tokens
from vmsgen.spec.nodes import Scalar

#: Levels of an expression or type, as written and as a tree.
MAX_DEPTH = 64

#: What people write from habit, with its message and help. Found wherever an operator or an operand should stand.
_FOREIGN: dict[str, tuple[str, str]] = {
    "&&": ("`&&` is not an operator here", "write `and`"),
    "||": ("`||` is not an operator here", "write `or`"),
    "!": ("`!` is not an operator here", "write `not`"),
    "/": ("`/` is not an operator here", "write `//`: division of integers, rounded down"),
    "?": ("`? :` is not an operator here", "write `b if a else c` for `a ? b : c`"),
    "**": ("`**` is not an operator here", "a power of two is `1 << n`"),
    "===": ("`===` is not an operator here", "write `==`"),
    "!==": ("`!==` is not an operator here", "write `!=`"),
    "<>": ("`<>` is not an operator here", "write `!=`"),
    "->": ("`->` is not an operator here", "write `.`"),
    "::": ("`::` is not an operator here", "write `.`"),
    "<=>": ("`<=>` is not an operator here", "compare with `<`, `==` or `>`"),
    "++": ("`++` is not an operator here", "write `+ 1`"),
    "--": ("`--` is not an operator here", "write `- 1`"),
    "...": ("`...` is not an operator here", "a range is `low..high`"),
    "is": ("`is` is not an operator here", "write `==`"),
    "xor": ("`xor` is not an operator here", "write `^` for bits, `!=` for conditions"),
}


class Cursor:
    """The tokens of one scalar and where a parser stands in them; errors at their places; how deep it is."""

    def __init__(self, scalar: Scalar, start: int = 0, *, rule: str = "expr/syntax") -> None:
        self.scalar = scalar
        self.rule = rule  # of errors outside expressions
        self._tokens = tokens(scalar, start, rule=rule)
        self._at = 0
        self._level = 0

    # ------------------------------------------------------------------------------------------ tokens

    @property
    def token(self) -> Token:
        """The token to be read next."""
        return self._tokens[self._at]

    def ahead(self, distance: int = 1) -> Token:
        """A token behind the next one; the last one is of kind ``end``."""
        return self._tokens[min(self._at + distance, len(self._tokens) - 1)]

    def next(self) -> Token:
        """Read a token."""
        token = self._tokens[self._at]
        if token.kind != "end":
            self._at += 1
        return token

    def is_op(self, text: str) -> bool:
        """Whether this operator comes next."""
        return self.token.kind == "op" and self.token.text == text

    def is_word(self, text: str) -> bool:
        """Whether this word comes next."""
        return self.token.kind == "name" and self.token.text == text

    def accept(self, text: str) -> bool:
        """Read this operator if it comes next."""
        if self.is_op(text):
            self._at += 1
            return True
        return False

    def expect(self, text: str, opened: Token | None = None) -> Token:
        """Read this operator; anything else is an error that also tells what it would have closed."""
        if self.is_op(text):
            return self.next()
        self.refuse_foreign()
        if opened is not None and self.token.kind == "end":
            raise self.error(f"this `{opened.text}` is never closed", opened)
        raise self.error(f"expected `{text}`, found {describe(self.token)}", self.token)

    def expect_end(self) -> None:
        """Nothing may follow."""
        if self.token.kind == "end":
            return
        self.refuse_foreign()
        token = self.token
        if token.kind == "op" and token.text == "=":
            raise self.error("`=` compares nothing", token, rule="expr/operator", help="write `==`")
        if token.kind == "op" and token.text in (")", "]", "}"):
            raise self.error(f"`{token.text}` closes nothing", token)
        if token.kind == "op" and token.text == "..":
            raise self.error("a range stands behind `in`", token, help="write `x in low..high`")
        raise self.error(f"expected the end of the line, found {describe(token)}", token)

    def refuse_foreign(self) -> None:
        """Raise if an operator of another language comes next."""
        token = self.token
        if token.kind in ("op", "name") and token.text in _FOREIGN:
            message, help = _FOREIGN[token.text]
            raise self.error(message, token, rule="expr/operator", help=help)
        if token.kind == "name" and token.text == "not" and self.ahead().text == "in":
            both = self.scalar.span_of(token.start, self.ahead().end)
            raise SpecSyntaxError("expr/operator", "`not in` is not an operator here", both, "write `not x in (...)`")

    def error(self, message: str, token: Token, *, rule: str | None = None, help: str | None = None) -> SpecSyntaxError:
        """An error at a token."""
        return SpecSyntaxError(rule or self.rule, message, self.span(token, token), help)

    def span(self, first: Token, last: Token) -> Span:
        """From one token to another, both included. The end of the line is the place behind the last character."""
        if last.kind == "end":
            place = self.scalar.span_of(first.start, last.end)
            if first.kind == "end":
                return Span(place.file, place.line, place.column, place.line, place.column + 1)
            return place
        return self.scalar.span_of(first.start, last.end)

    def span_from(self, first: Token) -> Span:
        """From a token to the one that was read last."""
        return self.span(first, self._tokens[max(self._at - 1, 0)])

    def enter(self) -> None:
        """One level deeper; too deep is an error."""
        self._level += 1
        if self._level > MAX_DEPTH:
            raise self.error(f"more than {MAX_DEPTH} levels of nesting", self.token)

    def leave(self) -> None:
        """One level up."""
        self._level -= 1
