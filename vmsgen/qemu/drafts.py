"""Bodies of one VMState merged into drafts: which fields there are, in which order, and which bodies have them.

A VMState name may stand for several things (``serial`` is a wrapper on ISA and the UART inside of it; ``cpu`` is 20
processors). Bodies that have most fields in common are one draft, others are variants of the name. With ``exact`` only
equal bodies are one draft: then nothing is merged and nothing stays open, which is what reading one stream needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from vmsgen.qemu.align import Effort, Label, align
from vmsgen.qemu.bodies import Body, Item
from vmsgen.qemu.shapes import Shape, alike, labels_of
from vmsgen.qemu.sightings import Sightings
from vmsgen.runtime.errors import LimitError

__all__ = ["Draft", "Drafts", "Slot", "make_drafts"]

_CYCLES = 500  # QEMU 10.0 has 3
_ENOUGH = 4  # a body of so many fields that are all in another one is the same thing


@dataclass(eq=False)
class Slot:
    """A field of a draft: the items that it is in each body that has it."""

    label: Label
    uses: dict[int, Item] = field(default_factory=dict)  # by the body's number in the draft


@dataclass(eq=False)
class Draft:
    """One thing of a VMState name. ``bodies``: those of streams first, the newest release first."""

    name: str
    bodies: list[Body]
    slots: list[Slot] = field(default_factory=list)
    subsections: list[Draft] = field(default_factory=list)
    owner: Draft | None = None

    @property
    def versions(self) -> tuple[int, int]:
        """The lowest version that can be read, and the newest."""
        lowest = [body.version if body.minimum is None else min(body.minimum, body.version) for body in self.bodies]
        return min(lowest), max(body.version for body in self.bodies)


@dataclass
class Drafts:
    """All drafts, and the one of each body."""

    sightings: Sightings
    all: list[Draft] = field(default_factory=list)
    effort: Effort = field(default_factory=Effort)
    _of: dict[Body, Draft] = field(default_factory=dict)

    def of(self, body: Body) -> Draft:
        """The draft that a body was merged into."""
        return self._of[body]

    def add(self, name: str, bodies: list[Body]) -> Draft:
        """A draft of these bodies."""
        draft = _merged(name, bodies, self.effort)
        self.all.append(draft)
        for body in bodies:
            self._of[body] = draft
        return draft

    def inner(self, draft: Draft) -> Iterator[Draft]:
        """The drafts that the fields of a draft (or of its subsections) are of."""
        for slot in draft.slots:
            for item in slot.uses.values():
                for body in item.bodies():
                    yield self._of[body]
        for subsection in draft.subsections:
            yield from self.inner(subsection)


Rank = Callable[[Body], tuple[object, ...]]
Labels: TypeAlias = tuple[Label, ...]


def make_drafts(sightings: Sightings, rank: Rank, *, exact: bool = False) -> Drafts:
    """Merges everything that was seen. ``rank`` orders the bodies of a name, the ones to follow first.

    Raises LimitError for descriptions out of all proportion.
    """
    drafts = Drafts(sightings)
    for name, bodies in sightings.bodies.items():
        ordered = sorted(bodies, key=rank)
        groups = _equal(ordered, sightings) if exact else _similar(ordered, drafts)
        for group in groups:
            drafts.add(name, group)
    if not exact:
        _break_cycles(drafts, rank)
    return drafts


# ---------------------------------------------------------------------------------------------- groups


def _equal(bodies: Sequence[Body], sightings: Sightings) -> list[list[Body]]:
    """Every body alone, but those of one list together: a list has elements of one type."""
    together: dict[Body, int] = {body: number for number, body in enumerate(bodies)}
    name = bodies[0].name
    for other, _ in sightings:
        for owner in (other, *_all_subsections(other)):
            for item in owner.items:
                if item.kind in ("list", "tree"):
                    members = [together[body] for body in item.bodies() if body.name == name]
                    if members:
                        lowest = min(members)
                        for body, group in together.items():
                            if group in members:
                                together[body] = lowest
    groups: dict[int, list[Body]] = {}
    for body, group in together.items():
        groups.setdefault(group, []).append(body)
    return list(groups.values())


def _all_subsections(body: Body) -> Iterator[Body]:
    for subsection in body.subsections:
        yield subsection
        yield from _all_subsections(subsection)


def _similar(bodies: Sequence[Body], drafts: Drafts) -> list[list[Body]]:
    """Groups of bodies that have most of their fields in common."""
    groups: list[tuple[list[tuple[Body, Labels]], list[Body]]] = []  # one of each kind, and all
    place: dict[Labels, int] = {}
    # a state without fields may be one whose fields were all left out, unless a table says that there are none
    fieldless = 0.0 if any(body.dumped and not body.items for body in bodies) else 0.5

    def score(known: tuple[Body, Labels], body: Body, labels: Labels) -> float:
        if bool(known[1]) != bool(labels):
            return fieldless
        return _likeness(known[1], labels, _grown(known[0], body, drafts.sightings), drafts.effort)

    for body in bodies:
        labels = labels_of(body)
        at = place.get(labels)
        if at is None:
            ranked = sorted(
                ((max(score(known, body, labels) for known in of), -number) for number, (of, _) in enumerate(groups)),
                reverse=True,
            )
            at = -ranked[0][1] if ranked and ranked[0][0] >= 0.5 else len(groups)
            if at == len(groups):
                groups.append(([], []))
            groups[at][0].append((body, labels))
            place[labels] = at
        groups[at][1].append(body)
    return [group for _, group in groups]


def _grown(left: Body, right: Body, sightings: Sightings) -> bool:
    """Whether one may be what became of the other: their versions differ, and a machine may have had both."""
    if left.version == right.version:
        return False
    archs = [{seen.arch for seen in sightings.seen(body)} - {None} for body in (left, right)]
    return not archs[0] or not archs[1] or bool(archs[0] & archs[1])


def _likeness(left: Labels, right: Labels, grown: bool, effort: Effort) -> float:
    """From 0 to 1: how much of two bodies is common to both."""
    most, least = max(len(left), len(right)), min(len(left), len(right))
    if not most:
        return 1.0
    names = {label.bare for label in left} & {label.bare for label in right}
    if not names:
        return 0.0
    common = sum(a is not None and b is not None for a, b in align(left, right, alike, effort, renames=False))
    if common == least and common >= _ENOUGH:
        return 1.0
    dumped = any(isinstance(first.shape, Shape) and first.shape.dumped for first in (*left[:1], *right[:1]))
    return common / (least if dumped or grown else most)


def _break_cycles(drafts: Drafts, rank: Rank) -> None:
    """A draft must not hold itself: the bodies of such a one are told apart by how deep they stand in their own."""
    for _ in range(_CYCLES):
        found = _cycle(drafts)
        if found is None:
            return
        drafts.all.remove(found)
        levels: dict[int, list[Body]] = {}
        for body in found.bodies:
            levels.setdefault(_level(body, found, drafts, {}), []).append(body)
        if len(levels) < 2:
            groups = [[body] for body in found.bodies]
        else:
            groups = [sorted(levels[level], key=rank) for level in sorted(levels)]
        for group in groups:
            drafts.add(found.name, group)
    raise LimitError("too many descriptions hold others of their own names")


def _level(body: Body, draft: Draft, drafts: Drafts, known: dict[Body, int]) -> int:
    """How many bodies of ``draft`` stand inside one another below ``body``, itself included."""
    if body not in known:
        inside = [
            _level(inner, draft, drafts, known)
            for owner in (body, *_all_subsections(body))
            for item in owner.items
            for inner in item.bodies()
        ]
        known[body] = max(inside, default=0) + (drafts.of(body) is draft)
    return known[body]


def _cycle(drafts: Drafts) -> Draft | None:
    """A draft that is inside of itself, if there is one."""
    done: set[int] = set()
    for start in drafts.all:
        path: list[tuple[Draft, Iterator[Draft]]] = []
        open_: set[int] = set()
        if id(start) in done:
            continue
        path.append((start, drafts.inner(start)))
        open_.add(id(start))
        while path:
            draft, rest = path[-1]
            inner = next(rest, None)
            if inner is None:
                path.pop()
                open_.discard(id(draft))
                done.add(id(draft))
            elif id(inner) in open_:
                return inner
            elif id(inner) not in done:
                path.append((inner, drafts.inner(inner)))
                open_.add(id(inner))
    return None


# ---------------------------------------------------------------------------------------------- merging


def _merged(name: str, bodies: list[Body], effort: Effort) -> Draft:
    draft = Draft(name, bodies)
    merged: dict[Labels, list[Slot]] = {}
    for number, body in enumerate(bodies):
        labels = labels_of(body)
        slots = merged.get(labels)
        if slots is None:
            slots = merged[labels] = _take(draft, labels, effort)
        for slot, item in zip(slots, body.items, strict=True):
            slot.uses[number] = item
    draft.subsections = _subsections(draft, bodies, effort)
    return draft


def _take(draft: Draft, labels: Labels, effort: Effort) -> list[Slot]:
    """The slots for items with these labels; new ones stand where the items stand."""
    found: dict[int, Slot] = {}
    slots: list[Slot] = []
    for mine, theirs in align([slot.label for slot in draft.slots], labels, alike, effort):
        slot = draft.slots[mine] if mine is not None else Slot(labels[theirs or 0])
        slots.append(slot)
        if theirs is not None:
            found[theirs] = slot
    draft.slots = slots
    return [found[number] for number in range(len(labels))]


def _subsections(owner: Draft, bodies: Iterable[Body], effort: Effort) -> list[Draft]:
    """All subsections by name, in an order that suits the bodies."""
    order: list[str] = []
    found: dict[str, list[Body]] = {}
    for body in bodies:
        last = -1
        for subsection in body.subsections:
            if subsection.name not in found:
                order.insert(last + 1, subsection.name)
            last = order.index(subsection.name)
            known = found.setdefault(subsection.name, [])
            if subsection not in known:
                known.append(subsection)
    made = [_merged(name, found[name], effort) for name in order]
    for each in made:
        each.owner = owner
    return made
