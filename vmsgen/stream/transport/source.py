"""Input of a stream: one buffer over a file, a pipe or memory, read forward only.

Parsers work on the buffer itself: ``source.view`` is a memoryview, ``source.pos`` the place in it, ``source.end`` where
its data ends; ``ensure(n)`` makes n bytes available at ``pos`` by reading more. That keeps RAM pages uncopied: a page
is a slice of the view. Such slices hold until the next call of ``ensure``, ``read`` or ``skip``, which may move the
data.
"""

from __future__ import annotations

import io
import mmap
import os
import select
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Protocol

from vmsgen.runtime.errors import LimitError, TruncatedError
from vmsgen.stream.transport.descriptors import descriptor_of, hole_size, until_ready, widen_pipe
from vmsgen.stream.transport.part import named

__all__ = ["ByteSource", "MemorySource", "Readable"]

CAPACITY = 4 << 20

_U16, _U32, _U64 = (struct.Struct(form) for form in (">H", ">I", ">Q"))


class Readable(Protocol):
    """What an input must do: give up to ``n`` bytes, none at the end."""

    def read(self, n: int = -1, /) -> bytes | None: ...


class ByteSource:
    """Forward reader over a path (``ByteSource.open``) or anything with ``read``; use as a context manager to close
    it.
    """

    def __init__(
        self, raw: Readable, *, capacity: int = CAPACITY, owned: bool = False, name: str = "<input>", base: int = 0
    ) -> None:
        self._raw: Readable | None = raw
        self._owned = owned
        self.name = name
        # not a bytearray, which is filled with zeros: that takes longer than to read a small stream
        self._buffer: bytearray | mmap.mmap = mmap.mmap(-1, capacity) if capacity else bytearray()
        self.view = memoryview(self._buffer)
        self.pos = 0
        self.end = 0
        self._base = base  # offset of view[0] in the input
        self._at_end = False
        self._readinto = getattr(raw, "readinto", None)
        descriptor = descriptor_of(raw)
        if descriptor is not None:
            widen_pipe(descriptor)

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, capacity: int = CAPACITY) -> ByteSource:
        """Opens a file or a named pipe. Raises OSError."""
        raw = io.FileIO(path, "rb")
        return cls(raw, capacity=capacity, owned=True, name=os.fspath(path))

    def begin_at(self, place: int) -> None:
        """Passes over what stands before a stream; offsets count from here on. Raises TruncatedError, OSError."""
        raw = self._raw
        if self.end == self.pos and isinstance(raw, io.RawIOBase) and raw.seekable():
            raw.seek(raw.tell() + place)
        else:
            self.skip(place, "what stands before the stream")
        self._base = -self.pos

    @property
    def descriptor(self) -> int | None:
        """The input's file descriptor, if it has one."""
        return descriptor_of(self._raw)

    @property
    def length(self) -> int | None:
        """Bytes of the whole input if it is a regular file, None if nobody knows."""
        raw, descriptor = self._raw, self.descriptor
        if descriptor is None or not isinstance(raw, io.RawIOBase) or not raw.seekable():
            return None
        return self.offset_of(self.end) + max(os.fstat(descriptor).st_size - raw.tell(), 0)

    @property
    def offset(self) -> int:
        """Bytes consumed since the start of the input."""
        return self._base + self.pos

    def offset_of(self, position: int) -> int:
        """Offset in the input of a position in ``view``."""
        return self._base + position

    @property
    def capacity(self) -> int:
        """The most bytes that can be looked at before they are consumed."""
        return max(len(self._buffer), self.end - self.pos)

    def available(self) -> int:
        """Bytes in the buffer from ``pos`` on."""
        return self.end - self.pos

    def ensure(self, n: int) -> bool:
        """True if ``n`` bytes (at most the capacity) are available at ``pos``, read as far as needed; False: the input
        ends.
        """
        if self.end - self.pos >= n:
            return True
        if self._at_end:
            return False
        if n > len(self._buffer):
            raise ValueError(f"{n} bytes asked of a buffer of {len(self._buffer)}")
        if self.pos:
            left = self.end - self.pos
            self.view[:left] = self.view[self.pos : self.end]
            self._base += self.pos
            self.pos, self.end = 0, left
        while self.end < n:
            got = self._fill(self.view[self.end :])
            if not got:
                self._at_end = True
                return False
            self.end += got
        return True

    def _fill(self, target: memoryview) -> int:
        raw = self._raw
        if raw is None:
            return 0
        with named(self.name):
            if self._readinto is not None:
                while (got := self._readinto(target)) is None:
                    until_ready(raw, select.POLLIN)
                return int(got)
            data = raw.read(len(target))
        if not data:
            return 0
        target[: len(data)] = data
        return len(data)

    def need(self, n: int, what: str) -> None:
        """``ensure`` that raises TruncatedError naming ``what``; for small ``n``."""
        if not self.ensure(n):
            raise TruncatedError(
                f"the stream ends inside {what} ({n} bytes expected, {self.available()} left)", offset=self.offset
            )

    def peek(self, n: int) -> bytes:
        """Up to ``n`` bytes ahead, fewer only at the end of the input."""
        self.ensure(n)
        return bytes(self.view[self.pos : min(self.end, self.pos + n)])

    def read(self, n: int, what: str, *, limit: int | None = None) -> bytes:
        """Exactly ``n`` bytes; memory is taken as the data comes, never for an announced length alone.

        Raises TruncatedError, and LimitError when ``n`` is above ``limit``.
        """
        start = self.offset
        if limit is not None and n > limit:
            raise LimitError(f"{what} of {n} bytes is above the limit of {limit}", offset=start)
        if n <= len(self._buffer) and self.ensure(n):
            data = bytes(self.view[self.pos : self.pos + n])
            self.pos += n
            return data
        parts = []
        left = n
        for piece in self.pieces(n, what):
            parts.append(bytes(piece))
            left -= len(piece)
        return b"".join(parts)

    def pieces(self, n: int, what: str) -> Iterator[memoryview]:
        """The next ``n`` bytes in slices of the buffer, each good until the next one is asked for. Raises
        TruncatedError.
        """
        left = n
        while left:
            if not self.ensure(1):
                raise TruncatedError(
                    f"the stream ends inside {what} ({n} bytes expected, {n - left} there)", offset=self.offset
                )
            take = min(left, self.end - self.pos)
            piece = self.view[self.pos : self.pos + take]
            self.pos += take
            left -= take
            yield piece

    def skip(self, n: int, what: str) -> None:
        """Passes over ``n`` bytes. Raises TruncatedError."""
        for _ in self.pieces(n, what):
            pass

    def skip_hole(self, limit: int, unit: int) -> int:
        """Passes over a hole of a sparse file that begins here, as far as it is a multiple of ``unit`` and up to
        ``limit``; returns how many bytes (zeros) that was. 0 where there is none, or where it cannot be told.
        """
        raw = self._raw
        if self.end != self.pos or self._at_end or not isinstance(raw, io.RawIOBase) or not raw.seekable():
            return 0
        here = raw.tell()
        size = hole_size(raw.fileno(), here, limit, unit)
        if size:
            raw.seek(here + size)
            self._base += self.pos + size
            self.pos = self.end = 0
        return size

    def at_end(self) -> bool:
        """True when no byte is left."""
        return not self.ensure(1)

    def u8(self, what: str) -> int:
        """One byte."""
        if self.pos == self.end:
            self.need(1, what)
        value = self.view[self.pos]
        self.pos += 1
        return value

    def u16(self, what: str) -> int:
        """Two bytes, big-endian."""
        return self._integer(_U16, what)

    def u32(self, what: str) -> int:
        """Four bytes, big-endian."""
        return self._integer(_U32, what)

    def u64(self, what: str) -> int:
        """Eight bytes, big-endian."""
        return self._integer(_U64, what)

    def _integer(self, form: struct.Struct, what: str) -> int:
        width = form.size
        if self.end - self.pos < width:
            self.need(width, what)
        value: int = form.unpack_from(self.view, self.pos)[0]
        self.pos += width
        return value

    def str8(self, what: str) -> bytes:
        """A length byte and that many bytes."""
        return self.read(self.u8(what), what)

    def rest(self) -> Iterator[memoryview]:
        """Everything that is left, in slices of the buffer, each good until the next one is asked for."""
        while self.ensure(1):
            piece = self.view[self.pos : self.end]
            self.pos = self.end
            yield piece

    def rest_at_once(self) -> memoryview | None:
        """Everything that is left, if the buffer can hold it: it stands there as long as nothing else is read. None if
        it cannot.
        """
        if self.ensure(len(self._buffer)):
            return None
        piece = self.view[self.pos : self.end]
        self.pos = self.end
        return piece

    def drop_buffer(self) -> None:
        """Gives the buffer's memory back, once everything was read."""
        self._base += self.pos
        self._buffer = bytearray()
        self.view = memoryview(self._buffer)
        self.pos = self.end = 0

    def close(self) -> None:
        """Closes the input if it was opened here."""
        raw, self._raw = self._raw, None
        if self._owned and isinstance(raw, io.IOBase):
            raw.close()

    def __enter__(self) -> ByteSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class MemorySource(ByteSource):
    """A source whose whole data stands in memory (or is mapped): slices of its view hold as long as the data does.

    ``base`` is the offset that the data's first byte has in the input it was taken from.
    """

    def __init__(self, data: bytes | bytearray | memoryview, *, base: int = 0, name: str = "<memory>") -> None:
        super().__init__(io.BytesIO(), capacity=0, name=name)
        # the data is somebody's: no reader's own buffer, in which headers may be exchanged
        self.view = memoryview(data).toreadonly()
        self.end = len(self.view)
        self._base = base
        self._at_end = True

    @property
    def length(self) -> int:
        """Bytes of the whole input, as far as this is its end."""
        return self._base + self.end

    def read(self, n: int, what: str, *, limit: int | None = None) -> bytes:
        """Exactly ``n`` bytes, see :meth:`ByteSource.read`."""
        if limit is not None and n > limit:
            raise LimitError(f"{what} of {n} bytes is above the limit of {limit}", offset=self.offset)
        self.need(n, what)
        data = bytes(self.view[self.pos : self.pos + n])
        self.pos += n
        return data
