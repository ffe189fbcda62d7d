"""Memory as it is after the last record: every kind of page, in every order, from both formats, to files and text."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.stream.mapped_files import BLOCKS, mapped_file
from tests.unit.stream.synthetic import (
    COMPRESS,
    EOS_RECORD,
    HEADER,
    PAGE,
    XBZRLE,
    be16,
    be32,
    block_list,
    configuration,
    end,
    full_page,
    part,
    start,
    to_ber,
    word,
    zero_page,
)
from vmsgen.cli import run
from vmsgen.runtime.errors import DataError
from vmsgen.stream.memory.files import Place, extract, file_name, hex_dump, parse_place
from vmsgen.stream.ram.xbzrle import decode_xbzrle, decode_zlib_page
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.transport.source import MemorySource

RAM = block_list([("pc.ram", 16 * PAGE), ("0000:00:02.0/vga.vram", 4 * PAGE)])


def contents(fill: int) -> bytes:
    return bytes((fill + at) & 0xFF for at in range(PAGE))


def xbzrle(addr: int, block: str | None, runs: bytes) -> bytes:
    return word(addr, XBZRLE, block) + b"\1" + be16(len(runs)) + runs


def compressed(addr: int, block: str | None, page: bytes) -> bytes:
    data = zlib.compress(page)
    return word(addr, COMPRESS, block) + be32(len(data)) + data


def stream(first: bytes, last: bytes = b"") -> bytes:
    return HEADER + configuration() + start(2, "ram", RAM) + part(2, first + EOS_RECORD) + end(2, last + EOS_RECORD)


EVERY = stream(
    full_page(0, "pc.ram", 1)
    + full_page(PAGE, None, 2)
    + zero_page(2 * PAGE, None)
    + zero_page(3 * PAGE, None, 0x55)
    + compressed(4 * PAGE, None, contents(9))
    + full_page(5 * PAGE, None, 5)
    + full_page(PAGE, "0000:00:02.0/vga.vram", 7),
    zero_page(0, "pc.ram")
    + xbzrle(PAGE, None, b"\x03\x02\xaa\xbb" + b"\x80\x01\x01\xcc")
    + xbzrle(6 * PAGE, None, b"\x00\x01\xdd")
    + full_page(2 * PAGE, None, 3),
)
PATCHED = bytearray(contents(2))
PATCHED[3:5] = b"\xaa\xbb"
PATCHED[5 + 128] = 0xCC
EXPECTED = (
    bytes(PAGE)
    + bytes(PATCHED)
    + contents(3)
    + b"\x55" * PAGE
    + contents(9)
    + contents(5)
    + b"\xdd"
    + bytes(10 * PAGE - 1)
)


def extracted(data: bytes, folder: Path) -> dict[str, bytes]:
    names = extract(StreamReader(MemorySource(data)), str(folder))
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    return {name: (folder / name).read_bytes() for name in names}


@pytest.mark.parametrize("ber", [False, True])
def test_every_kind_of_page(tmp_path: Path, ber: bool) -> None:
    found = extracted(to_ber(EVERY + b"\0") if ber else EVERY, tmp_path / "new" / "folder")
    assert found == {
        "pc.ram.ram": EXPECTED,
        "0000%3A00%3A02.0%2Fvga.vram.ram": bytes(PAGE) + contents(7) + bytes(2 * PAGE),
    }


def test_mapped_ram(tmp_path: Path) -> None:
    found = extracted(mapped_file(), tmp_path)
    for name, (pages, data, bits) in BLOCKS.items():
        expected = b"".join(data[at] if at in data and at in bits else bytes(PAGE) for at in range(pages))
        assert found[file_name(name)] == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 15), st.sampled_from("fzcbx"), st.integers(1, 200)), max_size=40))
def test_any_order(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str, int]]) -> None:
    model = bytearray(16 * PAGE)
    records = [full_page(0, "0000:00:02.0/vga.vram")]
    for at, kind, value in steps:
        addr, block = at * PAGE, "pc.ram"
        place = slice(addr, addr + PAGE)
        if kind == "f":
            records.append(full_page(addr, block, value))
            model[place] = contents(value)
        elif kind == "z":
            records.append(zero_page(addr, block))
            model[place] = bytes(PAGE)
        elif kind == "c":
            records.append(compressed(addr, block, contents(value)))
            model[place] = contents(value)
        elif kind == "b":
            records.append(zero_page(addr, block, value))
            model[place] = bytes((value,)) * PAGE
        else:
            records.append(xbzrle(addr, block, bytes((value & 0x7F, 2, value, 7))))
            model[addr + (value & 0x7F) : addr + (value & 0x7F) + 2] = bytes((value, 7))
    found = extracted(stream(b"".join(records)), tmp_path_factory.mktemp("memory"))
    assert found["pc.ram.ram"] == bytes(model)


def test_nothing_is_published_of_a_cut_stream(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        extract(StreamReader(MemorySource(EVERY[:-20])), str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["..", ".", "/etc/passwd", "a/../b", "a\0b", "x" * 255, "\udcff", "-rf"])
def test_names_of_files_are_safe(name: str) -> None:
    safe = file_name(name)
    assert "/" not in safe and "\0" not in safe and len(safe) < 250 and safe.isascii()
    assert safe not in (".", "..") and safe != file_name(name + "x")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("pc.ram", Place("pc.ram")),
        ("pc.ram@0x1000", Place("pc.ram", 4096)),
        ("pc.ram@16+0x10", Place("pc.ram", 16, 16)),
        ("/rom@etc/acpi/tables", Place("/rom@etc/acpi/tables")),
        ("/rom@etc/acpi/tables@1+2", Place("/rom@etc/acpi/tables", 1, 2)),
    ],
)
def test_places(text: str, place: Place) -> None:
    assert parse_place(text) == place


def test_hex_dump() -> None:
    data = bytes(16) * 4 + b"QEMU" + bytes(12) + b"end"
    assert list(hex_dump(iter([data[:32], data[32:]]), 0x1000)) == [
        "00001000  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  |................|",
        "*",
        "00001040  51 45 4d 55 00 00 00 00 00 00 00 00 00 00 00 00  |QEMU............|",
        "00001050  65 6e 64                                         |end|",
    ]
    assert list(hex_dump(iter([bytes(32), bytes(32)]), 0))[1:] == ["*", "00000040"]


@pytest.fixture
def path(tmp_path: Path) -> str:
    (tmp_path / "every.mig").write_bytes(EVERY)
    return str(tmp_path / "every.mig")


def test_show_memory(path: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["show", path, "--memory", "pc.ram@0x1003+5"]) == 0
    assert capsysbinary.readouterr().out == b"00001003  aa bb 07 08 09" + b" " * 35 + b"|.....|\n"
    assert run(["show", path, "--memory", "pc.ram@4090+20", "--raw"]) == 0
    assert capsysbinary.readouterr().out == EXPECTED[4090:4110]
    assert run(["show", path, "--memory", "pc.ram", "--raw"]) == 0
    assert capsysbinary.readouterr().out == EXPECTED


def test_show_memory_map(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", path, "--memory-map"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "     pages      data      zero     never  repeated  block",
        "        16         6         1         9         3  pc.ram",
        "         4         1         0         3         0  0000:00:02.0/vga.vram",
    ]
    assert run(["show", path, "--memory-map", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[1]["never"] == 3


def test_show_extract(path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", path, "--extract", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.split()[:2] == ["65536", str(tmp_path / "out" / "pc.ram.ram")]
    assert (tmp_path / "out" / "pc.ram.ram").read_bytes() == EXPECTED


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--memory", "pc.rom"], "no RAM block is called pc.rom; there are pc.ram, 0000:00:02.0/vga.vram"),
        (["--memory", "pc.ram@0x10000+1"], "is not in it"),
        (["--raw"], "--raw goes with --memory"),
        (["--memory", "pc.ram", "--memory-map"], "at a time"),
        (["--stats", "--extract", "x"], "at a time"),
    ],
)
def test_show_refuses(path: str, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", path, *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (full_page(16 * PAGE, "pc.ram"), "a page at 0x10000 does not belong to RAM block pc.ram of 65536 bytes"),
        (full_page(0, "pc.rom"), "RAM block pc.rom, which the stream does not list"),
        (zero_page(15 * PAGE, "pc.ram") + zero_page(16 * PAGE, None), "does not belong"),
        (xbzrle(0, "pc.ram", b"\1"), "ends between its runs"),
        (compressed(0, "pc.ram", b"short"), "a compressed page of 5 bytes"),
    ],
)
def test_pages_that_do_not_fit(tmp_path: Path, records: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        extract(StreamReader(MemorySource(stream(records))), str(tmp_path))
    assert caught.value.section == "ram/0"


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        (b"\x00\x00", "that does not fit"),
        (b"\x00\x03ab", "that does not fit"),
        (b"\xff\x7f\x01x", "that does not fit"),
        (b"\x80", "more than two octets"),
        (b"\x80\x80\x01", "more than two octets"),
    ],
)
def test_differences_that_are_none(runs: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        decode_xbzrle(runs, bytearray(PAGE))


def test_a_page_that_is_no_zlib_stream() -> None:
    with pytest.raises(DataError, match="no zlib stream"):
        decode_zlib_page(b"nonsense", PAGE)
    with pytest.raises(DataError, match="expected 4096"):
        decode_zlib_page(zlib.compress(bytes(1 << 24)), PAGE)
    with pytest.raises(DataError, match="expected 4096"):
        decode_zlib_page(zlib.compress(bytes(PAGE))[:-1], PAGE)
