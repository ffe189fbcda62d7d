"""What errors say, and that only they leave the codecs: with the path and the place of what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.runtime.devices import PLAIN, POWER, Card, Errors, Power, Slot, plain
from vmsgen.runtime.errors import DataError, LayoutError, LimitError, TruncatedError, ValueOutOfRange, VmsgenError
from vmsgen.runtime.facts import Facts


def test_one_line_that_says_where() -> None:
    assert str(DataError("no value")) == "no value"
    error = DataError("no value", path="timer[2].config", offset=0x1F, section="hpet/0")
    assert str(error) == "section hpet/0, field timer[2].config, offset 0x1f: no value"
    assert str(DataError("no value", offset=0)) == "offset 0x0: no value"


def test_every_error_is_one_of_ours() -> None:
    for kind in (TruncatedError, LimitError, LayoutError, ValueOutOfRange):
        assert issubclass(kind, DataError) and issubclass(kind, VmsgenError)


def test_located() -> None:
    cause = ValueError("x")
    error = TruncatedError("cut", path="config", offset=3, partial=plain())
    error.__cause__ = cause
    moved = error.located(section="card/1", base=0x100, path="timer[2]")
    assert type(moved) is TruncatedError
    assert str(moved) == "section card/1, field timer[2].config, offset 0x103: cut"
    assert moved.partial == plain() and moved.__cause__ is cause
    assert error.section is None and error.offset == 3, "the original stays as it was"
    assert moved.located(base=1).section == "card/1"
    assert DataError("x", path="[3]").located(path="flags").path == "flags[3]"
    assert DataError("x").located(path="flags", base=9).offset is None


@pytest.mark.parametrize(
    ("data", "kind", "path", "offset", "message"),
    [
        (b"", TruncatedError, "flag", 0, "expected 1 bytes, 0 are left"),
        (PLAIN[:2], TruncatedError, "flags[1]", 2, "expected 1 bytes, 0 are left"),
        (PLAIN[:10], TruncatedError, "gain", 4, "expected 8 bytes, 6 are left"),
        (PLAIN[:15], TruncatedError, "label", 12, "expected 8 bytes, 3 are left"),
        (PLAIN[:22], TruncatedError, "unused", 20, "expected 4 bytes, 2 are left"),
        (PLAIN[:26], TruncatedError, "slot.value", 25, "expected 2 bytes, 1 are left"),
        (PLAIN[:32], TruncatedError, "slots[1].value", 32, "expected 2 bytes, 0 are left"),
        (PLAIN[:34], TruncatedError, "maybe.used", 34, "expected 1 bytes, 0 are left"),
        (PLAIN[:37], TruncatedError, "ports[1]", 37, "expected 2 bytes, 0 are left"),
        (PLAIN[:39], TruncatedError, "late", 39, "expected 2 bytes, 0 are left"),
        (PLAIN + b"\0", DataError, "", 41, "1 bytes are left over"),
        (PLAIN + b"\5", DataError, "", 41, "1 bytes are left over"),
        (PLAIN + b"\x05\x04card\0\0\0\1", DataError, "", 41, "10 bytes are left over"),
        (PLAIN + POWER[:13], TruncatedError, "<card/power>", 53, "expected 4 bytes, 1 are left"),
        (PLAIN + POWER[:-1], TruncatedError, "<card/power>.limit", 58, "expected 2 bytes, 1 are left"),
        (PLAIN + POWER[:-4] + b"\4\0\0\0", DataError, "<card/power>", 53, "version 4; 2 to 3 are known"),
        (PLAIN + b"\x05\x09card/what\0\0\0\1", DataError, "", 41, "subsection 'card/what' is not known to 'card'"),
    ],
)
def test_where_binary_is_wrong(data: bytes, kind: type[DataError], path: str, offset: int, message: str) -> None:
    with pytest.raises(DataError) as caught:
        Card.from_binary(data)
    error = caught.value
    assert (type(error), error.path, error.offset, error.message) == (kind, path, offset, message)


def test_what_was_read_before_is_not_lost() -> None:
    with pytest.raises(TruncatedError) as caught:
        Card.from_binary(PLAIN[:26])
    partial = caught.value.partial
    assert isinstance(partial, Card)
    assert (partial.flag, partial.label) == (True, "ab")
    good = plain().to_ber()
    assert good.count(b"\x89\x01\x09") == 1
    with pytest.raises(DataError, match=r"field late, offset 0x.*: -1 does not fit uint16") as caught:
        Card.from_ber(good.replace(b"\x89\x01\x09", b"\x89\x01\xff"))
    assert isinstance(caught.value.partial, Card) and caught.value.partial.label == "ab"
    assert caught.value.offset == good.index(b"\x89\x01\x09")


@pytest.mark.parametrize("version", [0, 3, -1, 1 << 40])
def test_an_unknown_version(version: int) -> None:
    told = rf"^offset 0x[03]: card version {version}; versions 1 to 2 are known$"
    with pytest.raises(DataError, match=told) as caught:
        Card.load_at(b"\0\0\0" + PLAIN, 3, version=version, facts=Facts())
    assert caught.value.offset == 3
    with pytest.raises(DataError, match=told) as caught:
        Card.from_ber_state(plain().ber_state(), version=version, facts=Facts())
    assert caught.value.offset == 0
    with pytest.raises(DataError, match=f"^card version {version}; versions"):
        plain().to_binary(version=version)


def changed(**values: Any) -> Callable[[], Card]:
    def made() -> Card:
        card = plain()
        for name, value in values.items():
            setattr(card, name, value)
        return card

    return made


@pytest.mark.parametrize(
    ("made", "path", "message"),
    [
        (changed(flag=None), "flag", "expected a bool, found NoneType"),
        (changed(flag="x"), "flag", "expected a bool, found str"),
        (changed(flags=[True]), "flags", "1 elements where the layout has 3"),
        (changed(flags=7), "flags", "expected a list, found int"),
        (changed(gain="x"), "gain", "expected a float, found str"),
        (changed(label="too long for it"), "label", "'too long for it' does not fit 8 bytes ended by NUL"),
        (changed(label="a\0b"), "label", r"'a\x00b' does not fit 8 bytes ended by NUL"),
        (changed(label="\ud800"), "label", "text that is no UTF-8: surrogates not allowed"),
        (changed(label=b"ab"), "label", "expected str, found bytes"),
        (changed(slot=None), "slot", "expected Slot, found NoneType"),
        (changed(slot=Errors()), "slot", "expected Slot, found Errors"),
        (changed(slot=Slot(value=40000)), "slot.value", "40000 does not fit int16"),
        (changed(slots=[Slot(), Slot(value=1 << 20)]), "slots[1].value", "1048576 does not fit int16"),
        (changed(maybe=Slot(value="1")), "maybe.value", "expected an int, found str"),
        (changed(ports=[1, 2, 3]), "ports", "3 elements where the layout has 2"),
        (changed(ports=[1, -1]), "ports[1]", "-1 does not fit uint16"),
        (changed(late=1 << 16), "late", "65536 does not fit uint16"),
        (changed(power=Power(level=256)), "<card/power>.level", "256 does not fit uint8"),
    ],
)
def test_values_that_cannot_be_written(made: Callable[[], Card], path: str, message: str) -> None:
    for write in (Card.to_binary, Card.to_ber, Card.ber_state):
        with pytest.raises(ValueOutOfRange) as caught:
            write(made())
        assert (caught.value.path, caught.value.message) == (path, message)


def test_a_count_that_its_prefix_cannot_hold() -> None:
    with pytest.raises(ValueOutOfRange, match=r"^field slots, offset 0x1b: 256 elements do not fit a count of 8 bits$"):
        changed(slots=[Slot()] * 256)().to_binary()
    assert len(changed(slots=[Slot()] * 255)().to_binary()) == len(PLAIN) + 253 * 3


@pytest.mark.parametrize(
    "facts",
    [{"ports": "many"}, {"ports": "9" * 5000}, {"acme/card.ports": "x"}, {"ports": True, "acme/card.ports": (1, 2)}],
)
def test_facts_that_answer_nothing(facts: dict[str, Any]) -> None:
    """They may come from a file, and then they are its fault: with the field that asks."""
    for work in (
        lambda: Card.from_binary(PLAIN, facts=Facts(facts)),
        lambda: plain().to_binary(facts=Facts(facts)),
        lambda: Card.from_ber_state(plain().ber_state(), version=2, facts=Facts(facts)),
    ):
        with pytest.raises(LayoutError, match="is not a number") as caught:
            work()
        assert "\n" not in str(caught.value)


def test_a_fact_of_a_file_is_never_an_error_of_another_kind() -> None:
    good = plain().to_ber()
    assert good.count(b"\x81\x012") == 1  # ports = 2
    for text in (b"x", b"-", b"9"):
        with pytest.raises(DataError) as caught:
            Card.from_ber(good.replace(b"\x81\x012", b"\x81\x01" + text))
        assert caught.value.offset is not None
