"""One section of a migration as an object: what it is, its state to be looked at and changed, its records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.runtime.slotted import Slotted, replaced
from vmsgen.stream.input_file import RamAgain, RecordsAgain
from vmsgen.stream.items import Blob, Record, Section, State
from vmsgen.stream.sections.record import named

__all__ = ["MigrationSection"]


class MigrationSection(Slotted, eq=False):
    """A section of a migration. ``state`` may be changed and replaced; ``warning`` says why a known device has none."""

    _section: Section
    _ram: RamAgain | RecordsAgain | None = None
    _touched: bool = False

    @property
    def kind(self) -> str:
        """``start``, ``part``, ``end`` or ``full``."""
        return self._section.part

    @property
    def id(self) -> int:
        """Number by which the parts of a section find each other."""
        return self._section.id

    @property
    def name(self) -> str:
        """Name in the stream, with the path of a device on a bus: ``0000:00:02.0/vga``."""
        return self._section.name

    @property
    def instance(self) -> int:
        """Number among sections of one name."""
        return self._section.instance

    @property
    def version(self) -> int:
        """Version of the contents."""
        return self._section.version

    @property
    def vmstate(self) -> str | None:
        """Name of the VMState, None where the contents are RAM or bytes."""
        body = self._section.body
        return str(body.value.VMSTATE) if isinstance(body, State) and body.value is not None else None

    @property
    def is_ram(self) -> bool:
        """Whether the contents are RAM."""
        return isinstance(self._ram, RamAgain)

    @property
    def state(self) -> Any | None:
        """The typed object, None where the contents are RAM or bytes. A new one brings its version to the section."""
        body = self._section.body
        if not isinstance(body, State):
            return None
        self._touched = True  # it may be changed from now on
        return body.value

    @state.setter
    def state(self, value: Any) -> None:
        if self._ram is not None:
            what = "RAM" if self.is_ram else "records"
            raise VmsgenError(f"section {self.name}/{self.instance} holds {what}, not the state of a device")
        self._touched = True
        self._section.body = State(value)
        self._section.version = value.section_version

    @property
    def data(self) -> bytes | None:
        """The contents as bytes in the binary format; None for RAM. Raises DataError if the state cannot be written."""
        body = self._section.body
        if isinstance(body, Blob):
            return bytes(body.data)
        if isinstance(body, State) and body.value is not None:
            return bytes(body.value.to_binary(version=self.version))
        return None

    @property
    def warning(self) -> str | None:
        """Why the contents are bytes, or read by the stream's vmdesc, although a spec describes them."""
        body = self._section.body
        return body.warning if isinstance(body, Blob | State) else None

    @property
    def _size_if_touched(self) -> int | None:
        """Bytes of the contents in the binary format, None if they cannot have been changed or have none."""
        data = self.data if self._touched else None
        return None if data is None else len(data)

    def records(self) -> Iterator[Record]:
        """RAM records (see :mod:`vmsgen.stream.items`), or of another section with records their name and fields as a
        dict; none for a device. Pages are good until the next record.
        """
        if isinstance(self._ram, RecordsAgain):
            for entry in self._ram.entries():
                yield entry[0].name, named(entry)
        elif self._ram is not None:
            for batch in self._ram.body().batches:
                yield from batch

    def _item(self) -> Section:
        """The section as a writer takes it."""
        section = replaced(self._section)
        if self._ram is not None:
            section.body = self._ram.body()
        elif self._touched and isinstance(section.body, State):
            section.facts = _facts_of(section)
        return section

    def __repr__(self) -> str:
        what = "RAM" if self.is_ram else "records" if self._ram is not None else self.vmstate or "bytes"
        return f"<section {self.kind} {self.name}/{self.instance} version {self.version}: {what}>"


def _facts_of(section: Section) -> tuple[tuple[str, str], ...]:
    """The facts that the layout of a state depends on now."""
    assert isinstance(section.body, State)
    state = section.body.value
    from vmsgen.runtime.binary_out import BinaryOut

    visitor = BinaryOut(state.facts.fresh())
    try:
        visitor.run(state)
    except DataError as error:
        raise error.located(section=section.label) from None
    pairs: tuple[tuple[str, str], ...] = visitor.facts.pairs()
    return pairs
