"""Views that stand where they would have bytes of their own."""

from __future__ import annotations

from vmsgen.diagnostics import Note
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.passes.walking import fields, own_scopes
from vmsgen.spec.resolver import Resolved
from vmsgen.spec.viewed import structs_in, view_only


def check_views(resolved: Resolved, reporter: Reporter) -> None:
    """``view/only``: a struct with `at` or `self`, or a view of the shipped library, as the type of a field."""
    external = [scope for scope in resolved.scopes.values() if scope.module.file.external]
    shipped = view_only(external, resolved.shipped_asked)
    for scope in own_scopes(resolved):
        for field in fields(scope.steps):
            for identifier in structs_in(field.type):
                target = resolved.scopes[identifier]
                if target.uses_bytes is not None:
                    what, place = target.uses_bytes
                    reporter.error(
                        "view/only",
                        f"{target.class_name} can only be a view: it has `{what}`",
                        field.span,
                        help=f"name it under the `view:` of a field of bytes: `view: {target.class_name}`",
                        notes=[Note("here", place)],
                    )
                elif identifier in shipped:
                    reporter.error(
                        "view/only",
                        f"{target.class_name} is a view in the shipped library, and has no form on the wire",
                        field.span,
                        help=f"name it under the `view:` of a field of bytes: `view: {target.class_name}`",
                    )
