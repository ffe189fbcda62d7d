"""The comparison with QEMU's analyzer (tests/qemu/leaves.py) sees each kind of difference."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.qemu.leaves import Ours, differences, theirs

TREE = {
    "halted": "0x00000001",
    "irq": "0xffffffff (-1)",
    "flag": True,
    "sub": {"mac": ["0x52", "0x54"], "pad": "00 00"},
}
LEAVES = [
    Ours("halted", 0, bytes.fromhex("00000001"), 1),
    Ours("irq", 4, bytes.fromhex("ffffffff"), -1),
    Ours("flag", 8, b"\1", True),
    Ours("mac", 9, b"\x52\x54", b"\x52\x54"),
    Ours("pad", 11, b"\0\0", None),
]


def changed(index: int, **values: Any) -> list[Ours]:
    leaf = LEAVES[index]
    fields = {"path": leaf.path, "at": leaf.at, "data": leaf.data, "value": leaf.value} | values
    return [*LEAVES[:index], Ours(**fields), *LEAVES[index + 1 :]]


def test_equal_leaves() -> None:
    assert differences(LEAVES, theirs(TREE)) == []


@pytest.mark.parametrize(
    ("leaves", "message"),
    [
        (changed(0, value=2, data=b"\0\0\0\2"), "halted is 1"),
        (changed(0, value=0x01000000), "halted is 1"),  # the same bytes in the wrong order
        (changed(1, value=-2, data=b"\xff\xff\xff\xfe"), "irq is 4294967295"),
        (changed(2, value=False, data=b"\0"), "flag is True"),
        (changed(3, value=b"\x52\x55", data=b"\x52\x55"), r"mac\[1\] is 84"),
        (changed(4, data=b"\0\1"), "pad is"),
        (LEAVES[:-1], "11 bytes of values, and 13"),
        ([Ours("blob", 0, b"".join(leaf.data for leaf in LEAVES), None)], "halted is a leaf of its own"),
    ],
)
def test_every_difference_is_seen(leaves: list[Ours], message: str) -> None:
    assert re.search(message, "\n".join(differences(leaves, theirs(TREE))))
