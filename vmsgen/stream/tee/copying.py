"""The copying itself: nothing but reading and writing, piece by piece as they come."""

from __future__ import annotations

import select

from vmsgen.stream.tee.feed import Feed
from vmsgen.stream.transport.sink import ByteSink
from vmsgen.stream.transport.source import ByteSource

__all__ = ["copy"]


def copy(source: ByteSource, sink: ByteSink, feed: Feed) -> int:
    """Copies everything, and gives it to ``feed`` as well when it is on its way; returns the number of bytes. Raises
    OSError, with a note on how much was read; the caller commits the sink.
    """
    try:
        while True:
            feed.until_ready(source.descriptor, select.POLLIN)
            if source.at_end():
                return source.offset
            piece = source.view[source.pos : source.end]
            source.pos = source.end
            sink.write(piece)
            feed.until_ready(sink.descriptor, select.POLLOUT)
            sink.flush()
            feed.give(piece)
    except BaseException as error:
        error.add_note(f"{source.offset} bytes of {source.name} were read")
        raise
