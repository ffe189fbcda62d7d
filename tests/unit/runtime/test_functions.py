"""The functions of expressions: right inside their bounds, a DataError outside, never anything else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vmsgen.runtime.errors import DataError
from vmsgen.runtime.functions import (
    align,
    at,
    be16,
    be32,
    be64,
    le16,
    le32,
    le64,
    pci_capability,
    shift_left,
    shift_right,
)

DATA = bytes(range(1, 17))


@pytest.mark.parametrize(
    ("value", "to", "result"), [(0, 8, 0), (1, 8, 8), (8, 8, 8), (9, 8, 16), (5, 3, 6), (-1, 4, 0), (-5, 4, -4)]
)
def test_align(value: int, to: int, result: int) -> None:
    assert align(value, to) == result


@pytest.mark.parametrize(
    ("function", "offset", "result"),
    [
        (le16, 0, 0x0201),
        (be16, 0, 0x0102),
        (le32, 1, 0x05040302),
        (be32, 12, 0x0D0E0F10),
        (le64, 8, 0x100F0E0D0C0B0A09),
        (be64, 8, 0x090A0B0C0D0E0F10),
        (be16, 14, 0x0F10),
    ],
)
def test_numbers_in_bytes(function: Callable[[bytes, int], int], offset: int, result: int) -> None:
    assert function(DATA, offset) == result


def test_elements_and_shifts() -> None:
    assert at([5, 6], 1) == 6 and at(b"\x07", 0) == 7
    assert shift_left(3, 2) == 12 and shift_left(1, 64) == 1 << 64 and shift_left(1, 0) == 1
    assert shift_right(12, 2) == 3 and shift_right(-1, 64) == -1


@pytest.mark.parametrize(
    "work",
    [
        lambda: align(1, 0),
        lambda: align(1, -8),
        lambda: at([1], 1),
        lambda: at([1], -1),
        lambda: at(b"", 0),
        lambda: shift_left(1, 65),
        lambda: shift_left(1, -1),
        lambda: shift_left(1, 1 << 70),
        lambda: shift_right(1, 65),
        lambda: shift_right(1, -1),
        lambda: le16(DATA, 15),
        lambda: le32(DATA, -1),
        lambda: be64(DATA, 9),
        lambda: be16(b"", 0),
        lambda: le64(DATA, 1 << 70),
    ],
)
def test_outside(work: Callable[[], int]) -> None:
    with pytest.raises(DataError):
        work()


# ---------------------------------------------------------------------------------------------- PCI capabilities


def space(*chain: tuple[int, int, int], first: int, status: int = 0x10, size: int = 256) -> bytes:
    """A configuration space with capabilities: (offset, identifier, next)."""
    config = bytearray(256)
    config[6] = status
    config[0x34] = first
    for offset, identifier, following in chain:
        config[offset] = identifier
        config[offset + 1] = following
    return bytes(config[:size])


def test_a_capability_is_found() -> None:
    config = space((0x40, 5, 0x50), (0x50, 0x11, 0x60), (0x60, 1, 0), first=0x40)
    assert [pci_capability(config, identifier) for identifier in (5, 0x11, 1, 9)] == [0x40, 0x50, 0x60, 0]


@pytest.mark.parametrize(
    "config",
    [
        b"",
        bytes(0x3F),
        space((0x40, 0x11, 0), first=0x40, status=0),  # no list
        space((0x40, 0x11, 0), first=0x40, size=0x40),  # a list behind the end
        space((0x40, 0x11, 0), first=0x40, size=0x41),
        space((0x40, 1, 0x40), first=0x40),  # a ring of one
        space((0x40, 1, 0x50), (0x50, 2, 0x40), first=0x40),  # a ring of two
        space((0x40, 1, 0x30), first=0x40),  # into the header
        space((0x10, 0x11, 0), first=0x10),
        space((0xFC, 1, 0xFC), first=0xFF),
    ],
)
def test_a_list_that_is_none_ends(config: bytes) -> None:
    assert pci_capability(config, 0x11) == 0


def test_the_lowest_bits_of_a_pointer_are_reserved() -> None:
    assert pci_capability(space((0x40, 5, 0x53), (0x50, 0x11, 0), first=0x41), 0x11) == 0x50


def test_the_longest_list() -> None:
    """48 capabilities of four bytes fill a space; the last of them is found."""
    chain = [(at, 0x11 if at == 0xFC else 1, at + 4 & 0xFF) for at in range(0x40, 0x100, 4)]
    assert pci_capability(space(*chain, first=0x40), 0x11) == 0xFC
