"""Marks of QEMU's binary format at the level of the stream, and of its RAM records (migration/savevm.c,
migration/qemu-file-types.h, QEMU 5.2 to 10.0).
"""

from __future__ import annotations

from typing import Final

MAGIC: Final = b"QEVM"
VERSION: Final = 3
OBSOLETE_VERSION: Final = 2
#: A channel of multifd, and each of its packets, begins with it (migration/multifd.c).
MULTIFD_MAGIC: Final = b"\x11\x22\x33\x44"

EOF: Final = 0x00
START: Final = 0x01
PART: Final = 0x02
END: Final = 0x03
FULL: Final = 0x04
SUBSECTION: Final = 0x05
VMDESC: Final = 0x06
CONFIGURATION: Final = 0x07
COMMAND: Final = 0x08
FOOTER: Final = 0x7E

#: Marks that an item of the stream may begin with.
ITEMS: Final = frozenset((EOF, START, PART, END, FULL, COMMAND))

#: Command 7: four bytes that say how long the package behind the command is.
COMMAND_PACKAGED: Final = 7
#: Command 3: postcopy may come; with 16 bytes of data it concerns RAM.
COMMAND_ADVISE: Final = 3

#: Command 5: the receiver runs, and pages come as it asks for them.
COMMAND_POSTCOPY_RUN: Final = 5

#: Flags of RAM records, in the low bits of their word (migration/ram.c).
RAM_ZERO: Final = 0x02
RAM_MEM_SIZE: Final = 0x04
RAM_PAGE: Final = 0x08
RAM_EOS: Final = 0x10
RAM_CONTINUE: Final = 0x20
RAM_XBZRLE: Final = 0x40
RAM_HOOK: Final = 0x80
RAM_COMPRESS: Final = 0x100
RAM_FLUSH: Final = 0x200
