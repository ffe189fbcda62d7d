"""An input that can be read more than once: a file, or what a pipe gave, kept in a temporary file."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from typing import Any, BinaryIO

from vmsgen.runtime.slotted import Slotted, replaced
from vmsgen.stream.images.detect import opened
from vmsgen.stream.items import RamRecords, Record, SectionRecords
from vmsgen.stream.ram.reader import RamState, read_records
from vmsgen.stream.sections.record import Entry, SectionForm
from vmsgen.stream.transport.descriptors import descriptor_of
from vmsgen.stream.transport.part import named, scratch_name
from vmsgen.stream.transport.source import ByteSource, MemorySource, Readable

__all__ = ["InputFile", "RamAgain", "RecordsAgain"]

_COPY = 1 << 20
_LITTLE = 1 << 20  # bytes of a file that are read at once


class _At(io.RawIOBase):
    """A descriptor read from a place of its own, whoever else reads it."""

    def __init__(self, descriptor: int, position: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._position = position

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence != os.SEEK_SET:
            raise io.UnsupportedOperation("only from the start")
        self._position = offset
        return offset

    def readinto(self, buffer: Any) -> int:
        got = os.preadv(self._descriptor, [buffer], self._position)
        self._position += got
        return got


class InputFile:
    """``place`` is a path, an open binary file or pipe (read from where it stands), or bytes; the stream begins
    ``offset`` bytes behind its start. A path may be an image that holds the stream
    (:mod:`vmsgen.stream.images.detect`). Raises VmsgenError, OSError.
    """

    def __init__(
        self,
        place: str | os.PathLike[str] | BinaryIO | Readable | bytes,
        *,
        offset: int = 0,
        snapshot: str | None = None,
    ) -> None:
        self._data: bytes | None = None
        self._descriptor = -1
        self._start = 0
        self.name = "<memory>"
        self._last: ByteSource | None = None
        if isinstance(place, bytes):
            self._data = place
        elif isinstance(place, str | os.PathLike):
            self.name = os.fspath(place)
            with opened(place, snapshot) as file:
                self._take(file)
        else:
            self.name = str(getattr(place, "name", "<input>"))
            self._take(place)
        self._start += offset

    def _take(self, place: BinaryIO | Readable) -> None:
        """Keeps a regular file open, and copies anything else."""
        descriptor = descriptor_of(place)
        if descriptor is None or not stat.S_ISREG(os.fstat(descriptor).st_mode):
            self._copy(place)
            return
        tell = getattr(place, "tell", None)
        self._start = int(tell()) if tell is not None else 0
        self._descriptor = os.dup(descriptor)

    def _copy(self, pipe: Readable) -> None:
        import tempfile

        with tempfile.TemporaryFile(prefix="vmsgen-", buffering=0) as file:
            while piece := pipe.read(_COPY):
                left = memoryview(piece)
                with named(scratch_name()):
                    while left:
                        left = left[file.write(left) :]
            self._descriptor = os.dup(file.fileno())

    def source(self, offset: int = 0) -> ByteSource:
        """A reader from ``offset`` on, independent of every other."""
        if self._data is not None:
            self._last = MemorySource(memoryview(self._data)[self._start + offset :], base=offset, name=self.name)
        elif (data := self._at_once(offset)) is not None:
            self._last = MemorySource(data, base=offset, name=self.name)
        else:
            raw = _At(self._descriptor, self._start + offset)
            self._last = ByteSource(raw, owned=True, name=self.name, base=offset)
        return self._last

    def _at_once(self, offset: int) -> bytes | None:
        """All from ``offset`` on, where that is little: memory that was in use before is at hand, a new buffer's pages
        are not.
        """
        size = os.fstat(self._descriptor).st_size - self._start - offset
        if not 0 < size <= _LITTLE:
            return None
        with named(self.name):
            data = os.pread(self._descriptor, size, self._start + offset)
        return data if len(data) == size else None

    @property
    def offset(self) -> int:
        """How far the reader that was handed out last has come."""
        return 0 if self._last is None else self._last.offset

    @property
    def length(self) -> int | None:
        """Bytes of the whole input; None if nobody knows, or before anyone reads it."""
        return None if self._last is None else self._last.length

    def close(self) -> None:
        """Lets go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class RamAgain(Slotted, frozen=True):
    """Where the contents of a RAM section stand in an input, and what must be known to read them."""

    input: InputFile
    offset: int
    state: RamState | None  # None: the input is BER

    def body(self) -> RamRecords:
        """The contents, as a writer takes them."""
        return RamRecords(self._rows())

    def _rows(self) -> Iterator[list[Record]]:
        """The records, as from the first reading."""
        source = self.input.source(self.offset)
        if self.state is not None:
            return read_records(source, replaced(self.state, lengths=dict(self.state.lengths)))
        from vmsgen.stream.ber.ram import read_ram_body  # here and below, because few inputs are BER
        from vmsgen.stream.ber.source import BerSource

        elements = BerSource(source)
        elements.enter(elements.head())
        elements.enter(elements.head())
        return read_ram_body(elements)


class RecordsAgain(Slotted, frozen=True):
    """Where the records of another section stand in an input; ``kept`` are those of a FULL section, which are few."""

    input: InputFile
    offset: int
    form: SectionForm
    binary: bool
    kept: tuple[Entry, ...] | None = None

    def body(self) -> SectionRecords:
        """The contents, as a writer takes them."""
        return SectionRecords(self.form, self.entries())

    def entries(self) -> Iterator[Entry]:
        """The records, as from the first reading."""
        if self.kept is not None:
            return iter(self.kept)
        source = self.input.source(self.offset)
        if self.binary:
            return self.form.read(source)
        from vmsgen.stream.ber.records import read_entries
        from vmsgen.stream.ber.source import BerSource

        elements = BerSource(source)
        elements.enter(elements.head())
        elements.enter(elements.head())
        return read_entries(elements, self.form)
