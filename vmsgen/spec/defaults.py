"""``default:`` of a field: a literal that its type can hold."""

from __future__ import annotations

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.integers import limits
from vmsgen.spec.nodes import Scalar
from vmsgen.spec.shapes import integer
from vmsgen.spec.wire_types import Bool, Float64, Int, SizedInt, String, Timer, WireType


def default_value(written: Scalar, wire: WireType, reporter: Reporter) -> int | bool | str | float | None:
    """The value, None after a report."""
    match wire:
        case Bool():
            if written.text in ("true", "false"):
                return written.text == "true"
            reporter.error("spec/value", f"default: expected true or false, found `{written.text}`", written.span)
            return None
        case Int() | Timer() | SizedInt():
            value = integer(written.text)
            if value is None:
                reporter.error("spec/value", f"default: expected a whole number, found `{written.text}`", written.span)
                return None
            low, high = limits(wire if not isinstance(wire, SizedInt) else Int(64, False))
            if not low <= value <= high:
                reporter.error("type/width", f"default: {value} is not in {low}..{high}", written.span)
                return None
            return value
        case Float64():
            try:
                return float(written.text)
            except ValueError:
                reporter.error("spec/value", f"default: expected a number, found `{written.text}`", written.span)
                return None
        case String():
            return written.text
    reporter.error("spec/value", "only integers, bools, numbers and texts can have a default", written.span)
    return None
