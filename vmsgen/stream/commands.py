"""Commands of the stream by name, and what their data says (migration/savevm.c, QEMU 5.2, 7.2 and 10.0)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["COMMAND_NAMES", "command_name", "command_values"]

COMMAND_NAMES: Final[Mapping[int, str]] = {
    1: "OPEN_RETURN_PATH",
    2: "PING",
    3: "POSTCOPY_ADVISE",
    4: "POSTCOPY_LISTEN",
    5: "POSTCOPY_RUN",
    6: "POSTCOPY_RAM_DISCARD",
    7: "PACKAGED",
    8: "ENABLE_COLO",
    9: "POSTCOPY_RESUME",
    10: "RECV_BITMAP",
    11: "SWITCHOVER_START",  # since QEMU 8.1
}

_RANGE = struct.Struct(">QQ")


def command_name(code: int) -> str:
    """QEMU's name of a command, ``COMMAND_n`` for one that is not known."""
    return COMMAND_NAMES.get(code, f"COMMAND_{code}")


def command_values(code: int, data: bytes) -> dict[str, Any]:
    """What the data of a command says, by name; nothing for data that is not laid out as QEMU writes it."""
    reader = _READERS.get(code)
    return {} if reader is None else reader(data) or {}


def _ping(data: bytes) -> dict[str, Any] | None:
    return {"value": int.from_bytes(data, "big")} if len(data) == 4 else None


def _advise(data: bytes) -> dict[str, Any] | None:
    if len(data) != _RANGE.size:
        return None
    sizes, target = _RANGE.unpack(data)
    return {"ram_page_sizes": sizes, "target_page_size": target}


def _discard(data: bytes) -> dict[str, Any] | None:
    """A version (0), the name of a block, a NUL, and ranges of bytes in it."""
    name, rest = _str8(data[1:])
    if data[:1] != b"\0" or name is None or rest[:1] != b"\0" or len(rest) % _RANGE.size != 1:
        return None
    ranges = [list(each) for each in _RANGE.iter_unpack(rest[1:])]
    return {"block": name, "ranges": ranges}


def _bitmap(data: bytes) -> dict[str, Any] | None:
    name, rest = _str8(data)
    return {"block": name} if name is not None and not rest else None


def _str8(data: bytes) -> tuple[str | None, bytes]:
    if not data or len(data) < 1 + data[0]:
        return None, b""
    return data[1 : 1 + data[0]].decode(errors="surrogateescape"), data[1 + data[0] :]


_READERS: Final[Mapping[int, Callable[[bytes], dict[str, Any] | None]]] = {
    2: _ping,
    3: _advise,
    6: _discard,
    10: _bitmap,
}
