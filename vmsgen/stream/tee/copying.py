"""The copying itself: nothing but reading and writing, piece by piece as they come."""

from __future__ import annotations

import contextlib
import os
import select

from vmsgen.stream.tee.feed import Feed
from vmsgen.stream.tee.moving import Moving
from vmsgen.stream.transport.part import named
from vmsgen.stream.transport.sink import ByteSink
from vmsgen.stream.transport.source import ByteSource

__all__ = ["copy"]


def copy(source: ByteSource, sink: ByteSink, feed: Feed) -> int:
    """Copies everything, and gives it to ``feed`` as well when it is on its way; returns the number of bytes. Raises
    OSError, with a note on how much was read; the caller commits the sink.
    """
    copying = _Copying(source, sink, feed)
    try:
        copying.run()
    except BaseException as error:
        error.add_note(f"{copying.size} bytes of {source.name} were read")
        raise
    return copying.size


class _Copying:
    """``size`` is the number of bytes that were read."""

    def __init__(self, source: ByteSource, sink: ByteSink, feed: Feed) -> None:
        self.size = 0
        self._source = source
        self._sink = sink
        self._feed = feed

    def run(self) -> None:
        descriptor = self._source.descriptor
        if descriptor is not None and not self._source.available() and Moving.possible(descriptor):
            with contextlib.closing(Moving(descriptor)) as moving:
                self._move(descriptor, moving)
        else:
            self._copy()

    def _copy(self) -> None:
        source = self._source
        while True:
            self._feed.until_ready(source.descriptor, select.POLLIN)
            if source.at_end():
                return
            piece = source.view[source.pos : source.end]
            source.pos = source.end
            self.size += len(piece)
            self._write(piece)
            self._feed.give(piece)

    def _write(self, piece: memoryview) -> None:
        self._sink.write(piece)
        self._feed.until_ready(self._sink.descriptor, select.POLLOUT)
        self._sink.flush()

    def _move(self, source: int, moving: Moving) -> None:
        target = self._sink.descriptor
        while True:
            self._feed.until_ready(source, select.POLLIN)
            with named(self._source.name):
                size = moving.take()
            if not size:
                return
            self.size += size
            given = self._feed.double(moving.pipe, size)
            if given and target is not None:
                with named(self._sink.name):
                    left = moving.hand_on(target, given, self._sink.passed)
                if left:
                    target = None
                size, given = size - given + left, left
            while size:
                piece = memoryview(os.read(moving.pipe, given or size))
                size -= len(piece)
                self._write(piece)
                if given:
                    given -= len(piece)
                else:
                    self._feed.give(piece)
