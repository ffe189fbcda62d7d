"""Bytes that a guest can choose, where QEMU's reader looks for a subsection.

``vmstate_subsection_load`` (``migration/vmstate.c``, QEMU 10.0) peeks behind the fields of each description for the
byte 5 and a name that begins with the description's.
"""

from __future__ import annotations

from collections.abc import Iterator

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.lint.subject import Subject
from vmsgen.spec.expression import Const
from vmsgen.spec.model import Definition, Field, Model
from vmsgen.spec.wire_types import Array, Bytes, Fixed, Int, StructRef, WireType


def check_guest_bytes(subject: Subject, reporter: Reporter) -> None:
    """``sub/guest-bytes``: bytes or an array of `uint8` right behind a struct with marks."""
    for definition in subject.definitions:
        before: Field | None = None
        for field in definition.fields():
            if field.never:
                continue
            for struct in _marked(before.type, subject.model) if before is not None else ():
                if _holds(field.type, 2 + len((struct.wire_name or "").encode())):
                    reporter.warning(
                        "sub/guest-bytes",
                        f"QEMU looks for a subsection of `{struct.wire_name}` at the start of `{field.name}`",
                        field.span,
                    )
            before = field


def _holds(wire: WireType, size: int) -> bool:
    """Whether a type starts with ``size`` bytes that may be anything: a mark, the length of a name, and the name."""
    match wire:
        case Bytes(count=Fixed(value=count)) | Array(element=Int(bits=8), count=Fixed(value=count)):
            return not isinstance(count, Const) or int(count.value) >= size  # type: ignore[arg-type]
    return False


def _marked(wire: WireType, model: Model) -> Iterator[Definition]:
    element = wire.element if isinstance(wire, Array) else wire
    if isinstance(element, StructRef):
        definition = model.definition(element.definition)
        if definition.marked:
            yield definition
