"""Real streams through BER and back: the same bytes, from files and through pipes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import started
from tests.qemu.conftest import Stream, Vmsgen
from tests.qemu.sets import RELEASES, every_stream


def same(left: Path, right: Path) -> None:
    """Fails with the offset of the first difference (and not with megabytes of bytes)."""
    a, b = left.read_bytes(), right.read_bytes()
    if a != b:
        at = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
        pytest.fail(f"{len(a)} and {len(b)} bytes; first difference at {at}: {a[at : at + 16]!r}, {b[at : at + 16]!r}")


@every_stream
def test_binary_to_ber_and_back(name: str, release: str, stream: Stream, vmsgen: Vmsgen, tmp_path: Path) -> None:
    original, ber, again = stream(name, release), tmp_path / "stream.ber", tmp_path / "again.mig"
    vmsgen("convert", original, ber, "--to", "ber")
    assert ber.read_bytes()[:4] != b"QEVM"
    vmsgen("convert", ber, again, "--to", "binary")
    same(original, again)


@pytest.mark.parametrize(
    ("name", "release"),
    [
        *((name, release) for name in ("pc-stopped", "pc-no-vmdesc", "pc-no-footer") for release in ("5.2", *RELEASES)),
        ("pc-no-config", "5.2"),
        ("pc-no-config", "7.2"),
    ],
)
def test_other_shapes(name: str, release: str, stream: Stream, vmsgen: Vmsgen, tmp_path: Path) -> None:
    test_binary_to_ber_and_back(name, release, stream, vmsgen, tmp_path)


@pytest.mark.parametrize("release", RELEASES)
def test_through_pipes(release: str, stream: Stream, tmp_path: Path) -> None:
    original, again = stream("q35-7.2", release), tmp_path / "again.mig"
    command = [sys.executable, "-m", "vmsgen", "convert", "-", "-", "--to"]
    with original.open("rb") as source, again.open("wb") as target, contextlib.ExitStack() as stack:
        there = stack.enter_context(started([*command, "ber"], stdin=source, stdout=subprocess.PIPE))
        back = stack.enter_context(started([*command, "binary"], stdin=there.stdout, stdout=target))
        there.stdout.close()
        assert (there.wait(120), back.wait(120)) == (0, 0)
    same(original, again)


@pytest.mark.parametrize("release", RELEASES)
def test_verify_finds_nothing(release: str, stream: Stream, vmsgen: Vmsgen) -> None:
    vmsgen("verify", stream("pc-7.2", release))
