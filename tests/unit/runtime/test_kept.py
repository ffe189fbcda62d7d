"""What a stream says beyond the values: kept by an object, written back, and forgotten when the field is set."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from tests.unit.runtime.devices import ERRORS, ODD, OLD_POWER, PLAIN, POWER, Card, Errors, Power, plain
from vmsgen.runtime.ber import APPLICATION, CONTEXT, tag_bytes, tlv
from vmsgen.runtime.errors import DataError
from vmsgen.runtime.values import ORDER, UNKNOWN


def test_a_plain_object_keeps_nothing() -> None:
    card = Card.from_binary(PLAIN)
    assert card._kept is None and card == plain() and card.identical(plain())
    assert card.to_binary() == plain().to_binary() == PLAIN


def odd() -> Card:
    return Card.from_binary(ODD)


def from_ber() -> Card:
    return Card.from_ber(odd().to_ber())


@pytest.mark.parametrize("made", [odd, from_ber])
def test_values_and_wire_bytes_both_survive(made: Callable[[], Card]) -> None:
    card = made()
    assert (card.flag, card.flags, card.label) == (True, [False, True, False], "a")
    assert math.isnan(card.gain)
    assert card._kept == {
        "flag": b"\2",
        "flags[1]": b"\3",
        "gain": bytes.fromhex("7ff8000000000001"),
        "label": bytes.fromhex("fefe00000000"),
        "unused": bytes.fromhex("00000005"),
    }
    assert card.slot._kept == {"used": b"\xff"}
    assert card.slots[0]._kept == {"used": b"\4"}
    assert card.maybe is not None and card.maybe._kept == {"used": b"\x80"}
    for _ in range(2):
        assert card.to_binary() == ODD, "writing forgets nothing"
    assert card.to_ber() == odd().to_ber()


def test_equality_is_of_values_and_identity_of_wire_bytes() -> None:
    card, other = odd(), odd()
    assert card == other and card.identical(other)
    other.flag = True
    assert card == other
    assert not card.identical(other) and not other.identical(card)
    other.label = "b"
    assert card != other


@pytest.mark.parametrize("made", [odd, from_ber])
@pytest.mark.parametrize(
    ("change", "offset", "written"),
    [
        (lambda card: setattr(card, "flag", True), 0, b"\1"),
        (lambda card: setattr(card, "flags", [False, True, False]), 1, b"\0\1\0"),
        (lambda card: setattr(card, "gain", math.nan), 4, bytes.fromhex("7ff8000000000000")),
        (lambda card: setattr(card, "gain", 1.0), 4, bytes.fromhex("3ff0000000000000")),
        (lambda card: setattr(card, "label", "a"), 12, b"a" + bytes(7)),
        (lambda card: setattr(card.slot, "used", True), 24, b"\1"),
        (lambda card: setattr(card.slots[0], "used", True), 28, b"\1"),
        (lambda card: setattr(card.maybe, "used", True), 31, b"\1"),
    ],
)
def test_setting_a_field_forgets_what_was_kept_of_it(
    made: Callable[[], Card], change: Callable[[Card], None], offset: int, written: bytes
) -> None:
    card = made()
    change(card)
    assert card.to_binary() == ODD[:offset] + written + ODD[offset + len(written) :]
    assert Card.from_ber(card.to_ber()).to_binary() == card.to_binary()


def test_setting_another_field_forgets_nothing() -> None:
    card = odd()
    card.late = 0x1234
    assert card.to_binary() == ODD[:-2] + b"\x12\x34"


def test_a_value_that_what_was_kept_does_not_fit() -> None:
    """Elements are changed in place, behind the back of the object: what was kept must not come out wrong."""
    card = odd()
    card.flags[1] = False
    assert card.to_binary()[1:4] == b"\0\0\0"


# ---------------------------------------------------------------------------------------------- subsections


def test_subsections_in_the_order_of_the_description() -> None:
    card = Card.from_binary(PLAIN + POWER + ERRORS)
    assert card.power == Power(level=7, limit=9) and card.errors == Errors(count=3)
    assert card._kept is None
    assert card.to_binary() == PLAIN + POWER + ERRORS


@pytest.mark.parametrize(
    "tail",
    [
        ERRORS + POWER,
        POWER + POWER,
        OLD_POWER + POWER,
        POWER + ERRORS + OLD_POWER,
        ERRORS + POWER + ERRORS + POWER,
        POWER + POWER + POWER + ERRORS,
    ],
)
def test_their_order_and_repetition_are_kept(tail: bytes) -> None:
    card = Card.from_binary(PLAIN + tail)
    assert card.to_binary() == PLAIN + tail
    assert card.to_binary() == PLAIN + tail
    back = Card.from_ber(card.to_ber())
    assert back == card and back.identical(card)
    assert back.to_binary() == PLAIN + tail


def test_a_subsection_taken_away_takes_its_earlier_copies_along() -> None:
    card = Card.from_binary(PLAIN + OLD_POWER + POWER + ERRORS)
    card.power = None
    assert card.to_binary() == PLAIN + ERRORS
    card = Card.from_binary(PLAIN + ERRORS + OLD_POWER + POWER)
    card.errors = None
    assert card.to_binary() == PLAIN + OLD_POWER + POWER


def test_a_new_subsection_replaces_all_copies() -> None:
    card = Card.from_binary(PLAIN + ERRORS + OLD_POWER + POWER)
    card.power = Power(level=1, limit=2)
    assert card.to_binary() == PLAIN + ERRORS + POWER[:-3] + b"\x01\x00\x02"


def test_an_order_that_names_a_subsection_twice_writes_it_once() -> None:
    """A file may say so; no object read from a stream does."""
    card = plain()
    card.errors = Errors(count=3)
    card._keep(ORDER, b"\0".join([b"errors"] * 1000))
    again = Card.from_ber(card.to_ber())
    assert again.to_binary() == PLAIN + ERRORS


def test_a_subsection_of_an_older_version() -> None:
    card = Card.from_binary(PLAIN + OLD_POWER)
    assert card.power is not None and card.power.section_version == 2 and card.power.limit is None
    back = Card.from_ber(card.to_ber())
    assert back.power is not None and back.power.section_version == 2
    assert back.to_binary() == PLAIN + OLD_POWER


# ---------------------------------------------------------------------------------------------- a newer writer


def extended(*extra: bytes) -> bytes:
    """The plain card in BER with elements behind its components."""
    content = plain().to_ber()[5:]
    assert plain().to_ber()[:5] == tag_bytes(APPLICATION, True, 30001) + bytes((len(content),))
    return tlv(tag_bytes(APPLICATION, True, 30001), content + b"".join(extra))


def test_elements_of_a_newer_writer_are_kept_and_written_back() -> None:
    new = tlv(tag_bytes(CONTEXT, False, 40), b"\x05"), tlv(tag_bytes(CONTEXT, True, 41), tlv(b"\x80", b"\1"))
    card = Card.from_ber(extended(*new))
    assert card == plain() and not card.identical(plain())
    assert card._kept == {UNKNOWN: b"".join(new)}
    assert card.to_ber() == extended(*new)
    assert card.to_binary() == PLAIN


def test_they_stand_in_tag_order_when_written() -> None:
    low, high = tlv(tag_bytes(CONTEXT, False, 40), b"\x05"), tlv(tag_bytes(CONTEXT, False, 41), b"")
    assert Card.from_ber(extended(high, low)).to_ber() == extended(low, high)


def test_they_survive_a_changed_field() -> None:
    new = tlv(tag_bytes(CONTEXT, False, 40), b"\x05")
    card = Card.from_ber(extended(new))
    card.late = 10
    assert Card.from_ber(card.to_ber())._kept == {UNKNOWN: new}


def test_kept_entries_that_fit_nothing_do_no_harm() -> None:
    card = plain()
    for key in ("flag", "flags[7]", "gain", "label", "unused", "nonsense", "", "<x>"):
        card._keep(key, b"\x99" * 13)
    assert card.to_binary() == PLAIN
    assert Card.from_ber(card.to_ber()).to_binary() == PLAIN


@pytest.mark.parametrize(
    ("component", "message"),
    [
        ("0403616263", "expected a SEQUENCE of a name"),
        ("3003800161", "expected a SEQUENCE of a name"),
        ("3006810161800162", "expected a SEQUENCE of a name"),
        ("3009800161810162820163", "expected a SEQUENCE of a name"),
        ("7006800161810162", "expected a SEQUENCE of a name"),
        ("3006400161410162", "expected a SEQUENCE of a name"),
        ("30068001ff810162", "not UTF-8"),
        ("1006800161810162", "expected a SEQUENCE of a name"),
    ],
)
def test_illegal_kept_entries(component: str, message: str) -> None:
    data = extended(tlv(tag_bytes(CONTEXT, True, 13), bytes.fromhex(component)))
    with pytest.raises(DataError, match=message) as caught:
        Card.from_ber(data)
    assert caught.value.offset is not None and 0 <= caught.value.offset < len(data)
