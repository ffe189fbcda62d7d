"""The elements of BER that a reading visitor is at: found by their tags, taken one by one, none left over.

Components are found by their context tags; what has an unknown tag was added by a newer writer and is kept as it
is. A component that the layout has no place for, one that it misses, one twice or out of order is an error (X.690
8.9, X.680 25).
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

from vmsgen.runtime import ber
from vmsgen.runtime.errors import DataError
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.limits import DEFAULT_LIMITS, Limits
from vmsgen.runtime.values import UNKNOWN, StateValues, Values
from vmsgen.runtime.visitor import Visitor

#: components that are no fields
VERSION, FACTS, KEPT, SUBSECTIONS = "<version>", "<facts>", "<kept>", "<subsections>"


class Scope:
    """The elements of the object or list at hand, and how far they have been taken."""

    __slots__ = ("by_name", "element", "elements", "next")

    def __init__(self, element: ber.Element) -> None:
        self.element = element
        #: components of an object that were not taken yet; None in a list
        self.by_name: dict[str, ber.Element] | None = None
        self.elements: list[ber.Element] = []
        self.next = 0


class BerElements(Visitor):
    """A visitor with the elements of ``data``."""

    def __init__(self, data: builtins.bytes, facts: Facts | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(facts, limits)
        self.data = data
        self._scopes: list[Scope] = []
        self._place: int | None = None

    def offset(self) -> int | None:
        return self._place

    def open(self, value: Values, element: ber.Element) -> None:
        """Begins an object: its components by name, unknown elements kept."""
        scope = Scope(element)
        scope.by_name = {}
        names = {number: name for name, number in value.TAGS.items()}
        last = -1
        unknown: list[builtins.bytes] = []
        for child in ber.children(self.data, element, self.limits, len(self._path)):
            name = names.get(child.number) if child.tag_class == ber.CONTEXT else None
            if name is None:
                unknown.append(self.data[child.start : child.end])
                continue
            if child.number <= last:
                self._place = child.start
                kind = "twice" if child.number == last else "out of order"
                raise self.error(f"component {child.describe()} stands {kind}", name)
            last = child.number
            scope.by_name[name] = child
        self._scopes.append(scope)
        if unknown:
            value._keep(UNKNOWN, b"".join(unknown))
        kept = scope.by_name.pop(KEPT, None)
        if kept is not None:
            for key, data in self._pairs(kept):
                value._keep(key, data)

    def close(self) -> None:
        """Ends an object: every component must have been taken."""
        scope = self._scopes.pop()
        for name, element in (scope.by_name or {}).items():
            self._place = element.start
            raise self.error("present, but the layout has no place for it", name)

    def _pairs(self, element: ber.Element) -> list[tuple[str, builtins.bytes]]:
        """Kept entries and facts: SEQUENCE OF SEQUENCE { [0] name, [1] data }."""
        found = []
        for entry in ber.children(self.data, element, self.limits):
            self._place = entry.start
            parts = list(ber.children(self.data, entry, self.limits)) if entry.constructed else []
            tags = [(part.tag_class, part.number) for part in (entry, *parts)]
            if tags != [(ber.UNIVERSAL, ber.SEQUENCE), (ber.CONTEXT, 0), (ber.CONTEXT, 1)]:
                raise self.error("expected a SEQUENCE of a name [0] and its data [1]")
            found.append((ber.text(self.data, parts[0], self.limits), ber.octets(self.data, parts[1], self.limits)))
        return found

    def take(self, name: str, universal: int, constructed: builtins.bool | None, application: int = 0) -> ber.Element:
        """The component ``name`` of the object, or the next element of the list. Raises DataError.

        ``application`` is the tag that an element of a list has when its type has one.
        """
        scope = self._scopes[-1]
        if scope.by_name is not None:
            element = scope.by_name.pop(name, None)
            if element is None:
                self._place = scope.element.start
                raise self.error("missing", name)
        else:
            if scope.next >= len(scope.elements):
                self._place = scope.element.start
                raise self.error(f"the list ends after {scope.next} elements", name)
            element = scope.elements[scope.next]
            scope.next += 1
            wanted = (ber.APPLICATION, application) if application else (ber.UNIVERSAL, universal)
            if (element.tag_class, element.number) != wanted:
                self._place = element.start
                raise self.error(f"expected {ber.describe_tag(*wanted)}, found {element.describe()}", name)
        self._place = element.start
        if constructed is not None and element.constructed != constructed:
            raise self.error(f"expected a {'constructed' if constructed else 'primitive'} element", name)
        return element

    def take_choice(self, name: str) -> ber.Element:
        """The alternative of a CHOICE: inside its explicit tag as a component, bare in a list."""
        scope = self._scopes[-1]
        if scope.by_name is None:
            if scope.next >= len(scope.elements):
                self._place = scope.element.start
                raise self.error(f"the list ends after {scope.next} elements", name)
            scope.next += 1
            alternative = scope.elements[scope.next - 1]
        else:
            inner = list(ber.children(self.data, self.take(name, ber.SEQUENCE, True), self.limits, len(self._path)))
            if len(inner) != 1:
                raise self.error(f"expected one alternative, found {len(inner)}", name)
            alternative = inner[0]
        self._place = alternative.start
        if alternative.tag_class != ber.CONTEXT:
            raise self.error(f"expected an alternative, found {alternative.describe()}", name)
        return alternative

    def guarded(self, name: str, read: Callable[..., Any], *arguments: Any) -> Any:
        """Runs a primitive of :mod:`vmsgen.runtime.ber`, with the path added to its error."""
        try:
            return read(*arguments)
        except DataError as error:
            raise error.located(path=self.path(name)) from None

    def version_of(self, cls: type[StateValues]) -> int:
        """The version component of the object at hand, 1 without one. Raises DataError for one out of range."""
        by_name = self._scopes[-1].by_name
        if by_name is None or VERSION not in by_name:
            # not written for version 1, so that a reader whose spec is newer knows what it has
            return min(max(1, cls.MINIMUM_VERSION), cls.VERSION)
        version: int = self.guarded(VERSION, ber.integer, self.data, self.take(VERSION, ber.INTEGER, False))
        if not cls.MINIMUM_VERSION <= version <= cls.VERSION:
            raise self.error(f"version {version}; {cls.MINIMUM_VERSION} to {cls.VERSION} are known", VERSION)
        return version

    def facts_of(self) -> list[tuple[str, str]]:
        """The facts component of the object at hand: names and answers."""
        by_name = self._scopes[-1].by_name
        element = by_name.pop(FACTS, None) if by_name is not None else None
        if element is None:
            return []
        found: list[tuple[str, str]] = []
        for name, data in self.guarded(FACTS, self._pairs, element):
            try:
                found.append((name, data.decode("utf-8")))
            except UnicodeDecodeError:
                raise self.error("the octets of a fact are not UTF-8", FACTS) from None
        return found
