"""Values that need each other: derived fields, defaults of props."""

from __future__ import annotations

from typing import TypeVar

from vmsgen.diagnostics import Note
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.expression import PropRef, Ref
from vmsgen.spec.passes.walking import fields, own_scopes, parts
from vmsgen.spec.resolver import Resolved

_Name = TypeVar("_Name", str, tuple[str, str])


def check_derived(resolved: Resolved, reporter: Reporter) -> None:
    """``name/later``: a derived value or a default that cannot be computed, because it needs itself."""
    _props(resolved, reporter)
    for scope in own_scopes(resolved):
        needs: dict[str, list[str]] = {}
        for name, (expression, _) in scope.derived.items():
            refs = [part.name for part in parts(expression) if isinstance(part, Ref) and part.source == "derived"]
            needs[name] = [other for other in refs if other in scope.derived]
        places = {field.name: field.span for field in fields(scope.steps)}
        for name in needs:
            if name in _reached(name, needs):
                others = [other for other in needs[name] if other != name]
                reporter.error(
                    "name/later",
                    f"`{name}` is derived from itself" + (f", through `{others[0]}`" if others else ""),
                    places[name],
                    help="one of the values that are derived from each other has to be stored",
                    notes=[Note("the other one", places[other]) for other in others[:1]],
                )


def _props(resolved: Resolved, reporter: Reporter) -> None:
    found = {(prop.module, prop.name): prop for props in resolved.facts.props.values() for prop in props}
    needs = {}
    for key, prop in found.items():
        refs = parts(prop.default) if prop.default is not None else ()
        needs[key] = [k for ref in refs if isinstance(ref, PropRef) and (k := (ref.module, ref.name)) in found]
    for key in needs:
        if key in _reached(key, needs):
            reporter.error("name/later", f"the default of `{key[1]}` needs itself", found[key].span)


def _reached(name: _Name, needs: dict[_Name, list[_Name]]) -> set[_Name]:
    found: set[_Name] = set()
    waiting = list(needs[name])
    while waiting:
        other = waiting.pop()
        if other not in found:
            found.add(other)
            waiting.extend(needs[other])
    return found
