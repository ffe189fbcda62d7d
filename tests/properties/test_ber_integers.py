"""Runs and arrays of INTEGERs against the reader that goes element by element, on right octets and on damaged ones."""

from __future__ import annotations

import re
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vmsgen.runtime import ber, ber_arrays
from vmsgen.runtime.ber_arrays import integers, take_integers
from vmsgen.runtime.ber_integers import S8, S16, S32, S64, U8, U16, U32, U64, Octets, TlvRun
from vmsgen.runtime.errors import DataError
from vmsgen.runtime.straight import FAST_PATH_ERRORS

TABLES = {"B": U8, "H": U16, "I": U32, "Q": U64, "b": S8, "h": S16, "i": S32, "q": S64}
TAG = b"\xa3"


def numbers(chance: Random, table: Octets, count: int) -> list[int]:
    """Numbers of a type: of all lengths, of one length, all alike, or such that their octets look like elements."""
    kind = chance.randrange(5)
    width = chance.randrange(1, 65)

    def one() -> int:
        if kind == 4 and chance.random() < 0.3:
            return chance.choice((2, 0x0201, 0x0202, 0x020301, 0x02020202))
        value = chance.getrandbits(chance.randrange(1, 65) if kind in (0, 4) else width)
        return ~value if table.low < 0 and chance.random() < 0.5 else value

    repeated = one()
    drawn = [repeated if kind == 3 else one() for _ in range(count)]
    edges = [table.low, table.high - 1, 0, -1, 127, 128, -128, -129, 255, 256]
    drawn[: len(edges)] = chance.choices(edges, k=min(count, len(edges)))
    return [min(max(value, table.low), table.high - 1) for value in drawn]


def one_by_one(data: bytes, tag: bytes, table: Octets) -> list[int]:
    """What a SEQUENCE OF INTEGER says. Raises DataError."""
    outer = ber.read_element(data, 0, len(data))
    found = []
    for element in ber.children(data, outer):
        value = ber.integer(data, element)
        if (element.tag_class, element.number) != (ber.UNIVERSAL, ber.INTEGER) or not table.low <= value < table.high:
            raise DataError("not of this type")
        found.append(value)
    if data[: len(tag)] != tag or outer.end != len(data):
        raise DataError("another element")
    return found


@pytest.mark.parametrize("code", TABLES)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1 << 32), count=st.sampled_from([0, 1, 9, 127, 128, 511, 512, 600, 1024, 3000]))
def test_arrays_there_and_back(code: str, seed: int, count: int) -> None:
    chance, table = Random(seed), TABLES[code]
    values = numbers(chance, table, count)
    content = b"".join(ber.tlv(b"\x02", ber.integer_content(value)) for value in values)
    assert integers(values, table, count) == ber.length_bytes(len(content)) + content
    data = b"\x02\x01" + ber.tlv(TAG, content)
    assert take_integers(data + b"\x02\x01\x05", 2, len(data), TAG, table, count) == (values, len(data))
    assert ber_arrays._few(content + b"\x02", 0, len(content), table, count) == (values, len(content))
    assert ber_arrays._many(content + b"\x02", 0, len(content), table) == (values, len(content))


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 1 << 32), code=st.sampled_from(list(TABLES)))
def test_damaged_arrays_are_refused_or_read_for_what_they_are(seed: int, code: str) -> None:
    chance, table = Random(seed), TABLES[code]
    count = chance.choice((5, 60, 600))
    drawn = numbers(chance, table, count)
    content = bytearray(b"".join(ber.tlv(b"\x02", ber.integer_content(value)) for value in drawn))
    for _ in range(chance.randrange(1, 4)):
        content[chance.randrange(len(content))] = chance.choice((0, 1, 2, 3, 9, 10, 127, 128, 255))
    data = ber.tlv(TAG, bytes(content[: chance.choice((None, -1, -2))]))
    given = chance.choice((None, count))
    try:
        found, end = take_integers(data, 0, len(data), TAG, table, given)
    except FAST_PATH_ERRORS:
        with suppress(DataError):
            others = one_by_one(data, TAG, table)
            assert given is not None and len(others) != given, "only what is not canonical may be refused"
    else:
        assert found == one_by_one(data, TAG, table) and end == len(data)


def test_arrays_of_more_than_a_block() -> None:
    chance = Random(1)
    for table in (U8, S16, U64):
        values = numbers(chance, table, 70_000) + [2] * 70_000 + numbers(chance, table, 2000)
        data = TAG + integers(values, table)
        assert take_integers(data, 0, len(data), TAG, table) == (values, len(data))
        with pytest.raises(FAST_PATH_ERRORS):
            take_integers(data, 0, len(data) - 1, TAG, table)


