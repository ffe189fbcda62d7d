"""What must hold of every object of every generated class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from vmsgen.runtime import ber
from vmsgen.runtime.ber_codec import decode_by_walk, walk_content
from vmsgen.runtime.binary_codec import load_by_walk, save_by_walk
from vmsgen.runtime.errors import DataError
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.state import VMState
from vmsgen.runtime.straight import FAST_PATH_ERRORS
from vmsgen.runtime.values import ORDER, Values, _same, plain_class

#: What stands around a state in a stream: bytes of something else before it, a footer behind it.
BEFORE, BEHIND = b"\x05\x30\x01", b"\x7e\x00\x00\x00\x05"


def check_agreement(value: VMState) -> None:
    """Both codecs of both formats, there and back."""
    data = check_binary(value)
    check_ber(value, data)
    check_versions(value)


def same(found: VMState, value: VMState) -> None:
    """Asserts that two states are the same in every respect."""
    assert list(differences(found, value)) == []
    assert found == value
    assert found.identical(value) and value.identical(found)
    assert found.section_version == value.section_version


def differences(found: Any, value: Any, path: str = "") -> Iterator[str]:
    """Where two values differ, in what they say and in what they keep."""
    if isinstance(found, Values) and isinstance(value, Values):
        if plain_class(type(found)) is not plain_class(type(value)):
            yield f"{path}: {type(found).__name__} for {type(value).__name__}"
            return
        if (found._kept or {}) != (value._kept or {}):
            yield f"{path}: keeps {found._kept} for {value._kept}"
        for name in value._values():
            yield from differences(getattr(found, name), getattr(value, name), f"{path}.{name}")
    elif isinstance(found, (list, tuple)) and isinstance(value, (list, tuple)) and len(found) == len(value):
        for index, (left, right) in enumerate(zip(found, value, strict=True)):
            yield from differences(left, right, f"{path}[{index}]")
    elif not _same(found, value) or type(found) is not type(value):
        yield f"{path}: {found!r} for {value!r}"


# ---------------------------------------------------------------------------------------------- binary


def check_binary(value: VMState) -> bytes:
    """The wire bytes of a state, after all that must hold of them."""
    cls, version, known = plain_class(type(value)), value.section_version, value.facts.known
    facts = Facts(known)
    data = save_by_walk(value, version, facts)
    assert save_by_walk(value, version, facts) == data, "writing changes nothing"
    assert value.to_binary() == data

    walked, end = load_by_walk(cls, data, 0, version, asked := Facts(known))
    assert end == len(data)
    assert cls.ASKS or not asked.asked, "what asks for nothing, asks"
    same(walked, value)
    assert save_by_walk(walked, version, facts) == data
    same(cls.from_binary(data, version=version, facts=facts), value)

    if "_save" in cls.STRAIGHT:
        out: list[bytes] = []
        asked_out = Facts(known)
        if straight(lambda: value._save(out, asked_out, version), value):
            assert b"".join(out) == data
            assert asked_out.asked == asked.asked
    if "_load" in cls.STRAIGHT:
        asked_in = Facts(known)
        loaded = straight(lambda: cls._load(data, 0, asked_in, version), value)
        if loaded:
            made, end = loaded[0]
            assert end == len(data)
            assert made == value and made.identical(walked)
            assert asked_in.asked == asked.asked
        # in the middle of a stream, where offsets do not begin at 0 and a footer follows
        middle = straight(lambda: cls._load(BEFORE + data + BEHIND, len(BEFORE), Facts(known), version), value)
        if middle:
            made, end = middle[0]
            assert end == len(BEFORE) + len(data)
            assert made == value and made.identical(walked)
    made, end = load_by_walk(cls, BEFORE + data + BEHIND, len(BEFORE), version, Facts(known))
    assert end == len(BEFORE) + len(data)
    same(made, value)
    return data


def straight(run: Callable[[], Any], value: VMState) -> list[Any]:
    """What straight-line code gives, in a list; nothing where it leaves the work to the walk.

    It may do so only for an object that is out of the ordinary: a fast path that is never taken would be no news.
    """
    try:
        return [run()]
    except FAST_PATH_ERRORS:
        assert is_odd(value), "the straight-line code gives up on a plain object"
        return []


def is_odd(value: VMState) -> bool:
    """Whether an object keeps something, or a part of it is in another version than 1."""
    return any(
        each._kept or (isinstance(each, VMState) and each is not value and each._version != 1)
        for each in structs(value)
    )


# ---------------------------------------------------------------------------------------------- BER


def check_ber(value: VMState, data: bytes) -> None:
    """BER there and back, alone and as in the container; and from BER to ``data``, the wire bytes."""
    cls, version, known = plain_class(type(value)), value.section_version, value.facts.known
    alone = value.to_ber()
    assert value.to_ber() == alone, "writing changes nothing"
    assert len(alone) == ber.read_element(alone, 0, len(alone)).end
    back = cls.from_ber(alone)
    same(back, value)
    assert back.to_ber() == alone
    assert back.to_binary() == data
    assert cls.from_binary(data, version=version, facts=value.facts).to_ber() == alone

    content = walk_content(value, asked := Facts(known))
    inside = value.ber_state()
    assert inside == ber.tlv(ber.tag_bytes(ber.APPLICATION, True, cls.TAG), content)
    same(cls.from_ber_state(inside, version=version, facts=Facts(known)), value)
    element = ber.read_element(inside, 0, len(inside))
    walked = decode_by_walk(cls, inside, element, version, Facts(known))
    same(walked, value)
    if "_encode" in cls.STRAIGHT:
        asked_out = Facts(known)
        encoded = straight(lambda: value._encode(asked_out, version), value)
        if encoded:
            assert encoded == [content]
            assert asked_out.asked == asked.asked
    if "_decode" in cls.STRAIGHT:
        asked_in = Facts(known)
        framed = BEFORE + content + BEHIND
        decoded = straight(
            lambda: cls._decode(framed, len(BEFORE), len(BEFORE) + len(content), asked_in, version), value
        )
        if decoded:
            assert decoded[0] == value and decoded[0].identical(walked)
            assert asked_in.asked == asked.asked


# ---------------------------------------------------------------------------------------------- other versions


def check_versions(value: VMState) -> None:
    """Written in each version that the spec knows: refused, or read back to what gives the same bytes again.

    Of very many versions (the watchdog's is 10000) the first and last ones.
    """
    cls = plain_class(type(value))
    known = range(cls.MINIMUM_VERSION, cls.VERSION + 1)
    for version in sorted({*known[:6], *known[-6:]}):
        facts = Facts(value.facts.known)
        try:
            data = value.to_binary(version=version, facts=facts)
        except DataError:
            continue
        assert save_by_walk(value, version, facts) == data
        back = cls.from_binary(data, version=version, facts=facts)
        assert back.section_version == version
        assert back.to_binary() == data
        assert cls.from_ber(back.to_ber()).to_binary() == data


# ---------------------------------------------------------------------------------------------- what is kept


def check_forgetting(value: VMState) -> int:
    """Setting a field drops what was kept of it, and nothing else; gives the number of entries dropped."""
    dropped = 0
    for each in structs(value):
        for key in list(each._kept or ()):
            name = key.partition("[")[0].partition(".")[0]
            if key.startswith("<") or name not in each._values():
                continue
            before = dict(each._kept or {})
            setattr(each, name, getattr(each, name))
            left = each._kept or {}
            assert all(other in left or other.partition("[")[0].partition(".")[0] == name for other in before), (
                "another field's entry is gone"
            )
            assert not any(other.partition("[")[0].partition(".")[0] == name for other in left)
            dropped += 1
    return dropped


def structs(value: Any) -> Iterator[Values]:
    """Every object from the top, itself first."""
    if isinstance(value, Values):
        yield value
        for held in held_by(value):
            yield from structs(held)
    elif isinstance(value, (list, tuple)):
        for item in value:
            if isinstance(item, (Values, list, tuple)):
                yield from structs(item)


def held_by(value: Values) -> list[Any]:
    """The values of an object's fields and subsections."""
    return [getattr(value, name) for name in value._values()]


def has_order(value: VMState) -> bool:
    """Whether the order of some subsections is kept."""
    return any(ORDER in (each._kept or {}) for each in structs(value))
