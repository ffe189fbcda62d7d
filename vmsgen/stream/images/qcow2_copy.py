"""Another stream in a snapshot of a copy of a qcow2 image.

It goes to the clusters that the state has there; those that another snapshot (or the running guest) uses as well are
left to it, and new ones taken, as are those that a longer stream needs.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.stream.images.qcow2 import (
    COMPRESSED,
    COPIED,
    ENTRY,
    MAX_L1,
    OFFSET,
    U64,
    ZERO,
    Image,
    Snapshot,
    chosen_snapshot,
    read_at,
    read_header,
)
from vmsgen.stream.images.qcow2_space import Space, write_at
from vmsgen.stream.transport.part import PartFile, named
from vmsgen.stream.transport.sink import ByteSink

__all__ = ["Qcow2Sink"]

_COPY = 1 << 20
_U32 = (1 << 32) - 1


class _Tables:
    """The tables of a snapshot, which say where each cluster of its state is."""

    def __init__(self, file: BinaryIO, image: Image, snapshot: Snapshot) -> None:
        self._file = file
        self._image = image
        self.space = Space(file, image)
        self.l1 = snapshot.l1
        raw = read_at(file, snapshot.l1, 8 * snapshot.l1_size, "a table of the first level")
        self._entries = bytearray(raw)
        self._first = -(-snapshot.disk_size // image.span)
        self._per_table = image.cluster_size // 8
        self._index = -1  # of the table of the second level in memory
        self._table = bytearray()
        self._table_at = 0
        self._changed = False
        self._released = False  # clusters of the table in memory, which somebody else uses, too

    @property
    def l1_size(self) -> int:
        """Entries of the table of the first level."""
        return len(self._entries) // 8

    def place(self, number: int) -> int:
        """Where cluster ``number`` of the state may be written: nobody else uses it. Raises DataError, OSError."""
        index, slot = divmod(number, self._per_table)
        self._load(self._first + index)
        (entry,) = U64.unpack_from(self._table, 8 * slot)
        if entry & COMPRESSED:
            raise DataError("the state is in compressed clusters, which QEMU does not write")
        place = self._own(entry & OFFSET)
        if place != entry & OFFSET or entry & ZERO:
            U64.pack_into(self._table, 8 * slot, place)
            self._changed = True
        return place

    def _own(self, place: int) -> int:
        """The same place if it is used once, else a new one. Raises DataError for one that no cluster begins at, or
        that is said to be free; OSError.
        """
        if place % self._image.cluster_size:
            raise DataError("an entry of a table that is no place of a cluster", offset=place)
        if place and self.space.references(place) == 1:
            return place
        if place:
            self.space.release(place)
            self._released = True
        return self.space.allocate()

    def _load(self, index: int) -> None:
        """Brings a table of the second level into memory; it is made where there is none."""
        if index == self._index:
            return
        self.flush()
        if index >= self.l1_size:
            self._grow(index)
        (entry,) = U64.unpack_from(self._entries, 8 * index)
        before = entry & OFFSET
        size = self._image.cluster_size
        table = read_at(self._file, before, size, "a table of the second level") if before else bytes(size)
        self._table_at = self._own(before)
        self._table, self._index, self._changed = bytearray(table), index, self._table_at != before
        if self._changed:
            U64.pack_into(self._entries, 8 * index, self._table_at)
            write_at(self._file, U64.pack(self._table_at), self.l1 + 8 * index)

    def _grow(self, index: int) -> None:
        """Makes room in the table of the first level, which may have to move for it."""
        if index >= MAX_L1:
            raise VmsgenError("the stream is longer than QEMU's tables can hold")
        size = self._image.cluster_size
        old_clusters, clusters = (-(-8 * count // size) for count in (self.l1_size, index + 1))
        self._entries += bytes(8 * (index + 1) - len(self._entries))
        if clusters > old_clusters:
            old, self.l1 = self.l1, self.space.allocate(clusters)
            for at in range(old_clusters):
                self.space.release(old + at * size)
        write_at(self._file, bytes(self._entries).ljust(clusters * size, b"\0"), self.l1)

    def flush(self) -> None:
        """Writes the table in memory if it was changed. Raises DataError, OSError."""
        if self._changed:
            write_at(self._file, self._table, self._table_at)
            self._changed = False
        if self._released:
            self._mark(self._index - self._first + -(-self._image.size // self._image.span))
            self._released = False

    def _mark(self, index: int) -> None:
        """Brings up to date which clusters only the disk as it is now uses, in one of its tables of the second level:
        its entries say so, those of snapshots need not.
        """
        if index >= self._image.l1_size:
            return
        place, size = self._image.l1 + 8 * index, self._image.cluster_size
        (entry,) = U64.unpack(read_at(self._file, place, 8, "a table of the first level"))
        table = entry & OFFSET
        if not table:
            return
        write_at(self._file, U64.pack(self._marked(entry)), place)
        entries = struct.unpack(f">{size // 8}Q", read_at(self._file, table, size, "a table of the second level"))
        write_at(self._file, struct.pack(f">{size // 8}Q", *map(self._marked, entries)), table)

    def _marked(self, entry: int) -> int:
        """An entry that says whether its cluster is used only once."""
        place = entry & OFFSET
        if not place or entry & COMPRESSED:
            return entry
        return entry | COPIED if self.space.references(place) == 1 else entry & ~COPIED


class Qcow2Sink(ByteSink):
    """Writes a stream into the snapshot of a copy of an image, which appears under its name when all is there. Raises
    DataError, VmsgenError for an image that cannot be written, OSError.
    """

    def __init__(self, template: str, path: str, name: str | None) -> None:
        with open(template, "rb", buffering=0) as image:
            self._snapshot = chosen_snapshot(image, name)
            self._part = PartFile(os.path.realpath(path))
            self._file = self._part.file
            self._position = 0
            try:
                with named(path):
                    _copy(image, self._file)
                self._image = read_header(self._file)
                self._tables = _Tables(self._file, self._image, self._snapshot)
            except BaseException:
                self._part.remove()
                raise
        super().__init__(self, name=path)

    def write_raw(self, data: bytes) -> None:
        """Puts bytes at the next place of the state. Raises VmsgenError, OSError."""
        view = memoryview(data)
        while view:
            number, inside = divmod(self._position, self._image.cluster_size)
            take = min(len(view), self._image.cluster_size - inside)
            write_at(self._file, view[:take], self._tables.place(number) + inside)
            self._position += take
            view = view[take:]

    def flush(self) -> None:
        """Writes everything gathered. Raises VmsgenError, OSError."""
        pieces, self._pieces, self._size = self._pieces, [], 0
        with named(self.name):
            self.write_raw(b"".join(pieces))

    def commit(self) -> None:
        """Notes where the stream is and how long, and gives the image its name. Raises VmsgenError, OSError."""
        try:
            self.flush()
            with named(self.name):
                self._tables.flush()
                self._tables.space.close()
                self._note()
            self._part.publish()
        except BaseException:
            self.abort()
            raise

    def _note(self) -> None:
        """Brings the entry of the snapshot up to date."""
        size, at, tables = self._position, self._snapshot.at, self._tables
        if self._snapshot.extra >= 8:
            write_at(self._file, U64.pack(size), at + ENTRY.size)
        elif size > _U32:
            raise VmsgenError(f"the entry of snapshot {self._snapshot.name} has no room for a size of {size} bytes")
        write_at(self._file, struct.pack(">I", size if size <= _U32 else 0), at + ENTRY.size - 8)
        write_at(self._file, struct.pack(">QI", tables.l1, tables.l1_size), at)

    def abort(self) -> None:
        """Removes the unfinished image."""
        self._part.remove()

    def outcome(self) -> str:
        """That there is no image, or the one that was there before."""
        return self._part.outcome(self.name)


def _copy(image: BinaryIO, file: BinaryIO) -> None:
    """A copy with the same holes. Raises OSError."""
    size = os.fstat(image.fileno()).st_size
    at = 0
    while at < size:
        try:
            start = os.lseek(image.fileno(), at, os.SEEK_DATA)
        except OSError:  # no data up to the end
            break
        end = os.lseek(image.fileno(), start, os.SEEK_HOLE)
        while start < end:
            data = os.pread(image.fileno(), min(_COPY, end - start), start)
            if not data:
                break
            write_at(file, data, start)
            start += len(data)
        at = end
    file.truncate(size)
