"""Output of a stream: gathers small pieces, writes big ones without copying them.

A file is written under ``NAME.part`` and renamed when :meth:`ByteSink.commit` is called (:mod:`the part
<vmsgen.stream.transport.part>`), so that nothing incomplete is ever published; a pipe gets what is complete so far.
"""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import BinaryIO, Protocol

from vmsgen.stream.transport.descriptors import descriptor_of, until_ready, widen_pipe
from vmsgen.stream.transport.part import PartFile, named

__all__ = ["ByteSink", "FileSink", "MemorySink", "Writable", "open_sink"]

_GATHER_BYTES = 4 << 20
_ZEROS = bytes(1 << 16)
_GATHER_PIECES = 1000  # below the system's limit of 1024 pieces in one writev

Piece = bytes | bytearray | memoryview


class Writable(Protocol):
    """What an output must do: take bytes and say how many it took (None: all)."""

    def write(self, data: bytes, /) -> int | None: ...


class ByteSink:
    """Gathering writer over a file descriptor or an object with ``write``. ``name`` is what errors call it."""

    #: Where the stream begins in the output.
    begin_at = 0

    def __init__(self, raw: Writable, *, name: str | None = None) -> None:
        self._raw = raw
        self.name = name
        self._broken = False  # writing failed, or was broken off
        self._pieces: list[Piece] = []
        self._size = 0
        self.offset = 0  # bytes handed in so far
        self.descriptor = descriptor = descriptor_of(raw)
        self._writev: Callable[[list[Piece]], int] | None = None
        if descriptor is not None and hasattr(os, "writev"):
            flush = getattr(raw, "flush", None)
            if flush is not None:
                flush()  # what was written through the object before must not come after us
            widen_pipe(descriptor)
            self._writev = partial(os.writev, descriptor)

    @property
    def written(self) -> int:
        """Bytes that the system took."""
        return self.offset - self._size

    def write(self, piece: Piece) -> None:
        """Takes a piece. A memoryview must stay unchanged until :meth:`settle` (or :meth:`flush`)."""
        self._pieces.append(piece)
        size = len(piece)
        self._size += size
        self.offset += size
        if self._size >= _GATHER_BYTES or len(self._pieces) >= _GATHER_PIECES:
            self.flush()

    def passed(self, size: int) -> None:
        """Somebody else has written so many bytes to :attr:`descriptor`, behind what was flushed."""
        self.offset += size

    def gather(self, pieces: list[Piece], size: int) -> None:
        """Takes many pieces of ``size`` bytes together, as :meth:`write` takes one; the list is the sink's from now
        on.
        """
        if self._pieces:
            self._pieces += pieces
        else:
            self._pieces = pieces
        self._size += size
        self.offset += size
        if self._size >= _GATHER_BYTES or len(self._pieces) >= _GATHER_PIECES:
            self.flush()

    def hole(self, size: int) -> None:
        """Writes zeros, or leaves a hole where the output is a file of our own."""
        while size:
            take = min(size, len(_ZEROS))
            self.write(_ZEROS if take == len(_ZEROS) else _ZEROS[:take])
            size -= take

    def settle(self) -> None:
        """After this call no memoryview that was handed in is needed any more."""
        if any(type(piece) is not bytes for piece in self._pieces):
            self.flush()

    def flush(self) -> None:
        """Writes everything gathered. Raises OSError, after which what is left of it is still to be written."""
        if not self._pieces:
            return
        self._broken = True
        with named(self.name):
            if self._writev is None:
                self._write_whole()
            else:
                self._write_pieces(self._writev)
        self._broken = False

    def _write_whole(self) -> None:
        data = b"".join(self._pieces)
        while data:
            written = self._raw.write(data)
            data = b"" if written is None else data[written:]
            # not clear(): a caller may still walk the list
            self._pieces, self._size = [data] if data else [], len(data)

    def _write_pieces(self, writev: Callable[[list[Piece]], int]) -> None:
        pieces = self._pieces
        at = 0
        taken: list[int] = []
        try:
            while at < len(pieces):
                try:
                    # the count is there before a signal that cut the writing short can raise
                    taken.extend(map(writev, (pieces[at : at + _GATHER_PIECES],)))
                except BlockingIOError:
                    until_ready(self._raw, select.POLLOUT)
                    continue
                at = self._after(pieces, at, taken.pop())
        finally:
            if taken:
                at = self._after(pieces, at, taken.pop())
            # not clear(): a caller may still walk the list
            self._pieces = pieces[at:]

    def _after(self, pieces: list[Piece], at: int, written: int) -> int:
        """The first piece that is left when ``written`` bytes were taken from number ``at`` on."""
        self._size -= written
        while at < len(pieces) and written >= len(pieces[at]):
            written -= len(pieces[at])
            at += 1
        if written:
            pieces[at] = memoryview(pieces[at])[written:]
        return at

    def commit(self) -> None:
        """Everything is written and the output may be published."""
        self.flush()
        flush = getattr(self._raw, "flush", None)
        if flush is not None:
            with named(self.name):
                flush()

    def abort(self) -> None:
        """The output is incomplete: a pipe gets the complete part (unless it does not take it), a file is not
        published.
        """
        if not self._broken:
            with contextlib.suppress(OSError):  # why it is incomplete is the error to tell
                self.flush()

    def outcome(self) -> str:
        """What became of the output after :meth:`abort`, in a few words."""
        return f"{self.written} bytes were written to {self.name}"

    def __enter__(self) -> ByteSink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self._broken = self._broken or not issubclass(kind, Exception)  # (who interrupts does not wait)
            self.abort()


