"""From resolved scopes to the frozen model.

What can be known only when every definition is complete is put in here: derived values, which of them are properties,
which lets are carried by objects, which pointers can never start like NULL, and which structs are views.
"""

from __future__ import annotations

from dataclasses import replace

from vmsgen.spec.first_item import starts_unlike_null
from vmsgen.spec.inline import Inliner
from vmsgen.spec.loader import own_path
from vmsgen.spec.model import AcceptedBreak, Definition, Field, Group, Let, Model, Module, Step
from vmsgen.spec.names import asn1_module_name
from vmsgen.spec.resolver import Resolved
from vmsgen.spec.scope import ModuleScope, Scope
from vmsgen.spec.viewed import view_only
from vmsgen.spec.wire_types import Array, Grid, ListOf, Nullable, WireType


def freeze(resolved: Resolved) -> Model:
    """The model of everything that was resolved."""
    views = view_only(resolved.scopes.values(), resolved.asked)
    return Model(tuple(_module(scope, resolved, views) for scope in resolved.modules.values()))


def _module(module: ModuleScope, resolved: Resolved, views: set[str]) -> Module:
    file, facts = module.file, resolved.facts
    definitions = tuple(_definition(scope, resolved, views) for scope in module.scopes)
    state = next((d.id for d in definitions if d.kind in ("state", "section")), None) if not module.parts else None
    imports = {}
    for path, declared in file.imports.items():
        target = resolved.modules[path]
        names = [name.text for one in declared for name in one.names]
        imports[path] = tuple(
            n for n in names if n in target.names and target.names[n].kind in ("struct", "state", "labels")
        )
    decl = file.decl
    return Module(
        path=file.path,
        asn1_module=asn1_module_name(own_path(file.path)),
        digest=file.digest,
        source_path=file.source_path,
        state=state,
        definitions=definitions,
        span=decl.span,
        labels=tuple(e.labels for e in module.names.values() if e.labels is not None),
        props=tuple(facts.props.get(file.path, ())),
        imports=imports,
        parts=module.parts,
        hooks=resolved.hooks.get(file.path),
        match=facts.matches.get(file.path),
        was=tuple(scalar.text for scalar in decl.state.was) if decl.state is not None else (),
        accepted_breaks=tuple(AcceptedBreak(b.rule, b.where, b.reason, b.span, b.since) for b in decl.accepted_breaks),
        summary=decl.summary,
        doc=decl.doc,
        external=file.external,
    )


def _definition(scope: Scope, resolved: Resolved, views: set[str]) -> Definition:
    decl = scope.decl
    plain = scope.kind in ("section", "anonymous")
    struct_without_marks = scope.kind == "struct" and scope.wire_name is None and not scope.subsections
    return Definition(
        id=scope.id,
        kind="view" if scope.id in views else scope.kind,
        module=scope.module.path,
        name=scope.class_name,
        asn1_name=scope.asn1_name,
        wire_name=scope.wire_name,
        version=scope.version,
        minimum_version=scope.minimum,
        steps=_steps(scope.steps, scope, resolved),
        span=scope.span,
        marked=not plain and not struct_without_marks and scope.id not in views,
        subsections=tuple(scope.subsections),
        params=tuple(scope.params),
        captures=tuple(scope.captures.values()),
        uses_version=scope.uses_version,
        uses_bytes=scope.uses_bytes is not None,
        tag=decl.tag if decl is not None else None,
        tag_span=decl.tag_span if decl is not None else None,
        was=tuple(scalar.text for scalar in decl.was) if decl is not None else (),
        summary=_summary(scope),
        doc=_doc(scope),
        stability=decl.stability if decl is not None else "stable",
    )


def _summary(scope: Scope) -> str | None:
    if scope.decl is None:
        return None
    return scope.module.file.decl.summary if scope.kind in ("state", "section") else scope.decl.summary


def _doc(scope: Scope) -> str | None:
    if scope.decl is None:
        return None
    return scope.module.file.decl.doc if scope.kind in ("state", "section") else scope.decl.doc


# ---------------------------------------------------------------------------------------------- steps


def _steps(steps: list[Step] | tuple[Step, ...], scope: Scope, resolved: Resolved) -> tuple[Step, ...]:
    return tuple(_step(step, scope, resolved) for step in steps)


def _step(step: Step, scope: Scope, resolved: Resolved) -> Step:
    match step:
        case Group():
            return replace(step, steps=_steps(step.steps, scope, resolved))
        case Let():
            return replace(step, exported=step.name in scope.exported)
        case Field():
            wire = _wire(step.type, resolved)
            found = scope.derived.get(step.name)
            if found is None:
                return replace(step, type=wire) if wire is not step.type else step
            expression = Inliner(scope).inlined(found[0])
            return replace(step, type=wire, derived=expression or found[0], derived_property=expression is not None)
    return step


def _wire(wire: WireType, resolved: Resolved) -> WireType:
    """The type with every pointer's proof filled in."""
    match wire:
        case Nullable():
            return replace(wire, proven=starts_unlike_null(wire.element, resolved.scopes))
        case Array() | ListOf() | Grid():
            element = _wire(wire.element, resolved)
            return replace(wire, element=element) if element is not wire.element else wire
    return wire
