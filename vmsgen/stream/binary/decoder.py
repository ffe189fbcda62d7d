"""What a reader of binary streams asks of whoever knows the contents of device sections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from vmsgen.runtime.slotted import Slotted
from vmsgen.stream.items import Body, Configuration, Section

if TYPE_CHECKING:
    from vmsgen.stream.vmdesc.description import DescribedSection


class Undecoded(Slotted):
    """The contents of a device section before anyone looked at them.

    ``data`` is all that was spooled, ``start`` where the contents begin in it, ``end`` where the description says they
    end (None: it does not say). ``fits(end)`` tells whether what stands at ``end`` may follow this section,
    ``ends(stop)`` lists such ends up to ``stop``; ``base`` is the offset of ``data`` in the input.
    """

    section: Section
    data: memoryview
    start: int
    end: int | None
    fits: Callable[[int], bool]
    ends: Callable[[int], Iterator[int]]
    described: DescribedSection | None
    base: int


class SectionDecoder(Protocol):
    """Who turns the contents of device sections into typed objects."""

    def configure(self, configuration: Configuration | None) -> None:
        """Takes what the stream says about its machine, before the first section."""

    def knows(self, section: Section) -> bool:
        """Whether it can decode this part (START, PART, END) of a section."""

    def decode(self, job: Undecoded) -> tuple[Body, int]:
        """The contents and where they end. Raises DataError if the end is not known and cannot be found."""
