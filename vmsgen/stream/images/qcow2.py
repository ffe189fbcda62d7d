"""The state of a guest in a snapshot of a qcow2 image (``savevm``): a migration stream that stands behind the end of
the disk, in clusters that only the snapshot's tables name.

Facts are from QEMU's docs/interop/qcow2.txt and block/qcow2-snapshot.c (10.0).
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.stream.transport.part import PartFile, named
from vmsgen.stream.transport.sink import ByteSink

__all__ = ["MAGIC", "Qcow2Sink", "Snapshot", "SnapshotState", "chosen_snapshot", "snapshots"]

MAGIC = b"QFI\xfb"
_HEADER = struct.Struct(">4sIQIIQIIQQIIQ")
_FEATURES = struct.Struct(">Q")
_ENTRY = struct.Struct(">QIHHIIQII")
_U64 = struct.Struct(">Q")
_OFFSET = 0x00FF_FFFF_FFFF_FE00  # bits 9 to 55
_COMPRESSED, _ZERO = 1 << 62, 1
_EXTERNAL_DATA, _EXTENDED_L2 = 1 << 2, 1 << 4
_MAX_SNAPSHOTS = 65536
_MAX_L1 = 4 << 20
_MAX_EXTRA = 1024
_COPY = 1 << 20


@dataclass(frozen=True, slots=True)
class _Image:
    """What the image's header says."""

    cluster_bits: int
    size: int
    l1: int
    l1_size: int
    snapshots: int
    snapshots_at: int

    @property
    def span(self) -> int:
        """Bytes of the disk that one table of the second level describes."""
        return 1 << (2 * self.cluster_bits - 3)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot: ``state_size`` is 0 where it holds a disk only. ``at`` is the place of its entry in the image."""

    id: str
    name: str
    state_size: int
    disk_size: int
    l1: int
    l1_size: int
    at: int
    extra: int


def _header(file: BinaryIO) -> _Image:
    raw = _at(file, 0, _HEADER.size, "the header")
    magic, version, _, _, bits, size, crypt, l1_size, l1, _, _, count, at = _HEADER.unpack(raw)
    if magic != MAGIC or version not in (2, 3):
        raise DataError(f"expected a qcow2 image of version 2 or 3, found {magic.hex()} {version}", offset=0)
    if crypt:
        raise VmsgenError("the image is encrypted; vmsgen cannot read its snapshots")
    features = _FEATURES.unpack(_at(file, _HEADER.size, _FEATURES.size, "the header"))[0] if version == 3 else 0
    if features & (_EXTERNAL_DATA | _EXTENDED_L2):
        raise VmsgenError("images with an external data file or extended L2 entries are not read")
    if not 9 <= bits <= 21:
        raise DataError(f"expected clusters of 9 to 21 bits, found {bits}", offset=20)
    if count > _MAX_SNAPSHOTS or l1_size > _MAX_L1:
        raise DataError(f"{count} snapshots, a table of {l1_size} entries: more than QEMU takes", offset=36)
    return _Image(bits, size, l1, l1_size, count, at)


def _at(file: BinaryIO, place: int, size: int, what: str) -> bytes:
    data = os.pread(file.fileno(), size, place) if place < 1 << 62 else b""
    if len(data) != size:
        raise DataError(f"the image ends inside {what}", offset=place)
    return data


def snapshots(file: BinaryIO) -> list[Snapshot]:
    """The snapshots of an image. Raises DataError, VmsgenError for an image of a kind that is not read, OSError."""
    image = _header(file)
    found: list[Snapshot] = []
    place = image.snapshots_at
    for _ in range(image.snapshots):
        what = "the table of snapshots"
        entry = _ENTRY.unpack(_at(file, place, _ENTRY.size, what))
        l1, l1_size, id_size, name_size, _, _, _, state_size, extra_size = entry
        if extra_size > _MAX_EXTRA or l1_size > _MAX_L1:
            raise DataError("a snapshot with more data than QEMU takes", offset=place)
        rest = _at(file, place + _ENTRY.size, extra_size + id_size + name_size, what)
        disk_size = image.size
        if extra_size >= 8:
            (state_size,) = _U64.unpack_from(rest)
        if extra_size >= 16:
            (disk_size,) = _U64.unpack_from(rest, 8)
        name_at = extra_size + id_size
        found.append(
            Snapshot(
                *(_text(rest[extra_size:name_at]), _text(rest[name_at:]), state_size, disk_size),
                *(l1, l1_size, place, extra_size),
            )
        )
        place += (_ENTRY.size + len(rest) + 7) // 8 * 8
    return found


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def chosen_snapshot(file: BinaryIO, name: str | None) -> Snapshot:
    """The snapshot of this name or id, or the only one with the state of a guest. Raises VmsgenError if there is none
    or more than one, DataError, OSError.
    """
    listed = snapshots(file)
    states = [each for each in listed if each.state_size]
    if name is None and len(states) == 1:
        return states[0]
    known = ", ".join(each.name for each in states) or "none"
    if name is None:
        raise VmsgenError(f"which snapshot is to be read? With the state of a guest there are: {known}")
    for each in [each for each in listed if each.name == name] or [each for each in listed if each.id == name]:
        if not each.state_size:
            raise VmsgenError(f"snapshot {each.name} holds a disk, not the state of a guest; those that do: {known}")
        return each
    raise VmsgenError(f"no snapshot is called {name}; with the state of a guest there are: {known}")


class _Clusters:
    """Where the clusters of a state are in the image."""

    def __init__(self, file: BinaryIO, image: _Image, l1: int, l1_size: int, disk_size: int) -> None:
        self._file = file
        self._image = image
        self._l1, self._l1_size = l1, l1_size
        self._first = -(-disk_size // image.span)
        self._table: tuple[int, bytes] | None = None

    def place(self, number: int) -> int:
        """Of cluster ``number`` of the state; 0 if it is not there, which means zeros. Raises DataError."""
        per_table = 1 << (self._image.cluster_bits - 3)
        table, slot = divmod(number, per_table)
        entries = self._entries(self._first + table)
        (entry,) = _U64.unpack_from(entries, 8 * slot) if entries else (0,)
        if entry & _COMPRESSED:
            raise DataError("the state is in compressed clusters, which QEMU does not write")
        return 0 if entry & _ZERO else entry & _OFFSET

    def _entries(self, index: int) -> bytes:
        if index >= self._l1_size:
            return b""
        if self._table is None or self._table[0] != index:
            (entry,) = _U64.unpack(_at(self._file, self._l1 + 8 * index, 8, "a table of the first level"))
            place = entry & _OFFSET
            what = "a table of the second level"
            entries = _at(self._file, place, 1 << self._image.cluster_bits, what) if place else b""
            self._table = index, entries
        return self._table[1]

    def allocated(self) -> Iterator[int]:
        """Places of all clusters behind the disk."""
        per_table = 1 << (self._image.cluster_bits - 3)
        for index in range(self._l1_size - self._first):
            if self._entries(self._first + index):
                yield from filter(None, (self.place(index * per_table + slot) for slot in range(per_table)))


class SnapshotState(io.RawIOBase):
    """The stream in a snapshot, to be read. Owns ``file``."""

    def __init__(self, file: BinaryIO, snapshot: Snapshot) -> None:
        super().__init__()
        self._file = file
        self._image = _header(file)
        self._clusters = _Clusters(file, self._image, snapshot.l1, snapshot.l1_size, snapshot.disk_size)
        self._size = snapshot.state_size
        self._position = 0

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As much as stands in one cluster. Raises DataError, OSError."""
        number, inside = divmod(self._position, 1 << self._image.cluster_bits)
        take = min(len(buffer), (1 << self._image.cluster_bits) - inside, self._size - self._position)
        if take <= 0:
            return 0
        place = self._clusters.place(number)
        buffer[:take] = _at(self._file, place + inside, take, "a cluster of the state") if place else bytes(take)
        self._position += take
        return take

    def close(self) -> None:
        """Closes the image."""
        self._file.close()
        super().close()


