"""ASN.1 spelling: identifiers, type names and comments.

A wire name is cut at every character that is not a letter or a digit and its pieces are joined by single hyphens.
Type names then have every piece begin with a capital, component names begin with a small letter. asn1c writes one C
file per type, so types are compared with case folded, over all modules.
"""

from __future__ import annotations

import re

#: asn1c makes a file name of it; longer ones fail there.
LONGEST_NAME = 200

#: asn1c 0.9.28 makes an enum of the numbers of a type, ``TYPE_free`` of ``free``, and calls its functions alike.
_ASN1C_FUNCTIONS = frozenset(
    f"{verb}{form}" for verb in ("decode-", "encode-") for form in ("ber", "der", "xer", "uper", "aper", "oer")
) | {"free", "print", "constraint"}

_SPLIT = re.compile(r"[^0-9A-Za-z]+")
_HYPHENS = re.compile(r"-{2,}")


def component_name(text: str) -> str:
    """``rx_count`` -> ``rx-count``, ``CTRL`` -> ``cTRL``, ``0x10`` -> ``x0x10``; empty if nothing is left of it."""
    joined = "-".join(piece for piece in _SPLIT.split(text) if piece)
    if joined[:1].isdigit():
        return f"x{joined}"
    return joined[:1].lower() + joined[1:]


def number_name(label: str) -> str:
    """The name of a number of an INTEGER type: as a component's, but for those that asn1c's C needs for functions."""
    name = component_name(label)
    return f"{name}-value" if name in _ASN1C_FUNCTIONS else name


def pieces(text: str) -> str:
    """The pieces of a type name: ``rx-count`` -> ``Rx-Count``, ``ide/core`` -> ``Ide-Core``."""
    return "-".join(piece[:1].upper() + piece[1:] for piece in _SPLIT.split(text) if piece)


def comment(text: str) -> str:
    """``text`` made safe for a ``--`` comment: one line, printable, no two hyphens in a row (those would end it)."""
    words = " ".join(text.split())
    printable = "".join(character for character in words if character.isprintable())
    return _HYPHENS.sub("-", printable).strip("-").strip()
