"""From drafts to definitions: types, counts, presence, names of fields.

What the sources agree on is written down; what only a version explains becomes ``since`` or ``until``; everything else
that differs, and everything that QEMU decides by code that no source shows, is an ``unknown`` of the spec language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from vmsgen.qemu.bodies import Body, Item
from vmsgen.qemu.drafts import Draft, Drafts, Slot
from vmsgen.qemu.leaf_fields import UNKNOWN, count_text, is_variable, leaf_field, leaf_text, long_slots
from vmsgen.qemu.leaves import leaf_of_dump
from vmsgen.qemu.plan import Definition, Entry, Field, TmpGroup

__all__ = ["Settler"]

#: The type of a draft as it is written where these bodies of it stand.
TypeName = Callable[[Draft, Sequence[Body]], str]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of an array whose elements are of one draft (None: only NULL pointers were seen)."""

    draft: Draft | None
    count: int
    nullable: bool


class Settler:
    """Makes definitions. ``type_name`` gives the name of a struct where it is used; ``labels`` where bodies come from.

    ``gates`` tells whether a draft's version is on the wire, so that ``since`` means something.
    """

    def __init__(
        self,
        drafts: Drafts,
        type_name: TypeName,
        labels: Callable[[Draft, int], frozenset[str]],
        gates: Callable[[Draft], bool],
    ) -> None:
        self._drafts = drafts
        self._type_name = type_name
        self._labels = labels
        self._gates = gates

    def definition(self, draft: Draft, name: str | None) -> Definition:
        """The definition of a draft, its subsections included."""
        minimum, version = draft.versions
        made = Definition(name, draft.name, self._entries(draft), version, minimum)
        made.subsections = [self.definition(each, None) for each in draft.subsections]
        if all(body.dumped for body in draft.bodies) and draft.slots:
            made.comment = "no stream has shown this: types are by size in memory"
        return made

    # ------------------------------------------------------------------ entries

    def _entries(self, draft: Draft) -> list[Entry]:
        found: list[Entry] = []
        longs = long_slots(draft)
        for slot in draft.slots:
            for number, entry in enumerate(self._slot(draft, slot, slot in longs)):
                if number and isinstance(entry, Field) and entry.line.endswith(f"when {UNKNOWN}"):
                    entry.comment = entry.comment or "of another kind there"
                found.append(entry)
        return found

    def _slot(self, draft: Draft, slot: Slot, long: bool) -> Iterator[Entry]:
        typed = {number: item for number, item in slot.uses.items() if not draft.bodies[number].dumped}
        dumped = {number: item for number, item in slot.uses.items() if draft.bodies[number].dumped}
        names = _names(typed, dumped)
        counted = is_variable(typed, dumped)
        presence, comment = self._presence(draft, typed, dumped, counted)
        if not typed:
            yield from self._unseen(draft, dumped, names, presence)
            return
        first = next(iter(typed.values()))
        if first.kind == "leaf":
            entry = leaf_field(names, list(typed.values()), counted, long)
            entry.line += presence
            entry.comment = comment
            yield entry
        elif first.kind == "tmp":
            yield from self._tmp(draft, slot, list(typed.values()), names, presence, counted)
        elif first.kind in ("list", "tree"):
            yield self._list(list(typed.values()), names, presence, counted, comment)
        else:
            yield from self._structs(list(typed.values()), names, presence, counted, comment)

    def _unseen(self, draft: Draft, dumped: dict[int, Item], names: list[str], presence: str) -> Iterator[Entry]:
        """A field that only dumps tell of."""
        items = list(dumped.values())
        first = items[0]
        alone = all(body.dumped for body in draft.bodies)
        comment = None if alone else "no stream has shown it: its type is by its size in memory"
        if first.kind == "leaf":
            leaf = leaf_of_dump(first.name, first.size)
            counts = {item.count for item in items}
            count = count_text(counts, False) if counts != {None} else None
            yield Field(names, leaf_text(leaf, count) + presence, comment=comment, pad=leaf.base == "pad")
            return
        inner = next(first.bodies())
        counts = {item.count for item in items}
        count = f"[{count_text(counts, False)}]" if counts != {None} else ""
        line = f"{self._type(self._drafts.of(inner), items)}{count}{presence}"
        yield Field(names, line, comment=None if alone else "no stream has shown it")

    # ------------------------------------------------------------------ what has inner descriptions

    def _structs(
        self, items: list[Item], names: list[str], presence: str, counted: bool, comment: str | None
    ) -> Iterator[Entry]:
        versions = {item.type: item for item in items}
        at_version = self._at_version(items) if "vstruct" in versions else ""
        ways: dict[tuple[Draft | None, ...], list[list[_Piece]]] = {}
        arrays = any(item.count is not None for item in items)
        for item in items:
            pieces = list(self._pieces(item))
            known = tuple(piece.draft for piece in pieces)
            ways.setdefault(known, []).append(pieces)
        _join_nulls(ways)
        for number, (known, seen) in enumerate(ways.items()):
            condition = presence or (f" when {UNKNOWN}" if len(ways) > 1 else "")
            for at, draft in enumerate(known):
                parts = [pieces[at] for pieces in seen]
                counts = {part.count for part in parts}
                several = len(known) > 1
                own = [f"{name}[{at}]" for name in names[:1]] if several else names
                is_array = (arrays and not several) or counts != {1}
                count = f"[{count_text(set(counts), counted)}]" if is_array else ""
                if draft is None:
                    # one byte each, and nobody says what stands there otherwise
                    total = count_text(set(counts), counted)
                    yield Field(own, f"bytes[{total}]{condition}", doc="NULL pointers", comment=comment)
                    continue
                null = "?" if any(part.nullable for part in parts) else ""
                line = f"{self._type(draft, items)}{null}{count}{at_version}{condition}"
                yield Field(own, line, comment=comment if number == 0 else "another kind of the same field")

    def _type(self, draft: Draft, items: Iterable[Item]) -> str:
        bodies = [body for item in items for body in item.bodies() if self._drafts.of(body) is draft]
        return self._type_name(draft, bodies)

    def _at_version(self, items: Iterable[Item]) -> str:
        """QEMU's VSTRUCT: the version that the place gives, where the struct's own is another."""
        bodies = [body for item in items for body in item.bodies()]
        versions = {body.version for body in bodies}
        if len(versions) != 1 or any(self._drafts.of(body).versions[1] in versions for body in bodies):
            return ""
        return f" at-version {versions.pop()}"

    def _pieces(self, item: Item) -> Iterator[_Piece]:
        """The elements of an array by their drafts; a NULL belongs to any."""
        draft: Draft | None = None
        count, nullable = 0, False
        for number, body in item.runs:
            own = self._drafts.of(body) if body is not None else None
            if own is not None and draft is not None and own is not draft:
                yield _Piece(draft, count, nullable)
                draft, count, nullable = None, 0, False
            draft = own or draft
            count += number
            nullable = nullable or body is None
        if count:
            yield _Piece(draft, count, nullable)

    def _list(self, items: list[Item], names: list[str], presence: str, counted: bool, comment: str | None) -> Entry:
        counts = {item.count for item in items}
        count = f"[{count_text(counts, counted)}]" if counts != {None} else ""
        states = [[self._drafts.of(body) for body in item.bodies()] for item in items]
        drafts: list[Draft] = []
        for draft in (draft for each in states for draft in each):
            if draft not in drafts:
                drafts.append(draft)
        kind = items[0].kind
        if not drafts or len(drafts) > 2 or (kind == "list" and len(drafts) > 1):
            # an empty list tells nothing of its elements
            size = 5 if kind == "tree" else 1
            dim = f"{size}" if not drafts and not count else UNKNOWN
            doc = f"{'an empty tree' if kind == 'tree' else 'an empty list'} in every stream seen"
            return Field(names, f"bytes[{dim}]{count}{presence}", doc=doc, comment=comment)
        if kind == "list":
            line = f"list({self._type(drafts[0], items)})"
        elif len(drafts) == 1:
            line = f"tree(uint64, {self._type(drafts[0], items)})"
        else:
            line = f"tree({self._type(drafts[0], items)}, {self._type(drafts[1], items)})"
        return Field(names, f"{line}{count}{presence}", comment=comment)

    def _tmp(
        self, owner: Draft, slot: Slot, items: list[Item], names: list[str], presence: str, counted: bool
    ) -> Iterator[Entry]:
        """A temporary struct: its fields stand in its user's place."""
        drafts = {id(draft): draft for item in items for body in item.bodies() for draft in [self._drafts.of(body)]}
        plain = len(drafts) == 1 and not presence and all(item.count is None for item in items)
        draft = next(iter(drafts.values()), None)
        if draft is None:
            return
        if plain and not draft.subsections and draft.versions[1] == draft.versions[0]:
            yield TmpGroup(draft.name, self._entries(draft))
        else:
            yield from self._structs(items, names, presence, counted, None)

    # ------------------------------------------------------------------ presence

    def _presence(
        self, draft: Draft, typed: dict[int, Item], dumped: dict[int, Item], counted: bool
    ) -> tuple[str, str | None]:
        """The clause of a field's line, with its blank, and a comment for whoever answers an open question."""
        bodies = list(enumerate(draft.bodies))
        streams = [number for number, body in bodies if not body.dumped]
        tables = [number for number, body in bodies if body.dumped]
        declared = len(dumped) == len(tables)
        if any(item.predicate for item in dumped.values()):
            return f" when {UNKNOWN}", None
        lowest = draft.versions[0]
        since = max((item.since for item in dumped.values()), default=0)
        if dumped and not typed and all(item.since > draft.bodies[number].version for number, item in dumped.items()):
            return " when false", None  # the table has it, for a version that the state never had
        if since > lowest and declared and self._gates(draft):
            return f" since {since}", None
        if len(typed) == len(streams) and declared:
            return "", None
        if counted and declared:
            return "", None  # an array of no elements is not described
        if self._gates(draft):
            clause = _by_version(draft, {**typed, **dumped})
            if clause:
                return clause, None
        return f" when {UNKNOWN}", self._where(draft, {**typed, **dumped})

    def _where(self, draft: Draft, uses: dict[int, Item]) -> str | None:
        """In which releases a field was seen, if that tells it from the others."""
        there: set[str] = set()
        others: set[str] = set()
        for number in range(len(draft.bodies)):
            (there if number in uses else others).update(self._labels(draft, number))
        if not there or not others or there & others or "" in there | others:
            return None
        return f"in {', '.join(_releases(there))}, not in {', '.join(_releases(others))}"


