"""Which inputs are other channels of a migration, told by their first bytes."""

from __future__ import annotations

from vmsgen.stream.ber.tags import CHANNEL_TAG
from vmsgen.stream.marks import MULTIFD_MAGIC
from vmsgen.stream.transport.source import ByteSource

__all__ = ["channel_format"]


def channel_format(source: ByteSource) -> str | None:
    """``binary`` or ``ber`` if the input is a channel by its first bytes, which stay unread; None if it is none."""
    start = source.peek(4)
    if start == MULTIFD_MAGIC or start[:2] == bytes(2):
        return "binary"
    return "ber" if start[: len(CHANNEL_TAG)] == CHANNEL_TAG else None
