"""Reads items from QEMU's binary format.

RAM is handed on as it comes. Device sections have no length: their description stands behind the end of the stream, so
from the first of them on everything is spooled, the description is looked up, and only then are they read. Where there
is none, a :class:`~vmsgen.stream.binary.decoder.SectionDecoder` must find the end of the contents, with the footer (or
what may follow) as the judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from vmsgen.runtime.errors import DataError
from vmsgen.runtime.slotted import replaced
from vmsgen.stream import marks
from vmsgen.stream.binary.decoder import SectionDecoder, Undecoded
from vmsgen.stream.binary.section_end import SectionEnd
from vmsgen.stream.configuration import read_configuration
from vmsgen.stream.items import (
    Blob,
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
    Vmdesc,
    wire_name,
)
from vmsgen.stream.machine.facts import page_size_of
from vmsgen.stream.ram.reader import RamState, read_records
from vmsgen.stream.sections.names import form_of
from vmsgen.stream.sections.record import Entry, SectionForm
from vmsgen.stream.transport.source import ByteSource, MemorySource
from vmsgen.stream.transport.spool import MEMORY_LIMIT, spool
from vmsgen.stream.vmdesc import MAX_BYTES as MAX_VMDESC

if TYPE_CHECKING:
    from vmsgen.stream.vmdesc.trailer import Trailer

# What reads descriptions is imported for the first device section: RAM comes before it, and may be all that is wanted.

__all__ = ["BinaryReader"]

_FIRST_LOOK = 1 << 12  # bytes in which a part of a section is expected to end
_KINDS = {kind.value: kind for kind in SectionKind}
_MAX_PACKAGE = 256 << 20


class BinaryReader:
    """Items of a binary stream. ``page_size`` overrides what the stream and its machine's name say, ``machine`` that
    name, and ``target`` (QEMU's binary) tells more than it.
    """

    def __init__(
        self,
        source: ByteSource,
        decoder: SectionDecoder | None = None,
        *,
        page_size: int | None = None,
        machine: str | None = None,
        target: str | None = None,
        memory_limit: int = MEMORY_LIMIT,
    ) -> None:
        self._source = source
        self._decoder = decoder
        self._page_size = page_size
        self._machine = machine
        self._target = target
        self._memory_limit = memory_limit
        self._ram = RamState()
        self._starts: dict[int, Section] = {}
        self._footers: bool | None = None
        self._trailer: Trailer | None = None
        self._packaged = False  # inside of a package, which is the source then
        self.configuration: Configuration | None = None
        self.warnings: list[str] = []

    def items(self) -> Iterator[Item]:
        """The items in order. Raises DataError with the offset in the input."""
        yield self._header()
        self._configure()
        if self.configuration is not None:
            yield self.configuration
        while True:
            where = self._source.offset
            mark = self._source.u8("the list of sections, before its end mark")
            if mark in _KINDS:
                section = self._section(_KINDS[mark], where)
                yield section
                section.exhaust()
            elif mark == marks.COMMAND:
                yield from self._command(where)
            elif mark == marks.EOF:
                break
            else:
                raise DataError(f"expected a section, a command or the end mark, found {mark:#04x}", offset=where)
        yield Eof(where)
        yield from self._end()

    def ram_state(self) -> RamState:
        """A copy of what is known of RAM so far, to read the section at hand a second time from its ``body_offset``."""
        return replaced(self._ram, lengths=dict(self._ram.lengths))

    # ------------------------------------------------------------------ before and after the sections

    def _header(self) -> Header:
        source = self._source
        magic = source.read(4, "the header")
        if magic != marks.MAGIC:
            raise DataError(f"expected a QEMU migration stream ({marks.MAGIC.hex()}), found {magic.hex()}", offset=0)
        version = source.u32("the header")
        if version != marks.VERSION:
            told = " (obsolete since 2007)" if version == marks.OBSOLETE_VERSION else ""
            raise DataError(f"expected a stream of version {marks.VERSION}, found version {version}{told}", offset=4)
        return Header(version)

    def _configure(self) -> None:
        source = self._source
        if source.peek(1) == bytes((marks.CONFIGURATION,)):
            source.pos += 1
            self.configuration = read_configuration(source)
        known = page_size_of(self.configuration, self._machine, self._target)
        self._ram.page_size = self._page_size or known
        capabilities = (self.configuration.capabilities if self.configuration else None) or ()
        self._ram.shared_gpa = b"x-ignore-shared" in capabilities
        self._ram.mapped = b"mapped-ram" in capabilities
        if self._decoder is not None:
            self._decoder.configure(self.configuration)

    def _command(self, where: int) -> Iterator[Item]:
        source = self._source
        what = "a command"
        code, length = source.u16(what), source.u16(what)
        data = source.read(length, what)
        if code == marks.COMMAND_PACKAGED:
            if length != 4:
                raise DataError(f"expected the package command with 4 bytes of data, found {length}", offset=where)
            yield from self._package(where, data)
            return
        if code == marks.COMMAND_ADVISE and length == 16:
            self._ram.block_page_sizes = True
        yield Command(code, data, where)

    def _package(self, where: int, size: bytes) -> Iterator[Item]:
        """The items of a package, whose length stands in ``size``; the package as the bytes it is where those cannot
        be read.
        """
        from vmsgen.stream.vmdesc.trailer import Trailer

        outer, trailer = self._source, self._trailer
        base = outer.offset
        content = outer.read(int.from_bytes(size, "big"), "a package", limit=_MAX_PACKAGE)
        # no description comes with postcopy
        self._source, self._trailer, self._packaged = MemorySource(content, base=base), Trailer(), True
        try:
            found = list(self._packaged_items())
        except DataError as error:
            self.warnings.append(f"the package at offset {where:#x} travels as bytes: {error}")
            found = []
        finally:
            self._source, self._trailer, self._packaged = outer, trailer, False
        if content and not found:
            yield Command(marks.COMMAND_PACKAGED, size + content, where)
            return
        yield Package(where)
        yield from found
        yield PackageEnd(base + len(content))

    def _packaged_items(self) -> Iterator[Item]:
        source = self._source
        while not source.at_end():
            where = source.offset
            mark = source.u8("a package")
            if mark == marks.FULL:
                yield self._section(SectionKind.FULL, where)
            elif mark == marks.COMMAND and source.peek(2) != marks.COMMAND_PACKAGED.to_bytes(2, "big"):
                yield from self._command(where)
            else:
                raise DataError(f"expected a device section or a command in a package, found {mark:#04x}", offset=where)

    def _end(self) -> Iterator[Vmdesc]:
        source = self._source
        where = source.offset
        if source.at_end():
            return
        mark = source.u8("the vmdesc")
        if mark != marks.VMDESC:
            raise DataError(f"expected a vmdesc or the end of the stream, found {mark:#04x}", offset=where)
        data = source.read(source.u32("the vmdesc"), "the vmdesc", limit=MAX_VMDESC)
        if not source.at_end():
            raise DataError("bytes after the end of the stream", offset=source.offset)
        yield Vmdesc(data, where)

    # ------------------------------------------------------------------ sections

    def _section(self, kind: SectionKind, where: int) -> Section:
        source = self._source
        number = source.u32("a section's header")
        if kind in (SectionKind.START, SectionKind.FULL):
            name = wire_name(source.str8("a section's header"), "the name of a section", where + 5)
            instance = source.u32("a section's header")
            section = Section(kind, number, name, instance, source.u32("a section's header"), Blob(b""), offset=where)
            if kind is SectionKind.START:
                self._starts[number] = section
        else:
            start = self._starts.get(number)
            if start is None:
                raise DataError(f"a section of id {number} goes on, but none of that id was started", offset=where)
            section = Section(kind, number, start.name, start.instance, start.version, Blob(b""), offset=where)
        section.body_offset = source.offset
        if kind is SectionKind.FULL:
            self._full(section)
        elif section.name == "ram":
            self._expect_version(section, 4)
            section.body = RamRecords(self._records(section))
        elif (form := form_of(section.name)) is not None:
            self._expect_version(section, form.version)
            passing = None if form.skip is None else partial(self._passed, section, form.skip)
            section.body = SectionRecords(form, self._entries(section, form), passing)
        elif self._decoder is not None and self._decoder.knows(section):
            self._part(section, self._decoder)
        else:
            raise DataError(
                f"sections of this kind ({kind.name}) say no length and their contents are not known, "
                "so the rest of the stream cannot be read",
                section=section.label,
                offset=section.offset,
            )
        return section

    @staticmethod
    def _expect_version(section: Section, version: int) -> None:
        if section.version != version:
            raise DataError(
                f"expected version {version}, found {section.version}", section=section.label, offset=section.offset
            )

    def _entries(self, section: Section, form: SectionForm) -> Iterator[Entry]:
        try:
            yield from form.read(self._source)
            self._footer(section)
        except DataError as error:
            raise error.located(section=section.label) from None

    def _passed(self, section: Section, skip: Callable[[ByteSource], None]) -> None:
        try:
            skip(self._source)
            self._footer(section)
        except DataError as error:
            raise error.located(section=section.label) from None

    def _records(self, section: Section) -> Iterator[list[Record]]:
        try:
            yield from read_records(self._source, self._ram)
            self._footer(section)
        except DataError as error:
            raise error.located(section=section.label) from None

    def _footer(self, section: Section) -> None:
        """Reads the footer if the stream has them, which its first section tells: the mark is none of an item."""
        source = self._source
        section.body_end = source.offset
        if self._footers is None:
            self._footers = source.peek(1) == bytes((marks.FOOTER,))
        if not self._footers:
            return
        where = source.offset
        mark = source.u8("a section's footer")
        number = source.u32("a section's footer") if mark == marks.FOOTER else None
        if number != section.id:
            found = f"the byte {mark:#04x}" if number is None else f"the footer of section id {number}"
            raise DataError(
                f"expected the footer of section id {section.id}, found {found}", section=section.label, offset=where
            )
        section.footer = number

    def _part(self, section: Section, decoder: SectionDecoder) -> None:
        """A part of a section that a spec describes. Only its contents tell where it ends, so more and more of the
        input is looked at until they do.
        """
        size = _FIRST_LOOK
        while True:
            if size > self._source.capacity:
                self._source = spool(self._source, self._memory_limit)
            source = self._source
            whole = not source.ensure(size)
            judge = SectionEnd(source, section.id, self._footers, self._starts)
            start = source.pos
            job = Undecoded(
                section,
                source.view[: source.end],
                start,
                None,
                judge.fits,
                partial(judge.among, start),
                None,
                source.offset_of(0),
            )
            try:
                body, end = decoder.decode(job)
                break
            except DataError as error:
                if whole or isinstance(source, MemorySource):
                    raise error if error.section else error.located(section=section.label) from None
                size *= 4
        # what the view holds goes when more is read
        section.body = Blob(bytes(body.data), body.warning) if isinstance(body, Blob) else body
        source.pos = end
        self._footer(section)

    # ------------------------------------------------------------------ device sections

    def _full(self, section: Section) -> None:
        if not isinstance(self._source, MemorySource):
            self._source = spool(self._source, self._memory_limit)
        source = self._source
        if self._trailer is None:
            from vmsgen.stream.vmdesc.trailer import find_trailer

            self._trailer = find_trailer(source)
            self.warnings += self._trailer.warnings
        job = self._undecoded(section, self._trailer)
        end = job.end
        form = form_of(section.name)
        if form is not None and form.full is not None:
            entries, end = self._full_entries(form, job)
            section.body = SectionRecords(form, entries)
        elif self._decoder is not None:
            try:
                section.body, end = self._decoder.decode(job)
            except DataError as error:
                raise error if error.section else error.located(section=section.label) from None
        elif end is not None:
            section.body = Blob(job.data[job.start : end])
        if end is None:
            raise DataError(
                "no description tells where this section ends (the stream has no vmdesc for it), "
                "so the rest of the stream cannot be read",
                section=section.label,
                offset=section.body_offset,
            )
        source.pos = end
        self._footer(section)

    @staticmethod
    def _full_entries(form: SectionForm, job: Undecoded) -> tuple[list[Entry], int]:
        assert form.full is not None
        try:
            return form.full(job.data, job.start, job.end, job.fits)
        except DataError as error:
            raise error.located(section=job.section.label, base=job.base + job.start) from None

    def _undecoded(self, section: Section, trailer: Trailer) -> Undecoded:
        source = self._source
        start = source.pos
        judge = SectionEnd(source, section.id, self._footers, self._starts, self._packaged)
        described = trailer.next(section.name, section.instance)
        end = None
        if described is not None and described.exact:
            end = start + described.size
            if end > source.end or not judge.fits(end):
                self.warnings.append(
                    f"section {section.label}: the vmdesc says {described.size} bytes, but no section ends there"
                )
                end = None
        return Undecoded(
            section,
            source.view,
            start,
            end,
            judge.fits,
            lambda stop: judge.among(start, stop),
            described,
            source.offset_of(0),
        )
