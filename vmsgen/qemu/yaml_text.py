"""Spec files in the house style. Every name is quoted by one function, see :mod:`vmsgen.qemu.names`."""

from __future__ import annotations

from collections.abc import Iterator

from vmsgen.qemu.names import attribute_name, field_key, group_key, scalar
from vmsgen.qemu.plan import Definition, Entry, Field, Plan, TmpGroup

__all__ = ["definition_lines", "entry_lines", "spec_text", "subsection_lines"]

_STEP = "  "


def spec_text(plan: Plan) -> str:
    """The text of a file."""
    return "".join(f"{line}\n" for line in _file(plan))


def _file(plan: Plan) -> Iterator[str]:
    yield "vmsgen: 1"
    yield f"summary: {text(plan.summary)}"
    state = plan.state
    if state is not None:
        if state.doc is not None:
            yield f"doc: {text(state.doc)}"
        yield f"{'section' if plan.section else 'vmstate'}: {scalar(state.wire_name or '')}"
        if state.as_name is not None:
            yield f"as: {state.as_name}"
        if plan.match is not None:
            yield f"match: {plan.match}"
        yield from _versions(state, "")
    if plan.imports:
        yield "import:"
        for path, names in sorted(plan.imports.items()):
            yield f"{_STEP}{path}: [{', '.join(sorted(names))}]"
    if state is not None:
        yield from _contents(state, "")
    if plan.structs:
        yield "structs:"
        for definition in plan.structs:
            yield from definition_lines(definition, _STEP)


def definition_lines(definition: Definition, indent: str) -> Iterator[str]:
    """A struct of ``structs:``, in the short form where it is but fields."""
    if definition.comment is not None:
        yield f"{indent}# {definition.comment}"
    yield f"{indent}{definition.name}:"
    inner = indent + _STEP
    plain = (
        definition.wire_name is None
        and definition.doc is None
        and not definition.subsections
        and bool(definition.entries)
        and definition.version == definition.minimum == 1
    )
    if plain:
        yield from entry_lines(definition.entries, inner)
        return
    if definition.wire_name is not None:
        yield f"{inner}vmstate: {scalar(definition.wire_name)}"
    yield from _versions(definition, inner)
    if definition.doc is not None:
        yield f"{inner}doc: {text(definition.doc)}"
    yield from _contents(definition, inner)


def _versions(definition: Definition, indent: str) -> Iterator[str]:
    if definition.version != 1:
        yield f"{indent}version: {definition.version}"
    if definition.minimum != min(1, definition.version):
        yield f"{indent}minimum_version: {definition.minimum}"
    elif definition.version > 1:
        yield f"{indent}minimum_version: 1"


def _contents(definition: Definition, indent: str) -> Iterator[str]:
    if definition.entries:
        yield f"{indent}fields:"
        yield from entry_lines(definition.entries, indent + _STEP)
    elif not definition.subsections:
        yield f"{indent}fields: []"
    if definition.subsections:
        yield f"{indent}subsections:"
        for subsection in definition.subsections:
            yield from subsection_lines(subsection, indent + _STEP)


def subsection_lines(definition: Definition, indent: str) -> Iterator[str]:
    """An item of ``subsections:``."""
    if definition.comment is not None:
        yield f"{indent}# {definition.comment}"
    yield f"{indent}- {scalar(definition.wire_name or '')}:"
    inner = indent + _STEP
    plain = (
        definition.as_name is None
        and definition.doc is None
        and not definition.subsections
        and bool(definition.entries)
        and definition.version == definition.minimum == 1
    )
    if plain:
        yield from entry_lines(definition.entries, inner)
        return
    inner += _STEP
    if definition.as_name is not None:
        yield f"{inner}as: {definition.as_name}"
    yield from _versions(definition, inner)
    if definition.doc is not None:
        yield f"{inner}doc: {text(definition.doc)}"
    yield from _contents(definition, inner)


def entry_lines(entries: list[Entry], indent: str) -> Iterator[str]:
    """The items of ``fields:``."""
    for entry in entries:
        if isinstance(entry, TmpGroup):
            yield f"{indent}- {group_key('tmp', entry.name)}:"
            yield from entry_lines(entry.entries, indent + _STEP)
        else:
            yield from _field(entry, indent)


def _field(field: Field, indent: str) -> Iterator[str]:
    key = field_key(field.names[0])
    names = field.names
    if key is None:
        # the key would mean something else: the derived name stands there, and the wire name below it
        key = field.as_name or f"field_{attribute_name(names[0])}"
    elif len(names) == 1:
        names = []
    comment = f"  # {field.comment}" if field.comment is not None else ""
    yield f"{indent}- {key}: {field.line}{comment}"
    inner = indent + _STEP
    if field.doc is not None:
        yield f"{inner}doc: {text(field.doc)}"
    if names:
        yield f"{inner}name: {scalar(names[0])}" if len(names) == 1 else f"{inner}name:"
        if len(names) > 1:
            yield from (f"{inner}{_STEP}- {scalar(name)}" for name in names)
    if field.as_name is not None:
        yield f"{inner}as: {field.as_name}"
    if field.check is not None:
        yield f"{inner}check: {field.check}"
    if field.view is not None:
        yield f"{inner}view: {field.view}"


def text(words: str) -> str:
    """Words of ours as a YAML scalar."""
    import json

    risky = ": " in words or " #" in words or words[:1] in "!&*-?|>@`'\"%[]{},#" or words.endswith(":")
    return json.dumps(words) if risky or not words.isprintable() else words
