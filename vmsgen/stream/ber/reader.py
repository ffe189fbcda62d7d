"""Reads items from BER, in any legal form: definite, indefinite, mixed, long lengths, strings in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from vmsgen.runtime import ber
from vmsgen.runtime.ber import APPLICATION, CONTEXT, UNIVERSAL
from vmsgen.runtime.errors import DataError, LimitError
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.limits import DEFAULT_LIMITS, Limits
from vmsgen.stream.ber import tags
from vmsgen.stream.ber.ram import read_ram_body
from vmsgen.stream.ber.records import read_entries
from vmsgen.stream.ber.source import BerSource, Head
from vmsgen.stream.configuration import MAX_CAPABILITIES, MAX_NAME
from vmsgen.stream.items import (
    Blob,
    Body,
    Chunks,
    Command,
    Configuration,
    Eof,
    Header,
    Item,
    Package,
    PackageEnd,
    RamRecords,
    Record,
    Section,
    SectionKind,
    SectionRecords,
    State,
    Unknown,
    UnknownSubsection,
    Vmdesc,
)
from vmsgen.stream.sections.record import Entry, SectionForm
from vmsgen.stream.transport.source import ByteSource, MemorySource
from vmsgen.stream.transport.spool import spool

__all__ = ["BerReader", "ClassesByTag"]

_U16, _U32 = 0xFFFF, 0xFFFFFFFF
_MAX_FACTS = 1 << 12
#: A blob above this size is handed on in pieces.
_WHOLE = 64 << 20

_SECTIONS = {
    tags.SEC_START: SectionKind.START,
    tags.SEC_PART: SectionKind.PART,
    tags.SEC_END: SectionKind.END,
    tags.SEC_FULL: SectionKind.FULL,
}


class ClassesByTag(Protocol):
    """What the reader asks of a registry: the class of a device state by its APPLICATION tag."""

    def by_tag(self, tag: int) -> Any | None:
        """The class, or None."""


class BerReader:
    """Items of a BER stream. ``registry`` None leaves device states as the elements they are."""

    def __init__(
        self, source: ByteSource, registry: ClassesByTag | None = None, *, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self._source = source
        self._ber = BerSource(source, limits)
        self._registry = registry
        self._starts: dict[int, tuple[str, int, int]] = {}
        self.warnings: list[str] = []
        self.configuration: Configuration | None = None

    def spooled(self) -> MemorySource:
        """What is left of the input, from now on held for random access (see :mod:`vmsgen.stream.transport.spool`)."""
        kept = spool(self._source)
        self._source = self._ber.source = kept
        return kept

    def items(self) -> Iterator[Item]:
        """The items in order. Raises DataError with the offset in the input."""
        source = self._ber
        source.enter(source.expect(APPLICATION, tags.QEMU_FILE, "a QEMU migration stream"))
        source.enter(source.expect(CONTEXT, 0, "the header"))
        source.integer(source.expect(CONTEXT, 0, "the number of the schema"), _U32, "the number of the schema")
        version = source.integer(source.expect(CONTEXT, 1, "the version of the file"), _U32, "the version of the file")
        source.leave("the header")
        yield Header(version)
        source.enter(source.expect(CONTEXT, 1, "the items"))
        while source.more():
            head = source.head()
            source.section = None
            kind = head.number if head.tag_class == APPLICATION else -1
            if kind in _SECTIONS:
                section = self._section(head, _SECTIONS[kind])
                yield section
                section.exhaust()
            elif kind == tags.CONFIGURATION:
                self.configuration = self._configuration(head)
                yield self.configuration
            elif kind == tags.COMMAND:
                yield self._command(head)
            elif kind == tags.PACKAGE:
                yield from self._package(head)
            elif kind == tags.EOF:
                source.null(head)
                yield Eof(head.start)
            elif kind == tags.VMDESC:
                yield Vmdesc(source.octets(head, "the vmdesc"), head.start)
            else:
                self.warnings.append(f"offset {head.start:#x}: {head.describe()} is no item this version knows")
                yield Unknown(source.whole(head, "an unknown item"), head.start)
        source.section = None
        source.leave("the stream")
        if not self._source.at_end():
            raise source.fail("octets after the end of the stream", self._source.offset)

    # ------------------------------------------------------------------ small items

    def _configuration(self, head: Head) -> Configuration:
        source = self._ber
        source.section = "configuration"
        source.enter(head)
        what = "the machine's name"
        machine = source.octets(source.expect(CONTEXT, 0, what), what, limit=MAX_NAME)
        page_bits: int | None = None
        capabilities: tuple[bytes, ...] | None = None
        uuid: bytes | None = None
        unknown: tuple[UnknownSubsection, ...] = ()
        last = 0
        while source.more():
            one = self._member(last, 4)
            last = one.number
            if last == 1:
                page_bits = source.integer(one, _U32, "target-page-bits")
            elif last == 2:
                capabilities = tuple(self._capabilities(one))
            elif last == 3:
                uuid = source.octets(one, "the uuid", limit=16)
                if len(uuid) != 16:
                    raise source.fail(f"expected a uuid of 16 octets, found {len(uuid)}", one.start)
            else:
                unknown = tuple(self._unknown_subsections(one))
        return Configuration(machine, page_bits, capabilities, uuid, unknown)

    def _member(self, last: int, most: int) -> Head:
        """The next member of a SEQUENCE of context tags after tag ``last``, up to ``most``."""
        head = self._ber.head()
        if head.tag_class != CONTEXT or not last < head.number <= most:
            raise self._ber.fail(f"{head.describe()} does not belong here", head.start)
        return head

    def _capabilities(self, head: Head) -> Iterator[bytes]:
        source = self._ber
        source.enter(head)
        count = 0
        while source.more():
            one = source.head()
            if (one.tag_class, one.number) != (UNIVERSAL, ber.UTF8_STRING):
                raise source.fail(f"expected the name of a capability, found {one.describe()}", one.start)
            count += 1
            if count > MAX_CAPABILITIES:
                raise LimitError(f"more than {MAX_CAPABILITIES} capabilities", offset=one.start)
            yield source.octets(one, "the name of a capability", limit=255)

    def _unknown_subsections(self, head: Head) -> Iterator[UnknownSubsection]:
        source = self._ber
        source.enter(head)
        while source.more():
            one = source.head()
            if (one.tag_class, one.number) != (APPLICATION, tags.UNKNOWN_SUBSECTION):
                raise source.fail(f"expected a subsection, found {one.describe()}", one.start)
            source.enter(one)
            name = source.text(source.expect(CONTEXT, 0, "its name"), "the name of a subsection")
            version = source.integer(source.expect(CONTEXT, 1, "its version"), _U32, "the version of a subsection")
            content = source.octets(source.expect(CONTEXT, 2, "its content"), "the content of a subsection")
            source.leave("a subsection")
            yield UnknownSubsection(name.encode(), version, content)

    def _command(self, head: Head) -> Command:
        source = self._ber
        source.enter(head)
        code = source.integer(source.expect(CONTEXT, 0, "the command's code"), _U16, "the command's code")
        data = source.octets(source.expect(CONTEXT, 1, "the command's data"), "the command's data")
        source.leave("a command")
        return Command(code, data, head.start)

    def _package(self, head: Head) -> Iterator[Item]:
        source = self._ber
        source.enter(head)
        yield Package(head.start)
        while source.more():
            one = source.head()
            kind = one.number if one.tag_class == APPLICATION else -1
            if kind == tags.SEC_FULL:
                section = self._section(one, SectionKind.FULL)
                yield section
                section.exhaust()
            elif kind == tags.COMMAND:
                yield self._command(one)
            else:
                raise source.fail(f"expected a device section or a command, found {one.describe()}", one.start)
            source.section = None
        yield PackageEnd(self._source.offset)

    # ------------------------------------------------------------------ sections

    def _section(self, head: Head, kind: SectionKind) -> Section:
        source = self._ber
        source.enter(head)
        number = source.integer(source.expect(CONTEXT, 0, "the section's id"), _U32, "the section's id")
        facts: tuple[tuple[str, str], ...] = ()
        if kind in (SectionKind.START, SectionKind.FULL):
            name = source.text(source.expect(CONTEXT, 1, "the section's name"), "the section's name")
            instance = source.integer(source.expect(CONTEXT, 2, "the instance"), _U32, "the instance")
            source.section = f"{name}/{instance}"
            version = source.integer(source.expect(CONTEXT, 3, "the version"), _U32, "the version")
            if kind is SectionKind.START:
                self._starts[number] = (name, instance, version)
            if not source.more():
                raise source.fail("expected the section's body, found its end", source.source.offset)
            body = source.head()
            if (body.tag_class, body.number) == (CONTEXT, 6):
                facts = tuple(self._facts(body))
                body = source.expect(CONTEXT, 4, "the section's body")
            elif (body.tag_class, body.number) != (CONTEXT, 4):
                raise source.fail(f"expected the section's body, found {body.describe()}", body.start)
        else:
            name, instance, version = self._starts.get(number, ("", 0, 0))
            if not name:
                raise source.fail(f"a section of id {number} goes on, but none of that id was started", head.start)
            source.section = f"{name}/{instance}"
            body = source.expect(CONTEXT, 4, "the section's body")
        source.enter(body)
        if not source.more():
            raise source.fail("a section without contents", body.start)
        section = Section(
            kind, number, name, instance, version, Blob(b""), offset=head.start, body_offset=body.start, facts=facts
        )
        section.body = self._body(section, source.head())
        return section

    def _facts(self, head: Head) -> Iterator[tuple[str, str]]:
        source = self._ber
        source.enter(head)
        count = 0
        while source.more():
            one = source.head()
            if (one.tag_class, one.number) != (UNIVERSAL, ber.SEQUENCE):
                raise source.fail(f"expected a fact, found {one.describe()}", one.start)
            count += 1
            if count > _MAX_FACTS:
                raise LimitError(f"more than {_MAX_FACTS} facts", offset=one.start, section=source.section)
            source.enter(one)
            name = source.text(source.expect(CONTEXT, 0, "the name of a fact"), "the name of a fact")
            value = source.text(source.expect(CONTEXT, 1, "the value of a fact"), "the value of a fact")
            source.leave("a fact")
            yield name, value

    def _body(self, section: Section, head: Head) -> Body:
        source = self._ber
        kind = head.number if head.tag_class == CONTEXT else -1
        if kind == 3:
            source.enter(head)
            return RamRecords(self._ram(section))
        if kind == 1 or (kind == 0 and head.length is not None and head.length > _WHOLE):
            return Chunks(self._chunks(section, head))
        if kind == 0:
            data = source.octets(head, "the section's contents")
            self._end(section)
            return Blob(data)
        if kind == 2:
            source.enter(head)
            if not source.more():
                raise source.fail("a device state without contents", head.start)
            inner = source.head()
            element = source.whole(inner, "a device state")
            source.leave("a device state")
            self._end(section)
            return self._state(section, inner, element)
        from vmsgen.stream.sections.table import FORMS_BY_TAG  # here, for most streams have none of them

        form = FORMS_BY_TAG.get(kind)
        if form is not None:
            source.enter(head)
            return SectionRecords(form, self._entries(section, form))
        raise source.fail(f"expected the section's contents, found {head.describe()}", head.start)

    def _end(self, section: Section) -> None:
        """What stands after the contents: the end of the body, the footer, the end of the section."""
        source = self._ber
        source.leave("the section's body")
        section.body_end = self._source.offset
        if source.more():
            head = self._member(4, 5)
            section.footer = source.integer(head, _U32, "the footer")
            source.leave("the section")

    def _ram(self, section: Section) -> Iterator[list[Record]]:
        try:
            yield from read_ram_body(self._ber)
        except DataError as error:
            raise error.located(section=section.label) from None
        self._end(section)

    def _entries(self, section: Section, form: SectionForm) -> Iterator[Entry]:
        try:
            yield from read_entries(self._ber, form)
        except DataError as error:
            raise error.located(section=section.label) from None
        self._end(section)

    def _chunks(self, section: Section, head: Head) -> Iterator[bytes | memoryview]:
        source = self._ber
        if head.number == 0:
            yield from source.pieces(head, "the section's contents")
        else:
            source.enter(head)
            while source.more():
                one = source.head()
                if (one.tag_class, one.number) != (UNIVERSAL, ber.OCTET_STRING):
                    raise source.fail(f"expected a piece of the contents, found {one.describe()}", one.start)
                yield from source.pieces(one, "the section's contents")
        self._end(section)

    def _state(self, section: Section, head: Head, element: bytes) -> State:
        known = None
        if self._registry is not None and head.tag_class == APPLICATION:
            known = self._registry.by_tag(head.number)
        if known is None:
            return State(None, element)
        facts = Facts.from_pairs(section.facts)
        try:
            return State(known.from_ber_state(element, version=section.version, facts=facts))
        except DataError as error:
            raise error.located(section=section.label, base=head.start) from None
