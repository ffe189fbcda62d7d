"""Printing: a :class:`SchemaModule` becomes text. Columns and line breaks are decided here; the template only
prints."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from vmsgen.emit.asn1.schema import AliasType, ChoiceType, Component, NamedType, SchemaModule
from vmsgen.emit.templates import Templates

_WIDTH = 118
#: Where trailing comments begin at the latest; types longer than that push theirs to the right.
_COMMENT_COLUMN = 60
_NARROWEST_COMMENT = 36


@dataclass(frozen=True, slots=True)
class TypeView:
    """One type assignment as lines."""

    about: tuple[str, ...]
    lines: tuple[str, ...]


def print_module(module: SchemaModule, templates: Templates) -> str:
    """The module's text, through ``templates/asn1/module.asn1.j2``."""
    return templates.render(
        "asn1/module.asn1.j2",
        name=module.name,
        source=module.source,
        about=_wrapped(module.about),
        exports=_clause("EXPORTS ", ", ".join(module.exports)),
        imports=_imports(module),
        types=tuple(type_view(type_) for type_ in module.types),
    )


def type_view(type_: NamedType) -> TypeView:
    """The lines of one type; also what the reference pages show."""
    if isinstance(type_, AliasType):
        return TypeView(_wrapped(type_.about), tuple(_alias(type_)))
    if isinstance(type_, ChoiceType):
        opening, rows = f"{type_.name} ::= CHOICE {{", _rows(type_.alternatives, more=False)
    else:
        tag = f"[APPLICATION {type_.application}] " if type_.application is not None else ""
        opening, rows = f"{type_.name} ::= {tag}SEQUENCE {{", _rows(type_.components, more=type_.extensible)
        if type_.extensible:
            rows.append("  ...")
    return TypeView(_wrapped(type_.about), (opening, *rows, "}"))


def _wrapped(paragraphs: Sequence[str]) -> tuple[str, ...]:
    return tuple(line for paragraph in paragraphs for line in _folded(paragraph, _WIDTH - 3))


def _folded(text: str, width: int) -> list[str]:
    """``text`` in lines; hyphens are no place to break at, for a line that begins with one could end the comment."""
    if len(text) <= width and text and text.isprintable() and text == text.strip():
        return [text]  # as nearly all are
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _clause(opening: str, names: str, indent: str = "        ") -> tuple[str, ...]:
    lines = textwrap.wrap(
        opening + names, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return tuple(lines) if names else ()


def _imports(module: SchemaModule) -> tuple[str, ...]:
    lines: list[str] = []
    for origin, names in module.imports.items():
        # the first line is made 8 columns in, and `IMPORTS ` then takes the place of its indent
        lines.extend(_clause(" " * 8, f"{', '.join(names)} FROM {origin}"))
    if lines:
        lines[0] = f"IMPORTS {lines[0].lstrip()}"
        lines[-1] += ";"
    return tuple(lines)


def _alias(type_: AliasType) -> list[str]:
    return textwrap.wrap(
        f"{type_.name} ::= {type_.type}", _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def _rows(components: Sequence[Component], *, more: bool) -> list[str]:
    """Components in columns: name, tag, type, comment."""
    names = max((len(component.name) for component in components), default=0)
    tags = [f"[{component.tag}]" if component.tag is not None else "" for component in components]
    tag_width = max(map(len, tags), default=0)
    cells = []
    for position, (component, tag) in enumerate(zip(components, tags, strict=True)):
        comma = "," if more or position + 1 < len(components) else ""
        written = (
            f"{'EXPLICIT ' if component.explicit else ''}{component.type}{' OPTIONAL' if component.optional else ''}"
        )
        front = f"  {component.name:<{names}} {tag:<{tag_width}} " if tag_width else f"  {component.name:<{names}} "
        cells.append((front + written + comma, component.comment))
    column = min(max((len(cell) for cell, text in cells if text), default=0), _COMMENT_COLUMN)
    return [line for cell, text in cells for line in _with_comment(cell, text, column)]


def _with_comment(cell: str, text: str, column: int) -> list[str]:
    if not text:
        return [cell]
    column = max(column, len(cell)) + 1
    width = max(_NARROWEST_COMMENT, _WIDTH - column - 3)
    first, *rest = _folded(text, width)
    return [f"{cell:<{column}}-- {first}", *(f"{'':<{column}}-- {line}" for line in rest)]
