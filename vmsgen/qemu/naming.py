"""Names of fields and subsections that meet: the later one gets another with ``as:``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from vmsgen.qemu.names import attribute_name, field_key
from vmsgen.qemu.plan import Definition
from vmsgen.spec.names import asn1_field_name, asn1_type_part, class_name, pieces, python_name

__all__ = ["FileNames", "TypeNames", "name_fields", "name_subsections"]

_LONGEST_TYPE = 140  # characters of an ASN.1 type; the schema allows 200
_SUBSECTIONS = "-subsections"


def name_fields(definition: Definition) -> None:
    """Gives ``as:`` to fields whose names meet, in Python or in ASN.1."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    for field in definition.fields():
        if field.pad:
            continue  # has no attribute, and gets a name that nothing else has
        wire = field.names[0]
        natural = python_name(wire) if field_key(wire) is not None else ""
        wanted = attribute_name(wire) if natural else f"field_{attribute_name(wire)}"
        name, number = wanted, counts.get(_key(wanted), 1)
        while _key(name) in taken:
            number += 1
            name = _numbered(wanted, number)
        counts[_key(wanted)] = number
        taken.add(_key(name))
        if name != natural:
            field.as_name = name


class TypeNames:
    """The ASN.1 types of all files, compared without regard to case."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def is_free(self, name: str) -> bool:
        """Whether a definition may be called so; `VmNic-Subsections` are those of `VmNic`."""
        key = name.casefold()
        return key not in self._taken and not key.endswith(_SUBSECTIONS)

    def take(self, *names: str) -> None:
        """They are somebody's from now on."""
        self._taken.update(name.casefold() for name in names)


class FileNames:
    """The classes of one file, and the ASN.1 types that it shares with all others."""

    def __init__(self, types: TypeNames, classes: Iterable[str]) -> None:
        self._types = types
        self._classes = {name.casefold() for name in classes}

    def claim(self, made: str, asn1: str) -> bool:
        """Takes the names of a definition; false if one of them is taken."""
        if made.casefold() in self._classes or not self._types.is_free(asn1):
            return False
        self._classes.add(made.casefold())
        self._types.take(asn1)
        return True


def name_subsections(definition: Definition, class_name_of: str, asn1: str, names: FileNames) -> None:
    """Subsections whose names meet those of fields or of one another, or whose class or ASN.1 type is taken or would
    be too long (it has the names of all owners in it), get another with ``as:``.
    """
    taken = {_key(field.as_name or python_name(field.names[0])) for field in definition.fields() if not field.pad}
    taken.add("unknown")  # where BER keeps those that the schema does not have
    for subsection in definition.subsections:
        wire, owner = subsection.wire_name or "", definition.wire_name or ""
        natural = wire[len(owner) :] if wire.startswith(owner) and pieces(wire[len(owner) :]) else wire
        short = natural
        if len(asn1) + len(natural) > _LONGEST_TYPE:
            short = f"s{hashlib.sha256(wire.encode()).hexdigest()[:8]}"
        named, number = short, 1
        while _key(python_name(named)) in taken or not _claim(named, class_name_of, asn1, names):
            number += 1
            named = _numbered(python_name(short), number)
        taken.add(_key(python_name(named)))
        if named != natural:
            subsection.as_name = named
        part = asn1_type_part(named)
        name_subsections(subsection, class_name_of + class_name(named), f"{asn1}-{part}", names)


def _claim(named: str, owner: str, asn1: str, names: FileNames) -> bool:
    return names.claim(f"{owner}{class_name(named)}", f"{asn1}-{asn1_type_part(named)}")


def _numbered(name: str, number: int) -> str:
    """A name to write down with ``as:``, which begins with a letter."""
    made = f"{name.rstrip('_')}_{number}"
    return f"x{made.lstrip('_')}" if made.startswith("_") else made


def _key(name: str) -> str:
    return asn1_field_name(name).lower()
