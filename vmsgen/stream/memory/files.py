"""A file for each RAM block, and parts of a block as text."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from urllib.parse import quote

from vmsgen.runtime.errors import VmsgenError
from vmsgen.runtime.slotted import Slotted
from vmsgen.stream.channels.joined import HasItems
from vmsgen.stream.memory.contents import Memory, Window, read_memory
from vmsgen.stream.transport.part import PartFile, named

__all__ = ["Place", "extract", "file_name", "hex_dump", "parse_place"]

_LONGEST = 200  # characters of a name; file systems take 255 bytes
_PLACE = re.compile(r"(?P<name>.+)@(?P<start>0x[0-9a-fA-F]+|\d+)(?:\+(?P<size>0x[0-9a-fA-F]+|\d+))?", re.DOTALL)
_ROW = 16


def file_name(block: str) -> str:
    """The name of a block's file: letters, digits and ``_.-~`` as they are, other bytes as ``%XX``; no two blocks have
    the same.
    """
    name = quote(block.encode(errors="surrogateescape"), safe="")
    if len(name) > _LONGEST:
        digest = hashlib.blake2b(block.encode(errors="surrogateescape"), digest_size=16).hexdigest()
        name = f"{name[: _LONGEST - 34]}%{digest}"
    return name + ".ram"


def extract(reader: HasItems, folder: str) -> dict[str, int]:
    """Writes the memory of all blocks to ``folder``, which is made if need be: file name -> length. Files have holes
    where pages were never sent, and get their names when all of them are complete. Raises DataError, OSError, with a
    note on how many have.
    """
    os.makedirs(folder, exist_ok=True)
    lengths: dict[str, int] = {}
    with contextlib.ExitStack() as stack:
        parts: list[PartFile] = []

        def keep(block: str, length: int, _page_size: int) -> Window:
            name = file_name(block)
            part = PartFile(os.path.join(folder, name))
            stack.callback(part.remove)
            part.file.truncate(length)
            parts.append(part)
            lengths[name] = length
            return Window(part.file.fileno(), 0, length)

        named_ones = 0
        try:
            with named(folder):
                read_memory(reader, Memory(keep))
            for part in parts:
                part.close()
            for part in parts:
                part.publish()
                named_ones += 1
        except BaseException as error:
            error.add_note(f"{named_ones or 'no'} {'file was' if named_ones < 2 else 'files were'} written to {folder}")
            raise
    return lengths


class Place(Slotted, frozen=True):
    """A part of a block: ``size`` None goes to its end."""

    block: str
    start: int = 0
    size: int | None = None

    def window(self, length: int, page_size: int, descriptor: int) -> Window:
        """Whole pages around it. Raises VmsgenError if it is not in the block."""
        end = length if self.size is None else self.start + self.size
        if self.start > length or end > length:
            raise VmsgenError(f"RAM block {self.block} has {length:#x} bytes; {self.start:#x} to {end:#x} is not in it")
        return Window(descriptor, self.start // page_size * page_size, -(-end // page_size) * page_size)


def parse_place(text: str) -> Place:
    """``BLOCK``, ``BLOCK@ADDR`` or ``BLOCK@ADDR+LEN``, numbers decimal or with 0x."""
    found = _PLACE.fullmatch(text)
    if found is None:
        return Place(text)
    size = found["size"]
    return Place(found["name"], int(found["start"], 0), None if size is None else int(size, 0))


def hex_dump(pieces: Iterator[bytes], start: int) -> Iterator[str]:
    """Rows of 16 bytes behind their address, with their ASCII characters; rows equal to the one before are one
    ``*``. Pieces are whole rows, but for the last one.
    """
    last: bytes | None = None
    starred = False
    at = start
    for piece in pieces:
        if last is not None and len(piece) % _ROW == 0 and starred and piece == last * (len(piece) // _ROW):
            at += len(piece)
            continue
        for begin in range(0, len(piece), _ROW):
            row = piece[begin : begin + _ROW]
            if row != last or len(row) < _ROW:
                text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
                yield f"{at:08x}  {row.hex(' '):47}  |{text}|"
                starred = False
            elif not starred:
                yield "*"
                starred = True
            last = row
            at += len(row)
    if starred:
        yield f"{at:08x}"
