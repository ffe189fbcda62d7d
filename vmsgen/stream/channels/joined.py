"""The pages of other channels put where they belong among those of the main stream.

Channels of multifd are in step with the main stream at the end of each round: there each of them has a packet with flag
SYNC, and the main stream a FLUSH record or, from senders of before 8.1, the end of a RAM section (migration/ram.c, QEMU
7.2 and 10.0). Pages of one round do not depend on each other, so they are put before that mark, channel by channel.
Those of postcopy-preempt, which are sent once, stand at the very end.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.stream.channels.files import Channel, open_channel
from vmsgen.stream.channels.multifd import SYNC, Hello, PagePacket, compression_of
from vmsgen.stream.items import EOS, FLUSH, GROUP, LIST, PAGE, ZERO, Item, RamRecords, Record, Section, SectionKind
from vmsgen.stream.transport.source import ByteSource

__all__ = ["HasItems", "JoinedReader", "Packet", "joined", "packet_of"]

_FED = 1 << 10


class HasItems(Protocol):
    """What reads a stream."""

    def items(self) -> Iterator[Item]: ...


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet of pages: where they belong, and what they are."""

    flags: int
    number: int
    block: bytes | None
    normal: tuple[int, ...]
    zero: tuple[int, ...]
    contents: bytes


def packet_of(values: tuple[Any, ...]) -> Packet:
    """The packet with the fields of a ``PagePacket``."""
    _, flags, _, normal, _, number, zero, _, block, _, _, addresses, contents = values
    padded = addresses + (0,) * (normal + zero - len(addresses))
    return Packet(flags, number, block, padded[:normal], padded[normal : normal + zero], contents or b"")


class _Decompressor(Protocol):
    def __call__(self, data: bytes, size: int, /) -> bytes: ...


def _plain(data: bytes, size: int) -> bytes:
    return data


def _zlib() -> _Decompressor:
    stream = zlib.decompressobj()

    def more(data: bytes, size: int) -> bytes:
        try:
            found = stream.decompress(data, size + 1)
        except zlib.error as error:
            raise DataError(f"the contents of a multifd packet are no zlib stream: {error}") from None
        return found

    return more


def _zstd() -> _Decompressor:
    try:
        import zstandard
    except ImportError:
        raise VmsgenError("channels compressed by zstd need the package zstandard: pip install zstandard") from None
    stream = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()

    def more(data: bytes, size: int) -> bytes:
        parts: list[bytes] = []
        left = size
        try:
            for at in range(0, len(data), _FED):  # a few bytes can become many
                parts.append(stream.decompress(data[at : at + _FED]))
                left -= len(parts[-1])
                if left < 0:
                    break
        except zstandard.ZstdError as error:
            raise DataError(f"the contents of a multifd packet are no zstd stream: {error}") from None
        return b"".join(parts)

    return more


_DECOMPRESSORS = {"none": lambda: _plain, "zlib": _zlib, "zstd": _zstd}


@dataclass(slots=True)
class _Lane:
    """A channel while it is joined with the main stream."""

    name: str
    channel: Channel
    _method: str = ""
    _decompress: _Decompressor = field(default=_plain)

    def round(self, page_size: int, *, last: bool) -> Iterator[list[Record]]:
        """The pages up to the next packet with SYNC, those of the ``last`` round up to the end. Raises DataError."""
        for kind, values in self.channel.packets or ():
            if kind is not PagePacket:
                if kind is Hello:
                    continue
                raise DataError(f"{self.name}: device state in a channel cannot be joined with a plain stream")
            packet = packet_of(values)
            if packet.normal or packet.zero:
                yield self._pages(packet, page_size)
            if packet.flags & SYNC and not last:
                return

    def _pages(self, packet: Packet, page_size: int) -> list[Record]:
        if packet.block is None:
            raise DataError(f"{self.name}: packet {packet.number} has pages of no RAM block")
        records: list[Record] = [(GROUP, packet.block, False)]
        if packet.normal:
            data = memoryview(self._contents(packet, len(packet.normal) * page_size))
            records += [
                (PAGE, addr, data[at * page_size : (at + 1) * page_size]) for at, addr in enumerate(packet.normal)
            ]
        records += [(ZERO, addr, 1) for addr in packet.zero]
        return records

    def _contents(self, packet: Packet, size: int) -> bytes:
        method = compression_of(packet.flags)
        if method != self._method:
            made = _DECOMPRESSORS.get(method)
            if made is None:
                raise DataError(f"{self.name}: pages compressed by {method} cannot be read; none, zlib and zstd can")
            self._method, self._decompress = method, made()
        found = self._decompress(packet.contents, size)
        if len(found) != size:
            raise DataError(
                f"{self.name}: packet {packet.number} holds {len(found)} bytes, its {len(packet.normal)} pages {size}"
            )
        return found


def joined(main: HasItems, sources: Sequence[ByteSource]) -> HasItems:
    """The main stream and the channels in ``sources`` as one; the main stream itself where there are none. Raises
    DataError.
    """
    return JoinedReader(main, [(source.name, open_channel(source)) for source in sources]) if sources else main


class JoinedReader:
    """The items of the main stream with the pages of the channels in its RAM sections, as if there were only one."""

    def __init__(self, main: HasItems, channels: Sequence[tuple[str, Channel]]) -> None:
        self._main = main
        self._lanes = [_Lane(name, channel) for name, channel in channels if channel.packets is not None]
        self._late = [channel.records for _, channel in channels if channel.records is not None]
        self._flushes = False  # the main stream has marks of its own for the ends of rounds
        self._page_size = 4096

    def items(self) -> Iterator[Item]:
        """The items in order. Raises DataError."""
        for item in self._main.items():
            if isinstance(item, Section) and isinstance(item.body, RamRecords):
                item.body = RamRecords(self._joined(item, item.body.rows))
            yield item

    def _joined(self, section: Section, batches: Iterable[list[Record]]) -> Iterator[list[Record]]:
        for records in batches:
            rest: list[Record] = []
            for record in records:
                kind = record[0]
                if kind == LIST:
                    self._page_size = record[1].page_size
                elif kind == GROUP:
                    record = (GROUP, record[1], False)  # what stands before it is another page now
                elif kind in (FLUSH, EOS):
                    if rest:
                        yield rest
                        rest = []
                    yield from self._until(section, kind)
                    if kind == FLUSH:
                        continue
                rest.append(record)
            if rest:
                yield rest

    def _until(self, section: Section, kind: int) -> Iterator[list[Record]]:
        """The pages that belong before a mark of the main stream."""
        self._flushes = self._flushes or kind == FLUSH
        last = kind == EOS and section.kind is SectionKind.END
        if kind == FLUSH or not self._flushes or last:
            for lane in self._lanes:
                yield from lane.round(self._page_size, last=last)
        if last:
            for batches in self._late:
                for records in batches:
                    yield [record for record in records if record[0] not in (EOS, FLUSH)]
