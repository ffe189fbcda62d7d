"""Sources of imports, made here: streams whose vmdesc tells of what is in them, and dumps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vmsgen.qemu.importer import Gathered, gather
from vmsgen.stream.vmdesc.parsing import parse_vmdesc

Json = Mapping[str, Any]
#: Bytes of the types that the tests use.
SIZES = {"uint8": 1, "bool": 1, "uint16": 2, "uint32": 4, "int32": 4, "uint64": 8, "int64": 8, "timer": 8}


def leaf(name: str, kind: str = "uint32", *, count: int | None = None, size: int | None = None) -> Json:
    """A field of a vmdesc."""
    found: dict[str, Any] = {"name": name, "type": kind, "size": SIZES[kind] if size is None else size}
    return found if count is None else {**found, "array_len": count}


def struct(name: str, state: Json, *, count: int | None = None, index: int | None = None) -> Json:
    """A field that is a struct."""
    found: dict[str, Any] = {"name": name, "type": "struct", "size": size_of(state), "struct": state}
    if index is not None:
        found["index"] = index
    return found if count is None else {**found, "array_len": count}


def state(name: str, fields: Iterable[Json], subsections: Iterable[Json] = (), *, version: int = 1) -> Json:
    """A description of a VMState."""
    found: dict[str, Any] = {"vmsd_name": name, "version": version, "fields": list(fields)}
    more = list(subsections)
    return {**found, "subsections": more} if more else found


def size_of(described: Json) -> int:
    """Bytes of a state that is described."""
    text = json.dumps({"devices": [{"name": "x", "instance_id": 0, **described}]})
    return parse_vmdesc(text.encode()).sections[0].size


def stream(*states: Json | tuple[str, Json], machine: str = "pc-i440fx-7.2") -> bytes:
    """A migration stream in which everything is 0. A state with another name than its own comes with that."""
    sections = [each if isinstance(each, tuple) else (str(each["vmsd_name"]), each) for each in states]
    devices = [{"name": name, "instance_id": 0, **described} for name, described in sections]
    text = json.dumps({"page_size": 4096, "devices": devices}).encode()
    data = b"QEVM\0\0\0\3\7" + len(machine).to_bytes(4, "big") + machine.encode()
    for number, (section, described) in enumerate(zip(parse_vmdesc(text).sections, devices, strict=True)):
        name = section.name.encode()
        data += b"\4" + number.to_bytes(4, "big") + bytes((len(name),)) + name + bytes(4)
        data += int(described["version"]).to_bytes(4, "big") + bytes(section.size)
        data += b"\x7e" + number.to_bytes(4, "big")
    return data + b"\0\6" + len(text).to_bytes(4, "big") + text


def column(name: str, size: int = 4, *, version: int = 0, predicate: bool = False, num: int | None = None) -> Json:
    """A field of a dump."""
    found = {"field": name, "version_id": version, "field_exists": predicate, "size": size}
    return found if num is None else {**found, "num": num}


def table(
    name: str, fields: Iterable[Json], subsections: Iterable[Json] = (), *, version: int = 1, minimum: int = 1
) -> Json:
    """A description of a VMState in a dump."""
    found = {"name": name, "version_id": version, "minimum_version_id": minimum, "Fields": list(fields)}
    return {**found, "Subsections": list(subsections)}


def dump(machine: str = "pc-i440fx-7.2", **types: Json) -> bytes:
    """A dump of device types; ``_`` in their names stands for ``-``."""
    top: dict[str, Any] = {"vmschkmachine": {"Name": machine}}
    for name, described in types.items():
        top[name.replace("_", "-")] = {"Name": name, "version_id": 1, "minimum_version_id": 1, "Description": described}
    return json.dumps(top, indent=1).encode()


def gathered(folder: Path, *sources: tuple[str, bytes]) -> Gathered:
    """What sources, given with their labels, tell. ``folder`` takes the files."""
    files = []
    for number, (label, data) in enumerate(sources):
        path = folder / f"source-{number}"
        path.write_bytes(data)
        files.append((label, path))
    return gather(files)
