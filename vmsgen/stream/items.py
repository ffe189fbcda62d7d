"""The items of a migration stream: the common form between QEMU's binary format and BER.

A stream is ``Header [Configuration] (Section | Command | package)* Eof [Vmdesc]``; a package is ``Package (Section |
Command)* PackageEnd``. Readers yield items in that order and writers take them one by one. The body of a section may be
read from the input while it is used, so a section must be used up (``exhaust``) before the next item is asked for; its
``footer`` is known only then.

RAM records are plain tuples, because there is one per page: ``(kind, ...)`` with the kinds below.

======== ======================== =============================================================
GROUP    (GROUP, name, continued) the records after it are of this RAM block; ``continued``: binary
                                  says CONTINUE in the first of them and does not name the block
PAGE     (PAGE, addr, data)       a full page; data is a slice of a buffer that is used again
ROW      (ROW, addr, pages, data, that many full pages, one after the other, the first at addr; in data each stands
         begins)                  behind eight bytes, which a writer may overwrite if data is not read-only. A long row
                                  comes in several records: ``begins`` says which is its first
ZERO     (ZERO, addr, pages)      that many pages of zeros, one after the other
FILL     (FILL, addr, value)      a page full of one byte other than 0
XBZRLE   (XBZRLE, addr, data)     a difference to the page sent before, in QEMU's own encoding
COMPRESS (COMPRESS, addr, data)   a page as one zlib stream
HOOK     (HOOK,)                  RDMA's mark; its page data is not in the stream
LIST     (LIST, BlockList)        the RAM blocks and their lengths
FLUSH    (FLUSH,)                 multifd: wait for the other channels
EOS      (EOS,)                   the end of the section's records
SIZE     (SIZE, total, page_size) mapped-ram: the size of all RAM, before the blocks, which have their pages with them
MAPPED   (MAPPED, MappedBlock)    mapped-ram: a block; a GROUP with its pages in order of their addresses comes next, of
                                  those pages that are not all zeros, whatever the bitmap says
======== ======================== =============================================================
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from vmsgen.runtime.errors import DataError
from vmsgen.runtime.slotted import Slotted
from vmsgen.stream.sections.record import Entry, SectionForm

__all__ = [
    "COMPRESS",
    "EOS",
    "FILL",
    "FLUSH",
    "GROUP",
    "HOOK",
    "LIST",
    "MAPPED",
    "PAGE",
    "ROW",
    "ROW_HEAD",
    "SIZE",
    "XBZRLE",
    "ZERO",
    "Blob",
    "BlockList",
    "Body",
    "Chunks",
    "Command",
    "Configuration",
    "Eof",
    "Header",
    "Item",
    "MappedBlock",
    "Package",
    "PackageEnd",
    "RamBlock",
    "RamRecords",
    "Record",
    "Section",
    "SectionKind",
    "SectionRecords",
    "State",
    "Unknown",
    "UnknownSubsection",
    "Vmdesc",
    "pages_of_row",
    "wire_name",
]

GROUP, PAGE, ZERO, FILL, XBZRLE, COMPRESS, HOOK, LIST, FLUSH, EOS, SIZE, MAPPED, ROW = range(13)

#: Bytes before each page in the data of a ROW.
ROW_HEAD = 8

#: One record of a RAM section, see above. (A union of thirteen tuple types would be checked nowhere but here, and costs
#: every use.)
Record = tuple[Any, ...]


class Header(Slotted, frozen=True):
    """The file's own header; QEMU writes version 3 since 2007."""

    version: int = 3


class UnknownSubsection(Slotted, frozen=True):
    """A subsection of the configuration that this reader does not know; only BER can carry one, because it has a length
    there.
    """

    name: bytes
    version: int
    content: bytes


class Configuration(Slotted, frozen=True):
    """What the sender says about its machine. ``None`` and ``()`` are subsections that the stream does not have."""

    machine: bytes
    target_page_bits: int | None = None
    capabilities: tuple[bytes, ...] | None = None
    uuid: bytes | None = None
    unknown: tuple[UnknownSubsection, ...] = ()


class SectionKind(enum.IntEnum):
    """Kinds of sections; the values are those of the binary format's type byte."""

    START = 1
    PART = 2
    END = 3
    FULL = 4


_PARTS = {kind: kind.name.lower() for kind in SectionKind}


class Blob(Slotted):
    """Contents as bytes. ``warning`` says why contents that have a description travel like this."""

    data: bytes | memoryview
    warning: str | None = None


class Chunks(Slotted):
    """Contents whose length is not known before their end, in pieces that hold until the next one is asked for."""

    pieces: Iterator[bytes | memoryview]


class State(Slotted):
    """Contents as a typed object. ``element`` holds them as they stood in a BER input when no class for them is
    known. ``warning`` says why contents that a spec describes are read by the stream's own description.
    """

    value: Any
    element: bytes | None = None
    warning: str | None = None


class RamRecords:
    """Contents of a RAM section: batches of records, each good until the next one is asked for, read once.

    ``rows`` are the batches as they come. Who has no use for rows of pages takes ``batches``, which has single pages
    for them.
    """

    __slots__ = ("rows",)

    def __init__(self, rows: Iterator[list[Record]]) -> None:
        self.rows = rows

    @property
    def batches(self) -> Iterator[list[Record]]:
        """The records with every page by itself."""
        return _single_pages(self.rows)


