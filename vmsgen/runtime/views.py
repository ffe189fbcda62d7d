"""Views: a struct of the spec that reads bytes for people. Storage and wire stay bytes, so a view never breaks a
round trip.
"""

from __future__ import annotations

from typing import Any

from vmsgen.runtime.straight import FAST_PATH_ERRORS
from vmsgen.runtime.values import Values
from vmsgen.runtime.visitor import Visitor


def view_of(visitor: Visitor, name: str, value: Any) -> Values | None:
    """The object that the view of a field reads in its bytes, None without a view or where it does not fit."""
    view = None if visitor.is_nowhere or value is None else visitor.owner.VIEWS.get(name)
    if view is None:
        return None
    data = bytes(value)
    try:
        seen, end = view._load(data, 0, visitor.facts)
    except FAST_PATH_ERRORS:
        return None
    return seen if end <= len(data) else None
