"""Which clusters of a qcow2 image are in use, and new ones at its end.

Each cluster of the image has a count of references, in blocks that a table names (docs/interop/qcow2.rst, QEMU 10.0).
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.stream.images.qcow2 import OFFSET, U64, Image, read_at

__all__ = ["Space", "write_at"]

_DIRTY, _CORRUPT = 1, 2
_TABLE_AT = 48  # of the header: place and clusters of the table
_AUTOCLEAR_AT = 88
_KNOWN_AUTOCLEAR = 1  # bitmaps, which say nothing of the states of guests
_MAX_TABLE = 8 << 20
_MAX_ORDER = 6
_MAX_SKIPPED = 1 << 20


class Space:
    """The clusters of an image in ``file``, which is open for reading and writing. Raises VmsgenError for an image that
    must not be written to.
    """

    def __init__(self, file: BinaryIO, image: Image) -> None:
        if image.features & (_DIRTY | _CORRUPT):
            raise VmsgenError("the image was not closed properly: it needs `qemu-img check -r all` first")
        size = image.refcount_clusters << image.cluster_bits
        if image.refcount_order > _MAX_ORDER or not size or size > _MAX_TABLE:
            raise DataError(f"counts of 2^{image.refcount_order} bits in a table of {size} bytes: no image of QEMU's")
        self._file = file
        self._image = image
        self._width = 1 << image.refcount_order
        self._per_block = image.cluster_size * 8 // self._width
        self._table_at = image.refcounts
        self._table = bytearray(read_at(file, self._table_at, size, "the table of reference counts"))
        self._block_at = 0  # of the block in memory; 0: none
        self._block = bytearray()
        self._end = -(-os.fstat(file.fileno()).st_size // image.cluster_size)

    # ------------------------------------------------------------------ counts

    def references(self, place: int) -> int:
        """How often the cluster at a place is in use. Raises DataError, OSError."""
        number = place >> self._image.cluster_bits
        return self._count(number % self._per_block) if self._load(number // self._per_block) else 0

    def release(self, place: int) -> None:
        """One use of a cluster ends. Raises DataError for one that is not in use, OSError."""
        before = self.references(place)
        if not before:
            raise DataError("a cluster that the image says is not in use", offset=place)
        self._set(place >> self._image.cluster_bits, before - 1)

    def _load(self, index: int) -> bool:
        """Brings a block into memory; False if there is none."""
        place = self._place_of(index)
        if not place:
            return False
        if place != self._block_at:
            what = "a block of reference counts"
            self._block = bytearray(read_at(self._file, place, self._image.cluster_size, what))
            self._block_at = place
        return True

    def _place_of(self, index: int) -> int:
        """Where a block stands; 0 if there is none."""
        if 8 * index >= len(self._table):
            return 0
        return int(U64.unpack_from(self._table, 8 * index)[0]) & OFFSET

    def _count(self, at: int) -> int:
        width = self._width
        if width < 8:
            return self._block[at * width // 8] >> at * width % 8 & (1 << width) - 1
        size = width // 8
        return int.from_bytes(self._block[at * size : (at + 1) * size], "big")

    def _set(self, number: int, count: int) -> None:
        """Notes a count; its block must be there."""
        found = self._load(number // self._per_block)
        assert found, number
        at, width = number % self._per_block, self._width
        if width < 8:
            first, size, shift = at * width // 8, 1, at * width % 8
            mask = (1 << width) - 1 << shift
            self._block[first] = self._block[first] & ~mask | count << shift
        else:
            size = width // 8
            first = at * size
            self._block[first : first + size] = count.to_bytes(size, "big")
        write_at(self._file, self._block[first : first + size], self._block_at + first)

    # ------------------------------------------------------------------ new clusters

    def allocate(self, count: int = 1) -> int:
        """The place of so many new clusters, one behind the other, each used once. Raises DataError, OSError."""
        start = number = self._free()
        while number < start + count:
            if self._ensure(number // self._per_block):  # which took clusters at the end
                start = number = self._free()
            elif self.references(number << self._image.cluster_bits):
                self._end = number + 1
                start = number = self._free()
            else:
                number += 1
        self._end = start + count
        for number in range(start, start + count):
            self._set(number, 1)
        return start << self._image.cluster_bits

    def _free(self) -> int:
        """The next cluster at the end. (Some of an image may be in use and not yet written.)"""
        last = self._end + _MAX_SKIPPED
        while self.references(self._end << self._image.cluster_bits):
            self._end += 1
            if self._end > last:
                raise DataError("clusters behind the end of the image are said to be in use")
        return self._end

    def _ensure(self, index: int) -> bool:
        """Makes a block of counts if there is none. Returns whether it had to."""
        if self._place_of(index):
            return False
        if 8 * index >= len(self._table):
            self._grow_table(index)
            if self._place_of(index):  # made for the table itself
                return True
        number = self._free()
        self._end += 1
        place = number << self._image.cluster_bits
        write_at(self._file, bytes(self._image.cluster_size), place)
        self._name_block(index, place)
        self._used(number)
        return True

    def _name_block(self, index: int, place: int) -> None:
        U64.pack_into(self._table, 8 * index, place)
        write_at(self._file, U64.pack(place), self._table_at + 8 * index)

    def _used(self, number: int) -> None:
        """A cluster of the counts themselves, just taken."""
        self._ensure(number // self._per_block)
        self._set(number, 1)

    def _grow_table(self, index: int) -> None:
        """Moves the table to the end, with room for a block of this number and more."""
        bits = self._image.cluster_bits
        old_place, old_size = self._table_at, len(self._table)
        size = -(-2 * 8 * (index + 2) >> bits) << bits
        if size > _MAX_TABLE:
            raise VmsgenError("the image is as large as it can be")
        first = max(self._end, (old_size >> 3) * self._per_block)  # behind all that the old one knows
        self._end = first + (size >> bits)
        self._table += bytes(size - old_size)
        self._table_at = first << bits
        write_at(self._file, self._table, self._table_at)
        write_at(self._file, struct.pack(">QI", self._table_at, size >> bits), _TABLE_AT)
        for number in range(first, first + (size >> bits)):
            self._used(number)
        for at in range(old_size >> bits):
            self.release(old_place + (at << bits))

    def close(self) -> None:
        """Nothing more is allocated: the file ends with whole clusters. Raises OSError."""
        size = self._end << self._image.cluster_bits
        if size > os.fstat(self._file.fileno()).st_size:
            os.ftruncate(self._file.fileno(), size)
        if self._image.version >= 3:
            (bits,) = U64.unpack(read_at(self._file, _AUTOCLEAR_AT, 8, "the header"))
            if bits & ~_KNOWN_AUTOCLEAR:  # features that may not fit what was changed
                write_at(self._file, U64.pack(bits & _KNOWN_AUTOCLEAR), _AUTOCLEAR_AT)


def write_at(file: BinaryIO, data: bytes | bytearray | memoryview, place: int) -> None:
    """All of ``data`` at a place of the file. Raises OSError."""
    view = memoryview(data)
    while view:
        written = os.pwrite(file.fileno(), view, place)
        view, place = view[written:], place + written
