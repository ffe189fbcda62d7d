"""The two ends of a conversion: a file, a pipe, or a socket at which QEMU is on the other side."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vmsgen.cli.stream_options import input_of

if TYPE_CHECKING:
    from vmsgen.stream.transport.sink import ByteSink
    from vmsgen.stream.transport.source import ByteSource


@contextlib.contextmanager
def input_end(place: str, offset: int, *, remote: bool, snapshot: str | None = None) -> Iterator[ByteSource]:
    """The stream at ``place``: a path, ``-``, or an address to listen at. Raises AddressError, OSError."""
    from vmsgen.stream.transport.sockets import accepted, parse_address
    from vmsgen.stream.transport.source import ByteSource

    address = parse_address(place)
    if address is None:
        with input_of(place, offset, snapshot) as source:
            yield source
        return
    with accepted(address, remote=remote) as raw, ByteSource(raw, name=place) as source:
        if offset:
            source.begin_at(offset)
        yield source


@contextlib.contextmanager
def output_end(place: str, begin_at: int, *, remote: bool, image: ByteSink | None = None) -> Iterator[ByteSink]:
    """Where to write: a path, ``-``, an address to connect to, or the copy of an ``image``. Raises AddressError,
    OSError.
    """
    if image is not None:
        with image:
            yield image
        return
    from vmsgen.stream.transport.sink import open_sink
    from vmsgen.stream.transport.sockets import connected, parse_address

    address = parse_address(place)
    if address is None:
        with open_sink(sys.stdout.buffer if place == "-" else place, begin_at=begin_at) as sink:
            yield sink
        return
    with connected(address, remote=remote) as raw, open_sink(raw, begin_at=begin_at) as sink:
        yield sink
