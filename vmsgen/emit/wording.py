"""Types and expressions of the model in the words of the spec language, for schemas, pages and the JSON model."""

from __future__ import annotations

from typing import TypeAlias

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
    It,
    Member,
    Mine,
    PropRef,
    Ref,
    Unary,
    Unknown,
    ValueType,
)
from vmsgen.spec.model import Field, Model
from vmsgen.spec.wire_types import (
    Array,
    Bitmap,
    Bool,
    Bytes,
    Fixed,
    Float64,
    Grid,
    Hook,
    Int,
    ListOf,
    Nullable,
    Order,
    Pad,
    Prefixed,
    SizedInt,
    String,
    StructRef,
    Through,
    Timer,
    Tree,
    Union,
    Until,
    WireType,
)

Count: TypeAlias = Fixed | Prefixed | Until | Through

#: How tightly each operator binds; an operand that binds less gets parentheses.
_BINDING = {
    "or": 2,
    "and": 3,
    "not": 4,
    "compare": 5,
    "|": 6,
    "^": 7,
    "&": 8,
    "<<": 9,
    ">>": 9,
    "+": 10,
    "-": 10,
    "*": 11,
    "//": 11,
    "%": 11,
    "sign": 12,
    "member": 13,
}
_ATOM = 14


def expression_text(expression: Expression) -> str:
    """The expression as a spec would write it, on one line."""
    return _worded(expression)[0]


def _operand(expression: Expression, at_least: int) -> str:
    text, binding = _worded(expression)
    return text if binding >= at_least else f"({text})"


def _worded(expression: Expression) -> tuple[str, int]:
    """Text and how tightly it binds."""
    match expression:
        case Const(value=value, type=kind):
            return _constant(value, kind), _ATOM if not isinstance(value, int) or value >= 0 else _BINDING["sign"]
        case Ref(name=name) | Ambient(name=name):
            return name, _ATOM
        case PropRef(name=name):
            return f"props.{name}", _ATOM
        case Unknown():
            return "unknown", _ATOM
        case It():
            return "it", _ATOM
        case Mine():
            return "mine", _ATOM
        case Member(base=base, name=name):
            return f"{_operand(base, _BINDING['member'])}.{name}", _BINDING["member"]
        case Index(base=base, index=index):
            return f"{_operand(base, _BINDING['member'])}[{expression_text(index)}]", _BINDING["member"]
        case Unary(operator="not", operand=operand):
            return f"not {_operand(operand, _BINDING['not'])}", _BINDING["not"]
        case Unary(operator=sign, operand=operand):
            inner = _operand(operand, _BINDING["sign"])
            # two signs in a row would read as an operator of C
            return f"{sign}({inner})" if inner.startswith("-") else f"{sign}{inner}", _BINDING["sign"]
        case Binary(operator=operator, left=left, right=right):
            binding = _BINDING[operator]
            return f"{_operand(left, binding)} {operator} {_operand(right, binding + 1)}", binding
        case Compare(operands=operands, operators=operators):
            above = _BINDING["compare"] + 1
            text = _operand(operands[0], above)
            for operator, operand in zip(operators, operands[1:], strict=True):
                text += f" {operator} {_operand(operand, above)}"
            return text, _BINDING["compare"]
        case InRange(value=value, low=low, high=high):
            above = _BINDING["compare"] + 1
            return f"{_operand(value, above)} in {_operand(low, above)}..{_operand(high, above)}", _BINDING["compare"]
        case InSet(value=value, items=items):
            listed = ", ".join(expression_text(item) for item in items)
            return f"{_operand(value, _BINDING['compare'] + 1)} in ({listed})", _BINDING["compare"]
        case Conditional(test=test, then=then, other=other):
            return f"{_operand(then, 2)} if {_operand(test, 2)} else {_operand(other, 1)}", 1
        case Call(function=function, arguments=arguments):
            return f"{function}({', '.join(expression_text(argument) for argument in arguments)})", _ATOM


def _constant(value: int | bool | str | tuple[int, ...], kind: ValueType) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ".".join(map(str, value)) if kind == "release" else f"({', '.join(map(str, value))})"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)


