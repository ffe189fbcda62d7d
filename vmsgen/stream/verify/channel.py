"""Checks a channel against the schema and its own round trip, as :mod:`vmsgen.stream.verify.stream` does a stream."""

from __future__ import annotations

import tempfile

from vmsgen.stream.ber.schema import Schema
from vmsgen.stream.channels.detect import channel_format
from vmsgen.stream.channels.files import open_channel, write_channel
from vmsgen.stream.input_file import InputFile
from vmsgen.stream.transport.part import scratch_name
from vmsgen.stream.transport.sink import ByteSink
from vmsgen.stream.verify.judge import Judge, channel_units
from vmsgen.stream.verify.stream import ComparingSink, Finding, Report

__all__ = ["is_channel", "verify_channel"]


def is_channel(file: InputFile) -> bool:
    """Whether the input is a channel by its first bytes, and no stream."""
    return channel_format(file.source()) is not None


def verify_channel(file: InputFile, schema: Schema | None) -> Report:
    """Checks the channel in ``file``: QEMU's format through BER and back, BER against how we write what we read from
    it. Raises DataError for one that cannot be read to its end, OSError.
    """
    source = file.source()
    channel = open_channel(source)
    report = Report(format=channel.format)
    with tempfile.TemporaryFile(prefix="vmsgen-") as spare:
        with ByteSink(spare, name=scratch_name()) as sink:
            write_channel(channel, sink, "ber")
        report.bytes = source.offset
        spare.seek(0)
        written = InputFile(spare)
        try:
            judged = written if channel.format == "binary" else file
            if schema is not None:
                _judge(judged, written, schema, report)
            if channel.format == "binary":
                comparing = ComparingSink(file.source())
                write_channel(open_channel(written.source()), comparing, "binary")
                at = comparing.finished()
                if at is not None:
                    report.found(Finding("the byte that comes back from BER differs", offset=at))
        finally:
            written.close()
    return report


def _judge(judged: InputFile, written: InputFile, schema: Schema, report: Report) -> None:
    judge = Judge(schema.compiled(()))
    ours = channel_units(written.source())
    for unit in channel_units(judged.source()):
        other = next(ours, None) if judged is not written else unit
        if other is None or other.type != unit.type:
            report.found(Finding(f"is not written back as it was read (a {unit.type})", offset=unit.offset))
            return
        report.judged += 1
        message = judge.objection(unit, other.octets)
        if message is not None:
            report.found(Finding(message, offset=unit.offset if judged is not written else None))
