"""The parts of ``vmsgen show`` that look at the guest's memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from vmsgen.cli.progress import Watched, progress
from vmsgen.cli.stream_options import print_json

if TYPE_CHECKING:
    from vmsgen.stream.channels.joined import HasItems

_PIECE = 1 << 20


def print_memory(reader: HasItems, source: Watched, text: str, raw: bool) -> None:
    """Prints a part of a block, as a hex dump or as it is. Raises VmsgenError for a place that is none, DataError,
    OSError.
    """
    import tempfile  # here, as is what else the page map does not need

    from vmsgen.runtime.errors import VmsgenError
    from vmsgen.stream.memory.contents import Memory, Window, read_memory
    from vmsgen.stream.memory.files import hex_dump, parse_place
    from vmsgen.stream.transport.part import named, scratch_name

    place = parse_place(text)
    with tempfile.TemporaryFile(prefix="vmsgen-", buffering=0) as file:

        def keep(name: str, length: int, page_size: int) -> Window | None:
            return place.window(length, page_size, file.fileno()) if name == place.block else None

        memory = Memory(keep)
        with named(scratch_name()), progress(source):
            read_memory(reader, memory)
        block = next((block for block in memory.blocks.values() if block.name == place.block), None)
        if block is None or block.window is None:
            listed = ", ".join(block.name for block in memory.blocks.values())
            raise VmsgenError(f"no RAM block is called {place.block}; there are {listed or 'none'}")
        size = block.length - place.start if place.size is None else place.size
        pieces = _pieces(file.fileno(), place.start - block.window.start, size)
        if raw:
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        else:
            for line in hex_dump(pieces, place.start):
                click.echo(line)


def _pieces(descriptor: int, start: int, size: int) -> Iterator[bytes]:
    """Bytes of a sparse file, zeros behind its end, too."""
    at = 0
    while at < size:
        take = min(_PIECE, size - at)
        yield os.pread(descriptor, take, start + at).ljust(take, b"\0")
        at += take


def print_extracted(reader: HasItems, source: Watched, folder: str) -> None:
    """Writes a file per block and lists them. Raises DataError, OSError."""
    from vmsgen.stream.memory.files import extract

    with progress(source):
        extracted = extract(reader, folder)
    for name, length in extracted.items():
        click.echo(f"{length:12} {os.path.join(folder, name)}")


def print_memory_map(reader: HasItems, source: Watched, form: str) -> None:
    """Prints what every block's pages were. Raises DataError, after what was read up to there."""
    from vmsgen.stream.memory.contents import Memory, read_memory

    memory = Memory(lambda name, length, page_size: None)
    try:
        with progress(source):
            read_memory(reader, memory)
    finally:
        rows = [
            {"block": one.name, "bytes": one.length, "page_size": one.page_size, "pages": one.pages, **one.counts()}
            for one in memory.blocks.values()
        ]
        if form == "json":
            print_json(rows)
        else:
            heads = ("pages", "data", "zero", "never", "repeated")
            click.echo("".join(f"{head:>10}" for head in heads) + "  block")
            for row in rows:
                click.echo("".join(f"{row[head]:10}" for head in heads) + f"  {row['block']}")
