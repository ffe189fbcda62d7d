"""The model: what every emitter sees of the specs, and the only thing it sees.

A :class:`Definition` holds the wire plan of one VMState (or struct, subsection, anonymous part): its steps in wire
order with resolved types, presence and counts, and the names that Python, ASN.1 and the wire use. Everything is frozen;
every entity carries the span that it came from. Definitions refer to each other by :attr:`Definition.id`, since lists
may recurse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from vmsgen.diagnostics import Span
from vmsgen.spec.expression import Expression, ValueType
from vmsgen.spec.wire_types import Labels, WireType

# ---------------------------------------------------------------------------------------------- the wire plan


@dataclass(frozen=True, slots=True)
class Check:
    """A validation: ``text`` names it for messages; the expression is over the scope, and over ``it`` on a field."""

    text: str
    expression: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``name`` is Python's; ``wire_names`` the current spelling first, then older ones."""

    name: str
    asn1_name: str
    wire_names: tuple[str, ...]
    type: WireType
    span: Span
    #: conjunction of every condition on it, those of its groups included; None: always there. For docs and ASN.1
    presence: Expression | None = None
    #: its own ``since``/``until``/``when`` alone, what code tests at this step (groups test theirs)
    condition: Expression | None = None
    #: ``when false``: declared by QEMU, never on the wire
    never: bool = False
    since: int | None = None
    until: int | None = None
    #: in a view: its offset in the bytes that the view reads; None: behind the field before it
    at: Expression | None = None
    derived: Expression | None = None
    #: whether ``derived`` can be computed from the object's own fields (then it is a property)
    derived_property: bool = False
    check: Check | None = None
    default: int | bool | str | float | None = None
    unit: str | None = None
    doc: str | None = None
    was: tuple[str, ...] = ()
    ignore: str | None = None
    stability: str = "stable"
    #: bytes whose meaning the spec does not tell (over 16 of them, without doc or view)
    opaque: bool = False


@dataclass(frozen=True, slots=True)
class Let:
    """A computed value. ``exported``: used as a member of this struct from outside, so the object carries it."""

    name: str
    expression: Expression
    type: ValueType
    span: Span
    exported: bool = False
    doc: str | None = None


@dataclass(frozen=True, slots=True)
class CheckStep:
    check: Check


@dataclass(frozen=True, slots=True)
class Group:
    """Steps under a condition (``when``/``since``/``until`` group), or those of a ``tmp`` (condition None)."""

    condition: Expression | None
    steps: tuple[Step, ...]
    span: Span
    #: name of the temporary struct that QEMU sends these through
    tmp: str | None = None


