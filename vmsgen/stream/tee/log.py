"""What a decoder says of a stream while it comes: an event for each item, as a line of text or of JSON.

RAM is summed up by rounds. A round is one walk of the sender over the guest's memory, in the order of the blocks and of
the addresses in each: a section that begins before the place where the last one ended begins another round. (What a
receiver of postcopy asks for comes in no order; it is one round.)
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TextIO

from vmsgen.runtime.errors import DataError, TruncatedError, VmsgenError
from vmsgen.stream import marks
from vmsgen.stream.channels.detect import channel_format
from vmsgen.stream.channels.files import open_channel
from vmsgen.stream.channels.summary import summarize_channel
from vmsgen.stream.commands import command_name, command_values
from vmsgen.stream.devices import Classes
from vmsgen.stream.items import (
    COMPRESS,
    FILL,
    GROUP,
    LIST,
    MAPPED,
    PAGE,
    ROW,
    SIZE,
    XBZRLE,
    ZERO,
    Command,
    Configuration,
    Eof,
    Item,
    Package,
    PackageEnd,
    RamRecords,
    Record,
    Section,
    SectionKind,
    Vmdesc,
)
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.text.statistics import Statistics
from vmsgen.stream.text.summary import row_of
from vmsgen.stream.transport.source import ByteSource

__all__ = ["Log", "follow"]

Event = dict[str, Any]
_PAGES = frozenset((PAGE, ROW, ZERO, FILL, XBZRLE, COMPRESS))


class Log:
    """Writes events to a file, each at once, with the seconds since it was made."""

    def __init__(self, file: TextIO, *, as_json: bool) -> None:
        self._file = file
        self._as_json = as_json
        self._begin = time.monotonic()

    def say(self, event: str, offset: int | None, **values: Any) -> None:
        """Raises OSError."""
        seconds = round(time.monotonic() - self._begin, 3)
        if self._as_json:
            line = json.dumps({"seconds": seconds, "event": event, "offset": offset, **values})
        else:
            place = "" if offset is None else f"{offset:#x}"
            line = f"{seconds:9.3f} {place:>12}  {_TEXTS[event](values)}"
        self._file.write(line + "\n")
        self._file.flush()


def _section(values: Event) -> str:
    opaque = f", {values['opaque']} of them opaque" if values["opaque"] and values["contents"] == "typed" else ""
    words = f"{values['kind']:5} {values['name']}/{values['instance']}: {values['size']} bytes, {values['contents']}"
    return f"{words}{opaque}" + (f"; {values['warning']}" if "warning" in values else "")


def _pages(values: Event) -> str:
    told = f"{values['size']} bytes"
    if values["pages"] or values["zero"]:
        told += f", {_many(values['pages'], 'page')} with data, {values['zero']} of zeros"
    return told + (f", {values['other']} in another form" if values["other"] else "")


def _round(values: Event) -> str:
    sections = values["sections"]
    return f"part  {values['name']}, round {values['round']}: {_pages(values)}, in {_many(sections, 'section')}"


def _ram(values: Event) -> str:
    blocks = values["blocks"]
    listed = f"; {_many(len(blocks), 'block')}, {sum(blocks.values())} bytes" if blocks else ""
    return f"{values['kind']:5} {values['name']}: {_pages(values)}{listed}"


def _command(values: Event) -> str:
    more = ", ".join(f"{name} {value}" for name, value in values["values"].items())
    return f"command {values['name']}" + (f": {more}" if more else "")


def _summary(values: Event) -> str:
    parts = ", ".join(f"{values[part]} {part}" for part in ("ram", "framing", "typed", "opaque"))
    return f"decoded to the end: {values['bytes']} bytes: {parts}"


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


_TEXTS: Mapping[str, Callable[[Event], str]] = {
    "stream": lambda values: f"{values['format']} stream",
    "channel": lambda values: values["text"],
    "configuration": lambda values: f"machine {values['machine']}",
    "section": _section,
    "ram": _ram,
    "round": _round,
    "command": _command,
    "package": lambda values: "package",
    "package end": lambda values: "end of the package",
    "end": lambda values: "end of the sections",
    "vmdesc": lambda values: f"vmdesc of {values['bytes']} bytes",
    "warning": lambda values: f"warning: {values['text']}",
    "summary": _summary,
    "stopped": lambda values: f"decoding stopped: {values['reason']}",
}


@dataclass(slots=True)
class _Pages:
    """The records of RAM sections, counted."""

    offset: int
    sections: int = 0
    size: int = 0
    pages: int = 0  # with data, in whatever form
    zero: int = 0
    other: int = 0  # of the pages: filled, compressed, differences
    blocks: dict[str, int] = field(default_factory=dict)


class _Rounds:
    """Takes RAM sections and says what was in them, parts of a round together."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._order: dict[bytes, int] = {}
        self._page_size = 4096
        self._block = -1
        self._last = (-1, -1)
        self._open: _Pages | None = None
        self._number = 0
        self._name = ""
        self.ordered = True

    def take(self, section: Section, body: RamRecords) -> None:
        """Uses a section up. Raises DataError, OSError."""
        whole = section.kind is not SectionKind.PART
        if whole:
            self.close()
        into = _Pages(section.offset)
        first = None
        before = self._last
        for batch in body.batches:
            found = self._count(batch, into)
            first = first or found
        into.size = section.body_end - section.body_offset
        if whole:
            values = {name: value for name, value in asdict(into).items() if name not in ("sections", "offset")}
            kind = section.part
            self._log.say("ram", section.offset, kind=kind, id=section.id, name=section.label, **values)
            return
        if self._open is None or (first is not None and first < before and self.ordered):
            self.close()
            self._open = _Pages(section.offset)
            self._number += 1
            self._name = section.label
        self._open.sections += 1
        self._open.size += into.size
        self._open.pages += into.pages
        self._open.zero += into.zero
        self._open.other += into.other

    def _count(self, batch: Iterable[Record], into: _Pages) -> tuple[int, int] | None:
        """Counts records; the place of the first page."""
        first = None
        block, (_, addr) = self._block, self._last
        pages = zero = other = 0
        for record in batch:
            kind = record[0]
            if kind in _PAGES:
                addr = record[1]
                if first is None:
                    first = (block, addr)
                if kind == ROW:
                    pages += record[2]
                    addr += (record[2] - 1) * self._page_size
                elif kind == ZERO:
                    zero += record[2]
                    addr += (record[2] - 1) * self._page_size
                else:
                    pages += 1
                    other += kind != PAGE
            elif kind == GROUP:
                block = self._order.setdefault(record[1], len(self._order))
            elif kind == LIST:
                self._page_size = record[1].page_size
                for each in record[1].blocks:
                    self._listed(each.name, each.length, into)
            elif kind == SIZE:
                self._page_size = record[2]
            elif kind == MAPPED:
                self._listed(record[1].name, record[1].length, into)
        self._block = block
        if first is not None:
            self._last = (block, addr)
        into.pages += pages
        into.zero += zero
        into.other += other
        return first

    def _listed(self, name: bytes, length: int, into: _Pages) -> None:
        self._order.setdefault(name, len(self._order))
        into.blocks[name.decode(errors="replace")] = length

    def close(self) -> None:
        """Says what was in the last round. Raises OSError."""
        part, self._open = self._open, None
        if part is not None:
            values = {name: value for name, value in asdict(part).items() if name not in ("blocks", "offset")}
            self._log.say("round", part.offset, name=self._name, round=self._number, **values)


