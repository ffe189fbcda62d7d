"""The vmdesc behind a spooled stream: found from the end, so that it helps with the sections before it."""

from __future__ import annotations

from vmsgen.runtime.errors import DataError
from vmsgen.runtime.slotted import Slotted, field
from vmsgen.stream import marks
from vmsgen.stream.transport.source import MemorySource
from vmsgen.stream.vmdesc import MAX_BYTES
from vmsgen.stream.vmdesc.description import DescribedSection, Description
from vmsgen.stream.vmdesc.parsing import parse_vmdesc

__all__ = ["Trailer", "find_trailer"]

_WINDOWS = (1 << 18, 1 << 20, 8 << 20, MAX_BYTES)


class Trailer(Slotted):
    """What the description tells, section by section in the order of the stream."""

    description: Description | None = None
    warnings: list[str] = field(default_factory=list)
    passed: int = 0  # descriptions that were given out or passed over

    def next(self, name: str, instance: int) -> DescribedSection | None:
        """The description of the next section if it is this one; one that the stream does not have is passed over."""
        sections = self.description.sections if self.description is not None else ()
        for at in range(self.passed, len(sections)):
            if sections[at].name == name and sections[at].instance == instance:
                self.passed = at + 1
                return sections[at]
        return None


def find_trailer(source: MemorySource) -> Trailer:
    """Looks for the vmdesc at the end of what was spooled: end mark, ``06``, a length that reaches to the end, a JSON
    object.

    None is no error; one that cannot be read is a warning.
    """
    for size in _WINDOWS:
        lowest = max(source.pos, source.end - size)
        text = _description(bytes(source.view[lowest : source.end]))
        if text is not None or lowest == source.pos:
            break
    if text is None:
        return Trailer()
    try:
        return Trailer(parse_vmdesc(text))
    except DataError as error:
        return Trailer(warnings=[f"{error.message}; sections are read without it"])


def _description(tail: bytes) -> bytes | None:
    """The JSON in the last bytes of a stream."""
    at = len(tail)
    # JSON text holds no byte 06, so the first hit from the end is mostly the one
    while (at := tail.rfind(marks.VMDESC, 0, at)) >= 0:
        length = int.from_bytes(tail[at + 1 : at + 5], "big")
        if at + 5 + length == len(tail) and tail[at + 5 : at + 6] == b"{":
            return tail[at + 5 :]
    return None
