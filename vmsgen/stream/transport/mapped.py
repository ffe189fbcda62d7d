"""Input from a file that is mapped: for who looks at few of its bytes, such as the headers of pages.

What was passed over is given back, so memory does not grow with the file.
"""

from __future__ import annotations

import io
import mmap
import os
import stat

from vmsgen.stream.transport.descriptors import hole_size
from vmsgen.stream.transport.source import ByteSource

__all__ = ["MappedSource", "mapped_source"]

_WINDOW = 16 << 20


def mapped_source(raw: io.RawIOBase, name: str) -> ByteSource:
    """A source for an open file, which is its own from now on: mapped, if it is a regular file. Raises OSError."""
    if isinstance(raw, io.FileIO):
        found = os.fstat(raw.fileno())
        if stat.S_ISREG(found.st_mode) and found.st_size:
            return MappedSource(raw, name=name)
    return ByteSource(raw, owned=True, name=name)


class MappedSource(ByteSource):
    """A file from where it stands, its view the whole mapping; takes the file over. It must not get shorter meanwhile.
    Raises OSError.
    """

    def __init__(self, file: io.FileIO, *, name: str) -> None:
        super().__init__(file, capacity=0, owned=True, name=name)
        self._mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.view = memoryview(self._mapping)
        self.pos = self.end = min(file.tell(), len(self._mapping))
        self._base = -self.pos
        self._given_back = 0

    @property
    def length(self) -> int:
        """Bytes from where the stream begins."""
        return self._base + len(self._mapping)

    @property
    def capacity(self) -> int:
        """The most bytes that can be looked at before they are consumed."""
        return len(self._mapping)

    def begin_at(self, place: int) -> None:
        """See :meth:`ByteSource.begin_at`."""
        self.skip(place, "what stands before the stream")
        self._base = -self.pos

    def ensure(self, n: int) -> bool:
        """See :meth:`ByteSource.ensure`."""
        if self.end - self.pos >= n:
            return True
        passed = self.pos // mmap.PAGESIZE * mmap.PAGESIZE
        if passed - self._given_back >= _WINDOW and hasattr(mmap, "MADV_DONTNEED"):
            self._mapping.madvise(mmap.MADV_DONTNEED, self._given_back, passed - self._given_back)
            self._given_back = passed
        self.end = min(self.pos + max(n, _WINDOW), len(self._mapping))
        return self.end - self.pos >= n

    def skip_hole(self, limit: int, unit: int) -> int:
        """See :meth:`ByteSource.skip_hole`."""
        assert self.descriptor is not None
        size = hole_size(self.descriptor, self.pos, limit, unit)
        self.pos += size
        self.end = max(self.pos, self.end)
        return size