def follow(
    source: ByteSource,
    log: Log,
    why: Callable[[], str | None] = lambda: None,
    classes: Classes | None = None,
    *,
    props: Mapping[str, str] | None = None,
    machine: str | None = None,
) -> bool:
    """Reads a stream, or a channel of one, and logs what is in it; False if it cannot be read to its end: what ended it
    is in the log, too. ``why`` tells why the input ended, if it is not the end of the stream. Raises OSError.
    """
    rounds = _Rounds(log)
    reader: StreamReader | None = None
    try:
        if channel_format(source) is not None:
            channel = summarize_channel(open_channel(source), source)
            log.say("channel", 0, text=str(channel), **channel.values())
            if channel.error is not None:
                raise channel.error
            return True
        reader = StreamReader(source, classes, props=props, machine=machine)
        log.say("stream", 0, format=reader.format)
        statistics = Statistics()
        for item in reader.items():
            _say(item, log, rounds, statistics)
        statistics.bytes = source.offset
    except (VmsgenError, MemoryError) as error:
        rounds.close()
        _warn(reader, log)
        reason = str(error) or "there is not enough memory"
        cause = why()
        if cause is not None and (isinstance(error, TruncatedError) or source.at_end()):
            reason += f" ({cause})"
        place = error.offset if isinstance(error, DataError) else None
        log.say("stopped", source.offset if place is None else place, reason=reason)
        return False
    _warn(reader, log)
    log.say("summary", None, **statistics.values())
    return True


def _say(item: Item, log: Log, rounds: _Rounds, statistics: Statistics) -> None:
    if isinstance(item, Section) and isinstance(item.body, RamRecords):
        rounds.take(item, item.body)
        statistics.count(item)
        return
    rounds.close()
    if isinstance(item, Section):
        item.exhaust()
        values = row_of(item, statistics.count(item)).values()
        log.say("section", values.pop("offset"), **values)
    elif isinstance(item, Configuration):
        capabilities = [name.decode(errors="replace") for name in item.capabilities or ()]
        log.say("configuration", None, machine=item.machine.decode(errors="replace"), capabilities=capabilities)
    elif isinstance(item, Command):
        if item.code == marks.COMMAND_POSTCOPY_RUN:
            rounds.ordered = False
        values = command_values(item.code, item.data)
        log.say("command", item.offset, code=item.code, name=command_name(item.code), values=values)
    elif isinstance(item, Package | PackageEnd):
        log.say("package" if isinstance(item, Package) else "package end", item.offset)
    elif isinstance(item, Eof):
        log.say("end", item.offset)
    elif isinstance(item, Vmdesc):
        log.say("vmdesc", item.offset, bytes=len(item.data))


def _warn(reader: StreamReader | None, log: Log) -> None:
    for text in () if reader is None else reader.warnings:
        log.say("warning", None, text=text)
