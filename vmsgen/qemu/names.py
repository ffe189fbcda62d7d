"""Names from a stream or a dump: which ones are taken, and how they get into specs.

A description comes from whoever made the stream. Its names are C expressions and QEMU's own identifiers, so printable
ASCII; whatever else stands in their place is refused here, before any of it reaches a file's name, YAML or code.
"""

from __future__ import annotations

import hashlib
import json
import re

from vmsgen.runtime.errors import DataError
from vmsgen.spec.names import class_name, is_type_name, pieces, python_name

__all__ = [
    "attribute_name",
    "check_field_name",
    "check_wire_name",
    "field_key",
    "group_key",
    "scalar",
    "slug",
    "struct_name",
]

MAX_WIRE_NAME = 255  # the length of a name has one byte on the wire
MAX_FIELD_NAME = 1000  # a C expression; the longest of QEMU 10.0 has 55 characters

_PLAIN = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_./+*()\[\]>-]*\Z")
_GROUPS = ("when", "since", "until", "tmp", "let", "check")
#: Names of modules that generated packages have themselves, or that specs give a meaning to.
_RESERVED = frozenset(("machine", "visitor", "index", "manifest", "model", "tags"))
_MAX_SLUG = 60
_MAX_TYPE = 60
_MAX_FIELD = 80


def check_wire_name(name: str) -> str:
    """``name`` if a VMState may be called so. Raises DataError."""
    return _checked(name, MAX_WIRE_NAME, "the name of a VMState")


def check_field_name(name: str, owner: str) -> str:
    """``name`` if a field of ``owner`` may be called so. Raises DataError."""
    return _checked(name, MAX_FIELD_NAME, f"{owner}: the name of a field")


def _checked(name: str, most: int, what: str) -> str:
    if len(name) > most:
        raise DataError(f"{what} has {len(name)} characters, more than {most}: {name[:40]!r}...")
    if not name.isascii() or not name.isprintable():
        raise DataError(f"{what} holds a character that is not printable ASCII: {name[:60]!r}")
    if not pieces(name):
        raise DataError(f"{what} has no letter or digit: {name[:60]!r}")
    return name


def scalar(text: str) -> str:
    """``text`` as a YAML scalar: plain where every reader takes it for itself, else between double quotes."""
    return text if _PLAIN.match(text) else json.dumps(text)


def field_key(name: str) -> str | None:
    """The key of a field of this wire name; None if the name would be taken for a group or cannot be derived from."""
    if name.split(" ", 1)[0] in _GROUPS and " " in name:
        return None
    return scalar(name) if python_name(name) else None


def group_key(keyword: str, name: str) -> str:
    """The key of a group: quoted only where the name would have to be."""
    return f"{keyword} {name}" if _PLAIN.match(name) else json.dumps(f"{keyword} {name}")


def struct_name(name: str) -> str:
    """The type name for a VMState."""
    made = _short(class_name(name), _MAX_TYPE, "", name)
    return made if is_type_name(made) else f"S{made.strip('_')}"


def attribute_name(name: str) -> str:
    """The Python name for a field or a subsection: that which the language derives, unless it is very long."""
    return _short(python_name(name), _MAX_FIELD, "_", name)


def _short(made: str, most: int, joint: str, name: str) -> str:
    if len(made) <= most:
        return made
    return f"{made[:most].lstrip('_')}{joint}{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def slug(name: str) -> str:
    """The file's name for a VMState, without its ending: letters, digits and single hyphens, short, nobody else's."""
    made = _short("-".join(pieces(name)).lower(), _MAX_SLUG, "-", name)
    return f"{made}-state" if made in _RESERVED else made
