"""The type names that a definition writes, before any of them is looked up."""

from __future__ import annotations

from vmsgen.spec import syntax
from vmsgen.spec.declarations import DefinitionDecl, EntryDecl


def names_of_definition(decl: DefinitionDecl, names: dict[str, None]) -> None:
    for entries in (decl.entries, *(part for _, part in decl.parts)):
        names_of_entries(entries, names)
    for subsection in decl.subsections:
        names_of_definition(subsection, names)


def names_of_entries(entries: tuple[EntryDecl, ...], names: dict[str, None]) -> None:
    for entry in entries:
        inner = getattr(entry, "entries", None)
        if inner:
            names_of_entries(inner, names)
        line = getattr(entry, "line", None)
        if line is not None:
            names_of_type(line.type, names)
        for case in getattr(entry, "cases", None) or ():
            if case.type is not None:
                names_of_type(case.type, names)
            names_of_entries(case.entries or (), names)


def names_of_type(found: syntax.TypeExpr, names: dict[str, None]) -> None:
    match found:
        case syntax.NamedType():
            names.setdefault(found.name)
        case syntax.TreeType():
            names_of_type(found.key, names)
            names_of_type(found.value, names)
        case syntax.ListType() | syntax.ArrayType() | syntax.NullableType():
            names_of_type(found.element, names)
