"""Snapshots of qcow2 images: QEMU loads what vmsgen wrote into a copy, and goes on with it."""

from __future__ import annotations

import filecmp
import re
import subprocess
from pathlib import Path

import pytest

import vmsgen as library
from tests.qemu.conftest import QemuBinary
from tests.qemu.machine import Qemu
from tests.qemu.sets import RELEASES
from tests.qemu.shapes import SHAPES, argv, at_work, memory, send
from vmsgen.cli import run

EBX = 3  # its place among the registers of the cpu section


def with_disk(release: str, image: Path, *more: str) -> list[str]:
    return [*argv(release), "-drive", f"file={image},format=qcow2,if=ide,cache=unsafe", *more]


def new_image(path: Path, *options: str) -> Path:
    """An empty disk of 1 MiB."""
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *options, path, "1M"], check=True)
    return path


def sound(image: Path) -> Path:
    """The same image; fails if ``qemu-img check`` finds anything."""
    done = subprocess.run(["qemu-img", "check", image], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "No errors were found" in done.stdout, done.stdout + done.stderr
    return image


def vmsgen(*words: str | Path) -> None:
    assert run([str(word) for word in words]) == 0


@pytest.mark.parametrize("release", RELEASES)
def test_a_snapshot_through_ber_and_changed(release: str, qemu: QemuBinary, tmp_path: Path) -> None:
    qemu(release)
    image, ber, again = new_image(tmp_path / "disk.qcow2"), tmp_path / "one.ber", tmp_path / "again.qcow2"
    with Qemu(with_disk(release, image), tmp_path) as guest:
        at_work(guest)
        guest.qmp("stop")
        assert guest.hmp("savevm one") == ""
        saved = memory(guest, tmp_path)
    vmsgen("convert", image, ber, "--to", "ber")
    vmsgen("convert", ber, again, "--into", image)
    assert filecmp.cmp(image, again, shallow=False)
    with library.open(image, snapshot="one") as migration:
        migration["cpu"].regs[EBX] = 0x1337BEEF
        migration.save(tmp_path / "changed.ber", "ber")
    vmsgen("convert", tmp_path / "changed.ber", again, "--into", image, "--snapshot", "one")
    with Qemu(with_disk(release, sound(again), "-loadvm", "one", "-S"), tmp_path) as guest:
        assert re.search(r"\b[ER]BX=(00000000)?1337beef\b", guest.hmp("info registers"))
        assert memory(guest, tmp_path) == saved
        guest.qmp("cont")
        at_work(guest)


@pytest.mark.parametrize("options", [(), ("-o", "cluster_size=512"), ("-o", "compat=0.10,cluster_size=4096")])
@pytest.mark.parametrize("release", RELEASES)
def test_an_image_grows(release: str, options: tuple[str, ...], qemu: QemuBinary, tmp_path: Path) -> None:
    """What a guest is later, and more of it, in place of what it was before its first instruction."""
    qemu(release)
    image, again = new_image(tmp_path / "disk.qcow2", *options), tmp_path / "again.qcow2"
    with Qemu(with_disk(release, image, "-S"), tmp_path) as guest:
        assert guest.hmp("savevm one") == guest.hmp("savevm other") == ""
        first = memory(guest, tmp_path)
        guest.qmp("cont")
        at_work(guest)
        (later,) = send(guest, SHAPES["plain"], tmp_path / "later.mig")
        last = memory(guest, tmp_path)
    vmsgen("convert", later, again, "--into", image, "--snapshot", "one")
    assert again.stat().st_size > image.stat().st_size
    with Qemu(with_disk(release, sound(again), "-loadvm", "one", "-S"), tmp_path) as guest:
        assert memory(guest, tmp_path) == last != first
        assert guest.hmp("loadvm other") == ""
        assert memory(guest, tmp_path) == first
        assert guest.hmp("savevm third") == guest.hmp("loadvm other") == ""
    # the disk as it is now uses the clusters of that state as well
    vmsgen("convert", later, tmp_path / "both.qcow2", "--into", sound(again), "--snapshot", "other")
    with Qemu(with_disk(release, sound(tmp_path / "both.qcow2"), "-loadvm", "other", "-S"), tmp_path) as guest:
        assert memory(guest, tmp_path) == last
        assert guest.hmp("loadvm third") == ""
        assert memory(guest, tmp_path) == first
