"""The values of a section, leaf by leaf in wire order: ours beside those of QEMU's analyzer.

The analyzer's names are QEMU's C expressions and ours are the specs', so leaves are matched by where
they stand in the section. Numbers are compared as numbers and not as bytes: a byte order that the
spec has wrong would cancel out in our own bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from vmsgen.runtime.binary_out import BinaryOut
from vmsgen.runtime.state import VMState


@dataclass(frozen=True)
class Ours:
    """One leaf of ours: its path, where it begins, its wire bytes and its value (None: none of its own)."""

    path: str
    at: int
    data: bytes
    value: Any


@dataclass(frozen=True)
class Theirs:
    """One leaf of the analyzer: its path, where it begins, its size and its value (int, bool or bytes)."""

    path: str
    at: int
    size: int
    value: int | bool | bytes
    #: element of an array of single bytes, which a spec may describe as one ``bytes[N]``
    byte_of_array: bool


class _Leaves(BinaryOut):
    """Lists the leaves of the object it walks, with or without the headers of subsections, which are no values."""

    def __init__(self, value: VMState, headers: bool) -> None:
        super().__init__(value.facts)
        self._headers = headers
        self.found: list[Ours] = []
        self._end = 0
        self.run(value)

    def put(self, data: bytes, name: str, kind: str, value: Any) -> None:
        if self._headers or kind != "subsection":
            self.found.append(Ours(self.path(name), self._end, bytes(data), value))
            self._end += len(data)
        super().put(data, name, kind, value)


def ours(value: VMState, *, headers: bool = False) -> list[Ours]:
    """The leaves of a section's object; with ``headers`` those of its subsections count as leaves."""
    return _Leaves(value, headers).found


def theirs(tree: Any) -> list[Theirs]:
    """The leaves of a section as the analyzer printed it."""
    found: list[Theirs] = []

    def walk(path: str, node: Any, in_array: bool) -> None:
        if isinstance(node, dict):
            for name, inner in node.items():
                walk(f"{path}.{name}" if path else name, inner, False)
        elif isinstance(node, list):
            for index, inner in enumerate(node):
                walk(f"{path}[{index}]", inner, True)
        else:
            size, value = _leaf(node)
            at = found[-1].at + found[-1].size if found else 0
            found.append(Theirs(path, at, size, value, in_array and size == 1))

    walk("", tree, False)
    return found


def _leaf(printed: str | bool) -> tuple[int, int | bool | bytes]:
    """Size and value of what the analyzer prints: true, ``0x0f``, ``0xff (-1)``, ``0a 0b`` or nothing."""
    if isinstance(printed, bool):
        return 1, printed
    number = re.fullmatch(r"0x([0-9a-f]+)(?: \(-\d+\))?", printed)
    if number:
        return len(number[1]) // 2, int(number[1], 16)
    if printed == "nullptr":
        return 1, b"0"
    data = bytes.fromhex(printed)
    return len(data), data


def differences(left: list[Ours], right: list[Theirs]) -> list[str]:
    """What is not equal, a line each; also where one of our leaves spans several of theirs."""
    found = []
    image = b"".join(leaf.data for leaf in left)
    starts = {leaf.at: leaf for leaf in left if leaf.data} | {len(image): None}
    size = right[-1].at + right[-1].size if right else 0
    if len(image) != size:
        found.append(f"{len(image)} bytes of values, and {size} in the analyzer's")
    for leaf in right:
        if leaf.size == 0:
            continue
        whole = starts.get(leaf.at)
        data = image[leaf.at : leaf.at + leaf.size]
        if not leaf.byte_of_array and (leaf.at not in starts or leaf.at + leaf.size not in starts):
            inside = next((own.path for own in left if own.at <= leaf.at < own.at + len(own.data)), "nothing")
            found.append(f"{leaf.path} is a leaf of its own, but only a part of {inside}")
        elif not _equal(leaf, whole, data):
            mine = whole.value if whole is not None and len(whole.data) == leaf.size else data
            found.append(f"{leaf.path} is {leaf.value!r:.80}, but {whole.path if whole else ''} is {mine!r:.80}")
    return found


def _equal(leaf: Theirs, whole: Ours | None, data: bytes) -> bool:
    if isinstance(leaf.value, bool):
        return leaf.value == any(data)
    if isinstance(leaf.value, bytes):
        return leaf.value == data
    if whole is not None and len(whole.data) == leaf.size and isinstance(whole.value, int):
        return leaf.value == int(whole.value) % (1 << 8 * leaf.size)
    return leaf.value == int.from_bytes(data, "big")
