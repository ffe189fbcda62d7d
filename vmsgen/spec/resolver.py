"""From declarations to the model: definitions in the order in which they need each other.

:func:`resolve` reports whatever is wrong with names, types and conditions; the model it gives is complete only when the
reporter has no errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vmsgen.diagnostics import Note, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.diagnostics.suggest import did_you_mean
from vmsgen.spec.asks import Ask, Rest
from vmsgen.spec.declarations import DefinitionDecl, EntryDecl
from vmsgen.spec.facts import Facts
from vmsgen.spec.field_names import FieldNames
from vmsgen.spec.gates import Surroundings
from vmsgen.spec.loader import LIBRARY_PREFIX, Loaded
from vmsgen.spec.model import Hooks, Subsection
from vmsgen.spec.names import asn1_field_name, asn1_type_part, class_name, pieces, python_name
from vmsgen.spec.nodes import Scalar
from vmsgen.spec.place import Place
from vmsgen.spec.resolver_fields import Fields
from vmsgen.spec.resolver_hooks import HookModules
from vmsgen.spec.resolver_modules import Modules
from vmsgen.spec.scope import Failed, ModuleScope, Scope, Symbol
from vmsgen.spec.typer import Expressions
from vmsgen.spec.types import TypePlace, Types
from vmsgen.spec.unions import Unions
from vmsgen.spec.uses import names_of_definition
from vmsgen.spec.wire_types import Order, StructRef


@dataclass
class Resolved:
    """What resolving leaves behind, for the passes and for :mod:`vmsgen.spec.freeze`."""

    modules: dict[str, ModuleScope]
    scopes: dict[str, Scope]
    facts: Modules
    hooks: dict[str, Hooks]
    #: what files that were not loaded want of those that were; and only the shipped ones among them
    asked: list[Ask]
    shipped_asked: list[Ask]


def resolve(loaded: Loaded, reporter: Reporter, rest: Rest | None = None) -> Resolved:
    """Resolve every definition of every file; ``rest`` is what files want of them that were not loaded."""
    resolver = _Resolver(loaded, reporter)
    resolver.run()
    asked = rest.asked(loaded.files) if rest is not None else []
    shipped = [ask for path, ask in asked if path.startswith(LIBRARY_PREFIX)]
    resolver.answer(ask for _, ask in asked)
    return Resolved(
        resolver.modules.scopes,
        resolver.scopes,
        resolver.modules,
        resolver.hooks.hooks,
        [ask for _, ask in asked],
        shipped,
    )


class _Resolver:
    def __init__(self, loaded: Loaded, reporter: Reporter) -> None:
        self.reporter = reporter
        self.scopes: dict[str, Scope] = {}
        self.modules = Modules(loaded, reporter)
        self.expressions = Expressions(reporter, self.opened, self.modules.hint)
        self.modules.attach(self.expressions)
        self.expressions.names.mistakes.outer = self._outer
        unions = Unions(reporter, self.modules.find_constant, self._inline)
        self.types = Types(
            reporter, self.expressions, self.modules.scope_of, self._anonymous, unions.union, self.modules.hint
        )
        unions.types = self.types
        self.names = FieldNames(reporter)
        self.hooks = HookModules(reporter)
        self.fields = Fields(reporter, self.expressions, self.types, self._view)

    def run(self) -> None:
        """Declare all files, then resolve all definitions, those first that others look into."""
        self.modules.declare()
        self.scopes.update(self.modules.definitions)
        self.modules.resolve_facts()
        for identifier in self._order():
            self.opened(identifier)
        for module in self.modules.scopes.values():
            self.hooks.resolve(module, self.types)

    def answer(self, asked: Iterable[Ask]) -> None:
        """Mark what is used from outside."""
        for kind, target, name in asked:
            if kind == "use" and (module := self.modules.scopes.get(target)) is not None:
                found = module.names.get(name) or module.props.get(name)
                if found is not None:
                    found.used = True
            elif kind == "export" and (scope := self.scopes.get(target)) is not None and name in scope.symbols:
                scope.exported.add(name)
                scope.symbols[name].used = True

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
            names_of_definition(scope.decl, names)
        for name in names:
            entity = scope.module.peek(name)
            if entity is not None and entity.kind in ("struct", "state") and self.modules.has_scope(entity):
                yield self.modules.scope_of(entity).id

    def _outer(self, name: str, scope: Scope) -> tuple[Scope, Span] | None:
        """A definition that uses a struct and has a name which the struct does not see."""
        for user in self.modules.definitions.values():
            if user.decl is None or user is scope or scope.id not in self._named(user):
                continue
            found = self.names.names_of(user.decl.entries, user).get(name)
            if found is not None:
                return user, found
        return None

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
        self._body(scope, decl.entries)
        for declared in decl.subsections:
            self._subsection(declared, scope)
        scope.state = "done"
        scope.module.scopes.append(scope)

    def _body(self, scope: Scope, entries: tuple[EntryDecl, ...]) -> None:
        """Fields, then what was put off because it may look forward."""
        self.names.declare(entries, scope)
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

    def _anonymous(self, at: TypePlace, span: Span) -> StructRef:
        field, owner = at.field, at.place.scope
        if field is None or owner is None:
            self.reporter.error("type/syntax", "`struct` has no fields here: it is no alias", span)
            raise Failed
        if field.entries is None:
            self.reporter.error("spec/missing-key", "`struct` needs the attribute `fields`", span)
            raise Failed
        return self._inline(at, field.entries, field.span)

    def _inline(self, at: TypePlace, entries: tuple[EntryDecl, ...], span: Span) -> StructRef:
        """An anonymous struct where it stands: its definition, and the reference to it."""
        assert at.place.scope is not None
        return self._fill(self._inner(at.place.scope, at.name, span, at.order, at.place.facts), entries)

    def _view(self, module: ModuleScope, name: Scalar) -> str:
        entity = module.find(name.text)
        if entity is None or entity.kind != "struct":
            near = did_you_mean(name.text, module.visible())
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
