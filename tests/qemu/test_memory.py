"""Memory out of a stream against the memory of the guest that sent it, which QEMU still has (``pmemsave``)."""

from __future__ import annotations

import filecmp
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.qemu.conftest import QemuBinary, StoppedGuest
from tests.qemu.machine import Qemu
from tests.qemu.postcopy import PostcopyRefusedError, record_postcopy
from tests.qemu.sets import RELEASES
from tests.qemu.shapes import DIRTY, SHAPES, argv, at_work, memory, send, taken, visible
from vmsgen.cli import run


def given(files: Sequence[Path]) -> list[str]:
    """A stream and its channels, as words of a command."""
    return [str(files[0]), *(word for path in files[1:] for word in ("--channel", str(path)))]


def extracted(files: Sequence[Path], folder: Path) -> Path:
    """The folder with the memory of a stream and its channels."""
    assert run(["show", *given(files), "--extract", str(folder)]) == 0
    return folder


def same(found: bytes, expected: bytes) -> None:
    """Fails with the addresses of the pages that differ."""
    assert len(found) == len(expected)
    assert [at for at in range(0, len(expected), 4096) if found[at : at + 4096] != expected[at : at + 4096]] == []


@pytest.mark.parametrize("release", ["5.2", *RELEASES])
def test_one_stopped_guest_in_every_shape(
    release: str, stopped: StoppedGuest, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    guest = stopped(release)
    every: dict[str, dict[str, str]] = {}
    for name, files in guest.files.items():
        folder = extracted(files, tmp_path / name)
        same(visible(folder / "pc.ram.ram"), guest.memory)
        every[name] = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
        capsysbinary.readouterr()
        place = f"pc.ram@{DIRTY[0]:#x}+{len(DIRTY) * 4096}"
        assert run(["show", *given(files), "--memory", place, "--raw"]) == 0
        assert capsysbinary.readouterr().out == guest.memory[DIRTY[0] : DIRTY[-1] + 4096]
    assert {name for name, shape in SHAPES.items() if release in shape.releases} == every.keys()
    assert all(blocks == every["plain"] for blocks in every.values()), every
    assert len(every["plain"]) > 2  # the ROMs are blocks of their own
    assert all(any(guest.memory[page : page + 4096]) for page in DIRTY)


@pytest.mark.parametrize(
    ("shape", "release"),
    [
        *(("plain", release) for release in RELEASES),
        ("compress", "7.2"),
        *(("multifd-zlib", release) for release in RELEASES),
        *((shape, "10.0") for shape in ("multifd", "mapped-ram", "mapped-ram-multifd")),
    ],
)
def test_a_guest_that_works_while_it_is_sent(
    shape: str, release: str, qemu: QemuBinary, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pages come several times, and the last one counts. (Not with 5.2, which loses a change once in a while.)"""
    qemu(release)
    sent = replace(SHAPES[shape], rounds=0 if SHAPES[shape].mapped else 3)
    with Qemu(argv(release), tmp_path) as guest:
        at_work(guest)
        files = send(guest, sent, tmp_path / "guest.mig")
        expected = memory(guest, tmp_path)
    same(visible(extracted(files, tmp_path / "memory") / "pc.ram.ram"), expected)
    if not sent.mapped:  # (where a page that comes again takes the place of the first)
        capsys.readouterr()
        assert run(["show", *given(files), "--memory-map", "--format", "json"]) == 0
        assert next(row for row in json.loads(capsys.readouterr().out) if row["block"] == "pc.ram")["repeated"] > 0


@pytest.mark.parametrize(("release", "preempt"), [("7.2", True), ("10.0", True), ("10.0", False)])
def test_postcopy(
    release: str, preempt: bool, qemu: QemuBinary, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pages that were sent after the devices, some of them because the guest at the other end asked for them."""
    qemu(release)
    with (
        Qemu(argv(release), tmp_path, "source") as source,
        Qemu([*argv(release), "-incoming", "defer"], tmp_path, "target") as target,
    ):
        at_work(source)
        try:
            files = record_postcopy(source, target, tmp_path, preempt=preempt)
        except PostcopyRefusedError as error:  # by the system's settings (userfaultfd), which nobody can require
            pytest.skip(str(error))
        expected = memory(source, tmp_path)
        asked_for = source.qmp("query-migrate")["ram"]["postcopy-requests"]
        at_work(target)
    assert len(files) == 1 + preempt
    same(visible(extracted(files, tmp_path / "memory") / "pc.ram.ram"), expected)
    for path in files:
        ber, again = tmp_path / "one.ber", tmp_path / "one.again"
        assert run(["convert", str(path), str(ber), "--to", "ber"]) == 0
        assert run(["convert", str(ber), str(again), "--to", "binary"]) == 0
        assert filecmp.cmp(path, again, shallow=False)
    # a receiver that cannot answer loads it as one plain stream
    plain = tmp_path / "plain.mig"
    assert run(["convert", given(files)[0], str(plain), *given(files)[1:], "--shape", "plain"]) == 0
    with taken(release, SHAPES["plain"], [plain], tmp_path) as target:
        assert memory(target, tmp_path) == expected
        target.qmp("cont")
        at_work(target)
    if preempt:
        capsys.readouterr()
        assert run(["show", str(files[1]), "--format", "json"]) == 0
        # (a page that was sent already when it was asked for does not come again)
        assert 0 < json.loads(capsys.readouterr().out)["pages"] <= asked_for
