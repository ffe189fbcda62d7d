"""States as Python objects, and visitors of one's own."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import pytest

from tests.unit.runtime.devices import ERRORS, ODD, PLAIN, POWER, Card, Errors, Power, Slot, plain
from vmsgen.runtime.binary_in import BinaryIn
from vmsgen.runtime.binary_out import BinaryOut
from vmsgen.runtime.errors import DataError
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.visitor import Visitor


def test_fields_are_keywords_with_defaults() -> None:
    card = Card()
    assert (card.flag, card.flags, card.label, card.slot, card.maybe) == (False, [False] * 3, "", Slot(), None)
    assert (card.section_version, card.facts.known) == (2, {})
    with pytest.raises(TypeError):
        Card(True)  # type: ignore[misc]
    with pytest.raises(TypeError):
        Card(flagg=True)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        card.flagg = True  # type: ignore[attr-defined]


def test_equality() -> None:
    assert plain() == plain() and plain() != Card()
    assert plain() != "card" and Slot() != Errors()
    card = plain()
    card.slots[1].value = 3
    assert card != plain()
    card = plain()
    card.errors = Errors(count=1)
    assert card != plain()
    nan, other = plain(), plain()
    nan.gain, other.gain = math.nan, math.nan
    assert nan == other
    with pytest.raises(TypeError):
        hash(card)


def test_repr_makes_it_again() -> None:
    assert repr(plain()) == (
        "Card(flag=True, flags=[False, True, False], gain=1.5, label='ab', slot=Slot(used=True, value=-2), "
        "slots=[Slot(used=False, value=1), Slot(used=True, value=2)], ports=[7, 8], late=9)"
    )
    assert eval(repr(plain())) == plain()
    assert repr(Card.from_binary(ODD)).startswith("Card(flag=True"), "also of one that keeps something"


@pytest.mark.parametrize("data", [PLAIN, PLAIN + POWER + ERRORS, ODD])
def test_copies(data: bytes) -> None:
    card = Card.from_binary(data)
    made = copy.deepcopy(card)
    assert made == card and made.identical(card)
    assert made.to_binary() == data
    made.slot.value = 77
    assert card.to_binary() == data, "a deep copy is on its own"
    assert copy.copy(card).to_binary() == data


def test_pickles() -> None:
    for data in (PLAIN, PLAIN + POWER):
        card = Card.from_binary(data)
        assert pickle.loads(pickle.dumps(card)).to_binary() == data


def test_versions() -> None:
    old = Card.from_binary(PLAIN[:-2], version=1)
    assert old.section_version == 1 and old.late is None
    assert old.to_binary() == PLAIN[:-2]
    assert old.to_binary(version=2) == PLAIN[:-2] + b"\0\0", "what the old version lacks has its default"
    assert plain().to_binary(version=1) == PLAIN[:-2]
    assert Card.from_ber(old.to_ber()).section_version == 1


def test_facts_of_a_state() -> None:
    three = Card.from_binary(PLAIN[:-2] + b"\0\x0a\0\x09", facts=Facts({"ports": "3"}))
    assert three.ports == [7, 8, 10] and three.facts.known["ports"] == 3
    assert Card.from_ber(three.to_ber()).to_binary() == three.to_binary(), "they travel in BER"
    with pytest.raises(DataError):
        Card.from_ber_state(three.ber_state(), version=2, facts=Facts())
    assert Card.from_ber_state(three.ber_state(), version=2, facts=Facts({"ports": 3})) == three


def test_any_buffer_is_read() -> None:
    for data in (PLAIN, bytearray(PLAIN), memoryview(PLAIN), memoryview(b"xx" + PLAIN)[2:]):
        assert Card.from_binary(data) == plain()
    for data in (plain().to_ber(), bytearray(plain().to_ber()), memoryview(plain().to_ber())):
        assert Card.from_ber(data) == plain()


def test_in_the_middle_of_a_stream() -> None:
    card, end = Card.load_at(b"???" + PLAIN + ERRORS + b"\x7e\0\0\0\1", 3, version=2, facts=Facts())
    assert end == 3 + len(PLAIN + ERRORS) and card.errors == Errors(count=3)
    assert Card.load_at(PLAIN + b"\5", 0, version=2, facts=Facts())[1] == len(PLAIN), "a mark without a name is none"
    assert Card.load_at(PLAIN + b"\5\5other\0\0\0\1", 0, version=2, facts=Facts())[1] == len(PLAIN)


# ---------------------------------------------------------------------------------------------- visitors


class Collect(Visitor):
    """Collects the paths of integers, and what it sees of one class."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def integer(self, name: str, value: Any, *more: Any, **others: Any) -> Any:
        self.found.append(f"{self.path(name)} = {value}")
        return value

    def visit_Slot(self, value: Slot, *scope: Any) -> None:
        self.found.append(f"{self.path()} is a slot")
        value.visit(self, *scope)


def test_a_visitor_of_ones_own() -> None:
    card = Card.from_binary(PLAIN + POWER)
    visitor = Collect()
    card.visit(visitor)
    assert visitor.found == [
        "slot is a slot",
        "slot.value = -2",
        "slots[0] is a slot",
        "slots[0].value = 1",
        "slots[1] is a slot",
        "slots[1].value = 2",
        "ports[0] = 7",
        "ports[1] = 8",
        "late = 9",
        "<card/power>.level = 7",
        "<card/power>.limit = 9",
    ]
    assert card.to_binary() == PLAIN + POWER, "it leaves the object as it is"


def test_a_visitor_sees_the_class_of_what_keeps_something() -> None:
    card = Card.from_binary(ODD)
    visitor = Collect()
    card.visit(visitor)
    assert visitor.found.count("slot is a slot") == 1
    assert card.to_binary() == ODD


class Doubled(BinaryOut):
    """Writes every level twice as high."""

    def visit_Power(self, value: Power, *scope: Any) -> None:
        Power(level=value.level * 2, limit=value.limit).visit(self, *scope)


def test_a_visitor_may_write_something_else() -> None:
    card = Card.from_binary(PLAIN + POWER)
    visitor = Doubled()
    card.visit(visitor)
    assert bytes(visitor.out) == PLAIN + POWER[:-3] + b"\x0e\0\x09"


def test_one_walk_reads_and_writes() -> None:
    reader, writer = BinaryIn(PLAIN + ERRORS), BinaryOut()
    card = Card()
    card.visit(reader)
    card.visit(writer)
    assert card == Card.from_binary(PLAIN + ERRORS) and bytes(writer.out) == PLAIN + ERRORS
    assert reader.position == len(PLAIN + ERRORS)


def test_what_is_read_into_an_object_stays_kept() -> None:
    card = Card()
    card.visit(BinaryIn(ODD))
    assert card.to_binary() == ODD
    card.flag = True
    assert card.to_binary() == b"\1" + ODD[1:]
