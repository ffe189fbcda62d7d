"""What the sources tell that a spec which is there does not: for whoever wrote it to judge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vmsgen.qemu.drafts import Draft, Drafts
from vmsgen.qemu.existing import Existing, KnownType

__all__ = ["News", "news_of"]


@dataclass(frozen=True, slots=True, order=True)
class News:
    """``module`` describes the VMState ``name`` without these fields and subsections."""

    module: str
    name: str
    fields: tuple[str, ...] = ()
    subsections: tuple[str, ...] = ()


def news_of(drafts: Drafts, existing: Existing) -> list[News]:
    """Everything new about names that ``existing`` has, each once, by module."""
    return sorted(set(_all(drafts, existing)))


def _all(drafts: Drafts, existing: Existing) -> Iterator[News]:
    for draft in drafts.all:
        known = existing.types.get(draft.name, ())
        if not known or existing.find(draft) is not None:
            continue
        best = min(known, key=lambda each: (len(each.lacks(draft)), -len(each.fields)))
        fields, subsections = tuple(best.lacks(draft)), _subsections(draft, best)
        if best.is_akin(draft) and (fields or subsections):
            yield News(best.module, draft.name, fields, subsections)


def _subsections(draft: Draft, known: KnownType) -> tuple[str, ...]:
    return tuple(each.name for each in draft.subsections if each.name not in known.subsections)
