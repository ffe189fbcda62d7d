"""Records of the sections in :mod:`vmsgen.stream.sections` in BER: a SEQUENCE of context tags under an APPLICATION
tag, a NULL where there are no fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from vmsgen.runtime import ber
from vmsgen.runtime.ber import APPLICATION, CONTEXT, UNIVERSAL, tag_bytes, tlv
from vmsgen.runtime.errors import LimitError
from vmsgen.stream.ber.source import BerSource, Head
from vmsgen.stream.sections.record import Entry, Field, FieldKind, RecordType, SectionForm
from vmsgen.stream.transport.sink import ByteSink

__all__ = ["read_entries", "write_entries"]

_INTEGER = tag_bytes(UNIVERSAL, False, ber.INTEGER)
_MAX_NUMBERS = 1 << 16
_PIECE = 4096  # octets from which on they are not copied together with what stands before them


def read_entries(source: BerSource, form: SectionForm) -> Iterator[Entry]:
    """The records up to the end of the container that was entered last. Raises DataError."""
    types = {kind.tag: kind for kind in form.types}
    while source.more():
        head = source.head()
        kind = types.get(head.number) if head.tag_class == APPLICATION else None
        if kind is None:
            raise source.fail(f"expected a record of section {form.name}, found {head.describe()}", head.start)
        if kind.fields:
            source.enter(head)
            yield kind, tuple(_fields(source, kind))
        else:
            source.null(head)
            yield kind, ()


def _fields(source: BerSource, kind: RecordType) -> Iterator[Any]:
    head: Head | None = None
    ended = False
    for number, field in enumerate(kind.fields):
        what = f"{field.name} of {kind.name}"
        if head is None and not ended:
            ended = not source.more()
            head = None if ended else source.head()
        if head is not None and (head.tag_class, head.number) == (CONTEXT, number):
            yield _value(source, head, field, what)
            head = None
        elif field.optional:
            yield None
        else:
            found = "its end" if head is None else head.describe()
            raise source.fail(f"expected {what}, found {found}", source.source.offset if head is None else head.start)
    if head is not None:
        raise source.fail(f"{head.describe()} does not belong here", head.start)
    if not ended:
        source.leave(f"a record ({kind.name})")


def _value(source: BerSource, head: Head, field: Field, what: str) -> Any:
    if field.kind is FieldKind.NUMBER:
        return source.integer(head, field.high, what)
    if field.kind is FieldKind.TEXT:
        return source.text(head, what).encode()
    if field.kind is FieldKind.NUMBERS:
        return tuple(_numbers(source, head, field, what))
    return source.octets(head, what, limit=field.high)


def _numbers(source: BerSource, head: Head, field: Field, what: str) -> Iterator[int]:
    source.enter(head)
    count = 0
    while source.more():
        one = source.head()
        if (one.tag_class, one.number) != (UNIVERSAL, ber.INTEGER):
            raise source.fail(f"expected {what}, found {one.describe()}", one.start)
        count += 1
        if count > _MAX_NUMBERS:
            raise LimitError(f"{what}: more than {_MAX_NUMBERS}", offset=one.start)
        yield source.integer(one, field.high, what)


def write_entries(sink: ByteSink, entries: Iterable[Entry]) -> None:
    """Writes the records, each of definite length. Raises OSError."""
    for kind, values in entries:
        if not kind.fields:
            sink.write(tlv(tag_bytes(APPLICATION, False, kind.tag), b""))
            continue
        parts: list[bytes] = []
        for number, (field, value) in enumerate(zip(kind.fields, values, strict=True)):
            if value is None:
                continue
            several = field.kind is FieldKind.NUMBERS
            content = ber.integer_content(value) if field.kind is FieldKind.NUMBER else value
            if several:
                content = b"".join(tlv(_INTEGER, ber.integer_content(one)) for one in value)
            parts.append(tag_bytes(CONTEXT, several, number) + ber.length_bytes(len(content)))
            parts.append(content)
        head = tag_bytes(APPLICATION, True, kind.tag) + ber.length_bytes(sum(map(len, parts)))
        if not parts or len(parts[-1]) < _PIECE:
            sink.write(head + b"".join(parts))
        else:
            sink.write(head + b"".join(parts[:-1]))
            sink.write(parts[-1])
