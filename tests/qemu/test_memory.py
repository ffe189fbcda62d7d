"""Memory out of a stream against the memory of the guest that sent it, which QEMU still has (``pmemsave``)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.qemu.capture import declared, migrate
from tests.qemu.conftest import QemuBinary
from tests.qemu.machine import Qemu
from vmsgen.cli import run

SIZE = 32 << 20
#: Addresses at which a PC does not show its RAM: the window of the VGA, and ROMs.
HIDDEN = slice(0xA0000, 0x100000)

#: shape of the stream -> release, capability
SHAPES = {
    "plain": ("7.2", None),
    "xbzrle": ("10.0", "xbzrle"),
    "compress": ("7.2", "compress"),
    "mapped-ram": ("10.0", "mapped-ram"),
}


def visible(path: Path) -> bytes:
    """The first bytes of a file, without what a PC hides."""
    with path.open("rb") as file:
        data = bytearray(file.read(SIZE))
    data[HIDDEN] = bytes(HIDDEN.stop - HIDDEN.start)
    return bytes(data)


@pytest.mark.parametrize("shape", list(SHAPES))
def test_extracted_memory_is_the_guests(shape: str, qemu: QemuBinary, tmp_path: Path) -> None:
    release, capability = SHAPES[shape]
    qemu(release)
    stream, saved = tmp_path / "guest.mig", tmp_path / "saved"
    with Qemu(declared()["dirty-pc"].argv(release), tmp_path) as guest:
        time.sleep(2)  # its boot sector dirties memory for ever
        if capability is not None:
            switch = {"capability": capability, "state": True}
            guest.qmp("migrate-set-capabilities", capabilities=[switch])
        if shape == "mapped-ram":
            guest.qmp("migrate-set-parameters", **{"max-bandwidth": 10**10})
            guest.qmp("migrate", uri=f"file:{stream}")
            guest.wait_for(guest.migrated, 60)
        else:
            migrate(guest, stream, iterations=3 if shape == "xbzrle" else 0)
        guest.qmp("pmemsave", val=0, size=SIZE, filename=str(saved))
    assert run(["show", str(stream), "--extract", str(tmp_path / "memory")]) == 0
    found, expected = visible(tmp_path / "memory" / "pc.ram.ram"), visible(saved)
    different = [at for at in range(0, SIZE, 4096) if found[at : at + 4096] != expected[at : at + 4096]]
    assert different == []
    assert any(expected[0x40000:0x80000])
