"""The names of files: what they declare and import, their constants, props, hooks and `match`."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from typing import Any

from vmsgen.diagnostics import Note, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.diagnostics.suggest import did_you_mean
from vmsgen.spec import syntax
from vmsgen.spec.declarations import ConstDecl, DefinitionDecl, FileDecl
from vmsgen.spec.expression import Const, Expression
from vmsgen.spec.facts import Facts
from vmsgen.spec.loader import Loaded, is_machine
from vmsgen.spec.model import Param, Prop
from vmsgen.spec.names import asn1_type_name, class_name
from vmsgen.spec.nodes import Scalar
from vmsgen.spec.place import Place
from vmsgen.spec.resolver_props import Props
from vmsgen.spec.scope import Entity, Failed, Imported, ModuleScope, PropEntity, Scope
from vmsgen.spec.typer import Expressions
from vmsgen.spec.types import BUILT_IN
from vmsgen.spec.wire_types import Labels

#: How many constants may stand between one and the literals it is computed from.
MAX_CHAIN = 32


class Modules:
    """Builds and holds the scopes of all files."""

    def __init__(self, loaded: Loaded, reporter: Reporter) -> None:
        self.reporter = reporter
        self.loaded = loaded
        self.scopes: dict[str, ModuleScope] = {path: ModuleScope(file) for path, file in loaded.files.items()}
        self.definitions: dict[str, Scope] = {}
        self.matches: dict[str, Expression | None] = {}
        self.props: dict[str, list[Prop]] = {}
        self._depth = 0
        self._by_entity: dict[int, Scope] = {}
        self._defining: dict[str, list[str]] = defaultdict(list)

    def attach(self, expressions: Expressions) -> None:
        """Connect with the expressions, which need the values of constants."""
        self.expressions = expressions
        expressions.names.constant = self.constant

    def declare(self) -> None:
        """Enter every name of every file, then what the files import."""
        for module in self.scopes.values():
            self._declare(module)
        for module in self.scopes.values():
            for name in (*module.names, *module.props):
                self._defining[name].append(module.path)
        for module in self.scopes.values():
            self._import(module)

    def _declare(self, module: ModuleScope) -> None:
        decl = module.file.decl
        for labels in decl.labels:
            members = tuple((low, high, label) for low, high, label, _ in labels.members)
            made = Labels(labels.name, labels.kind, members, module.path, labels.span)
            self._enter(module, Entity("labels", labels.name, labels.span, module, labels, labels=made))
        for const in decl.consts:
            self._enter(module, Entity("const", const.name, const.span, module, const))
        for alias in decl.aliases:
            self._enter(module, Entity("alias", alias.name, alias.span, module, alias))
        for prop in decl.props:
            if prop.name in module.props:
                continue  # the same key twice was reported already
            module.props[prop.name] = PropEntity(prop, module)
        base = _state_name(decl)
        for struct in decl.structs:
            entity = Entity("struct", struct.key.text, struct.span, module, struct)
            if self._enter(module, entity):
                asn1 = asn1_type_name(base, struct.key.text) if base else asn1_type_name(struct.key.text)
                scope = self._definition(module, struct, struct.key.text, asn1)
                if scope is not None:
                    self._by_entity[id(entity)] = scope
        if decl.state is not None:
            self._state(module, decl.state, base)

    def _state(self, module: ModuleScope, decl: DefinitionDecl, base: str) -> None:
        written = decl.as_name or decl.wire_name or decl.key
        name = class_name(base)
        if not name:
            self.reporter.error("spec/value", f"`{base}` has no letter or digit to make a name of", written.span)
            name = "State"
        if name in module.classes or name in module.names:
            other = module.classes.get(name) or module.names[name].span
            self.reporter.error(
                "name/collision",
                f"the class of `{base}` and another name of this file are both called `{name}`",
                written.span,
                help="give the state another name with `as:`",
                notes=[Note("the other one", other)],
            )
            return
        for key, entries in decl.parts:
            part = replace(decl, entries=entries, parts=(), tag=None)
            made = self._definition(module, part, name + class_name(key.text), asn1_type_name(base, key.text))
            if made is not None:
                module.parts[key.text] = made.id
        if decl.parts:
            return
        scope = self._definition(module, decl, name, asn1_type_name(base))
        if scope is not None:
            # QEMU uses one description as a section of its own and inside of others, so a state is a type, too.
            entity = Entity("state", name, decl.span, module, decl)
            module.names[name] = entity
            self._by_entity[id(entity)] = scope

    def _enter(self, module: ModuleScope, entity: Entity) -> bool:
        other = module.names.get(entity.name)
        if other is not None or entity.name in BUILT_IN:
            notes = [Note("the other one", other.span)] if other is not None else []
            what = "defined twice in this file" if other is not None else "a type of the language"
            self.reporter.error("name/collision", f"`{entity.name}` is {what}", entity.span, notes=notes)
            return False
        module.names[entity.name] = entity
        return entity.kind not in ("labels",) or self.claim(module, entity.name, entity.span)

    def claim(self, module: ModuleScope, name: str, span: Span) -> bool:
        """Take a class name of the module; whether it was free (otherwise that is reported)."""
        if name in module.classes:
            self.reporter.error(
                "name/collision",
                f"two classes of this file would be called `{name}`",
                span,
                help="give one of them another name",
                notes=[Note("the other one", module.classes[name])],
            )
            return False
        module.classes[name] = span
        return True

    def _definition(self, module: ModuleScope, decl: DefinitionDecl, name: str, asn1: str) -> Scope | None:
        if not self.claim(module, name, decl.span):
            return None
        scope = Scope(
            id=f"{module.path}#{name}",
            kind=decl.kind,
            module=module,
            class_name=name,
            asn1_name=asn1,
            wire_name=decl.wire_name.text if decl.wire_name is not None else None,
            version=decl.version,
            minimum=decl.minimum_version if decl.minimum_version is not None else min(1, decl.version),
            span=decl.span,
            order=decl.endian or "big",
            strip=decl.strip or module.file.decl.strip,
            decl=decl,
            params=[Param(p.name, p.type, p.span) for p in decl.params],  # type: ignore[arg-type]
        )
        scope.facts = self.version_facts(scope)
        self.definitions[scope.id] = scope
        return scope

    def version_facts(self, scope: Scope) -> Facts:
        """What is always known of a definition's version."""
        version = ("version", scope.id)
        low, high = ("const", "int", scope.minimum), ("const", "int", scope.version)
        return frozenset([("compare", version, ">=", low), ("compare", version, "<=", high)])

    def has_scope(self, entity: Entity) -> bool:
        """Whether the name of a struct or state was accepted."""
        return id(entity) in self._by_entity

    def scope_of(self, entity: Entity) -> Scope:
        """The scope of a struct. Raises :class:`Failed` for one whose name was refused."""
        scope = self._by_entity.get(id(entity))
        if scope is None:
            raise Failed
        return scope

    def hint(self, name: str) -> str | None:
        """Where else a name is defined."""
        places = self._defining.get(name)
        return f"import it: `import: {{{places[0]}: [{name}]}}`" if places else None

    def _import(self, module: ModuleScope) -> None:
        file = module.file
        if file.machine is not None:
            module.machine = self.scopes.get(file.machine)
        taken = {id(one) for declared in file.imports.values() for one in declared}
        for one in file.decl.imports:
            if id(one) not in taken:
                module.missing.update(name.text for name in one.names)
        for target_path, declared in file.imports.items():
            target = self.scopes.get(target_path)
            if target is None:
                continue
            for one in declared:
                for name in one.names:
                    self._take(module, target, name)

    def _take(self, module: ModuleScope, target: ModuleScope, name: Scalar) -> None:
        if name.text not in target.names and name.text not in target.props:
            near = did_you_mean(name.text, [*target.names, *target.props])
            self.reporter.error(
                "import/missing",
                f"{target.file.decl.source.path} does not define `{name.text}`",
                name.span,
                help=f"did you mean `{near}`?" if near else None,
            )
            module.missing.add(name.text)
            return
        other = module.names.get(name.text)
        place = other.span if other is not None else None
        if name.text in module.imported:
            place = module.imported[name.text].span
        elif name.text in module.props and name.text in target.props:
            place = module.props[name.text].declared.span
        if place is not None:
            self.reporter.error(
                "name/collision",
                f"`{name.text}` is in this file already",
                name.span,
                notes=[Note("the other one", place)],
            )
            return
        module.imported[name.text] = Imported(target, name.text, name.span)

    def find_constant(self, name: str, module: ModuleScope) -> Const | None:
        """The value of a constant, None if there is no such constant or it is wrong."""
        entity = module.find(name)
        if entity is None or entity.kind != "const":
            return None
        try:
            return self.constant(entity)
        except Failed:
            return None

    def constant(self, entity: Entity) -> Const:
        """The value of a constant. Raises :class:`Failed` if it was reported as wrong."""
        if entity.folded is not None:
            return entity.folded
        declared = entity.declared
        assert isinstance(declared, ConstDecl)
        if entity.busy:
            self.reporter.error("name/later", f"the constant `{entity.name}` needs its own value", declared.span)
        if entity.failed:
            raise Failed
        if self._depth >= MAX_CHAIN:
            self.reporter.error("spec/value", f"constants need each other more than {MAX_CHAIN} deep", declared.span)
            raise Failed
        entity.busy, entity.failed = True, True
        self._depth += 1
        try:
            entity.folded = self._value(declared, Place(entity.module, reach="constant"))
        finally:
            entity.busy = False
            self._depth -= 1
        entity.failed = False
        return entity.folded

    def _value(self, declared: ConstDecl, place: Place) -> Const:
        if declared.items is None:
            if declared.expression is None:
                raise Failed
            return self._folded(declared.expression, place)
        items = [self._folded(item, place) for item in declared.items]
        kinds = {item.type for item in items}
        if len(kinds) > 1 or not kinds <= {"int", "text"}:
            self.reporter.error("expr/type", f"the list `{declared.name}` holds ints or texts, not both", declared.span)
            raise Failed
        values: tuple[Any, ...] = tuple(item.value for item in items)
        return Const(values, "list", declared.span)

    def _folded(self, expr: syntax.Expr, place: Place) -> Const:
        found = self.expressions.typed(expr, place).expression
        if not isinstance(found, Const):
            self.reporter.error("expr/type", "a constant is computed from constants", expr.span)
            raise Failed
        return found

    def resolve_facts(self) -> None:
        """Constants, props and `match` of every file."""
        machines = {path for path in self.scopes if is_machine(path)}
        props = Props(self.reporter, self.expressions, machines)
        for module in self.scopes.values():
            for entity in module.names.values():
                if entity.kind == "const":
                    used = entity.used
                    with suppress(Failed):
                        self.constant(entity)
                    entity.used = used
            self.props[module.path] = [props.resolve(found.declared, module) for found in module.props.values()]
            match = module.file.decl.match
            place = Place(module, reach="ambient", subject=f"{module.path}.match")
            self.matches[module.path] = self.expressions.resolve(match, place, "bool") if match is not None else None


def _state_name(decl: FileDecl) -> str:
    """What the names of a file's state are made of; empty for a library."""
    if decl.state is None:
        return ""
    return (decl.state.as_name or decl.state.wire_name or decl.state.key).text