class FileSink(ByteSink):
    """A file that appears under its name only when all of it is there."""

    def __init__(self, path: str | os.PathLike[str], *, begin_at: int = 0) -> None:
        self._part = PartFile(os.path.realpath(path))  # behind a link, so that the link stays
        super().__init__(self._part.file, name=os.fspath(path))
        self.begin_at = begin_at
        self._part.file.seek(begin_at)

    def hole(self, size: int) -> None:
        """Leaves a hole, which reads as zeros. Raises OSError."""
        self.flush()
        self._part.file.seek(size, os.SEEK_CUR)
        self.offset += size

    def commit(self) -> None:
        """Writes what is left and gives the file its name. Raises OSError."""
        try:
            self.flush()
            with named(self.name):
                self._part.file.truncate()  # a hole at the end
            self._part.publish()
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Removes the unfinished file."""
        self._part.remove()

    def outcome(self) -> str:
        """That there is no file, or the one that was there before."""
        return self._part.outcome(self.name)


class MemorySink(ByteSink):
    """Collects the output in memory; for small streams and tests."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        super().__init__(self, name="<memory>")

    def write(self, piece: Piece) -> None:
        """Takes a copy of a piece."""
        self._parts.append(bytes(piece))
        self.offset += len(piece)

    def gather(self, pieces: list[Piece], size: int) -> None:
        """Takes copies of many pieces."""
        for piece in pieces:
            self.write(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def commit(self) -> None:
        """Nothing to publish."""

    def getvalue(self) -> bytes:
        """Everything written so far."""
        return b"".join(self._parts)


def open_sink(place: str | os.PathLike[str] | Writable, *, begin_at: int = 0, name: str | None = None) -> ByteSink:
    """A sink for a path (which may name a pipe or a device: those are written directly) or an open binary file, which
    errors call ``name``. What is written stands behind ``begin_at`` zeros.
    """
    sink: ByteSink
    if not isinstance(place, (str, os.PathLike)):
        sink = ByteSink(place, name=name)
    elif not os.path.exists(place) or os.path.isfile(place):
        return FileSink(place, begin_at=begin_at)
    else:
        sink = _DirectSink(place)
    sink.hole(begin_at)
    sink.offset, sink.begin_at = 0, begin_at
    return sink


class _DirectSink(ByteSink):
    """A named pipe or a device file: opened in place and closed at the end."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file: BinaryIO = open(path, "wb", buffering=0)  # noqa: SIM115 - closed by commit and abort
        super().__init__(self._file, name=os.fspath(path))

    def commit(self) -> None:
        self.flush()
        self._file.close()

    def abort(self) -> None:
        super().abort()
        self._file.close()
