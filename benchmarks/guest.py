"""Synthetic streams of guests with much RAM: as QEMU sends them, made without one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PAGE", "Mix", "write_stream"]

PAGE = 4096
_ZERO, _LIST, _FULL, _EOS, _CONTINUE = 0x02, 0x04, 0x08, 0x10, 0x20
_RUNS = (1, 1, 2, 8, 64, 256)  # pages of one kind in a row
_PART = 4096  # records in a section
_NOISE_PAGES = 64
_VMDESC = b'{"page_size": 4096, "devices": []}'


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares: of pages with contents, and of pages that come again in a second round, scattered."""

    full: float = 0.6
    again: float = 0.05


def write_stream(path: Path, size: int, mix: Mix) -> int:
    """Writes the stream of a guest with ``size`` bytes of RAM, in two blocks and two rounds, without devices; returns
    how many pages it sends.
    """
    chance = random.Random(1)
    pages = size // PAGE
    blocks = ((b"pc.ram", pages - pages // 64), (b"vga.vram", pages // 64))
    noise = chance.randbytes(_NOISE_PAGES * PAGE)
    count = 0
    with path.open("wb", buffering=1 << 20) as out:
        out.write(b"QEVM\0\0\0\3" + b"\7\0\0\0\x0dpc-i440fx-7.2")
        out.write(b"\1\0\0\0\2\3ram" + bytes(4) + b"\0\0\0\4" + (pages * PAGE | _LIST).to_bytes(8, "big"))
        for name, length in blocks:
            out.write(bytes((len(name),)) + name + (length * PAGE).to_bytes(8, "big"))
        last = b""
        for name, number, kind in _pages(chance, blocks, mix):
            if count % _PART == 0:
                out.write(_EOS.to_bytes(8, "big") + b"\x7e\0\0\0\2" + b"\2\0\0\0\2")
            word = number * PAGE | kind
            named = b"" if name == last else bytes((len(name),)) + name
            out.write((word | (0 if named else _CONTINUE)).to_bytes(8, "big") + named)
            if kind == _FULL:
                at = number % _NOISE_PAGES * PAGE
                out.write(noise[at : at + PAGE])
            else:
                out.write(b"\0")
            last = name
            count += 1
        out.write(_EOS.to_bytes(8, "big") + b"\x7e\0\0\0\2" + b"\3\0\0\0\2" + _EOS.to_bytes(8, "big"))
        out.write(b"\x7e\0\0\0\2\0" + b"\6" + len(_VMDESC).to_bytes(4, "big") + _VMDESC)
    return count


def _pages(chance: random.Random, blocks: tuple[tuple[bytes, int], ...], mix: Mix) -> Iterator[tuple[bytes, int, int]]:
    """Block, number and kind of each page that is sent."""
    for name, pages in blocks:
        number = 0
        while number < pages:
            stop = min(pages, number + chance.choice(_RUNS))
            kind = _FULL if chance.random() < mix.full else _ZERO
            while number < stop:
                yield name, number, kind
                number += 1
    for name, pages in blocks:
        for number in sorted(chance.sample(range(pages), int(pages * mix.again))):
            yield name, number, _FULL if chance.random() < mix.full else _ZERO
