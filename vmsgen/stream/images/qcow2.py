"""The state of a guest in a snapshot of a qcow2 image (``savevm``): a migration stream that stands behind the end of
the disk, in clusters that only the snapshot's tables name.

Facts are from QEMU's docs/interop/qcow2.txt and block/qcow2-snapshot.c (10.0).
"""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from vmsgen.runtime.errors import DataError, VmsgenError

__all__ = [
    "COMPRESSED",
    "COPIED",
    "ENTRY",
    "MAGIC",
    "MAX_L1",
    "OFFSET",
    "U64",
    "ZERO",
    "Image",
    "Snapshot",
    "SnapshotState",
    "chosen_snapshot",
    "read_at",
    "read_header",
    "snapshots",
]

MAGIC = b"QFI\xfb"
_HEADER = struct.Struct(">4sIQIIQIIQQIIQ")
_ORDER_AT = 96
_FEATURES = struct.Struct(">Q")
#: The fixed part of a snapshot's entry.
ENTRY = struct.Struct(">QIHHIIQII")
U64 = struct.Struct(">Q")
#: Of an entry in a table: the place (bits 9 to 55), and what it is.
OFFSET = 0x00FF_FFFF_FFFF_FE00
COPIED, COMPRESSED, ZERO = 1 << 63, 1 << 62, 1
_EXTERNAL_DATA, _EXTENDED_L2 = 1 << 2, 1 << 4
_MAX_SNAPSHOTS = 65536
#: Entries of a table of the first level.
MAX_L1 = 4 << 20
_MAX_EXTRA = 1024


@dataclass(frozen=True, slots=True)
class Image:
    """What the image's header says."""

    version: int
    cluster_bits: int
    size: int
    l1: int
    l1_size: int
    snapshots: int
    snapshots_at: int
    refcounts: int
    refcount_clusters: int
    refcount_order: int
    features: int

    @property
    def cluster_size(self) -> int:
        """Bytes of a cluster."""
        return 1 << self.cluster_bits

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


def read_header(file: BinaryIO) -> Image:
    """The header. Raises DataError, VmsgenError for an image of a kind that is not read, OSError."""
    raw = read_at(file, 0, _HEADER.size, "the header")
    magic, version, _, _, bits, size, crypt, l1_size, l1, refcounts, clusters, count, at = _HEADER.unpack(raw)
    if magic != MAGIC or version not in (2, 3):
        raise DataError(f"expected a qcow2 image of version 2 or 3, found {magic.hex()} {version}", offset=0)
    if crypt:
        raise VmsgenError("the image is encrypted; vmsgen cannot read its snapshots")
    features = _FEATURES.unpack(read_at(file, _HEADER.size, _FEATURES.size, "the header"))[0] if version == 3 else 0
    if features & (_EXTERNAL_DATA | _EXTENDED_L2):
        raise VmsgenError("images with an external data file or extended L2 entries are not read")
    if not 9 <= bits <= 21:
        raise DataError(f"expected clusters of 9 to 21 bits, found {bits}", offset=20)
    if count > _MAX_SNAPSHOTS or l1_size > MAX_L1:
        raise DataError(f"{count} snapshots, a table of {l1_size} entries: more than QEMU takes", offset=36)
    order = struct.unpack(">I", read_at(file, _ORDER_AT, 4, "the header"))[0] if version == 3 else 4
    return Image(version, bits, size, l1, l1_size, count, at, refcounts, clusters, order, features)


def read_at(file: BinaryIO, place: int, size: int, what: str) -> bytes:
    """Exactly ``size`` bytes at a place. Raises DataError if the image ends before, OSError."""
    data = os.pread(file.fileno(), size, place) if place < 1 << 62 else b""
    if len(data) != size:
        raise DataError(f"the image ends inside {what}", offset=place)
    return data


def snapshots(file: BinaryIO) -> list[Snapshot]:
    """The snapshots of an image. Raises DataError, VmsgenError for an image of a kind that is not read, OSError."""
    image = read_header(file)
    found: list[Snapshot] = []
    place = image.snapshots_at
    for _ in range(image.snapshots):
        what = "the table of snapshots"
        entry = ENTRY.unpack(read_at(file, place, ENTRY.size, what))
        l1, l1_size, id_size, name_size, _, _, _, state_size, extra_size = entry
        if extra_size > _MAX_EXTRA or l1_size > MAX_L1:
            raise DataError("a snapshot with more data than QEMU takes", offset=place)
        rest = read_at(file, place + ENTRY.size, extra_size + id_size + name_size, what)
        disk_size = image.size
        if extra_size >= 8:
            (state_size,) = U64.unpack_from(rest)
        if extra_size >= 16:
            (disk_size,) = U64.unpack_from(rest, 8)
        name_at = extra_size + id_size
        found.append(
            Snapshot(
                *(_text(rest[extra_size:name_at]), _text(rest[name_at:]), state_size, disk_size),
                *(l1, l1_size, place, extra_size),
            )
        )
        place += (ENTRY.size + len(rest) + 7) // 8 * 8
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

    def __init__(self, file: BinaryIO, image: Image, l1: int, l1_size: int, disk_size: int) -> None:
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
        (entry,) = U64.unpack_from(entries, 8 * slot) if entries else (0,)
        if entry & COMPRESSED:
            raise DataError("the state is in compressed clusters, which QEMU does not write")
        return 0 if entry & ZERO else entry & OFFSET

    def _entries(self, index: int) -> bytes:
        if index >= self._l1_size:
            return b""
        if self._table is None or self._table[0] != index:
            (entry,) = U64.unpack(read_at(self._file, self._l1 + 8 * index, 8, "a table of the first level"))
            place = entry & OFFSET
            what = "a table of the second level"
            entries = read_at(self._file, place, 1 << self._image.cluster_bits, what) if place else b""
            self._table = index, entries
        return self._table[1]


class SnapshotState(io.RawIOBase):
    """The stream in a snapshot, to be read. Owns ``file``."""

    def __init__(self, file: BinaryIO, snapshot: Snapshot) -> None:
        super().__init__()
        self._file = file
        self._image = read_header(file)
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
        buffer[:take] = read_at(self._file, place + inside, take, "a cluster of the state") if place else bytes(take)
        self._position += take
        return take

    def close(self) -> None:
        """Closes the image."""
        self._file.close()
        super().close()