@pytest.mark.parametrize("wrong", [1.5, None, "1", 1 << 64, -1])
def test_what_is_no_number_of_the_type_is_not_written(wrong: object) -> None:
    values: list[object] = [*range(600)]
    values[300] = wrong
    with pytest.raises(FAST_PATH_ERRORS):
        integers(values, U64)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------- runs


def insides(code: str) -> list[tuple[int, int, str]]:
    """The components of a nested struct, the elements of an array: class and number of its tag, and its code."""
    if code[0] == "[":
        return [(ber.UNIVERSAL, ber.INTEGER, code[-2])] * int(code[1:-2])
    return [(ber.CONTEXT, number, each) for number, each in enumerate(re.findall(r"\d+s|.", code[1:-1]))]


def read_one(data: bytes, element: ber.Element, code: str) -> list[object]:
    """The values of one component. Raises DataError."""
    if element.constructed != (code[0] in "(["):
        raise DataError("another form")
    if code == "?":
        return [ber.boolean(data, element)]
    if code[-1] == "s":
        if element.content_end - element.content != int(code[:-1]):
            raise DataError("another size")
        return [ber.octets(data, element)]
    if element.constructed:
        return read_run(data[: element.content_end], insides(code), element.content, whole=True)
    value = ber.integer(data, element)
    if not TABLES[code].low <= value < TABLES[code].high:
        raise DataError("out of range")
    return [value]


def read_run(data: bytes, run: list[tuple[int, int, str]], position: int = 0, *, whole: bool = False) -> list[object]:
    """The values of a run, one by one, and the position behind them unless they are ``whole``. Raises DataError."""
    found = list[object]()
    for tag_class, number, code in run:
        element = ber.read_element(data, position, len(data))
        if (element.tag_class, element.number) != (tag_class, number):
            raise DataError("another element")
        found += read_one(data, element, code)
        position = element.end
    if not whole:
        return [*found, position]
    if position != len(data):
        raise DataError("a component more")
    return found


def written(chance: Random, code: str, tag_class: int, number: int) -> bytes:
    """A component with a value."""
    if code[0] in "([":
        content = b"".join(written(chance, each, *tag) for *tag, each in insides(code))
    elif code == "?":
        content = bytes([chance.choice((0, 1, 255))])
    elif code[-1] == "s":
        content = bytes(chance.choices((0, 2, 255, 128), k=int(code[:-1])))
    else:
        content = ber.integer_content(chance.choice(numbers(chance, TABLES[code], 3)))
    return ber.tlv(ber.tag_bytes(tag_class, code[0] in "([", number), content)


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 1 << 32),
    codes=st.lists(
        st.sampled_from([*"BHIQbhiq?", "4s", "9s", "127s", "(I?H)", "(b127s)", "[1q]", "[5H]"]), min_size=1, max_size=12
    ),
    first=st.sampled_from([0, 3, 26, 31, 100, 124, 128, 250, 16380]),
)
def test_runs(seed: int, codes: list[str], first: int) -> None:
    chance = Random(seed)
    run = TlvRun("".join(codes), first)
    plan = [(ber.CONTEXT, number, code) for number, code in enumerate(codes, first)]
    data = b"".join(written(chance, code, *tag) for *tag, code in plan)
    assert run.take(b"\x80\x01" + data + b"\x00\x00", 2, 2 + len(data))[:-1] == read_run(data, plan)[:-1]
    assert run.take(data, 0, len(data))[-1] == len(data)
    with pytest.raises(FAST_PATH_ERRORS):
        run.take(data, 0, len(data) - 1)
    damaged = bytearray(data)
    damaged[chance.randrange(len(data))] = chance.choice((0, 1, 2, 9, 128, 129, 255, chance.randrange(256)))
    damaged = damaged[: chance.choice((None, None, -1))]
    try:
        found = run.take(bytes(damaged), 0, len(damaged))
    except FAST_PATH_ERRORS:
        return  # the walk reads it, or says what is wrong
    assert found == read_run(bytes(damaged), plan)
    kinds = {"?": bool, "s": bytes}
    inner = [each for code in codes for each in (insides(code) if code[0] in "([" else [(0, 0, code)])]
    assert [type(value) for value in found] == [*(kinds.get(code[-1], int) for *_, code in inner), int]
