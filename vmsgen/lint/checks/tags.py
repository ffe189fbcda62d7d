"""Numbers of BER that are legal and still not what one would choose."""

from __future__ import annotations

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.lint.subject import Subject
from vmsgen.spec.lock import FIRST_LIBRARY_TAG, FIRST_TAG


def check_tags(subject: Subject, reporter: Reporter) -> None:
    """``tag/range`` for tags that specs ask for, ``tag/order`` for components of each definition."""
    first, last = (FIRST_LIBRARY_TAG, FIRST_TAG - 1) if subject.library else (FIRST_TAG, None)
    for definition in subject.definitions:
        if definition.tag is not None and (definition.tag < first or (last is not None and definition.tag > last)):
            whose = f"from {first} to {last}" if last is not None else f"from {first} on"
            reporter.warning(
                "tag/range",
                f"the tag {definition.tag} is not yours: these specs have those {whose}",
                definition.tag_span or definition.span,
                help="leave `tag:` out, and `vmsgen build` gives it a free one",
            )
        tags = subject.model.tags.get(definition.asn1_name)
        highest, before = -1, ""
        for field in definition.fields() if tags is not None else ():
            number = tags.components.get(field.name) if tags is not None else None
            if number is None:
                continue
            if number < highest:
                reporter.warning(
                    "tag/order",
                    f"`{field.name}` has the number {number}, `{before}` before it {highest}",
                    field.span,
                )
                break
            highest, before = number, field.name
