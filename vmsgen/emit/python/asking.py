"""Whether the layout of a class depends on facts. If it does not, its codecs need nobody to answer questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from vmsgen.diagnostics import Span
from vmsgen.spec.expression import Ambient, PropRef, Unknown
from vmsgen.spec.model import Definition, Model, Subsection
from vmsgen.spec.wire_types import Hook, StructRef


def asks(model: Model, definition: Definition) -> bool:
    """Whether reading or writing it may ask for a fact, in the definition itself or in one that it is made of."""
    seen = {definition.id}
    left = [definition]
    while left:
        here = left.pop()
        for part in _parts((here.steps, here.subsections)):
            if _asks(part):
                return True
            if isinstance(part, (StructRef, Subsection)) and part.definition not in seen:
                seen.add(part.definition)
                left.append(model.definition(part.definition))
    return False


def _asks(part: Any) -> bool:
    match part:
        case Ambient(name=name):
            return name != "version"
        case PropRef() | Unknown() | Hook():  # (what a hook does is its own affair)
            return True
        case _:
            return getattr(part, "order", None) == "host"


def _parts(value: Any) -> Iterator[Any]:
    """Every node of a tree of the model, however deep."""
    if isinstance(value, (tuple, list)):
        for each in value:
            yield from _parts(each)
    elif is_dataclass(value) and not isinstance(value, Span):
        yield value
        for field in fields(value):
            yield from _parts(getattr(value, field.name))
