"""The values of single sections of a stream, as text or as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vmsgen.runtime.json_out import to_json
from vmsgen.stream.items import Blob, RamRecords, Section, SectionRecords, State
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.text.debug_writer import DebugWriter
from vmsgen.stream.text.json_writer import entry_values, section_values
from vmsgen.stream.transport.sink import ByteSink, Writable
from vmsgen.stream.transport.source import ByteSource

if TYPE_CHECKING:
    from vmsgen.stream.devices import Classes

__all__ = ["is_called", "show_sections"]


def is_called(section: Section, name: str) -> bool:
    """Whether ``name`` means this section: its name, the name's end after a slash, its state's name, or
    NAME/INSTANCE.
    """
    own = [section.name]
    if isinstance(section.body, State) and section.body.value is not None:
        own.append(section.body.value.VMSTATE)
    full = [*own, *(f"{one}/{section.instance}" for one in own)]
    return any(one == name or one.endswith(f"/{name}") for one in full)


def show_sections(
    source: ByteSource,
    name: str,
    out: Writable,
    classes: Classes | None = None,
    *,
    as_json: bool = False,
    props: Mapping[str, str] | None = None,
    machine: str | None = None,
) -> int:
    """Prints the sections that are called ``name`` and returns how many there were; JSON is one list.

    Raises DataError where the stream cannot be read; what came before is printed.
    """
    reader = StreamReader(source, classes, props=props, machine=machine)
    found = 0
    listed: list[Any] = []
    with ByteSink(out) as sink:
        writer = DebugWriter(sink)
        try:
            for item in reader.items():
                if not isinstance(item, Section) or not is_called(item, name):
                    continue
                found += 1
                if as_json:
                    listed.append(_values(item))
                else:
                    writer.item(item)
        finally:
            if as_json:
                sink.write(json.dumps(listed, indent=2).encode() + b"\n")
    return found


def _values(section: Section) -> dict[str, Any]:
    values = section_values(section)
    body = section.body
    if isinstance(body, State) and body.value is not None:
        values["state"] = to_json(body.value)
    elif isinstance(body, Blob):
        values["bytes"] = body.data.hex()
    elif isinstance(body, SectionRecords):
        values["records"] = [entry_values(entry) for entry in body.entries]
    elif isinstance(body, RamRecords):
        values["records"] = sum(len(records) for records in body.batches)
    return values
