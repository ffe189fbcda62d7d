"""From the name of a section to its class, importing a module only when its state is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from vmsgen.runtime.errors import VmsgenError
from vmsgen.runtime.facts import Facts, Unanswered
from vmsgen.runtime.garbage import uncollected
from vmsgen.runtime.state import VMState


class Entry(NamedTuple):
    """One state of a package: its wire name and older ones, its module (relative) and class, its APPLICATION tag.

    ``part`` is ``full`` for the state of a device, and of a section that comes in pieces the kind of piece: ``start``,
    ``part``, ``end``. ``match`` is what ``matches`` of its class says, so that what the facts exclude is not imported;
    None where only the class can say it.
    """

    name: str
    was: tuple[str, ...]
    module: str
    type_name: str
    tag: int
    part: str = "full"
    match: Callable[[Facts], bool] | None = None


class Registry:
    """The states of one generated package."""

    def __init__(self, package: str, entries: Sequence[Entry]) -> None:
        self.package = package
        self.entries = tuple(entries)
        self._by_name: dict[tuple[str, str], list[Entry]] = {}  # and by part
        for entry in entries:
            for name in (entry.name, *entry.was):
                self._by_name.setdefault((name, entry.part), []).append(entry)
        self._by_tag = {entry.tag: entry for entry in entries}
        self._loaded: dict[tuple[str, str], type[VMState]] = {}  # by module and class

    def __iter__(self) -> Iterator[type[VMState]]:
        """Every state of the package, in the order of its specs."""
        return (self.load(entry) for entry in self.entries)

    def load(self, entry: Entry) -> type[VMState]:
        """The class of an entry, its module imported."""
        found = self._loaded.get((entry.module, entry.type_name))
        if found is None:
            with uncollected():
                module = importlib.import_module(f"{self.package}.{entry.module}")
            found = self._loaded[entry.module, entry.type_name] = getattr(module, entry.type_name)
        return found

    def names(self) -> list[str]:
        """Every wire name, older ones included."""
        return sorted({name for name, _ in self._by_name})

    def _entries(self, idstr: str, part: str) -> list[Entry]:
        """Entries whose name is ``idstr`` or its end after a slash, the longest name first."""
        found = list(self._by_name.get((idstr, part), ()))
        position = idstr.find("/")
        while position >= 0:
            found += self._by_name.get((idstr[position + 1 :], part), ())
            position = idstr.find("/", position + 1)
        return found

    def candidates(self, idstr: str, facts: Facts | None = None, part: str = "full") -> list[type[VMState]]:
        """The states that a section of this name may be (or a part of it), those that the facts exclude left out."""
        known = facts or Facts()
        found = []
        for entry in self._entries(idstr, part):
            if entry.match is None or _may_be(entry.match, known):
                state = self.load(entry)
                if state not in found and _may_be(state.matches, known):
                    found.append(state)
        return found

    def by_tag(self, tag: int) -> type[VMState] | None:
        """The state with this APPLICATION tag, or None."""
        entry = self._by_tag.get(tag)
        return None if entry is None else self.load(entry)

    def lookup(self, name: str, facts: Facts | None = None) -> type[VMState]:
        """The class of a VMState name (or of a class name, for variants). Raises VmsgenError, with what there is.

        Several states may bear one name; ``facts`` (or the class name) then decide.
        """
        names = self.names()
        for entry in self.entries:
            if entry.type_name == name and name not in names:
                return self.load(entry)
        found = self.candidates(name, facts)
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(state.__name__ for state in found)
            raise VmsgenError(
                f"several states are called {name!r}: {listed}; look one up by its class name, or give facts"
            )
        parts = [entry.type_name for entry in self.entries if name in (entry.name, *entry.was)]
        if parts:
            raise VmsgenError(f"section {name!r} comes in parts: {', '.join(parts)}; look one up by its class name")
        import difflib

        near = difflib.get_close_matches(name, names, 1)
        raise VmsgenError(f"no state is called {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def _may_be(match: Callable[[Facts], bool], facts: Facts) -> bool:
    """Whether facts that may be incomplete do not exclude something."""
    try:
        return match(facts)
    except Unanswered:
        return True
