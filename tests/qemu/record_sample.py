"""Records the sample stream of the examples from a real QEMU that runs no firmware but ours.

    python -m tests.qemu.record_sample [OUT.mig.xz]

The guest is a small PC without ACPI (QEMU would make tables for it), without a display (its card
would bring a BIOS) and with ``romfile=`` empty wherever a device has a ROM. Before anything is
written, every page of RAM and of every ROM block in the stream is compared with what sample_rom.py
put there: a sample that holds one byte of anything else is refused.
"""

from __future__ import annotations

import lzma
import sys
import tempfile
import time
from pathlib import Path

from tests.qemu.assets import publish
from tests.qemu.capture import migrate
from tests.qemu.machine import PREFIXES, QUIET, Qemu
from tests.qemu.sample_rom import PAGE_ADDRESS, PAGE_TEXT, REGISTERS, ROM_SIZE, rom

RELEASE = "7.2"
SAMPLE = Path(__file__).parents[2] / "examples" / "sample.mig.xz"
PAGE = 4096

# Flags of a RAM record, in the low bits of its address (migration/ram.c of QEMU 7.2).
ZERO, MEM_SIZE, FULL_PAGE, EOS, CONTINUE = 0x02, 0x04, 0x08, 0x10, 0x20
START, PART, END, FOOTER, CONFIGURATION = 1, 2, 3, 0x7E, 7


class ForeignContentError(Exception):
    """The stream holds a page that is not ours, or a record that this reader does not know."""


def arguments(bios: Path) -> list[str]:
    """The guest's command line."""
    return [
        PREFIXES[RELEASE] + "x86_64",
        *("-M", "pc-i440fx-7.2,acpi=off", "-m", "1", "-nodefaults", "-vga", "none", "-bios", str(bios)),
        *("-rtc", "base=2024-02-29T12:00:00,clock=vm"),
        *QUIET,
        *("-parallel", "null"),
        *("-device", "e1000,addr=3,mac=52:54:00:12:34:56,romfile="),
        *("-blockdev", "null-co,node-name=disk,size=1048576,read-zeroes=on", "-device", "ide-hd,drive=disk,bus=ide.0"),
        *("-device", "ide-cd,bus=ide.1"),
    ]


class Reader:
    """Reads a stream as far as its RAM goes, record by record."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        #: Lengths of the blocks, and the pages that are not zero as {(block, address): bytes}.
        self.blocks: dict[str, int] = {}
        self.pages: dict[tuple[str, int], bytes] = {}

    def take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            raise ForeignContentError(f"the stream ends at offset {len(self._data)}")
        self._at += size
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def text(self) -> str:
        return self.take(self.number(1)).decode("ascii")

    def ram(self) -> None:
        """Reads from the header to the end of the ram section's last part."""
        if self.take(8) != b"QEVM\0\0\0\3":
            raise ForeignContentError("not a migration stream")
        if self.number(1) != CONFIGURATION:
            raise ForeignContentError("no configuration")
        self.take(self.number(4))
        kind = self.number(1)
        identity = self.number(4)
        if kind != START or self.text() != "ram":
            raise ForeignContentError("ram is not the first section")
        self.take(8)  # instance and version
        self._records()
        while kind != END:
            if self.number(1) != FOOTER or self.number(4) != identity:
                raise ForeignContentError(f"no footer at offset {self._at}")
            kind = self.number(1)
            if kind not in (PART, END) or self.number(4) != identity:
                raise ForeignContentError(f"another section inside ram at offset {self._at}")
            self._records()

    def _records(self) -> None:
        block = ""
        while True:
            head = self.number(8)
            address, flags = head & ~(PAGE - 1), head & (PAGE - 1)
            if flags == EOS:
                return
            if flags == MEM_SIZE:
                while sum(self.blocks.values()) < address:
                    name = self.text()
                    self.blocks[name] = self.number(8)
                continue
            if flags & ~CONTINUE not in (ZERO, FULL_PAGE):
                raise ForeignContentError(f"a RAM record with flags {flags:#x} at offset {self._at}")
            if not flags & CONTINUE:
                block = self.text()
            page = bytes([self.number(1)]) * PAGE if flags & ZERO else self.take(PAGE)
            self.pages.pop((block, address), None)
            if any(page):
                self.pages[block, address] = page


def check(stream: bytes) -> dict[str, int]:
    """Sizes of the RAM blocks of a sample. Raises ForeignContentError unless every page is ours."""
    reader = Reader(stream)
    reader.ram()
    image = rom()
    expected = {("pc.bios", at): image[at : at + PAGE] for at in range(0, ROM_SIZE, PAGE)}
    expected[("pc.ram", PAGE_ADDRESS)] = PAGE_TEXT * (PAGE // len(PAGE_TEXT))
    expected = {where: page for where, page in expected.items() if any(page)}
    for where in sorted(reader.pages.keys() | expected.keys()):
        if reader.pages.get(where) != expected.get(where):
            raise ForeignContentError(f"the page at {where[1]:#x} of {where[0]} is not what our ROM leaves there")
    return reader.blocks


def record() -> bytes:
    """The stream of a fresh guest that has run our ROM to its end."""
    with tempfile.TemporaryDirectory(prefix="vmsgen-sample") as work:
        bios, out = Path(work) / "rom.bin", Path(work) / "sample.mig"
        bios.write_bytes(rom())
        with Qemu(arguments(bios), Path(work)) as guest:
            eax = f"EAX={REGISTERS['eax']:08x}"
            guest.wait_for(lambda: eax in guest.hmp("info registers"), 10)
            time.sleep(0.1)  # the two instructions after it
            migrate(guest, out)
        return out.read_bytes()


def main(arguments: list[str]) -> int:
    """Records, checks and writes the sample; says what is in it."""
    out = Path(arguments[0]) if arguments else SAMPLE
    stream = record()
    blocks = check(stream)
    packed = lzma.compress(stream, preset=9 | lzma.PRESET_EXTREME)
    publish(out, packed)
    print(f"{out.name}: {len(stream)} bytes, {len(packed)} packed; RAM blocks, all ours: {blocks}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
