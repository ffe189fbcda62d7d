"""End marks that cannot be told from an element (`until`)."""

from __future__ import annotations

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.expression import Const
from vmsgen.spec.first_item import contains, first_item
from vmsgen.spec.model import Field
from vmsgen.spec.passes.walking import fields, own_scopes, wire_types
from vmsgen.spec.resolver import Resolved
from vmsgen.spec.wire_types import Array, Bytes, Int, Prefixed, String, Timer, Until


def check_ends(resolved: Resolved, reporter: Reporter) -> None:
    """``type/ends``: an error for a mark of another width, lint where the first item may have the mark's value."""
    for scope in own_scopes(resolved):
        for field in fields(scope.steps):
            for wire in wire_types(field.type):
                if isinstance(wire, Array) and isinstance(wire.count, Until):
                    _check(wire, wire.count, field, resolved, reporter)


def _check(wire: Array, until: Until, field: Field, resolved: Resolved, reporter: Reporter) -> None:
    mark = until.type
    found = first_item(wire.element, resolved.scopes)
    if found is None:
        reporter.warning(
            "type/ends",
            f"the elements of `{field.name}` do not begin with an integer that the end mark could be told from",
            field.span,
        )
        return
    if found.type.bits != mark.bits or found.type.order != mark.order:
        what = f"of {_bytes(found.type)}" if found.type.bits != mark.bits else f"in {found.type.order} endian order"
        reporter.error(
            "type/ends",
            f"the end mark of `{field.name}` has {_bytes(mark)} in {mark.order} endian order, its elements "
            f"begin with an integer {what}",
            field.span,
            help="the mark stands where the first item of an element would be, and is read as that item",
        )
        return
    value = until.value.value if isinstance(until.value, Const) else None
    if not isinstance(value, int):
        return
    if mark.signed != found.type.signed:
        # the same bytes as a number of the other kind
        value = (
            value + (1 << mark.bits) if value < 0 else value - (1 << mark.bits) if value >> (mark.bits - 1) else value
        )
    if isinstance(wire.element, (Bytes, String)) and isinstance(wire.element.count, Prefixed):
        return  # an empty element is how such a stream ends; there is no other way to say it
    if contains(found.values, value):
        checkable = found.field is not None and isinstance(found.field.type, (Int, Timer))
        first = f"`{found.field.name}`" if found.field is not None else "what they begin with"
        reporter.warning(
            "type/ends",
            f"an element of `{field.name}` ends the array if {first} is {value}",
            found.field.span if found.field is not None else field.span,
            help=f"if it never is, say so: `check: it != {value}`" if checkable else None,
        )


def _bytes(integer: Int) -> str:
    return "1 byte" if integer.bits == 8 else f"{integer.bits // 8} bytes"
