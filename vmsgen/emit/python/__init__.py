"""The Python emitter: typed classes with their walk and codecs, packages as the folders of the specs, a lazy
registry.
"""

from __future__ import annotations

from vmsgen.emit.python.layout import fit, quote
from vmsgen.emit.python.module import asked_props, emit_module, module_parts
from vmsgen.emit.python.stub import visitor_stub
from vmsgen.emit.templates import Templates, shipped
from vmsgen.spec.model import Model, Module


def emit_python(model: Model, templates: Templates | None = None) -> dict[str, str]:
    """Every Python file of the generated package, by path relative to it."""
    used = templates or shipped()
    files: dict[str, str] = {}
    own = [m for m in model.modules if not m.external and (m.definitions or m.labels or asked_props(m))]
    for module in own:
        parts = module_parts(module.path)
        files["/".join(parts) + ".py"] = emit_module(model, module, used)
        for depth in range(1, len(parts)):
            package = "/".join(parts[:depth])
            files.setdefault(f"{package}/__init__.py", used.render("python/package.py.j2", name=package))
        if module.hooks is not None:
            stem = module.hooks.path.rpartition("/")[2]
            files["/".join((*parts[:-1], stem))] = module.hooks.text
    files["__init__.py"] = used.render(
        "python/index.py.j2", entries=[entry for m in own for entry in _entries(model, m)]
    )
    files["visitor.py"] = used.render("python/visitor.py.j2")
    files["visitor.pyi"] = used.render("python/visitor.pyi.j2", **visitor_stub(model, own))
    return files


def _entries(model: Model, module: Module) -> list[list[str]]:
    """The lines of the registry entries of a module."""
    return [_entry(model, module, identifier, part) for identifier, part in module.sections()]


def _entry(model: Model, module: Module, identifier: str, part: str) -> list[str]:
    state = model.definition(identifier)
    was = "(" + ", ".join(map(quote, module.was)) + ("," if len(module.was) == 1 else "") + ")"
    tag = model.tags[state.asn1_name].application or 0
    items = [quote(state.wire_name or ""), was, quote(".".join(module_parts(module.path))), quote(state.name), str(tag)]
    if part != "full":
        items.append(quote(part))
    return fit(2, "Entry(", items, "),")
