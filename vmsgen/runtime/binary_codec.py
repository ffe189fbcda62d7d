"""Binary load and save of a whole state: the straight-line code first, the walk where that does not do.

The straight-line code of a class (``_load``, ``_save``) says nothing of what is wrong and keeps nothing; whatever
is not plain sailing is done again by the walk, which knows path and offset. Both are proven equal by tests over
every spec.
"""

from __future__ import annotations

import struct
from typing import TypeVar

from vmsgen.runtime.binary_in import BinaryIn
from vmsgen.runtime.binary_out import BinaryOut
from vmsgen.runtime.errors import DataError, LayoutError, TruncatedError, VmsgenError
from vmsgen.runtime.facts import NOBODYS, Facts
from vmsgen.runtime.limits import DEFAULT_LIMITS, Limits
from vmsgen.runtime.straight import FAST_PATH_ERRORS
from vmsgen.runtime.values import StateValues

V = TypeVar("V", bound=StateValues)


def check_version(cls: type[StateValues], version: int, offset: int | None = None) -> None:
    """Raises DataError for a version that the spec does not know; ``offset`` is where the state begins."""
    if not cls.MINIMUM_VERSION <= version <= cls.VERSION:
        known = f"versions {cls.MINIMUM_VERSION} to {cls.VERSION} are known"
        raise DataError(f"{cls.VMSTATE} version {version}; {known}", offset=offset)


def load(
    cls: type[V],
    data: bytes,
    position: int,
    version: int,
    facts: Facts,
    limits: Limits = DEFAULT_LIMITS,
    explain: bool = True,
) -> tuple[V, int]:
    """The state at ``position`` of ``data`` and where it ends. ``facts.questions`` then holds what was asked.

    Raises DataError; its ``partial`` is the state as far as it was read. Without ``explain`` the error of a state for
    which the data is too short need not say where, and comes sooner.
    """
    check_version(cls, version, position)
    if "_load" in cls.STRAIGHT:
        try:
            state, end = cls._load(data, position, facts, version)
            if end <= len(data):
                state._facts = facts.settled()
                return state, end
        except struct.error:
            # (the walk would ask no more on its way to what is not there)
            if not explain:
                raise TruncatedError("the data ends before the state does", offset=len(data)) from None
        except FAST_PATH_ERRORS:
            pass
    facts.restart()
    return load_by_walk(cls, data, position, version, facts, limits)


def load_by_walk(
    cls: type[V], data: bytes, position: int, version: int, facts: Facts, limits: Limits = DEFAULT_LIMITS
) -> tuple[V, int]:
    """As :func:`load`, by the walk alone."""
    check_version(cls, version, position)
    state = cls._blank()
    state._version = version
    visitor = BinaryIn(data, position, facts, limits)
    try:
        visitor.run(state)
    except DataError as error:
        error.partial = state
        raise
    except VmsgenError as error:
        raise LayoutError(str(error), path=visitor.path(), offset=visitor.offset(), partial=state) from error
    except (IndexError, ZeroDivisionError, ValueError, OverflowError, TypeError, AttributeError) as error:
        raise DataError(_reason(error), path=visitor.path(), offset=visitor.offset(), partial=state) from error
    state._facts = facts.settled()
    return state, visitor.position


def _reason(error: Exception) -> str:
    if isinstance(error, ZeroDivisionError):
        return "an expression of the layout divides by zero"
    if isinstance(error, IndexError):
        return "an expression of the layout reads outside a buffer"
    return f"an expression of the layout has no value: {error}"


def load_exactly(cls: type[V], data: bytes | bytearray | memoryview, version: int | None, facts: Facts | None) -> V:
    """The state from all of ``data``, in the class's own version if none is given. Raises DataError, also for bytes
    left over.
    """
    known = NOBODYS if facts is None else facts
    asked = known.fresh() if cls.ASKS else known
    if version is None:
        version = cls.VERSION
    if type(data) is not bytes:
        data = bytes(data)
    if cls.MINIMUM_VERSION <= version <= cls.VERSION and "_load" in cls.STRAIGHT:
        try:
            state, end = cls._load(data, 0, asked, version)
        except FAST_PATH_ERRORS:
            end = -1
        if end == len(data):
            if cls.ASKS and asked.questions:
                state._facts = asked.settled()
            return state
    state, end = load(cls, data, 0, version, known.fresh())
    if end != len(data):
        raise DataError(f"{len(data) - end} bytes are left over", offset=end, partial=state)
    return state


def save(state: StateValues, version: int | None, facts: Facts | None) -> bytes:
    """The bytes of a state in ``version`` by ``facts``, its own if none are given. Raises DataError when a value does
    not fit.
    """
    if version is None:
        version = state._version
    if facts is None:
        facts = state._facts
    if not state.MINIMUM_VERSION <= version <= state.VERSION:
        check_version(type(state), version)
    if "_save" in state.STRAIGHT:
        out: list[bytes] = []
        try:
            state._save(out, facts.fresh() if state.ASKS else facts, version)
            return b"".join(out)
        except FAST_PATH_ERRORS:
            pass
    return save_by_walk(state, version, facts)


def save_by_walk(state: StateValues, version: int, facts: Facts) -> bytes:
    """As :func:`save`, by the walk alone."""
    visitor = BinaryOut(facts.fresh())
    own = state._version
    state._version = version
    try:
        visitor.run(state)
    except DataError:
        raise
    except VmsgenError as error:
        raise visitor.error(str(error), kind=LayoutError) from error
    except (IndexError, ZeroDivisionError, ValueError, OverflowError, TypeError, AttributeError) as error:
        raise visitor.error(_reason(error), kind=visitor.value_error) from error
    finally:
        state._version = own
    return bytes(visitor.out)
