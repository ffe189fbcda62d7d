"""Images that hold a stream, made by hand: save images of libvirt, and qcow2 images with snapshots."""

from __future__ import annotations

import struct
from collections.abc import Sequence

BITS = 12
CLUSTER = 1 << BITS
PER_TABLE = CLUSTER // 8
XML = b"<domain type='qemu'><name>guest</name></domain>\0" + bytes(100)
COPIED = 1 << 63


def save_image(stream: bytes, *, form: int = 0, order: str = "<", running: int = 1, magic: bytes = b"Save") -> bytes:
    numbers = struct.pack(f"{order}5I", 2, len(XML), running, form, 0)
    return b"LibvirtQemud" + magic + numbers + bytes(56) + XML + stream


class Qcow2:
    """Grows cluster by cluster; the disk is one L2 table long, so the state is behind entry 1 of each L1 table."""

    def __init__(self, version: int = 3) -> None:
        self.version = version
        self.clusters: list[bytes] = [b"", bytes(CLUSTER)]  # the header, and an active L1 table of nothing
        self.entries = b""
        self.count = 0

    def add(self, data: bytes) -> int:
        self.clusters.append(data.ljust(CLUSTER, b"\0"))
        return (len(self.clusters) - 1) * CLUSTER

    def state(self, stream: bytes, *, holes: Sequence[int] = ()) -> int:
        """Clusters and tables of a state; returns the place of the L1 table."""
        places = [
            0 if number in holes else self.add(stream[at : at + CLUSTER]) | COPIED
            for number, at in enumerate(range(0, len(stream), CLUSTER))
        ]
        l1 = [0]
        for at in range(0, len(places), PER_TABLE):
            table = places[at : at + PER_TABLE]
            l1.append(self.add(struct.pack(f">{len(table)}Q", *table)) | COPIED)
        return self.add(struct.pack(f">{len(l1)}Q", *l1))

    def snapshot(self, name: str, l1: int, size: int, *, tables: int = 8) -> None:
        self.count += 1
        extra = struct.pack(">QQQ", size, PER_TABLE * CLUSTER, 2**64 - 1) if self.version == 3 else b""
        ident = str(self.count).encode()
        entry = struct.pack(">QIHHIIQII", l1, tables, len(ident), len(name), 0, 0, 0, size & 0xFFFFFFFF, len(extra))
        entry += extra + ident + name.encode()
        self.entries += entry + bytes(-len(entry) % 8)

    def bytes(self, *, crypt: int = 0, features: int = 0) -> bytes:
        at = self.add(self.entries)
        header = struct.pack(
            ">4sIQIIQIIQQIIQ",
            *(b"QFI\xfb", self.version, 0, 0, BITS, PER_TABLE * CLUSTER, crypt, 1, CLUSTER, 0, 0, self.count, at),
        )
        header += struct.pack(">Q", features)
        return b"".join([header.ljust(CLUSTER, b"\0"), *self.clusters[1:]])


def qcow2_image(stream: bytes, *, version: int = 3, name: str = "one") -> bytes:
    image = Qcow2(version)
    image.snapshot(name, image.state(stream), len(stream))
    return image.bytes()
