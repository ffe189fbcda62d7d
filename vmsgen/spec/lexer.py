"""Tokens of expressions and field lines, each with its offsets in the text of its scalar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from vmsgen.diagnostics import Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.nodes import Scalar

#: Longest field line or expression, in characters; the longest of QEMU's states are below 200.
MAX_LENGTH = 8192

#: Integer literals have at most 64 bits; a sign is an operator before them.
MAX_INTEGER = (1 << 64) - 1

Kind: TypeAlias = Literal["int", "release", "text", "name", "op", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """``text`` as written; ``value`` of an int, release or text."""

    kind: Kind
    text: str
    start: int
    end: int
    value: int | str | tuple[int, ...] | None = None


class SpecSyntaxError(Exception):
    """One error of a line, with its place; the parsers report it and give up on the line."""

    def __init__(self, rule: str, message: str, span: Span, help: str | None = None) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.span = span
        self.help = help

    def report(self, reporter: Reporter) -> None:
        """Hand it to ``reporter``."""
        reporter.error(self.rule, self.message, self.span, help=self.help)


# Operators of other languages are tokens as well: only so can they have messages of their own.
_TOKEN = re.compile(
    r"""
      (?P<blank>[ \n]+)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>[0-9](?:\.(?!\.)|[0-9A-Za-z_])*)
    | (?P<text>"[^"\\]*")
    | (?P<op>===|!==|<=>|\*\*|\.\.\.|\.\.|==|!=|<=|>=|<<|>>|//|&&|\|\||->|::|\+\+|--|\+=|-=|<>
            |[-+*/%&|^~!<>=()\[\]{},.?:;@$])
    """,
    re.VERBOSE,
)
_DECIMAL = re.compile(r"[0-9]+(?:_[0-9]+)*\Z")
_PREFIXED = re.compile(r"0(?:[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|[oO][0-7]+(?:_[0-7]+)*|[bB][01]+(?:_[01]+)*)\Z")
_RELEASE = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){1,2}\Z")


def tokens(scalar: Scalar, start: int = 0, *, rule: str = "expr/syntax") -> list[Token]:
    """The tokens of ``scalar.text[start:]``, the last of kind ``end``.

    Raises :class:`SpecSyntaxError` (as ``rule`` where the text is no token at all).
    """
    text = scalar.text
    if len(text) > MAX_LENGTH:
        raise SpecSyntaxError(rule, f"longer than {MAX_LENGTH} characters", scalar.span)
    found: list[Token] = []
    at = start
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _no_token(scalar, at, rule)
        word, end = match.group(), match.end()
        if match.lastgroup == "name":
            found.append(Token("name", word, at, end))
        elif match.lastgroup == "number":
            found.append(_number(scalar, word, at, end))
        elif match.lastgroup == "text":
            found.append(Token("text", word, at, end, word[1:-1]))
        elif match.lastgroup == "op":
            found.append(Token("op", word, at, end))
        at = end
    last = found[-1].end if found else min(start, len(text))
    found.append(Token("end", "", last, last))
    return found


def describe(token: Token) -> str:
    """The token for a message."""
    if token.kind == "end":
        return "the end of the line"
    return f"`{token.text}`" if len(token.text) <= 40 else f"`{token.text[:37]}...`"


def _number(scalar: Scalar, word: str, at: int, end: int) -> Token:
    place = scalar.span_of(at, end)
    shown = word if len(word) <= 40 else word[:37] + "..."
    if "." in word:
        if _RELEASE.match(word):
            return Token("release", word, at, end, tuple(int(part) for part in word.split(".")))
        raise SpecSyntaxError(
            "expr/syntax", f"`{shown}` is not a release", place, "a release is `8.2` or `10.0.1`; a range is `1..3`"
        )
    if _PREFIXED.match(word):
        value = int(word, 0) if len(word) <= 100 else MAX_INTEGER + 1
    elif _DECIMAL.match(word):
        digits = word.replace("_", "")
        if len(digits) > 1 and digits[0] == "0":
            plain = digits.lstrip("0") or "0"
            other = f"`0o{plain}` or " if all(c in "01234567" for c in plain) else ""
            raise SpecSyntaxError(
                "expr/syntax",
                f"`{shown}` begins with a zero",
                place,
                f"write {other}`{plain}`" if len(plain) <= 40 else None,
            )
        value = int(digits) if len(digits) <= 20 else MAX_INTEGER + 1
    else:
        raise SpecSyntaxError(
            "expr/syntax",
            f"`{shown}` is not a number",
            place,
            "numbers are `12`, `0x1f`, `0o17`, `0b101`, with `_` between digits",
        )
    if value > MAX_INTEGER:
        raise SpecSyntaxError("type/width", f"`{shown}` needs more than 64 bits", place)
    return Token("int", word, at, end, value)


def _no_token(scalar: Scalar, at: int, rule: str) -> SpecSyntaxError:
    character = scalar.text[at]
    place = scalar.span_of(at, at + 1)
    if character == '"':
        if "\\" in scalar.text[at : scalar.text.find('"', at + 1) + 1]:
            return SpecSyntaxError(rule, "a text between double quotes has no `\\` escapes", place)
        return SpecSyntaxError(rule, "this quote is never closed", place)
    if character == "'":
        return SpecSyntaxError(rule, "a text stands between double quotes", place, "write \"...\" instead of '...'")
    if not character.isprintable():
        return SpecSyntaxError(rule, f"the character U+{ord(character):04X} cannot stand here", place)
    return SpecSyntaxError(rule, f"`{character}` cannot stand here", place)
