"""Versions that cannot be, and `since` that gates nothing."""

from __future__ import annotations

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.passes.walking import fields, own_scopes, wire_types
from vmsgen.spec.resolver import Resolved
from vmsgen.spec.wire_types import StructRef


def check_versions(resolved: Resolved, reporter: Reporter) -> None:
    """``version/order``; lint of versions in a struct that is always read at its newest."""
    chosen = {
        wire.definition
        for scope in resolved.scopes.values()
        for field in fields(scope.steps)
        for wire in wire_types(field.type)
        if isinstance(wire, StructRef) and wire.at_version is not None
    }
    for scope in own_scopes(resolved):
        if scope.kind == "anonymous":
            continue
        if scope.minimum > scope.version:
            decl = scope.decl
            reporter.error(
                "version/order",
                f"minimum_version {scope.minimum} is above version {scope.version}",
                (decl.minimum_span if decl is not None else None) or scope.span,
            )
        if scope.kind == "struct" and scope.uses_version and scope.id not in chosen and scope.minimum < scope.version:
            reporter.warning(
                "version/nested",
                f"{scope.class_name} is always read at its version {scope.version}: "
                "its `since` and `until` gate nothing",
                scope.span,
                help="a nested struct has no version on the wire: use `at-version N`, "
                "or pass the version as a parameter",
            )
