"""Classes for sections that no spec describes, made of the stream's own description.

A registry around another one: the description of a section is turned into a spec text, compiled and loaded, all in
memory. Such a class fits the section that it was made for and is used for no other kind of contents; its state has no
type in the ASN.1 schema (its tag is 0), so it travels through BER as the bytes that it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vmsgen.runtime.errors import LimitError, VmsgenError

if TYPE_CHECKING:
    from vmsgen.qemu.bodies import Body
    from vmsgen.runtime.facts import Facts
    from vmsgen.stream.devices import Classes
    from vmsgen.stream.vmdesc.description import DescribedSection

__all__ = ["WithDescribed", "described_text", "with_described"]

#: Fields of all the classes that are made for one stream: seconds, at about 1 ms each. The most of QEMU 10.0 are 1,100.
MAX_FIELDS = 10_000

#: Elements of no bytes that a section may have besides those with some.
MAX_EMPTY = 1 << 12


class WithDescribed:
    """The classes of ``classes`` (None: there are none), and one for every section that has a description."""

    def __init__(self, classes: Classes | None = None) -> None:
        self._classes = classes
        self._made: dict[Body, type[Any] | VmsgenError] = {}
        self._fields = 0

    def candidates(self, idstr: str, facts: Facts | None = None, part: str = "full") -> list[Any]:
        """Classes of the wrapped registry that a section of this name may be of."""
        return [] if self._classes is None else self._classes.candidates(idstr, facts, part)

    def by_tag(self, tag: int) -> Any | None:
        """The class of the wrapped registry with this APPLICATION tag."""
        return None if self._classes is None else self._classes.by_tag(tag)

    def described(self, section: DescribedSection, version: int) -> Any | None:
        """The class for the contents of ``section`` in ``version``; None if the description says nothing of them.

        Raises VmsgenError if it cannot be made: names that are none, limits.
        """
        if section.state is None or not section.exact:
            return None
        from dataclasses import replace

        from vmsgen.qemu.bodies import body_of_vmdesc

        body = replace(body_of_vmdesc(section.state), version=version)
        if _elements(body, {}) > section.size + MAX_EMPTY:
            raise LimitError(f"it describes more elements than {section.size} bytes can be")
        made = self._made.get(body)
        if made is None:
            self._fields += _fields(body)
            try:
                made = self._make(body)
            except VmsgenError as error:
                made = error
            self._made[body] = made
        if isinstance(made, VmsgenError):
            raise made
        return made

    def _make(self, body: Body) -> type[Any]:
        from vmsgen.qemu.compiling import class_of_text

        if self._fields > MAX_FIELDS:
            raise LimitError(f"the sections of this stream describe more than {MAX_FIELDS} fields")
        path, text = described_text(body)
        made = class_of_text(path, text)
        made.TAG = 0  # the schema knows nothing of it
        return made


def with_described(classes: Classes | None) -> WithDescribed:
    """``classes`` with those that a stream's own description gives."""
    return classes if isinstance(classes, WithDescribed) else WithDescribed(classes)


def described_text(body: Body) -> tuple[str, str]:
    """Path and text of the spec for just this body. Raises VmsgenError."""
    from vmsgen.qemu.importer import plan_exactly
    from vmsgen.qemu.yaml_text import spec_text

    plan = plan_exactly(body)
    return plan.path, spec_text(plan)


def _fields(body: Body) -> int:
    """How many fields have to be compiled; equal bodies inside count once."""
    seen: set[Body] = set()
    waiting, found = [body], 0
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        found += len(each.items) + 1
        waiting += each.subsections
        for item in each.items:
            waiting += item.bodies()
            found += len(item.runs)
    return found


def _elements(body: Body, known: dict[Body, int]) -> int:
    """How many values there are to read, elements of no bytes included; ``known`` are the answers for bodies inside."""
    if body not in known:
        found = sum(_elements(subsection, known) for subsection in body.subsections)
        for item in body.items:
            found += 1 if item.runs or item.count is None else item.count
            found += sum(count * (1 if inner is None else _elements(inner, known)) for count, inner in item.runs)
        known[body] = max(found, 1)
    return known[body]
