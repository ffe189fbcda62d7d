"""Full pages in long rows, which are read and written faster than others: the same bytes, and the same care."""

from __future__ import annotations

import pytest

from tests.unit.stream.synthetic import (
    EOS_RECORD,
    FULL,
    HEADER,
    MEM_SIZE,
    PAGE,
    be64,
    configuration,
    full_page,
    piped,
    start,
    to_ber,
    to_binary,
    word,
    zero_page,
)
from vmsgen.runtime.errors import DataError
from vmsgen.stream.ber.reader import BerReader
from vmsgen.stream.items import PAGE as FULL_PAGE
from vmsgen.stream.items import RamRecords, Section

#: addresses at which the INTEGER of an address gets another octet
BOUNDARIES = (0x8000, 0x80_0000, 0x8000_0000, 0x80_0000_0000, 1 << 63)


def stream(records: bytes) -> bytes:
    return HEADER + configuration() + start(2, "ram", be64(MEM_SIZE) + records) + b"\0"


PAGES = [bytes((fill + at) & 0xFF for at in range(PAGE)) for fill in range(256)]


def row(first: int, count: int) -> bytes:
    words = [word(first + at * PAGE, FULL, None if at else "pc.ram") for at in range(count)]
    return b"".join(part for at, one in enumerate(words) for part in (one, PAGES[at & 0xFF]))


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("count", [2, 9, 40])
def test_across_a_longer_address(boundary: int, count: int) -> None:
    data = stream(row(max(boundary - count // 2 * PAGE, 0), count) + EOS_RECORD)
    assert to_binary(to_ber(data)) == data


def test_longer_than_a_batch() -> None:
    data = stream(row(0, 2100) + zero_page(5 * PAGE, None) + row(3000 * PAGE, 1025) + EOS_RECORD)
    assert to_binary(to_ber(data)) == data


def test_rows_that_jump() -> None:
    jumps = b"".join(full_page(addr, None) for addr in (0x7000, 0x8000, 0, 0x80_0000, 0x1000, 0x1000, 0x9000))
    data = stream(full_page(0, "pc.ram") + jumps + EOS_RECORD)
    assert to_binary(to_ber(data)) == data


def pages(ber: bytes) -> list[int]:
    found = []
    for item in BerReader(piped(ber)).items():
        if isinstance(item, Section) and isinstance(item.body, RamRecords):
            found += [record[1] for batch in item.body.batches for record in batch if record[0] == FULL_PAGE]
    return found


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (b"\x02\x02\x00\x10", "not minimal|minimal|padded|octets"),  # 0x0010 with an octet too many
        (b"\x02\x02\x90\x00", "from 0 to"),  # negative
    ],
)
def test_an_address_in_a_row_that_is_none(octets: bytes, message: str) -> None:
    ber = to_ber(stream(row(0, 7) + EOS_RECORD))
    third = b"\x02\x02\x20\x00\x04\x82\x10\x00"
    assert ber.count(third) == 1 and pages(ber) == [at * PAGE for at in range(7)]
    with pytest.raises(DataError, match=message):
        pages(ber.replace(third, octets + third[4:]))


def test_a_page_of_another_length_in_a_row() -> None:
    ber = to_ber(stream(row(0, 7) + EOS_RECORD))
    third = b"\x02\x02\x20\x00\x04\x82\x10\x00"
    with pytest.raises(DataError):
        pages(ber.replace(third, third[:-1] + b"\x01"))
    with pytest.raises(DataError):
        to_binary(ber.replace(third, third[:-4] + b"\x05\x82\x10\x00"))
