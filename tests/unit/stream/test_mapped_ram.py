"""Files of capability mapped-ram: read, written, sparse where they were, at any place of a file."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from tests.unit.stream.mapped_files import BLOCKS, MIB, mapped_file, page
from tests.unit.stream.synthetic import PAGE, be64, piped, str8, to_ber, to_binary
from vmsgen.cli import run
from vmsgen.runtime.errors import DataError
from vmsgen.stream.convert import convert
from vmsgen.stream.items import EOS, FLUSH, GROUP, MAPPED, SIZE, Record
from vmsgen.stream.items import PAGE as FULL
from vmsgen.stream.migration import open_migration
from vmsgen.stream.text.summary import summarize
from vmsgen.stream.transport.sink import MemorySink
from vmsgen.stream.transport.source import ByteSource, MemorySource


@pytest.mark.parametrize("filler", [b"", b"\0not a hole"])
@pytest.mark.parametrize("gpa", [False, True])
@pytest.mark.parametrize("place", [0, 4096, 12345])
def test_there_and_back(place: int, gpa: bool, filler: bytes) -> None:
    stream = mapped_file(place, filler=filler, gpa=gpa)[place:]
    ber = to_ber(stream)
    assert len(ber) < 40_000  # eight pages, not the file
    assert to_binary(ber) == stream


def sparse(path: Path, data: bytes) -> None:
    """Writes the pages of data that are not zeros."""
    with path.open("wb") as file:
        for at in range(0, len(data), PAGE):
            piece = data[at : at + PAGE]
            if any(piece):
                file.seek(at)
                file.write(piece)
        file.truncate(len(data))


def test_holes_stay_holes(tmp_path: Path) -> None:
    data = mapped_file()
    (tmp_path / "in.mig").write_bytes(b"")
    sparse(tmp_path / "in.mig", data)
    assert run(["convert", str(tmp_path / "in.mig"), str(tmp_path / "ber"), "--to", "ber"]) == 0
    assert run(["convert", str(tmp_path / "ber"), str(tmp_path / "out.mig"), "--to", "binary"]) == 0
    assert (tmp_path / "out.mig").read_bytes() == data
    used = [os.stat(tmp_path / name).st_blocks for name in ("in.mig", "out.mig")]
    if used[0] * 512 < len(data) // 2:  # the file system has holes
        assert used[1] <= used[0] + 64


def test_a_hole_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.write(b"x" * PAGE)
        file.truncate(1 << 40)
    if os.stat(path).st_blocks > 64:
        pytest.skip("the file system has no holes")
    with ByteSource.open(path) as source:
        assert source.read(PAGE, "a page") == b"x" * PAGE
        source.end = source.pos  # what was read ahead is given back below
        source._raw.seek(PAGE)  # type: ignore[union-attr]
        source._base = PAGE - source.pos
        assert source.skip_hole(1 << 39, PAGE) == 1 << 39
        assert source.offset == PAGE + (1 << 39)
        assert source.skip_hole(1 << 50, PAGE) == (1 << 39) - PAGE
        assert source.at_end()


@pytest.mark.parametrize("place", ["4096", "0x1000"])
def test_a_stream_at_a_place_of_the_file(tmp_path: Path, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = mapped_file(4096)
    path, ber, back = tmp_path / "in.mig", tmp_path / "ber", tmp_path / "out.mig"
    sparse(path, data)
    assert run(["convert", str(path), str(ber), "--offset", place, "--to", "ber"]) == 0
    assert run(["convert", str(ber), str(back), "--output-offset", place, "--to", "binary"]) == 0
    assert back.read_bytes() == data
    capsys.readouterr()
    assert run(["show", str(path), "--offset", place, "--stats"]) == 0
    assert capsys.readouterr().out.split()[:2] == ["bytes", str(len(data) - 4096)]
    assert run(["verify", str(path), "--offset", place, "--no-schema"]) == 0
    assert run(["show", str(path)]) == 2
    assert run(["show", str(path), "--offset", "-1"]) == 2


def test_records() -> None:
    with open_migration(mapped_file()) as migration:
        records: list[Record] = [
            tuple(bytes(part) if isinstance(part, memoryview) else part for part in record)
            for record in migration.sections[0].records()
        ]
    assert records[0] == (SIZE, 167 * PAGE, PAGE)
    assert [record[0] for record in records] == (
        [SIZE, MAPPED, GROUP, FULL, FULL, FULL, FULL, MAPPED, GROUP, MAPPED, GROUP, FULL, FLUSH, EOS]
    )
    assert [record[1] for record in records if record[0] == FULL] == [0, PAGE, 70 * PAGE, 71 * PAGE, 2 * PAGE]
    assert (FULL, 2 * PAGE, page(9)) in records
    assert [record[1].name for record in records if record[0] == MAPPED] == [name.encode() for name in BLOCKS]


def test_a_migration_saves_it() -> None:
    data = mapped_file()
    for form in (data, to_ber(data)):
        with open_migration(form) as migration:
            blocks = {block.name.decode(): block.length for block in migration.ram_blocks}
            assert blocks == {name: pages * PAGE for name, (pages, _, _) in BLOCKS.items()}
            sink = MemorySink()
            migration.save(sink)
            assert sink.getvalue() == data


def test_statistics_and_text() -> None:
    data = mapped_file()
    summary = summarize(MemorySource(data))
    assert summary.error is None and summary.statistics.bytes == len(data)
    assert summary.statistics.ram > 3 * MIB
    for to in ("debug", "json"):
        texts = []
        for form in (data, to_ber(data)):
            sink = MemorySink()
            convert(piped(form), sink, to)
            texts.append(sink.getvalue())
        assert texts[0] == texts[1] and b"vga.vram" in texts[0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (be64(PAGE), be64(8192), "found version 1 in pages of 8192"),
        (b"\0\0\0\1" + be64(PAGE), b"\0\0\0\2" + be64(PAGE), "found version 2"),
        (str8("pc.rom") + be64(3 * PAGE), str8("pc.rom") + be64(4 * PAGE), "expected a multiple of 4096 and at most"),
        (str8("pc.rom") + be64(3 * PAGE), str8("pc.rom") + be64(3 * PAGE + 1), "expected a multiple of 4096"),
        (be64(2 * MIB), be64(20 * MIB), "at no place that can be"),
        (be64(2 * MIB), be64(MIB), "at no place that can be"),
        (str8("vga.vram"), str8("vga.vra"), "expected mapped RAM of version 1|another place"),
    ],
)
def test_refused(old: bytes, new: bytes, message: str) -> None:
    data = mapped_file()
    assert old in data
    with pytest.raises(DataError, match=message) as caught:
        to_ber(data.replace(old, new, 1))
    assert caught.value.section == "ram/0"


def test_ber_whose_pages_do_not_fit() -> None:
    ber = to_ber(mapped_file())
    for old, new in (
        (b"\x02\x01\x00\x04\x82\x10\x00", b"\x02\x01\x01\x04\x82\x10\x00"),  # at no multiple of the page size
        (b"\x02\x03\x04\x60\x00", b"\x02\x03\x04\x70\x00"),  # page 70 after page 71
        (b"\x02\x03\x04\x70\x00", b"\x02\x03\x07\x70\x00"),  # behind the end
    ):
        assert old in ber
        with pytest.raises(DataError, match="does not fit its RAM block"):
            to_binary(ber.replace(old, new, 1))


def test_cut_and_flipped() -> None:
    random = Random(8)
    data = mapped_file()
    ber = to_ber(data)
    places = [random.randrange(len(ber)) for _ in range(60)]
    for at in places:
        with pytest.raises(DataError):
            to_binary(ber[:at])
        damaged = bytearray(ber)
        damaged[at] ^= 1 << random.randrange(8)
        try:
            to_binary(bytes(damaged))
        except DataError as error:
            assert error.message
    for at in [random.randrange(200) for _ in range(40)] + [MIB + 5, 2 * MIB + 60, len(data) - 1]:
        with pytest.raises(DataError):
            to_ber(data[:at])
