"""Checks a stream: against the generated schema, with an independent reader, and against its own round trip.

QEMU's format goes to BER, which is judged, and back, which must give the same bytes. BER is judged as it stands,
against how we write what we read from it; each device state must also survive the binary format. What fails its
description in ``convert`` (and travels as bytes there) is a finding here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from vmsgen.runtime.errors import DataError
from vmsgen.runtime.trace import leaf_at, trace
from vmsgen.stream.ber.reader import BerReader
from vmsgen.stream.ber.schema import Schema
from vmsgen.stream.ber.writer import BerWriter
from vmsgen.stream.binary.writer import BinaryWriter
from vmsgen.stream.devices import Classes
from vmsgen.stream.input_file import InputFile
from vmsgen.stream.items import Blob, Header, Section, SectionKind, SectionRecords, State
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.transport.part import scratch_name
from vmsgen.stream.transport.sink import ByteSink, Piece
from vmsgen.stream.transport.source import ByteSource
from vmsgen.stream.verify.judge import Judge, Unit, units

__all__ = ["ComparingSink", "Finding", "Report", "verify"]

_ENOUGH = 100  # findings after which nothing more is listed


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: where (section ``NAME/INSTANCE``, field path, offset in the input) and what."""

    message: str
    section: str | None = None
    path: str = ""
    offset: int | None = None

    def __str__(self) -> str:
        return str(DataError(self.message, section=self.section, path=self.path, offset=self.offset))


@dataclass(slots=True)
class Report:
    """What was checked and what was found. ``judged`` counts items and RAM records that the schema's judge saw."""

    format: str = ""
    bytes: int = 0
    typed: int = 0
    opaque: int = 0
    judged: int = 0
    findings: list[Finding] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def found(self, finding: Finding) -> None:
        """Takes a finding, unless there are plenty."""
        if len(self.findings) < _ENOUGH:
            self.findings.append(finding)


@dataclass(slots=True)
class _Place:
    """An item of the input: what a finding in it says."""

    label: str | None
    start: int
    body: int
    end: int
    state: Any = None


def verify(
    file: InputFile,
    schema: Schema | None,
    classes: Classes | None = None,
    *,
    props: Mapping[str, str] | None = None,
    machine: str | None = None,
) -> Report:
    """Checks the stream in ``file``. Without a schema only the round trip is checked.

    Raises DataError for a stream that cannot be read to its end, OSError.
    """
    report = Report()
    reader = StreamReader(file.source(), classes, props=props, machine=machine)
    report.format = reader.format
    with tempfile.TemporaryFile(prefix="vmsgen-") as spare:
        places = _Places(report)
        items = reader.items() if reader.format == "binary" else BerReader(reader.source, classes).items()
        with ByteSink(spare, name=scratch_name()) as sink:
            writer = BerWriter(sink)
            for item in items:
                writer.item(item)
                places.take(item)
            writer.finish()
        report.bytes = reader.source.offset
        report.warnings = reader.warnings
        written = InputFile(_rewound(spare))
        try:
            judged = written if reader.format == "binary" else file
            if schema is not None:
                _judge(judged, written, schema, places, report)
            if reader.format == "binary":
                _compare_back(file, written, classes, places, report)
            else:
                _compare_states(places, report)
        finally:
            written.close()
    return report


def _rewound(file: BinaryIO) -> BinaryIO:
    file.seek(0)
    return file


