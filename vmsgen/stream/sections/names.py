"""Which sections are of kinds that come in records, told by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vmsgen.stream.sections.record import SectionForm

__all__ = ["NAMES", "form_of"]

#: The kinds of :mod:`vmsgen.stream.sections.table`; vfio stands behind the path of its device.
NAMES = frozenset(("block", "dirty-bitmap", "spapr/htab", "s390-storage_attributes", "vfio"))


def form_of(name: str) -> SectionForm | None:
    """The kind of a section by its name in the stream, None for the others."""
    kind = name if name in NAMES else name.rpartition("/")[2]
    if kind not in NAMES:
        return None
    from vmsgen.stream.sections.table import FORMS  # here, for most streams have none of them

    return FORMS[kind]
