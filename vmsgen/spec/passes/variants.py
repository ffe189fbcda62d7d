"""Several specs for one state name that nothing tells apart."""

from __future__ import annotations

from collections import defaultdict

from vmsgen.diagnostics import Note
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.facts import Key, conjuncts
from vmsgen.spec.place import Place
from vmsgen.spec.resolver import Resolved
from vmsgen.spec.scope import ModuleScope, Scope


def check_variants(resolved: Resolved, reporter: Reporter) -> None:
    """Lint ``match/same``: variants need a `match:` each, and different ones."""
    variants: dict[str, list[tuple[ModuleScope, Scope]]] = defaultdict(list)
    for scope in resolved.scopes.values():
        if scope.kind in ("state", "section") and scope.wire_name is not None:
            variants[scope.wire_name].append((scope.module, scope))
    for name, found in variants.items():
        seen: dict[tuple[Key, ...], Scope] = {}
        for module, scope in found if len(found) > 1 else ():
            match = resolved.facts.matches.get(module.path)
            namer = Place(module, reach="ambient").namer
            keys = tuple(sorted(conjuncts(match, namer), key=repr)) if match is not None else ()
            other = seen.setdefault(keys, scope)
            # (the parts of one section share its name)
            if other.module is not scope.module:
                reporter.warning(
                    "match/same",
                    f"two specs are for `{name}`, and their `match:` does not tell them apart",
                    scope.span,
                    help='give each its own, for example `match: section.bus == "pci"`',
                    notes=[Note("the other one", other.span)],
                )
