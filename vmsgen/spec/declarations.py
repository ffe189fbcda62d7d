"""What a spec file declares: its YAML given a shape, its lines parsed, its names not looked up yet.

The binder makes these from positioned nodes; the resolver makes the model of them. A text that is needed with its place
is kept as the :class:`~vmsgen.spec.nodes.Scalar` that it came from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from vmsgen.diagnostics import SourceFile, Span
from vmsgen.spec.nodes import Scalar
from vmsgen.spec.syntax import Expr, FieldLine, TypeExpr

# ---------------------------------------------------------------------------------------------- entries


@dataclass(frozen=True, slots=True)
class CheckText:
    """A validation: the expression, and the words that name it."""

    text: str
    expression: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class CaseDecl:
    """A line of ``cases:``. Exactly one of ``type`` and ``entries`` is set, or neither for ``none``."""

    label: Scalar
    type: TypeExpr | None
    entries: tuple[EntryDecl, ...] | None
    span: Span

    @property
    def is_else(self) -> bool:
        return self.label.text == "else"


@dataclass(frozen=True, slots=True)
class FieldDecl:
    """A field. ``line`` is None for a list value (an anonymous struct, ``entries``); ``cases`` belongs to a union."""

    key: Scalar
    wire_names: tuple[str, ...]
    span: Span
    line: FieldLine | None = None
    entries: tuple[EntryDecl, ...] | None = None
    cases: tuple[CaseDecl, ...] | None = None
    cases_span: Span | None = None
    as_name: Scalar | None = None
    check: CheckText | None = None
    default: Scalar | None = None
    view: Scalar | None = None
    unit: str | None = None
    doc: str | None = None
    was: tuple[Scalar, ...] = ()
    ignore: str | None = None
    stability: str = "stable"
    #: whether the line could not be read; the name is there, its type is not known
    broken: bool = False


@dataclass(frozen=True, slots=True)
class GroupDecl:
    """``when EXPR``, ``since N``, ``until N`` or ``tmp VMSD`` over entries."""

    keyword: Literal["when", "since", "until", "tmp"]
    entries: tuple[EntryDecl, ...]
    span: Span
    condition: Expr | None = None
    number: int | None = None
    tmp: str | None = None


@dataclass(frozen=True, slots=True)
class LetDecl:
    name: str
    name_span: Span
    expression: Expr | None  # None: could not be read
    span: Span
    doc: str | None = None


@dataclass(frozen=True, slots=True)
class CheckDecl:
    check: CheckText
    span: Span


EntryDecl: TypeAlias = FieldDecl | GroupDecl | LetDecl | CheckDecl

# ---------------------------------------------------------------------------------------------- definitions


@dataclass(frozen=True, slots=True)
class ParamDecl:
    name: str
    type: str
    span: Span


@dataclass(frozen=True, slots=True)
class DefinitionDecl:
    """A state, a struct or a subsection. ``key`` is the type name, or the wire name of a state or subsection."""

    kind: Literal["state", "section", "struct", "subsection"]
    key: Scalar
    span: Span
    wire_name: Scalar | None = None
    as_name: Scalar | None = None
    version: int = 1
    minimum_version: int | None = None
    version_span: Span | None = None
    minimum_span: Span | None = None
    params: tuple[ParamDecl, ...] = ()
    endian: Literal["big", "little", "host"] | None = None
    strip: tuple[str, ...] = ()
    needed: Expr | None = None
    entries: tuple[EntryDecl, ...] = ()
    subsections: tuple[DefinitionDecl, ...] = ()
    tag: int | None = None
    tag_span: Span | None = None
    summary: str | None = None
    doc: str | None = None
    was: tuple[Scalar, ...] = ()
    stability: str = "stable"
    #: entries of a section that arrives in pieces: start, part, end, full
    parts: tuple[tuple[Scalar, tuple[EntryDecl, ...]], ...] = ()


# ---------------------------------------------------------------------------------------------- facts and names


@dataclass(frozen=True, slots=True)
class PropDecl:
    name: str
    kind: Literal["bool", "int", "text", "release", "endian"]
    span: Span
    low: int | None = None
    high: int | None = None
    candidates: tuple[Scalar, ...] = ()
    default: Expr | None = None
    default_text: Scalar | None = None
    source: str | None = None
    doc: str | None = None


@dataclass(frozen=True, slots=True)
class ConstDecl:
    """A constant expression, or the items of a list."""

    name: str
    span: Span
    expression: Expr | None = None
    items: tuple[Expr, ...] | None = None


@dataclass(frozen=True, slots=True)
class AliasDecl:
    name: str
    type: TypeExpr | None  # None: could not be read
    span: Span


@dataclass(frozen=True, slots=True)
class LabelsDecl:
    """``members``: (low, high, label, place); for an enum low equals high."""

    name: str
    kind: Literal["enum", "flags"]
    members: tuple[tuple[int, int, str, Span], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ImportDecl:
    target: Scalar
    names: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class HooksDecl:
    module: Scalar
    span: Span
    before_save: Scalar | None = None
    after_load: Scalar | None = None
    types: tuple[tuple[Scalar, TypeExpr | None], ...] = ()


@dataclass(frozen=True, slots=True)
class BreakDecl:
    """An entry of ``accepted-breaks``; ``since`` may be left out."""

    rule: str
    where: str
    reason: str
    span: Span
    since: int | None = None


@dataclass(frozen=True, slots=True)
class FileDecl:
    """A whole spec file."""

    source: SourceFile
    span: Span
    summary: str | None = None
    doc: str | None = None
    match: Expr | None = None
    state: DefinitionDecl | None = None
    imports: tuple[ImportDecl, ...] = ()
    props: tuple[PropDecl, ...] = ()
    consts: tuple[ConstDecl, ...] = ()
    aliases: tuple[AliasDecl, ...] = ()
    labels: tuple[LabelsDecl, ...] = ()
    structs: tuple[DefinitionDecl, ...] = ()
    hooks: HooksDecl | None = None
    accepted_breaks: tuple[BreakDecl, ...] = ()
    strip: tuple[str, ...] = ()
    endian: Literal["big", "little", "host"] | None = None
    #: first line that each top-level list of names was declared on, for messages
    places: dict[str, Span] = field(default_factory=dict)
