"""The Python emitter: typed classes with their walk and codecs, packages as the folders of the specs, a lazy
registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from vmsgen.emit.python.expressions import Compiler
from vmsgen.emit.python.layout import fit, quote
from vmsgen.emit.python.module import asked_props, emit_module, module_parts
from vmsgen.emit.python.stub import classes_of, visitor_stub
from vmsgen.emit.templates import Templates, shipped
from vmsgen.spec.model import Model, Module

#: The longest function that the registry has on a line.
_LINE = 64


class Listed(TypedDict):
    """What the files of a whole package say of one module, as JSON."""

    #: lines of its entries in the registry
    entries: list[list[str]]
    #: its classes, each with the arguments of its walk
    classes: list[list[str]]


def emit_python(model: Model, templates: Templates | None = None) -> dict[str, str]:
    """Every Python file of the generated package, by path relative to it."""
    used = templates or shipped()
    own = [module for module in model.modules if has_code(module)]
    files: dict[str, str] = {}
    for module in own:
        files.update(module_files(model, module, used))
    return files | package_files({module.path: listed(model, module) for module in own}, used)


def has_code(module: Module) -> bool:
    """Whether a module of the package is made of this one."""
    return not module.external and bool(module.definitions or module.labels or asked_props(module))


def module_files(model: Model, module: Module, templates: Templates) -> dict[str, str]:
    """The module of one spec, and its hooks."""
    parts = module_parts(module.path)
    files = {"/".join(parts) + ".py": emit_module(model, module, templates)}
    if module.hooks is not None:
        stem = module.hooks.path.rpartition("/")[2]
        files["/".join((*parts[:-1], stem))] = module.hooks.text
    return files


def listed(model: Model, module: Module) -> Listed:
    """What is said of one module in the files of the whole package."""
    entries = [_entry(model, module, identifier, part) for identifier, part in module.sections()]
    return Listed(entries=entries, classes=classes_of(model, module))


def package_files(modules: Mapping[str, Listed], templates: Templates) -> dict[str, str]:
    """The registry, the visitor, and the packages of the folders; from what is said of each module, by its path."""
    files: dict[str, str] = {}
    for path in modules:
        parts = module_parts(path)
        for depth in range(1, len(parts)):
            package = "/".join(parts[:depth])
            if f"{package}/__init__.py" not in files:
                files[f"{package}/__init__.py"] = templates.render("python/package.py.j2", name=package)
    entries = [entry for each in modules.values() for entry in each["entries"]]
    files["__init__.py"] = templates.render("python/index.py.j2", entries=entries)
    files["visitor.py"] = templates.render("python/visitor.py.j2")
    classes = {path: each["classes"] for path, each in modules.items()}
    files["visitor.pyi"] = templates.render("python/visitor.pyi.j2", **visitor_stub(classes))
    return files


def _entry(model: Model, module: Module, identifier: str, part: str) -> list[str]:
    state = model.definition(identifier)
    was = "(" + ", ".join(map(quote, module.was)) + ("," if len(module.was) == 1 else "") + ")"
    tag = model.tags[state.asn1_name].application or 0
    items = [quote(state.wire_name or ""), was, quote(".".join(module_parts(module.path))), quote(state.name), str(tag)]
    if part != "full":
        items.append(quote(part))
    elif (match := _match(module)) is not None:
        items.append(f"match={match}")
    return fit(2, "Entry(", items, "),")


def _match(module: Module) -> str | None:
    """What tells the state of a module from others of its name, as a function of facts; None where there is nothing, or
    it needs more than facts or more than a line.
    """
    if module.match is None:
        return None
    compiler = Compiler()
    code = f"lambda f: {compiler(module.match)}"
    return code if not compiler.functions and not compiler.props and len(code) <= _LINE else None
