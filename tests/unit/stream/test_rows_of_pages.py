"""Full pages in rows, which are read and written faster than others: the same bytes, and the same care."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.stream.synthetic import (
    CONTINUE,
    EOS_RECORD,
    FULL,
    HEADER,
    MEM_SIZE,
    PAGE,
    Trickle,
    be64,
    block_list,
    configuration,
    end,
    full_page,
    piped,
    start,
    to_ber,
    to_binary,
    word,
    zero_page,
)
from vmsgen.runtime.errors import DataError, TruncatedError
from vmsgen.stream.ber.reader import BerReader
from vmsgen.stream.ber.writer import BerWriter
from vmsgen.stream.binary.reader import BinaryReader
from vmsgen.stream.binary.writer import BinaryWriter
from vmsgen.stream.input_file import InputFile
from vmsgen.stream.items import PAGE as FULL_PAGE
from vmsgen.stream.items import ROW, RamRecords, Record, Section
from vmsgen.stream.memory.contents import Memory, read_memory
from vmsgen.stream.ram.rows import shortest_row, words
from vmsgen.stream.transport.sink import ByteSink, MemorySink
from vmsgen.stream.transport.source import ByteSource, MemorySource
from vmsgen.stream.verify.definite import definite
from vmsgen.stream.verify.stream import verify

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


# ---------------------------------------------------------------------------------------------- rows as they are in BER

SHORTEST = shortest_row(PAGE)
LONG_HEAD = bytes.fromhex("0486000000001000")


def ram(data: ByteSource) -> list[Record]:
    """The records of all sections, rows as they come, with what stands in them copied."""
    found = []
    reader = BerReader(data) if data.peek(1) == b"\x7f" else BinaryReader(data)
    for item in reader.items():
        if isinstance(item, Section) and isinstance(item.body, RamRecords):
            for batch in item.body.rows:
                found += [tuple(bytes(part) if isinstance(part, memoryview) else part for part in one) for one in batch]
    return found


def in_ber(*elements: bytes) -> bytes:
    """A BER stream with these pages of one block."""
    page = full_page(0, None)[8:]
    single = bytes.fromhex("7fc650 821007 020100 04821000") + page
    whole = to_ber(stream(full_page(0, "pc.ram") + EOS_RECORD))
    assert whole.count(single) == 1
    return whole.replace(single, b"".join(elements))


def test_a_row_has_one_address_and_pages_of_eight_octets_more() -> None:
    pages = [bytes((at,)) * PAGE for at in range(SHORTEST)]
    data = stream(
        full_page(0, "pc.ram")
        + b"".join(word(0x5000 + at * PAGE, FULL, None) + page for at, page in enumerate(pages))
        + EOS_RECORD
    )
    element = bytes.fromhex("7fd052 80 02025000 3080") + b"".join(LONG_HEAD + page for page in pages) + bytes(4)
    assert to_ber(data).count(element) == 1
    assert to_binary(to_ber(data)) == data


@pytest.mark.parametrize("count", [SHORTEST - 1, SHORTEST, SHORTEST + 1])
@pytest.mark.parametrize("steps", [(1,), (5000,), (4104, 8, 1, 4095), (1 << 20,)])
def test_how_the_input_comes_does_not_show(count: int, steps: tuple[int, ...]) -> None:
    pages = b"".join(full_page(0x10000 + at * PAGE, None) for at in range(count))
    data = stream(full_page(0, "pc.ram") + pages + full_page(0x90000, None) + EOS_RECORD)
    sink = MemorySink()
    writer = BerWriter(sink)
    for item in BinaryReader(ByteSource(Trickle(data, steps), capacity=1 << 16)).items():
        writer.item(item)
    writer.finish()
    assert sink.getvalue() == to_ber(data)
    assert (b"\x7f\xd0\x52\x80" in sink.getvalue()) is (count >= SHORTEST)


def test_what_is_mapped_or_in_memory_stays_as_it_is() -> None:
    data = bytearray(stream(row(0, 40) + EOS_RECORD))
    before = bytes(data)
    sink = MemorySink()
    writer = BerWriter(sink)
    for item in BinaryReader(MemorySource(data)).items():
        writer.item(item)
    writer.finish()
    assert data == before and sink.getvalue() == to_ber(before)


def test_a_row_through_a_descriptor(tmp_path: Path) -> None:
    data = stream(row(0, 3000) + zero_page(5 * PAGE, None) + EOS_RECORD)
    (tmp_path / "in").write_bytes(data)
    with ByteSource.open(tmp_path / "in") as source, open(tmp_path / "ber", "wb") as out, ByteSink(out) as sink:
        writer = BerWriter(sink)
        for item in BinaryReader(source).items():
            writer.item(item)
        writer.finish()
    assert (tmp_path / "ber").read_bytes() == to_ber(data)
    with ByteSource.open(tmp_path / "ber") as source, open(tmp_path / "out", "wb") as out, ByteSink(out) as sink:
        back = BinaryWriter(sink)
        for item in BerReader(source).items():
            back.item(item)
    assert (tmp_path / "out").read_bytes() == data


def test_every_form_of_a_row() -> None:
    data = stream(row(0, 20) + EOS_RECORD)
    stream_of_bytes = definite(to_ber(data))
    assert LONG_HEAD not in stream_of_bytes
    assert to_binary(stream_of_bytes) == data
    kinds = [record[0] for record in ram(piped(stream_of_bytes))]
    assert kinds.count(ROW) == 19 and FULL_PAGE in kinds  # one by one, and still of a row


def test_a_cut_row_gives_what_came() -> None:
    data = stream(row(0, 40) + EOS_RECORD)
    at = data.index(word(37 * PAGE, FULL, None)) + 100
    for cut in (data[:at], data[: data.index(word(4 * PAGE, FULL, None)) + 100]):
        found = 0
        with pytest.raises(TruncatedError):
            for item in BinaryReader(piped(cut)).items():
                if isinstance(item, Section) and isinstance(item.body, RamRecords):
                    for batch in item.body.batches:
                        found += sum(record[0] == FULL_PAGE for record in batch)
        assert found == len(cut) // 4104


def a_row(addr: str, *pages: bytes) -> bytes:
    return bytes.fromhex("7fd05280" + addr + "3080") + b"".join(pages) + bytes(4)


def long_page(size: int = PAGE) -> bytes:
    return (0x0486 << 48 | size).to_bytes(8, "big") + bytes(size)


@pytest.mark.parametrize(
    ("element", "message"),
    [
        (a_row("02021000"), "a row without RAM pages"),
        (a_row("02021000", long_page(), long_page(2048)), "another size than those before it in its row"),
        (a_row("02021000", long_page(), b"\x04\x01\0"), "another size than those before it in its row"),
        (a_row("02021000", long_page(0)), "another size"),
        (a_row("02021000", long_page(2048), long_page(2048)), "RAM pages of 2048 bytes, expected 4096"),
        (a_row("02021000", long_page(5), long_page(5)), "RAM pages of 5 bytes, expected 4096"),
        (a_row("02020800", long_page()), "not a multiple of the page size"),
        (a_row("020900fffffffffffff000", long_page(), long_page()), "past the last address"),
        (a_row("02021000", long_page(), b"\x02\x01\0"), "expected a row of RAM pages"),
        (a_row("02021000", (0x0486 << 48 | 1 << 30).to_bytes(8, "big")), "ends inside|longer than"),
        (bytes.fromhex("7fd052 80 02021000 3005") + long_page()[:5] + b"\0\0", "runs past the end"),
    ],
)
def test_rows_that_are_none(element: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        to_binary(in_ber(element))


def test_rows_next_to_each_other_stay_two() -> None:
    data = in_ber(a_row("02021000", long_page(), long_page()), a_row("02023000", long_page()))
    sink = MemorySink()
    writer = BerWriter(sink)
    for item in BerReader(piped(data)).items():
        writer.item(item)
    writer.finish()
    assert sink.getvalue() == data


def test_the_first_page_of_a_row_names_the_block() -> None:
    data = to_binary(in_ber(a_row("020100", *(LONG_HEAD + page for page in PAGES[:9]))))
    assert data == stream(row(0, 9) + EOS_RECORD)


def test_verify_judges_rows() -> None:
    from vmsgen.cli.stream_options import known_schemas
    from vmsgen.stream.ber.schema import Schema

    plain = stream(row(0, 30) + EOS_RECORD)
    for one in (plain, to_ber(plain), definite(to_ber(plain))):
        report = verify(InputFile(one), Schema(*known_schemas(None)))
        assert report.findings == [] and report.judged > 30


def test_what_pages_were_last() -> None:
    again = b"".join(full_page(0x8000 + at * PAGE, None) for at in range(16))
    zeros = b"".join(zero_page(0x1000 + at * PAGE, None) for at in range(3))
    listed = start(2, "ram", block_list([("pc.ram", 1 << 20)]))
    data = HEADER + configuration() + listed + end(2, row(0, 20) + zeros + again + EOS_RECORD) + b"\0"
    memory = Memory(lambda name, length, page_size: None)
    read_memory(BinaryReader(piped(data)), memory)
    assert memory.blocks[b"pc.ram"].counts() == {"data": 21, "zero": 3, "never": 232, "repeated": 15}


@given(st.integers(8, 20), st.integers(0, 1 << 64), st.integers(0, 300))
def test_words(bits: int, addr: int, count: int) -> None:
    size = 1 << bits
    first = min(addr // size * size, (1 << 64) - (count + 1) * size)
    expected = b"".join(be64(first + at * size | FULL | CONTINUE) for at in range(count))
    assert words(first | FULL | CONTINUE, count, size) == expected
