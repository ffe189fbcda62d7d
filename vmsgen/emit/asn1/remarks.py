"""The comments of a schema: what its types cannot say."""

from __future__ import annotations

from collections.abc import Iterator

from vmsgen.emit.asn1.names import comment, component_name
from vmsgen.emit.wording import number_text, presence_text, type_text
from vmsgen.spec.model import Definition, Field, Model
from vmsgen.spec.wire_types import Array, Bitmap, Int, Labels, Pad, Prefixed, SizedInt, String, Timer, WireType


def field_remark(model: Model, field: Field) -> str:
    """What stands behind a component: the wire's spelling, when it is there, what it is."""
    parts: list[str] = []
    wire = field.wire_names[0] if field.wire_names else field.name
    if component_name(wire) != field.asn1_name:
        parts.append(f'"{wire}"')
    parts.append(presence_text(field))
    if isinstance(field.type, Pad):
        parts.append("only when not all zero")
    parts.append(field.doc or "")
    if field.unit:
        parts.append(f"unit: {field.unit}")
    parts.extend(_type_remark(model, field.type))
    return comment("; ".join(part for part in parts if part))


def _type_remark(model: Model, type_: WireType) -> Iterator[str]:
    match type_:
        case Int(labels=Labels(kind="flags", members=members)):
            bits = (f"{low}={label}" if low == high else f"{low}..{high}={label}" for low, high, label in members)
            yield f"bits: {', '.join(bits)}"
        case Array(element=Int(labels=Labels(kind="flags")) as inner):
            yield from _type_remark(model, inner)
        case SizedInt() | Timer() | Bitmap() | String():
            yield type_text(model, type_)
        case Array(count=Prefixed(type=prefix)):
            yield f"count sent as {number_text(prefix)}"


def about(definition: Definition) -> Iterator[str]:
    """Lines above a type: what it is on the wire, and what is said of it."""
    if definition.wire_name is not None:
        word = {"section": "section", "subsection": "subsection"}.get(definition.kind, "VMState")
        yield comment(f'{word} "{definition.wire_name}", version {definition.version}')
    text = definition.doc or definition.summary
    if text:
        yield comment(text)
    for each in definition.fields():
        if each.never:
            yield comment(f'"{each.wire_names[0] if each.wire_names else each.name}" is declared and never sent')
