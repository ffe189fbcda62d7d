"""Every body that the sources tell of, kept once, with where it was seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from vmsgen.qemu.bodies import Body, walk

__all__ = ["Seen", "Sightings"]


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

    def add(self, body: Body, seen: Seen) -> None:
        """Notes a section's body and all that are inside of it."""
        known = self.bodies.get(body.name, {}).get(body)
        if known is not None and seen in known:
            return  # and so is everything below it
        inside = seen._replace(top=False, bus=None, device=None)
        for number, each in enumerate(walk(body)):
            self.bodies.setdefault(each.name, {}).setdefault(each, set()).add(seen if number == 0 else inside)

    def join(self, other: Sightings) -> None:
        """Notes all that ``other`` has."""
        for name, bodies in other.bodies.items():
            own = self.bodies.setdefault(name, {})
            for body, seen in bodies.items():
                own.setdefault(body, set()).update(seen)

    def seen(self, body: Body) -> set[Seen]:
        """Where a body was seen."""
        return self.bodies[body.name][body]

    def __iter__(self) -> Iterator[tuple[Body, set[Seen]]]:
        for bodies in self.bodies.values():
            yield from bodies.items()
