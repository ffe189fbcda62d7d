"""An import: sources in, spec files out, and a report of what was found and what stayed open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from vmsgen.qemu.bodies import Body
from vmsgen.qemu.drafts import make_drafts
from vmsgen.qemu.files import Filer
from vmsgen.qemu.plan import Plan
from vmsgen.qemu.sightings import Seen, Sightings
from vmsgen.qemu.sources import SourceReport, read_source
from vmsgen.runtime.errors import VmsgenError
from vmsgen.settings import shipped_specs

__all__ = ["VIEWS", "Gathered", "gather", "plan_exactly", "rank_of"]

#: Views of the shipped library that imported specs use, with the modules they stand in.
VIEWS = {"PciHeader": "pci/device"}


@dataclass
class Gathered:
    """What the sources told. ``failed``: sources that could not be read, with the reason."""

    sightings: Sightings = field(default_factory=Sightings)
    sources: list[SourceReport] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


def gather(sources: Iterable[tuple[str, Path]], progress: Callable[[Path], None] | None = None) -> Gathered:
    """Reads all sources, given as label (may be empty) and path. A source that cannot be read is noted."""
    found = Gathered()
    for label, path in sources:
        if progress is not None:
            progress(path)
        # what a broken source has told before it broke is not taken
        own = Sightings()
        try:
            report = read_source(path, label, own)
        except (VmsgenError, OSError) as error:
            reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
            found.failed.append((str(path), reason))
            continue
        found.sources.append(report)
        found.sightings.join(own)
    return found


def rank_of(sightings: Sightings) -> Callable[[Body], tuple[object, ...]]:
    """Bodies of streams before those of dumps, newer releases first, then higher versions and longer bodies."""

    def rank(body: Body) -> tuple[object, ...]:
        newest = max((_release(seen) for seen in sightings.seen(body)), default=())
        return (body.dumped, [-part for part in newest] or [0], -body.version, -len(body.items), repr(body.items))

    return rank


def _release(seen: Seen) -> tuple[int, ...]:
    parts = seen.label.split(".")
    return tuple(map(int, parts)) if all(part.isdigit() and len(part) < 9 for part in parts) else ()


def plan_exactly(body: Body) -> Plan:
    """One file for one section's body as it is: nothing is merged, so nothing is open."""
    sightings = Sightings()
    sightings.add(body, Seen("", True))
    drafts = make_drafts(sightings, rank_of(sightings), exact=True)
    return Filer(drafts, _views()).only(body)


@cache
def _views() -> dict[str, str]:
    shipped = shipped_specs()
    return {
        name: f"qemu/{module}"
        for name, module in VIEWS.items()
        if shipped is not None and (shipped / f"{module}.yaml").is_file()
    }
