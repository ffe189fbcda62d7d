"""Names of fields and subsections that meet: the later one gets another with ``as:``."""

from __future__ import annotations

from vmsgen.qemu.names import field_key
from vmsgen.qemu.plan import Definition
from vmsgen.spec.names import asn1_field_name, python_name

__all__ = ["name_fields", "name_subsections"]

#: What an attribute of a generated class or a name of expressions is called already.
_RESERVED = frozenset(("self", "version", "it", "mine", "true", "false", "unknown", "qemu", "machine"))


def name_fields(definition: Definition) -> None:
    """Gives ``as:`` to fields whose names meet, in Python or in ASN.1."""
    taken: set[str] = set()
    for field in definition.fields():
        if field.pad:
            continue
        wire = field.names[0]
        natural = python_name(wire)
        if field_key(wire) is None:
            natural = ""
        wanted = natural or f"field_{python_name(wire)}"
        name, number = wanted, 1
        while _key(name) in taken:
            number += 1
            name = f"{wanted.rstrip('_')}_{number}"
        taken.add(_key(name))
        if name != natural:
            field.as_name = name


def name_subsections(definition: Definition) -> None:
    """Subsections of one Python name are told apart; that of a field wins."""
    taken = {_key(field.as_name or python_name(field.names[0])) for field in definition.fields() if not field.pad}
    for subsection in definition.subsections:
        wire, owner = subsection.wire_name or "", definition.wire_name or ""
        short = wire[len(owner) :] if wire.startswith(owner) and wire != owner else wire
        natural = python_name(short) or python_name(wire)
        name, number = natural, 1
        while _key(name) in taken:
            number += 1
            name = f"{natural.rstrip('_')}_{number}"
        taken.add(_key(name))
        if number > 1:
            subsection.as_name = name


def _key(name: str) -> str:
    return asn1_field_name(name).lower()