class Qcow2Sink(ByteSink):
    """Writes a stream into the snapshot of a copy of an image, which appears under its name when all is there.

    The stream goes to the clusters that the state has already, so it can be shorter than it was but hardly longer.
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
                self._image = _header(self._file)
                self._clusters = self._own_clusters()
            except BaseException:
                self._part.remove()
                raise
        super().__init__(self, name=path)

    def _own_clusters(self) -> _Clusters:
        """The clusters of the state, which nobody else may use. Raises VmsgenError."""
        image, mine = self._image, self._snapshot
        own = _Clusters(self._file, image, mine.l1, mine.l1_size, mine.disk_size)
        places = set(own.allocated())
        tables = [(image.l1, image.l1_size, image.size)]
        tables += [(each.l1, each.l1_size, each.disk_size) for each in snapshots(self._file) if each.at != mine.at]
        for table in tables:
            if not places.isdisjoint(_Clusters(self._file, image, *table).allocated()):
                raise VmsgenError(f"the state of snapshot {mine.name} is shared with another one, and stays as it is")
        return own

    def write_raw(self, data: bytes) -> None:
        """Puts bytes at the next place of the state. Raises VmsgenError, OSError."""
        view = memoryview(data)
        while view:
            number, inside = divmod(self._position, 1 << self._image.cluster_bits)
            take = min(len(view), (1 << self._image.cluster_bits) - inside)
            place = self._clusters.place(number)
            if not place:
                raise VmsgenError(
                    f"the stream is longer than the {self._snapshot.state_size} bytes of the snapshot and what is "
                    "free behind them; the image would have to grow, which only QEMU can do"
                )
            _write(self._file, view[:take], place + inside)
            self._position += take
            view = view[take:]

    def flush(self) -> None:
        """Writes everything gathered. Raises VmsgenError, OSError."""
        pieces, self._pieces, self._size = self._pieces, [], 0
        with named(self.name):
            self.write_raw(b"".join(pieces))

    def commit(self) -> None:
        """Notes the length of the stream and gives the image its name. Raises VmsgenError, OSError."""
        try:
            self.flush()
            at = self._snapshot.at
            with named(self.name):
                if self._snapshot.extra >= 8:
                    _write(self._file, _U64.pack(self._position), at + _ENTRY.size)
                _write(self._file, struct.pack(">I", self._position & 0xFFFFFFFF), at + _ENTRY.size - 8)
            self._part.publish()
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Removes the unfinished image."""
        self._part.remove()

    def outcome(self) -> str:
        """That there is no image, or the one that was there before."""
        return self._part.outcome(self.name)


def _write(file: BinaryIO, data: bytes | memoryview, place: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file.fileno(), view, place)
        view, place = view[written:], place + written


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
            _write(file, data, start)
            start += len(data)
        at = end
    file.truncate(size)
