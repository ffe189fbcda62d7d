"""What stays to be known of a file when it was compiled, so that others can be compiled without it."""

from __future__ import annotations

from collections import defaultdict
from typing import TypedDict

from vmsgen.spec.asks import Ask
from vmsgen.spec.resolver import Resolved
from vmsgen.spec.viewed import asks_of_views


class Known(TypedDict):
    """One file, as JSON."""

    path: str
    #: a file of the shipped library
    external: bool
    #: its path in messages
    shown: str
    #: what it was read from, below the root of the specs
    reads: list[str]
    #: the modules that it needs, the machine's facts included
    targets: list[str]
    asks: list[Ask]
    #: names of its states in streams, which other files may have as well
    wire_names: list[str]
    #: names in ASN.1 of its definitions, unique over all files
    asn1_names: list[str]


def known_of(resolved: Resolved) -> tuple[Known, ...]:
    """Every file that was resolved, without an error, in the order of the model."""
    asks: dict[str, set[Ask]] = {path: set(module.asked) for path, module in resolved.modules.items()}
    scopes = list(resolved.scopes.values())
    for path, ask in asks_of_views(scopes, resolved.asked):
        asks[path].add(ask)
    names: dict[str, list[str]] = defaultdict(list)
    wire_names: dict[str, set[str]] = defaultdict(set)
    for scope in scopes:
        names[scope.module.path].append(scope.asn1_name)
        if scope.kind in ("state", "section") and scope.wire_name is not None:
            wire_names[scope.module.path].add(scope.wire_name)
    found = []
    for path, module in resolved.modules.items():
        hooks = resolved.hooks.get(path)
        below = module.file.source_path.partition("/")[2]
        found.append(
            Known(
                path=path,
                external=module.file.external,
                shown=module.file.decl.source.path,
                reads=[below, *([hooks.path] if hooks is not None else [])],
                targets=module.file.targets,
                asks=sorted(asks[path]),
                wire_names=sorted(wire_names[path]),
                asn1_names=names[path],
            )
        )
    return tuple(found)
