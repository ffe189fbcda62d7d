"""The functions of spec expressions, bounded: whatever has no value is a data error, never an exception of Python's
own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vmsgen.runtime.errors import DataError


def align(value: int, to: int) -> int:
    """``value`` rounded up to a multiple of ``to``."""
    if to <= 0:
        raise DataError(f"align to {to}")
    return -(-value // to) * to


def chosen(value: Any) -> Any:
    """What a union or an optional struct holds; only the condition around an expression tells which it is."""
    return value


def at(items: Sequence[Any], index: int) -> Any:
    """An element (or byte); reading outside is a data error."""
    if not 0 <= index < len(items):
        raise DataError(f"index {index} is outside {len(items)} elements")
    return items[index]


def shift_left(value: int, by: int) -> int:
    """``value << by`` for 0 to 64."""
    if not 0 <= by <= 64:
        raise DataError(f"shift by {by}")
    return value << by


def shift_right(value: int, by: int) -> int:
    """``value >> by`` for 0 to 64."""
    if not 0 <= by <= 64:
        raise DataError(f"shift by {by}")
    return value >> by


def _number(data: bytes, offset: int, size: int, little: bool) -> int:
    if not 0 <= offset <= len(data) - size:
        raise DataError(f"{size} bytes at {offset} are outside {len(data)} bytes")
    return int.from_bytes(data[offset : offset + size], "little" if little else "big")


def le16(data: bytes, offset: int) -> int:
    """The little-endian 16-bit number at ``offset``."""
    return _number(data, offset, 2, True)


def le32(data: bytes, offset: int) -> int:
    """The little-endian 32-bit number at ``offset``."""
    return _number(data, offset, 4, True)


def le64(data: bytes, offset: int) -> int:
    """The little-endian 64-bit number at ``offset``."""
    return _number(data, offset, 8, True)


def be16(data: bytes, offset: int) -> int:
    """The big-endian 16-bit number at ``offset``."""
    return _number(data, offset, 2, False)


def be32(data: bytes, offset: int) -> int:
    """The big-endian 32-bit number at ``offset``."""
    return _number(data, offset, 4, False)


def be64(data: bytes, offset: int) -> int:
    """The big-endian 64-bit number at ``offset``."""
    return _number(data, offset, 8, False)


#: PCI 3.0, 6.7: status register with the capabilities-list bit, and where the list begins
_STATUS, _HAS_LIST, _LIST = 0x06, 0x10, 0x34


def pci_capability(config: bytes, identifier: int) -> int:
    """Offset of a capability in a PCI configuration space (its first 256 bytes), or 0. The walk is bounded."""
    if len(config) < 0x40 or not le16(config, _STATUS) & _HAS_LIST:
        return 0
    offset = config[_LIST] & 0xFC
    for _ in range(48):
        if offset < 0x40 or offset + 1 >= len(config):
            return 0
        if config[offset] == identifier:
            return offset
        offset = config[offset + 1] & 0xFC
    return 0
