"""One generated module: imports, labels, props, classes."""

from __future__ import annotations

import keyword
import re

from vmsgen.emit.python.classes import Needs, class_lines
from vmsgen.emit.python.expressions import prop_name
from vmsgen.emit.python.layout import WIDTH, Lines, fit, one_line, quote, wrap_comment
from vmsgen.emit.python.plan import ClassPlan
from vmsgen.emit.templates import Templates
from vmsgen.spec.expression import Const
from vmsgen.spec.model import Definition, Model, Module, Prop
from vmsgen.spec.wire_types import Bytes, Labels

LIBRARY = "vmsgen.library"

#: the modules of the runtime that straight-line code uses beside ``straight``, by what stands in them
_WHERE = {
    **dict.fromkeys(
        (
            "BOOL",
            "INT8",
            "UINT8",
            "OCTETS",
            "UNSIGNED",
            "TlvRun",
            *(f"{sign}{bits}" for sign in "SU" for bits in (8, 16, 32, 64)),
        ),
        "ber_integers",
    ),
    **dict.fromkeys(("grid", "integers", "take_booleans", "take_grid", "take_integers"), "ber_arrays"),
}


def module_parts(path: str) -> tuple[str, ...]:
    """The packages and the module that a spec's path becomes: ``net/virtio-net`` -> ``("net", "virtio_net")``."""
    return tuple(_identifier(part) for part in path.removeprefix("qemu/").split("/"))


def _identifier(part: str) -> str:
    name = re.sub(r"[^0-9A-Za-z_]", "_", part)
    if not name or name[0].isdigit():
        name = f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


def import_path(user: Module, other: Module) -> str:
    """How the module of ``user`` names the module of ``other``: relative, or inside the shipped library."""
    if other.external and not user.external:
        return f"{LIBRARY}.{'.'.join(module_parts(other.path))}"
    own, target = module_parts(user.path)[:-1], module_parts(other.path)
    shared = 0
    while shared < min(len(own), len(target) - 1) and own[shared] == target[shared]:
        shared += 1
    return "." * (len(own) - shared + 1) + ".".join(target[shared:])


def emit_module(model: Model, module: Module, templates: Templates) -> str:
    """The text of one module."""
    needs = Needs()
    classes = [class_lines(model, d, needs) for d in in_order(model, module)]
    props = Lines()
    for prop in asked_props(module):
        needs.facts |= _prop(props, model, prop)
    labels = Lines()
    for each in module.labels:
        _labels(labels, each)
    _drop_unused(needs, "\n".join(lines.text() for lines in (props, *classes)))
    imports = _imports(model, module, needs)
    formats = [f"{name} = struct.Struct({quote(text)})" for text, name in sorted(needs.formats.items()) if text]
    for name, (codes, first) in sorted(needs.runs.items(), key=lambda each: (each[1][1], each[0])):
        formats += fit(0, f"{name} = TlvRun(", [quote(codes), *([str(first)] if first else [])], ")")
    return templates.render(
        "python/module.py.j2",
        source=module.source_path,
        digest=module.digest[:16],
        summary=_summary(module),
        imports=imports,
        labels=labels.text(),
        props=props.text(),
        formats=formats,
        classes=[c.text() for c in classes],
    )


def _drop_unused(needs: Needs, text: str) -> None:
    """Leaves out what only dropped code needed."""
    words = set(re.findall(r"\w+", text))
    needs.functions &= words
    needs.straight &= words
    needs.builtins = needs.builtins and "builtins" in words
    needs.facts = needs.facts and "Facts" in words
    needs.props = {(path, name) for path, name in needs.props if prop_name(name) in words}


def asked_props(module: Module) -> list[Prop]:
    """The props that generated code asks for; Facts knows the machine's own (``qemu`` ...) by itself."""
    return [p for p in module.props if not (p.machine_wide and (p.name in ("qemu", "host_endian") or "." in p.name))]


def _summary(module: Module) -> str:
    text = one_line(module.summary or f"States of {module.path}").rstrip(".")
    return (text[0].upper() + text[1:] if text else module.path) + "."


def in_order(model: Model, module: Module) -> list[Definition]:
    """The classes of a module, subsections before their owners (a class body names them), else as the model has
    them.
    """
    own = {d.id: d for d in module.definitions}
    done: dict[str, Definition] = {}

    def add(definition: Definition) -> None:
        if definition.id in done or definition.id in pending:
            return
        pending.add(definition.id)
        named = [s.definition for s in definition.subsections]
        named += [f.type.view for f in definition.fields() if isinstance(f.type, Bytes) and f.type.view is not None]
        for identifier in named:
            if identifier in own:
                add(own[identifier])
        done[definition.id] = definition

    pending: set[str] = set()
    for definition in module.definitions:
        add(definition)
    return list(done.values())


def _imports(model: Model, module: Module, needs: Needs) -> list[str]:
    lines = ["from __future__ import annotations", ""]
    standard = ["import builtins"] if needs.builtins else []
    if module.labels:
        standard.append("import enum")
    if needs.formats:
        standard.append("import struct")
    if needs.any:
        standard.append("from typing import Any")
    if standard:
        lines += [*standard, ""]
    wanted: dict[str, set[str]] = {
        "vmsgen.runtime.functions": needs.functions,
    }
    if needs.runs:
        needs.straight.add("TlvRun")
    for name in needs.straight:
        wanted.setdefault(f"vmsgen.runtime.{_WHERE.get(name, 'straight')}", set()).add(name)
    facts = (("Facts", needs.facts), ("Prop", bool(asked_props(module))))
    wanted["vmsgen.runtime.facts"] = {name for name, used in facts if used}
    state = {"Struct": needs.structs, "SubsectionInfo": needs.subsections, "View": needs.views, "VMState": needs.states}
    wanted["vmsgen.runtime.state"] = {name for name, used in state.items() if used}
    wanted["vmsgen.runtime.visitor"] = {"Visitor"} if module.definitions else set()
    local: dict[str, set[str]] = {}
    for path, names in _own_imports(model, module, needs).items():
        (local if path.startswith(".") else wanted)[path] = names
    lines += [import_line(path, wanted[path]) for path in sorted(wanted) if wanted[path]]
    if local:
        lines += ["", *(import_line(path, local[path]) for path in sorted(local, key=_farther_first))]
    if needs.hooks:
        assert module.hooks is not None
        stem = module.hooks.path.rpartition("/")[2].removesuffix(".py")
        if not local:
            lines.append("")
        lines.append(f"from . import {_identifier(stem)} as hooks")
    return lines


