"""Unions: their cases, each with its value and its struct."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from vmsgen.diagnostics import Note, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.declarations import CaseDecl, EntryDecl
from vmsgen.spec.expression import Compare, Const, Expression, ValueType
from vmsgen.spec.facts import conjuncts
from vmsgen.spec.names import python_name
from vmsgen.spec.place import Place
from vmsgen.spec.scope import Failed, ModuleScope
from vmsgen.spec.shapes import integer
from vmsgen.spec.types import TypePlace, Types
from vmsgen.spec.wire_types import Case, StructRef, Union


class Unions:
    """Resolves unions. ``inline`` makes the struct of a case that is a list of fields, ``constant`` looks one up."""

    def __init__(
        self,
        reporter: Reporter,
        constant: Callable[[str, ModuleScope], Const | None],
        inline: Callable[[TypePlace, tuple[EntryDecl, ...], Span], StructRef],
    ) -> None:
        self.reporter = reporter
        self.constant = constant
        self.inline = inline
        self.types: Types  # set once the types are there, which need the unions

    def union(self, at: TypePlace, selector: Expression, span: Span) -> Union:
        field = at.field
        if field is None or at.place.scope is None:
            self.reporter.error("type/union", "a union stands in a field line, it is no alias", span)
            raise Failed
        if not field.cases:
            self.reporter.error("type/union", "a union needs the attribute `cases`", span)
            raise Failed
        cases: list[Case] = []
        otherwise: StructRef | str | None = None
        places: dict[int | str, Span] = {}
        for declared in field.cases:
            if declared.is_else:
                otherwise = self._case(declared, at, at.place, "else") or "none"
                continue
            value = self._case_value(declared, selector.type, at.place)
            if value is None:
                continue
            if value in places:
                self.reporter.error(
                    "type/union",
                    f"the case {declared.label.text} stands twice",
                    declared.span,
                    notes=[Note("first here", places[value])],
                )
                continue
            places[value] = declared.span
            equal = Compare((selector, Const(value, selector.type, declared.span)), ("==",), declared.span)
            name = self._case_name(declared.label.text)
            other = next((case for case in cases if case.name == name), None)
            if other is not None:
                self.reporter.error(
                    "name/collision",
                    f"the cases {declared.label.text} and {other.value} are both called `{name}`",
                    declared.span,
                    notes=[Note("the other one", places[other.value])],
                )
                continue
            inner = at.place.knowing(conjuncts(equal, at.place.namer))
            cases.append(Case(name, value, self._case(declared, at, inner, name)))
        return Union(selector, tuple(cases), otherwise)  # type: ignore[arg-type]

    @staticmethod
    def _case_name(label: str) -> str:
        last = label.rpartition(".")[2]
        return f"case_{last.replace('-', 'minus_')}" if integer(last) is not None else python_name(last) or "case"

    def _case_value(self, declared: CaseDecl, kind: ValueType, place: Place) -> int | str | None:
        label = declared.label
        if kind == "text":
            return label.text
        value = integer(label.text)
        if value is not None:
            return value
        enum, dot, member = label.text.partition(".")
        entity = place.module.find(enum) if dot else None
        if entity is not None and entity.labels is not None:
            for number, _, name in entity.labels.members:
                if name == member:
                    return number
        constant = self.constant(label.text, place.module)
        if constant is not None and isinstance(constant.value, int):
            return constant.value
        self.reporter.error("type/union", f"the case `{label.text}` is no number, as the selector is", label.span)
        return None

    def _case(self, declared: CaseDecl, at: TypePlace, place: Place, name: str) -> StructRef | None:
        assert place.scope is not None
        if declared.entries is not None:
            return self.inline(replace(at, place=place, name=f"{at.name}_{name}"), declared.entries, declared.span)
        if declared.type is None:
            return None
        found = self.types.resolve(declared.type, replace(at, place=place, field=None))
        if not isinstance(found, StructRef):
            self.reporter.error(
                "type/union",
                "a case is a struct, a list of fields, or `none`",
                declared.type.span,
                help="put it into a struct",
            )
            raise Failed
        return found
