"""What belongs to a module of the schema: which definitions travel, what they refer to, and what things are called."""

from __future__ import annotations

from collections.abc import Iterator

from vmsgen.emit.asn1.names import component_name, pieces
from vmsgen.spec.model import Definition, Model, Module
from vmsgen.spec.wire_types import Array, Case, Grid, Hook, ListOf, Nullable, StructRef, Tree, Union, WireType


def defined(model: Model, module: Module) -> tuple[Definition, ...]:
    """The definitions of ``module`` that travel, the state first, then in the order of their first use."""
    order: dict[str, Definition] = {}

    def visit(definition: Definition) -> None:
        if definition.id in order or definition.module != module.path:
            return
        order[definition.id] = definition
        for identifier in references(definition):
            visit(model.definition(identifier))

    roots = [d for d in module.definitions if d.id == module.state]
    roots += [d for d in reversed(module.definitions) if d.kind != "view"]
    for definition in roots:
        visit(definition)
    return tuple(order.values())


def references(definition: Definition) -> Iterator[str]:
    """Ids of the definitions that this one's bytes may hold, its subsections last."""
    for each in definition.fields():
        if not each.never:
            yield from _struct_ids(each.type)
    for subsection in definition.subsections:
        yield subsection.definition


def _struct_ids(type_: WireType) -> Iterator[str]:
    match type_:
        case StructRef(definition=identifier):
            yield identifier
        case Nullable(element=element) | Array(element=element) | Grid(element=element) | ListOf(element=element):
            yield from _struct_ids(element)
        case Tree(key=key, value=value):
            yield from _struct_ids(key)
            yield from _struct_ids(value)
        case Union():
            for _, alternative in alternatives(type_):
                if alternative is not None:
                    yield alternative.definition
        case Hook(type=declared):
            yield from _struct_ids(declared)


def alternatives(union: Union) -> tuple[tuple[str, StructRef | None], ...]:
    """The alternatives of a union's CHOICE, whose context tags are their positions: the cases, then ``else``."""
    cases: list[Case] = list(union.cases)
    found = [(component_name(case.name), case.type) for case in cases]
    if union.otherwise is not None:
        found.append(("else", None if union.otherwise == "none" else union.otherwise))
    return tuple(found)


def module_name(module: Module) -> str:
    """The ASN.1 module of a spec; one of the shipped library is called as in the library, whoever imports it."""
    if module.external:
        return f"Vmsgen-Dev-{pieces(module.path.removeprefix('qemu/'))}"
    return module.asn1_module


def module_stem(model: Model, module: Module) -> str:
    """What names that belong to a whole file begin with: its state's name, else its path."""
    if module.state is not None:
        return model.definition(module.state).asn1_name
    return f"Vm{pieces(module.path)}"
