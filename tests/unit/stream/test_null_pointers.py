"""Pointers whose values may begin with byte 30, the mark of a NULL: the vmdesc tells which is which."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.stream.states import Registry
from tests.unit.stream.synthetic import HEADER, be16, full, raw_vmdesc
from vmsgen.qemu.compiling import class_of_text
from vmsgen.runtime.errors import DataError
from vmsgen.runtime.facts import Facts
from vmsgen.stream.convert import convert
from vmsgen.stream.items import Blob, Section
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.transport.sink import MemorySink
from vmsgen.stream.transport.source import MemorySource

NULL = b"0"
SPEC = """\
vmsgen: 1
vmstate: shelf
fields:
  - slots: Slot?[4]
  - count: uint8
    check: it < 9
structs:
  Slot:
    - number: uint16
"""
SURE = SPEC + "      check: it < 9\n"

Shelf: Any = class_of_text("shelf", SPEC)
SureShelf: Any = class_of_text("shelf", SURE)
REGISTRY = Registry(Shelf)


def slot(number: int | None) -> bytes:
    return NULL if number is None else be16(number)


def contents(*numbers: int | None, count: int = 1) -> bytes:
    return b"".join(map(slot, numbers)) + bytes((count,))


def stream(data: bytes, *numbers: int | None) -> bytes:
    """A section with its description as QEMU 10.0 has it."""
    fields: list[dict[str, Any]] = []
    for index, number in enumerate(numbers):
        inner = {"vmsd_name": "slot", "version": 1, "fields": [{"name": "number", "type": "uint16", "size": 2}]}
        kind = {"type": "nullptr", "size": 1} if number is None else {"type": "struct", "size": 2, "struct": inner}
        fields.append({"name": "slots", "index": index, **kind})
    fields.append({"name": "count", "type": "uint8", "size": 1})
    device = {"name": "shelf", "instance_id": 0, "vmsd_name": "shelf", "version": 1, "fields": fields}
    text = raw_vmdesc(json.dumps({"page_size": 4096, "devices": [device]}).encode())
    return HEADER + full(1, "shelf", data) + b"\0" + (text if numbers else b"")


def read(data: bytes, **options: Any) -> Any:
    for item in StreamReader(MemorySource(data), REGISTRY, **options).items():
        if isinstance(item, Section):
            return item
    raise AssertionError("no section")


def converted(data: bytes, to: str) -> bytes:
    sink = MemorySink()
    convert(MemorySource(data), sink, to, REGISTRY)
    return sink.getvalue()


def numbers_of(state: Any) -> list[int | None]:
    return [None if each is None else each.number for each in state.slots]


# 0x3001 begins with the mark, 0x0130 ends with it
CASES = [
    (None, None, None, None),
    (1, 2, 3, 4),
    (1, None, 0x0130, None),
    (0x3001, None, 5, 6),
    (None, 0x3001, None, 0x3030),
    (0x3030, 0x3030, 0x3030, 0x3030),
]


@pytest.mark.parametrize("numbers", CASES)
def test_the_description_answers_place_by_place(numbers: tuple[int | None, ...]) -> None:
    data = stream(contents(*numbers), *numbers)
    section = read(data)
    assert numbers_of(section.body.value) == list(numbers)
    ber = converted(data, "ber")
    assert numbers_of(read(ber).body.value) == list(numbers)
    assert converted(ber, "binary") == data


def test_without_description_the_search_finds_the_one_that_fits() -> None:
    data = stream(contents(0x3001, 1, 2, 3))
    section = read(data)
    assert numbers_of(section.body.value) == [0x3001, 1, 2, 3]
    assert section.facts == (("Shelf.slots?", "false"),)
    assert converted(converted(data, "ber"), "binary") == data


def test_the_user_has_the_last_word() -> None:
    data = stream(contents(0x3001, None, 2, 3))
    with pytest.raises(DataError, match="check failed: it < 9"):
        read(data, props={"Shelf.slots?": "false"})
    assert numbers_of(read(data, props={"Shelf.slots?": "false,true"}).body.value) == [0x3001, None, 2, 3]


def test_nothing_is_asked_where_no_byte_is_in_doubt() -> None:
    assert read(stream(contents(1, 2, 3, 4))).facts == ()


def test_nothing_is_asked_where_a_check_proves_it() -> None:
    state, _ = SureShelf.load_at(contents(1, None, 3, 4), 0, version=1, facts=(facts := Facts()))
    assert numbers_of(state) == [1, None, 3, 4] and not facts.questions


def test_what_would_be_read_as_something_else_is_not_written() -> None:
    slots = type(read(stream(contents(1, 2, 3, 4))).body.value.slots[0])
    odd = Shelf(slots=[slots(number=0x3001), slots(number=1), None, None])
    with pytest.raises(DataError, match="a value that begins with byte 30 would be read as NULL"):
        odd.to_binary()
    assert odd.to_binary(facts=Facts({"Shelf.slots?": "false,true"})) == contents(0x3001, 1, None, None, count=0)
    with pytest.raises(DataError, match="NULL would be read as a value"):
        odd.to_binary(facts=Facts({"Shelf.slots?": "false"}))
    assert Shelf.from_ber(odd.to_ber()) == odd


def test_the_description_of_older_releases_answers_nothing() -> None:
    numbers = (None, 1, 2, 3)
    data = stream(contents(*numbers), *numbers)
    old = data.replace(b'"type": "nullptr"', b'"type": "struct" ')
    assert numbers_of(read(old).body.value) == list(numbers)
    assert not isinstance(read(old).body, Blob)
