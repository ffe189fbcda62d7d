"""Writes items in QEMU's binary format."""

from __future__ import annotations

from vmsgen.runtime.errors import DataError
from vmsgen.stream import marks
from vmsgen.stream.configuration import write_configuration
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
from vmsgen.stream.machine.facts import page_size_of
from vmsgen.stream.ram.reader import RamState
from vmsgen.stream.ram.writer import write_records
from vmsgen.stream.sections.record import closed
from vmsgen.stream.transport.sink import ByteSink, MemorySink

__all__ = ["BinaryWriter"]


class BinaryWriter:
    """Takes items in the order of the stream."""

    def __init__(self, sink: ByteSink) -> None:
        self._sink = sink
        self._outer: ByteSink | None = None  # while what is written goes into a package
        self._ram = RamState()
        self.warnings: list[str] = []

    def item(self, item: Item) -> None:
        """Writes one item and uses up its contents. Raises DataError, OSError."""
        write = self._sink.write
        if isinstance(item, Section):
            self._section(item)
        elif isinstance(item, Header):
            write(marks.MAGIC + item.version.to_bytes(4, "big"))
        elif isinstance(item, Configuration):
            self._ram.page_size = page_size_of(item)
            write_configuration(self._sink, item)
        elif isinstance(item, Command):
            self._command(item)
        elif isinstance(item, Package | PackageEnd):
            self._package(item)
        elif isinstance(item, Eof):
            write(bytes((marks.EOF,)))
        elif isinstance(item, Vmdesc):
            write(bytes((marks.VMDESC,)) + len(item.data).to_bytes(4, "big"))
            write(item.data)
        else:
            assert isinstance(item, Unknown), item
            self.warnings.append(f"offset {item.offset:#x}: an item of a newer version has no binary form, left out")

    def finish(self) -> None:
        """Nothing closes a binary stream."""

    def _package(self, item: Package | PackageEnd) -> None:
        """Holds what is written between the two, because its length comes first."""
        if isinstance(item, Package) is (self._outer is not None):
            raise DataError("packages are not one inside the other", offset=item.offset)
        if self._outer is None:
            self._outer, self._sink = self._sink, MemorySink()
            return
        assert isinstance(self._sink, MemorySink)
        content = self._sink.getvalue()
        self._sink, self._outer = self._outer, None
        size = len(content).to_bytes(4, "big")
        self._command(Command(marks.COMMAND_PACKAGED, size + content, item.offset))

    def _command(self, item: Command) -> None:
        if item.code == marks.COMMAND_PACKAGED:
            # its length field counts only the four bytes that say how long the package is
            size = int.from_bytes(item.data[:4], "big")
            if len(item.data) != 4 + size:
                raise DataError(f"a package of {len(item.data) - 4} bytes that says it has {size}", offset=item.offset)
            length = 4
        else:
            length = len(item.data)
        if length > 0xFFFF:
            raise DataError(f"a command with {length} bytes of data, more than its length field can say")
        head = bytes((marks.COMMAND,)) + item.code.to_bytes(2, "big") + length.to_bytes(2, "big")
        self._sink.write(head + item.data)

    def _section(self, section: Section) -> None:
        write = self._sink.write
        head = bytes((section.kind,)) + section.id.to_bytes(4, "big")
        if section.kind in (SectionKind.START, SectionKind.FULL):
            name = section.name.encode()
            head += bytes((len(name),)) + name
            head += section.instance.to_bytes(4, "big") + section.version.to_bytes(4, "big")
        write(head)
        try:
            self._body(section)
        except DataError as error:
            raise error if error.section else error.located(section=section.label) from None
        if section.footer is not None:
            write(bytes((marks.FOOTER,)) + section.footer.to_bytes(4, "big"))

    def _body(self, section: Section) -> None:
        body = section.body
        if isinstance(body, RamRecords):
            write_records(self._sink, body.rows, self._ram)
        elif isinstance(body, SectionRecords):
            for entry in closed(body.form, body.entries):
                for part in body.form.write(entry):
                    self._sink.write(part)
        elif isinstance(body, Blob):
            self._sink.write(body.data)
        elif isinstance(body, Chunks):
            for piece in body.pieces:
                self._sink.write(piece)
                self._sink.settle()
        else:
            assert isinstance(body, State), body
            if body.value is None:
                raise DataError("no description of this device state is known, so it has no binary form")
            self._sink.write(body.value.to_binary(version=section.version))
