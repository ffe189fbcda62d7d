"""Expressions in words: what is printed is read back by the parser of the specs as the same tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmsgen.diagnostics import SourceFile, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.emit.wording import expression_text, type_text, when_text
from vmsgen.spec import syntax
from vmsgen.spec.expression import (
    Ambient,
    Binary,
    Call,
    Compare,
    Conditional,
    Const,
    Expression,
    Index,
    InRange,
    InSet,
    Member,
    PropRef,
    Ref,
    Unary,
    Unknown,
)
from vmsgen.spec.expression_parser import parse_expression
from vmsgen.spec.model import Model
from vmsgen.spec.nodes import Mapping, Scalar, read

SPAN = Span(SourceFile("device-specs/x.yaml", ""), 1, 1, 1, 1)
BINARY = ("|", "^", "&", "<<", ">>", "+", "-", "*", "//", "%")


def num(value: int) -> Const:
    return Const(value, "int", SPAN)


def ref(name: str) -> Ref:
    return Ref(name, "field", "int", SPAN)


def shape(expression: Expression) -> str:
    """The tree of the model with a pair of parentheses for every operator."""
    match expression:
        case Const(value=value):
            return (
                str(value).lower()
                if isinstance(value, bool)
                else f'"{value}"'
                if isinstance(value, str)
                else str(value)
            )
        case Ref(name=name):
            return name
        case PropRef(name=name):
            return f"props.{name}"
        case Unknown():
            return "unknown"
        case Member(base=base, name=name):
            return f"{shape(base)}.{name}"
        case Index(base=base, index=index):
            return f"{shape(base)}[{shape(index)}]"
        case Unary(operator=operator, operand=operand):
            return f"({operator} {shape(operand)})"
        case Binary(operator=operator, left=left, right=right):
            return f"({shape(left)} {operator} {shape(right)})"
        case Compare(operands=operands, operators=operators):
            return (
                "("
                + " ".join(f"{shape(a)} {o}" for a, o in zip(operands, (*operators, ""), strict=True)).rstrip()
                + ")"
            )
        case InRange(value=value, low=low, high=high):
            return f"({shape(value)} in {shape(low)}..{shape(high)})"
        case InSet(value=value, items=items):
            return f"({shape(value)} in ({', '.join(map(shape, items))}))"
        case Conditional(test=test, then=then, other=other):
            return f"({shape(then)} if {shape(test)} else {shape(other)})"
        case Call(function=function, arguments=arguments):
            return f"{function}({', '.join(map(shape, arguments))})"
    raise AssertionError(expression)


def parsed_shape(expr: syntax.Expr) -> str:
    """The same of a parsed tree."""
    match expr:
        case syntax.IntLiteral(value):
            return str(value)
        case syntax.BoolLiteral(value):
            return str(value).lower()
        case syntax.TextLiteral(value):
            return f'"{value}"'
        case syntax.UnknownLiteral():
            return "unknown"
        case syntax.NameExpr(name):
            return name
        case syntax.MemberExpr(base, name):
            return f"{parsed_shape(base)}.{name}"
        case syntax.IndexExpr(base, index):
            return f"{parsed_shape(base)}[{parsed_shape(index)}]"
        case syntax.UnaryExpr(operator, operand):
            return f"({operator} {parsed_shape(operand)})"
        case syntax.BinaryExpr(operator, left, right):
            return f"({parsed_shape(left)} {operator} {parsed_shape(right)})"
        case syntax.CompareExpr(operands, operators):
            parts = [f"{parsed_shape(a)} {o}" for a, o in zip(operands, (*operators, ""), strict=True)]
            return "(" + " ".join(parts).rstrip() + ")"
        case syntax.InRangeExpr(value, low, high):
            return f"({parsed_shape(value)} in {parsed_shape(low)}..{parsed_shape(high)})"
        case syntax.InSetExpr(value, items):
            return f"({parsed_shape(value)} in ({', '.join(map(parsed_shape, items))}))"
        case syntax.ConditionalExpr(test, then, other):
            return f"({parsed_shape(then)} if {parsed_shape(test)} else {parsed_shape(other)})"
        case syntax.CallExpr(function, arguments):
            return f"{function}({', '.join(map(parsed_shape, arguments))})"
    raise AssertionError(expr)


def parsed(text: str) -> str:
    """What the spec's parser makes of a text."""
    reporter = Reporter()
    node = read(SourceFile("x.yaml", f"a: >-\n  x or {text}\n"), reporter)
    assert isinstance(node, Mapping)
    value = node.entries[0][1]
    assert isinstance(value, Scalar)
    found = parse_expression(value, reporter, 5)
    assert found is not None, (text, reporter.diagnostics)
    return parsed_shape(found)