class SectionRecords:
    """Contents of a section of another kind that comes in records (:mod:`vmsgen.stream.sections`), read once.

    ``opaque`` counts the bytes whose meaning is not known, of those that were read. ``passing`` reads all of them with
    the same checks, for somebody who wants none.
    """

    __slots__ = ("_passing", "entries", "form", "opaque")

    def __init__(self, form: SectionForm, entries: Iterable[Entry], passing: Callable[[], None] | None = None) -> None:
        self.form = form
        self.opaque = 0
        self.entries = self._counted(entries)
        self._passing = passing

    def _counted(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        self._passing = None  # from here on one by one
        for entry in entries:
            if entry[0].opaque:
                self.opaque += len(entry[1][-1])
            yield entry

    def exhaust(self) -> None:
        """Reads what is left."""
        if self._passing is not None:
            passing, self._passing, self.entries = self._passing, None, iter(())
            passing()
        for _ in self.entries:
            pass


Body = Blob | Chunks | State | RamRecords | SectionRecords


class RamBlock(Slotted, frozen=True):
    """A RAM block in the block list: its length in bytes, and what only some senders add."""

    name: bytes
    length: int
    page_size: int | None = None
    gpa: int | None = None


class BlockList(Slotted, frozen=True):
    """The first record of a RAM section; ``page_size`` is the target's, by which the stream's pages are cut."""

    total: int
    blocks: tuple[RamBlock, ...]
    page_size: int = 4096


class MappedBlock(Slotted, frozen=True):
    """A RAM block of a mapped-ram file: places in the file, the bitmap as it is (words in the order of the sender's
    host), and what stands between bitmap and pages, without the zeros at its end.
    """

    name: bytes
    length: int
    bitmap_offset: int
    pages_offset: int
    bitmap: bytes
    filler: bytes = b""
    gpa: int | None = None

    @property
    def gap(self) -> int:
        """Bytes between bitmap and pages."""
        return self.pages_offset - self.bitmap_offset - len(self.bitmap)


class Section(Slotted):
    """A section. ``name``, ``instance`` and ``version`` of PART and END are those of the START with the same id."""

    kind: SectionKind
    id: int
    name: str
    instance: int
    version: int
    body: Body
    footer: int | None = None
    offset: int = 0  # of its type byte (or BER tag) in the input
    body_offset: int = 0  # of its contents in the input
    body_end: int = 0  # where they end there; like the footer, known when they were used up
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """``NAME/INSTANCE``, as errors name it."""
        return f"{self.name}/{self.instance}"

    @property
    def part(self) -> str:
        """The kind of the section as specs and registries call it: ``full``, ``start``, ``part``, ``end``."""
        return _PARTS[self.kind]

    def exhaust(self) -> None:
        """Reads what is left of the contents, so that the next item can be read."""
        if isinstance(self.body, RamRecords):
            for _ in self.body.rows:
                pass
        elif isinstance(self.body, SectionRecords):
            self.body.exhaust()
        elif isinstance(self.body, Chunks):
            for _ in self.body.pieces:
                pass


class Command(Slotted, frozen=True):
    """A command of the stream: ``code`` and the bytes that its length counts."""

    code: int
    data: bytes
    offset: int = 0


class Package(Slotted, frozen=True):
    """The command with a package: sections and commands that a receiver of postcopy must have at once. They are the
    next items, up to :class:`PackageEnd`.
    """

    offset: int = 0


class PackageEnd(Slotted, frozen=True):
    """Where the package ends."""

    offset: int = 0


class Eof(Slotted, frozen=True):
    """The mark after the last section."""

    offset: int = 0


class Vmdesc(Slotted, frozen=True):
    """The description in JSON that QEMU puts after the end, byte for byte."""

    data: bytes | memoryview
    offset: int = 0


class Unknown(Slotted, frozen=True):
    """An item of a BER stream that this reader does not know, as it stood there; the binary format cannot carry it."""

    element: bytes
    offset: int = 0


Item = Header | Configuration | Section | Command | Package | PackageEnd | Eof | Vmdesc | Unknown


def pages_of_row(row: Record) -> list[Record]:
    """The pages of a ROW as single ones."""
    _, addr, count, data, _ = row
    stride = len(data) // count
    size = stride - ROW_HEAD
    return [(PAGE, addr + at * size, data[at * stride + ROW_HEAD : (at + 1) * stride]) for at in range(count)]


def _single_pages(batches: Iterable[list[Record]]) -> Iterator[list[Record]]:
    for records in batches:
        singles: list[Record] = []
        for record in records:
            if record[0] == ROW:
                singles += pages_of_row(record)
            else:
                singles.append(record)
        yield singles


def wire_name(raw: bytes, what: str, offset: int | None) -> str:
    """A name of the stream as text. Raises DataError if it is empty or not UTF-8: BER could not carry it."""
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise DataError(f"expected {what} in UTF-8, found {raw[:40].hex()}", offset=offset) from None
    if not name:
        raise DataError(f"expected {what}, found an empty name", offset=offset)
    return name
