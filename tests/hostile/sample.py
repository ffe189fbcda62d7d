"""The recorded sample in both formats, and where its parts stand."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vmsgen.library import REGISTRY
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.state import VMState
from vmsgen.stream.convert import convert
from vmsgen.stream.items import Section, State
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.transport.sink import MemorySink
from vmsgen.stream.transport.source import MemorySource

SAMPLE = Path(__file__).parents[2] / "examples/sample.mig.xz"


@dataclass(frozen=True)
class Part:
    """A section of the sample: its label, where it and its contents stand in the stream, its state if it is typed."""

    label: str
    start: int
    body: int
    end: int
    state: VMState | None

    @property
    def kind(self) -> str:
        """What other sections are of the same kind as."""
        return type(self.state).__name__ if self.state is not None else self.label


def binary() -> bytes:
    """The sample as QEMU wrote it."""
    return lzma.decompress(SAMPLE.read_bytes())


def converted(data: bytes, to: str) -> bytes:
    """A stream in another format. Raises DataError."""
    sink = MemorySink()
    convert(MemorySource(data), sink, to, REGISTRY)
    return sink.getvalue()


def parts(data: bytes) -> list[Part]:
    """The sections of a stream of either format."""
    found = []
    for item in StreamReader(MemorySource(data), REGISTRY).items():
        if isinstance(item, Section):
            item.exhaust()
            state = item.body.value if isinstance(item.body, State) else None
            found.append(Part(item.label, item.offset, item.body_offset, item.body_end, state))
    return found


def payloads(listed: list[Part]) -> Iterator[tuple[type[VMState], int, Facts, bytes]]:
    """Class, version, facts and payload of each typed section."""
    for part in listed:
        if part.state is not None:
            yield type(part.state), part.state.section_version, part.state.facts, part.state.to_binary()
