"""What the page templates print: flat, final texts. Every text may come from a hostile spec; the templates escape
them all."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from vmsgen.emit.asn1.reach import module_name, references
from vmsgen.emit.docs.sizes import fixed_size, offsets
from vmsgen.emit.wording import expression_text, presence_text, type_text
from vmsgen.spec.model import CheckStep, Definition, Field, Group, Let, Model, Module, Prop, Step, Tags
from vmsgen.spec.wire_types import Int, Labels, Pad, StructRef, WireType

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_PARAGRAPHS = re.compile(r"\n\s*\n")
_NO_TAGS = Tags(None, {})


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class RowView:
    """A row of a wire table. ``kind``: field, pad, never, let, check, group."""

    kind: str
    depth: int
    offset: str
    size: str
    name: str
    #: the Python attribute, where it is spelt differently
    attribute: str
    type: str
    links: tuple[Link, ...]
    presence: str
    tag: str
    doc: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SubsectionView:
    name: str
    link: Link
    tag: str
    needed: str


@dataclass(frozen=True, slots=True)
class DefinitionView:
    anchor: str
    title: str
    kind: str
    wire_name: str
    asn1_name: str
    version: str
    tag: str
    doc: tuple[str, ...]
    params: tuple[str, ...]
    rows: tuple[RowView, ...]
    subsections: tuple[SubsectionView, ...]
    size: str


@dataclass(frozen=True, slots=True)
class VersionView:
    version: int
    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PropView:
    name: str
    kind: str
    default: str
    candidates: str
    source: str
    doc: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelsView:
    anchor: str
    name: str
    kind: str
    members: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PageView:
    path: str
    title: str
    module: str
    summary: str
    source: str
    asn1_module: str
    asn1: str
    match: str
    doc: tuple[str, ...]
    definitions: tuple[DefinitionView, ...]
    versions: tuple[VersionView, ...]
    props: tuple[PropView, ...]
    labels: tuple[LabelsView, ...]


def page_path(module: Module) -> str:
    """Where the page of a spec stands; characters that are not safe in a file name become their code."""
    return "specs/" + "/".join(safe_name(part) for part in module.path.split("/")) + ".html"


def safe_name(text: str) -> str:
    """A file name or anchor of plain characters: every other one becomes its code between dots, so that no two meet."""
    made = _UNSAFE.sub(lambda found: f".{ord(found[0]):x}.", text)
    return made if made and made[0] not in "-." else f"x.{made}"


def paragraphs(text: str | None) -> tuple[str, ...]:
    """A doc as paragraphs."""
    if not text:
        return ()
    return tuple(" ".join(part.split()) for part in _PARAGRAPHS.split(text) if part.strip())


def page_view(model: Model, module: Module, asn1: str) -> PageView:
    """The page of one spec file."""
    definitions = sorted(
        module.definitions, key=lambda d: (d.id != module.state, d.kind == "subsection", d.name.lower())
    )
    state = model.definition(module.state) if module.state is not None else None
    title = (state.wire_name if state is not None else None) or module.path
    return PageView(
        path=page_path(module),
        title=title,
        module=module.path,
        summary=module.summary or (state.summary if state is not None else None) or "",
        source=module.source_path,
        asn1_module=module_name(module),
        asn1=asn1,
        match=expression_text(module.match) if module.match is not None else "",
        doc=paragraphs(module.doc),
        definitions=tuple(_definition(model, module, each) for each in definitions),
        versions=tuple(_versions(state)) if state is not None else (),
        props=tuple(_prop(prop) for prop in module.props),
        labels=tuple(_labels(labels) for labels in module.labels),
    )


def _definition(model: Model, module: Module, definition: Definition) -> DefinitionView:
    tags = model.tags.get(definition.asn1_name, _NO_TAGS)
    fixed = fixed_size(model, StructRef(definition.id))
    version = str(definition.version)
    if definition.minimum_version != definition.version:
        version += f" (reads {definition.minimum_version} and later)"
    return DefinitionView(
        anchor=_anchor(definition),
        title=definition.name,
        kind=definition.kind,
        wire_name=definition.wire_name or "",
        asn1_name=definition.asn1_name,
        version=version if definition.kind not in ("anonymous", "view") else "",
        tag=f"[APPLICATION {tags.application}]" if tags.application is not None else "",
        doc=paragraphs(definition.doc) or paragraphs(definition.summary if definition.kind != "state" else None),
        params=tuple(f"{p.name}: {p.type}" for p in (*definition.params, *definition.captures)),
        rows=tuple(_rows(model, module, definition, tags)),
        subsections=tuple(
            SubsectionView(
                name=each.wire_name,
                link=_link(model, module, each.definition),
                tag=_tag(tags.subsections.get(each.name)),
                needed=expression_text(each.needed) if each.needed is not None else "",
            )
            for each in definition.subsections
        ),
        size=f"{fixed} bytes" if fixed is not None else "",
    )


def _rows(model: Model, module: Module, definition: Definition, tags: Tags) -> Iterator[RowView]:
    places = offsets(model, definition)
    count = -1

    def walk(steps: tuple[Step, ...], depth: int) -> Iterator[RowView]:
        nonlocal count
        for step in steps:
            if isinstance(step, Field):
                count += 1
                yield _field(model, module, step, tags, places.get(count), depth)
            elif isinstance(step, Group):
                what = f"through {step.tmp}" if step.tmp is not None else ""
                condition = f"when {expression_text(step.condition)}" if step.condition is not None else ""
                yield _remark("group", depth, " ".join(filter(None, (what, condition))))
                yield from walk(step.steps, depth + 1)
            elif isinstance(step, Let):
                yield _remark("let", depth, f"let {step.name} = {expression_text(step.expression)}", step.doc)
            elif isinstance(step, CheckStep):
                text = f"{step.check.text}: {expression_text(step.check.expression)}"
                yield _remark("check", depth, f"check {text}")

    return walk(definition.steps, 0)


def _remark(kind: str, depth: int, text: str, doc: str | None = None) -> RowView:
    return RowView(kind, depth, "", "", text, "", "", (), "", "", paragraphs(doc), ())


def _field(model: Model, module: Module, field: Field, tags: Tags, place: int | None, depth: int) -> RowView:
    wire = field.wire_names[0] if field.wire_names else field.name
    size = fixed_size(model, field.type)
    kind = "never" if field.never else "pad" if isinstance(field.type, Pad) else "field"
    holder = Definition("", "struct", module.path, "", "", None, 1, 1, (field,), field.span)
    return RowView(
        kind=kind,
        depth=depth,
        offset=f"{place:#x}" if place is not None else "",
        size=str(size) if size is not None else "",
        name=wire,
        attribute=field.name if field.name != wire and kind != "pad" else "",
        type=type_text(model, field.type),
        links=(
            *(_link(model, module, identifier) for identifier in dict.fromkeys(references(holder))),
            *_labels_links(model, module, field.type),
        ),
        presence=presence_text(field),
        tag=_tag(tags.components.get(field.name)) if not field.never else "",
        doc=paragraphs(field.doc),
        notes=tuple(_notes(field)),
    )


def _notes(field: Field) -> Iterator[str]:
    if field.unit:
        yield f"unit: {field.unit}"
    if field.derived is not None:
        yield f"always {expression_text(field.derived)}"
    if field.check is not None:
        yield f"valid: {expression_text(field.check.expression)}"
    if field.default is not None:
        yield f"default: {field.default}"
    if len(field.wire_names) > 1:
        yield f"also spelt {', '.join(field.wire_names[1:])}"
    if field.was:
        yield f"was called {', '.join(field.was)}"
    if field.stability != "stable":
        yield field.stability


def _versions(state: Definition) -> Iterator[VersionView]:
    """What each version of a state added and removed, the newest first."""
    for version in range(state.version, state.minimum_version - 1, -1):
        added = [field.name for field in state.fields() if field.since == version]
        removed = [field.name for field in state.fields() if field.until == version - 1]
        if added or removed:
            yield VersionView(version, tuple(added), tuple(removed))


def _prop(prop: Prop) -> PropView:
    bounds = f"{prop.low}..{prop.high}" if prop.low is not None else prop.kind
    return PropView(
        name=prop.name,
        kind=bounds,
        default=expression_text(prop.default) if prop.default is not None else "",
        candidates=", ".join(map(str, prop.candidates)),
        source=prop.source or "",
        doc=paragraphs(prop.doc),
    )


def _labels(labels: Labels) -> LabelsView:
    members = tuple(
        (f"{low:#x}" if labels.kind == "enum" else str(low) if low == high else f"{low}..{high}", label)
        for low, high, label in labels.members
    )
    return LabelsView(_labels_anchor(labels), labels.name, labels.kind, members)


def _link(model: Model, here: Module, identifier: str) -> Link:
    definition = model.definition(identifier)
    home = model.module(definition.module)
    page = "" if home.path == here.path else relative(page_path(here), page_path(home))
    return Link(definition.name, f"{page}#{_anchor(definition)}")


def _labels_links(model: Model, here: Module, type_: WireType) -> Iterator[Link]:
    """To the table of the names that a number goes by."""
    while not isinstance(type_, Int):
        inner = getattr(type_, "element", None)
        if inner is None:
            return
        type_ = inner
    if type_.labels is not None:
        home = model.module(type_.labels.module)
        page = "" if home.path == here.path else relative(page_path(here), page_path(home))
        yield Link(type_.labels.name, f"{page}#{_labels_anchor(type_.labels)}")


def _labels_anchor(labels: Labels) -> str:
    return f"labels-{safe_name(labels.name)}"


def relative(from_page: str, to_page: str) -> str:
    """The link from one page to another, both paths from the top of the site."""
    return posixpath.relpath(to_page, posixpath.dirname(from_page) or ".")


def _anchor(definition: Definition) -> str:
    return safe_name(definition.name)


def _tag(number: int | None) -> str:
    return f"[{number}]" if number is not None else ""
