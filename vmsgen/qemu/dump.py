"""``-dump-vmstate``: what the VMStates of all device types of a QEMU may hold.

QEMU prints it by hand (``migration/savevm.c``, ``dump_vmstate_json_to_file``, QEMU 5.2 to 10.0), nothing escaped. It
has versions, predicates and every subsection, and in place of types the sizes of things in memory. Fields stand under
their own names, without the suffixes that a vmdesc gives to names that occur twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vmsgen.qemu.bodies import MAX_ITEMS, MAX_LEVELS, MAX_SUBSECTIONS, Body, Item
from vmsgen.qemu.names import check_field_name, check_wire_name
from vmsgen.runtime.errors import DataError, LimitError

__all__ = ["Dump", "DumpedType", "is_dump", "parse_dump"]

MAX_BYTES = 16 << 20  # one of QEMU 10.0 has 0.9 MB
_MAX_OBJECTS = 500_000  # of JSON; that one has 8,000, and each takes some hundred bytes of memory
_MAX_DEPTH = 64
_MAX_NUMBER = 1 << 31


@dataclass(frozen=True, slots=True)
class DumpedType:
    """A device type (QOM) and its description. ``unmigratable``: its description has no fields at all."""

    type: str
    body: Body
    unmigratable: bool


@dataclass(frozen=True, slots=True)
class Dump:
    """A dump. ``machine`` is the machine type it was made with, which changes nothing in it."""

    machine: str | None
    types: tuple[DumpedType, ...]


def is_dump(start: bytes) -> bool:
    """Whether a file that begins so is a dump."""
    return start.lstrip()[:1] == b"{"


def parse_dump(data: bytes) -> Dump:
    """Parses a dump. Raises DataError if it is none, LimitError if it is out of all proportion."""
    if len(data) > MAX_BYTES:
        raise LimitError(f"a dump of more than {MAX_BYTES} bytes")
    if data.count(b"{") > _MAX_OBJECTS:
        raise LimitError(f"a dump of more than {_MAX_OBJECTS} objects")
    try:
        top = json.loads(data.decode("utf-8", "surrogateescape"), strict=False)
    except RecursionError:
        raise LimitError("the dump is nested too deeply") from None
    except ValueError as error:
        raise DataError(f"expected the JSON of -dump-vmstate: {error}") from None
    machine = top.get("vmschkmachine") if isinstance(top, dict) else None
    if not isinstance(machine, dict):
        raise DataError("expected the JSON of -dump-vmstate, which begins with vmschkmachine")
    name = machine.get("Name")
    counts_said = b'"num":' in data
    return Dump(
        name if isinstance(name, str) and name.isascii() and name.isprintable() else None,
        tuple(_types(top, counts_said)),
    )


def _types(top: dict[str, Any], counts_said: bool) -> Iterator[DumpedType]:
    for type_name, entry in top.items():
        if type_name == "vmschkmachine":
            continue
        described = entry.get("Description") if isinstance(entry, dict) else None
        if described is None:
            continue
        body = _Reader(counts_said).body(described, check_wire_name(type_name), 0)
        yield DumpedType(type_name, body, "Fields" not in described)


class _Reader:
    def __init__(self, counts_said: bool) -> None:
        self._counts_said = counts_said

    def body(self, value: Any, where: str, depth: int, level: int = 0) -> Body:
        if depth > _MAX_DEPTH or level > MAX_LEVELS:
            raise LimitError("the dump is nested too deeply")
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            raise DataError(f"dump: expected a description with a name at {where}")
        name = check_wire_name(value["name"])
        where = f"{where}/{name}"
        fields, subsections = value.get("Fields", []), value.get("Subsections", [])
        if not isinstance(fields, list) or not isinstance(subsections, list):
            raise DataError(f"dump: expected lists of fields and subsections at {where}")
        if len(fields) > MAX_ITEMS or len(subsections) > MAX_SUBSECTIONS:
            raise LimitError(
                f"{where}: {len(fields)} fields and {len(subsections)} subsections are above the limits of "
                f"{MAX_ITEMS} and {MAX_SUBSECTIONS}"
            )
        return Body(
            name,
            _number(value, "version_id", where),
            tuple(self._item(one, where, depth) for one in fields),
            tuple(self.body(one, where, depth + 1, level + 1) for one in subsections),
            minimum=_number(value, "minimum_version_id", where),
            dumped=True,
        )

    def _item(self, value: Any, where: str, depth: int) -> Item:
        if not isinstance(value, dict) or not isinstance(value.get("field"), str):
            raise DataError(f"dump: expected a field with a name at {where}")
        name = check_field_name(value["field"], where)
        place = f"{where}.{name}"
        inner = value.get("Description")
        runs = ((1, self.body(inner, place, depth + 1)),) if inner is not None else ()
        # an array of fixed length says it from QEMU 10.0 on; what is counted by another member never does
        count = _number(value, "num", place) if "num" in value else None
        return Item(
            name,
            "struct" if runs else "leaf",
            "",
            0 if runs else _number(value, "size", place),
            count,
            runs,
            since=_number(value, "version_id", place),
            predicate=value.get("field_exists") is True,
            counts_said=self._counts_said,
        )


def _number(value: dict[str, Any], key: str, where: str) -> int:
    found = value.get(key, 0)
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= _MAX_NUMBER:
        raise DataError(f"dump: expected a number from 0 to {_MAX_NUMBER} as {key} at {where}")
    return found
