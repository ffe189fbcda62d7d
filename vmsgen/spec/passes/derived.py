"""Derived values that need each other."""

from __future__ import annotations

from vmsgen.diagnostics import Note
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.expression import Ref
from vmsgen.spec.passes.walking import fields, own_scopes, parts
from vmsgen.spec.resolver import Resolved


def check_derived(resolved: Resolved, reporter: Reporter) -> None:
    """``name/later``: a derived value that cannot be computed, because it needs itself."""
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


def _reached(name: str, needs: dict[str, list[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(needs[name])
    while waiting:
        other = waiting.pop()
        if other not in found:
            found.add(other)
            waiting.extend(needs[other])
    return found
