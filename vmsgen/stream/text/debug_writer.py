"""Writes items as text for people and for diff: a line per field, page and mark, the same from binary and from BER
input.
"""

from __future__ import annotations

import hashlib
import json

from vmsgen.runtime.debug_out import debug_text
from vmsgen.stream.commands import COMMAND_NAMES, command_values
from vmsgen.stream.items import (
    COMPRESS,
    EOS,
    FILL,
    FLUSH,
    GROUP,
    HOOK,
    LIST,
    MAPPED,
    PAGE,
    SIZE,
    XBZRLE,
    ZERO,
    Blob,
    BlockList,
    Chunks,
    Command,
    Configuration,
    Eof,
    Header,
    Item,
    Package,
    PackageEnd,
    RamRecords,
    Record,
    Section,
    SectionRecords,
    Unknown,
    Vmdesc,
)
from vmsgen.stream.sections.record import Entry, named
from vmsgen.stream.text.merge import merged
from vmsgen.stream.transport.sink import ByteSink

__all__ = ["DebugWriter", "hex_lines"]

_NAMES = {XBZRLE: "xbzrle", COMPRESS: "compressed"}
_MARKS = {HOOK: "hook", FLUSH: "flush", EOS: "end of records"}
_ROW = 32


def hex_lines(data: bytes | memoryview, start: int = 0) -> list[str]:
    """Rows of 32 bytes in hex behind their offset; rows equal to the one before are one ``*``."""
    lines: list[str] = []
    last: bytes | None = None
    for at in range(0, len(data), _ROW):
        row = bytes(data[at : at + _ROW])
        if row == last:
            if lines[-1] != "*":
                lines.append("*")
            continue
        last = row
        lines.append(f"{start + at:06x} {row.hex()}")
    return lines


def _digest(data: bytes | memoryview) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()


class DebugWriter:
    """Takes items in the order of the stream."""

    def __init__(self, sink: ByteSink) -> None:
        self._sink = sink
        self._page_size = 4096

    def finish(self) -> None:
        """Nothing closes the text."""

    def _line(self, text: str) -> None:
        self._sink.write(text.encode(errors="surrogateescape") + b"\n")

    def item(self, item: Item) -> None:
        """Writes one item and uses up its contents. Raises DataError, OSError."""
        if isinstance(item, Section):
            self._section(item)
        elif isinstance(item, Header):
            self._line(f"stream version {item.version}")
        elif isinstance(item, Configuration):
            self._configuration(item)
        elif isinstance(item, Command):
            self._command(item)
        elif isinstance(item, Package):
            self._line("package")
        elif isinstance(item, PackageEnd):
            self._line("end of package")
        elif isinstance(item, Eof):
            self._line("end of sections")
        elif isinstance(item, Vmdesc):
            self._vmdesc(item)
        else:
            assert isinstance(item, Unknown), item
            self._line(f"unknown item {item.element.hex()}")

    def _command(self, item: Command) -> None:
        name = COMMAND_NAMES.get(item.code, "unknown")
        values = command_values(item.code, item.data)
        ranges = values.pop("ranges", ())
        told = " ".join(f"{key}={value!a}" for key, value in values.items()) if values else item.data.hex()
        self._line(f"command {item.code} {name} {told}".rstrip())
        for start, length in ranges:
            self._line(f"  {start:#x} {length} bytes")

    def _configuration(self, item: Configuration) -> None:
        self._line("configuration")
        self._line(f"  machine = {item.machine.decode(errors='surrogateescape')!a}")
        if item.target_page_bits is not None:
            self._line(f"  target_page_bits = {item.target_page_bits}")
        if item.capabilities is not None:
            names = ", ".join(name.decode(errors="surrogateescape") for name in item.capabilities)
            self._line(f"  capabilities = {names}")
        if item.uuid is not None:
            self._line(f"  uuid = {item.uuid.hex()}")
        for one in item.unknown:
            self._line(f"  subsection {one.name.decode(errors='replace')!a} {one.version} = {one.content.hex()}")

    def _vmdesc(self, item: Vmdesc) -> None:
        data = bytes(item.data)
        self._line(f"vmdesc of {len(data)} bytes, digest {_digest(data)}")

    def _section(self, section: Section) -> None:
        self._line(
            f"section {section.part} {section.name} instance {section.instance} "
            f"version {section.version} id {section.id}"
        )
        for name, value in section.facts:
            self._line(f"  fact {name} = {json.dumps(value)}")
        body = section.body
        if isinstance(body, RamRecords):
            for records in merged(body.batches, self._page_size):
                for record in records:
                    self._record(record)
                self._sink.settle()
        elif isinstance(body, SectionRecords):
            for entry in body.entries:
                self._entry(entry)
        elif isinstance(body, Blob):
            self._bytes(bytes(body.data))
        elif isinstance(body, Chunks):
            at = 0
            for piece in body.pieces:
                for line in hex_lines(piece, at):
                    self._line("  " + line)
                at += len(piece)
        elif body.value is None:
            self._line("  BER of an unknown state")
            self._bytes(body.element or b"")
        else:
            text = debug_text(body.value, 1)
            if text:
                self._line(text)
        self._line(f"  footer {section.footer}" if section.footer is not None else "  no footer")

    def _bytes(self, data: bytes) -> None:
        self._line(f"  {len(data)} bytes")
        for line in hex_lines(data):
            self._line("  " + line)

    def _entry(self, entry: Entry) -> None:
        parts = [entry[0].name]
        for name, value in named(entry).items():
            if isinstance(value, bytes):
                value = value.hex() if len(value) <= _ROW else f"{len(value)} bytes {_digest(value)}"
            parts.append(f"{name}={value}")
        self._line("    " + " ".join(parts))

    def _record(self, record: Record) -> None:
        kind = record[0]
        if kind == PAGE:
            self._line(f"    {record[1]:#x} page {_digest(record[2])}")
        elif kind == ZERO:
            self._line(f"    {record[1]:#x} zero" + (f" {record[2]} pages" if record[2] > 1 else ""))
        elif kind == FILL:
            self._line(f"    {record[1]:#x} filled with {record[2]:#04x}")
        elif kind in (XBZRLE, COMPRESS):
            self._line(f"    {record[1]:#x} {_NAMES[kind]} {record[2].hex()}")
        elif kind == GROUP:
            name = record[1].decode(errors="surrogateescape")
            self._line(f"  block {name}" + (" continued" if record[2] else ""))
        elif kind == SIZE:
            self._line(f"  mapped RAM of {record[1]} bytes in pages of {record[2]}")
        elif kind == MAPPED:
            block = record[1]
            text = f"  mapped {block.name.decode(errors='surrogateescape')} {block.length}"
            text += f" bitmap at {block.bitmap_offset:#x} {_digest(block.bitmap)} pages at {block.pages_offset:#x}"
            text += f" gap {block.filler.hex()}" if block.filler else ""
            self._line(text + (f" at {block.gpa:#x}" if block.gpa is not None else ""))
        elif kind == LIST:
            self._blocks(record[1])
        else:
            self._line(f"  {_MARKS[kind]}")

    def _blocks(self, blocks: BlockList) -> None:
        self._page_size = blocks.page_size
        self._line(f"  blocks of {blocks.total} bytes in pages of {blocks.page_size}")
        for block in blocks.blocks:
            text = f"    {block.name.decode(errors='surrogateescape')} {block.length}"
            if block.page_size is not None:
                text += f" page size {block.page_size}"
            if block.gpa is not None:
                text += f" at {block.gpa:#x}"
            self._line(text)
