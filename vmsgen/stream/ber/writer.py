"""Writes items as BER: containers of indefinite length, device states definite (``Vmsgen-Stream.asn1``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vmsgen.runtime import ber
from vmsgen.runtime.ber import APPLICATION, CONTEXT, tag_bytes, tlv
from vmsgen.runtime.errors import DataError
from vmsgen.stream.ber import tags
from vmsgen.stream.ber.ram import write_ram_body
from vmsgen.stream.ber.records import write_entries
from vmsgen.stream.items import (
    Blob,
    Chunks,
    Command,
    Configuration,
    Eof,
    Header,
    Item,
    Package,
    PackageEnd,
    RamRecords,
    Section,
    SectionKind,
    SectionRecords,
    State,
    Unknown,
    Vmdesc,
)
from vmsgen.stream.transport.sink import ByteSink

__all__ = ["SCHEMA", "BerWriter", "header_element"]

#: Number of the container's schema, in the header.
SCHEMA = 1

_OCTETS = tag_bytes(ber.UNIVERSAL, False, ber.OCTET_STRING)
_TEXT = tag_bytes(ber.UNIVERSAL, False, ber.UTF8_STRING)
_KINDS = {
    SectionKind.START: tags.opening(tags.SEC_START),
    SectionKind.PART: tags.opening(tags.SEC_PART),
    SectionKind.END: tags.opening(tags.SEC_END),
    SectionKind.FULL: tags.opening(tags.SEC_FULL),
}


def _number(tag: int, value: int) -> bytes:
    return tlv(tags.member(tag), ber.integer_content(value))


def _inner(tag: int, content: bytes) -> bytes:
    """A definite constructed element under a context tag."""
    return tlv(tag_bytes(CONTEXT, True, tag), content)


def header_element(schema: int, version: int) -> bytes:
    """The header of a stream or a channel."""
    return _inner(0, _number(0, schema) + _number(1, version))


class BerWriter:
    """Takes items in the order of the stream; :meth:`finish` closes the containers."""

    def __init__(self, sink: ByteSink) -> None:
        self._sink = sink

    def item(self, item: Item) -> None:
        """Writes one item and uses up its contents. Raises DataError, OSError."""
        write = self._sink.write
        if isinstance(item, Section):
            self._section(item)
        elif isinstance(item, Header):
            write(tags.MAGIC + header_element(SCHEMA, item.version) + tags.member(1, constructed=True))
        elif isinstance(item, Configuration):
            self._configuration(item)
        elif isinstance(item, Command):
            content = _number(0, item.code) + tlv(tags.member(1), item.data)
            write(tlv(tag_bytes(APPLICATION, True, tags.COMMAND), content))
        elif isinstance(item, Package):
            write(tags.opening(tags.PACKAGE))
        elif isinstance(item, PackageEnd):
            write(tags.CLOSE)
        elif isinstance(item, Eof):
            write(tlv(tag_bytes(APPLICATION, False, tags.EOF), b""))
        elif isinstance(item, Vmdesc):
            write(tag_bytes(APPLICATION, False, tags.VMDESC) + ber.length_bytes(len(item.data)))
            write(item.data)
        else:
            assert isinstance(item, Unknown), item
            write(item.element)

    def finish(self) -> None:
        """Closes the list of items and the file."""
        self._sink.write(tags.CLOSE + tags.CLOSE)

    def _configuration(self, item: Configuration) -> None:
        content = tlv(tags.member(0), item.machine)
        if item.target_page_bits is not None:
            content += _number(1, item.target_page_bits)
        if item.capabilities is not None:
            content += _inner(2, b"".join(tlv(_TEXT, name) for name in item.capabilities))
        if item.uuid is not None:
            content += tlv(tags.member(3), item.uuid)
        if item.unknown:
            subsections = [
                tlv(
                    tag_bytes(APPLICATION, True, tags.UNKNOWN_SUBSECTION),
                    tlv(tags.member(0), one.name) + _number(1, one.version) + tlv(tags.member(2), one.content),
                )
                for one in item.unknown
            ]
            content += _inner(4, b"".join(subsections))
        self._sink.write(tlv(tag_bytes(APPLICATION, True, tags.CONFIGURATION), content))

    def _section(self, section: Section) -> None:
        sink = self._sink
        parts = [_KINDS[section.kind], _number(0, section.id)]
        if section.kind in (SectionKind.START, SectionKind.FULL):
            parts.append(tlv(tags.member(1), section.name.encode()))
            parts += [_number(2, section.instance), _number(3, section.version)]
            if section.facts:
                parts.append(_inner(6, _facts(section.facts)))
        parts.append(tags.member(4, constructed=True))
        sink.write(b"".join(parts))
        self._body(section)
        # the footer is known only now, see Section
        end = tags.CLOSE
        if section.footer is not None:
            end += _number(5, section.footer)
        sink.write(end + tags.CLOSE)

    def _body(self, section: Section) -> None:
        body, write = section.body, self._sink.write
        if isinstance(body, RamRecords):
            write(tags.member(3, constructed=True))
            write_ram_body(self._sink, body.rows)
            write(tags.CLOSE)
        elif isinstance(body, SectionRecords):
            write(tags.member(body.form.body_tag, constructed=True))
            write_entries(self._sink, body.entries)
            write(tags.CLOSE)
        elif isinstance(body, Blob):
            write(tags.member(0) + ber.length_bytes(len(body.data)))
            write(body.data)
        elif isinstance(body, Chunks):
            write(tags.member(1, constructed=True))
            for piece in body.pieces:
                write(_OCTETS + ber.length_bytes(len(piece)))
                write(piece)
                self._sink.settle()
            write(tags.CLOSE)
        elif body.value is not None and not body.value.TAG:
            # of a class that has no type in the schema: the bytes it is made of
            data = _binary(section, body.value)
            write(tags.member(0) + ber.length_bytes(len(data)))
            write(data)
        else:
            write(_inner(2, self._state(section, body)))

    @staticmethod
    def _state(section: Section, body: State) -> bytes:
        if body.element is not None:
            return body.element
        try:
            # the record of a part carries no version and facts, so its state does
            in_record = section.kind in (SectionKind.START, SectionKind.FULL)
            return bytes(body.value.ber_state() if in_record else body.value.to_ber())
        except DataError as error:
            raise error.located(section=section.label) from None


def _binary(section: Section, value: Any) -> bytes:
    try:
        return bytes(value.to_binary(version=section.version))
    except DataError as error:
        raise error.located(section=section.label) from None


def _facts(facts: Iterable[tuple[str, str]]) -> bytes:
    sequence = tag_bytes(ber.UNIVERSAL, True, ber.SEQUENCE)
    return b"".join(
        tlv(sequence, tlv(tags.member(0), name.encode()) + tlv(tags.member(1), value.encode())) for name, value in facts
    )
