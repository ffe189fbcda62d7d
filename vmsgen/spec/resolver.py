"""From declarations to the model: definitions in the order in which they need each other.

:func:`resolve` reports whatever is wrong with names, types and conditions; the model it gives is complete only when the
reporter has no errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vmsgen.diagnostics import Note, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.diagnostics.suggest import did_you_mean
from vmsgen.spec import syntax
from vmsgen.spec.declarations import CaseDecl, DefinitionDecl, EntryDecl
from vmsgen.spec.expression import Compare, Const, Expression, ValueType
from vmsgen.spec.facts import Facts, conjuncts
from vmsgen.spec.loader import Loaded
from vmsgen.spec.model import Case, Order, StructRef, Subsection, Union
from vmsgen.spec.names import asn1_field_name, asn1_type_part, class_name, pieces, python_name
from vmsgen.spec.nodes import Scalar
from vmsgen.spec.place import Place
from vmsgen.spec.resolver_fields import Fields, Surroundings
from vmsgen.spec.resolver_modules import Modules
from vmsgen.spec.scope import Failed, ModuleScope, Scope, Symbol
from vmsgen.spec.shapes import integer
from vmsgen.spec.typer import Expressions
from vmsgen.spec.types import TypePlace, Types


@dataclass
class Resolved:
    """What resolving leaves behind, for the passes and for :mod:`vmsgen.spec.freeze`."""

    modules: dict[str, ModuleScope]
    scopes: dict[str, Scope]
    facts: Modules


def resolve(loaded: Loaded, reporter: Reporter) -> Resolved:
    """Resolve every definition of every file."""
    resolver = _Resolver(loaded, reporter)
    resolver.run()
    return Resolved(resolver.modules.scopes, resolver.scopes, resolver.modules)


class _Resolver:
    def __init__(self, loaded: Loaded, reporter: Reporter) -> None:
        self.reporter = reporter
        self.scopes: dict[str, Scope] = {}
        self.modules = Modules(loaded, reporter)
        self.expressions = Expressions(reporter, self.opened, self.modules.hint)
        self.modules.attach(self.expressions)
        self.expressions.names.outer = self._outer
        self.types = Types(
            reporter, self.expressions, self.modules.scope_of, self._anonymous, self._union, self.modules.hint
        )
        self.fields = Fields(reporter, self.expressions, self.types, self._view)

    def run(self) -> None:
        """Declare all files, then resolve all definitions, those first that others look into."""
        self.modules.declare()
        self.scopes.update(self.modules.definitions)
        self.modules.resolve_facts()
        for identifier in self._order():
            self.opened(identifier)
        for module in self.modules.scopes.values():
            self.modules.finish(module, self.types)

    def _order(self) -> list[str]:
        """Definitions after those that they name; a stack of its own, since lists may be long and may recurse."""
        done: dict[str, None] = {}
        for start in self.modules.definitions:
            stack = [(start, False)]
            entered: set[str] = set()
            while stack:
                identifier, leaving = stack.pop()
                if leaving:
                    done.setdefault(identifier)
                elif identifier not in done and identifier not in entered:
                    entered.add(identifier)
                    stack.append((identifier, True))
                    scope = self.scopes[identifier]
                    stack.extend((target, False) for target in reversed(list(self._named(scope))))
        return list(done)

    def _named(self, scope: Scope) -> Iterator[str]:
        """Ids of the structs that a definition names in its fields, views excepted."""
        names: dict[str, None] = {}
        if scope.decl is not None:
            _names_of_definition(scope.decl, names)
        for name in names:
            entity = scope.module.peek(name)
            if entity is not None and entity.kind in ("struct", "state") and self.modules.has_scope(entity):
                yield self.modules.scope_of(entity).id

    def _outer(self, name: str, scope: Scope) -> tuple[Scope, Span] | None:
        """A definition that uses a struct and has a name which the struct does not see."""
        for user in self.modules.definitions.values():
            if user.decl is None or user is scope or scope.id not in self._named(user):
                continue
            found = self.fields.names_of(user.decl.entries, user).get(name)
            if found is not None:
                return user, found
        return None

    # ------------------------------------------------------------------------------------------ definitions

    def opened(self, identifier: str) -> Scope:
        """The scope of a definition, resolved now if it was not yet. One that is being resolved comes as it is."""
        scope = self.scopes[identifier]
        if scope.state == "new":
            self._definition(scope)
        return scope

    def _definition(self, scope: Scope) -> None:
        scope.state = "open"
        decl = scope.decl
        assert decl is not None
        for param in scope.params:
            scope.symbols.setdefault(param.name, Symbol(param.name, "param", param.span, param.type, origin=scope))
        entries = (*decl.entries, *(entry for _, part in decl.parts for entry in part))
        self._body(scope, entries)
        for declared in decl.subsections:
            self._subsection(declared, scope)
        scope.state = "done"
        scope.module.scopes.append(scope)

    def _body(self, scope: Scope, entries: tuple[EntryDecl, ...]) -> None:
        """Fields, then what was put off because it may look forward."""
        self.fields.declare(entries, scope)
        place = Place(scope.module, scope, scope.facts, subject=scope.class_name)
        scope.steps = self.fields.walk(entries, scope, Surroundings(place), scope.order)
        for derive in scope.deferred:
            derive()

    def _adopt(self, scope: Scope, span: Span) -> Scope:
        """Register a definition that was made inside another one."""
        if not self.modules.claim(scope.module, scope.class_name, span):
            raise Failed
        self.scopes[scope.id] = scope
        return scope

    def _inner(self, owner: Scope, name: str, span: Span, order: Order, facts: Facts) -> Scope:
        """An anonymous struct of ``owner``, for the field (or field and case) called ``name``."""
        module = owner.module
        called = owner.class_name + class_name(name)
        return Scope(
            id=f"{module.path}#{called}",
            kind="anonymous",
            module=module,
            class_name=called,
            asn1_name=f"{owner.asn1_name}-{asn1_type_part(name)}",
            wire_name=None,
            version=owner.version,
            minimum=owner.minimum,
            span=span,
            order=order,
            strip=owner.strip,
            parent=owner,
            facts=facts,
        )

    def _fill(self, scope: Scope, entries: tuple[EntryDecl, ...]) -> StructRef:
        """Resolve an anonymous part where it stands, and refer to it."""
        self._adopt(scope, scope.span)
        scope.state = "open"
        self._body(scope, entries)
        scope.state = "done"
        scope.module.scopes.append(scope)
        return StructRef(scope.id)

    # ------------------------------------------------------------------------------------------ parts of fields

    def _anonymous(self, at: TypePlace, span: Span) -> StructRef:
        field, owner = at.field, at.place.scope
        if field is None or owner is None:
            self.reporter.error("type/syntax", "`struct` has no fields here: it is no alias", span)
            raise Failed
        if field.entries is None:
            self.reporter.error("spec/missing-key", "`struct` needs the attribute `fields`", span)
            raise Failed
        return self._fill(self._inner(owner, at.name, field.span, at.order, at.place.facts), field.entries)

    def _union(self, at: TypePlace, selector: Expression, span: Span) -> Union:
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
        constant = self.modules.find_constant(label.text, place.module)
        if constant is not None and isinstance(constant.value, int):
            return constant.value
        self.reporter.error("type/union", f"the case `{label.text}` is no number, as the selector is", label.span)
        return None

    def _case(self, declared: CaseDecl, at: TypePlace, place: Place, name: str) -> StructRef | None:
        assert place.scope is not None
        if declared.entries is not None:
            scope = self._inner(place.scope, f"{at.name}_{name}", declared.span, at.order, place.facts)
            return self._fill(scope, declared.entries)
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

    def _view(self, module: ModuleScope, name: Scalar) -> str:
        entity = module.find(name.text)
        if entity is None or entity.kind != "struct":
            near = did_you_mean(name.text, [n for n in module.visible()])
            help = f"did you mean `{near}`?" if near else self.modules.hint(name.text)
            self.reporter.error("name/unknown-type", f"there is no struct `{name.text}`", name.span, help=help)
            raise Failed
        decl = entity.declared
        if isinstance(decl, DefinitionDecl) and decl.params:
            self.reporter.error(
                "type/arguments", "a view has no arguments: its struct cannot have parameters", name.span
            )
            raise Failed
        return self.modules.scope_of(entity).id

    # ------------------------------------------------------------------------------------------ subsections

    def _subsection(self, decl: DefinitionDecl, owner: Scope) -> None:
        wire = decl.key.text
        rest = wire
        if owner.wire_name is not None and wire.startswith(owner.wire_name) and pieces(wire[len(owner.wire_name) :]):
            rest = wire[len(owner.wire_name) :]
        if not pieces(rest):
            self.reporter.error("spec/value", f"`{wire}` has no letter or digit to make a name of", decl.span)
            return
        named = decl.as_name.text if decl.as_name is not None else rest
        name = python_name(named)
        called = owner.class_name + class_name(named)
        if name in owner.declared or any(other.name == name for other in owner.subsections):
            place = owner.declared.get(name) or next(o.span for o in owner.subsections if o.name == name)
            if any(other.wire_name == wire for other in owner.subsections):
                self.reporter.error(
                    "sub/duplicate",
                    f"the subsection `{wire}` stands twice",
                    decl.span,
                    notes=[Note("first here", place)],
                )
                return
            self.reporter.error(
                "name/collision",
                f"the subsection `{wire}` and another part of {owner.class_name} are both called `{name}`",
                decl.span,
                help="give the subsection another name with `as:`",
                notes=[Note("the other one", place)],
            )
            return
        scope = Scope(
            id=f"{owner.module.path}#{called}",
            kind="subsection",
            module=owner.module,
            class_name=called,
            asn1_name=f"{owner.asn1_name}-{asn1_type_part(named)}",
            wire_name=wire,
            version=decl.version,
            minimum=minimum_of(decl),
            span=decl.span,
            order=decl.endian or owner.order,
            strip=decl.strip or owner.strip,
            decl=decl,
            parent=owner,
        )
        scope.facts = self.modules.version_facts(scope)
        try:
            self._adopt(scope, decl.span)
        except Failed:
            return
        self._definition(scope)
        needed = None
        if decl.needed is not None:
            # The owner's scope: a sender decides from what it has. What only the subsection has is reached through it.
            facts = owner.facts | scope.facts
            subject = f"{owner.class_name}.{name}"
            place_of = Place(owner.module, owner, facts, subject=subject, about=(name, scope))
            needed = self.expressions.resolve(decl.needed, place_of, "bool")
        owner.subsections.append(Subsection(name, asn1_field_name(name), wire, scope.id, needed, decl.span))


def minimum_of(decl: DefinitionDecl) -> int:
    """The oldest version that can be read: 1 where the spec does not say (0 for a definition of version 0)."""
    return decl.minimum_version if decl.minimum_version is not None else min(1, decl.version)


def _names_of_definition(decl: DefinitionDecl, names: dict[str, None]) -> None:
    for entries in (decl.entries, *(part for _, part in decl.parts)):
        _names_of_entries(entries, names)
    for subsection in decl.subsections:
        _names_of_definition(subsection, names)


def _names_of_entries(entries: tuple[EntryDecl, ...], names: dict[str, None]) -> None:
    for entry in entries:
        inner = getattr(entry, "entries", None)
        if inner:
            _names_of_entries(inner, names)
        line = getattr(entry, "line", None)
        if line is not None:
            _names_of_type(line.type, names)
        for case in getattr(entry, "cases", None) or ():
            if case.type is not None:
                _names_of_type(case.type, names)
            _names_of_entries(case.entries or (), names)


def _names_of_type(found: syntax.TypeExpr, names: dict[str, None]) -> None:
    match found:
        case syntax.NamedType():
            names.setdefault(found.name)
        case syntax.TreeType():
            _names_of_type(found.key, names)
            _names_of_type(found.value, names)
        case syntax.ListType() | syntax.ArrayType() | syntax.NullableType():
            _names_of_type(found.element, names)
