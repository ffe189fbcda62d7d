"""The committed sample: what is in it, and that nothing in it is anyone else's."""

from __future__ import annotations

import lzma

import pytest

from tests.qemu.record_sample import SAMPLE, ForeignContentError, check
from tests.qemu.sample_rom import PAGE_TEXT


def sample() -> bytes:
    return lzma.decompress(SAMPLE.read_bytes())


def test_every_page_of_the_sample_is_ours() -> None:
    assert check(sample()) == {"pc.ram": 1 << 20, "pc.rom": 128 << 10, "pc.bios": 64 << 10}


def test_the_sample_is_small() -> None:
    assert SAMPLE.stat().st_size < 10_000


@pytest.mark.parametrize("foreign", [b"\x55\xaa some option ROM", b"vmsgen sample guesT"])
def test_a_foreign_page_is_refused(foreign: bytes) -> None:
    data = bytearray(sample())
    at = data.index(PAGE_TEXT)
    data[at : at + len(foreign)] = foreign
    with pytest.raises(ForeignContentError, match=r"0x7000 of pc\.ram"):
        check(bytes(data))


def test_a_page_where_none_should_be_is_refused() -> None:
    data = bytearray(sample())
    zero = data.index(b"\x00\x02\x06pc.ram\x00")  # the first zero page of pc.ram
    data[zero + 9] = 0x5A
    with pytest.raises(ForeignContentError, match=r"pc\.ram"):
        check(bytes(data))
