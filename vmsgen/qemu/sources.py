"""The sources of an import: migration streams with their description, and dumps.

Of a stream only the description at its end is looked at, its first items (machine type), and the headers of its
sections: they have the versions of what QEMU writes by hand, and prove that the sizes in the description are true.
"""

from __future__ import annotations

import mmap
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from vmsgen.qemu.bodies import Body, Item, body_of_vmdesc
from vmsgen.qemu.dump import MAX_BYTES, is_dump, parse_dump
from vmsgen.qemu.names import check_wire_name
from vmsgen.qemu.sightings import Seen, Sightings
from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.stream import marks
from vmsgen.stream.ber import tags
from vmsgen.stream.devices import section_facts
from vmsgen.stream.items import Configuration, Section, SectionKind, Vmdesc
from vmsgen.stream.machine.facts import architecture_of
from vmsgen.stream.reading import StreamReader, format_of
from vmsgen.stream.transport.source import ByteSource, MemorySource
from vmsgen.stream.vmdesc.description import DescribedSection, Description
from vmsgen.stream.vmdesc.parsing import parse_vmdesc
from vmsgen.stream.vmdesc.trailer import find_trailer

__all__ = ["SourceReport", "may_be_source", "old_style_body", "read_source"]

#: What a section's name begins with when its device has a place on a bus.
_PATH = re.compile(r"(?:[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]|[0-9a-f]+\.\d\.[0-9a-f]{4})/")


@dataclass
class SourceReport:
    """What a source gave: number of sections or device types; ``notes`` on what was left out."""

    path: str
    label: str
    kind: str  # stream, dump
    states: int = 0
    machine: str | None = None
    notes: list[str] = field(default_factory=list)


def may_be_source(start: bytes) -> bool:
    """Whether a file that begins so is a stream or a dump."""
    known = start.startswith((marks.MAGIC, tags.MAGIC_TAG))
    return known or (is_dump(start) and b'"vmschkmachine"' in start)


def read_source(path: Path, label: str, sightings: Sightings) -> SourceReport:
    """Reads a file and notes all that it tells. Raises OSError, and DataError for a file that is neither a stream with
    a description nor a dump.
    """
    with path.open("rb") as file:
        start = file.read(64)
        if is_dump(start):
            file.seek(0)
            return _dump(file.read(MAX_BYTES + 1), path, label, sightings)
    return _stream(path, label, sightings)


# ---------------------------------------------------------------------------------------------- dumps


def _dump(data: bytes, path: Path, label: str, sightings: Sightings) -> SourceReport:
    dump = parse_dump(data)
    report = SourceReport(str(path), label, "dump", machine=dump.machine)
    for each in dump.types:
        if each.unmigratable:
            report.notes.append(f"{each.type} cannot be migrated, so it has no fields")
            continue
        sightings.add(each.body, Seen(label, True, device=each.type))
        report.states += 1
    return report


# ---------------------------------------------------------------------------------------------- streams


def _stream(path: Path, label: str, sightings: Sightings) -> SourceReport:
    report = SourceReport(str(path), label, "stream")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        with ByteSource.open(path) as source:
            binary = format_of(source) == "binary"
            found = _first_items(source, report) if binary else _all_items(source, report)
        description, versions = _of_binary(data, path) if binary else found
    arch = architecture_of(report.machine) if report.machine is not None else None
    for number, section in enumerate(description.sections):
        version = versions.get(number)
        if version is None and section.exact and section.size:
            report.notes.append(
                f"section {section.name}/{section.instance} is left out: the stream has none of {section.size} bytes"
            )
            continue
        body = _body(section, 1 if version is None else version)
        bus = section_facts(section.name, section.instance).get("section.bus")
        sightings.add(body, Seen(label, True, arch, str(bus) if bus is not None else None))
        report.states += 1
    return report


