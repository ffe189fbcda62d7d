"""How the names of a spec become names of Python and of ASN.1.

Wire names may hold any character; what is derived from them is the only way into generated code, so everything that
these functions return is an identifier of its language. Two names that meet are not renamed: the callers report them.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

#: Attributes that every generated class has, and ``self``; a field of such a name gets a ``_`` at its end.
CLASS_MEMBERS = frozenset(
    [
        "self",
        "visit",
        "to_binary",
        "from_binary",
        "to_ber",
        "from_ber",
        "identical",
        "VMSTATE",
        "VERSION",
        "MINIMUM_VERSION",
        "TAG",
        "save",
        "load",
        "load_at",
        "before_save",
        "after_load",
        "to_json",
        "from_json",
        "ber_state",
        "from_ber_state",
        "matches",
        "facts",
        "section_version",
        "FIELDS",
        "ABSENT",
        "WIRE_NAMES",
        "TAGS",
        "MARKED",
        "OLD_STYLE",
        "SUBSECTIONS",
        "VIEWS",
    ]
)

#: Suffixes that the ASN.1 emitter gives to the inner types of a definition.
ASN1_TYPE_SUFFIXES = ("Item", "Row", "Or-Null", "Subsections")

_OUTSIDE = re.compile(r"[^0-9A-Za-z]+")
_IDENTIFIER = re.compile(r"[A-Za-z][0-9A-Za-z_]*\Z")
_TYPE_NAME = re.compile(r"[A-Za-z][0-9A-Za-z]*(?:_[0-9A-Za-z]+)*\Z")


def pieces(name: str) -> list[str]:
    """The runs of letters and digits of ``name``."""
    return [piece for piece in _OUTSIDE.split(name) if piece]


def raised(piece: str) -> str:
    """``piece`` with its first letter as a capital, the others as they are."""
    return piece[:1].upper() + piece[1:]


def without_prefix(name: str, prefixes: Iterable[str]) -> str:
    """``name`` without the longest of ``prefixes`` that it starts with; a prefix that is all of it stays."""
    matching = [prefix for prefix in prefixes if name.startswith(prefix) and name != prefix]
    return name[len(max(matching, key=len)) :] if matching else name


def python_name(name: str, strip: Iterable[str] = ()) -> str:
    """The attribute for a wire name: ``env.cr[0]`` without ``env.`` is ``cr_0``. Empty when nothing is left of it."""
    derived = "_".join(pieces(without_prefix(name, strip)))
    if not derived:
        return ""
    if derived[0].isdigit():
        derived = "_" + derived
    if keyword.iskeyword(derived) or derived in CLASS_MEMBERS:
        derived += "_"
    return derived


def class_name(name: str) -> str:
    """The class for a wire name: ``virtio-net`` is ``VirtioNet``, ``PCIDevice`` stays. Empty when nothing is left."""
    derived = "".join(raised(piece) for piece in pieces(name))
    if derived[:1].isdigit():
        derived = "_" + derived
    if keyword.iskeyword(derived):
        derived += "_"
    return derived


def asn1_type_part(name: str) -> str:
    """The part of an ASN.1 type name for a wire or Python name: ``mit_state`` is ``Mit-State``."""
    return "-".join(raised(piece) for piece in pieces(name))


def asn1_type_name(*names: str) -> str:
    """``Vm`` and the parts: ``("e1000", "mit_state")`` is ``VmE1000-Mit-State``. No reserved word begins so."""
    return "Vm" + "-".join(asn1_type_part(name) for name in names)


def asn1_field_name(name: str) -> str:
    """The component for a Python name: ``cr_0`` is ``cr-0``, ``_64bit`` is ``x64bit``."""
    joined = "-".join(pieces(name))
    if joined[:1].isdigit():
        return "x" + joined
    return joined[:1].lower() + joined[1:]


def asn1_module_name(path: str) -> str:
    """The ASN.1 module of a spec: ``timer/hpet`` is ``Vmsgen-Dev-Timer-Hpet``."""
    return "Vmsgen-Dev-" + asn1_type_part(path)


def is_identifier(text: str) -> bool:
    """Whether ``text`` may name a let, a parameter, a constant, a prop or a label."""
    return _IDENTIFIER.match(text) is not None and not keyword.iskeyword(text)


def is_type_name(text: str) -> bool:
    """Whether ``text`` may name a struct, an alias, an enum or flags."""
    return _TYPE_NAME.match(text) is not None and not keyword.iskeyword(text)
