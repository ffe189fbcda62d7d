"""Conversion of a whole stream, item by item: memory does not depend on the size of the guest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from vmsgen.runtime.slotted import Slotted, field
from vmsgen.stream.channels.detect import channel_format
from vmsgen.stream.items import Blob, Chunks, Eof, Item, Section, SectionKind, SectionRecords, State
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.transport.sink import ByteSink
from vmsgen.stream.transport.source import ByteSource

if TYPE_CHECKING:
    from vmsgen.stream.channels.joined import HasItems
    from vmsgen.stream.devices import Classes

__all__ = ["FORMATS", "Conversion", "convert"]

FORMATS = ("binary", "ber", "json", "debug")


class _Writer(Protocol):
    def item(self, item: Item) -> None: ...

    def finish(self) -> None: ...


class _Seen:
    """A reader that knows how far it was read."""

    def __init__(self, reader: HasItems) -> None:
        self._reader = reader
        self.place = "before its first section"

    def items(self) -> Iterator[Item]:
        for item in self._reader.items():
            if isinstance(item, Section):
                self.place = f"up to section {item.label}"
            elif isinstance(item, Eof):
                self.place = "all its sections"
            yield item


class Conversion(Slotted):
    """What was converted: sections by kind, device sections as typed objects and as bytes, bytes read and written."""

    source_format: str
    sections: Counter[str] = field(default_factory=Counter)
    typed: int = 0
    opaque: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    warnings: list[str] = field(default_factory=list)


def convert(
    source: ByteSource,
    sink: ByteSink,
    to: str,
    classes: Classes | None = None,
    *,
    props: Mapping[str, str] | None = None,
    machine: str | None = None,
    channels: Sequence[ByteSource] = (),
    shape: str | None = None,
) -> Conversion:
    """Reads a stream of either format and writes it in format ``to``, one of FORMATS; the caller commits the sink.

    Pages of other ``channels`` are joined with it, so that what is written is one stream. ``shape`` writes each page
    once, as it is at the end: ``plain``, or ``mapped-ram``, for a file in which the stream stands where the sink's
    does; what only a receiver that answers needs is left out. An input that is itself such a channel is written as one.

    Values are neither changed nor refused: a section that does not fit its description travels as bytes, with a
    warning. Raises DataError for input that cannot be read or said in ``to``, OSError; both with a note on how much was
    read.
    """
    form = channel_format(source)
    if form is not None and not channels and shape is None:
        from vmsgen.stream.channels.files import open_channel, write_channel

        result = Conversion(f"{form} channel")
        try:
            write_channel(open_channel(source), sink, to)
            sink.flush()
        except BaseException as error:
            error.add_note(f"{source.offset} bytes of {source.name} were read")
            raise
        result.bytes_in, result.bytes_out = source.offset, sink.offset
        return result
    reader = StreamReader(source, classes, props=props, machine=machine)
    result = Conversion(reader.format)
    writer = _writer(sink, to)
    seen = _Seen(reader)
    whole = _whole(seen, channels, shape, sink.begin_at)
    try:
        for item in whole.items():
            writer.item(item)
            if isinstance(item, Section):
                result.sections[item.part] += 1
                if item.kind is SectionKind.FULL:
                    result.typed += isinstance(item.body, State | SectionRecords)
                    result.opaque += isinstance(item.body, Blob | Chunks)
        writer.finish()
        sink.flush()
    except BaseException as error:
        error.add_note(f"{source.offset} bytes of {source.name} were read, {seen.place}")
        raise
    result.warnings = reader.warnings + list(getattr(writer, "warnings", ()))
    result.bytes_in, result.bytes_out = source.offset, sink.offset
    return result


# What a conversion does not need is not imported: between two QEMUs the start counts too.


def _whole(reader: HasItems, channels: Sequence[ByteSource], shape: str | None, begin_at: int) -> HasItems:
    if channels:
        from vmsgen.stream.channels.joined import joined

        reader = joined(reader, channels)
    if shape is None:
        return reader
    from vmsgen.stream.shapes.precopy import PrecopyReader

    reader = PrecopyReader(reader)
    if shape == "plain":
        from vmsgen.stream.shapes.plain import PlainReader

        return PlainReader(reader)
    from vmsgen.stream.shapes.mapped_ram import MappedReader

    return MappedReader(reader, begin_at=begin_at)


def _writer(sink: ByteSink, to: str) -> _Writer:
    if to == "binary":
        from vmsgen.stream.binary.writer import BinaryWriter

        return BinaryWriter(sink)
    if to == "ber":
        from vmsgen.stream.ber.writer import BerWriter

        return BerWriter(sink)
    if to == "json":
        from vmsgen.stream.text.json_writer import JsonWriter

        return JsonWriter(sink)
    if to == "debug":
        from vmsgen.stream.text.debug_writer import DebugWriter

        return DebugWriter(sink)
    raise ValueError(f"no format {to}; there are {', '.join(FORMATS)}")
