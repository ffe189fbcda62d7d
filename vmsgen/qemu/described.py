"""Classes for sections that no spec describes, made of the stream's own description.

A registry around another one: what that does not know, and what it cannot decode, is turned into a spec text, compiled
and loaded, all in memory. Such a class fits the section that it was made for and is used for no other kind of contents;
its state has no type in the ASN.1 schema, so it travels through BER as the bytes that it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vmsgen.runtime.errors import LimitError, VmsgenError
from vmsgen.stream.vmdesc import DescribedSection

if TYPE_CHECKING:
    from vmsgen.qemu.bodies import Body
    from vmsgen.runtime.facts import Facts
    from vmsgen.stream.devices import Classes

__all__ = ["DescribedClasses", "described_text", "with_described"]

#: Fields of all the classes that are made for one stream: what takes a few seconds. A large machine has 10,000.
MAX_FIELDS = 100_000


class DescribedClasses:
    """The classes of ``classes`` (None: there are none), and one for every section that has a description."""

    def __init__(self, classes: Classes | None = None) -> None:
        self._classes = classes
        self._made: dict[Body, type[Any] | VmsgenError] = {}
        self._fields = 0

    def candidates(self, idstr: str, facts: Facts | None = None) -> list[Any]:
        """Classes of the wrapped registry that a section of this name may be of."""
        return [] if self._classes is None else self._classes.candidates(idstr, facts)

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


def with_described(classes: Classes | None) -> Classes:
    """``classes`` with those that a stream's own description gives."""
    return classes if isinstance(classes, DescribedClasses) else DescribedClasses(classes)


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
