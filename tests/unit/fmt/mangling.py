"""Specs out of style: the same spec with other indentation, other blanks and clauses in another order."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

from vmsgen.diagnostics import Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.fmt.roles import Role, roles
from vmsgen.spec.comments import scalars
from vmsgen.spec.field_line import CLAUSES, parse_field_line
from vmsgen.spec.lexer import Token, tokens
from vmsgen.spec.nodes import Node, Scalar

_BRACKETS = ("(", ")", "[", "]", ",")


def mangled(text: str, root: Node, chance: random.Random) -> str:
    """``text``, a spec in the style with the nodes ``root``, out of it: formatted it is ``text`` again."""
    known = roles(root)
    parts: list[str] = []
    at = 0
    for scalar in scalars(root):
        role = known.get(scalar.start)
        if role is not None and scalar.plain and "\n" not in text[scalar.start : scalar.end]:
            parts += [text[at : scalar.start], _line(scalar, role, chance)]
            at = scalar.end
    return _indented("".join([*parts, text[at:]]), chance.randint(1, 3))


def _indented(text: str, factor: int) -> str:
    """Every level ``factor`` times as deep. (Texts of block style keep their common indentation, times the factor.)"""
    lines = []
    for line in text.split("\n"):
        bare = line.lstrip(" ")
        indent = " " * ((len(line) - len(bare)) * factor)
        while bare.startswith("- "):
            indent += "-" + " " * (2 * factor - 1)
            bare = bare[2:]
        lines.append(indent + bare)
    return "\n".join(lines)


def _line(scalar: Scalar, role: Role, chance: random.Random) -> str:
    if role == "group":
        return f"when {_blanks(tokens(scalar, 5)[:-1], chance)}"
    words = tokens(scalar)[:-1]
    line = parse_field_line(scalar, Reporter()) if role == "line" else None
    starts = [clause.span.column - scalar.span.column for clause in line.clauses] if line is not None else []
    groups: list[list[Token]] = [[] for _ in range(len(starts) + 1)]
    for word in words:
        groups[sum(start <= word.start for start in starts)].append(word)
    clauses = groups[1:]
    chance.shuffle(clauses)
    return _blanks([*groups[0], *(word for group in clauses for word in group)], chance)


def _blanks(words: list[Token], chance: random.Random) -> str:
    """The tokens with other blanks between them, those in the middle of `little-endian` without any."""
    text = ""
    before: Token | None = None
    for word in words:
        if before is not None:
            hyphen = before.end == word.start and _in_clause(before, word)
            loose = word.text in _BRACKETS or before.text in _BRACKETS
            text += "" if hyphen else " " * chance.randint(0 if loose else 1, 3)
        text += word.text
        before = word
    return text


def _in_clause(before: Token, word: Token) -> bool:
    hyphenated = [clause.split("-") for clause in CLAUSES if "-" in clause]
    return any((before.text, word.text) in ((first, "-"), ("-", last)) for first, last in hyphenated)


def meaning(part: Any) -> Any:
    """A part of a model without its places in files, its digests, and the blanks in the words of its checks."""
    if isinstance(part, (tuple, list)):
        return [meaning(inner) for inner in part]
    if isinstance(part, dict):
        return {key: meaning(value) for key, value in part.items()}
    if not dataclasses.is_dataclass(part) or isinstance(part, (Span, type)):
        return None if isinstance(part, Span) else part
    found = {one.name: meaning(getattr(part, one.name)) for one in dataclasses.fields(part) if one.name != "digest"}
    if "text" in found and "expression" in found:
        found["text"] = found["text"].replace(" ", "")
    return type(part).__name__, found
