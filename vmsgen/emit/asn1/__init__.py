"""The ASN.1 schema of a model: one module per spec file, the shared types, the list of devices in two bodies, the
container.

Paths are relative to the output folder. ``asn1/*.asn1`` is the typed schema and compiles as it stands; with
``asn1/open/Vmsgen-Devices.asn1`` in the place of its namesake the same bytes are read as a container of unknown
devices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypedDict

from vmsgen.emit.asn1.lint import Finding, Linted, lint_text, lint_together
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


class SchemaPart(TypedDict):
    """What the whole schema has to know of one module, as JSON."""

    #: of the ASN.1 module
    name: str
    source: str
    #: modules of the specs that its definitions refer to
    homes: list[str]
    #: types of the states that a stream names
    states: list[str]
    #: its file; None if nothing in it travels
    linted: Linted | None


def emit_asn1(model: Model, templates: Templates | None = None) -> dict[str, str]:
    """``{path: text}`` of the whole schema. ``model.tags`` must be filled.

    Modules of the shipped library that the user's own refer to are emitted too, for a judge needs every import.
    Raises SchemaError if the result would not pass :func:`vmsgen.emit.asn1.lint.lint`.
    """
    templates = templates or shipped()
    files: dict[str, str] = {}
    parts: list[SchemaPart] = []
    for module in modules_of(model):
        part, made = schema_part(model, module, templates)
        parts.append(part)
        files.update(made)
    return files | schema_files(parts, templates)


def schema_part(model: Model, module: Module, templates: Templates) -> tuple[SchemaPart, dict[str, str]]:
    """One module of the schema: what the rest has to know, and its file, if anything in it travels."""
    schema = lower(model, module)
    part = SchemaPart(
        name=module_name(module), source=module.source_path, homes=_homes(model, module), states=[], linted=None
    )
    if schema is None:
        return part, {}
    path, text = f"{FOLDER}/{schema.file_name}", print_module(schema, templates)
    part["states"] = [model.definition(identifier).asn1_name for identifier, _ in module.sections()]
    part["linted"] = lint_text(path, text)
    return part, {path: text}


def schema_files(parts: Iterable[SchemaPart], templates: Templates) -> dict[str, str]:
    """The files of the schema that are not of one module. Raises SchemaError as :func:`emit_asn1`."""
    ordered = sorted(parts, key=lambda part: part["name"])
    texts = {f"{FOLDER}/{name}.asn1": templates.text(f"asn1/{name}.asn1") for name in FIXED_MODULES}
    fixed = [lint_text(path, text) for path, text in texts.items()]
    typed = _typed_devices({state: part for part in ordered for state in part["states"]})
    opened = templates.text("asn1/open/Vmsgen-Devices.asn1")
    devices = {
        f"{FOLDER}/{DEVICES_MODULE}.asn1": opened if typed is None else print_module(typed, templates),
        f"{FOLDER}/open/{DEVICES_MODULE}.asn1": opened,
    }
    of_modules = [part["linted"] for part in ordered if part["linted"] is not None]
    if findings := lint_together([*fixed, *of_modules, *(lint_text(path, text) for path, text in devices.items())]):
        raise SchemaError(findings)
    return texts | devices


def modules_of(model: Model) -> tuple[Module, ...]:
    """The modules to emit: this build's own, and what they refer to of the library."""
    own = [module.path for module in model.modules if not module.external]
    wanted = reached(own, lambda path: _homes(model, model.module(path)))
    return tuple(sorted((m for m in model.modules if m.path in wanted), key=module_name))


def reached(own: Iterable[str], homes: Callable[[str], Iterable[str]]) -> set[str]:
    """The modules ``own`` and those that they refer to; ``homes`` tells to which a module does."""
    wanted = set(own)
    queue = list(wanted)
    while queue:
        for home in homes(queue.pop()):
            if home not in wanted:
                wanted.add(home)
                queue.append(home)
    return wanted


def _homes(model: Model, module: Module) -> list[str]:
    used = (identifier for definition in defined(model, module) for identifier in references(definition))
    return sorted({model.definition(identifier).module for identifier in used} - {module.path})


def _typed_devices(states: Mapping[str, SchemaPart]) -> SchemaModule | None:
    """``DeviceState`` as the CHOICE of every state, by the names of their types; None if there is none (a CHOICE of
    nothing is not ASN.1).
    """
    if not states:
        return None
    imports: dict[str, tuple[str, ...]] = {}
    for name in sorted(states, key=lambda name: (states[name]["name"], name)):
        imports[states[name]["name"]] = (*imports.get(states[name]["name"], ()), name)
    components = [
        Component(_alternative(name), None, name, comment=part["source"]) for name, part in sorted(states.items())
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
