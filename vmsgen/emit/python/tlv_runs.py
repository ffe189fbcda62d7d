"""Runs of BER: neighbouring components that one call reads.

The components of a nested struct and the elements of a short array are among them where all of them are primitive.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from vmsgen.emit.python.ber_line import is_constructed, is_varying_pad, short_size
from vmsgen.emit.python.expressions import constant
from vmsgen.emit.python.plan import STATE_KINDS
from vmsgen.emit.python.runs import CODES, NESTED_FIELDS, SHARED_ELEMENTS, plain_fields, repeated
from vmsgen.emit.python.straight_line import in_host_order
from vmsgen.spec.model import Field, Model, Tags
from vmsgen.spec.wire_types import Array, Bool, Fixed, Int, Pad, StructRef, Timer, WireType


class Component(NamedTuple):
    """A field as part of a run: its code as ``TlvRun`` has it and how often that stands there; for a nested struct its
    fields.
    """

    field: Field
    code: str
    times: int = 1
    inside: tuple[Field, ...] = ()

    @property
    def elements(self) -> int:
        """How many values become one list; 0 for what is no list."""
        return int(self.code[1:-2]) if self.code[0] == "[" else 0


def component(model: Model, each: Field) -> Component | None:
    """A field as part of a run; None if it is in none."""
    primitive = _primitive(each.type)
    if primitive is not None:
        return Component(each, *primitive)
    match each.type:
        case Array(element=Int() | Timer() as element, count=Fixed(value=value)) if is_constructed(each.type):
            size, code = constant(value), _primitive(element)
            if size is not None and code is not None and 0 < size <= SHARED_ELEMENTS:
                return Component(each, f"[{size}{code[0]}]")
        case StructRef(definition=identifier):
            inside = _inside(model, identifier)
            if inside:
                codes = repeated([code for inner in inside if (code := _primitive(inner.type))])
                return Component(each, f"({codes})", inside=inside)
    return None


def codes_of(run: Sequence[Component]) -> str:
    """The codes of a run, neighbours of one code joined."""
    text = ""
    for opens, part in groupby(run, key=lambda each: each.code[0] in "(["):
        same = [(each.code, each.times) for each in part]
        text += "".join(code for code, _ in same) if opens else repeated(same)
    return text


def _primitive(wire: WireType) -> tuple[str, int] | None:
    """The code of a primitive type, and how often it stands there; None for what is in no run."""
    match wire:
        case Int(bits=bits, signed=signed):
            return CODES[bits, signed], 1
        case Timer():
            return "q", 1
        case Bool():
            return "?", 1
        case _:
            size = short_size(wire)
            return ("s", size) if size is not None and size > 3 else None


def _inside(model: Model, identifier: str) -> tuple[Field, ...]:
    """The fields of a struct that is part of its owner's run; none if it is not."""
    definition = model.definition(identifier)
    plain = None if definition.kind in STATE_KINDS else plain_fields(definition)
    if plain is None or any(is_varying_pad(each.type) for each in plain):
        return ()
    fields = [each for each in plain if not isinstance(each.type, Pad)]
    if not 0 < len(fields) <= NESTED_FIELDS or any(
        _primitive(each.type) is None or in_host_order(each.type) for each in fields
    ):
        return ()
    tags = model.tags.get(definition.asn1_name, Tags(None, {})).components
    return tuple(fields) if [tags[each.name] for each in fields] == [*range(len(fields))] else ()