leaves: st.SearchStrategy[Expression] = st.one_of(
    st.integers(0, 99).map(num),
    st.sampled_from(["count", "x"]).map(ref),
    st.just(PropRef("ide/ahci", "ports", "int", SPAN)),
    st.just(Unknown("a.b", "int", SPAN)),
    st.booleans().map(lambda value: Const(value, "bool", SPAN)),
    st.just(Const("pci", "text", SPAN)),
)


def grown(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.one_of(
        st.builds(lambda o, a, b: Binary(o, a, b, "int", SPAN), st.sampled_from(BINARY), inner, inner),
        st.builds(lambda o, a, b: Binary(o, a, b, "bool", SPAN), st.sampled_from(("and", "or")), inner, inner),
        st.builds(lambda o, a: Unary(o, a, "int", SPAN), st.sampled_from(("-", "~", "not")), inner),
        st.builds(lambda a, b, c: Compare((a, b, c), ("<=", "<"), SPAN), inner, inner, inner),
        st.builds(lambda a, b: Compare((a, b), ("==",), SPAN), inner, inner),
        st.builds(lambda a, b, c: InRange(a, b, c, SPAN), inner, inner, inner),
        st.builds(lambda a, b: InSet(a, (b, num(1)), SPAN), inner, inner),
        st.builds(lambda a, b, c: Conditional(a, b, c, "int", SPAN), inner, inner, inner),
        st.builds(lambda a, b: Call("max", (a, b), "int", SPAN), inner, inner),
        st.builds(lambda a, b: Index(a, b, "int", SPAN), st.sampled_from(["buffer", "x"]).map(ref), inner),
        st.builds(lambda a: Member(a, "size", "int", SPAN), st.sampled_from(["part", "x"]).map(ref)),
    )


@given(st.recursive(leaves, grown, max_leaves=12))
def test_words_are_read_back_as_the_same_tree(expression: Expression) -> None:
    assert parsed(expression_text(expression)) == shape(expression)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (Compare((Ambient("version", "int", SPAN), num(2)), (">=",), SPAN), "since 2"),
        (Compare((Ambient("version", "int", SPAN), num(2)), ("<=",), SPAN), "until 2"),
        (Compare((Ambient("version", "int", SPAN), num(2)), ("==",), SPAN), "when version == 2"),
        (
            Binary(
                "and",
                Binary("or", ref("a"), ref("b"), "bool", SPAN),
                Compare((Ambient("version", "int", SPAN), num(3)), (">=",), SPAN),
                "bool",
                SPAN,
            ),
            "since 3 when (a or b)",
        ),
    ],
)
def test_conditions_as_clauses(expression: Expression, text: str) -> None:
    assert when_text(expression) == text


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [((7, 2), "release", "7.2"), ((10, 0, 1), "release", "10.0.1"), ((1, 2), "ints", "(1, 2)"), ("a", "text", '"a"')],
)
def test_constants(value: int | str | tuple[int, ...], kind: str, text: str) -> None:
    assert expression_text(Const(value, kind, SPAN)) == text  # type: ignore[arg-type]


def test_types_as_field_lines(nic: Model) -> None:
    fields = {field.name: type_text(nic, field.type) for field in nic.definition("acme/nic#Nic").fields()}
    assert fields["mode"] == "uint8 as Status"
    assert fields["names"] == "string[uint8][uint32]"
    assert fields["slots"] == "Bus?[2]"
    assert fields["table"] == "tree(uint64, Descriptor)"
    assert fields["cube"] == "uint32[2, 3, 4]"
    assert fields["width"] == "uint(target.long_bits)"
    assert fields["multicast"] == "bitmap[100]"
    assert fields["queue"] == "list(Descriptor)"
