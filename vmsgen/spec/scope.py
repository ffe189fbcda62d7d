"""Where names are looked up: the names of a file, and the names of a definition with those written around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from vmsgen.diagnostics import Span
from vmsgen.spec.declarations import AliasDecl, ConstDecl, DefinitionDecl, LabelsDecl, PropDecl
from vmsgen.spec.expression import Ambient, Const, Expression, Ref, ValueType
from vmsgen.spec.facts import NOTHING, Facts, Key, Namer
from vmsgen.spec.loader import SpecFile
from vmsgen.spec.model import Param, Prop, Step, Subsection
from vmsgen.spec.names import python_name
from vmsgen.spec.wire_types import Labels, Order, WireType


class Failed(Exception):
    """Something was wrong and has been reported; whoever catches it goes on without a result."""


@dataclass(frozen=True)
class Typed:
    """An expression with what is known of a struct-valued one: its wire type, the definition that the expressions in
    the wire type belong to, and how keys of that definition read from here."""

    expression: Expression
    wire: WireType | None = None
    origin: Scope | None = None
    moved: Callable[[Key], Key] = lambda found: found

    @property
    def type(self) -> ValueType:
        return self.expression.type

    @property
    def span(self) -> Span:
        return self.expression.span


@dataclass
class Symbol:
    """A name of a definition. ``type`` None: it has no value in expressions, ``why`` tells (None: it was reported)."""

    name: str
    source: Literal["field", "derived", "let", "param"]
    span: Span
    type: ValueType | None = None
    wire: WireType | None = None
    origin: Scope | None = None
    presence: tuple[Key, ...] = ()
    moved: Callable[[Key], Key] = lambda found: found
    why: str | None = None
    #: its conditions as written, for messages
    guard: str = ""
    used: bool = False


# ---------------------------------------------------------------------------------------------- files


@dataclass
class Entity:
    """A name of a file: what it is, where it stands, and whether anything used it."""

    kind: Literal["struct", "alias", "labels", "const", "state"]
    name: str
    span: Span
    module: ModuleScope
    declared: DefinitionDecl | AliasDecl | LabelsDecl | ConstDecl
    used: bool = False
    labels: Labels | None = None
    folded: Const | None = None
    busy: bool = False
    failed: bool = False


@dataclass
class PropEntity:
    declared: PropDecl
    module: ModuleScope
    used: bool = False
    resolved: Prop | None = None


@dataclass
class Imported:
    """A name that an ``import:`` took."""

    target: ModuleScope
    name: str
    span: Span
    used: bool = False


@dataclass(eq=False)
class ModuleScope:
    """The names of one file."""

    file: SpecFile
    names: dict[str, Entity] = field(default_factory=dict)
    props: dict[str, PropEntity] = field(default_factory=dict)
    imported: dict[str, Imported] = field(default_factory=dict)
    machine: ModuleScope | None = None
    #: names of imports that went wrong: using them is no second mistake
    missing: set[str] = field(default_factory=set)
    #: class names of this module and where they come from, for collisions
    classes: dict[str, Span] = field(default_factory=dict)
    scopes: list[Scope] = field(default_factory=list)
    #: ids of the definitions of a section that arrives in pieces, by start, part, end and full
    parts: dict[str, str] = field(default_factory=dict)
    #: what it wants of names of other files: see :data:`vmsgen.spec.asks.Ask`
    asked: set[tuple[str, str, str]] = field(default_factory=set)

    @property
    def path(self) -> str:
        return self.file.path

    def peek(self, name: str) -> Entity | None:
        """A type, labels or a constant of this file, its imports, or machine.yaml."""
        found = self.names.get(name)
        if found is None and name in self.imported:
            found = self.imported[name].target.names.get(name)
        if found is None and self.machine is not None:
            found = self.machine.names.get(name)
        return found

    def find(self, name: str) -> Entity | None:
        """As :meth:`peek`, and marks it as used. Raises :class:`Failed` for a name whose import went wrong."""
        found = self.peek(name)
        if found is None and name in self.missing:
            raise Failed
        if name in self.imported and name not in self.names:
            self._take(name)
        if found is not None:
            found.used = True
        return found

    def find_prop(self, name: str) -> PropEntity | None:
        """A prop of this file, its imports, or machine.yaml; marks it as used. Raises as :meth:`find`."""
        found = self.props.get(name)
        if found is None and name in self.missing:
            raise Failed
        if found is None and name in self.imported:
            found = self._take(name).target.props.get(name)
        if found is None and self.machine is not None:
            found = self.machine.props.get(name)
        if found is not None:
            found.used = True
        return found

    def _take(self, name: str) -> Imported:
        """An imported name, used from now on."""
        taken = self.imported[name]
        taken.used = True
        self.asked.add(("use", taken.target.path, name))
        return taken

    def visible(self) -> Iterator[str]:
        """Every name that :meth:`find` would find."""
        yield from self.names
        yield from (name for name, taken in self.imported.items() if name in taken.target.names)
        if self.machine is not None:
            yield from self.machine.names


# ---------------------------------------------------------------------------------------------- definitions


@dataclass(eq=False)
class Scope:
    """A definition while it is resolved, and the names it has."""

    id: str
    kind: Literal["state", "section", "struct", "subsection", "anonymous", "view"]
    module: ModuleScope
    class_name: str
    asn1_name: str
    wire_name: str | None
    version: int
    minimum: int
    span: Span
    order: Order
    strip: tuple[str, ...]
    decl: DefinitionDecl | None = None
    parent: Scope | None = None
    symbols: dict[str, Symbol] = field(default_factory=dict)
    #: Python name -> place, for every field and let of the definition, read or not yet
    declared: dict[str, Span] = field(default_factory=dict)
    params: list[Param] = field(default_factory=list)
    captures: dict[str, Param] = field(default_factory=dict)
    facts: Facts = NOTHING
    steps: list[Step] = field(default_factory=list)
    subsections: list[Subsection] = field(default_factory=list)
    exported: set[str] = field(default_factory=set)
    uses_version: bool = False
    #: where it first says `at` or `self`, and which: then it can only be a view
    uses_bytes: tuple[str, Span] | None = None
    state: Literal["new", "open", "done"] = "new"
    #: what is put off until every name of the definition is known (derived values), by field name
    deferred: list[Callable[[], None]] = field(default_factory=list)
    #: derived expressions and properties by field name, put into the steps at the end
    derived: dict[str, tuple[Expression, bool]] = field(default_factory=dict)

    @property
    def versioned(self) -> Scope:
        """The definition whose ``version`` and ``self`` are meant here: this one, or for an anonymous part the one
        around it."""
        scope = self
        while scope.kind == "anonymous" and scope.parent is not None:
            scope = scope.parent
        return scope

    def chain(self) -> Iterator[Scope]:
        """This scope and those written around it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def python_name(self, wire: str) -> str:
        """The Python name of a wire name here."""
        return python_name(wire, self.strip)

    @property
    def namer(self) -> Namer:
        """Keys of the names that stand in this definition's expressions."""
        return self._name

    def _name(self, found: Ref | Ambient) -> Key:
        if isinstance(found, Ambient):
            return ("version", self.versioned.id) if found.name == "version" else ("ambient", found.name)
        scopes = list(self.chain())
        for scope in scopes[1:] if found.source == "capture" else scopes[:1]:
            if found.name in scope.symbols:
                return ("ref", scope.id, found.name)
        return (found.name, self.versioned.id)  # `version` and `self` are no symbols


def capture(scope: Scope, owner: Scope, name: str, type_: ValueType, span: Span, definition: str | None) -> None:
    """Record that ``scope`` uses a name of ``owner``, an enclosing definition, in it and in every one between."""
    for between in scope.chain():
        if between is owner:
            return
        between.captures.setdefault(name, Param(name, type_, span, definition))


def value_of(value: Any) -> ValueType:
    """The type of a folded constant."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, str):
        return "text"
    return "release"