def number_text(type_: Int) -> str:
    """``uint32``, ``int8``."""
    return f"{'' if type_.signed else 'u'}int{type_.bits}"


def _order_text(order: Order) -> str:
    return "" if order == "big" else f" {order}-endian"


def count_text(count: Count) -> str:
    """What stands between the brackets."""
    match count:
        case Fixed(value=value):
            return expression_text(value)
        case Prefixed(type=prefix):
            return number_text(prefix)
        case Until(type=mark, value=value):
            return f"until {number_text(mark)} {expression_text(value)}"
        case Through(condition=condition):
            return f"through {expression_text(condition)}"


def type_text(model: Model, type_: WireType) -> str:
    """The type as a field line would write it, its byte order and labels included."""
    stem, clauses = _type(model, type_)
    return stem + clauses


def _type(model: Model, type_: WireType) -> tuple[str, str]:
    """The type, and the clauses that stand behind it (byte order, labels)."""
    match type_:
        case Int(order=order, labels=labels):
            named = f" as {labels.name}" if labels is not None else ""
            return number_text(type_), (_order_text(order) if type_.bits > 8 else "") + named
        case SizedInt(bits=bits, order=order):
            return f"uint({expression_text(bits)})", _order_text(order)
        case Bool():
            return "bool", ""
        case Float64(order=order):
            return "float64", _order_text(order)
        case Timer(order=order):
            return "timer", _order_text(order)
        case Bytes(count=count):
            return f"bytes[{count_text(count)}]", ""
        case String(count=count):
            return f"string[{count_text(count)}]", ""
        case Pad(count=count):
            return f"pad[{count_text(count)}]", ""
        case Bitmap(count=count, order=order):
            return f"bitmap[{count_text(count)}]", _order_text(order)
        case StructRef(definition=identifier, arguments=arguments, at_version=version):
            given = f"({', '.join(expression_text(argument) for argument in arguments)})" if arguments else ""
            return model.definition(identifier).name + given, f" at-version {version}" if version is not None else ""
        case Nullable(element=element):
            stem, clauses = _type(model, element)
            return f"{stem}?", clauses
        case Array(element=element, count=count):
            stem, clauses = _type(model, element)
            return f"{stem}[{count_text(count)}]", clauses
        case Grid(element=element, sizes=sizes):
            stem, clauses = _type(model, element)
            return f"{stem}[{', '.join(expression_text(size) for size in sizes)}]", clauses
        case ListOf(element=element):
            return f"list({type_text(model, element)})", ""
        case Tree(key=key, value=value):
            return f"tree({type_text(model, key)}, {type_text(model, value)})", ""
        case Union(selector=selector):
            return f"union({expression_text(selector)})", ""
        case Hook(name=name):
            return f"hook({name})", ""


def presence_text(field: Field) -> str:
    """When the field is on the wire: empty if always, ``never`` for one that QEMU declares and does not send."""
    if field.never:
        return "never"
    return "" if field.presence is None else when_text(field.presence)


def when_text(condition: Expression) -> str:
    """A condition as clauses of a field line: ``since 2 when x != 0``; versions first."""
    versions: list[str] = []
    others: list[str] = []
    for part in _conjuncts(condition):
        clause = _version_clause(part)
        if clause is None:
            others.append(_operand(part, _BINDING["and"]))
        else:
            versions.append(clause)
    if others:
        versions.append("when " + " and ".join(others))
    return " ".join(versions)


def _conjuncts(condition: Expression) -> list[Expression]:
    if isinstance(condition, Binary) and condition.operator == "and":
        return _conjuncts(condition.left) + _conjuncts(condition.right)
    return [condition]


def _version_clause(condition: Expression) -> str | None:
    match condition:
        case Compare(operands=(Ambient(name="version"), Const(value=int(number))), operators=(">=",)):
            return f"since {number}"
        case Compare(operands=(Ambient(name="version"), Const(value=int(number))), operators=("<=",)):
            return f"until {number}"
    return None
