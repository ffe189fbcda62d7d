"""The ASN.1 schema of a model: one module per spec file, the shared types, the list of devices in two bodies, the
container.

Paths are relative to the output folder. ``asn1/*.asn1`` is the typed schema and compiles as it stands; with
``asn1/open/Vmsgen-Devices.asn1`` in the place of its namesake the same bytes are read as a container of unknown
devices.
"""

from __future__ import annotations

from vmsgen.emit.asn1.lint import Finding, lint
from vmsgen.emit.asn1.lower import lower
from vmsgen.emit.asn1.printing import print_module
from vmsgen.emit.asn1.reach import defined, module_name, references
from vmsgen.emit.asn1.schema import ChoiceType, Component, SchemaModule
from vmsgen.emit.templates import Templates, shipped
from vmsgen.spec.model import Model, Module

__all__ = ["FIXED_MODULES", "SchemaError", "emit_asn1", "modules_of"]

FOLDER = "asn1"
DEVICES_MODULE = "Vmsgen-Devices"

#: Modules that are the same for every model; their text stands in ``templates/asn1/``.
FIXED_MODULES = ("Vmsgen-Types", "Vmsgen-Stream", "Vmsgen-Legacy")


class SchemaError(Exception):
    """What was emitted breaks a rule that the judges need; with no spec at fault, this is a bug or a wrong
    template."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(map(str, findings[:5])))
        self.findings = findings


def emit_asn1(model: Model, templates: Templates | None = None) -> dict[str, str]:
    """``{path: text}`` of the whole schema. ``model.tags`` must be filled.

    Modules of the shipped library that the user's own refer to are emitted too, for a judge needs every import.
    Raises SchemaError if the result would not pass :func:`vmsgen.emit.asn1.lint.lint`.
    """
    templates = templates or shipped()
    texts = {f"{FOLDER}/{name}.asn1": templates.text(f"asn1/{name}.asn1") for name in FIXED_MODULES}
    modules = modules_of(model)
    states = []
    for module in modules:
        schema = lower(model, module)
        if schema is None:
            continue
        texts[f"{FOLDER}/{schema.file_name}"] = print_module(schema, templates)
        states += [(model.definition(identifier).asn1_name, module) for identifier, _ in module.sections()]
    typed = _typed_devices(states)
    opened = templates.text("asn1/open/Vmsgen-Devices.asn1")
    texts[f"{FOLDER}/{DEVICES_MODULE}.asn1"] = opened if typed is None else print_module(typed, templates)
    texts[f"{FOLDER}/open/{DEVICES_MODULE}.asn1"] = opened
    if findings := lint(texts):
        raise SchemaError(findings)
    return texts


def modules_of(model: Model) -> tuple[Module, ...]:
    """The modules to emit: this build's own, and what they refer to of the library."""
    wanted = {module.path for module in model.modules if not module.external}
    queue = sorted(wanted)
    while queue:
        for definition in defined(model, model.module(queue.pop())):
            for identifier in references(definition):
                home = model.definition(identifier).module
                if home not in wanted:
                    wanted.add(home)
                    queue.append(home)
    return tuple(sorted((m for m in model.modules if m.path in wanted), key=module_name))


def _typed_devices(states: list[tuple[str, Module]]) -> SchemaModule | None:
    """``DeviceState`` as the CHOICE of every state; None if there is none (a CHOICE of nothing is not ASN.1)."""
    names = dict(states)
    if not names:
        return None
    imports: dict[str, tuple[str, ...]] = {}
    for name in sorted(names, key=lambda name: (module_name(names[name]), name)):
        imports[module_name(names[name])] = (*imports.get(module_name(names[name]), ()), name)
    components = [
        Component(_alternative(name), None, name, comment=module.source_path) for name, module in sorted(names.items())
    ]
    return SchemaModule(
        name=DEVICES_MODULE,
        source="every spec with a state",
        types=(ChoiceType("DeviceState", tuple(components)),),
        exports=("DeviceState",),
        imports=imports,
        about=(
            "Any device of these specs; each brings its own tag. The module of the same name in open/ takes "
            "every device, with the same bytes.",
        ),
    )


def _alternative(type_name: str) -> str:
    """``VmX86Cpu`` -> ``x86cpu``; one with a digit in front gets an ``x`` before it."""
    bare = type_name.removeprefix("Vm").lower()
    return f"x{bare}" if bare[:1].isdigit() else bare
