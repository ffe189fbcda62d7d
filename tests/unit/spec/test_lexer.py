"""Tokens: numbers, releases and ranges are told apart, and each error has its column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmsgen.diagnostics import SourceFile, Span
from vmsgen.spec.lexer import MAX_LENGTH, SpecSyntaxError, describe, tokens
from vmsgen.spec.nodes import Scalar


def scalar(text: str) -> Scalar:
    """A plain scalar that is the whole file."""
    source = SourceFile("a.yaml", text)
    return Scalar(text, Span(source, 1, 1, 1, len(text) + 1), "", 0, len(text))


def kinds(text: str) -> list[tuple[str, str]]:
    return [(t.kind, t.text) for t in tokens(scalar(text))]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("12", 12),
        ("4_000_000", 4_000_000),
        ("0x1f", 31),
        ("0XFF_ff", 0xFFFF),
        ("0o17", 15),
        ("0b1_01", 5),
        ("18446744073709551615", (1 << 64) - 1),
        ("0xffffffffffffffff", (1 << 64) - 1),
        ("8.0", (8, 0)),
        ("10.0.1", (10, 0, 1)),
        ('"pci"', "pci"),
        ('""', ""),
    ],
)
def test_values(text: str, value: object) -> None:
    found = tokens(scalar(text))
    assert [found[0].value, found[1].kind] == [value, "end"]


def test_a_range_is_not_a_release() -> None:
    assert kinds("1..3") == [("int", "1"), ("op", ".."), ("int", "3"), ("end", "")]
    assert kinds("1.3") == [("release", "1.3"), ("end", "")]
    assert kinds("0x1..0x3") == [("int", "0x1"), ("op", ".."), ("int", "0x3"), ("end", "")]
    assert kinds("8.0..9.1") == [("release", "8.0"), ("op", ".."), ("release", "9.1"), ("end", "")]


def test_longest_operator_wins() -> None:
    assert kinds("a<<b<=c!=d//e->f...")[1::2] == [("op", o) for o in ("<<", "<=", "!=", "//", "->", "...")]


def test_start_skips_the_keyword_of_a_key() -> None:
    found = tokens(scalar("when abc"), 5)
    assert [(t.text, t.start, t.end) for t in found] == [("abc", 5, 8), ("", 8, 8)]


@pytest.mark.parametrize(
    ("text", "column", "rule", "message"),
    [
        ("1 + 18446744073709551616", 5, "type/width", "`18446744073709551616` needs more than 64 bits"),
        ("0x1_0000_0000_0000_0000", 1, "type/width", "`0x1_0000_0000_0000_0000` needs more than 64 bits"),
        ("9" * 5000, 1, "type/width", "`" + "9" * 37 + "...` needs more than 64 bits"),
        ("0x" + "f" * 5000, 1, "type/width", "`0x" + "f" * 35 + "...` needs more than 64 bits"),
        ("a + 017", 5, "expr/syntax", "`017` begins with a zero"),
        ("12ab", 1, "expr/syntax", "`12ab` is not a number"),
        ("1__2", 1, "expr/syntax", "`1__2` is not a number"),
        ("0x", 1, "expr/syntax", "`0x` is not a number"),
        ("0b12", 1, "expr/syntax", "`0b12` is not a number"),
        ("1.2.3.4", 1, "expr/syntax", "`1.2.3.4` is not a release"),
        ("1.", 1, "expr/syntax", "`1.` is not a release"),
        ("1.5e3", 1, "expr/syntax", "`1.5e3` is not a release"),
        ('a == "pci', 6, "expr/syntax", "this quote is never closed"),
        ('a == "p\\n"', 6, "expr/syntax", "a text between double quotes has no `\\` escapes"),
        ("a == 'pci'", 6, "expr/syntax", "a text stands between double quotes"),
        ("a # b", 3, "expr/syntax", "`#` cannot stand here"),
        ("a + ü", 5, "expr/syntax", "`ü` cannot stand here"),
        ("a \u200b b", 3, "expr/syntax", "the character U+200B cannot stand here"),
        ("a" * (MAX_LENGTH + 1), 1, "expr/syntax", f"longer than {MAX_LENGTH} characters"),
    ],
)
def test_errors(text: str, column: int, rule: str, message: str) -> None:
    with pytest.raises(SpecSyntaxError) as caught:
        tokens(scalar(text))
    error = caught.value
    assert (error.span.column, error.rule, error.message) == (column, rule, message)


def test_a_leading_zero_suggests_octal_only_where_it_is() -> None:
    with pytest.raises(SpecSyntaxError) as caught:
        tokens(scalar("0777"))
    assert caught.value.help == "write `0o777` or `777`"
    with pytest.raises(SpecSyntaxError) as caught:
        tokens(scalar("089"))
    assert caught.value.help == "write `89`"


def test_describe_shortens() -> None:
    long = tokens(scalar("a" * 50))[0]
    assert describe(long) == "`" + "a" * 37 + "...`"
    assert describe(tokens(scalar(""))[0]) == "the end of the line"


@given(st.text(alphabet="ab_019.x \n\"\\'+-*/%&|^~!<>=()[]{},?:;#é", max_size=40))
def test_tokens_cover_the_text(text: str) -> None:
    try:
        found = tokens(scalar(text))
    except SpecSyntaxError as error:
        assert error.span.column >= 1
        return
    assert "".join(t.text for t in found) == text.replace(" ", "").replace("\n", "") or '"' in text
    assert all(text[t.start : t.end] == t.text for t in found)
