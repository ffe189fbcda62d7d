"""What the printers of one class share: its scope, its arguments, Python types and zero values of its fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from vmsgen.emit.python.expressions import Compiler, constant, local_name
from vmsgen.emit.python.layout import bytes_literal, quote
from vmsgen.spec.expression import Ambient, Binary, Compare, Expression, Ref
from vmsgen.spec.model import Definition, Field, Group, Let, Model, Param, Step
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
    Pad,
    SizedInt,
    String,
    StructRef,
    Timer,
    Tree,
    Union,
    WireType,
)

#: Python types of values that scopes pass on.
_VALUE_TYPES = {"int": "int", "bool": "bool", "text": "str", "bytes": "bytes", "endian": "str", "ints": "list[int]"}

STATE_KINDS = ("state", "section", "subsection")


@dataclass(frozen=True)
class ClassPlan:
    """One definition, seen by the printers of Python."""

    model: Model
    definition: Definition

    @cached_property
    def lets(self) -> tuple[Let, ...]:
        return tuple(step for step in flat(self.definition.steps) if isinstance(step, Let))

    @cached_property
    def exported(self) -> frozenset[str]:
        """Lets that the object carries."""
        return frozenset(let.name for let in self.lets if let.exported)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Fields that are on the wire in some version."""
        return tuple(field for field in self.definition.fields() if not field.never)

    @cached_property
    def stored(self) -> tuple[Field, ...]:
        """Fields with an attribute: neither pads nor derived."""
        return tuple(f for f in self.fields if not isinstance(f.type, Pad) and f.derived is None)

    @property
    def is_state(self) -> bool:
        """Whether the class is a VMState: a section or a subsection, which knows its version."""
        return self.definition.kind in STATE_KINDS

    @property
    def is_view(self) -> bool:
        """Whether the class reads bytes for people and has no form on the wire."""
        return self.definition.kind == "view"

    @property
    def takes_version(self) -> bool:
        """Whether its functions get the version handed in (a nested struct that asks for it)."""
        return (
            not self.is_state
            and self.definition.uses_version
            and all(p.name != "version" for p in self.definition.captures)
        )

    def arguments(self) -> list[tuple[str, str]]:
        """Names and Python types of the scope that the functions of the class take."""
        found = [
            (local_name(p.name) if p.name != "version" else "version", self.param_type(p))
            for p in (*self.definition.params, *self.definition.captures)
        ]
        return [*found, ("version", "int")] if self.takes_version else found

    def param_type(self, param: Param) -> str:
        """The Python type of a parameter or captured value."""
        return _VALUE_TYPES.get(param.type, "Any")

    @cached_property
    def optional(self) -> dict[str, str]:
        """Fields that may be None, with what an expression takes for None: it stands for a value that is missing."""
        zeros = {"int": "0", "bool": "False", "float": "0.0", "bytes": 'b""', "str": '""'}
        found = {}
        for stored in self.stored:
            plain = self.python_type(stored.type)
            if self.field_type(stored) == f"{plain} | None":
                empty = f"{plain}()" if isinstance(stored.type, StructRef) else ""
                found[stored.name] = "[]" if plain.startswith("list") else zeros.get(plain, empty)
        return {name: zero for name, zero in found.items() if zero}

    def compiler(self, it: str = "it") -> Compiler:
        """A compiler for the functions of the class."""
        held = frozenset(
            stored.name
            for stored in self.stored
            if isinstance(stored.type, Union)
            or (isinstance(stored.type, StructRef) and self.field_type(stored).endswith(" | None"))
        )
        return Compiler(self.exported, it, self.optional, held)

    def class_name(self, identifier: str) -> str:
        """The name of a class, as the module of this definition calls it."""
        return self.model.definition(identifier).name

    def scope(self, reference: StructRef, compiler: Compiler) -> list[str]:
        """The arguments that a nested struct is called with, where this definition uses it."""
        target = self.model.definition(reference.definition)
        given = [compiler(argument) for argument in reference.arguments]
        given += [self.captured(param, compiler) for param in target.captures]
        plan = ClassPlan(self.model, target)
        if plan.takes_version:
            given.append(str(reference.at_version if reference.at_version is not None else target.version))
        return given

    def codec_scope(self, reference: StructRef, compiler: Compiler) -> list[str]:
        """As :meth:`scope`, for the straight-line code, where a state takes its version first."""
        target = self.model.definition(reference.definition)
        version = [] if target.kind not in STATE_KINDS else [str(reference.at_version or target.version)]
        return [*version, *self.scope(reference, compiler)]

    def is_tagged(self, reference: StructRef) -> bool:
        """Whether the elements of a list of it carry an APPLICATION tag of their own."""
        return self.model.definition(reference.definition).kind in ("state", "section")

    def is_optional(self, field: Field) -> bool:
        """Whether the attribute may be None where the wire has the field."""
        return self.field_type(field) == f"{self.python_type(field.type)} | None"

    def checked_value(self, field: Field, target: str) -> str:
        """What ``it`` is in the check of a field whose value stands in ``target``."""
        zero = self.optional.get(field.name) if target.startswith("self.") else None
        return f"{target} or {zero}" if zero is not None else target

    def captured(self, param: Param, compiler: Compiler) -> str:
        """A value that an inner definition captures, in the scope of this one."""
        name = param.name
        if name == "version":
            compiler.uses_version = True
            return "version"
        for field in self.definition.fields():
            if field.name == name:
                return compiler(Ref(name, "field" if field.derived is None else "derived", param.type, param.span))
        if any(let.name == name for let in self.lets):
            return compiler(Ref(name, "let", param.type, param.span))
        if name == "self" and all(each.name != name for each in self.definition.captures):
            return compiler(Ref(name, "view", param.type, param.span))
        return local_name(name)

    # ------------------------------------------------------------------ values

    def python_type(self, wire: WireType) -> str:
        """The type of a field's value, as a type checker sees it."""
        match wire:
            case Int() | SizedInt() | Timer() | Bitmap():
                return "int"
            case Bool():
                return "bool"
            case Float64():
                return "float"
            case Bytes():
                return "bytes"
            case String():
                return "str"
            case Pad():
                return "None"
            case StructRef(definition=identifier):
                return self.class_name(identifier)
            case Nullable(element=element):
                return f"{self.class_name(element.definition)} | None"
            case Array(element=element) | ListOf(element=element):
                return f"list[{self.python_type(element)}]"
            case Grid(element=element, sizes=sizes):
                return "list[" * len(sizes) + self.python_type(element) + "]" * len(sizes)
            case Tree(key=key, value=value):
                return f"list[tuple[{self.python_type(key)}, {self.python_type(value)}]]"
            case Union(cases=cases, otherwise=otherwise):
                names = [self.class_name(case.type.definition) for case in cases if case.type is not None]
                if isinstance(otherwise, StructRef):
                    names.append(self.class_name(otherwise.definition))
                return " | ".join([*dict.fromkeys(names), "None"])
            case Hook(type=inner):
                return self.python_type(inner)

    def field_type(self, field: Field) -> str:
        """The annotation of a field: its type, and None where the wire may not have it."""
        plain = self.python_type(field.type)
        if field.presence is None or field.default is not None or plain.endswith("None"):
            return plain
        return f"{plain} | None"

    def zero(self, wire: WireType) -> str | None:
        """The expression of a new value, or None for one whose default is None (pointers, unions)."""
        match wire:
            case Int() | SizedInt() | Bitmap():
                return "0"
            case Timer():
                return "-1"
            case Bool():
                return "False"
            case Float64():
                return "0.0"
            case Bytes(count=Fixed(value=value)):
                length = constant(value)
                return f"bytes({length})" if length else 'b""'
            case Bytes():
                return 'b""'
            case String():
                return '""'
            case StructRef(definition=identifier):
                return f"{self.class_name(identifier)}()"
            case Array(element=element, count=Fixed(value=value)):
                total = constant(value)
                return self._several(element, total) if total else "[]"
            case Grid(element=element, sizes=sizes):
                made: str | None = None
                for size in reversed(sizes):
                    number = constant(size)
                    if number is None:
                        return "[]"
                    made = self._several(element, number) if made is None else f"[{made} for _ in range({number})]"
                return made
            case Array() | ListOf() | Tree():
                return "[]"
            case Hook(type=inner):
                return self.zero(inner)
            case _:
                return None

    def _several(self, element: WireType, size: int) -> str:
        one = self.zero(element)
        if one is None:
            return f"[None] * {size}"
        if re.fullmatch(r"-?[\d.]+|False|\"\"|b\"\"|bytes\(\d+\)", one):
            return f"[{one}] * {size}"
        return f"[{one} for _ in range({size})]"

    def default(self, field: Field) -> str | None:
        """The declared default of a field as code."""
        return None if field.default is None else literal(field.default, field.type)

    def fallback(self, field: Field) -> str | None:
        """What is written for None: the declared default; zero for a scalar that only the version gates."""
        declared = self.default(field)
        if declared is not None or field.presence is None:
            return declared
        if only_version(field.presence) and isinstance(field.type, (Int, SizedInt, Timer, Bool, Float64, Bitmap)):
            return self.zero(field.type)
        return None


def only_version(condition: Expression) -> bool:
    """Whether a condition is about the version alone."""
    match condition:
        case Binary(operator="and", left=left, right=right):
            return only_version(left) and only_version(right)
        case Compare(operands=operands):
            return any(
                (isinstance(o, Ambient) and o.name == "version") or (isinstance(o, Ref) and o.name == "version")
                for o in operands
            ) and all(isinstance(o, (Ambient, Ref)) or constant(o) is not None for o in operands)
        case _:
            return False


def literal(value: int | bool | str | float, wire: WireType) -> str:
    """A declared default as code, of the type that the field has."""
    if isinstance(value, str):
        return bytes_literal(value.encode()) if isinstance(wire, Bytes) else quote(value)
    if isinstance(wire, Float64):
        return repr(float(value))
    if isinstance(wire, Bool):
        return repr(bool(value))
    return repr(value)


def flat(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Every step that is no group, in order."""
    for step in steps:
        if isinstance(step, Group):
            yield from flat(step.steps)
        else:
            yield step