def _releases(labels: Iterable[str]) -> list[str]:
    def key(label: str) -> tuple[list[int], str]:
        parts = label.split(".")
        return ([int(part) for part in parts] if all(part.isdigit() for part in parts) else [1 << 30], label)

    return sorted(labels, key=key)


def _by_version(draft: Draft, uses: dict[int, Item]) -> str:
    """``since`` or ``until`` if the bodies' versions tell exactly which have the field."""
    there = {body.version for number, body in enumerate(draft.bodies) if number in uses}
    others = {body.version for number, body in enumerate(draft.bodies) if number not in uses}
    if not others or not there:
        return ""
    if min(there) > max(others):
        return f" since {min(there)}"
    if max(there) < min(others):
        return f" until {max(there)}"
    return ""


def _names(typed: dict[int, Item], dumped: dict[int, Item]) -> list[str]:
    """The wire names, the newest first: a dump's where there is one, for it has no suffixes."""
    found: list[str] = []
    for item in [*dumped.values(), *typed.values()]:
        name = item.name
        if name not in found and not any(_suffixed(name, other) for other in found):
            found.append(name)
    return found


def _suffixed(name: str, plain: str) -> bool:
    return name.startswith(f"{plain}[") and name.endswith("]") and name[len(plain) + 1 : -1].isdigit()


def _join_nulls(ways: dict[tuple[Draft | None, ...], list[list[_Piece]]]) -> None:
    """Arrays of nothing but NULL pointers say nothing of their elements: they join those that do."""
    nulls = ways.get((None,))
    known = next((key for key in ways if len(key) == 1 and key != (None,)), None)
    if nulls is not None and known is not None:
        ways[known] += nulls
        del ways[(None,)]
