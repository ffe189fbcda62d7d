"""Field lines and types: every form, every message with its column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmsgen.diagnostics import SourceFile, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec import syntax
from vmsgen.spec.field_line import CLAUSES, parse_field_line, parse_type
from vmsgen.spec.nodes import Mapping, Scalar, read


def scalar(text: str) -> Scalar:
    source = SourceFile("a.yaml", text)
    return Scalar(text, Span(source, 1, 1, 1, len(text) + 1), "", 0, len(text))


def line(text: str) -> syntax.FieldLine:
    reporter = Reporter()
    found = parse_field_line(scalar(text), reporter)
    assert not reporter.diagnostics
    assert found is not None
    return found


def shown(type_: syntax.TypeExpr) -> str:
    match type_:
        case syntax.NamedType(name, None):
            return name
        case syntax.NamedType(name, arguments):
            assert arguments is not None
            return f"{name}<{', '.join(f'{a.name}={_text(a.span)}' for a in arguments)}>"
        case syntax.SizedType(name, size):
            return f"{name}{{{_dim(size)}}}"
        case syntax.ListType(element):
            return f"list<{shown(element)}>"
        case syntax.TreeType(key, value):
            return f"tree<{shown(key)}, {shown(value)}>"
        case syntax.ArrayType(element, dim):
            return f"({shown(element)} x {_dim(dim)})"
        case syntax.NullableType(element):
            return f"null<{shown(element)}>"


def _dim(dim: syntax.Dim) -> str:
    match dim:
        case syntax.ExprDim(sizes):
            return ", ".join(_text(s.span) for s in sizes)
        case syntax.PrefixDim(int_type):
            return f"prefix {int_type}"
        case syntax.UntilDim(int_type, value):
            return f"until {int_type} {_text(value.span)}"
        case syntax.ThroughDim(condition):
            return f"through {_text(condition.span)}"


def _text(span: Span) -> str:
    return span.file.text[span.column - 1 : span.end_column - 1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("uint32", "uint32"),
        ("bool", "bool"),
        ("struct", "struct"),
        ("timer", "timer"),
        ("bytes[6]", "bytes{6}"),
        ("bytes[6][n]", "(bytes{6} x n)"),
        ("bytes[uint32]", "bytes{prefix uint32}"),
        ("string[uint8][uint32]", "(string{prefix uint8} x prefix uint32)"),
        ("bytes[uint32][until uint32 0]", "(bytes{prefix uint32} x until uint32 0)"),
        ("pad[align(vectors, 8) // 8]", "pad{align(vectors, 8) // 8}"),
        ("bitmap[n + 1]", "bitmap{n + 1}"),
        ("uint64[3, 4]", "(uint64 x 3, 4)"),
        ("uint8[unknown]", "(uint8 x unknown)"),
        ("GuestRange[uint32]", "(GuestRange x prefix uint32)"),
        ("Entry[until int8 -1]", "(Entry x until int8 -1)"),
        ("Record[through it.kind == 1]", "(Record x through it.kind == 1)"),
        ("Record[through (it.kind == 1)]", "(Record x through it.kind == 1)"),
        ("uint8[until]", "(uint8 x until)"),
        ("uint8[through + 1]", "(uint8 x through + 1)"),
        ("CssImage?[256]", "(null<CssImage> x 256)"),
        ("CssImage?", "null<CssImage>"),
        ("list(CrwContainer)", "list<CrwContainer>"),
        ("list(list(uint8[3]))", "list<list<(uint8 x 3)>>"),
        ("tree(uint32, Node(1))", "tree<uint32, Node<None=1>>"),
        ("uint(target.long_bits)", "uint<None=target.long_bits>"),
        ("union(a.b)", "union<None=a.b>"),
        ("hook(parser)", "hook<None=parser>"),
        ("MsixState(parent_obj.vectors)", "MsixState<None=parent_obj.vectors>"),
        ("MsixState(vectors=5, b=a == 2)", "MsixState<vectors=vectors=5, b=b=a == 2>"),
        ("MsixState(1, b=2)", "MsixState<None=1, b=b=2>"),
        ("Empty()", "Empty<>"),
    ],
)
def test_types(text: str, expected: str) -> None:
    reporter = Reporter()
    found = parse_type(scalar(text), reporter)
    assert not reporter.diagnostics
    assert found is not None
    assert shown(found) == expected
    assert _text(found.span) == text
    assert shown(line(text + " since 2").type) == expected


def test_every_clause() -> None:
    text = "uint32 little-endian as Offload = len(ring) at-version 3 since 2 until 4 when a & 3 == 2 and b"
    found = line(text)
    assert [(c.keyword, _text(c.span)) for c in found.clauses] == [
        ("little-endian", "little-endian"),
        ("as", "as Offload"),
        ("=", "= len(ring)"),
        ("at-version", "at-version 3"),
        ("since", "since 2"),
        ("until", "until 4"),
        ("when", "when a & 3 == 2 and b"),
    ]
    as_clause, since = found.clause("as"), found.clause("since")
    assert as_clause is not None
    assert since is not None
    assert (as_clause.name, since.number) == ("Offload", 2)
    assert isinstance(found.clauses[2].expr, syntax.CallExpr)
    assert isinstance(found.clauses[6].expr, syntax.BinaryExpr)
    assert found.clause("host-endian") is None


def test_clauses_in_any_order_and_expressions_that_end_at_them() -> None:
    found = line("uint32 when a since 2 = b big-endian")
    assert [c.keyword for c in found.clauses] == ["when", "since", "=", "big-endian"]
    assert _text(found.clauses[2].span) == "= b"


@pytest.mark.parametrize(
    ("text", "column", "end", "rule", "message", "help"),
    [
        ("", 1, 1, "spec/no-type", "this field has no type", "write its type behind the `:`"),
        ("uint8[2][3]", 9, 12, "type/double-bracket", "an array of arrays", "write `uint8[2, 3]`"),
        ("uint8[2, 3][4]", 12, 15, "type/double-bracket", "an array of arrays", "write `uint8[2, 3, 4]`"),
        (
            "Foo[uint32][3]",
            12,
            15,
            "type/double-bracket",
            "an array of arrays",
            "put the inner array into a struct of its own",
        ),
        ("Foo??", 5, 6, "type/null", "`??`: NULL twice", "write one `?`"),
        (
            "bytes",
            1,
            6,
            "type/syntax",
            "`bytes` needs its length",
            "write `bytes[16]`, or `bytes[uint32]` for a length before it",
        ),
        ("bytes[3, 4]", 7, 11, "type/syntax", "`bytes` has one length", "rows of `bytes` are `bytes[8][rows]`"),
        (
            "bytes[until uint8 0]",
            7,
            20,
            "type/syntax",
            "`bytes` cannot end by `until`",
            "write `uint8[until ...]`",
        ),
        ("list", 1, 5, "type/syntax", "`list` needs parentheses", "write `list(Element)`"),
        ("tree(uint8)", 11, 12, "type/syntax", "expected `,`, found `)`", None),
        ("uint", 1, 5, "type/syntax", "`uint` needs parentheses", "write `uint(target.long_bits)`"),
        ("uint(8", 5, 6, "type/syntax", "this `(` is never closed", None),
        (
            "hook(1)",
            6,
            7,
            "type/syntax",
            "`hook` takes the name of its function",
            "write `hook(parser)` for `visit_parser`",
        ),
        (
            "uint8[]",
            6,
            7,
            "type/syntax",
            "empty brackets",
            "write the number of elements, `[uint32]`, `[until uint32 0]` or `[through it.last]`",
        ),
        (
            "uint8[uint32 0]",
            14,
            15,
            "type/syntax",
            "expected `]`, found `0`",
            "`[uint32]` is a count that stands before the part",
        ),
        ("uint8[3", 6, 7, "type/syntax", "this `[` is never closed", None),
        (
            "E[until uint23 0]",
            9,
            15,
            "type/syntax",
            "`until` takes an integer type and a value, found `uint23`",
            "did you mean `uint32`?",
        ),
        (
            "E[until uint32]",
            9,
            15,
            "type/syntax",
            "`until` needs the value that ends the part",
            "write `[until uint32 0]`",
        ),
        ("E[uint24]", 3, 9, "name/unknown-type", "there is no integer type `uint24`", "did you mean `uint64`?"),
        ("E[(a + b]", 9, 10, "expr/syntax", "expected `)`, found `]`", None),
        ("E[a && b]", 5, 7, "expr/operator", "`&&` is not an operator here", "write `and`"),
        ("M(a=1, a=2)", 8, 9, "type/arguments", "the argument `a` stands twice", None),
        (
            "M(a=1, 2)",
            8,
            9,
            "type/arguments",
            "an argument without a name behind one with a name",
            "name this one, too",
        ),
        ("M(a", 2, 3, "type/syntax", "this `(` is never closed", None),
        ("[uint8]", 1, 2, "type/syntax", "expected a type, found `[`", None),
        (
            "uint8 sinse 2",
            7,
            12,
            "type/syntax",
            "`sinse` is no clause of a field line",
            "did you mean `since`?",
        ),
        ("uint8 if a", 7, 9, "type/syntax", "`if` is no clause of a field line", "a condition is `when expr`"),
        (
            "uint8 litle-endian",
            7,
            19,
            "type/syntax",
            "`litle-endian` is no clause of a field line",
            "did you mean `little-endian`?",
        ),
        (
            "uint8 little",
            7,
            13,
            "type/syntax",
            "`little` is no clause of a field line",
            "write `little-endian`",
        ),
        (
            "uint8 since x",
            13,
            14,
            "type/syntax",
            "`since` takes a version, a number; found `x`",
            None,
        ),
        (
            "uint8 since",
            12,
            13,
            "type/syntax",
            "`since` takes a version, a number; found the end of the line",
            None,
        ),
        ("uint8 as 3", 10, 11, "type/syntax", "expected the name of an enum or flags, found `3`", None),
        (
            "uint8 when a when b",
            14,
            20,
            "type/syntax",
            "`when` stands twice",
            "join the conditions with `and`",
        ),
        (
            "uint8 big-endian host-endian",
            18,
            29,
            "type/syntax",
            "both `big-endian` and `host-endian`",
            None,
        ),
        (
            "uint8 == 3",
            7,
            9,
            "type/syntax",
            "`==` is no clause",
            "write `= expr` for a derived field, `when a == b` for a condition",
        ),
        ("uint8 && b", 7, 9, "expr/operator", "`&&` is not an operator here", "write `and`"),
        ("uint8]", 6, 7, "type/syntax", "`]` closes nothing", None),
        ("uint8 when", 11, 12, "expr/syntax", "expected a value, found the end of the line", None),
        ("uint8 = (a", 9, 10, "expr/syntax", "this `(` is never closed", None),
        ("uint8 = a / 2", 11, 12, "expr/operator", "`/` is not an operator here", None),
        ("uint8 when a b", 14, 15, "type/syntax", "`b` is no clause of a field line", None),
    ],
)
def test_errors(text: str, column: int, end: int, rule: str, message: str, help: str | None) -> None:
    reporter = Reporter()
    assert parse_field_line(scalar(text), reporter) is None
    (found,) = reporter.diagnostics
    assert (found.span.column, found.span.end_column) == (column, end)
    assert (found.rule, found.message) == (rule, message)
    if help is not None:
        assert found.help == help


def test_only_a_type() -> None:
    reporter = Reporter()
    assert parse_type(scalar("uint8 since 2"), reporter) is None
    assert parse_type(scalar("uint8 = 2"), reporter) is None
    assert parse_type(scalar("uint8 foo"), reporter) is None
    assert [(d.message, d.span.column) for d in reporter.diagnostics] == [
        ("only a type can stand here, `since` belongs to a field", 7),
        ("only a type can stand here, `=` belongs to a field", 7),
        ("expected the end of the type, found `foo`", 7),
    ]


def test_columns_in_a_folded_line() -> None:
    reporter = Reporter()
    text = "- data: bytes[align(vectors, 8)\n      // 8]\n    when a\n      and b / c\n"
    root = read(SourceFile("a.yaml", text), reporter)
    assert not isinstance(root, (Scalar, Mapping))
    assert root is not None
    entry = root.items[0]
    assert isinstance(entry, Mapping)
    value = entry.entries[0][1]
    assert isinstance(value, Scalar)
    assert parse_field_line(value, reporter) is None
    (found,) = reporter.diagnostics
    assert (str(found.span), found.span.end_column, found.message) == ("a.yaml:4:13", 14, "`/` is not an operator here")


@pytest.mark.parametrize("text", ["list(" * 3000, "tree(uint8, " * 500, "a?" + "?" * 3000, "M(" * 4000, "a[" * 4000])
def test_depth_is_bounded(text: str) -> None:
    reporter = Reporter()
    assert parse_field_line(scalar(text), reporter) is None
    assert len(reporter.diagnostics) == 1


_TOKENS = """
uint8 uint32 bytes string list tree union uint hook until through Foo a 0 1 8.0 unknown it and not
[ ] ( ) , ? = == . .. - / && : ' #
"""
_WORDS = st.sampled_from([*_TOKENS.split(), *CLAUSES])


@given(st.one_of(st.lists(_WORDS, max_size=20).map(" ".join), st.lists(_WORDS, max_size=12).map("".join), st.text()))
def test_random_lines_give_a_line_or_one_finding(text: str) -> None:
    reporter = Reporter()
    found = parse_field_line(scalar(text), reporter)
    assert len(reporter.diagnostics) == (1 if found is None else 0)
    if found is not None:
        assert shown(found.type)
