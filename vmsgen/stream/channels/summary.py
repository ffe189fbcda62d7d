"""A channel at a glance: which one it is, its packets and pages."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from vmsgen.runtime.errors import VmsgenError
from vmsgen.stream.channels.files import Channel
from vmsgen.stream.channels.multifd import SYNC, DevicePacket, Hello, compression_of
from vmsgen.stream.items import COMPRESS, FILL, PAGE, ROW, XBZRLE, ZERO
from vmsgen.stream.transport.source import ByteSource

__all__ = ["ChannelSummary", "summarize_channel"]


_ONE_PAGE = frozenset((PAGE, FILL, XBZRLE, COMPRESS))


@dataclass(slots=True)
class ChannelSummary:
    """``number`` is None for postcopy-preempt, which has no packets. ``rounds`` counts packets with SYNC."""

    format: str
    number: int | None = None
    compression: list[str] = field(default_factory=list)
    packets: int = 0
    rounds: int = 0
    pages: int = 0
    zero: int = 0
    device: int = 0
    bytes: int = 0
    error: VmsgenError | None = None

    def values(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "error": None if self.error is None else str(self.error)}

    def __str__(self) -> str:
        pages = f"{self.pages} pages, {self.zero} of zeros" if self.zero else f"{self.pages} pages"
        if self.number is None:
            return f"channel of postcopy-preempt, {self.format}: {pages}; {self.bytes} bytes"
        device = f", {self.device} of device state" if self.device else ""
        return (
            f"multifd channel {self.number}, {self.format}, compression {' and '.join(self.compression) or 'none'}: "
            f"{self.packets} packets{device} in {self.rounds} rounds, {pages}; {self.bytes} bytes"
        )


def summarize_channel(channel: Channel, source: ByteSource) -> ChannelSummary:
    """Reads a channel to its end or its first error, which stands in the result."""
    found = ChannelSummary(channel.format)
    try:
        for kind, values in channel.packets or ():
            _count(found, kind, values)
        for batch in channel.records or ():
            for record in batch:
                found.pages += record[2] if record[0] in (ZERO, ROW) else record[0] in _ONE_PAGE
                found.zero += record[2] if record[0] == ZERO else 0
    except VmsgenError as error:
        found.error = error
    found.bytes = source.offset
    return found


def _count(found: ChannelSummary, kind: Any, values: tuple[Any, ...]) -> None:
    if kind is Hello:
        found.number = values[2]
        return
    found.packets += 1
    if kind is DevicePacket:
        found.device += 1
        return
    flags, normal, zero = values[1], values[3], values[6]
    found.rounds += flags & SYNC
    found.pages += normal + zero
    found.zero += zero
    if normal and compression_of(flags) not in found.compression:
        found.compression.append(compression_of(flags))