def _body(section: DescribedSection, version: int) -> Body:
    if section.state is None:
        return old_style_body(section, version)
    body = body_of_vmdesc(section.state)
    if section.name != body.name and not section.name.endswith(f"/{body.name}"):
        raise DataError(f"section {section.name!r} holds a VMState of another name, {body.name!r}")
    return body


def old_style_body(section: DescribedSection, version: int) -> Body:
    """A section that QEMU writes by hand: nothing is known of its bytes."""
    name = check_wire_name(_PATH.sub("", section.name))
    items = (Item("data", "leaf", "data", section.size, None),) if section.size else ()
    return Body(name, version, items, old_style=True)


_Found = tuple[Description, dict[int, int]]


def _first_items(source: ByteSource, report: SourceReport) -> _Found:
    """Looks at what stands before the first section: the machine type."""
    with suppress(VmsgenError):  # sections that nobody can read are no matter here
        for item in StreamReader(source).items():
            if isinstance(item, Configuration):
                report.machine = item.machine.decode(errors="replace")
            elif isinstance(item, Section):
                break
    return Description(None, ()), {}


def _all_items(source: ByteSource, report: SourceReport) -> _Found:
    """The description of a BER stream, and the versions of its sections by their place in it."""
    headers: list[tuple[str, int, int]] = []
    description: Description | None = None
    for item in StreamReader(source).items():
        if isinstance(item, Configuration):
            report.machine = item.machine.decode(errors="replace")
        elif isinstance(item, Section):
            item.exhaust()
            if item.kind is SectionKind.FULL:
                headers.append((item.name, item.instance, item.version))
        elif isinstance(item, Vmdesc):
            description = parse_vmdesc(item.data)
    if description is None:
        raise DataError("the stream has no vmdesc")
    versions: dict[int, int] = {}
    at = 0
    for number, section in enumerate(description.sections):
        for place in range(at, len(headers)):
            if headers[place][:2] == (section.name, section.instance):
                versions[number] = headers[place][2]
                at = place + 1
                break
    return description, versions


def _of_binary(data: mmap.mmap, path: Path) -> _Found:
    """The description at the end of a binary stream, and the versions of the sections that are as long as it says."""
    view = memoryview(data)
    source = MemorySource(view, name=str(path))
    try:
        trailer = find_trailer(source)
    finally:
        source.view.release()
        view.release()
    description = trailer.description
    if description is None:
        raise DataError(trailer.warnings[0] if trailer.warnings else "the stream has no vmdesc")
    versions: dict[int, int] = {}
    at = 0
    for number, section in enumerate(description.sections):
        found = _section(data, at, section)
        if found is not None:
            versions[number], at = found
    return description, versions


def _section(data: mmap.mmap, at: int, section: DescribedSection) -> tuple[int, int] | None:
    """Version and end of a section: its header stands somewhere from ``at`` on, and its end where the vmdesc says.

    The walk through a stream is not needed for this, so it works for what no reader knows, too.
    """
    name = section.name.encode("utf-8", "surrogateescape")
    header = bytes((len(name),)) + name + section.instance.to_bytes(4, "big") if len(name) < 256 else b""
    while header and (place := data.find(header, at)) >= 0:
        at = place + 1
        start = place + len(header) + 4
        if place < 5 or data[place - 5] != marks.FULL:
            continue
        end = start + section.size
        if section.exact and not _ends(data, data[place - 4 : place], end):
            continue
        return int.from_bytes(data[start - 4 : start], "big"), end if section.exact else start
    return None


def _ends(data: mmap.mmap, number: bytes, end: int) -> bool:
    """Whether the section of this id can end there: its footer follows, or (in old streams) the next item."""
    if end >= len(data):
        return False
    if data[end] == marks.FOOTER:
        return data[end + 1 : end + 5] == number
    if data[end] == marks.EOF:
        return end + 1 == len(data) or data[end + 1] == marks.VMDESC
    return data[end] in marks.ITEMS
