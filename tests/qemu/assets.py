"""Where captured streams are kept, and the disks and boot sectors that the guests use.

Nothing of this is in the clone: streams of real guests hold firmware, and the rest is made here.
The folder is ``$VMSGEN_TEST_CACHE``, else ``vmsgen-tests`` in the user's cache folder.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

#: Goes into the key of every cached stream: raise it when an asset changes.
ASSETS_VERSION = 1

# A boot sector that fills 0x10000..0x90000 with pseudo-random words and then, for ever, increments
# two bytes in each of those 128 pages. Writing CR0.WP flushes the TLB: without a flush, the TCG of
# 5.2 and 7.2 never marks the pages of such a loop dirty again.
DIRTIER = bytes.fromhex(
    "fa"  # 00        cli
    "b80010"  # 01        mov ax, 0x1000
    "8ec0"  # 04 page:  mov es, ax
    "31ff"  # 06        xor di, di
    "69db5562"  # 08 word:  imul bx, bx, 0x6255
    "81c31936"  # 0c        add bx, 0x3619
    "26891d"  # 10        mov es:[di], bx
    "83c702"  # 13        add di, 2
    "75f0"  # 16        jne word
    "050010"  # 18        add ax, 0x1000
    "3d0090"  # 1b        cmp ax, 0x9000
    "72e4"  # 1e        jb page
    "0f20c0"  # 20 round: mov eax, cr0
    "663500000100"  # 23        xor eax, 0x10000
    "0f22c0"  # 29        mov cr0, eax
    "b80010"  # 2c        mov ax, 0x1000
    "8ec0"  # 2f next:  mov es, ax
    "26fe060000"  # 31        inc byte es:[0x0000]
    "26fe061008"  # 36        inc byte es:[0x0810]
    "050001"  # 3b        add ax, 0x100
    "3d0090"  # 3e        cmp ax, 0x9000
    "72ec"  # 41        jb next
    "ebdb"  # 43        jmp round
)


def cache_folder() -> Path:
    """The folder for everything that is captured or fetched; it exists on return."""
    chosen = os.environ.get("VMSGEN_TEST_CACHE")
    if chosen:
        folder = Path(chosen)
    else:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vmsgen-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _floppy() -> bytes:
    return (DIRTIER.ljust(510, b"\0") + b"\x55\xaa").ljust(1_474_560, b"\0")


def _filled() -> bytes:
    """4 MiB of pages in runs, each run with one byte of its own: neither random nor zero."""
    rng = random.Random(4)
    data = bytearray()
    while len(data) < 4 << 20:
        data += bytes([rng.randint(1, 255)]) * (4096 * rng.randint(1, 64))
    return bytes(data[: 4 << 20])


def _rom() -> bytes:
    """The same dirtier as the whole firmware of a PC: such a guest needs no BIOS, and is at work at once."""
    image = bytearray(1 << 16)
    image[0xE000 : 0xE000 + len(DIRTIER)] = DIRTIER
    image[0xFFF0:0xFFF5] = bytes.fromhex("ea00e000f0")  # reset: jmp 0xf000:0xe000
    return bytes(image)


_MAKERS: dict[str, Callable[[], bytes]] = {
    "dirtier.img": _floppy,
    "dirtier.rom": _rom,
    "fill4m": _filled,
    "disk.raw": lambda: bytes(16 << 20),
}


def asset_folder() -> Path:
    """Makes what is missing of the assets and returns their folder (``@A@`` in corpus.toml)."""
    folder = cache_folder() / f"assets-{ASSETS_VERSION}"
    folder.mkdir(exist_ok=True)
    for name, make in _MAKERS.items():
        path = folder / name
        if not path.exists():
            publish(path, make())
    return folder


def publish(path: Path, data: bytes) -> None:
    """Writes a file so that others see all of it or nothing (several test runs may share the cache)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    os.chmod(part, 0o644)
    os.replace(part, path)
