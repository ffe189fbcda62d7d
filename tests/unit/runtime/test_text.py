"""Debug text and JSON of one state, letter by letter."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest

from tests.unit.runtime.devices import ERRORS, ODD, OLD_POWER, PLAIN, Card, Errors, Power, Slot, plain
from vmsgen.runtime.debug_out import debug_text
from vmsgen.runtime.errors import DataError
from vmsgen.runtime.state import VMState
from vmsgen.runtime.visitor import Visitor

TEXT = """\
flag = true
flags: 3 elements
  [0] = false
  [1] = true
  [2] = false
gain = 1.5
label = 'ab'
slot:
  used = true
  value = -2
slots: 2 elements
  [0]:
    used = false
    value = 1
  [1]:
    used = true
    value = 2
maybe = null
ports = [7 8]
late = 9"""

ODD_TEXT = """\
flag = true (byte 02)
flags: 3 elements
  [0] = false
  [1] = true (byte 03)
  [2] = false
gain = nan (bits 7ff8000000000001)
label = 'a' (tail fefe00000000)
unused (pad) = 00000005
slot:
  used = true (byte ff)
  value = 1
slots: 1 elements
  [0]:
    used = true (byte 04)
    value = 2
maybe:
  used = true (byte 80)
  value = 3
ports = [7 8]
late = 9
<card/errors> version 1:
  count = 3
<card/power> version 2:
  level = 7"""

VALUES: dict[str, Any] = {
    "flag": True,
    "flags": [False, True, False],
    "gain": 1.5,
    "label": "ab",
    "slot": {"used": True, "value": -2},
    "slots": [{"used": False, "value": 1}, {"used": True, "value": 2}],
    "maybe": None,
    "ports": [7, 8],
    "late": 9,
}


def test_debug_text() -> None:
    assert debug_text(plain()) == TEXT
    assert debug_text(plain(), 2) == "\n".join("    " + line for line in TEXT.split("\n"))


def test_debug_text_says_what_is_kept() -> None:
    card = Card.from_binary(ODD + ERRORS + OLD_POWER)
    assert debug_text(card) == ODD_TEXT
    assert debug_text(Card.from_ber(card.to_ber())) == ODD_TEXT
    assert card.to_binary() == ODD + ERRORS + OLD_POWER, "and changes nothing"


def test_text_that_is_no_text_stays_in_its_line() -> None:
    card = plain()
    for label in ("\n", "\x1b[1m", "ä\u2028", "\udcff"):
        card.label = label
        assert debug_text(card).split("\n")[6] == f"label = {label!a}"


def test_json() -> None:
    assert plain().to_json() == VALUES
    assert list(plain().to_json()) == list(VALUES), "in wire order"


def test_json_of_what_is_kept() -> None:
    card = Card.from_binary(ODD + ERRORS + OLD_POWER)
    values = card.to_json()
    assert values["gain"] == {"float64": "7ff8000000000001"}
    assert values["slot"] == {"used": True, "value": 1, "<kept>": {"used": "ff"}}
    assert values["<subsections>"] == {
        "card/errors": {"version": 1, "count": 3},
        "card/power": {"version": 2, "level": 7},
    }
    assert list(values["<subsections>"]) == ["card/errors", "card/power"], "in the order that the stream has"
    assert values["<kept>"]["flag"] == "02" and values["<kept>"]["unused"] == "00000005"
    back = Card.from_json(json.loads(json.dumps(values)))
    assert back == card and back.identical(card)
    assert back.to_binary() == ODD + ERRORS + OLD_POWER
    back.flag = True
    assert back.to_binary() == b"\1" + (ODD + ERRORS + OLD_POWER)[1:], "and setting a field forgets it here too"


@pytest.mark.parametrize("gain", [float("inf"), float("-inf"), 1e300, -0.0])
def test_numbers_that_json_does_not_have(gain: float) -> None:
    card = plain()
    card.gain = gain
    text = json.dumps(card.to_json(), allow_nan=False)
    assert Card.from_json(json.loads(text)).to_binary() == card.to_binary()


def test_json_in() -> None:
    assert Card.from_json(VALUES) == plain()
    assert Card.from_json(VALUES).to_binary() == PLAIN
    old = Card.from_json({key: value for key, value in VALUES.items() if key != "late"}, version=1)
    assert old.section_version == 1 and old.to_binary() == PLAIN[:-2]
    card = Card.from_json(
        {**VALUES, "maybe": VALUES["slot"], "<subsections>": {"card/power": {"level": 1, "limit": 2}}}
    )
    assert card.maybe == Slot(used=True, value=-2) and card.power == Power(level=1, limit=2)
    assert card.errors is None and Errors() != card.power


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "expected an object, found a list"),
        (None, "expected an object, found null"),
        ({**VALUES, "flagg": 1}, "Card has no field 'flagg'"),
        ({**VALUES, "flag": 1}, "field flag: expected a boolean, found a number"),
        ({**VALUES, "late": True}, "field late: expected an integer, found a boolean"),
        ({**VALUES, "late": "1"}, "field late: expected an integer, found text"),
        ({**VALUES, "label": 5}, "field label: expected text, found a number"),
        ({**VALUES, "flags": {}}, "field flags: expected a list, found an object"),
        ({**VALUES, "flags": [1]}, r"field flags\[0\]: expected a boolean, found a number"),
        ({**VALUES, "slots": [{"used": 0}]}, r"field slots\[0\]\.used: expected a boolean"),
        ({**VALUES, "gain": "1"}, "field gain: expected a number, found text"),
        ({**VALUES, "gain": {"float64": "xyz"}}, "field gain: expected"),
        ({**VALUES, "maybe": 3}, "field maybe: expected an object, found a number"),
        ({**VALUES, "<kept>": {"flag": "x"}}, "expected bytes as hex digits"),
        ({**VALUES, "<kept>": []}, "expected an object, found a list"),
        ({**VALUES, "<subsections>": {"card/x": {}}}, "no subsection 'card/x'; there are card/power, card/errors"),
        ({**VALUES, "<subsections>": {"card/power": {"version": "x"}}}, "expected an integer"),
    ],
)
def test_json_that_is_no_card(values: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Card.from_json(values)


def test_many_bits_are_text() -> None:
    """Python neither writes nor reads a number of thousands of digits, and QEMU sends bitmaps that long."""

    class Dirty(VMState):
        VMSTATE = "dirty"
        FIELDS = ("few", "many")
        TAGS: ClassVar[dict[str, int]] = {"few": 0, "many": 1}
        __slots__ = ("few", "many")
        few: int
        many: int

        def visit(self, v: Visitor) -> None:
            self.few = v.bitmap("few", self.few, 40)
            self.many = v.bitmap("many", self.many, 1 << 16)

    made = Dirty.from_binary(b"\xff" * 8 + b"\x5a" * (1 << 13))
    values = json.loads(json.dumps(made.to_json()))
    assert values["few"] == made.few and values["many"] == f"{made.many:#x}"
    assert Dirty.from_json(values).to_binary() == made.to_binary()
    assert "<65535 bits>" in repr(made)
    with pytest.raises(DataError, match="expected an integer"):
        Dirty.from_json({**values, "many": "5a"})
