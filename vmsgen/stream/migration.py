"""A whole migration as an object: its sections, its devices as typed objects that can be changed, saving in either
format.

RAM is never held: its sections stand where they are in the input, which is read again when they are needed. A pipe is
copied to a temporary file first.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.runtime.slotted import replaced
from vmsgen.stream.input_file import InputFile, RamAgain, RecordsAgain
from vmsgen.stream.items import (
    LIST,
    MAPPED,
    Blob,
    Chunks,
    Configuration,
    Item,
    RamBlock,
    RamRecords,
    Section,
    SectionKind,
    SectionRecords,
    Vmdesc,
)
from vmsgen.stream.migration_section import MigrationSection
from vmsgen.stream.reading import StreamReader, format_of
from vmsgen.stream.transport.source import ByteSource, Readable

if TYPE_CHECKING:
    from vmsgen.stream.devices import Classes
    from vmsgen.stream.transport.sink import Writable

# What writes is imported where something is written: most streams are only read.

__all__ = ["Migration", "MigrationSection", "open_migration"]

_MAX_CHUNKS = 256 << 20


class Migration:
    """The parts of a migration stream, in its order. Made by :func:`open_migration` (``vmsgen.open``)."""

    def __init__(self, file: InputFile, form: str) -> None:
        self._file = file
        self.format = form
        self._parts: list[Item | MigrationSection] = []
        self.configuration: Configuration | None = None
        self.vmdesc: bytes | None = None
        self.warnings: list[str] = []

    # ------------------------------------------------------------------ reading

    def _take(self, item: Item, reader: StreamReader) -> None:
        if isinstance(item, Section):
            again: RamAgain | RecordsAgain | None = None
            if isinstance(item.body, RamRecords):
                again = RamAgain(self._file, item.body_offset, reader.ram_state())
                item.exhaust()
            elif isinstance(item.body, SectionRecords):
                binary = reader.format == "binary"
                kept = tuple(item.body.entries) if binary and item.kind is SectionKind.FULL else None
                again = RecordsAgain(self._file, item.body_offset, item.body.form, binary, kept)
                item.exhaust()
            elif isinstance(item.body, Chunks):
                item.body = Blob(_whole(item))
            elif isinstance(item.body, Blob):
                item.body = Blob(bytes(item.body.data), item.body.warning)
            self._parts.append(MigrationSection(item, again))
            return
        if isinstance(item, Configuration):
            self.configuration = item
        elif isinstance(item, Vmdesc):
            self.vmdesc = bytes(item.data)
        self._parts.append(item)

    # ------------------------------------------------------------------ what is in it

    @property
    def machine(self) -> str | None:
        """Name of the machine type, if the stream says it."""
        return None if self.configuration is None else self.configuration.machine.decode(errors="replace")

    @property
    def sections(self) -> list[MigrationSection]:
        """All sections in the order of the stream."""
        return [part for part in self._parts if isinstance(part, MigrationSection)]

    def __iter__(self) -> Iterator[MigrationSection]:
        return iter(self.sections)

    @property
    def devices(self) -> list[MigrationSection]:
        """The sections with the state of a device."""
        return [section for section in self.sections if section._section.kind is SectionKind.FULL]

    def section(self, name: str, instance: int | None = None) -> MigrationSection:
        """The device section of a name: as in the stream, or its end after a slash, or the name of its VMState.

        Raises KeyError if there is none, or several and ``instance`` does not decide.
        """
        devices = self.devices
        found = [section for section in devices if section.name == name]
        found = found or [
            section for section in devices if name == section.vmstate or section.name.endswith(f"/{name}")
        ]
        if instance is not None:
            found = [section for section in found if section.instance == instance]
        if len(found) == 1:
            return found[0]
        wanted = name if instance is None else f"{name}/{instance}"
        if found:
            listed = ", ".join(f"{section.name}/{section.instance}" for section in found)
            raise KeyError(f"several sections are called {wanted}: {listed}")
        import difflib

        near = difflib.get_close_matches(name, {section.name for section in devices}, 1)
        raise KeyError(f"no section is called {wanted}" + (f"; did you mean {near[0]}?" if near else ""))

    def device(self, name: str, instance: int | None = None) -> Any:
        """The typed state of a device, to be read and changed. Raises KeyError as ``section`` does, VmsgenError if the
        section's contents are bytes.
        """
        section = self.section(name, instance)
        state = section.state
        if state is None:
            why = section.warning or "no spec describes it"
            raise VmsgenError(f"the contents of section {section.name}/{section.instance} are bytes: {why}")
        return state

    def __getitem__(self, name: str) -> Any:
        return self.device(name)

    def __contains__(self, name: object) -> bool:
        try:
            return isinstance(name, str) and self.section(name) is not None
        except KeyError as error:
            return "several" in str(error)

    @property
    def ram_blocks(self) -> tuple[RamBlock, ...]:
        """Names and lengths of the RAM blocks."""
        mapped: list[RamBlock] = []  # of a mapped-ram file, where each stands before its pages
        for section in self.sections:
            if section.is_ram and section._section.kind is SectionKind.START:
                for record in section.records():
                    if record[0] == LIST:
                        blocks: tuple[RamBlock, ...] = record[1].blocks
                        return blocks
                    if record[0] == MAPPED:
                        mapped.append(RamBlock(record[1].name, record[1].length, None, record[1].gpa))
        return tuple(mapped)

    # ------------------------------------------------------------------ writing

    def save(self, place: str | os.PathLike[str] | Writable, format: str = "binary") -> None:
        """Writes the stream to a path or an open binary file, in format ``binary`` or ``ber``.

        A file appears under its name only when all of it was written. Raises DataError for a value that cannot be
        written, OSError. The vmdesc is kept as it was, but of a section that has another size now only the size is
        described (see :mod:`vmsgen.stream.vmdesc.sizes`).
        """
        if format not in ("binary", "ber"):
            raise VmsgenError(f"no format {format!r} to save in; there are binary and ber")
        from vmsgen.stream.ber.writer import BerWriter
        from vmsgen.stream.binary.writer import BinaryWriter
        from vmsgen.stream.transport.sink import open_sink

        with open_sink(place) as sink:
            writer = BinaryWriter(sink) if format == "binary" else BerWriter(sink)
            for part in self._parts:
                if isinstance(part, MigrationSection):
                    writer.item(part._item())
                else:
                    writer.item(self._described(part) if isinstance(part, Vmdesc) else part)
            writer.finish()

    def _described(self, item: Vmdesc) -> Vmdesc:
        """The vmdesc for the sections as they are now."""
        if not any(section._touched for section in self.devices):
            return item
        sizes = ((section.name, section.instance, section._size_if_touched) for section in self.devices)
        from vmsgen.stream.vmdesc.sizes import with_sizes

        return replaced(item, data=with_sizes(bytes(item.data), sizes))

    # ------------------------------------------------------------------ the input

    def close(self) -> None:
        """Lets go of the input; RAM cannot be read or saved afterwards."""
        self._file.close()

    def __enter__(self) -> Migration:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<migration of {self.machine or 'an unknown machine'}, {self.format}, {len(self.sections)} sections>"


def _whole(section: Section) -> bytes:
    assert isinstance(section.body, Chunks)
    data = bytearray()
    for piece in section.body.pieces:
        data += piece
        if len(data) > _MAX_CHUNKS:
            raise DataError(
                f"the contents are larger than {_MAX_CHUNKS} bytes", section=section.label, offset=section.body_offset
            )
    return bytes(data)


def open_migration(
    place: str | os.PathLike[str] | BinaryIO | Readable | bytes,
    classes: Classes | None = None,
    *,
    props: Mapping[str, str] | None = None,
    machine: str | None = None,
    channels: Sequence[str | os.PathLike[str]] = (),
    snapshot: str | None = None,
    offset: int = 0,
) -> Migration:
    """Opens a stream of either format; ``props`` and ``machine`` are facts that it does not hold (see ``vmsgen show
    --help``).

    ``channels`` are the files of its other channels: then it is one plain stream with the pages of all of them, in a
    temporary file. ``snapshot`` names one of a qcow2 image, and ``offset`` says where the stream begins in the input.

    Raises OSError, and DataError whose ``partial`` is the migration as far as it could be read.
    """
    file = InputFile(place, offset=offset, snapshot=snapshot)
    try:
        if channels:
            file = _joined_file(file, channels, classes, props=props, machine=machine)
        reader = StreamReader(file.source(), classes, props=props, machine=machine)
    except BaseException:
        file.close()
        raise
    migration = Migration(file, reader.format)
    try:
        for item in reader.items():
            migration._take(item, reader)
    except DataError as error:
        error.partial = migration
        raise
    finally:
        migration.warnings = reader.warnings
    return migration


def _joined_file(
    main: InputFile,
    channels: Sequence[str | os.PathLike[str]],
    classes: Classes | None,
    *,
    props: Mapping[str, str] | None,
    machine: str | None,
) -> InputFile:
    """The main stream and its channels as one; ``main`` is closed. Raises DataError, OSError."""
    import tempfile

    from vmsgen.stream.convert import convert
    from vmsgen.stream.transport.sink import ByteSink

    with contextlib.ExitStack() as stack:
        stack.callback(main.close)
        source = stack.enter_context(main.source())
        others = [stack.enter_context(ByteSource.open(path)) for path in channels]
        spare = stack.enter_context(tempfile.TemporaryFile(prefix="vmsgen-"))
        with ByteSink(spare) as sink:
            convert(source, sink, format_of(source), classes, props=props, machine=machine, channels=others)
        spare.seek(0)
        return InputFile(spare)
