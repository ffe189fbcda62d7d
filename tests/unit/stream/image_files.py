"""Images that hold a stream, made by hand: save images of libvirt, and qcow2 images with snapshots."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Sequence

BITS = 12
CLUSTER = 1 << BITS
PER_TABLE = CLUSTER // 8
XML = b"<domain type='qemu'><name>guest</name></domain>\0" + bytes(100)
COPIED = 1 << 63
PLACE = 0x00FF_FFFF_FFFF_FE00


def save_image(stream: bytes, *, form: int = 0, order: str = "<", running: int = 1, magic: bytes = b"Save") -> bytes:
    numbers = struct.pack(f"{order}5I", 2, len(XML), running, form, 0)
    return b"LibvirtQemud" + magic + numbers + bytes(56) + XML + stream


class Qcow2:
    """Grows cluster by cluster; the disk is one L2 table long, so the state is behind entry 1 of each L1 table."""

    def __init__(self, version: int = 3, bits: int = BITS, order: int = 4) -> None:
        self.version = version
        self.bits = bits
        self.size = 1 << bits
        self.per_table = self.size // 8
        self.order = order
        self.clusters: list[bytes] = [b"", bytes(self.size)]  # the header, and an active L1 table of nothing
        self.entries = b""
        self.count = 0

    def add(self, data: bytes) -> int:
        place = len(self.clusters) * self.size
        data = data.ljust(-(-len(data) // self.size) * self.size, b"\0")
        self.clusters += [data[at : at + self.size] for at in range(0, len(data), self.size)]
        return place

    def state(self, stream: bytes, *, holes: Sequence[int] = ()) -> int:
        """Clusters and tables of a state; returns the place of the L1 table."""
        places = [
            0 if number in holes else self.add(stream[at : at + self.size]) | COPIED
            for number, at in enumerate(range(0, len(stream), self.size))
        ]
        l1 = [0]
        for at in range(0, len(places), self.per_table):
            table = places[at : at + self.per_table]
            l1.append(self.add(struct.pack(f">{len(table)}Q", *table)) | COPIED)
        return self.add(struct.pack(f">{len(l1)}Q", *l1))

    def snapshot(self, name: str, l1: int, size: int, *, tables: int = 8) -> None:
        self.count += 1
        extra = struct.pack(">QQQ", size, self.per_table * self.size, 2**64 - 1) if self.version == 3 else b""
        ident = str(self.count).encode()
        entry = struct.pack(">QIHHIIQII", l1, tables, len(ident), len(name), 0, 0, 0, size & 0xFFFFFFFF, len(extra))
        entry += extra + ident + name.encode()
        self.entries += entry + bytes(-len(entry) % 8)

    def bytes(self, *, crypt: int = 0, features: int = 0, autoclear: int = 0) -> bytes:
        """The image. A table of reference counts, and their blocks, are its last clusters."""
        at = self.add(self.entries)
        known = len(self.clusters)
        per_block = self.size * 8 >> self.order
        blocks = 1
        while blocks * per_block < known + blocks + -(-8 * blocks // self.size):
            blocks += 1
        places = [(known + number) * self.size for number in range(blocks)]
        self.clusters += [bytes(self.size)] * blocks
        table = self.add(struct.pack(f">{blocks}Q", *places))
        clusters = len(self.clusters) - known - blocks
        header = struct.pack(
            ">4sIQIIQIIQQIIQ",
            *(b"QFI\xfb", self.version, 0, 0, self.bits, self.per_table * self.size, crypt, 1, self.size, table),
            *(clusters, self.count, at),
        )
        if self.version == 3:
            header += struct.pack(">QQQII", features, 0, autoclear, self.order, 104)
        self.clusters[0] = header.ljust(self.size, b"\0")
        counts = used(b"".join(self.clusters))
        for number in range(blocks):
            some = [counts.get(cluster, 0) for cluster in range(number * per_block, (number + 1) * per_block)]
            self.clusters[known + number] = packed(some, self.order)
        return b"".join(self.clusters)


def packed(counts: Sequence[int], order: int) -> bytes:
    """A block of reference counts of 2^order bits."""
    width = 1 << order
    if width >= 8:
        return b"".join(count.to_bytes(width // 8, "big") for count in counts)
    whole = sum(count << at * width for at, count in enumerate(counts))
    return whole.to_bytes(len(counts) * width // 8, "little")


def _u64(image: bytes, place: int, count: int) -> list[int]:
    return list(struct.unpack_from(f">{count}Q", image, place))


def used(image: bytes) -> Counter[int]:
    """How often each cluster of an image is used, counted from its tables."""
    _, _, _, _, bits, _, _, l1_size, l1, table, table_clusters, count, at = struct.unpack_from(">4sIQIIQIIQQIIQ", image)
    size, found = 1 << bits, Counter[int]()

    def take(place: int, length: int = 1) -> None:
        assert place % size == 0
        found.update(range(place >> bits, (place + length - 1 >> bits) + 1))

    take(0)
    take(table, table_clusters * size)
    for place in filter(None, _u64(image, table, table_clusters * size // 8)):
        take(place)
    tables = [(l1, l1_size)]
    start = at
    for _ in range(count):
        mine, mine_size, ident, name, _, _, _, _, extra = struct.unpack_from(">QIHHIIQII", image, at)
        tables.append((mine, mine_size))
        at += (40 + extra + ident + name + 7) // 8 * 8
    if count:
        take(start, at - start)
    for place, entries in tables:
        take(place, 8 * entries)
        for second in filter(None, (entry & PLACE for entry in _u64(image, place, entries))):
            take(second)
            for entry in filter(None, (entry & PLACE for entry in _u64(image, second, size // 8))):
                take(entry)
    return found


def counted(image: bytes) -> Counter[int]:
    """How often each cluster is used, by the image's reference counts of 16 bits."""
    bits = int.from_bytes(image[20:24], "big")
    table, clusters = struct.unpack_from(">QI", image, 48)
    found, per_block = Counter[int](), (1 << bits) // 2
    for number, place in enumerate(_u64(image, table, (clusters << bits) // 8)):
        if place:
            counts = struct.unpack_from(f">{per_block}H", image, place)
            found.update({number * per_block + at: count for at, count in enumerate(counts) if count})
    return found


def qcow2_image(stream: bytes, *, version: int = 3, name: str = "one", bits: int = BITS, order: int = 4) -> bytes:
    image = Qcow2(version, bits, order)
    image.snapshot(name, image.state(stream), len(stream))
    return image.bytes()
