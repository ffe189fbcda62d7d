"""Cut, flipped and inflated streams: only the documented error, with an offset, in bounded memory and time."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Callable

import pytest

from tests.unit.stream.synthetic import (
    EOS_RECORD,
    HEADER,
    be32,
    be64,
    block_list,
    command,
    configuration,
    end,
    full,
    full_page,
    part,
    piped,
    start,
    str8,
    subsection,
    to_ber,
    to_binary,
    vmdesc,
    zero_page,
)
from vmsgen.runtime.ber import APPLICATION, tag_bytes, tlv
from vmsgen.runtime.errors import DataError, TruncatedError
from vmsgen.stream.binary.reader import BinaryReader
from vmsgen.stream.items import Section


def small(*, foot: bool = True) -> bytes:
    """Everything once, with pages of 256 bytes."""
    ram = block_list([("flash", 1 << 12), ("sram", 1 << 11)])
    bits = subsection("configuration/target-page-bits", be32(8))
    names = subsection("configuration/capabilities", be32(1) + str8("zero-blocks"))
    pages = full_page(0, "flash", size=256) + zero_page(0x100, None) + zero_page(0x200, None)
    pages += zero_page(0, "sram", 9) + EOS_RECORD
    return (
        HEADER
        + configuration("uno", bits, names, subsection("configuration/uuid", bytes(16)))
        + start(2, "ram", ram, foot=foot)
        + command(2, be32(1))
        + part(2, pages, foot=foot)
        + end(2, EOS_RECORD, foot=foot)
        + full(5, "timer", bytes(range(24)), foot=foot)
        + full(6, "a/b", b"", instance=7, foot=foot)
        + b"\0"
        + vmdesc([("timer", 0, 24), ("a/b", 7, 0)])
    )


def consumed(data: bytes) -> None:
    for item in BinaryReader(piped(data)).items():
        if isinstance(item, Section):
            item.exhaust()


@pytest.mark.parametrize("foot", [True, False])
def test_binary_cut_at_every_offset(foot: bool) -> None:
    data = small(foot=foot)
    for length in range(len(data)):
        with pytest.raises(DataError) as caught:
            consumed(data[:length])
        assert caught.value.offset is not None and caught.value.offset <= length, length


def test_cut_where_it_is_said_to_be_cut() -> None:
    data = small()
    with pytest.raises(
        TruncatedError, match=r"^section ram/0, offset 0x[0-9a-f]+: the stream ends inside a RAM record"
    ):
        consumed(data[: data.index(b"\x05timer") - 80])


def test_ber_cut_at_every_offset() -> None:
    data = to_ber(small())
    for length in range(len(data)):
        with pytest.raises(DataError) as caught:
            to_binary(data[:length])
        assert caught.value.offset is not None and caught.value.offset <= length, length


def test_bytes_behind_the_end() -> None:
    for data, told in (
        (HEADER + b"\0\0", "expected a vmdesc or the end"),
        (HEADER + b"\0\6" + be32(0) + b"x", "bytes after"),
    ):
        with pytest.raises(DataError, match=told):
            consumed(data)
    with pytest.raises(DataError):
        consumed(small() + b"\0")
    with pytest.raises(DataError, match="octets after the end of the stream"):
        to_binary(to_ber(small()) + b"\0")


@pytest.mark.parametrize(
    ("use", "data"),
    [(consumed, small()), (to_ber, small()), (to_binary, to_ber(small()))],
    ids=["read", "ber", "binary"],
)
def test_random_flips(use: Callable[[bytes], object], data: bytes) -> None:
    rng = random.Random(20240)
    started = time.monotonic()
    for _ in range(1500):
        broken = bytearray(data)
        for _ in range(rng.choice((1, 1, 1, 3))):
            broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
        try:
            use(bytes(broken))
        except DataError as error:
            assert error.offset is None or 0 <= error.offset <= len(data)
    assert time.monotonic() - started < 60


def peak(work: Callable[[], object]) -> int:
    """Bytes of memory at the highest point while ``work`` runs and is refused."""
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_announced_lengths_cost_nothing() -> None:
    huge = [
        HEADER + b"\7" + be32(0xFFFFFFF0) + b"pc",
        HEADER + command(7, be32(0xFFFFFFF0)),
        HEADER + configuration("pc", subsection("configuration/capabilities", be32(0xFFFFFFFF))),
        HEADER + b"\0\6" + be32(0x03FFFFFF) + b"{",
        HEADER + start(2, "ram", be64(((1 << 63) - (1 << 12)) | 4)),
    ]
    for data in huge:
        assert peak(lambda data=data: consumed(data)) < 4 << 20  # type: ignore[misc]


def test_ber_lengths_cost_nothing() -> None:
    opening = bytes.fromhex("7fd14680 a006 800101 810103 a180")
    vmdesc_head = tag_bytes(APPLICATION, False, 11076)
    command_head = tag_bytes(APPLICATION, True, 8653) + b"\x80" + bytes.fromhex("800101")
    for data in (
        opening + vmdesc_head + b"\x88" + be64((1 << 63) - 1) + b"{",
        opening + vmdesc_head + b"\x84" + be32(0x7FFFFFFF) + b"{" * 100,
        opening + command_head + b"\x81\x84" + be32(0x7FFFFFFF) + b"1",
        opening + b"\xbf\x81" * 60,
        opening + b"\x30\x80" * 5000,
    ):
        assert peak(lambda data=data: to_binary(data)) < 4 << 20  # type: ignore[misc]


def test_a_run_of_zeros_must_fit_its_block() -> None:
    data = to_ber(small())
    run = tlv(tag_bytes(APPLICATION, True, 11602), b"\x02\x02\x01\x00\x02\x01\x02")
    assert data.count(run) == 1
    longer = tlv(tag_bytes(APPLICATION, True, 11602), b"\x02\x02\x01\x00\x02\x04\x00\xff\xff\xff")
    with pytest.raises(DataError, match="does not fit its block"):
        to_binary(data.replace(run, longer))


def test_a_deep_vmdesc_is_a_warning() -> None:
    text = b'{"devices": ' + b'[{"a":' * 100_000
    data = HEADER + full(1, "a", b"") + b"\0\6" + be32(len(text)) + text
    reader = BinaryReader(piped(data))
    with pytest.raises(DataError, match="no description tells"):
        list(reader.items())
    assert any("vmdesc" in warning for warning in reader.warnings)
