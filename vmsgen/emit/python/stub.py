"""The stub of a package's visitor: the methods it may have, for type checkers, without importing a single state."""

from __future__ import annotations

from collections.abc import Sequence

from vmsgen.emit.python.layout import fit
from vmsgen.emit.python.module import import_line, module_parts
from vmsgen.emit.python.plan import ClassPlan
from vmsgen.spec.model import Definition, Model, Module


def visitor_stub(model: Model, modules: Sequence[Module]) -> dict[str, list[str]]:
    """``imports`` and ``methods`` of the stub. Classes of one name share a method, which gets either."""
    by_name: dict[str, list[Definition]] = {}
    for module in modules:
        for definition in module.definitions:
            if definition.kind != "view":
                by_name.setdefault(definition.name, []).append(definition)
    imports: dict[str, list[str]] = {}
    methods: list[str] = []
    for name, definitions in sorted(by_name.items()):
        names = []
        for definition in definitions:
            path = ".".join(module_parts(definition.module))
            alias = name if len(definitions) == 1 else f"{name}_{path.replace('.', '_')}"
            imports.setdefault(path, []).append(name if alias == name else f"{name} as {alias}")
            names.append(alias)
        plans = [ClassPlan(model, definition) for definition in definitions]
        scope = [f"{n}: {kind}" for n, kind in plans[0].arguments()] if len(plans) == 1 else ["*scope: Any"]
        methods += fit(1, f"def visit_{name}(", ["self", f"value: {' | '.join(names)}", *scope], ") -> None: ...")
    lines = [import_line(f".{path}", set(wanted)) for path, wanted in sorted(imports.items())]
    return {"imports": lines, "methods": methods}
