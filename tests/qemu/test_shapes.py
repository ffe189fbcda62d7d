"""QEMU loads what vmsgen writes of every shape: as it was, as one plain stream, as a mapped-ram file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.qemu.conftest import StoppedGuest
from tests.qemu.machine import QemuError
from tests.qemu.sets import RELEASES
from tests.qemu.shapes import SHAPES, Stopped, memory, taken
from tests.qemu.test_roundtrip import same
from vmsgen.cli import run

SENT = [
    (name, release) for release in ("5.2", *RELEASES) for name, shape in SHAPES.items() if release in shape.releases
]


def loaded(
    guest: Stopped, shape: str, files: Sequence[Path], folder: Path, *, release: str = "", offset: int = 0
) -> None:
    """Fails unless QEMU loads the files and then has the memory of the guest."""
    with taken(release or guest.release, SHAPES[shape], files, folder, offset=offset) as target:
        assert target.qmp("query-status")["status"] == "paused"
        assert memory(target, folder) == guest.memory, "the memories differ"


def channels(files: Sequence[Path]) -> list[str]:
    return [word for path in files[1:] for word in ("--channel", str(path))]


@pytest.mark.parametrize(("shape", "release"), SENT)
def test_back_from_ber(shape: str, release: str, stopped: StoppedGuest, tmp_path: Path) -> None:
    guest = stopped(release)
    again = []
    for original in guest.files[shape]:
        ber = tmp_path / f"{original.name}.ber"
        again.append(tmp_path / original.name)
        assert run(["convert", str(original), str(ber), "--to", "ber"]) == 0
        assert ber.read_bytes()[:4] not in (b"QEVM", b"\x11\x22\x33\x44")
        assert run(["convert", str(ber), str(again[-1]), "--to", "binary"]) == 0
        same(original, again[-1])
    loaded(guest, shape, again, tmp_path)


@pytest.mark.parametrize(
    ("shape", "release", "into"),
    [
        ("xbzrle", "7.2", "7.2"),
        ("compress", "7.2", "10.0"),  # which does not know compress any more
        ("multifd-zlib", "7.2", "7.2"),
        ("multifd-zstd", "10.0", "10.0"),
        ("mapped-ram", "10.0", "10.0"),
        ("mapped-ram-multifd", "10.0", "7.2"),  # which never knew mapped-ram
    ],
)
def test_as_one_plain_stream(shape: str, release: str, into: str, stopped: StoppedGuest, tmp_path: Path) -> None:
    guest = stopped(release)
    main, plain = guest.files[shape][0], tmp_path / "plain.mig"
    assert run(["convert", str(main), str(plain), *channels(guest.files[shape]), "--shape", "plain"]) == 0
    loaded(guest, "plain", [plain], tmp_path, release=into)


@pytest.mark.parametrize(
    ("shape", "release", "as_shape", "offset"),
    [
        ("plain", "10.0", "mapped-ram", 0x1000),
        ("xbzrle", "7.2", "mapped-ram", 0),
        ("multifd-zlib", "10.0", "mapped-ram-multifd", 0),
        ("mapped-ram", "10.0", "mapped-ram-multifd", 12345),
    ],
)
def test_as_a_mapped_ram_file(
    shape: str, release: str, as_shape: str, offset: int, stopped: StoppedGuest, tmp_path: Path
) -> None:
    guest = stopped(release)
    main, ber, mapped = guest.files[shape][0], tmp_path / "mapped.ber", tmp_path / "mapped.mig"
    assert run(["convert", str(main), str(ber), *channels(guest.files[shape]), "--to", "ber"]) == 0
    words = ["--to", "binary", "--shape", "mapped-ram", "--output-offset", str(offset)]
    assert run(["convert", str(ber), str(mapped), *words]) == 0
    assert mapped.stat().st_blocks * 512 < mapped.stat().st_size // 2  # what is zero is a hole
    loaded(guest, as_shape, [mapped], tmp_path, release="10.0", offset=offset)


def test_a_channel_too_few_is_seen(stopped: StoppedGuest, tmp_path: Path) -> None:
    """The checks above could not pass with pages that did not arrive."""
    guest = stopped("10.0")
    with pytest.raises((QemuError, AssertionError)):
        loaded(guest, "plain", guest.files["multifd"][:1], tmp_path)
