"""What people are told: docs of fields, summaries of states, sources of props."""

from __future__ import annotations

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.lint.subject import Subject
from vmsgen.spec.model import Field
from vmsgen.spec.passes.walking import wire_types
from vmsgen.spec.wire_types import Pad, StructRef


def check_words(subject: Subject, reporter: Reporter) -> None:
    """``doc/missing``, ``doc/opaque``, ``doc/source`` and ``doc/summary``."""
    for module in subject.modules:
        named = module.state is not None or bool(module.parts)
        if named and module.summary is None:
            reporter.warning("doc/summary", "this state has no `summary:`", module.span)
        for prop in module.props:
            if prop.source is None:
                reporter.warning("doc/source", f"the prop `{prop.name}` has no `source:`", prop.span)
    for definition in subject.definitions:
        for field in definition.fields():
            if field.opaque:
                reporter.warning(
                    "doc/opaque",
                    f"nothing says what the bytes of `{field.name}` are",
                    field.span,
                    help="say it in `doc:`, or give them a type",
                )
            elif _needs_words(field):
                reporter.warning("doc/missing", f"`{field.name}` has no `doc:`", field.span)


def _needs_words(field: Field) -> bool:
    """Whether nothing else can tell what a field is."""
    if field.doc is not None or field.never or field.derived is not None or isinstance(field.type, Pad):
        return False
    return not any(isinstance(wire, StructRef) for wire in wire_types(field.type))
