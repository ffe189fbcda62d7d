"""Tags of the BER container, as ``Vmsgen-Stream.asn1`` declares them (numbers are APPLICATION tags).

The numbers spell two letters, seven bits each, as the tags of the 2014 migration RFC do; those that the RFC's schemas
name (8018, 9040, 9295, 11330, 0) are its own.
"""

from __future__ import annotations

from typing import Final

from vmsgen.runtime.ber import APPLICATION, CONTEXT, EOC, INDEFINITE, tag_bytes

QEMU_FILE: Final = 10438  # QF
CONFIGURATION: Final = 8646  # CF
SEC_START: Final = 10708  # ST
SEC_PART: Final = 10704  # SP
SEC_END: Final = 10693  # SE
SEC_FULL: Final = 10694  # SF
COMMAND: Final = 8653  # CM
PACKAGE: Final = 10315  # PK
EOF: Final = 8902  # EF
VMDESC: Final = 11076  # VD
UNKNOWN_SUBSECTION: Final = 10707  # SS

BLOCK_LIST: Final = 8018
BLOCK_PAGES: Final = 10690  # SB
FLUSH: Final = 9036  # FL
EOS: Final = 8915  # ES
ZERO_PAGE: Final = 0
FULL_PAGE: Final = 9040  # FP
PAGE_ROW: Final = 10322  # PR
XBZRLE_PAGE: Final = 11330  # XB
HOOK: Final = 9295  # HO
ZERO_RUN: Final = 11602  # ZR
FILL_PAGE: Final = 9026  # FB
COMPRESS_PAGE: Final = 8656  # CP
MAPPED_SIZE: Final = 9939  # MS
MAPPED_BLOCK: Final = 9922  # MB
CHANNEL: Final = 9923  # MC

#: How a BER stream begins when its outermost element is of indefinite length, as ours is.
MAGIC: Final = tag_bytes(APPLICATION, True, QEMU_FILE) + INDEFINITE

#: How the BER form of a channel begins.
CHANNEL_TAG: Final = tag_bytes(APPLICATION, True, CHANNEL)

#: The same without the length octet: any stream, of definite length too.
MAGIC_TAG: Final = MAGIC[:3]


def opening(number: int) -> bytes:
    """Identifier and length octets of a constructed APPLICATION element of indefinite length."""
    return tag_bytes(APPLICATION, True, number) + INDEFINITE


def member(number: int, *, constructed: bool = False) -> bytes:
    """Identifier octets of a context tag; with ``constructed`` also the length octet of the indefinite form."""
    return tag_bytes(CONTEXT, constructed, number) + (INDEFINITE if constructed else b"")


CLOSE: Final = EOC
