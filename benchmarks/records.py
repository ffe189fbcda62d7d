"""Synthetic streams of a pseries guest with many records: chunks of its hash page table, or structs in one state."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path
from typing import Any

_QUEUES = 8  # of one processor


def write_stream(path: Path, kind: str, count: int) -> Path:
    """Writes a stream with ``count`` records of a kind, ``htab`` or ``structs``, and returns the path."""
    body = _table(count) if kind == "htab" else _interrupts(count)
    devices = [] if kind == "htab" else [_described(count)]
    description = json.dumps({"page_size": 4096, "devices": devices}).encode()
    path.write_bytes(b"QEVM\0\0\0\3" + body + b"\0\6" + struct.pack(">I", len(description)) + description)
    return path


def _section(mark: int, number: int, name: str, version: int, content: bytes) -> bytes:
    head = b"%c%b" % (len(name), name.encode()) + struct.pack(">II", 0, version) if mark in (1, 4) else b""
    return struct.pack(">BI", mark, number) + head + content + struct.pack(">BI", 0x7E, number)


def _table(count: int) -> bytes:
    """Section ``spapr/htab``: chunks of up to eight entries, about 60 bytes each."""
    chance = random.Random(1)
    noise = chance.randbytes(1 << 12)
    chunks = []
    index = 0
    for _ in range(count):
        valid, invalid = chance.choice((1, 1, 2, 3, 3, 8)), chance.randrange(1, 200)
        at = chance.randrange(len(noise) - 128)
        chunks.append(struct.pack(">IHH", index, valid, invalid) + noise[at : at + 16 * valid])
        index += valid + invalid
    start = _section(1, 1, "spapr/htab", 1, struct.pack(">I", 26))
    return start + _section(3, 1, "", 0, bytes(4) + b"".join(chunks) + bytes(8))


def _interrupts(count: int) -> bytes:
    """Section ``spapr-xive``: where the events of so many sources go, and the queues of one processor."""
    sources = random.Random(1).randbytes(8 * count)
    return _section(4, 1, "spapr-xive", 1, struct.pack(">I", count) + sources + bytes(32 * _QUEUES))


def _described(count: int) -> dict[str, Any]:
    def state(name: str, *fields: dict[str, Any]) -> dict[str, Any]:
        return {"vmsd_name": name, "version": 1, "fields": list(fields)}

    assignment = state("spapr-xive/eas", {"name": "w", "type": "uint64", "size": 8})
    queue = state("spapr-xive/end", *({"name": f"w{number}", "type": "uint32", "size": 4} for number in range(8)))
    return {
        "name": "spapr-xive",
        "instance_id": 0,
        **state(
            "spapr-xive",
            {"name": "nr_irqs", "type": "uint32", "size": 4},
            {"name": "eat", "array_len": count, "type": "struct", "struct": assignment, "size": 8},
            {
                "name": "endt",
                "array_len": _QUEUES,
                "type": "struct",
                "struct": queue,
                "size": 32,
            },
        ),
    }
