"""How a field line, a type or an expression is written: its blanks, and the order of its clauses."""

from __future__ import annotations

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.fmt.roles import Role
from vmsgen.spec.field_line import CLAUSES, parse_field_line
from vmsgen.spec.lexer import Token, tokens
from vmsgen.spec.nodes import Scalar

#: Words behind which a bracket opens an expression of its own, and a sign is one.
_WORDS = frozenset(("and", "or", "not", "in", "if", "else", "when", "at", "until", "through", "since", "as"))
#: Operators that stand without blanks: on both sides, behind the opening, before the closing ones.
_TIGHT = frozenset((".", ".."))
_OPENING = frozenset(("(", "["))
_CLOSING = frozenset((")", "]", ",", "?"))
_HYPHENATED = tuple(clause.split("-") for clause in CLAUSES if "-" in clause)


def tidy(scalar: Scalar, role: Role) -> str:
    """The text of a scalar that is known to be right, on one line, in the house style.

    Raises SpecSyntaxError if it is no text of its role.
    """
    if role == "group":
        condition = _spaced(scalar, scalar.text.index(" ") + 1)
        return f"when {condition}"
    if role == "line":
        return _ordered(scalar)
    return _spaced(scalar)


def _ordered(scalar: Scalar) -> str:
    """A field line with its clauses in their order."""
    line = parse_field_line(scalar, Reporter())
    words = tokens(scalar)[:-1]
    if line is None:
        return scalar.text
    first = scalar.span.column
    starts = [clause.span.column - first for clause in line.clauses]
    groups: list[list[Token]] = [[] for _ in range(len(starts) + 1)]
    for word in words:
        groups[sum(start <= word.start for start in starts)].append(word)
    ranked = sorted(zip(line.clauses, groups[1:], strict=True), key=lambda pair: CLAUSES.index(pair[0].keyword))
    return _joined([*groups[0], *(word for _, group in ranked for word in group)])


def _spaced(scalar: Scalar, start: int = 0) -> str:
    return _joined(tokens(scalar, start)[:-1])


def _joined(words: list[Token]) -> str:
    """Tokens with one blank between, where the style has one."""
    text = ""
    depth = 0
    before: Token | None = None
    sign = False
    mark = 0  # behind `until` and the type of the mark its value begins
    for word in words:
        if before is not None and not sign and _blank(before, word, depth):
            text += " "
        starts = before is None or _expects_operand(before) or mark == 1
        sign = word.text in ("-", "~") and word.kind == "op" and starts
        mark = 2 if word.text == "until" and depth else max(mark - 1, 0)
        if word.kind == "op":
            depth += (word.text in _OPENING) - (word.text in (")", "]"))
        text += word.text
        before = word
    return text


def _expects_operand(before: Token) -> bool:
    """Whether what follows this token begins an operand, so that `-` there is a sign."""
    if before.kind == "op":
        return before.text not in (")", "]", "?")
    return before.kind == "name" and before.text in _WORDS


def _blank(before: Token, word: Token, depth: int) -> bool:
    """Whether a blank stands between two tokens."""
    if word.kind == "op" and (word.text in _CLOSING or word.text in _TIGHT):
        return False
    if before.kind == "op" and (before.text in _OPENING or before.text in _TIGHT):
        return False
    if depth and "=" in (before.text, word.text):
        return False  # the name of an argument
    if word.kind == "op" and word.text in _OPENING:
        return not (before.text in (")", "]", "?") or (before.kind == "name" and before.text not in _WORDS))
    return not _hyphenated(before, word, depth)


def _hyphenated(before: Token, word: Token, depth: int) -> bool:
    """Whether the two belong to a clause with a hyphen, such as `little-endian`, written without blanks."""
    if depth or before.end != word.start:
        return False
    if word.text == "-":
        return any(before.text == first for first, _ in _HYPHENATED)
    return before.text == "-" and any(word.text == last for _, last in _HYPHENATED)
