"""Which kind of section is read by which description: one line each.

Imported where there is such a section: few streams have one.
"""

from __future__ import annotations

from collections.abc import Mapping

from vmsgen.stream.sections.block import BLOCK
from vmsgen.stream.sections.dirty_bitmap import DIRTY_BITMAP
from vmsgen.stream.sections.htab import HTAB
from vmsgen.stream.sections.record import SectionForm
from vmsgen.stream.sections.storage_attributes import STORAGE_ATTRIBUTES
from vmsgen.stream.sections.vfio import VFIO

__all__ = ["FORMS", "FORMS_BY_TAG"]

FORMS: Mapping[str, SectionForm] = {
    "block": BLOCK,
    "dirty-bitmap": DIRTY_BITMAP,
    "spapr/htab": HTAB,
    "s390-storage_attributes": STORAGE_ATTRIBUTES,
    "vfio": VFIO,  # behind the path of its device
}

#: By the context tag of the contents in BER.
FORMS_BY_TAG: Mapping[int, SectionForm] = {form.body_tag: form for form in FORMS.values()}
