"""BER of a whole state: the straight-line code first, the walk where that does not do (see
:mod:`vmsgen.runtime.binary_codec`).
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple, TypeVar

from vmsgen.runtime import ber
from vmsgen.runtime.ber_elements import FACTS, VERSION
from vmsgen.runtime.ber_in import BerIn
from vmsgen.runtime.ber_out import BerOut
from vmsgen.runtime.binary_codec import _reason, check_version
from vmsgen.runtime.errors import DataError, LayoutError, VmsgenError
from vmsgen.runtime.facts import NOBODYS, Facts
from vmsgen.runtime.limits import DEFAULT_LIMITS, Limits
from vmsgen.runtime.straight import FAST_PATH_ERRORS, NotPlain, content, length, tlv
from vmsgen.runtime.values import StateValues

V = TypeVar("V", bound=StateValues)

#: sizes of a class's elements whose first octets are kept
_ENTRIES: Final = 1 << 12
#: places that are tried for where the facts of a state begin
_LOOKS: Final = 16


def encode(state: StateValues, *, alone: bool) -> bytes:
    """One definite element. ``alone``: with version and facts, which a section record else carries. Raises
    DataError.
    """
    made: bytes | None = None
    asks = state.ASKS
    facts = state._facts.fresh() if asks else state._facts
    if "_encode" in state.STRAIGHT:
        try:
            made = state._encode(facts, state._version)
        except FAST_PATH_ERRORS:
            made = None
    if made is None:
        facts = state._facts.fresh()
        made = walk_content(state, facts)
    if alone and (state._version != 1 or facts.carried or (asks and facts.questions)):
        made = with_extras(state, made, facts if asks else facts.fresh())
    return tlv(_heads(type(state)).state, made)  # type: ignore[arg-type] # classes can be hashed


class _Heads(NamedTuple):
    """Identifier octets of a state's element, and of its facts and its version inside it; empty for what it cannot
    have.
    """

    state: bytes
    facts: bytes
    version: bytes
    #: the version of a state that does not say it
    unsaid: int
    prefixes: _Prefixes


class _Prefixes(dict[int, bytes]):
    """Identifier and length octets of an element, by the number of octets that all of it has. Raises NotPlain."""

    def __init__(self, tag: bytes) -> None:
        self._tag = tag

    def __missing__(self, total: int) -> bytes:
        for octets in range(1, 9):
            size = total - len(self._tag) - octets
            if size >= 0 and len(length(size)) == octets:
                prefix = self._tag + length(size)
                if len(self) < _ENTRIES:
                    self[total] = prefix
                return prefix
        raise NotPlain("no element has so many octets")


@cache
def _heads(cls: type[StateValues]) -> _Heads:
    tag = ber.tag_bytes(ber.APPLICATION, True, cls.TAG)
    tags, only_first = cls.TAGS, cls.MINIMUM_VERSION == cls.VERSION == 1
    return _Heads(
        tag,
        ber.tag_bytes(ber.CONTEXT, True, tags[FACTS]) if FACTS in tags else b"",
        ber.tag_bytes(ber.CONTEXT, False, tags[VERSION]) if VERSION in tags and not only_first else b"",
        # 1 is not written
        min(max(1, cls.MINIMUM_VERSION), cls.VERSION),
        _Prefixes(tag),
    )


def walk_content(state: StateValues, facts: Facts) -> bytes:
    """The content octets of a state's SEQUENCE, by the walk; ``facts.questions`` then holds what was asked."""
    visitor = BerOut(facts)
    try:
        visitor.run(state)
    except DataError:
        raise
    except VmsgenError as error:
        raise visitor.error(str(error), kind=LayoutError) from error
    except (IndexError, ZeroDivisionError, ValueError, OverflowError, TypeError, AttributeError) as error:
        raise visitor.error(_reason(error), kind=visitor.value_error) from error
    return visitor.made


def with_extras(state: StateValues, content: bytes, facts: Facts) -> bytes:
    """The content with the components for version and facts put in their places, in tag order."""
    extras: list[tuple[int, bytes]] = []
    if state._version != 1:
        tag = state.TAGS[VERSION]
        extras.append((tag, ber.tlv(ber.tag_bytes(ber.CONTEXT, False, tag), ber.integer_content(state._version))))
    pairs = facts.pairs()
    if pairs:
        tag = state.TAGS[FACTS]
        entries = b"".join(
            ber.tlv(b"\x30", ber.tlv(b"\x80", n.encode()) + ber.tlv(b"\x81", a.encode())) for n, a in pairs
        )
        extras.append((tag, ber.tlv(ber.tag_bytes(ber.CONTEXT, True, tag), entries)))
    for tag, piece in sorted(extras):
        position = 0
        while position < len(content):
            element = ber.read_element(content, position, len(content))
            if element.tag_class != ber.CONTEXT or element.number > tag:
                break
            position = element.end
        content = content[:position] + piece + content[position:]
    return content


