"""Names that nothing uses."""

from __future__ import annotations

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.loader import is_machine
from vmsgen.spec.passes.walking import fields, own_scopes, wire_types
from vmsgen.spec.resolver import Resolved
from vmsgen.spec.wire_types import Hook

_WORDS = {"struct": "struct", "alias": "type", "const": "constant"}


def check_unused(resolved: Resolved, reporter: Reporter) -> None:
    """Lint ``name/unused`` for parameters, props, constants, imports, types, lets and hooks."""
    if reporter.has_errors:
        return  # what could not be resolved may be what uses them
    for path, module in resolved.modules.items():
        if module.file.external or is_machine(path):
            continue  # what others may need later is no mistake there
        for entity in module.names.values():
            word = entity.labels.kind if entity.labels is not None else _WORDS.get(entity.kind)
            if not entity.used and word is not None:
                verb = "are" if word == "flags" else "is"
                reporter.warning("name/unused", f"the {word} `{entity.name}` {verb} never used", entity.span)
        for prop in module.props.values():
            if not prop.used:
                declared = prop.declared
                reporter.warning("name/unused", f"the prop `{declared.name}` is never used", declared.span)
        for taken in module.imported.values():
            if not taken.used:
                reporter.warning("name/unused", f"`{taken.name}` is imported and never used", taken.span)
    for scope in own_scopes(resolved):
        for param in scope.params:
            symbol = scope.symbols.get(param.name)
            if symbol is not None and not symbol.used:
                reporter.warning("name/unused", f"the parameter `{param.name}` is never used", param.span)
        for symbol in scope.symbols.values():
            if symbol.source == "let" and not symbol.used:
                reporter.warning("name/unused", f"the let `{symbol.name}` is never used", symbol.span)
    _hooks(resolved, reporter)


def _hooks(resolved: Resolved, reporter: Reporter) -> None:
    used = {
        (scope.module.path, wire.name)
        for scope in own_scopes(resolved)
        for field in fields(scope.steps)
        for wire in wire_types(field.type)
        if isinstance(wire, Hook)
    }
    for path, module in resolved.modules.items():
        hooks = module.file.decl.hooks
        for name, _ in hooks.types if hooks is not None else ():
            if (path, name.text) not in used:
                reporter.warning("name/unused", f"the hook `{name.text}` is never used", name.span)
