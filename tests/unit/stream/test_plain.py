"""Streams of other shapes as one plain stream with the same memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.stream.mapped_files import BLOCKS, mapped_file
from tests.unit.stream.multifd_files import ZLIB
from tests.unit.stream.states import REGISTRY as STATES
from tests.unit.stream.synthetic import (
    EOS_RECORD,
    HEADER,
    PAGE,
    be32,
    be64,
    block_list,
    command,
    configuration,
    end,
    full_page,
    ordinary,
    part,
    start,
    vmdesc,
    zero_page,
)
from tests.unit.stream.test_commands import run
from tests.unit.stream.test_multifd import expected, new_channels, new_main
from tests.unit.stream.test_packages import CLOCK, DEVICES, SWITCH, postcopy
from vmsgen.runtime.errors import DataError
from vmsgen.stream.channels.joined import joined
from vmsgen.stream.convert import convert
from vmsgen.stream.items import EOS, GROUP, LIST, ZERO, Command, Configuration, Package, RamRecords, Section
from vmsgen.stream.items import PAGE as FULL_PAGE
from vmsgen.stream.memory.contents import Memory, read_memory
from vmsgen.stream.memory.files import extract
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.shapes.mapped_ram import MappedReader
from vmsgen.stream.shapes.plain import PlainReader
from vmsgen.stream.transport.sink import MemorySink
from vmsgen.stream.transport.source import MemorySource


def plain(data: bytes, to: str = "binary", channels: list[bytes] | None = None) -> bytes:
    sink = MemorySink()
    convert(MemorySource(data), sink, to, channels=[MemorySource(one) for one in channels or ()], shape="plain")
    return sink.getvalue()


def memory(data: bytes, folder: Path) -> dict[str, bytes]:
    extract(StreamReader(MemorySource(data)), str(folder))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("to", ["binary", "ber"])
@pytest.mark.parametrize("gpa", [False, True])
def test_mapped_ram(tmp_path: Path, to: str, gpa: bool) -> None:
    file = mapped_file(gpa=gpa)
    made = plain(file, to)
    before, after = memory(file, tmp_path / "before"), memory(made, tmp_path / "after")
    assert before == after and len(after) == len(BLOCKS)
    # a page that the file does not have is one of zeros, but in a block that was left out as shared
    counted = Memory(lambda name, length, page_size: None)
    read_memory(StreamReader(MemorySource(made)), counted)
    assert counted.blocks[b"pc.ram"].counts() == {"data": 3, "zero": 97, "never": 0, "repeated": 0}
    assert counted.blocks[b"vga.vram"].counts()["never" if gpa else "zero"] == 64
    for item in StreamReader(MemorySource(made)).items():
        if isinstance(item, Configuration):
            assert item.capabilities == ((b"x-ignore-shared",) if gpa else None)
        if isinstance(item, Section):
            item.exhaust()


@pytest.mark.parametrize("place", [0, 0x1000])
def test_back_to_mapped_ram(place: int, tmp_path: Path) -> None:
    stream, file = tmp_path / "p.mig", tmp_path / "m.mig"
    # a page that the sender cleared, and one that it left there, are not in what is made of them
    pages = {
        name: (count, {at: data for at, data in held.items() if at != 71}, set(held) - {71})
        for name, (count, held, _) in BLOCKS.items()
    }
    stream.write_bytes(plain(mapped_file()))
    words = ("--shape", "mapped-ram", "--output-offset", str(place), "--blobs")
    assert run("convert", stream, file, *words) == 0
    assert file.read_bytes() == mapped_file(place, blocks=pages).replace(be64(0x200) + EOS_RECORD, EOS_RECORD)


def test_mapped_ram_of_an_ordinary_stream(tmp_path: Path) -> None:
    sink = MemorySink()
    early = HEADER + configuration("pc-q35-9.0") + command(2, be32(1))
    rest = ordinary(config=False)[len(HEADER) :]
    convert(MemorySource(early + rest), sink, "binary", shape="mapped-ram")
    assert memory(sink.getvalue(), tmp_path / "a") == memory(early + rest, tmp_path / "b")


def test_every_page_comes_once_if_at_all() -> None:
    data = HEADER + configuration() + start(2, "ram", block_list([("pc.ram", 4 * PAGE), ("rom", PAGE)]))
    data += part(2, full_page(0, "pc.ram", 1) + zero_page(0x1000, None) + full_page(0x2000, None, 2) + EOS_RECORD)
    data += end(2, full_page(0x1000, "pc.ram", 3) + zero_page(0x2000, None, 0) + EOS_RECORD) + b"\0"
    kinds = []
    for item in StreamReader(MemorySource(plain(data))).items():
        if isinstance(item, Section) and isinstance(item.body, RamRecords):
            kinds.append([record[:2] for batch in item.body.batches for record in batch if record[0] != LIST])
    assert kinds == [
        [(EOS,)],
        [(EOS,)],
        [
            (GROUP, b"pc.ram"),
            (FULL_PAGE, 0),
            (FULL_PAGE, 0x1000),
            (ZERO, 0x2000),
            (EOS,),
        ],
    ]


def test_ordinary_streams_keep_everything_else(tmp_path: Path) -> None:
    made = plain(ordinary())
    assert memory(made, tmp_path / "a") == memory(ordinary(), tmp_path / "b")
    assert made[-200:] == ordinary()[-200:]
    assert plain(made) == made


def test_with_channels(tmp_path: Path) -> None:
    made = plain(new_main(), channels=new_channels(ZLIB))
    assert memory(made, tmp_path)["pc.ram.ram"] == expected()


@pytest.mark.parametrize("shape", ["plain", "mapped-ram"])
def test_postcopy_as_precopy(shape: str, tmp_path: Path) -> None:
    """No receiver needs to answer, and devices stand behind the memory, as they are."""
    sink = MemorySink()
    convert(MemorySource(postcopy()), sink, "binary", STATES, shape=shape)
    made = sink.getvalue()
    items = list(StreamReader(MemorySource(made), STATES).items())
    assert not [item for item in items if isinstance(item, Command | Package)]
    sections = [(item.kind.name, item.name) for item in items if isinstance(item, Section)]
    assert sections == [
        *(("START", "ram"), ("PART", "ram"), ("PART", "ram"), ("END", "ram")),
        *(("FULL", "clock"), ("FULL", "0000:00:03.0/switch")),
    ]
    assert made.endswith(DEVICES + b"\0")
    assert memory(made, tmp_path / "a") == memory(postcopy(), tmp_path / "b")


def test_sizes_of_host_pages_are_left_out() -> None:
    host = block_list([("pc.ram", 4 * PAGE)])[:-8] + be64(2 << 20) + EOS_RECORD
    advised = HEADER + configuration() + command(3, be64(2 << 20) + be64(PAGE)) + start(2, "ram", host)
    rest = part(2, full_page(0, "pc.ram") + EOS_RECORD) + end(2, EOS_RECORD) + b"\0"
    made = plain(advised + rest)
    assert made.startswith(HEADER + configuration() + start(2, "ram", block_list([("pc.ram", 4 * PAGE)])))


@pytest.mark.parametrize("shape", ["plain", "mapped-ram"])
def test_a_background_snapshot_gets_a_last_section(shape: str, tmp_path: Path) -> None:
    data = HEADER + configuration() + start(2, "ram", block_list([("pc.ram", 2 * PAGE)]))
    data += part(2, full_page(0, "pc.ram") + EOS_RECORD) + part(2, zero_page(PAGE, "pc.ram") + EOS_RECORD)
    rest = DEVICES + b"\0" + vmdesc([("clock", 0, len(CLOCK)), ("0000:00:03.0/switch", 0, len(SWITCH))])
    data += rest
    sink = MemorySink()
    convert(MemorySource(data), sink, "binary", STATES, shape=shape)
    made = sink.getvalue()
    kinds = [item.kind.name for item in StreamReader(MemorySource(made), STATES).items() if isinstance(item, Section)]
    assert kinds == ["START", "PART", "PART", "END", "FULL", "FULL"]
    assert made.endswith(rest)
    assert memory(made, tmp_path / "a") == memory(data, tmp_path / "b")


@pytest.mark.parametrize("shaped", [PlainReader, MappedReader])
def test_memory_without_an_end(shaped: type[PlainReader]) -> None:
    data = HEADER + configuration() + start(2, "ram", block_list([("pc.ram", PAGE)])) + b"\0"
    with pytest.raises(DataError, match="RAM has no last section"):
        for item in shaped(StreamReader(MemorySource(data))).items():
            if isinstance(item, Section):
                item.exhaust()


def test_a_stream_that_could_not_say_it_is_mapped_ram() -> None:
    with pytest.raises(DataError, match="without a configuration cannot be a mapped-ram file"):
        convert(MemorySource(ordinary(config=False)), MemorySink(), "binary", shape="mapped-ram")


def test_errors_name_the_section() -> None:
    data = HEADER + configuration() + start(2, "ram", block_list([("pc.ram", PAGE)]))
    data += end(2, full_page(0x9000, "pc.ram") + EOS_RECORD) + b"\0"
    reader = PlainReader(joined(StreamReader(MemorySource(data)), []))
    with pytest.raises(DataError, match=r"section ram/0.*does not belong to RAM block pc.ram"):
        for item in reader.items():
            if isinstance(item, Section):
                item.exhaust()


def test_command(tmp_path: Path) -> None:
    (tmp_path / "m.mig").write_bytes(mapped_file())
    assert run("convert", tmp_path / "m.mig", tmp_path / "p.mig", "--shape", "plain", "--blobs") == 0
    assert (tmp_path / "p.mig").read_bytes() == plain(mapped_file())
