"""Other channels of a migration as files: packets of multifd, or the RAM records of postcopy-preempt, in both formats.

A channel is told by its first bytes, like a stream. One of postcopy-preempt has no mark of its own: it begins with a
RAM record, whose address is below 2^48.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from vmsgen.runtime.ber import APPLICATION, CONTEXT
from vmsgen.runtime.errors import DataError
from vmsgen.runtime.slotted import Slotted
from vmsgen.stream.ber import tags
from vmsgen.stream.ber.ram import read_ram_body, write_ram_body
from vmsgen.stream.ber.records import read_entries, write_entries
from vmsgen.stream.ber.source import BerSource
from vmsgen.stream.ber.writer import SCHEMA, header_element
from vmsgen.stream.channels.detect import channel_format
from vmsgen.stream.channels.multifd import CHANNEL
from vmsgen.stream.items import RamRecords, Record, Section, SectionKind, SectionRecords
from vmsgen.stream.marks import MULTIFD_MAGIC
from vmsgen.stream.ram.reader import RamState, read_records
from vmsgen.stream.ram.writer import write_records
from vmsgen.stream.sections.record import Entry
from vmsgen.stream.transport.sink import ByteSink
from vmsgen.stream.transport.source import ByteSource

__all__ = ["Channel", "open_channel", "write_channel"]

T = TypeVar("T")

_VERSION = 1
_PACKETS, _RAM = 1, 3
_U32 = (1 << 32) - 1


class Channel(Slotted):
    """What is in a channel, read once: its packets, or batches of RAM records."""

    format: str
    packets: Iterator[Entry] | None = None
    records: Iterator[list[Record]] | None = None


def open_channel(source: ByteSource, page_size: int = 4096) -> Channel:
    """Reads a channel in either format; one without any contents is empty. Raises DataError."""
    if source.at_end():
        return Channel("binary", records=iter(()))
    form = channel_format(source)
    if form is None:
        raise DataError(f"{source.name} is no channel of a migration: it begins with {source.peek(4).hex(' ')}")
    if form == "ber":
        return _from_ber(source)
    if source.peek(4) == MULTIFD_MAGIC:
        return Channel(form, packets=CHANNEL.read(source))
    return Channel(form, records=_preempt(source, page_size))


def _preempt(source: ByteSource, page_size: int) -> Iterator[list[Record]]:
    yield from read_records(source, RamState(page_size=page_size))
    if not source.at_end():
        raise DataError("bytes after the end of the channel's records", offset=source.offset)


def _from_ber(source: ByteSource) -> Channel:
    elements = BerSource(source)
    elements.enter(elements.expect(APPLICATION, tags.CHANNEL, "a channel"))
    elements.enter(elements.expect(CONTEXT, 0, "the header"))
    for number, what in enumerate(("the number of the schema", "the version of the channel")):
        elements.integer(elements.expect(CONTEXT, number, what), _U32, what)
    elements.leave("the header")
    if not elements.more():
        raise elements.fail("a channel without contents", source.offset)
    head = elements.head()
    if head.tag_class != CONTEXT or head.number not in (_PACKETS, _RAM):
        raise elements.fail(f"expected the contents of a channel, found {head.describe()}", head.start)
    elements.enter(head)
    if head.number == _PACKETS:
        return Channel("ber", packets=_closed(elements, read_entries(elements, CHANNEL)))
    return Channel("ber", records=_closed(elements, read_ram_body(elements)))


def _closed(elements: BerSource, contents: Iterator[T]) -> Iterator[T]:
    yield from contents
    elements.leave("the channel")
    if not elements.source.at_end():
        raise elements.fail("octets after the end of the channel", elements.source.offset)


def write_channel(channel: Channel, sink: ByteSink, to: str) -> None:
    """Writes a channel in format ``to``, one of those of a stream. Raises DataError, OSError."""
    if to == "ber":
        _to_ber(channel, sink)
    elif to == "binary":
        if channel.packets is None:
            write_records(sink, channel.records or iter(()), RamState())
            return
        for packet in channel.packets:
            for part in CHANNEL.write(packet):
                sink.write(part)
    elif to in ("json", "debug"):
        from vmsgen.stream.text.debug_writer import DebugWriter
        from vmsgen.stream.text.json_writer import JsonWriter

        name = "postcopy-preempt channel" if channel.packets is None else CHANNEL.name
        section = Section(SectionKind.PART, 0, name, 0, _VERSION, _body(channel))
        writer = JsonWriter(sink) if to == "json" else DebugWriter(sink)
        writer.item(section)
        writer.finish()
    else:
        raise ValueError(f"no format {to}")


def _body(channel: Channel) -> RamRecords | SectionRecords:
    if channel.packets is None:
        return RamRecords(channel.records or iter(()))
    return SectionRecords(CHANNEL, channel.packets)


def _to_ber(channel: Channel, sink: ByteSink) -> None:
    sink.write(tags.opening(tags.CHANNEL) + header_element(SCHEMA, _VERSION))
    if channel.packets is None:
        sink.write(tags.member(_RAM, constructed=True))
        write_ram_body(sink, channel.records or iter(()))
    else:
        sink.write(tags.member(_PACKETS, constructed=True))
        write_entries(sink, channel.packets)
    sink.write(tags.CLOSE + tags.CLOSE)
