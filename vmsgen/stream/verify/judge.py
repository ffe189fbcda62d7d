"""A BER stream against the generated schema, item by item and RAM record by record: asn1tools is the judge.

A judge's "decoded" proves little (it passes over elements that it does not know), so every value that it decodes is
encoded by it again, which must give the octets that we write for what we read, in definite form.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from vmsgen.runtime.ber import APPLICATION, CONTEXT, SEQUENCE, UNIVERSAL
from vmsgen.stream.ber import tags
from vmsgen.stream.ber.source import BerSource, Head
from vmsgen.stream.sections.table import FORMS_BY_TAG
from vmsgen.stream.transport.source import ByteSource
from vmsgen.stream.verify.definite import definite, place_of

__all__ = ["Judge", "Unit", "channel_units", "units"]

_RAM_MARK = (CONTEXT, 3)


@dataclass(frozen=True, slots=True)
class Unit:
    """Octets that are judged at once: a type of the schema, where they begin in the input, and the item they are of."""

    type: str
    octets: bytes
    offset: int
    item: int  # number of the item in the stream


class Judge:
    """Asks asn1tools; ``specification`` is a compiled schema."""

    def __init__(self, specification: Any) -> None:
        self._specification = specification

    def objection(self, unit: Unit, ours: bytes) -> str | None:
        """None if the octets fit their type and mean what ``ours`` says, which is how we write what we read from them.

        Raises DataError if ``ours`` is no BER.
        """
        expected = definite(ours)
        try:
            value = self._specification.decode(unit.type, unit.octets, check_constraints=True)
            again = bytes(self._specification.encode(unit.type, value, check_constraints=True))
        except Exception as error:  # what asn1tools raises for wrong input is not one family of exceptions
            return f"asn1tools refuses it as {unit.type}: {_one_line(error)}"
        if again == expected:
            return None
        common = min(len(again), len(expected))
        at = next((n for n in range(common) if again[n] != expected[n]), common)
        place = place_of(expected, min(at, len(expected) - 1))
        return f"asn1tools gives other octets back as {unit.type}, from byte {at:#x} on ({place})"


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else text[:300] + " ..."


def units(source: ByteSource) -> Iterator[Unit]:
    """The header, every item, and every record and page of RAM in its stead. Raises DataError."""
    stream = BerSource(source)
    stream.enter(stream.expect(APPLICATION, tags.QEMU_FILE, "a QEMU migration stream"))
    header = stream.expect(CONTEXT, 0, "the header")
    octets = stream.whole(header, "the header")
    # the context tag replaces that of the SEQUENCE
    yield Unit("Header", b"\x30" + octets[1:], header.start, -1)
    stream.enter(stream.expect(CONTEXT, 1, "the items"))
    number = 0
    while stream.more():
        head = stream.head()
        if (head.tag_class, head.number) in _SECTIONS:
            yield from _section(stream, head, number)
        elif (head.tag_class, head.number) == (APPLICATION, tags.PACKAGE):
            number = yield from _package(stream, head, number)
        else:
            yield Unit("Item", stream.whole(head, "an item"), head.start, number)
        number += 1
    stream.leave("the stream")


def _package(stream: BerSource, head: Head, number: int) -> Generator[Unit, None, int]:
    """The items of a package, then the package without them; returns the number of the item that ends it."""
    first = number
    stream.enter(head)
    while stream.more():
        one = stream.head()
        number += 1
        if (one.tag_class, one.number) in _SECTIONS:
            yield from _section(stream, one, number)
        else:
            yield Unit("Item", stream.whole(one, "an item of a package"), one.start, number)
    yield Unit("Item", head.octets[:3] + b"\x80" + tags.CLOSE, head.start, first)
    return number + 1


def channel_units(source: ByteSource) -> Iterator[Unit]:
    """The header and every packet or record of a channel, then the channel without them. Raises DataError."""
    stream = BerSource(source)
    stream.enter(stream.expect(APPLICATION, tags.CHANNEL, "a channel"))
    header = stream.whole(stream.expect(CONTEXT, 0, "the header"), "the header")
    yield Unit("Header", b"\x30" + header[1:], 0, -1)
    parts = [tags.opening(tags.CHANNEL), header]
    number = 0
    while stream.more():
        contents = stream.head()
        parts.append(contents.octets[:1] + b"\x00")
        if (contents.tag_class, contents.number) == _RAM_MARK:
            yield from _records(stream, contents, number)
            continue
        stream.enter(contents)
        while stream.more():
            packet = stream.head()
            yield Unit("ChannelPacket", stream.whole(packet, "a packet"), packet.start, number)
            number += 1
    yield Unit("Channel", b"".join(parts) + tags.CLOSE, 0, -1)


_SECTIONS = frozenset((APPLICATION, number) for number in (tags.SEC_START, tags.SEC_PART, tags.SEC_END, tags.SEC_FULL))


def _section(stream: BerSource, head: Head, number: int) -> Iterator[Unit]:
    """A section as one unit; of a section of records those one by one, and the rest with no records in it."""
    parts = [head.octets[:3] + b"\x80"]
    stream.enter(head)
    while stream.more():
        member = stream.head()
        if (member.tag_class, member.number) != (CONTEXT, 4):
            parts.append(stream.whole(member, "a section"))
            continue
        parts.append(b"\xa4\x80")
        stream.enter(member)
        while stream.more():
            body = stream.head()
            if (body.tag_class, body.number) == _RAM_MARK:
                parts.append(b"\xa3\x00")
                yield from _records(stream, body, number)
            elif body.tag_class == CONTEXT and body.number in FORMS_BY_TAG:
                parts.append(body.octets[:1] + b"\x00")
                stream.enter(body)
                while stream.more():
                    record = stream.head()
                    octets = stream.whole(record, "a record")
                    yield Unit(FORMS_BY_TAG[body.number].asn1, octets, record.start, number)
            else:
                parts.append(stream.whole(body, "a section's contents"))
        parts.append(tags.CLOSE)
    parts.append(tags.CLOSE)
    yield Unit("Item", b"".join(parts), head.start, number)


def _records(stream: BerSource, head: Head, number: int) -> Iterator[Unit]:
    stream.enter(head)
    while stream.more():
        record = stream.head()
        if (record.tag_class, record.number) != (APPLICATION, tags.BLOCK_PAGES):
            yield Unit("RamRecord", stream.whole(record, "a RAM record"), record.start, number)
            continue
        parts = [record.octets[:3] + b"\x80"]
        stream.enter(record)
        while stream.more():
            member = stream.head()
            if (member.tag_class, member.number) != (UNIVERSAL, SEQUENCE):
                parts.append(stream.whole(member, "a RAM block"))
                continue
            parts.append(b"\x30\x00")
            stream.enter(member)
            while stream.more():
                page = stream.head()
                if (page.tag_class, page.number) == (APPLICATION, tags.PAGE_ROW):
                    yield from _row(stream, page, number)
                else:
                    yield Unit("RAMPage", stream.whole(page, "a RAM page"), page.start, number)
        yield Unit("RAMSecBlock", b"".join(parts) + tags.CLOSE, record.start, number)


def _row(stream: BerSource, head: Head, number: int) -> Iterator[Unit]:
    """The pages of a row one by one, then the row without them."""
    stream.enter(head)
    parts = [head.octets[:3] + b"\x80"]
    while stream.more():
        member = stream.head()
        if (member.tag_class, member.number) != (UNIVERSAL, SEQUENCE):
            parts.append(stream.whole(member, "a row of RAM pages"))
            continue
        parts.append(b"\x30\x00")
        stream.enter(member)
        while stream.more():
            page = stream.head()
            yield Unit("PageData", stream.whole(page, "a RAM page"), page.start, number)
    yield Unit("RAMPage", b"".join(parts) + tags.CLOSE, head.start, number)
