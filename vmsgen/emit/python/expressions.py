"""Expressions of the model as Python, over one function's scope.

Fields are attributes of ``self``; lets, derived values, parameters and captured values are local names; facts are
asked of ``f``.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Mapping
from typing import Final

from vmsgen.emit.python.layout import quote
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
)

#: Names that generated functions use themselves.
OWN_NAMES: Final = frozenset(
    [
        "self",
        "cls",
        "v",
        "f",
        "d",
        "p",
        "e",
        "q",
        "n",
        "x",
        "out",
        "version",
        "item",
        "items",
        "end",
        "state",
        "value",
        "content",
        "tag",
        "size",
        "count",
        "data",
        "last",
        "at",
        "align",
        "shift_left",
        "shift_right",
        "le16",
        "le32",
        "le64",
        "be16",
        "be32",
        "be64",
        "pci_capability",
        "Any",
        "ber",
        "struct",
    ]
)

_BINDING: Final = {
    "or": 2, "and": 3, "not": 4, "compare": 5, "|": 6, "^": 7, "&": 8, "<<": 9, ">>": 9, "+": 10, "-": 10, "*": 11,
    "//": 11, "%": 11, "sign": 12,
}  # fmt: skip
_ATOM: Final = 14
_FUNCTIONS: Final = frozenset(["align", "le16", "le32", "le64", "be16", "be32", "be64", "pci_capability"])


def local_name(name: str) -> str:
    """A local variable for a name of a spec."""
    taken = name in OWN_NAMES or keyword.iskeyword(name) or hasattr(builtins, name)
    return f"{name}_" if taken else name


def prop_name(name: str) -> str:
    """The module constant of a prop."""
    return name.upper()


def uses_mine(expression: Expression) -> bool:
    """Whether the expression depends on the machine that loads."""
    return any(isinstance(part, Mine) for part in parts(expression))


def parts(expression: Expression) -> list[Expression]:
    """The expression and everything below it."""
    found: list[Expression] = [expression]
    match expression:
        case Member(base=base):
            found += parts(base)
        case Index(base=base, index=index):
            found += parts(base) + parts(index)
        case Unary(operand=operand):
            found += parts(operand)
        case Binary(left=left, right=right):
            found += parts(left) + parts(right)
        case Compare(operands=operands):
            found += [part for operand in operands for part in parts(operand)]
        case InRange(value=value, low=low, high=high):
            found += parts(value) + parts(low) + parts(high)
        case InSet(value=value, items=items):
            found += parts(value) + [part for item in items for part in parts(item)]
        case Conditional(test=test, then=then, other=other):
            found += parts(test) + parts(then) + parts(other)
        case Call(arguments=arguments):
            found += [part for argument in arguments for part in parts(argument)]
        case _:
            pass
    return found


def constant(expression: Expression) -> int | None:
    """The value of an expression over constants alone, else None."""
    match expression:
        case Const(value=bool()):
            return None
        case Const(value=int(value)):
            return value
        case Unary(operator="-", operand=operand):
            inner = constant(operand)
            return None if inner is None else -inner
        case Binary(operator="+" | "-" | "*" as operator, left=left, right=right):
            a, b = constant(left), constant(right)
            if a is None or b is None:
                return None
            return a + b if operator == "+" else a - b if operator == "-" else a * b
        case _:
            return None


class Compiler:
    """Compiles expressions for one function. ``exported``: lets that the object carries; ``it``: the name of the
    value checked.
    """

    def __init__(
        self,
        exported: frozenset[str] = frozenset(),
        it: str = "it",
        optional: Mapping[str, str] | None = None,
        held: frozenset[str] = frozenset(),
    ) -> None:
        self.exported = exported
        #: fields that may be None, and what stands for None in an expression
        self.optional = optional or {}
        #: fields that hold a struct of one kind or another, or none: the condition around an expression tells
        self.held = held
        self.it = it
        #: what the code needs: functions of vmsgen.runtime.functions, props (module, name)
        self.functions: set[str] = set()
        self.props: set[tuple[str, str]] = set()
        self.uses_facts = False
        self.uses_version = False

    def __call__(self, expression: Expression) -> str:
        return self._code(expression)[0]

    def condition(self, expression: Expression) -> str:
        """As the test of an ``if``."""
        return self(expression)

    def _operand(self, expression: Expression, at_least: int) -> str:
        text, binding = self._code(expression)
        return text if binding >= at_least else f"({text})"

    def name(self, ref: Ref) -> str:
        """A name of the scope."""
        if ref.source == "field" or (ref.source == "let" and ref.name in self.exported):
            return f"self.{ref.name}"
        if ref.source == "view":
            return "self._bytes"
        if ref.source == "capture" and ref.name == "version":
            self.uses_version = True
            return "version"
        return local_name(ref.name)

    def _code(self, expression: Expression) -> tuple[str, int]:
        match expression:
            case Const(value=value):
                if isinstance(value, str):
                    return quote(value), _ATOM
                if isinstance(value, tuple):
                    return f"({', '.join(map(str, value))})", _ATOM
                return repr(value), _ATOM if not isinstance(value, int) or value >= 0 else _BINDING["sign"]
            case Ref(name=name, source=source):
                code = self.name(expression)
                if source == "field" and name in self.held:
                    self.functions.add("chosen")
                    return f"chosen({code})", _ATOM
                if source == "field" and name in self.optional:
                    return f"{code} or {self.optional[name]}", _BINDING["or"]
                return code, _ATOM
            case Member(base=base, name=name):
                return f"{self._operand(base, _ATOM)}.{name}", _ATOM
            case Index(base=base, index=index):
                self.functions.add("at")
                return f"at({self(base)}, {self(index)})", _ATOM
            case Ambient(name=name, type=kind):
                return self._ambient(name, kind), _ATOM
            case PropRef(module=module, name=name):
                self.props.add((module, name))
                self.uses_facts = True
                return f"f.ask({prop_name(name)})", _ATOM
            case Unknown(question=question, type=kind):
                self.uses_facts = True
                return f"f.unknown({quote(question)}, {quote(kind)})", _ATOM
            case It():
                return self.it, _BINDING["or"] if " or " in self.it else _ATOM
            case Mine():
                raise AssertionError("what depends on the loading machine is not compiled")
            case Unary(operator="not", operand=InSet(value=value, items=items)):
                return f"{self._operand(value, _BINDING['compare'] + 1)} not in {self._tuple(items)}", _BINDING[
                    "compare"
                ]
            case Unary(operator="not", operand=operand):
                return f"not {self._operand(operand, _BINDING['not'])}", _BINDING["not"]
            case Unary(operator=sign, operand=operand):
                return f"{sign}{self._operand(operand, _BINDING['sign'])}", _BINDING["sign"]
            case Binary():
                return self._binary(expression)
            case Compare(operands=operands, operators=operators):
                above = _BINDING["compare"] + 1
                text = self._operand(operands[0], above)
                for operator, operand in zip(operators, operands[1:], strict=True):
                    text += f" {operator} {self._operand(operand, above)}"
                return text, _BINDING["compare"]
            case InRange(value=value, low=low, high=high):
                above = _BINDING["compare"] + 1
                text = f"{self._operand(low, above)} <= {self._operand(value, above)} <= {self._operand(high, above)}"
                return text, _BINDING["compare"]
            case InSet(value=value, items=items):
                return f"{self._operand(value, _BINDING['compare'] + 1)} in {self._tuple(items)}", _BINDING["compare"]
            case Conditional(test=test, then=then, other=other):
                return f"{self._operand(then, 2)} if {self._operand(test, 2)} else {self._operand(other, 1)}", 1
            case Call():
                return self._call(expression)

    def _tuple(self, items: tuple[Expression, ...]) -> str:
        return f"({', '.join(self(item) for item in items)}{',' if len(items) == 1 else ''})"

    def _ambient(self, name: str, kind: str) -> str:
        if name == "version":
            self.uses_version = True
            return "version"
        self.uses_facts = True
        if name == "qemu":
            return "f.qemu"
        if name == "target.long_bits":
            return "f.long_bits"
        if name == "host_endian":
            return "f.host_endian"
        return f"f.ambient({quote(name)}, {quote(kind)})"

    def _binary(self, expression: Binary) -> tuple[str, int]:
        operator = expression.operator
        if operator in ("<<", ">>"):
            by = constant(expression.right)
            if by is None or not 0 <= by <= 64:
                function = "shift_left" if operator == "<<" else "shift_right"
                self.functions.add(function)
                return f"{function}({self(expression.left)}, {self(expression.right)})", _ATOM
        binding = _BINDING[operator]
        left = self._operand(expression.left, binding)
        return f"{left} {operator} {self._operand(expression.right, binding + 1)}", binding

    def _call(self, expression: Call) -> tuple[str, int]:
        function, arguments = expression.function, expression.arguments
        if function == "has":
            held = self.name(arguments[0]) if isinstance(arguments[0], Ref) else self._operand(arguments[0], _ATOM)
            return f"{held} is not None", _BINDING["compare"]
        if function == "sum":
            member = arguments[0]
            if isinstance(member, Member):
                return f"sum(item.{member.name} for item in {self(member.base)})", _ATOM
        if function in _FUNCTIONS:
            self.functions.add(function)
        return f"{function}({', '.join(self(argument) for argument in arguments)})", _ATOM
