"""Streams inside of other files: save images of libvirt, snapshots of qcow2 images; read, and put back into a copy."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import vmsgen
from tests.unit.stream.image_files import (
    CLUSTER,
    PER_TABLE,
    XML,
    Qcow2,
    counted,
    packed,
    qcow2_image,
    save_image,
    used,
)
from tests.unit.stream.mapped_files import mapped_file
from tests.unit.stream.synthetic import (
    EOS_RECORD,
    HEADER,
    be64,
    block_list,
    command,
    configuration,
    end,
    full_page,
    part,
    start,
)
from tests.unit.stream.test_commands import run
from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.stream.images.detect import image_note, image_sink, opened
from vmsgen.stream.items import MAPPED

STREAM = HEADER + configuration() + start(2, "ram", block_list([("pc.ram", 1 << 20)]))
STREAM += part(2, full_page(0, "pc.ram") + full_page(0x1000, None, 3) + EOS_RECORD) + command(11)
STREAM += end(2, full_page(0x1000, None, 7) + EOS_RECORD) + b"\0"


def read(path: Path, snapshot: str | None = None) -> bytes:
    with opened(path, snapshot) as raw:
        found = b""
        while piece := raw.read(1000):
            found += piece
    return found


def kept(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("order", ["<", ">"])
def test_libvirt(tmp_path: Path, order: str, capsys: pytest.CaptureFixture[str]) -> None:
    image = kept(tmp_path / "guest.save", save_image(STREAM, order=order))
    assert read(image) == STREAM
    assert run("show", image) == 0
    first = capsys.readouterr().out.splitlines()[0]
    told = f"{92 + len(XML)} bytes with the guest's XML before the stream, compression raw, guest running"
    assert first == f"libvirt save image: {told}"
    ber, again = tmp_path / "x.ber", tmp_path / "again.save"
    assert run("convert", image, ber, "--to", "ber") == 0
    assert run("convert", ber, again, "--into", image) == 0
    assert again.read_bytes() == image.read_bytes()
    assert run("verify", image, "--no-schema") == 0
    with vmsgen.open(image) as migration:
        assert migration.machine == "pc-i440fx-7.2"


def zstd(data: bytes) -> bytes:
    return pytest.importorskip("zstandard").ZstdCompressor().compress(data)  # type: ignore[no-any-return]


def lzop(data: bytes) -> bytes:
    if shutil.which("lzop") is None:
        pytest.skip("lzop is not installed")
    return subprocess.run(["lzop", "-c"], input=data, capture_output=True, check=True).stdout


@pytest.mark.parametrize(
    ("form", "pack"), [(1, gzip.compress), (2, bz2.compress), (3, lzma.compress), (4, lzop), (5, zstd)]
)
def test_libvirt_compressed(tmp_path: Path, form: int, pack: Callable[[bytes], bytes]) -> None:
    image = kept(tmp_path / "guest.save", save_image(pack(STREAM), form=form, magic=b"Part"))
    assert read(image) == STREAM
    assert ", not finished" in str(image_note(image))
    # put back it is not compressed, and the header says so
    again = tmp_path / "again.save"
    assert run("convert", image, again, "--into", image) == 0
    assert again.read_bytes() == save_image(STREAM, magic=b"Part")
    large = random.Random(form).randbytes(1 << 20) + bytes(5 << 20)
    assert read(kept(image, save_image(pack(large), form=form))) == large
    for bad in (pack(large)[:-30], b"no such stream", b""):
        with pytest.raises(DataError, match="the save image"):
            read(kept(image, save_image(bad, form=form)))


def test_a_reader_that_stops_ends_lzop(tmp_path: Path) -> None:
    image = kept(tmp_path / "guest.save", save_image(lzop(random.Random(1).randbytes(4 << 20)), form=4))
    with opened(image) as raw:
        assert len(raw.read(100) or b"") == 100


def test_libvirt_compressed_by_what_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    for form, message in ((4, "need the program lzop"), (5, "pip install zstandard"), (99, "by method 99")):
        with pytest.raises(VmsgenError, match=message):
            opened(kept(tmp_path / "guest.save", save_image(STREAM, form=form)))


def test_libvirt_mapped_ram(tmp_path: Path) -> None:
    """Its places count from the start of the image."""
    before = 92 + len(XML)
    image = kept(tmp_path / "guest.save", save_image(mapped_file(before)[before:], form=6))
    assert "compression sparse" in str(image_note(image))
    plain, again, made = tmp_path / "plain.mig", tmp_path / "again.save", tmp_path / "made.save"
    assert run("convert", image, again, "--into", image) == 0
    assert again.read_bytes() == image.read_bytes()
    assert run("convert", image, plain, "--shape", "plain") == 0
    assert run("convert", plain, made, "--into", image) == 0
    assert made.read_bytes()[:before] == save_image(b"")
    assert run("convert", plain, made, "--into", made, "--shape", "mapped-ram") == 0
    assert made.read_bytes()[:before] == save_image(b"", form=6)
    for name in (made, image):
        assert run("show", name, "--extract", tmp_path / f"memory of {name.name}") == 0
    memories = [
        {path.name: path.read_bytes() for path in (tmp_path / f"memory of {name.name}").iterdir()}
        for name in (made, image)
    ]
    assert memories[0] == memories[1]
    with vmsgen.open(made) as migration:
        (start, *_) = [section for section in migration.sections if section.is_ram]
        places = [record[1].pages_offset for record in start.records() if record[0] == MAPPED]
    assert places and all(place % (1 << 20) == 0 for place in places)


def test_libvirt_headers_that_are_none(tmp_path: Path) -> None:
    whole = save_image(STREAM)
    for bad, message in (
        (whole[:50], "ends inside the header"),
        (whole[:100], "ends inside the header"),
        (whole[:16] + b"\7" + whole[17:], "version 2, found 07000000"),
        (whole[:20] + b"\xff\xff\xff\xff" + whole[24:], "bytes of XML"),
    ):
        with pytest.raises(DataError, match=message):
            opened(kept(tmp_path / "guest.save", bad))


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("length", [None, CLUSTER, 3 * CLUSTER * PER_TABLE // 2])
def test_qcow2(tmp_path: Path, version: int, length: int | None) -> None:
    stream = STREAM if length is None else bytes(at % 251 for at in range(length))
    image = kept(tmp_path / "disk.qcow2", qcow2_image(stream, version=version))
    assert read(image) == stream
    assert read(image, "one") == read(image, "1") == stream
    assert image_note(image) == f"snapshot one of a qcow2 image, {len(stream)} bytes"


def test_qcow2_there_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = kept(tmp_path / "disk.qcow2", qcow2_image(STREAM))
    ber, again = tmp_path / "x.ber", tmp_path / "again.qcow2"
    assert run("show", image, "--snapshot", "one") == 0
    assert capsys.readouterr().out.startswith(f"snapshot one of a qcow2 image, {len(STREAM)} bytes\nbinary stream")
    assert run("show", image, "--snapshot", "one", "--memory-map") == 0
    assert run("verify", image, "--snapshot", "one", "--no-schema") == 0
    assert run("convert", image, ber, "--snapshot", "one", "--to", "ber") == 0
    assert run("convert", ber, again, "--into", image, "--snapshot", "one") == 0
    assert again.read_bytes() == image.read_bytes()


def test_qcow2_with_a_shorter_stream(tmp_path: Path) -> None:
    for version in (2, 3):
        image = kept(tmp_path / "disk.qcow2", qcow2_image(STREAM, version=version))
        shorter = STREAM.replace(b"\x08\0\x0b\0\0", b"")  # without a command
        assert len(shorter) == len(STREAM) - 5
        stream, again = kept(tmp_path / "s.mig", shorter), tmp_path / "again.qcow2"
        assert run("convert", stream, again, "--into", image) == 0
        assert read(again) == shorter


def rewritten(template: Path, stream: bytes, snapshot: str | None = None) -> bytes:
    """The copy of an image with another stream in it; fails if a count of references in it is wrong."""
    again = template.with_name("again.qcow2")
    with image_sink(str(template), str(again), snapshot) as sink:
        for at in range(0, len(stream), 100_000):
            sink.write(stream[at : at + 100_000])
    image = again.read_bytes()
    assert counted(image) == used(image)
    assert read(again, snapshot) == stream
    return image


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("length", [CLUSTER, 2 * CLUSTER + 1, CLUSTER * PER_TABLE + 1])
def test_qcow2_with_a_longer_stream(tmp_path: Path, version: int, length: int) -> None:
    image = kept(tmp_path / "disk.qcow2", qcow2_image(STREAM[:100], version=version))
    again = rewritten(image, bytes(at % 251 for at in range(length)))
    assert len(again) % CLUSTER == 0


def test_every_table_grows(tmp_path: Path) -> None:
    """Small clusters, of which a stream of 9 MiB needs more than the tables of the first level, and of counts, hold."""
    image = kept(tmp_path / "disk.qcow2", qcow2_image(STREAM, bits=9))
    again = rewritten(image, random.Random(9).randbytes(9 << 20))
    before, after = image.read_bytes(), again
    assert struct.unpack_from(">I", after, 56)[0] > struct.unpack_from(">I", before, 56)[0]
    (at,) = struct.unpack_from(">Q", after, 64)
    assert struct.unpack_from(">I", after, at + 8)[0] > 9 << 20 >> 15
    assert len(rewritten(kept(image, again), STREAM)) == len(again)


@pytest.mark.parametrize("order", [0, 1, 2, 3, 5, 6])
def test_counts_of_any_width(tmp_path: Path, order: int) -> None:
    whole = qcow2_image(STREAM[:10], order=order)
    with image_sink(str(kept(tmp_path / "disk.qcow2", whole)), str(tmp_path / "again")) as sink:
        sink.write(bytes(range(256)) * 20)
    again = (tmp_path / "again").read_bytes()
    (block,) = struct.unpack_from(">Q", again, struct.unpack_from(">Q", again, 48)[0])
    counts = [used(again).get(number, 0) for number in range(CLUSTER * 8 >> order)]
    assert again[block : block + CLUSTER] == packed(counts, order)
    assert read(tmp_path / "again") == bytes(range(256)) * 20


def test_clusters_behind_the_end_may_be_in_use(tmp_path: Path) -> None:
    """As those that QEMU has taken and not written yet."""
    whole = bytearray(qcow2_image(STREAM[:100]))
    (block,) = struct.unpack_from(">Q", whole, struct.unpack_from(">Q", whole, 48)[0])
    end = len(whole) // CLUSTER
    for number in (end, end + 1, end + 3):
        whole[block + 2 * number : block + 2 * number + 2] = b"\0\1"
    image, again = kept(tmp_path / "disk.qcow2", bytes(whole)), tmp_path / "again.qcow2"
    with image_sink(str(image), str(again)) as sink:
        sink.write(bytes(3 * CLUSTER))
    found = again.read_bytes()
    assert counted(found) - used(found) == {end: 1, end + 1: 1, end + 3: 1} and not used(found) - counted(found)


def test_features_that_are_not_known_are_cleared(tmp_path: Path) -> None:
    image = Qcow2()
    image.snapshot("one", image.state(STREAM), len(STREAM))
    again = rewritten(kept(tmp_path / "disk.qcow2", image.bytes(autoclear=0b111)), STREAM)
    assert struct.unpack_from(">Q", again, 88) == (1,)


def test_holes_are_zeros(tmp_path: Path) -> None:
    image = Qcow2()
    image.snapshot("one", image.state(bytes(3 * CLUSTER), holes=[1]), 3 * CLUSTER)
    assert read(kept(tmp_path / "disk.qcow2", image.bytes())) == bytes(3 * CLUSTER)


def two_snapshots() -> Qcow2:
    image = Qcow2()
    image.snapshot("disk only", image.add(bytes(64)), 0)
    image.snapshot("one", image.state(STREAM), len(STREAM))
    image.snapshot("two", image.state(STREAM[::-1]), len(STREAM))
    return image


def test_which_snapshot(tmp_path: Path) -> None:
    image = kept(tmp_path / "disk.qcow2", two_snapshots().bytes())
    assert read(image, "one") == read(image, "2") == STREAM
    assert read(image, "two") == STREAM[::-1]
    for name, message in (
        (None, "which snapshot is to be read.* one, two$"),
        ("three", "no snapshot is called three; .* one, two$"),
        ("disk only", "holds a disk, not the state of a guest"),
    ):
        with pytest.raises(VmsgenError, match=message):
            opened(image, name)
    with pytest.raises(VmsgenError, match="is no qcow2 image"):
        opened(kept(tmp_path / "plain", STREAM), "one")


def test_snapshots_are_compared_and_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = STREAM.replace(full_page(0x1000, None, 7), full_page(0x1000, None, 8))
    image = Qcow2()
    for name, stream in (("one", STREAM), ("two", other)):
        image.snapshot(name, image.state(stream), len(stream))
    disk, later = kept(tmp_path / "disk.qcow2", image.bytes()), kept(tmp_path / "later", bytes(4096) + other)
    assert run("diff", disk, disk, "--snapshot", "one", "--other-snapshot", "two") == 1
    assert capsys.readouterr().out == "ram pc.ram: 1 page of other contents, the first at 0x1000\n"
    assert run("diff", disk, later, "--snapshot", "two", "--other-offset", "0x1000") == 0
    assert run("diff", later, disk, "--offset", "4096", "--other-snapshot", "2") == 0
    for opened_as in ({"place": disk, "snapshot": "two"}, {"place": later, "offset": 4096}):
        with vmsgen.open(**opened_as) as migration:  # type: ignore[arg-type]
            migration.save(tmp_path / "again")
        assert (tmp_path / "again").read_bytes() == other


def test_one_snapshot_is_rewritten_and_no_other(tmp_path: Path) -> None:
    image = kept(tmp_path / "disk.qcow2", two_snapshots().bytes())
    stream, again = kept(tmp_path / "s.mig", STREAM.replace(b"pc.ram", b"pc.rom")), tmp_path / "again.qcow2"
    assert run("convert", stream, again, "--into", image, "--snapshot", "two") == 0
    assert read(again, "one") == STREAM
    assert read(again, "two") == stream.read_bytes()


def test_what_another_snapshot_uses_stays_as_it_is(tmp_path: Path) -> None:
    image = Qcow2()
    place = image.state(STREAM)
    image.snapshot("one", place, len(STREAM))
    image.snapshot("two", image.add(image.clusters[place // CLUSTER]), len(STREAM))  # other L1, the same L2
    disk = kept(tmp_path / "disk.qcow2", image.bytes())
    other = STREAM.replace(b"pc.ram", b"pc.rom")
    again = kept(tmp_path / "next.qcow2", rewritten(disk, other, "two"))
    assert read(again, "one") == STREAM
    assert rewritten(again, STREAM, "two")[: len(disk.read_bytes())] != disk.read_bytes()


def test_into_something_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stream = kept(tmp_path / "s.mig", STREAM)
    assert run("convert", stream, tmp_path / "out", "--into", stream) == 2
    assert "neither a qcow2 image nor a save image of libvirt" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "data", "message"),
    [
        (4, b"\0\0\0\7", "version 2 or 3"),
        (20, b"\0\0\0\x40", "clusters of 9 to 21 bits"),
        (32, b"\0\0\0\1", "encrypted"),
        (72, be64(1 << 2), "external data file"),
        (72, be64(1 << 4), "extended L2"),
        (60, b"\xff\xff\xff\xff", "more than QEMU takes"),
        (64, be64(1 << 63), "ends inside the table of snapshots"),
        (64, be64(1 << 40), "ends inside the table of snapshots"),
    ],
)
def test_images_that_are_not_read(tmp_path: Path, place: int, data: bytes, message: str) -> None:
    whole = bytearray(qcow2_image(STREAM))
    whole[place : place + len(data)] = data
    with pytest.raises(VmsgenError, match=message):
        opened(kept(tmp_path / "disk.qcow2", bytes(whole)))


@pytest.mark.parametrize(
    ("place", "data", "message"),
    [
        (72, be64(1), "was not closed properly"),
        (72, be64(2), "was not closed properly"),
        (96, b"\0\0\0\7", "no image of QEMU's"),
        (56, b"\0\0\0\0", "no image of QEMU's"),
        (56, b"\0\1\0\0", "no image of QEMU's"),
        (48, be64(1 << 40), "ends inside the table of reference counts"),
        (-CLUSTER, be64(1 << 40), "ends inside a block of reference counts"),
        (-CLUSTER, be64(0), "a cluster that the image says is not in use"),
        (-5 * CLUSTER, be64(0x1200), "no place of a cluster"),
        (-5 * CLUSTER, be64(1 << 62), "compressed clusters"),
        (-2 * CLUSTER, b"\0\1" * (CLUSTER // 2), None),  # the block is full of uses
    ],
)
def test_images_that_are_not_written(tmp_path: Path, place: int, data: bytes, message: str | None) -> None:
    whole = bytearray(qcow2_image(STREAM))
    place %= len(whole)
    whole[place : place + len(data)] = data
    image = kept(tmp_path / "disk.qcow2", bytes(whole))

    def write() -> None:
        with image_sink(str(image), str(tmp_path / "again")) as sink:
            sink.write(bytes(4 * CLUSTER))

    if message is None:
        write()
        assert read(tmp_path / "again") == bytes(4 * CLUSTER)
    else:
        with pytest.raises(VmsgenError, match=message):
            write()
        assert sorted(os.listdir(tmp_path)) == ["disk.qcow2"]


def test_tables_may_be_wrong(tmp_path: Path) -> None:
    whole = qcow2_image(STREAM)
    tables = len(whole) - 5 * CLUSTER  # of the second and first level, of snapshots, (block and table of) counts
    outcomes = set()
    for at in (0, 8, CLUSTER + 8, CLUSTER + 16, 2 * CLUSTER, 2 * CLUSTER + 8, 2 * CLUSTER + 32):
        place = tables + at
        bad = kept(tmp_path / "disk.qcow2", whole[:place] + b"\x40\xff\xff\xff\xff\xff\xfe\0" + whole[place + 8 :])
        try:
            outcomes.add(len(read(bad)))
        except VmsgenError as error:
            outcomes.add(type(error).__name__)
    assert outcomes == {"DataError", len(STREAM)}
