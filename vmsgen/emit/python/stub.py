"""The stub of a package's visitor: the methods it may have, for type checkers, without importing a single state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vmsgen.emit.python.layout import fit
from vmsgen.emit.python.module import import_line, module_parts
from vmsgen.emit.python.plan import ClassPlan
from vmsgen.spec.model import Model, Module


def classes_of(model: Model, module: Module) -> list[list[str]]:
    """The classes of a module that a walk may meet: name, then the arguments of ``visit`` with their types."""
    return [
        [each.name, *(f"{name}: {kind}" for name, kind in ClassPlan(model, each).arguments())]
        for each in module.definitions
        if each.kind != "view"
    ]


def visitor_stub(modules: Mapping[str, Sequence[Sequence[str]]]) -> dict[str, list[str]]:
    """``imports`` and ``methods`` of the stub, from the classes of each module (:func:`classes_of`) by its path.

    Classes of one name share a method, which gets either.
    """
    by_name: dict[str, list[tuple[str, Sequence[str]]]] = {}
    for module, classes in modules.items():
        path = ".".join(module_parts(module))
        for name, *arguments in classes:
            by_name.setdefault(name, []).append((path, arguments))
    imports: dict[str, list[str]] = {}
    methods: list[str] = []
    for name, found in sorted(by_name.items()):
        names = []
        for path, _ in found:
            alias = name if len(found) == 1 else f"{name}_{path.replace('.', '_')}"
            imports.setdefault(path, []).append(name if alias == name else f"{name} as {alias}")
            names.append(alias)
        scope = found[0][1] if len(found) == 1 else ["*scope: Any"]
        methods += fit(1, f"def visit_{name}(", ["self", f"value: {' | '.join(names)}", *scope], ") -> None: ...")
    lines = [import_line(f".{path}", set(wanted)) for path, wanted in sorted(imports.items())]
    return {"imports": lines, "methods": methods}
