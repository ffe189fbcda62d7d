"""A stream at a glance: its machine, its sections with their sizes, and what the bytes are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vmsgen.runtime.errors import VmsgenError
from vmsgen.runtime.slotted import Slotted, field
from vmsgen.stream.items import (
    Blob,
    Command,
    Configuration,
    Package,
    RamRecords,
    Section,
    SectionRecords,
    State,
    Vmdesc,
)
from vmsgen.stream.marks import COMMAND_PACKAGED
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.text.statistics import Statistics
from vmsgen.stream.transport.source import ByteSource

if TYPE_CHECKING:
    from vmsgen.stream.devices import Classes

__all__ = ["SectionRow", "Summary", "row_of", "summarize"]


class SectionRow(Slotted, frozen=True):
    """A section of the table; sizes in bytes, ``opaque`` the part of ``size`` that no spec explains."""

    kind: str
    id: int
    name: str
    instance: int
    version: int
    offset: int
    size: int
    contents: str  # ram, typed, bytes
    opaque: int
    vmstate: str | None = None
    warning: str | None = None

    def values(self) -> dict[str, Any]:
        """As JSON values."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}


class Summary(Slotted):
    """``error`` is what ended the reading before the end of the stream; everything before it is there."""

    format: str
    configuration: Configuration | None = None
    rows: list[SectionRow] = field(default_factory=list)
    commands: list[int] = field(default_factory=list)
    vmdesc: int | None = None  # bytes of the description
    statistics: Statistics = field(default_factory=Statistics)
    warnings: list[str] = field(default_factory=list)
    error: VmsgenError | None = None

    def values(self) -> dict[str, Any]:
        """As JSON values."""
        machine = self.configuration.machine.decode(errors="replace") if self.configuration is not None else None
        return {
            "format": self.format,
            "machine": machine,
            "sections": [row.values() for row in self.rows],
            "commands": self.commands,
            "vmdesc": self.vmdesc,
            "stats": self.statistics.values(),
            "warnings": self.warnings,
            "error": None if self.error is None else str(self.error),
        }


def summarize(
    source: ByteSource,
    classes: Classes | None = None,
    *,
    props: Mapping[str, str] | None = None,
    machine: str | None = None,
) -> Summary:
    """Reads a stream to its end or its first error, which stands in the result. Raises VmsgenError if it is no
    stream.
    """
    reader = StreamReader(source, classes, props=props, machine=machine)
    summary = Summary(reader.format)
    try:
        for item in reader.items():
            if isinstance(item, Section):
                item.exhaust()
                summary.rows.append(row_of(item, summary.statistics.count(item)))
            elif isinstance(item, Configuration):
                summary.configuration = item
            elif isinstance(item, Command):
                summary.commands.append(item.code)
            elif isinstance(item, Package):
                summary.commands.append(COMMAND_PACKAGED)
            elif isinstance(item, Vmdesc):
                summary.vmdesc = len(item.data)
    except VmsgenError as error:
        summary.error = error
    summary.statistics.bytes = source.offset
    summary.warnings = reader.warnings
    return summary


def row_of(section: Section, opaque: int) -> SectionRow:
    """The row of a section that was used up, of whose bytes ``opaque`` are."""
    body = section.body
    typed = isinstance(body, SectionRecords) or (isinstance(body, State) and body.value is not None)
    contents = "ram" if isinstance(body, RamRecords) else "typed" if typed else "bytes"
    return SectionRow(
        section.part,
        section.id,
        section.name,
        section.instance,
        section.version,
        section.offset,
        section.body_end - section.body_offset,
        contents,
        opaque,
        body.value.VMSTATE if isinstance(body, State) and body.value is not None else None,
        body.warning if isinstance(body, Blob | State) else None,
    )