def decode(cls: type[V], data: bytes, version: int | None, facts: Facts | None, limits: Limits = DEFAULT_LIMITS) -> V:
    """The state from one element, which must be all of ``data``. ``version`` and ``facts`` are the section record's.

    Raises DataError; its ``partial`` is the state as far as it was read.
    """
    known = NOBODYS if facts is None else facts
    if "_decode" in cls.STRAIGHT:
        asks = cls.ASKS
        state = _straight_decode(cls, data, version, known.fresh() if asks else known, asks)
        if state is None and not asks and version is None:
            state = _straight_decode(cls, data, version, known, True)
        if state is not None:
            return state
    element = ber.read_element(data, 0, len(data), limits)
    if element.end != len(data):
        raise DataError(f"{len(data) - element.end} octets are left over", offset=element.end)
    if (element.tag_class, element.number) != (ber.APPLICATION, cls.TAG):
        raise DataError(f"expected [APPLICATION {cls.TAG}] ({cls.VMSTATE}), found {element.describe()}", offset=0)
    return decode_by_walk(cls, data, element, version, known, limits)


def _straight_decode(cls: type[V], data: bytes, version: int | None, facts: Facts, carries: bool) -> V | None:
    """What the straight-line code reads, with ``facts`` for its own; None if it leaves that to the walk. ``carries``:
    facts are looked for, which takes its time; a state that asks for none seldom has them, so there it comes second.
    """
    heads = _heads(cls)  # type: ignore[arg-type] # classes can be hashed
    pairs: list[tuple[str, str]] = []
    try:
        stop = len(data)
        prefix = heads.prefixes[stop]
        if not data.startswith(prefix):
            return None
        start = len(prefix)
        if version is None:
            if carries and heads.facts:
                pairs, stop = _own_facts(data, start, stop, heads.facts)
                if pairs:
                    facts = facts.carrying(pairs)
                elif not cls.ASKS:
                    return None
            version = heads.unsaid
            if heads.version:
                version, stop = _own_version(data, stop, heads)
        if not cls.MINIMUM_VERSION <= version <= cls.VERSION:
            return None
        state = cls._decode(data, start, stop, facts, version)
    except FAST_PATH_ERRORS:
        return None
    if pairs or (cls.ASKS and facts.questions):
        state._facts = facts.settled()
    return state


def _own_facts(data: bytes, start: int, stop: int, head: bytes) -> tuple[list[tuple[str, str]], int]:
    """The facts that a state may carry as the last of its components, and where the others then end.

    They are looked for from the end on. Octets of another component can look so: then that component is cut, and the
    straight-line code refuses it.
    """
    found: list[tuple[str, str]] = []
    at = stop
    for _ in range(_LOOKS):
        at = data.rfind(head, start, at)
        if at < 0:
            break
        try:
            size = data[at + len(head)]
            # most of what only looks so ends elsewhere
            if size > 0x88 or (size < 0x80 and at + len(head) + 1 + size != stop):
                continue
            entry, end = content(data, at, stop, head)
            if end != stop:
                continue
            while entry < end:
                name, entry_end = content(data, entry, end, b"\x30")
                name, name_end = content(data, name, entry_end, b"\x80")
                answer, answer_end = content(data, name_end, entry_end, b"\x81")
                if answer_end != entry_end:
                    raise NotPlain("another element")
                found.append((data[name:name_end].decode(), data[answer:answer_end].decode()))
                entry = entry_end
        except FAST_PATH_ERRORS:
            found = []
        else:
            return found, at
    return found, stop


def _own_version(data: bytes, stop: int, heads: _Heads) -> tuple[int, int]:
    """The version that a state may carry as the last of its components, and where the others then end.

    Octets of another component can look so: then that component is cut, and the straight-line code refuses it.
    """
    for size in range(1, 6):
        at = stop - len(heads.version) - 1 - size
        if at > 0 and data.startswith(b"%b%c" % (heads.version, size), at):
            version = int.from_bytes(data[stop - size : stop], "big", signed=True)
            if len(ber.integer_content(version)) == size:
                return version, at
    return heads.unsaid, stop


def decode_by_walk(
    cls: type[V], data: bytes, element: ber.Element, version: int | None, facts: Facts, limits: Limits = DEFAULT_LIMITS
) -> V:
    """As :func:`decode`, by the walk alone."""
    state = cls._blank()
    visitor = BerIn(data, facts.fresh(), limits)
    visitor._owners.append((state, 0))
    try:
        visitor.open(state, element)
        own = visitor.version_of(cls)
        state._version = version if version is not None else own
        check_version(cls, state._version, element.start)
        own_facts = visitor.facts_of()
        visitor.facts = facts.carrying(own_facts) if own_facts else facts.fresh()
        visitor.dispatch(state, ())
        visitor.close()
    except DataError as error:
        error.partial = state
        raise
    except VmsgenError as error:
        raise LayoutError(str(error), path=visitor.path(), offset=visitor.offset(), partial=state) from error
    except (IndexError, ZeroDivisionError, ValueError, OverflowError, TypeError, AttributeError) as error:
        raise DataError(_reason(error), path=visitor.path(), offset=visitor.offset(), partial=state) from error
    state._facts = visitor.facts.settled()
    return state
