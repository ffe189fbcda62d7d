"""The grammar of expressions: shape by shape, and every message with its column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmsgen.diagnostics import SourceFile, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec import syntax
from vmsgen.spec.expression_parser import MAX_DEPTH, parse_expression
from vmsgen.spec.nodes import Mapping, Scalar, read


def shown(expr: syntax.Expr) -> str:
    """The tree with a pair of parentheses for every operator."""
    match expr:
        case syntax.IntLiteral(value):
            return str(value)
        case syntax.BoolLiteral(value):
            return str(value).lower()
        case syntax.TextLiteral(value):
            return f'"{value}"'
        case syntax.ReleaseLiteral(value):
            return "r" + ".".join(map(str, value))
        case syntax.UnknownLiteral():
            return "unknown"
        case syntax.NameExpr(name):
            return name
        case syntax.MemberExpr(base, name):
            return f"{shown(base)}.{name}"
        case syntax.IndexExpr(base, index):
            return f"{shown(base)}[{shown(index)}]"
        case syntax.CallExpr(function, arguments):
            return f"{function}({', '.join(map(shown, arguments))})"
        case syntax.UnaryExpr(operator, operand):
            return f"({operator} {shown(operand)})"
        case syntax.BinaryExpr(operator, left, right):
            return f"({shown(left)} {operator} {shown(right)})"
        case syntax.CompareExpr(operands, operators):
            rest = "".join(f" {o} {shown(e)}" for o, e in zip(operators, operands[1:], strict=True))
            return f"({shown(operands[0])}{rest})"
        case syntax.InRangeExpr(value, low, high):
            return f"({shown(value)} in {shown(low)}..{shown(high)})"
        case syntax.InSetExpr(value, items):
            return f"({shown(value)} in {{{', '.join(map(shown, items))}}})"
        case syntax.InNameExpr(value, name):
            return f"({shown(value)} in {name})"
        case syntax.ConditionalExpr(test, then, other):
            return f"({shown(then)} if {shown(test)} else {shown(other)})"


def scalar(text: str) -> Scalar:
    """The text as the value of the key `k`, without asking YAML (which would refuse some of them)."""
    source = SourceFile("a.yaml", f"k: {text}")
    return Scalar(text, Span(source, 1, 4, 1, len(text) + 4), "", 3, len(text) + 3)


def parse(text: str) -> tuple[syntax.Expr | None, Reporter]:
    reporter = Reporter()
    return parse_expression(scalar(text), reporter), reporter


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1 + 2 * 3", "(1 + (2 * 3))"),
        ("1 - 2 - 3", "((1 - 2) - 3)"),
        ("a * b // c % d", "(((a * b) // c) % d)"),
        ("1 << 2 + 3", "(1 << (2 + 3))"),
        ("a | b ^ c & d << 1", "(a | (b ^ (c & (d << 1))))"),
        ("a & 1 == 0", "((a & 1) == 0)"),
        ("a << 1 & b | c", "(((a << 1) & b) | c)"),
        ("3 <= n <= 32", "(3 <= n <= 32)"),
        ("not a == b", "(not (a == b))"),
        ("not not a", "(not (not a))"),
        ("a or b and not c", "(a or (b and (not c)))"),
        ("-a + ~b", "((- a) + (~ b))"),
        ("--a", None),
        ("- -a", "(- (- a))"),
        ("-a[1].b", "(- a[1].b)"),
        ("2 if machine.release >= 9.0 else 1", "(2 if (machine.release >= r9.0) else 1)"),
        ("1 if a else 2 if b else 3", "(1 if a else (2 if b else 3))"),
        ("it in 3..32", "(it in 3..32)"),
        ("it in a + 1..b * 2", "(it in (a + 1)..(b * 2))"),
        ("it in (1, 2)", "(it in {1, 2})"),
        ("it in (1)", "(it in {1})"),
        ("it in (1, 2,)", "(it in {1, 2})"),
        ("it in (1 + 2) * 3..4", "(it in ((1 + 2) * 3)..4)"),
        ("it in (a).b..4", "(it in a.b..4)"),
        ("it in (a) << 1 + 1..(4)", "(it in (a << (1 + 1))..4)"),
        ("cdb[0] in WRITES and x", "((cdb[0] in WRITES) and x)"),
        ("not a in (1, 2)", "(not (a in {1, 2}))"),
        ("align(MAXIRQ, 32) // 32", "(align(MAXIRQ, 32) // 32)"),
        ("f()", "f()"),
        ("sum(list.field)", "sum(list.field)"),
        ("transport.config.device.vectors != 0", "(transport.config.device.vectors != 0)"),
        ("(le16(config, msix + 2) & 0x7ff) + 1", "((le16(config, (msix + 2)) & 2047) + 1)"),
        ('bus == "pci" and true', '((bus == "pci") and true)'),
        ("false and unknown", "(false and unknown)"),
        ("((a))", "a"),
        ("a[b[c]][0]", "a[b[c]][0]"),
    ],
)
def test_trees(text: str, tree: str | None) -> None:
    expr, reporter = parse(text)
    if tree is None:
        assert expr is None
        return
    assert not reporter.diagnostics
    assert expr is not None
    assert shown(expr) == tree


@pytest.mark.parametrize(
    ("text", "column", "end", "rule", "message", "help"),
    [
        ("a && b", 3, 5, "expr/operator", "`&&` is not an operator here", "write `and`"),
        ("a || b", 3, 5, "expr/operator", "`||` is not an operator here", "write `or`"),
        ("a and !b", 7, 8, "expr/operator", "`!` is not an operator here", "write `not`"),
        (
            "a / 8",
            3,
            4,
            "expr/operator",
            "`/` is not an operator here",
            "write `//`: division of integers, rounded down",
        ),
        ("a ? b : c", 3, 4, "expr/operator", "`? :` is not an operator here", "write `b if a else c` for `a ? b : c`"),
        ("2 ** 8", 3, 5, "expr/operator", "`**` is not an operator here", "a power of two is `1 << n`"),
        ("a === b", 3, 6, "expr/operator", "`===` is not an operator here", "write `==`"),
        ("a <> b", 3, 5, "expr/operator", "`<>` is not an operator here", "write `!=`"),
        ("a->b", 2, 4, "expr/operator", "`->` is not an operator here", "write `.`"),
        ("a is b", 3, 5, "expr/operator", "`is` is not an operator here", "write `==`"),
        ("a not in (1, 2)", 3, 9, "expr/operator", "`not in` is not an operator here", "write `not x in (...)`"),
        ("a = b", 3, 4, "expr/operator", "`=` compares nothing", "write `==`"),
        ("--a", 1, 3, "expr/operator", "`--` is not an operator here", "write `- 1`"),
        ("a++", 2, 4, "expr/operator", "`++` is not an operator here", "write `+ 1`"),
        ("1...3", 2, 5, "expr/operator", "`...` is not an operator here", "a range is `low..high`"),
        ("+a", 1, 2, "expr/syntax", "a sign `+` is not part of the language", "leave it out"),
        ("a b", 3, 4, "expr/syntax", "expected the end of the line, found `b`", None),
        ("a +", 4, 5, "expr/syntax", "expected a value, found the end of the line", None),
        ("(a + b", 1, 2, "expr/syntax", "this `(` is never closed", None),
        ("len(a", 4, 5, "expr/syntax", "this `(` is never closed", None),
        ("a[1", 2, 3, "expr/syntax", "this `[` is never closed", None),
        ("a)", 2, 3, "expr/syntax", "`)` closes nothing", None),
        ("f(a b)", 5, 6, "expr/syntax", "expected `)`, found `b`", None),
        ("f(a,)", 5, 6, "expr/syntax", "expected a value, found `)`", None),
        ("a.1", 3, 4, "expr/syntax", "expected a name behind `.`, found `1`", None),
        ("a.f(1)", 4, 5, "expr/syntax", "`f` is no function", "functions have no dots"),
        ("1..3", 2, 4, "expr/syntax", "a range stands behind `in`", "write `x in low..high`"),
        ("a if b", 3, 5, "expr/syntax", "this `if` has no `else`", "write `b if a else c`"),
        (
            "a in 3",
            6,
            7,
            "expr/syntax",
            "`in` takes a range, a set or a list constant",
            "write `x in 1..3` or `x in (1, 2)`",
        ),
        (
            "a in b.c",
            6,
            9,
            "expr/syntax",
            "`in` takes a range, a set or a list constant",
            "write `x in 1..3` or `x in (1, 2)`",
        ),
        ("a in [1, 2]", 6, 7, "expr/syntax", "a set stands in parentheses", "write `x in (1, 2)`"),
        ("a < b in (1, 2)", 7, 9, "expr/syntax", "`in` does not chain with comparisons", "join them with `and`"),
        ("a in 1..2 == b", 11, 13, "expr/syntax", "`in` does not chain with comparisons", "join them with `and`"),
        ("a == True", 6, 10, "expr/syntax", "`True` is not a value", "write `true`"),
        ("a != NULL", 6, 10, "expr/syntax", "`NULL` is not a value", "presence is asked by `has(field)`"),
        ("a == and", 6, 9, "expr/syntax", "expected a value, found `and`", None),
        ("a == == b", 6, 8, "expr/syntax", "expected a value, found `==`", None),
        ("a, b", 2, 3, "expr/syntax", "expected the end of the line, found `,`", None),
    ],
)
def test_errors(text: str, column: int, end: int, rule: str, message: str, help: str | None) -> None:
    expr, reporter = parse(text)
    assert expr is None
    (found,) = reporter.diagnostics
    # the value begins in column 4
    assert (found.span.column - 3, found.span.end_column - 3) == (column, end)
    assert (found.rule, found.message, found.help) == (rule, message, help)


def test_columns_in_folded_lines() -> None:
    reporter = Reporter()
    root = read(SourceFile("a.yaml", "k: a + b\n      and c\n      && d"), reporter)
    assert isinstance(root, Mapping)
    value = root.entries[0][1]
    assert isinstance(value, Scalar)
    assert parse_expression(value, reporter) is None
    assert [str(d.span) for d in reporter.diagnostics] == ["a.yaml:3:7"]


def test_spans_of_nodes() -> None:
    expr, _ = parse("a.b + len(c)")
    assert isinstance(expr, syntax.BinaryExpr)
    assert (expr.span.column, expr.span.end_column) == (4, 16)
    assert isinstance(expr.left, syntax.MemberExpr)
    assert (expr.left.name_span.column, expr.left.name_span.end_column) == (6, 7)
    assert (expr.right.span.column, expr.right.span.end_column) == (10, 16)


def test_start_of_a_keyword_key() -> None:
    reporter = Reporter()
    root = read(SourceFile("a.yaml", "when n == 2:\n  - a: b"), reporter)
    assert isinstance(root, Mapping)
    expr = parse_expression(root.entries[0][0], reporter, 5)
    assert isinstance(expr, syntax.CompareExpr)
    assert (expr.span.column, expr.span.end_column) == (6, 12)
    root = read(SourceFile("a.yaml", "when n = 2:\n  - a: b"), reporter)
    assert isinstance(root, Mapping)
    assert parse_expression(root.entries[0][0], reporter, 5) is None
    assert [str(d.span) for d in reporter.diagnostics] == ["a.yaml:1:8"]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "a" + ")" * 3000,
        "- " * 2000 + "a",
        "not " * 2000 + "a",
        "a[" * 1000,
        "f(" * 1000,
        "a in (" * 1000,
        "1 if a else " * 600 + "2",
        "+".join(["a"] * 2000),
        " and ".join(["a"] * 1000),
        ".".join(["a"] * 2000),
        "a" + "[0]" * 1000,
    ],
)
def test_depth_is_bounded(text: str) -> None:
    expr, reporter = parse(text)
    assert expr is None
    (found,) = reporter.diagnostics
    assert found.message in (
        f"more than {MAX_DEPTH} levels of nesting",
        f"more than {MAX_DEPTH} operators in a row",
    )


def test_long_flat_expressions_are_allowed() -> None:
    expr, _ = parse(f"a in ({', '.join(map(str, range(500)))})")
    assert expr is not None
    expr, _ = parse(" or ".join(["a"] * MAX_DEPTH))
    assert expr is not None


_TOKENS = """
a b it 0 1 8.0 0xff "t" true unknown + - * // / % & | ^ ~ ! << >> == != < <= and or not in if else . ..
( ) [ ] , ? : && len has = -> is
"""
_WORDS = st.sampled_from(_TOKENS.split())


@given(st.lists(_WORDS, max_size=25).map(" ".join))
def test_random_tokens_give_a_tree_or_one_finding(text: str) -> None:
    expr, reporter = parse(text)
    assert len(reporter.diagnostics) == (1 if expr is None else 0)
    if expr is not None:
        assert shown(expr)
        assert (expr.span.column, expr.span.end_column) <= (len(text) + 4, len(text) + 4)


@given(st.text(max_size=40))
def test_random_text_gives_a_tree_or_one_finding(text: str) -> None:
    expr, reporter = parse(text)
    assert len(reporter.diagnostics) == (1 if expr is None else 0)
