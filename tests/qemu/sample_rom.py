"""The boot ROM of the recorded sample: all the code and data that its guest ever holds.

It writes one page of text at 0x7000, programs some devices of a PC with values that are easy to
find again in the stream, loads the registers, and halts.
"""

from __future__ import annotations

import struct

ROM_SIZE = 0x10000
#: Where the code begins inside the ROM, which a PC maps at F000:0000.
ENTRY = 0xE000
#: Guest-physical address of the one page that the ROM writes, and what is in it (64 times).
PAGE_ADDRESS = 0x7000
PAGE_TEXT = b"vmsgen sample guest: its own boot ROM wrote every byte of this. "

#: General registers when the guest halts.
REGISTERS = {
    "eax": 0x564D5347,  # "VMSG"
    "ebx": 0x0B0B0B0B,
    "ecx": 0x0C0C0C0C,
    "edx": 0x0D0D0D0D,
    "ebp": 0x12345678,
    "esi": 0x51515151,
    "edi": 0xD1D1D1D1,
}

_PCI_ADDRESS, _PCI_DATA = 0xCF8, 0xCFC
_NIC = 0x80001800  # configuration of bus 0, device 3, function 0

#: (port, 32-bit value): PCI, which takes whole words only.
WORDS = (
    (_PCI_ADDRESS, _NIC | 0x10),
    (_PCI_DATA, 0xE0000000),  # BAR 0, the registers in memory
    (_PCI_ADDRESS, _NIC | 0x14),
    (_PCI_DATA, 0x0000C000),  # BAR 1, the registers through I/O ports
    (_PCI_ADDRESS, _NIC | 0x3C),
    (_PCI_DATA, 0x0000000B),  # interrupt line
    (_PCI_ADDRESS, _NIC | 0x04),
    (_PCI_DATA, 0x00000007),  # command: I/O, memory, bus master
)

#: (port, byte): the devices of the ISA bus.
BYTES = (
    # i8259: initialise both controllers, vectors 0x20 and 0x28, all masked
    *((0x20, 0x11), (0x21, 0x20), (0x21, 0x04), (0x21, 0x01), (0x21, 0xFF)),
    *((0xA0, 0x11), (0xA1, 0x28), (0xA1, 0x02), (0xA1, 0x01), (0xA1, 0xFF)),
    # i8254: channel 0 rate generator with 0x4A9 ticks (1 kHz), channel 2 square wave with 0x533
    *((0x43, 0x34), (0x40, 0xA9), (0x40, 0x04)),
    *((0x43, 0xB6), (0x42, 0x33), (0x42, 0x05)),
    # mc146818rtc: an alarm at 12:34:56, and "vmsgen" in the battery-backed memory from 0x40
    *((0x70, 0x01), (0x71, 0x56), (0x70, 0x03), (0x71, 0x34), (0x70, 0x05), (0x71, 0x12)),
    *(pair for n, letter in enumerate(b"vmsgen") for pair in ((0x70, 0x40 + n), (0x71, letter))),
    # serial: 9600 baud, 8n1, scratch register
    *((0x3FB, 0x83), (0x3F8, 0x0C), (0x3F9, 0x00), (0x3FB, 0x03), (0x3FF, 0x5A)),
    # parallel: a byte on its data lines
    (0x378, 0xA5),
    # dma: channel 2, address 0x1234, count 0x01FF, page 0x05
    *((0x0C, 0x00), (0x04, 0x34), (0x04, 0x12), (0x05, 0xFF), (0x05, 0x01), (0x81, 0x05)),
    # ide: sector count and address of the first drive
    *((0x1F6, 0xE0), (0x1F2, 0x08), (0x1F3, 0x11), (0x1F4, 0x22), (0x1F5, 0x33)),
    # keyboard controller: command byte
    *((0x64, 0x60), (0x60, 0x45)),
    # port 92: the A20 line on
    (0x92, 0x02),
)


def rom() -> bytes:
    """The image for ``-bios``: ROM_SIZE bytes."""
    loads = {"eax": "66b8", "ebx": "66bb", "ecx": "66b9", "edx": "66ba", "ebp": "66bd", "esi": "66be", "edi": "66bf"}
    words = b"".join(struct.pack("<HI", *each) for each in WORDS) + b"\0\0"
    bytes_ = b"".join(struct.pack("<HB", *each) for each in BYTES) + b"\0\0"
    text_at = ENTRY + 0x200
    words_at = text_at + len(PAGE_TEXT)
    bytes_at = words_at + len(words)

    def at(offset: int) -> str:
        return struct.pack("<H", offset).hex()

    code = bytes.fromhex(
        "fa"  # cli
        "fc"  # cld
        # the page: es:di = its address, 64 copies of the text
        f"b8{at(PAGE_ADDRESS >> 4)}"  # mov ax, segment
        "8ec0"  # mov es, ax
        "31ff"  # xor di, di
        "ba4000"  # mov dx, 64
        f"be{at(text_at)}"  # copy: mov si, text
        "b94000"  # mov cx, 64
        "f32ea4"  # rep movsb es:[di], cs:[si]
        "4a"  # dec dx
        "75f4"  # jnz copy
        # the words: port and value until a port 0
        f"be{at(words_at)}"  # mov si, words
        "2ead"  # word: lodsw cs:[si]
        "85c0"  # test ax, ax
        "7409"  # jz end
        "89c2"  # mov dx, ax
        "662ead"  # lodsd cs:[si]
        "66ef"  # out dx, eax
        "ebf1"  # jmp word
        # the bytes, likewise
        f"be{at(bytes_at)}"  # end: mov si, bytes
        "2ead"  # byte: lodsw cs:[si]
        "85c0"  # test ax, ax
        "7407"  # jz end
        "89c2"  # mov dx, ax
        "2eac"  # lodsb cs:[si]
        "ee"  # out dx, al
        "ebf3"  # jmp byte
        # the FPU's stack: pi, then 1
        "dbe3"  # end: fninit
        "d9eb"  # fldpi
        "d9e8"  # fld1
    )
    for name, value in REGISTERS.items():
        code += bytes.fromhex(loads[name]) + struct.pack("<I", value)  # mov REGISTER, value
    code += bytes.fromhex(
        "f4"  # halt: hlt
        "ebfd"  # jmp halt
    )
    image = bytearray(ROM_SIZE)
    image[ENTRY : ENTRY + len(code)] = code
    image[text_at:words_at] = PAGE_TEXT
    image[words_at:bytes_at] = words
    image[bytes_at : bytes_at + len(bytes_)] = bytes_
    image[0xFFF0:0xFFF5] = bytes.fromhex(f"ea{at(ENTRY)}00f0")  # reset: jmp 0xf000:ENTRY
    return bytes(image)
