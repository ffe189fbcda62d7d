"""Counts that a person has to keep in step, though they could be computed."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from typing import Any

from vmsgen.diagnostics import Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.lint.subject import Subject
from vmsgen.spec.expression import Member, Ref
from vmsgen.spec.model import Field
from vmsgen.spec.wire_types import Array, Bytes, Fixed, Int


def check_counts(subject: Subject, reporter: Reporter) -> None:
    """``count/stored``: a plain integer that nothing but the count of one array uses."""
    uses = {
        definition.id: list(_uses((definition.steps, definition.subsections))) for definition in subject.definitions
    }
    elsewhere = {
        use.name for found in uses.values() for use in found if isinstance(use, Member) or use.source == "capture"
    }
    for definition in subject.definitions:
        integers = {
            field.name: field
            for field in definition.fields()
            if isinstance(field.type, Int) and field.derived is None and not field.never
        }
        times = Counter(use.name for use in uses[definition.id])
        for field in definition.fields():
            count = integers.get(_counted_by(field) or "")
            if count is None or times[count.name] > 1 or count.name in elsewhere:
                continue
            if _meaning(count.presence) != _meaning(field.presence):
                continue
            reporter.warning(
                "count/stored",
                f"`{count.name}` is only the count of `{field.name}`",
                count.span,
                help=f"derive it: `= len({field.name})` behind its type",
            )


def _counted_by(field: Field) -> str | None:
    """The field that alone is the count of this one (a string may be shorter than its place, so it is none)."""
    if not isinstance(field.type, (Array, Bytes)) or not isinstance(field.type.count, Fixed):
        return None
    value = field.type.count.value
    return value.name if isinstance(value, Ref) and value.source == "field" else None


def _meaning(part: Any) -> Any:
    """An expression without its places in the file."""
    if isinstance(part, tuple):
        return tuple(map(_meaning, part))
    if not dataclasses.is_dataclass(part):
        return part
    values = (getattr(part, one.name) for one in dataclasses.fields(part))
    return (type(part), *(_meaning(value) for value in values if not isinstance(value, Span)))


def _uses(part: Any) -> Iterator[Ref | Member]:
    """Every use of a name below a part of the model, each condition once."""
    if isinstance(part, (Ref, Member)):
        yield part
    if isinstance(part, tuple):
        for inner in part:
            yield from _uses(inner)
    elif dataclasses.is_dataclass(part) and not isinstance(part, Span):
        for one in dataclasses.fields(part):
            if one.name != "presence":  # the conditions of the groups around, which stand there
                yield from _uses(getattr(part, one.name))
