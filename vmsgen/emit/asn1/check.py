"""Names that ASN.1 cannot tell apart: found before anything is emitted, and reported where the specs cause them."""

from __future__ import annotations

from vmsgen.diagnostics import Diagnostic, Note, Severity, Span
from vmsgen.emit.asn1.lower import lower
from vmsgen.emit.asn1.names import LONGEST_NAME, component_name
from vmsgen.emit.asn1.schema import AliasType, ChoiceType, Component, NamedType
from vmsgen.spec.model import Definition, Model

_RULE = "name/collision"
_HELP = "give one of them another name with `as:`"


def check_definitions(model: Model) -> list[Diagnostic]:
    """Definitions whose ASN.1 names are one with case folded: before they get tags, which go by these names."""
    found: list[Diagnostic] = []
    names: dict[str, Definition] = {}
    for module in sorted(model.modules, key=lambda m: not m.external):
        for definition in module.definitions:
            first = names.setdefault(definition.asn1_name.lower(), definition)
            if first is not definition:
                what = f"ASN.1 type {definition.asn1_name}"
                found.append(_collision(what, first.asn1_name, first.span, definition.span))
    return found


def check_asn1(model: Model) -> list[Diagnostic]:
    """Collisions of type and module names over all modules and of component names in each type, with case folded.

    Only places of this build's own specs are reported; the library's names have been checked when it was built.
    ``model.tags`` must be filled, :func:`check_definitions` have found nothing.
    """
    found: list[Diagnostic] = []
    types: dict[str, tuple[str, Span | None]] = {}
    modules: dict[str, tuple[str, Span]] = {}
    for module in sorted(model.modules, key=lambda m: not m.external):
        schema = lower(model, module)
        if schema is None:
            continue
        folded = schema.name.lower()
        if folded in modules:
            found.append(_collision(f"ASN.1 module {schema.name}", *modules[folded], module.span))
        modules.setdefault(folded, (schema.name, module.span))
        for type_ in schema.types:
            span = type_.span or module.span
            key = type_.name.lower()
            if key in types:
                name, first = types[key]
                found.append(_collision(f"ASN.1 type {type_.name}", name, first, span))
            types.setdefault(key, (type_.name, span))
            if not module.external:
                found.extend(_inside(type_, span))
    return found


def _inside(type_: NamedType, span: Span) -> list[Diagnostic]:
    """Trouble within one type: its name's length, and the names of its components."""
    found: list[Diagnostic] = []
    if len(type_.name) > LONGEST_NAME:
        message = (
            f"the ASN.1 type name {type_.name[:40]}... has {len(type_.name)} characters, {LONGEST_NAME} are possible"
        )
        found.append(Diagnostic(_RULE, Severity.ERROR, message, span, help="give it a shorter name with `as:`"))
    if isinstance(type_, AliasType):
        return found
    components = type_.alternatives if isinstance(type_, ChoiceType) else type_.components
    seen: dict[str, Component] = {}
    for component in components:
        where = component.span or span
        if component.name != component_name(component.name):
            message = f"`{component.name}` has no ASN.1 spelling"
            found.append(Diagnostic(_RULE, Severity.ERROR, message, where, help="give it a name with `as:`"))
        first = seen.setdefault(component.name.lower(), component)
        if first is not component:
            found.append(_collision(f"ASN.1 component {component.name}", first.name, first.span or span, where))
    return found


def _collision(what: str, name: str, first: Span | None, span: Span) -> Diagnostic:
    notes = (Note("first here", first),) if first is not None else ()
    spelt = "" if what.endswith(f" {name}") else f" (spelt {name} there; ASN.1 files fold case)"
    return Diagnostic(_RULE, Severity.ERROR, f"{what} is made twice{spelt}", span, help=_HELP, notes=notes)
