"""mapped-ram files made by hand, byte for byte as QEMU 10.0 lays them out."""

from __future__ import annotations

from tests.unit.stream.synthetic import (
    EOS_RECORD,
    HEADER,
    MEM_SIZE,
    PAGE,
    be32,
    be64,
    configuration,
    end,
    full,
    part,
    str8,
    subsection,
    vmdesc,
)

MIB = 1 << 20
MAPPED = subsection("configuration/capabilities", be32(1) + str8("mapped-ram"))


def page(fill: int) -> bytes:
    return bytes((fill + at) & 0xFF for at in range(PAGE))


#: name -> (number of pages, contents by page, bits that are set)
BLOCKS: dict[str, tuple[int, dict[int, bytes], set[int]]] = {
    "pc.ram": (100, {0: page(1), 1: page(2), 70: page(3), 71: page(4)}, {0, 1, 5, 70}),  # 5 is zeros, 71 is stale
    "vga.vram": (64, {}, set()),
    "pc.rom": (3, {2: page(9)}, {2}),
}


def mapped_file(
    place: int = 0,
    *,
    filler: bytes = b"",
    gpa: bool = False,
    blocks: dict[str, tuple[int, dict[int, bytes], set[int]]] = BLOCKS,
) -> bytes:
    """A file whose stream begins at ``place``; what stands before it is zeros."""
    machine = "pc-i440fx-10.0"
    capabilities = MAPPED
    if gpa:
        capabilities = subsection("configuration/capabilities", be32(2) + str8("x-ignore-shared") + str8("mapped-ram"))
    data = bytearray(bytes(place) + HEADER + configuration(machine, capabilities))
    data += b"\1" + be32(2) + str8("ram") + be32(0) + be32(4)
    data += be64(sum(pages for pages, _, _ in blocks.values()) * PAGE | MEM_SIZE)
    for name, (pages, contents, bits) in blocks.items():
        bitmap = sum(1 << bit for bit in bits).to_bytes((pages + 63) // 64 * 8, "little")
        data += str8(name) + be64(pages * PAGE) + (be64(0xC0000) if gpa else b"")
        bitmap_at = len(data) + 28
        pages_at = -(-(bitmap_at + len(bitmap)) // MIB) * MIB
        data += be32(1) + be64(PAGE) + be64(bitmap_at) + be64(pages_at) + bitmap + filler
        data += bytes(pages_at - len(data))
        data += b"".join(contents.get(number, bytes(PAGE)) for number in range(pages))
    data += be64(0x200) + EOS_RECORD + b"\x7e" + be32(2)
    data += part(2, EOS_RECORD) + end(2, EOS_RECORD) + full(3, "nothing-known", b"12345678", version=2)
    return bytes(data) + b"\0" + vmdesc([("nothing-known", 0, 8)])
