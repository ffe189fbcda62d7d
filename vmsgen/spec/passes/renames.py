"""Old names (`was:`) that are alive."""

from __future__ import annotations

from vmsgen.diagnostics import Note
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.passes.walking import fields, own_scopes
from vmsgen.spec.resolver import Resolved


def check_renames(resolved: Resolved, reporter: Reporter) -> None:
    """``compat/stale``: a field cannot have had the name that another one of its definition has now."""
    for scope in own_scopes(resolved):
        places = {field.name: field.span for field in fields(scope.steps)}
        for field in fields(scope.steps):
            for old in field.was:
                name = scope.python_name(old)
                if name in places:
                    what = "its own name" if name == field.name else "the name of another field"
                    reporter.error(
                        "compat/stale",
                        f"`was: {old}` is {what} in {scope.class_name}",
                        field.span,
                        help="an old name is one that nothing has any more",
                        notes=[Note("it stands here", places[name])] if name != field.name else [],
                    )
