"""Expressions after name resolution: typed, closed over their scope, ready to be compiled.

A :class:`Ref` names something by what it is (a field of this definition, a let, a parameter, or a value captured from
an enclosing definition), so an emitter needs no scope. Constants and enum members are folded into literals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from vmsgen.diagnostics import Span

#: Types of expressions; ``struct`` and ``structs`` (array of structs) stand only as the base of a member, or in
#: ``len``, ``has`` and ``sum``.
ValueType: TypeAlias = Literal[
    "int", "bool", "text", "bytes", "release", "endian", "ints", "bools", "texts", "struct", "structs", "list"
]


@dataclass(frozen=True, slots=True)
class Const:
    """A folded constant: int, bool, str, a release as a tuple of ints, or a tuple of ints (a list constant)."""

    value: int | bool | str | tuple[int, ...]
    type: ValueType
    span: Span


@dataclass(frozen=True, slots=True)
class Ref:
    """A name in scope, by its Python name.

    ``source``: ``field`` (stored in this object), ``derived`` (a field of this definition without storage: the value
    read or computed), ``let``, ``param``, ``capture`` (handed in from an enclosing definition; listed in
    ``Definition.captures``), ``view`` (``self``: the bytes that this view reads).
    """

    name: str
    source: Literal["field", "derived", "let", "param", "capture", "view"]
    type: ValueType
    span: Span


@dataclass(frozen=True, slots=True)
class Member:
    """A field or let of a struct-valued expression."""

    base: Expression
    name: str
    type: ValueType
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    """A byte of bytes, an element of an array. Reading outside is a data error."""

    base: Expression
    index: Expression
    type: ValueType
    span: Span


@dataclass(frozen=True, slots=True)
class Ambient:
    """``version``, ``qemu``, ``target.arch``, ``target.long_bits``, ``target.big_endian``, ``section.bus``,
    ``section.instance``, ``machine.name``, ``machine.release``, ``host_endian``."""

    name: str
    type: ValueType
    span: Span


@dataclass(frozen=True, slots=True)
class PropRef:
    """``props.NAME``; ``module`` is the path of the spec that declares it (``ide/ahci``)."""

    module: str
    name: str
    type: ValueType
    span: Span


@dataclass(frozen=True, slots=True)
class Unknown:
    """``unknown``, asked under the name ``question`` (``STATE.FIELD``)."""

    question: str
    type: ValueType
    span: Span


@dataclass(frozen=True, slots=True)
class It:
    """The value checked, or the element of ``through``."""

    type: ValueType
    span: Span


@dataclass(frozen=True, slots=True)
class Mine:
    """The value that the loading machine has; unknown offline."""

    type: ValueType
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    operator: Literal["-", "~", "not"]
    operand: Expression
    type: ValueType
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic and bit operators, and ``and`` / ``or``."""

    operator: str
    left: Expression
    right: Expression
    type: ValueType
    span: Span


@dataclass(frozen=True, slots=True)
class Compare:
    operands: tuple[Expression, ...]
    operators: tuple[str, ...]
    span: Span
    type: ValueType = "bool"


@dataclass(frozen=True, slots=True)
class InRange:
    value: Expression
    low: Expression
    high: Expression
    span: Span
    type: ValueType = "bool"


@dataclass(frozen=True, slots=True)
class InSet:
    """``value in (a, b)`` and ``value in LIST`` (the list folded into constants)."""

    value: Expression
    items: tuple[Expression, ...]
    span: Span
    type: ValueType = "bool"


@dataclass(frozen=True, slots=True)
class Conditional:
    test: Expression
    then: Expression
    other: Expression
    type: ValueType
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """``len min max align has sum le16 .. be64 pci_capability``.

    ``has`` takes one Ref; ``sum`` one Ref to an array of structs wrapped in a Member (``sum(list.field)``).
    """

    function: str
    arguments: tuple[Expression, ...]
    type: ValueType
    span: Span


Expression: TypeAlias = (
    Const
    | Ref
    | Member
    | Index
    | Ambient
    | PropRef
    | Unknown
    | It
    | Mine
    | Unary
    | Binary
    | Compare
    | InRange
    | InSet
    | Conditional
    | Call
)