def import_line(path: str, names: set[str]) -> str:
    """One import statement, sorted and split as black and import sorters have it."""
    listed = sorted(names, key=_name_key)
    line = f"from {path} import {', '.join(listed)}"
    return line if len(line) <= WIDTH else "\n".join([f"from {path} import (", *(f"    {n}," for n in listed), ")"])


def _farther_first(path: str) -> tuple[int, str]:
    """Farther packages first, as import sorters have it."""
    return len(path.lstrip(".")) - len(path), path


def _name_key(name: str) -> tuple[int, list[tuple[int, str]]]:
    """Import sorters put CONSTANTS first, then Classes, then functions; numbers in names count as numbers."""
    pieces = [
        (int(piece), "") if piece.isdigit() else (-1, piece.lower()) for piece in re.split(r"(\d+)", name) if piece
    ]
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), pieces


def _own_imports(model: Model, module: Module, needs: Needs) -> dict[str, set[str]]:
    """Names taken from other modules of the package or of the library, by the path they are imported from."""
    wanted: dict[str, set[str]] = {}
    own = {d.id for d in module.definitions}
    for definition in module.definitions:
        for identifier in referenced(model, definition):
            if identifier not in own:
                target = model.definition(identifier)
                wanted.setdefault(target.module, set()).add(target.name)
    for path, name in needs.props:
        if path != module.path:
            wanted.setdefault(path, set()).add(prop_name(name))
    for labels in needs.labels:
        if labels.module != module.path:
            wanted.setdefault(labels.module, set()).add(labels.name)
    return {import_path(module, model.module(path)): names for path, names in wanted.items()}


def referenced(model: Model, definition: Definition) -> set[str]:
    """Ids of the definitions that the class of this one names."""
    from vmsgen.spec.wire_types import Array, Grid, Hook, ListOf, Nullable, StructRef, Tree, Union, WireType

    found: set[str] = set()

    def look(wire: WireType) -> None:
        match wire:
            case Bytes(view=str() as view):
                found.add(view)
            case StructRef(definition=identifier):
                found.add(identifier)
            case Nullable(element=element) | Array(element=element) | Grid(element=element) | ListOf(element=element):
                look(element)
            case Tree(key=key, value=value):
                look(key)
                look(value)
            case Union(cases=cases, otherwise=otherwise):
                for case in cases:
                    if case.type is not None:
                        look(case.type)
                if isinstance(otherwise, StructRef):
                    look(otherwise)
            case Hook(type=inner):
                look(inner)
            case _:
                pass

    for field in definition.fields():
        if not field.never:
            look(field.type)
    found.update(s.definition for s in definition.subsections)
    return found


def _labels(lines: Lines, labels: Labels) -> None:
    base = "enum.IntEnum" if labels.kind == "enum" else "enum.IntFlag"
    if lines.lines:
        lines.add()
        lines.add()
    lines.add(f"class {labels.name}({base}):")
    lines.indent()
    lines.add('"""Names of values; others are kept as numbers."""')
    lines.add()
    for low, high, label in labels.members:
        number = low if labels.kind == "enum" else ((1 << (high - low + 1)) - 1) << low
        lines.add(f"{member_name(label)} = {f'0x{number:X}' if labels.kind == 'flags' else number}")
    lines.dedent()


def member_name(label: str) -> str:
    """The member of an enum class for a label."""
    return f"{label}_" if keyword.iskeyword(label) or label in ("name", "value", "mro") else label


def _prop(lines: Lines, model: Model, prop: Prop) -> bool:
    """The constant of a prop; whether its default needs Facts (never at run time)."""
    for text in (prop.doc, prop.source and f"Source: {prop.source}"):
        if text:
            lines.lines.extend(wrap_comment(text, 0))
    items = [quote(prop.name), quote(prop.module), quote(prop.kind)]
    if prop.low is not None:
        items.append(f"low={prop.low}")
    if prop.high is not None:
        items.append(f"high={prop.high}")
    if prop.candidates:
        listed = ", ".join(repr(c) if not isinstance(c, str) else quote(c) for c in prop.candidates)
        items.append(f"candidates=({listed},)" if len(prop.candidates) == 1 else f"candidates=({listed})")
    if prop.default is not None:
        from vmsgen.emit.python.expressions import Compiler

        compiler = Compiler()
        code = compiler(prop.default)
        items.append(f"default=lambda f: {code}")
        if isinstance(prop.default, Const) and prop.kind == "int" and isinstance(prop.default.value, bool):
            raise AssertionError(f"{prop.name}: a bool default of an int prop")
    if prop.machine_wide:
        items.append("machine_wide=True")
    lines.statement(f"{prop_name(prop.name)} = Prop(", items, ")")
    return False


def plan_of(model: Model, definition: Definition) -> ClassPlan:
    """The plan of a definition, for emitters beside this one."""
    return ClassPlan(model, definition)
