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

Order: TypeAlias = Literal["big", "little", "host"]

# ---------------------------------------------------------------------------------------------- names for numbers


@dataclass(frozen=True, slots=True)
class Labels:
    """An enum (``value -> label``) or flags (bit ranges): names for people; the wire stays the integer.

    ``members``: for an enum ``(value, value, label)``, for flags ``(low bit, high bit, label)``, in the order written.
    """

    name: str
    kind: Literal["enum", "flags"]
    members: tuple[tuple[int, int, str], ...]
    module: str
    span: Span


# ---------------------------------------------------------------------------------------------- wire types


@dataclass(frozen=True, slots=True)
class Int:
    """A two's complement integer of ``bits`` (8, 16, 32, 64)."""

    bits: int
    signed: bool
    order: Order = "big"
    labels: Labels | None = None


@dataclass(frozen=True, slots=True)
class SizedInt:
    """``uint(expr)``: an unsigned integer whose width in bits (8, 16, 32, 64) only the sender knows."""

    bits: Expression
    order: Order = "big"
    labels: Labels | None = None


@dataclass(frozen=True, slots=True)
class Bool:
    """One byte; any value but 0 is true, a value other than 0 and 1 is kept."""


@dataclass(frozen=True, slots=True)
class Float64:
    order: Order = "big"


@dataclass(frozen=True, slots=True)
class Timer:
    """An int64 of nanoseconds; -1 is a timer that is not armed."""

    order: Order = "big"


@dataclass(frozen=True, slots=True)
class Fixed:
    """A count that an expression gives (elements; bytes for byte types; bits for bitmap). Negative is zero."""

    value: Expression


@dataclass(frozen=True, slots=True)
class Prefixed:
    """A count that stands before the part, in this integer type."""

    type: Int


@dataclass(frozen=True, slots=True)
class Until:
    """Elements until this integer is met in the place of an element; it is consumed."""

    type: Int
    value: Expression


@dataclass(frozen=True, slots=True)
class Through:
    """Elements up to and including the first for which ``condition`` (over ``it``) is true."""

    condition: Expression


@dataclass(frozen=True, slots=True)
class Bytes:
    count: Fixed | Prefixed
    #: name of the definition read over the bytes (``view:``), by id
    view: str | None = None


@dataclass(frozen=True, slots=True)
class String:
    """``string[n]``: text ends at the first NUL, the rest is kept; ``string[intN]``: counted, no NUL."""

    count: Fixed | Prefixed


@dataclass(frozen=True, slots=True)
class Pad:
    """Zero bytes without an attribute; others are kept."""

    count: Fixed | Prefixed


@dataclass(frozen=True, slots=True)
class Bitmap:
    """``count`` bits in whole 64-bit words, bit 0 of word 0 the least significant."""

    count: Fixed | Prefixed
    order: Order = "big"


@dataclass(frozen=True, slots=True)
class StructRef:
    """A nested struct: a definition by id, arguments for its parameters in their order, and QEMU's VSTRUCT version."""

    definition: str
    arguments: tuple[Expression, ...] = ()
    at_version: int | None = None


@dataclass(frozen=True, slots=True)
class Nullable:
    """A pointer: the element, or one byte 0x30 for NULL. ``proven``: the element cannot start with 0x30."""

    element: StructRef
    proven: bool


@dataclass(frozen=True, slots=True)
class Array:
    element: WireType
    count: Fixed | Prefixed | Until | Through


@dataclass(frozen=True, slots=True)
class Grid:
    """An array of two or more dimensions, row-major."""

    element: WireType
    sizes: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """QTAILQ and QLIST: ``{ 01 element } 00``."""

    element: WireType


@dataclass(frozen=True, slots=True)
class Tree:
    """GTREE: be32 n, ``{ 01 key value }``, 00. Python: a list of pairs."""

    key: WireType
    value: WireType


@dataclass(frozen=True, slots=True)
class Case:
    """One alternative of a union; ``type`` None is a case without bytes. ``name`` is the Python and ASN.1 name."""

    name: str
    value: int | str
    type: StructRef | None


@dataclass(frozen=True, slots=True)
class Union:
    """Alternatives chosen by ``selector``.

    ``otherwise`` is ``none``, a struct, or missing: then other values are a data error.
    """

    selector: Expression
    cases: tuple[Case, ...]
    otherwise: StructRef | Literal["none"] | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """Bytes visited by ``visit_NAME`` of the hook module; ``type`` is the declared type of its value."""

    name: str
    type: WireType


WireType: TypeAlias = (
    Int
    | SizedInt
    | Bool
    | Float64
    | Timer
    | Bytes
    | String
    | Pad
    | Bitmap
    | StructRef
    | Nullable
    | Array
    | Grid
    | ListOf
    | Tree
    | Union
    | Hook
)

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
