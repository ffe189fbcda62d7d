"""Runs: neighbouring fields of constant width, which one ``struct`` call reads or writes.

The fields of a nested struct are among them where it consists of such fields alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple
from zlib import crc32

from vmsgen.emit.python.expressions import constant
from vmsgen.emit.python.plan import STATE_KINDS
from vmsgen.spec.model import Definition, Field, Model
from vmsgen.spec.wire_types import Array, Bool, Bytes, Fixed, Float64, Int, Pad, StructRef, Timer

#: struct codes by bits and sign
CODES = {
    (8, False): "B",
    (8, True): "b",
    (16, False): "H",
    (16, True): "h",
    (32, False): "I",
    (32, True): "i",
    (64, False): "Q",
    (64, True): "q",
}
_SIZES = {"B": 1, "b": 1, "H": 2, "h": 2, "I": 4, "i": 4, "Q": 8, "q": 8, "d": 8, "s": 1}

#: longest constant bytes field, and array, that is part of a run; longest array that shares it with other fields
_RUN_BYTES, _RUN_ELEMENTS, SHARED_ELEMENTS = 64, 256, 8
#: most fields of a nested struct that are part of its owner's run
NESTED_FIELDS = 16


class Piece(NamedTuple):
    """One field of a run: its struct code and how many of it. ``owner`` is the field that holds the nested struct which
    it is a field of.
    """

    field: Field
    code: str
    times: int
    owner: Field | None = None

    @property
    def is_array(self) -> bool:
        return isinstance(self.field.type, Array)


@dataclass
class Run:
    """``order``: big, little, or any as long as every piece is of single bytes."""

    order: str = "any"
    pieces: list[Piece] = field(default_factory=list)

    @property
    def format(self) -> str:
        """The struct format, neighbours of one code joined."""
        mark = "<" if self.order == "little" else ">"
        return mark + repeated([(piece.code, piece.times) for piece in self.pieces])

    @property
    def fields(self) -> list[Field]:
        """The fields of the class that it consists of."""
        return list({(each := piece.owner or piece.field).name: each for piece in self.pieces}.values())

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return sum(piece.times * _SIZES[piece.code] for piece in self.pieces)

    @property
    def constant(self) -> str:
        """The name of the module constant that holds its ``struct.Struct``."""
        order = "LE" if self.order == "little" else "BE"
        return f"_{order}_{short(self.format[1:], self.format)}"


def repeated(codes: Sequence[tuple[str, int]]) -> str:
    """Codes and how often each stands there as ``struct`` writes them, neighbours of one code joined."""
    text = ""
    for code, same in groupby(codes, key=lambda each: each[0]):
        times = [each[1] for each in same]
        # so many bytes are one value, each
        text += (
            "".join(f"{size}s" for size in times) if code == "s" else f"{sum(times) if sum(times) > 1 else ''}{code}"
        )
    return text


def short(codes: str, whole: str | None = None) -> str:
    """Codes as part of a name (``t`` for ``?``); a checksum of what they are part of for long ones and brackets."""
    whole, part = whole or codes, codes.replace("?", "t")
    return part if len(whole) <= 24 and part.isalnum() else f"{crc32(whole.encode()):08X}"


def runs_of(block: Sequence[Field], model: Model | None = None) -> list[Run | Field]:
    """The block as runs, and between them the fields that have statements of their own. A check ends a run. With the
    model, nested structs of plain fields are parts of runs.
    """
    found: list[Run | Field] = []
    run: Run | None = None
    for each in block:
        part = _part(each, model)
        if part is None:
            run = None
            found.append(each)
            continue
        long = any(piece.is_array and piece.times > SHARED_ELEMENTS for piece in part.pieces)
        if run is None or long or (part.order != "any" and run.order not in ("any", part.order)):
            run = Run()
            found.append(run)
        if run.order == "any":
            run.order = part.order
        run.pieces += part.pieces
        if each.check is not None or long:
            run = None
    # a struct without neighbours has codecs of its own
    return [each.fields[0] if isinstance(each, Run) and _only_nested(each) else each for each in found]


def _only_nested(run: Run) -> bool:
    return len(run.fields) == 1 and run.pieces[0].owner is not None


def plain_fields(definition: Definition) -> list[Field] | None:
    """The fields of a struct that consists of these alone, whatever the facts are and without a check."""
    steps = definition.steps
    if definition.params or definition.captures or definition.subsections or definition.uses_version:
        return None
    fields = [step for step in steps if isinstance(step, Field) and not step.never]
    if len(fields) != len(steps) or any(
        each.condition or each.presence or each.check or each.derived is not None for each in fields
    ):
        return None
    return fields


def only_run(definition: Definition) -> Run | None:
    """The run that a struct of plain fields consists of; None if it has more."""
    found = runs_of(plain_fields(definition) or [])
    return found[0] if len(found) == 1 and isinstance(found[0], Run) else None


def _part(each: Field, model: Model | None) -> Run | None:
    """What a field adds to a run; None if it cannot be part of one."""
    if not isinstance(each.type, StructRef):
        piece = _piece(each)
        return None if piece is None else Run(piece[0], [Piece(each, *piece[1:])])
    definition = None if model is None else model.definition(each.type.definition)
    if definition is None or definition.marked or definition.kind in STATE_KINDS:
        return None
    inner = only_run(definition)
    if (
        inner is None
        or len(inner.pieces) > NESTED_FIELDS
        or any(p.times > SHARED_ELEMENTS for p in inner.pieces if p.is_array)
    ):
        return None
    return Run(inner.order, [piece._replace(owner=each) for piece in inner.pieces])


def _piece(each: Field) -> tuple[str, str, int] | None:
    """Byte order, struct code and count of a field that can be part of a run."""
    match each.type:
        case Int(bits=bits, signed=signed, order=order) if order != "host":
            return ("any" if bits == 8 else order), CODES[bits, signed], 1
        case Timer(order=order) if order != "host":
            return order, "q", 1
        case Float64(order=order) if order != "host":
            return order, "d", 1
        case Bool():
            return "any", "B", 1
        case Bytes(count=Fixed(value=value)) | Pad(count=Fixed(value=value)):
            size = constant(value)
            return ("any", "s", size) if size is not None and 0 < size <= _RUN_BYTES else None
        case Array(element=Int() as element, count=Fixed(value=value)) if element.labels is None:
            size = constant(value)
            plain = element.order != "host" and (element.bits, element.signed) != (8, False)
            if plain and size is not None and 0 < size <= _RUN_ELEMENTS:
                return ("any" if element.bits == 8 else element.order), CODES[element.bits, element.signed], size
            return None
        case _:
            return None
