"""What two streams say differently: their machine, device sections field by field, other sections, guest memory.

It is the meaning that is compared, so format, framing and the order of sections do not matter, nor in how many rounds
memory was sent. Device states and records are held for both streams, memory is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.runtime.trace import trace
from vmsgen.stream.channels.joined import joined
from vmsgen.stream.diff.memory import BlockDifference, SentMemory, compare_memory
from vmsgen.stream.items import (
    Blob,
    Chunks,
    Command,
    Configuration,
    Item,
    Package,
    RamRecords,
    Section,
    SectionRecords,
    State,
    Vmdesc,
)
from vmsgen.stream.marks import COMMAND_PACKAGED
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.transport.source import ByteSource

__all__ = ["Difference", "StreamDiff", "diff"]

#: Kinds of leaves that only say that what follows is there.
_MARKS = frozenset(("mark", "count", "null"))


@dataclass(frozen=True, slots=True)
class Difference:
    """``path`` is that of the field, with Python names; empty: the whole. A value is None where a stream has none."""

    path: str
    first: Any
    second: Any


@dataclass(slots=True)
class StreamDiff:
    """What differs. ``errors`` are those that ended the reading of a stream: then what was not read of it is not
    compared.
    """

    properties: list[Difference] = field(default_factory=list)
    only_first: list[str] = field(default_factory=list)  # labels of sections
    only_second: list[str] = field(default_factory=list)
    sections: dict[str, list[Difference]] = field(default_factory=dict)
    memory: list[BlockDifference] = field(default_factory=list)
    errors: tuple[VmsgenError | None, VmsgenError | None] = (None, None)
    warnings: tuple[list[str], list[str]] = field(default_factory=lambda: ([], []))

    @property
    def found(self) -> bool:
        """Whether anything differs."""
        return bool(self.properties or self.only_first or self.only_second or self.sections or self.memory)


@dataclass(slots=True)
class _Contents:
    """A section: its version, and the state, the bytes, or (of records and long contents) their number and digest."""

    version: int
    kind: str
    value: Any
    number: int = 0
    digest: Any = field(default_factory=lambda: hashlib.blake2b(digest_size=16))

    def take(self, piece: bytes | memoryview) -> None:
        """Counts a piece of the contents that are not held."""
        self.number += 1
        self.digest.update(piece)


class _Side:
    """One of the streams as far as it can be read."""

    def __init__(self, reader: StreamReader, channels: Sequence[ByteSource]) -> None:
        self.properties: dict[str, str] = {}
        self.sections: dict[str, _Contents] = {}
        self.memory = SentMemory()
        self.error: VmsgenError | None = None
        try:
            for item in joined(reader, channels).items():
                self._take(item)
        except VmsgenError as error:
            self.error = error
        self.warnings = reader.warnings

    @property
    def has_memory(self) -> bool:
        """Whether all the memory that the stream has was read."""
        return self.memory.ended and (self.error is None or bool(self.memory.blocks))

    def _take(self, item: Item) -> None:
        if isinstance(item, Section):
            self._section(item)
        elif isinstance(item, Configuration):
            self._configuration(item)
        elif isinstance(item, Command):
            self._command(f"{item.code}:{item.data.hex()}" if item.data else str(item.code))
        elif isinstance(item, Package):
            self._command(str(COMMAND_PACKAGED))
        elif isinstance(item, Vmdesc):
            digest = hashlib.blake2b(item.data, digest_size=8).hexdigest()
            self.properties["vmdesc"] = f"{len(item.data)} bytes, digest {digest}"

    def _command(self, code: str) -> None:
        before = self.properties.get("commands")
        self.properties["commands"] = code if before is None else f"{before} {code}"

    def _configuration(self, item: Configuration) -> None:
        told = {"machine": item.machine.decode(errors="replace")}
        if item.target_page_bits is not None:
            told["target_page_bits"] = str(item.target_page_bits)
        if item.capabilities is not None:
            told["capabilities"] = " ".join(name.decode(errors="replace") for name in item.capabilities)
        if item.uuid is not None:
            told["uuid"] = item.uuid.hex()
        for one in item.unknown:
            told[one.name.decode(errors="replace")] = one.content.hex()
        self.properties = {**told, **self.properties}

    def _section(self, section: Section) -> None:
        body = section.body
        if isinstance(body, RamRecords):
            self.memory.take(section, body)
            return
        if isinstance(body, SectionRecords):
            held = self._held(section, "records")
            for kind, values in body.entries:
                held.take(repr((kind.name, values)).encode())
        elif isinstance(body, Chunks):
            held = self._held(section, "bytes")
            for piece in body.pieces:
                held.take(piece)
        elif isinstance(body, Blob):
            self._new(section, _Contents(section.version, "bytes", bytes(body.data)))
        elif isinstance(body, State) and body.value is not None:
            self._new(section, _Contents(section.version, "state", body.value))
        elif isinstance(body, State):
            self._new(section, _Contents(section.version, "BER of an unknown state", body.element))

    def _held(self, section: Section, kind: str) -> _Contents:
        """The section that this one goes on with."""
        return self.sections.setdefault(section.label, _Contents(section.version, kind, None))

    def _new(self, section: Section, contents: _Contents) -> None:
        label, number = section.label, 1
        while label in self.sections:
            number += 1
            label = f"{section.label} ({number})"
        self.sections[label] = contents


def diff(
    first: StreamReader,
    second: StreamReader,
    *,
    channels: tuple[Sequence[ByteSource], Sequence[ByteSource]] = ((), ()),
) -> StreamDiff:
    """Compares two streams, each with its other ``channels``; an error that ends one of them stands in the result.
    Raises OSError.
    """
    one, other = _Side(first, channels[0]), _Side(second, channels[1])
    found = StreamDiff(errors=(one.error, other.error), warnings=(one.warnings, other.warnings))
    complete = one.error is None, other.error is None
    for name in dict.fromkeys([*one.properties, *other.properties]):
        # (what stands at the end is not missing where the end was not read)
        values = one.properties.get(name), other.properties.get(name)
        if values[0] != values[1] and (all(complete) or (None not in values and name != "commands")):
            found.properties.append(Difference(name, *values))
    found.only_first = [label for label in one.sections if label not in other.sections and complete[1]]
    found.only_second = [label for label in other.sections if label not in one.sections and complete[0]]
    for label, contents in one.sections.items():
        if label in other.sections:
            differences = list(_compare(contents, other.sections[label]))
            if differences:
                found.sections[label] = differences
    if one.has_memory and other.has_memory:
        found.memory = compare_memory(one.memory, other.memory)
    return found


def _compare(first: _Contents, second: _Contents) -> Iterator[Difference]:
    if first.version != second.version:
        yield Difference("version", first.version, second.version)
    if first.kind != second.kind:
        yield Difference("contents", first.kind, second.kind)
    elif first.kind == "state":
        yield from _compare_states(first.value, second.value)
    elif first.value != second.value:
        yield Difference("", first.value, second.value)
    elif (first.number, first.digest.digest()) != (second.number, second.digest.digest()):
        yield Difference(
            first.kind, *(f"{each.number} with digest {each.digest.hexdigest()}" for each in (first, second))
        )


def _compare_states(first: Any, second: Any) -> Iterator[Difference]:
    if first.VMSTATE != second.VMSTATE:
        yield Difference("vmstate", first.VMSTATE, second.VMSTATE)
    try:
        left, right = _leaves(first), _leaves(second)
    except DataError:
        # (a state that was read can be written; one that cannot has no fields to compare)
        yield Difference("", first.ber_state(), second.ber_state())
        return
    for path, (value, raw) in left.items():
        if path not in right:
            if not _is_inside(path, left, right):
                yield Difference(path, value, None)
            continue
        there, there_raw = right[path]
        if raw != there_raw:
            # equal values with other bytes: what the value does not say (a boolean of 5, a pad)
            yield Difference(path, value, there) if value != there else Difference(path, raw, there_raw)
    for path, (value, _) in right.items():
        if path not in left and not _is_inside(path, right, left):
            yield Difference(path, None, value)


def _leaves(state: Any) -> dict[str, tuple[Any, bytes]]:
    """Value and bytes of every leaf by its path; a subsection is a leaf that says True."""
    data = state.to_binary()
    found: dict[str, tuple[Any, bytes]] = {}
    for leaf in trace(state):
        raw = data[leaf.offset : leaf.offset + leaf.size]
        if leaf.kind == "subsection":
            found[leaf.path] = (True, raw)
        elif leaf.kind not in _MARKS:
            found.setdefault(leaf.path, (raw if leaf.value is None else leaf.value, raw))
    return found


def _is_inside(path: str, own: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether ``path`` is inside a subsection that ``other`` lacks as a whole, which is said once."""
    at = path.find(">.")
    while at >= 0:
        outer = path[: at + 1]
        if outer in own and outer not in other:
            return True
        at = path.find(">.", at + 1)
    return False
