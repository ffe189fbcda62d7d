"""Writes items as JSON, one item a line inside one object, without holding more than one.

Bytes are hex text. ``{"format": "vmsgen-stream", "version": 1, "items": [...]}``; every item has a ``kind``. Pages are
``["page", addr, hex]``, ``["zero", addr, pages]``, ``["fill", addr, byte]`` and so on inside the records of their
section; records of other sections are ``[name, {field: value}]``.
"""

from __future__ import annotations

import json
from typing import Any

from vmsgen.runtime.json_out import to_json
from vmsgen.stream.commands import command_name, command_values
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
    MappedBlock,
    Package,
    PackageEnd,
    RamRecords,
    Record,
    Section,
    SectionRecords,
    State,
    Unknown,
    Vmdesc,
)
from vmsgen.stream.sections.record import Entry, named
from vmsgen.stream.text.merge import merged
from vmsgen.stream.transport.sink import ByteSink

__all__ = ["JsonWriter", "entry_values", "section_values"]

_KINDS = {PAGE: "page", ZERO: "zero", FILL: "fill", XBZRLE: "xbzrle", COMPRESS: "compress"}
_MARKS = {HOOK: "hook", FLUSH: "flush", EOS: "eos"}


def _text(raw: bytes) -> str:
    return raw.decode(errors="surrogateescape")


def _dump(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False).encode()


class JsonWriter:
    """Takes items in the order of the stream."""

    def __init__(self, sink: ByteSink) -> None:
        self._sink = sink
        self._first = True
        self._page_size = 4096
        sink.write(b'{"format": "vmsgen-stream", "version": 1, "items": [')

    def item(self, item: Item) -> None:
        """Writes one item and uses up its contents. Raises DataError, OSError."""
        self._sink.write(b"\n" if self._first else b",\n")
        self._first = False
        if isinstance(item, Section):
            self._section(item)
        else:
            self._sink.write(_dump(_plain(item)))

    def finish(self) -> None:
        """Closes the object."""
        self._sink.write(b"\n]}\n")

    def _section(self, section: Section) -> None:
        write = self._sink.write
        values = section_values(section)
        body = section.body
        if isinstance(body, RamRecords):
            write(_dump(values)[:-1] + b', "records": [')
            separator = b""
            for records in merged(body.batches, self._page_size):
                for record in records:
                    if record[0] == LIST:
                        self._page_size = record[1].page_size
                    write(separator + _dump(_record(record)))
                    separator = b", "
                self._sink.settle()
            write(b"]")
        elif isinstance(body, SectionRecords):
            write(_dump(values)[:-1] + b', "records": [')
            separator = b""
            for entry in body.entries:
                write(separator + _dump(entry_values(entry)))
                separator = b", "
            write(b"]")
        elif isinstance(body, Chunks):
            write(_dump(values)[:-1] + b', "bytes": "')
            for piece in body.pieces:
                write(piece.hex().encode())
            write(b'"')
        elif isinstance(body, Blob):
            write(_dump({**values, "bytes": body.data.hex()})[:-1])
        elif body.value is None:
            write(_dump({**values, "ber": (body.element or b"").hex()})[:-1])
        else:
            write(_dump({**values, "state": to_json(body.value)})[:-1])
        write(b', "footer": ' + _dump(section.footer) + b"}")


def section_values(section: Section) -> dict[str, Any]:
    """A section's header as JSON values; ``vmstate`` names the class of its state."""
    values: dict[str, Any] = {
        "kind": section.part,
        "id": section.id,
        "name": section.name,
        "instance": section.instance,
        "version": section.version,
    }
    if isinstance(section.body, State) and section.body.value is not None:
        values["vmstate"] = section.body.value.VMSTATE
    if section.facts:
        values["facts"] = dict(section.facts)
    return values


def entry_values(entry: Entry) -> list[Any]:
    """A record of a section that is not RAM: its name and its fields, octets as hex."""
    fields = {name: value.hex() if isinstance(value, bytes) else value for name, value in named(entry).items()}
    return [entry[0].name, fields]


def _record(record: Record) -> list[Any]:
    kind = record[0]
    if kind == GROUP:
        return ["block", _text(record[1]), "continued" if record[2] else "named"]
    if kind in (PAGE, XBZRLE, COMPRESS):
        return [_KINDS[kind], record[1], record[2].hex()]
    if kind in (ZERO, FILL):
        return [_KINDS[kind], record[1], record[2]]
    if kind == SIZE:
        return ["size", record[1], record[2]]
    if kind == MAPPED:
        return ["mapped", _mapped(record[1])]
    if kind == LIST:
        return ["list", _blocks(record[1])]
    return [_MARKS[kind]]


def _mapped(block: MappedBlock) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": _text(block.name),
        "length": block.length,
        "bitmap_offset": block.bitmap_offset,
        "pages_offset": block.pages_offset,
        "bitmap": block.bitmap.hex(),
    }
    if block.filler:
        values["filler"] = block.filler.hex()
    if block.gpa is not None:
        values["gpa"] = block.gpa
    return values


def _blocks(blocks: BlockList) -> dict[str, Any]:
    listed = []
    for block in blocks.blocks:
        values: dict[str, Any] = {"name": _text(block.name), "length": block.length}
        if block.page_size is not None:
            values["page_size"] = block.page_size
        if block.gpa is not None:
            values["gpa"] = block.gpa
        listed.append(values)
    return {"total": blocks.total, "page_size": blocks.page_size, "blocks": listed}


def _plain(item: Item) -> dict[str, Any]:
    if isinstance(item, Header):
        return {"kind": "header", "version": item.version}
    if isinstance(item, Configuration):
        return _configuration(item)
    if isinstance(item, Command):
        values = {"kind": "command", "code": item.code, "name": command_name(item.code), "data": item.data.hex()}
        return values | command_values(item.code, item.data)
    if isinstance(item, Package | PackageEnd):
        return {"kind": "package" if isinstance(item, Package) else "package end"}
    if isinstance(item, Eof):
        return {"kind": "eof"}
    if isinstance(item, Vmdesc):
        return {"kind": "vmdesc", "text": _text(bytes(item.data))}
    assert isinstance(item, Unknown), item
    return {"kind": "unknown", "ber": item.element.hex()}


def _configuration(item: Configuration) -> dict[str, Any]:
    values: dict[str, Any] = {"kind": "configuration", "machine": _text(item.machine)}
    if item.target_page_bits is not None:
        values["target_page_bits"] = item.target_page_bits
    if item.capabilities is not None:
        values["capabilities"] = [_text(name) for name in item.capabilities]
    if item.uuid is not None:
        values["uuid"] = item.uuid.hex()
    if item.unknown:
        values["unknown"] = [
            {"name": _text(one.name), "version": one.version, "content": one.content.hex()} for one in item.unknown
        ]
    return values
