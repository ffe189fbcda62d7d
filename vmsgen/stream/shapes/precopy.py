"""A stream whose receiver answers, one that ends with postcopy, and a background snapshot, in the order of precopy.

What has a meaning only for an answer is left out: the return path, pings, and what postcopy says of itself. Devices,
which postcopy packs before the last pages, stand behind the memory again, where they are first needed; a background
snapshot, whose memory just stops, gets a last section of it (migration/savevm.c, QEMU 5.2 to 10.0).
"""

from __future__ import annotations

from collections.abc import Iterator

from vmsgen.runtime.errors import LimitError
from vmsgen.runtime.slotted import replaced
from vmsgen.stream.channels.joined import HasItems
from vmsgen.stream.commands import COMMAND_NAMES
from vmsgen.stream.items import (
    EOS,
    Blob,
    Chunks,
    Command,
    Eof,
    Item,
    Package,
    PackageEnd,
    RamRecords,
    Section,
    SectionKind,
    SectionRecords,
)

__all__ = ["PrecopyReader"]

_KEPT = ("PACKAGED", "ENABLE_COLO", "SWITCHOVER_START")
_LONGEST = 256 << 20
_ANSWERED = frozenset(code for code, name in COMMAND_NAMES.items() if name not in _KEPT)


class PrecopyReader:
    """The items of a stream in the order that precopy has."""

    def __init__(self, main: HasItems) -> None:
        self._main = main

    def items(self) -> Iterator[Item]:
        """The items in order. Raises DataError, OSError."""
        devices: list[Item] = []
        ram: Section | None = None  # the last section of it, while there is more to come
        for item in self._main.items():
            if isinstance(item, Package | PackageEnd) or (isinstance(item, Command) and item.code in _ANSWERED):
                continue
            if isinstance(item, Section) and item.kind is SectionKind.FULL and ram is not None:
                devices.append(_kept(item))
                continue
            if isinstance(item, Section) and isinstance(item.body, RamRecords):
                ram = None if item.kind is SectionKind.END else item
            if isinstance(item, Eof) and ram is not None:
                yield replaced(ram, kind=SectionKind.END, body=RamRecords(iter([[(EOS,)]])))
                ram = None
                yield from devices
                devices = []
            yield item
            if ram is None:
                yield from devices
                devices = []


def _kept(section: Section) -> Section:
    """A device section that can wait: its contents do not come from the input any more."""
    body = section.body
    if isinstance(body, SectionRecords):
        return replaced(section, body=SectionRecords(body.form, iter(tuple(body.entries))))
    if isinstance(body, Chunks):
        data = bytearray()
        for piece in body.pieces:
            data += piece
            if len(data) > _LONGEST:
                raise LimitError(f"contents of more than {_LONGEST} bytes before the memory", section=section.label)
        return replaced(section, body=Blob(bytes(data)))
    if isinstance(body, Blob):
        return replaced(section, body=Blob(bytes(body.data), body.warning))
    return section
