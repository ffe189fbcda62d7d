"""The types of values on the wire, as the model has them: resolved, frozen, each with what is needed to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from vmsgen.diagnostics import Span
from vmsgen.spec.expression import Expression

Order: TypeAlias = Literal["big", "little", "host"]

# ---------------------------------------------------------------------------------------------- names for numbers


@dataclass(frozen=True, slots=True)
class Labels:
    """An enum (``value -> label``) or flags (bit ranges): names for people; the wire stays the integer.

    ``members``: for an enum ``(value, value, label)``, for flags ``(low bit, high bit, label)``, in the order written.
    """

    name: str
    kind: Literal["enum", "flags"]
    members: tuple[tuple[int, int, str], ...]
    module: str
    span: Span


# ---------------------------------------------------------------------------------------------- wire types


@dataclass(frozen=True, slots=True)
class Int:
    """A two's complement integer of ``bits`` (8, 16, 32, 64)."""

    bits: int
    signed: bool
    order: Order = "big"
    labels: Labels | None = None


@dataclass(frozen=True, slots=True)
class SizedInt:
    """``uint(expr)``: an unsigned integer whose width in bits (8, 16, 32, 64) only the sender knows."""

    bits: Expression
    order: Order = "big"
    labels: Labels | None = None


@dataclass(frozen=True, slots=True)
class Bool:
    """One byte; any value but 0 is true, a value other than 0 and 1 is kept."""


@dataclass(frozen=True, slots=True)
class Float64:
    order: Order = "big"


@dataclass(frozen=True, slots=True)
class Timer:
    """An int64 of nanoseconds; -1 is a timer that is not armed."""

    order: Order = "big"


@dataclass(frozen=True, slots=True)
class Fixed:
    """A count that an expression gives (elements; bytes for byte types; bits for bitmap). Negative is zero."""

    value: Expression


@dataclass(frozen=True, slots=True)
class Prefixed:
    """A count that stands before the part, in this integer type."""

    type: Int


@dataclass(frozen=True, slots=True)
class Until:
    """Elements until this integer is met in the place of an element; it is consumed."""

    type: Int
    value: Expression


@dataclass(frozen=True, slots=True)
class Through:
    """Elements up to and including the first for which ``condition`` (over ``it``) is true."""

    condition: Expression


@dataclass(frozen=True, slots=True)
class Bytes:
    count: Fixed | Prefixed
    #: name of the definition read over the bytes (``view:``), by id
    view: str | None = None


@dataclass(frozen=True, slots=True)
class String:
    """``string[n]``: text ends at the first NUL, the rest is kept; ``string[intN]``: counted, no NUL."""

    count: Fixed | Prefixed


@dataclass(frozen=True, slots=True)
class Pad:
    """Zero bytes without an attribute; others are kept."""

    count: Fixed | Prefixed


@dataclass(frozen=True, slots=True)
class Bitmap:
    """``count`` bits in whole 64-bit words, bit 0 of word 0 the least significant."""

    count: Fixed | Prefixed
    order: Order = "big"


@dataclass(frozen=True, slots=True)
class StructRef:
    """A nested struct: a definition by id, arguments for its parameters in their order, and QEMU's VSTRUCT version."""

    definition: str
    arguments: tuple[Expression, ...] = ()
    at_version: int | None = None


@dataclass(frozen=True, slots=True)
class Nullable:
    """A pointer: the element, or one byte 0x30 for NULL. ``proven``: the element cannot start with 0x30."""

    element: StructRef
    proven: bool


@dataclass(frozen=True, slots=True)
class Array:
    element: WireType
    count: Fixed | Prefixed | Until | Through


@dataclass(frozen=True, slots=True)
class Grid:
    """An array of two or more dimensions, row-major."""

    element: WireType
    sizes: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """QTAILQ and QLIST: ``{ 01 element } 00``."""

    element: WireType


@dataclass(frozen=True, slots=True)
class Tree:
    """GTREE: be32 n, ``{ 01 key value }``, 00. Python: a list of pairs."""

    key: WireType
    value: WireType


@dataclass(frozen=True, slots=True)
class Case:
    """One alternative of a union; ``type`` None is a case without bytes. ``name`` is the Python and ASN.1 name."""

    name: str
    value: int | str
    type: StructRef | None


@dataclass(frozen=True, slots=True)
class Union:
    """Alternatives chosen by ``selector``.

    ``otherwise`` is ``none``, a struct, or missing: then other values are a data error.
    """

    selector: Expression
    cases: tuple[Case, ...]
    otherwise: StructRef | Literal["none"] | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """Bytes visited by ``visit_NAME`` of the hook module; ``type`` is the declared type of its value."""

    name: str
    type: WireType


WireType: TypeAlias = (
    Int
    | SizedInt
    | Bool
    | Float64
    | Timer
    | Bytes
    | String
    | Pad
    | Bitmap
    | StructRef
    | Nullable
    | Array
    | Grid
    | ListOf
    | Tree
    | Union
    | Hook
)
