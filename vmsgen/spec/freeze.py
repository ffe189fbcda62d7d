"""From resolved scopes to the frozen model.

What can be known only when every definition is complete is put in here: derived values, which of them are properties,
which lets are carried by objects, which pointers can never start like NULL, and which structs are views.
"""

from __future__ import annotations

from dataclasses import replace

from vmsgen.spec.expression import (
    Binary,
    Call,
    Compare,
    Conditional,
    Const,
    Expression,
    Index,
    InRange,
    InSet,
    Member,
    Ref,
    Unary,
)
from vmsgen.spec.first_item import starts_unlike_null
from vmsgen.spec.model import (
    Array,
    Bytes,
    Definition,
    Field,
    Grid,
    Group,
    Hook,
    Let,
    ListOf,
    Model,
    Module,
    Nullable,
    Step,
    Tree,
    Union,
    WireType,
)
from vmsgen.spec.names import asn1_module_name
from vmsgen.spec.resolver import Resolved
from vmsgen.spec.scope import ModuleScope, Scope


def freeze(resolved: Resolved) -> Model:
    """The model of everything that was resolved."""
    viewed, used = _uses(resolved)
    views = viewed - used
    return Model(tuple(_module(scope, resolved, views) for scope in resolved.modules.values()))


def _module(module: ModuleScope, resolved: Resolved, views: set[str]) -> Module:
    file, facts = module.file, resolved.facts
    definitions = tuple(_definition(scope, resolved, views) for scope in module.scopes)
    state = next((d.id for d in definitions if d.kind in ("state", "section")), None)
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
        asn1_module=asn1_module_name(file.path),
        digest=file.digest,
        source_path=file.source_path,
        state=state,
        definitions=definitions,
        span=decl.span,
        labels=tuple(e.labels for e in module.names.values() if e.labels is not None),
        props=tuple(facts.props.get(file.path, ())),
        imports=imports,
        hooks=resolved.hooks.get(file.path),
        match=facts.matches.get(file.path),
        was=tuple(scalar.text for scalar in decl.state.was) if decl.state is not None else (),
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
        tag=decl.tag if decl is not None else None,
        tag_span=decl.tag_span if decl is not None else None,
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
            expression = _inlined(found[0], scope, set())
            own = expression is not None
            return replace(step, type=wire, derived=expression or found[0], derived_property=own)
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


def _inlined(expression: Expression, scope: Scope, busy: set[str]) -> Expression | None:
    """``expression`` over stored fields alone, lets replaced by what they are; None if it needs anything else."""
    match expression:
        case Const():
            return expression
        case Ref(source="field"):
            return expression
        case Ref(source="derived"):
            found = scope.derived.get(expression.name)
            if found is None or expression.name in busy:
                return None
            return expression if _inlined(found[0], scope, busy | {expression.name}) is not None else None
        case Ref(source="let"):
            let = next((let for let in _lets(scope.steps) if let.name == expression.name), None)
            return _inlined(let.expression, scope, busy) if let is not None else None
        case Member():
            base = _inlined(expression.base, scope, busy)
            return replace(expression, base=base) if base is not None else None
        case Index():
            base, index = _inlined(expression.base, scope, busy), _inlined(expression.index, scope, busy)
            return replace(expression, base=base, index=index) if base is not None and index is not None else None
        case Unary():
            operand = _inlined(expression.operand, scope, busy)
            return replace(expression, operand=operand) if operand is not None else None
        case Binary():
            left, right = _inlined(expression.left, scope, busy), _inlined(expression.right, scope, busy)
            return replace(expression, left=left, right=right) if left is not None and right is not None else None
        case Conditional():
            parts = _all((expression.test, expression.then, expression.other), scope, busy)
            return replace(expression, test=parts[0], then=parts[1], other=parts[2]) if parts is not None else None
        case Compare():
            operands = _all(expression.operands, scope, busy)
            return replace(expression, operands=operands) if operands is not None else None
        case Call():
            arguments = _all(expression.arguments, scope, busy)
            return replace(expression, arguments=arguments) if arguments is not None else None
        case InRange():
            parts = _all((expression.value, expression.low, expression.high), scope, busy)
            return replace(expression, value=parts[0], low=parts[1], high=parts[2]) if parts is not None else None
        case InSet():
            parts = _all((expression.value, *expression.items), scope, busy)
            return replace(expression, value=parts[0], items=parts[1:]) if parts is not None else None
    return None


def _all(expressions: tuple[Expression, ...], scope: Scope, busy: set[str]) -> tuple[Expression, ...] | None:
    found = [_inlined(expression, scope, busy) for expression in expressions]
    complete = tuple(one for one in found if one is not None)
    return complete if len(complete) == len(found) else None


def _lets(steps: list[Step] | tuple[Step, ...]) -> list[Let]:
    found: list[Let] = []
    for step in steps:
        if isinstance(step, Let):
            found.append(step)
        elif isinstance(step, Group):
            found.extend(_lets(step.steps))
    return found


# ---------------------------------------------------------------------------------------------- uses


def _uses(resolved: Resolved) -> tuple[set[str], set[str]]:
    """Definitions that are views of bytes, and those that stand on the wire (or are states)."""
    viewed: set[str] = set()
    used: set[str] = set()
    for scope in resolved.scopes.values():
        for step in _fields(scope.steps):
            _use(step.type, viewed, used)
    return viewed, used


def _fields(steps: list[Step] | tuple[Step, ...]) -> list[Field]:
    found: list[Field] = []
    for step in steps:
        if isinstance(step, Field):
            found.append(step)
        elif isinstance(step, Group):
            found.extend(_fields(step.steps))
    return found


def _use(wire: WireType, viewed: set[str], used: set[str]) -> None:
    match wire:
        case Bytes(view=str() as view):
            viewed.add(view)
        case Array() | ListOf() | Grid():
            _use(wire.element, viewed, used)
        case Nullable():
            used.add(wire.element.definition)
        case Tree():
            _use(wire.key, viewed, used)
            _use(wire.value, viewed, used)
        case Union():
            used.update(case.type.definition for case in wire.cases if case.type is not None)
            if wire.otherwise is not None and not isinstance(wire.otherwise, str):
                used.add(wire.otherwise.definition)
        case Hook():
            _use(wire.type, viewed, used)
        case _:
            definition = getattr(wire, "definition", None)
            if definition is not None:
                used.add(definition)