Step: TypeAlias = Field | Let | CheckStep | Group


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter, or a value captured from an enclosing definition; becomes an argument of the generated code.

    ``python_type`` of a captured struct-valued name is the class's definition id in ``definition``.
    """

    name: str
    type: ValueType
    span: Span
    definition: str | None = None


@dataclass(frozen=True, slots=True)
class Subsection:
    """A subsection as its owner has it: attribute name, ASN.1 component name, and its own definition by id.

    ``needed`` is over the owner; a field of the subsection itself is a :class:`Member` of the field that holds it.
    """

    name: str
    asn1_name: str
    wire_name: str
    definition: str
    needed: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Definition:
    """A state, struct, subsection, anonymous struct or union case: one Python class, one ASN.1 SEQUENCE."""

    id: str  # "timer/hpet#HpetTimer"; the state of a file: "timer/hpet#Hpet"
    kind: Literal["state", "section", "struct", "subsection", "anonymous", "view"]
    module: str  # "timer/hpet"
    name: str  # Python class name, unique in the module
    asn1_name: str  # unique over all modules
    wire_name: str | None  # QEMU's name of the VMStateDescription, the section or the subsection
    version: int
    minimum_version: int
    steps: tuple[Step, ...]
    span: Span
    #: the reader looks for subsection marks after the fields
    marked: bool = False
    subsections: tuple[Subsection, ...] = ()
    params: tuple[Param, ...] = ()
    captures: tuple[Param, ...] = ()
    #: its own steps use `version`
    uses_version: bool = False
    #: a view that has `self`, the bytes it reads, in its expressions or places parts in them with `at`
    uses_bytes: bool = False
    #: the tag that the spec itself gives (``tag:``); all others come from the lock
    tag: int | None = None
    tag_span: Span | None = None
    #: names that it had before: of the wire for states and subsections, of the type for structs
    was: tuple[str, ...] = ()
    summary: str | None = None
    doc: str | None = None
    stability: str = "stable"

    def fields(self) -> Iterator[Field]:
        """Every field in wire order, groups flattened."""
        return _fields(self.steps)


def _fields(steps: tuple[Step, ...]) -> Iterator[Field]:
    for step in steps:
        if isinstance(step, Field):
            yield step
        elif isinstance(step, Group):
            yield from _fields(step.steps)


@dataclass(frozen=True, slots=True)
class Prop:
    """A fact that is not in the section. ``low`` and ``high`` bound a prop of type ``A..B``, whose kind is int."""

    module: str
    name: str
    kind: Literal["bool", "int", "text", "release", "endian"]
    span: Span
    low: int | None = None
    high: int | None = None
    candidates: tuple[int | str | bool, ...] = ()
    default: Expression | None = None
    source: str | None = None
    doc: str | None = None
    #: declared by machine.yaml: one answer for the whole stream
    machine_wide: bool = False


@dataclass(frozen=True, slots=True)
class Hooks:
    """``hooks:``: the path of the module from the root of the specs, and the functions it is used for."""

    path: str
    text: str = field(repr=False)
    before_save: str | None = None
    after_load: str | None = None
    visits: Mapping[str, WireType] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AcceptedBreak:
    """An entry of ``accepted-breaks``: a finding of the comparison of versions that is meant."""

    rule: str
    where: str
    reason: str
    span: Span
    #: the version of the state since which it holds
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Module:
    """One spec file: one Python module and one ASN.1 module."""

    path: str  # "timer/hpet"
    asn1_module: str  # "Vmsgen-Dev-Timer-Hpet"
    digest: str  # sha256 of the spec's bytes, hex
    source_path: str  # "device-specs/timer/hpet.yaml", as headers name it
    state: str | None  # id of the state that a stream can name
    definitions: tuple[Definition, ...]  # every one of this file, callees before callers where possible
    span: Span
    labels: tuple[Labels, ...] = ()
    props: tuple[Prop, ...] = ()
    #: module path -> names of structs and labels taken from it
    imports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: a section that arrives in pieces (then ``state`` is None): definition ids by start, part, end, full
    parts: Mapping[str, str] = field(default_factory=dict)

    def sections(self) -> list[tuple[str, str]]:
        """Ids of the definitions that a stream names, each with the part of a section that it is (``full`` for all of
        one).
        """
        whole = [] if self.state is None else [(self.state, "full")]
        return whole + [(made, part) for part, made in self.parts.items()]

    hooks: Hooks | None = None
    match: Expression | None = None
    was: tuple[str, ...] = ()
    accepted_breaks: tuple[AcceptedBreak, ...] = ()
    summary: str | None = None
    doc: str | None = None
    #: a module of the shipped library (``qemu/...``) that a user's specs import: not generated again
    external: bool = False


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of one definition: APPLICATION tag (None for nested structs) and the context tag of each component.

    Components are fields by Python name, and ``<subsections>``, ``<version>``, ``<facts>``, ``<kept>``. ``subsections``
    maps subsection attribute names to their tags inside the subsections component (and ``<unknown>``).
    """

    application: int | None
    components: Mapping[str, int]
    subsections: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """All modules of one build. ``tags`` is filled by :mod:`vmsgen.spec.lock`, keyed by ``Definition.asn1_name``."""

    modules: tuple[Module, ...]
    tags: Mapping[str, Tags] = field(default_factory=dict)

    def definition(self, identifier: str) -> Definition:
        """The definition with this id. Raises KeyError."""
        return self._index[identifier]

    def module(self, path: str) -> Module:
        """The module with this path. Raises KeyError."""
        return next(m for m in self.modules if m.path == path)

    def __post_init__(self) -> None:
        index = {d.id: d for m in self.modules for d in m.definitions}
        object.__setattr__(self, "_index", index)

    _index: dict[str, Definition] = field(init=False, repr=False, compare=False, default_factory=dict)