class _Places:
    """The items of the input by number, for findings; counts what device sections hold."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.listed: list[_Place] = []
        self.tags: set[int] = set()

    def take(self, item: Any) -> None:
        """Notes an item that was used up."""
        if isinstance(item, Header):
            return
        if not isinstance(item, Section):
            self.listed.append(_Place(None, getattr(item, "offset", 0), 0, 0))
            return
        place = _Place(item.label, item.offset, item.body_offset, item.body_end)
        self.listed.append(place)
        body = item.body
        if item.kind is not SectionKind.FULL and not isinstance(body, State | Blob):
            return
        if isinstance(body, State) and body.value is not None:
            self._report.typed += 1
            place.state = body.value
            if body.value.TAG:
                self.tags.add(body.value.TAG)
            if body.warning is not None:
                self._report.found(Finding(body.warning, item.label, offset=item.body_offset))
            return
        if isinstance(body, SectionRecords):
            self._report.typed += 1
            return
        self._report.opaque += 1
        if isinstance(body, Blob) and body.warning is not None:
            self._report.found(Finding(body.warning, item.label, offset=item.body_offset))

    def finding(self, unit: Unit, message: str, *, offset: bool) -> Finding:
        """A finding of the judge; ``offset``: the judged octets are the input's own."""
        label = self.listed[unit.item].label if 0 <= unit.item < len(self.listed) else None
        return Finding(message, label, offset=unit.offset if offset else None)

    def at(self, offset: int, message: str) -> Finding:
        """A finding about a byte of a binary input: its section and field."""
        for place in self.listed:
            if place.label is None or not place.start <= offset < max(place.end, place.start + 1) + 5:
                continue
            path = ""
            if place.state is not None and place.body <= offset < place.end:
                leaf = leaf_at(trace(place.state), offset - place.body)
                path = leaf.path if leaf is not None else ""
            return Finding(message, place.label, path, offset)
        return Finding(message, offset=offset)


def _judge(file: InputFile, written: InputFile, schema: Schema, places: _Places, report: Report) -> None:
    """The octets in ``file`` against the schema and against ``written``, which holds the same items by our own
    writer.
    """
    judge = Judge(schema.compiled(places.tags))
    own = file is not written
    ours = units(written.source())
    for unit in units(file.source()):
        other = next(ours, None) if own else unit
        if other is None or other.type != unit.type:
            report.found(places.finding(unit, f"is not written back as it was read (a {unit.type})", offset=own))
            return
        report.judged += 1
        message = judge.objection(unit, other.octets)
        if message is not None:
            report.found(places.finding(unit, message, offset=own))


def _compare_back(
    file: InputFile, written: InputFile, classes: Classes | None, places: _Places, report: Report
) -> None:
    """What comes back from BER against the input, byte by byte."""
    sink = ComparingSink(file.source())
    writer = BinaryWriter(sink)
    for item in BerReader(written.source(), classes).items():
        writer.item(item)
    at = sink.finished()
    if at is not None:
        report.found(places.at(at, "the byte that comes back from BER differs"))


class ComparingSink(ByteSink):
    """Takes output and compares it with an original."""

    def __init__(self, original: ByteSource) -> None:
        super().__init__(self)
        self.original = original
        self.difference: int | None = None  # offset of the first byte that differs

    def write(self, piece: Piece) -> None:
        """Compares a piece."""
        at = 0
        self.offset += len(piece)
        while at < len(piece) and self.difference is None:
            original = self.original
            if not original.ensure(1):
                self.difference = original.offset
                return
            size = min(len(piece) - at, original.available())
            expected = original.view[original.pos : original.pos + size]
            got = memoryview(piece)[at : at + size]
            if expected != got:
                first = next(n for n in range(size) if expected[n] != got[n])
                self.difference = original.offset + first
                return
            original.pos += size
            at += size

    def gather(self, pieces: list[Piece], size: int) -> None:
        """Compares many pieces."""
        for piece in pieces:
            self.write(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def finished(self) -> int | None:
        """Offset of the first byte that differs, when all was written; None if it is the original."""
        if self.difference is None and not self.original.at_end():
            self.difference = self.original.offset
        return self.difference


def _compare_states(places: _Places, report: Report) -> None:
    """Each device state of a BER input through the binary format and back."""
    for place in places.listed:
        state = place.state
        if state is None:
            continue
        try:
            data = state.to_binary()
            again = type(state).from_binary(data, version=state.section_version, facts=state.facts)
            same = again.ber_state() == state.ber_state()
        except DataError as error:
            report.found(Finding(f"has no binary form: {error.message}", place.label, error.path, place.start))
            continue
        if not same:
            report.found(Finding("is another state after the binary format", place.label, "", place.start))
