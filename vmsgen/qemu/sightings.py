"""Every body that the sources tell of, kept once, with where it was seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from vmsgen.qemu.bodies import Body, walk
from vmsgen.runtime.errors import LimitError

__all__ = ["Seen", "Sightings"]

MAX_BODIES = 2_000  # different ones of one name; all of QEMU 5.2, 7.2 and 10.0 have 131 of `cpu`
MAX_ITEMS = 1_000_000  # of all bodies together; those have 24,000


class Seen(NamedTuple):
    """One kind of place where a body was seen. ``label`` names the QEMU release (empty: not told), ``top`` is true for
    a section of its own, ``bus`` what its name tells of the bus, ``device`` the device type of a dump.
    """

    label: str
    top: bool
    arch: str | None = None
    bus: str | None = None
    device: str | None = None


@dataclass
class Sightings:
    """Bodies by VMState name. Subsections stand in their owners."""

    bodies: dict[str, dict[Body, set[Seen]]] = field(default_factory=dict)
    _items: int = 0

    def add(self, body: Body, seen: Seen) -> None:
        """Notes a section's body and all that are inside of it. Raises LimitError for too many."""
        known = self.bodies.get(body.name, {}).get(body)
        if known is not None and seen in known:
            return  # and so is everything below it
        inside = seen._replace(top=False, bus=None, device=None)
        for number, each in enumerate(walk(body)):
            self._note(each, {seen if number == 0 else inside})

    def join(self, other: Sightings) -> None:
        """Notes all that ``other`` has. Raises LimitError, before anything is noted, if that is too much."""
        if self._items + other._items > MAX_ITEMS:
            raise LimitError(f"the sources describe more than {MAX_ITEMS} different fields")
        for name, bodies in other.bodies.items():
            if len(self.bodies.get(name, {})) + len(bodies) > MAX_BODIES:
                raise LimitError(f"the sources describe more than {MAX_BODIES} different states called {name}")
        for _, bodies in other.bodies.items():
            for body, seen in bodies.items():
                self._note(body, seen)

    def _note(self, body: Body, seen: Iterable[Seen]) -> None:
        known = self.bodies.setdefault(body.name, {})
        if body not in known:
            self._items += 1 + len(body.items)
            known[body] = set()
            if len(known) > MAX_BODIES or self._items > MAX_ITEMS:
                raise LimitError(f"more different states called {body.name}, or fields, than can be")
        known[body].update(seen)

    def seen(self, body: Body) -> set[Seen]:
        """Where a body was seen."""
        return self.bodies[body.name][body]

    def __iter__(self) -> Iterator[tuple[Body, set[Seen]]]:
        for bodies in self.bodies.values():
            yield from bodies.items()
