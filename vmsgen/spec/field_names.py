"""The Python names of the entries of a definition, known before anything else about them."""

from __future__ import annotations

from vmsgen.diagnostics import Note, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec import syntax
from vmsgen.spec.declarations import EntryDecl, FieldDecl, GroupDecl, LetDecl
from vmsgen.spec.names import asn1_field_name, python_name
from vmsgen.spec.scope import Scope


class FieldNames:
    """Enters names into scopes."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter

    def declare(self, entries: tuple[EntryDecl, ...], scope: Scope) -> None:
        """Put every name of a definition into ``scope.declared``; two alike are an error."""
        for entry in entries:
            match entry:
                case GroupDecl():
                    self.declare(entry.entries, scope)
                case LetDecl():
                    self._declare(entry.name, f"let {entry.name}", entry.name_span, scope)
                case FieldDecl() if not is_pad(entry):
                    name = field_name(entry, scope)
                    self._declare(name, entry.key.text, entry.span, scope)

    def names_of(self, entries: tuple[EntryDecl, ...], scope: Scope) -> dict[str, Span]:
        """The names that entries give their definition, with their places."""
        found: dict[str, Span] = {}
        for entry in entries:
            match entry:
                case GroupDecl():
                    found.update(self.names_of(entry.entries, scope))
                case LetDecl():
                    found[entry.name] = entry.name_span
                case FieldDecl() if not is_pad(entry):
                    found[field_name(entry, scope)] = entry.span
        return found

    def _declare(self, name: str, shown: str, span: Span, scope: Scope) -> None:
        if name in scope.symbols and scope.symbols[name].source == "param":
            self.reporter.error(
                "name/shadow",
                f"`{shown}` is called `{name}` like a parameter",
                span,
                help=_other_name(shown),
                notes=[Note("the parameter", scope.symbols[name].span)],
            )
        elif name in scope.declared:
            self.reporter.error(
                "name/collision",
                f"`{shown}` and another entry of {scope.class_name} are both called `{name}`",
                span,
                help=_other_name(shown),
                notes=[Note("the other one", scope.declared[name])],
            )
        else:
            scope.declared[name] = span


def is_pad(entry: FieldDecl) -> bool:
    """Whether a field has no attribute, so that its name need not be unique."""
    line = entry.line
    return (
        line is not None
        and isinstance(line.type, syntax.SizedType)
        and line.type.name == "pad"
        and entry.as_name is None
    )


def field_name(entry: FieldDecl, scope: Scope) -> str:
    """The Python name of a field."""
    return python_name(entry.as_name.text) if entry.as_name is not None else scope.python_name(entry.key.text)


def free_name(name: str, scope: Scope) -> str:
    """``name``, or the first of ``name_2``, ``name_3`` ... that nothing else has, neither in Python nor in ASN.1."""
    taken = {asn1_field_name(each).casefold() for each in (*scope.declared, *scope.symbols)}
    candidate, number = name, 1
    while asn1_field_name(candidate).casefold() in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def _other_name(shown: str) -> str:
    """How to mend a name that is taken."""
    return "give the let another name" if shown.startswith("let ") else "give it another name with `as:`"
