"""Channels of multifd and of postcopy-preempt: both formats, memory joined from them, one plain stream of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import vmsgen
from tests.unit.stream.multifd_files import SYNC, ZLIB, ZSTD, Deflater, device_packet, hello, packet, page
from tests.unit.stream.synthetic import (
    EOS_RECORD,
    FLUSH,
    HEADER,
    PAGE,
    be64,
    block_list,
    configuration,
    end,
    full_page,
    part,
    start,
    zero_page,
)
from tests.unit.stream.test_commands import run
from tests.unit.stream.test_verify import folder
from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.stream.ber.schema import Schema
from vmsgen.stream.channels.files import open_channel, write_channel
from vmsgen.stream.channels.joined import JoinedReader, joined
from vmsgen.stream.channels.summary import summarize_channel
from vmsgen.stream.convert import convert
from vmsgen.stream.input_file import InputFile
from vmsgen.stream.items import PAGE as PAGE_RECORD
from vmsgen.stream.items import RamRecords, Section
from vmsgen.stream.memory.contents import Memory, read_memory
from vmsgen.stream.memory.files import extract
from vmsgen.stream.migration import open_migration
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.transport.sink import MemorySink
from vmsgen.stream.transport.source import MemorySource
from vmsgen.stream.verify.channel import verify_channel

__all__ = ["folder"]

FLUSHED = be64(FLUSH)
BLOCKS = block_list([("pc.ram", 16 * PAGE)])


def old_main() -> bytes:
    """Before QEMU 8.1: the end of each section is the end of a round; zero pages are in the main stream."""
    data = HEADER + configuration() + start(2, "ram", BLOCKS)
    data += part(2, zero_page(0x2000, "pc.ram") + zero_page(0x3000, None) + EOS_RECORD)
    data += part(2, zero_page(0, None) + EOS_RECORD)
    return data + end(2, EOS_RECORD) + b"\0"


def new_main() -> bytes:
    """Since QEMU 8.1 there are marks of their own."""
    data = HEADER + configuration("pc-i440fx-9.0")
    data += start(2, "ram", BLOCKS[:-8] + FLUSHED + EOS_RECORD) + part(2, EOS_RECORD)
    data += part(2, FLUSHED + EOS_RECORD)
    return data + end(2, FLUSHED + EOS_RECORD) + b"\0"


def old_channels() -> list[bytes]:
    """What an earlier packet left in a header stays there."""
    first = hello(0) + packet(1, flags=SYNC, size=PAGE)
    first += packet(2, [0x0, 0x1000], contents=page(1) + page(2)) + packet(4, flags=SYNC, size=8192, stale=[0, 0x1000])
    first += packet(6, [0x2000], contents=page(3), stale=[0x1000]) + packet(7, flags=SYNC, size=PAGE)
    first += packet(8, flags=SYNC, size=PAGE, block=b"")
    second = hello(1) + packet(0, flags=SYNC) + packet(3, [0x4000], contents=page(9)) + packet(3, flags=SYNC)
    second += packet(5, flags=SYNC) + packet(5, [0x5000, 0x1000], contents=page(5) + page(6), flags=SYNC)
    return [first, second]


def new_channels(method: int = 0) -> list[bytes]:
    """The same memory."""
    made = []
    for number, rounds in enumerate(
        (
            [([], []), ([(0x0, 1), (0x1000, 2)], [0x2000, 0x3000]), ([(0x2000, 3)], [0x0])],
            [([], []), ([(0x4000, 9)], []), ([], []), ([(0x5000, 5), (0x1000, 6)], [])],
        )
    ):
        deflate = Deflater()
        data = hello(number)
        for pages, zero in rounds:
            contents = [page(fill) for _, fill in pages]
            told = (deflate(*contents) if method else b"".join(contents)) if pages else b""
            normal = [addr for addr, _ in pages]
            if normal or zero:
                data += packet(number, normal, zero=zero, contents=told, flags=method)
            data += packet(number, flags=SYNC, allocated=0)
        made.append(data)
    return made


def expected() -> bytes:
    pages = {1: page(6), 2: page(3), 4: page(9), 5: page(5)}
    return b"".join(pages.get(number, bytes(PAGE)) for number in range(16))


def memory_of(main_stream: bytes, channels: list[bytes], tmp_path: Path) -> bytes:
    reader = joined(StreamReader(MemorySource(main_stream)), [MemorySource(data) for data in channels])
    extract(reader, str(tmp_path))
    return (tmp_path / "pc.ram.ram").read_bytes()


def written(folder: Path) -> tuple[Path, list[Path]]:
    """The main stream and its channels as files."""
    main, others = folder / "main.mig", [folder / "main.mig.ch1", folder / "main.mig.ch2"]
    main.write_bytes(new_main())
    for path, data in zip(others, new_channels(ZLIB), strict=True):
        path.write_bytes(data)
    return main, others


def ber_of(channel: bytes) -> bytes:
    sink = MemorySink()
    write_channel(open_channel(MemorySource(channel)), sink, "ber")
    return sink.getvalue()


def binary_of(channel: bytes) -> bytes:
    sink = MemorySink()
    write_channel(open_channel(MemorySource(channel)), sink, "binary")
    return sink.getvalue()


PREEMPT = full_page(0x6000, "pc.ram", 4) + full_page(0x7000, None) + zero_page(0x8000, None) + EOS_RECORD
ODD = [
    hello(7, reserved=bytes(range(39))),
    hello() + packet(0, [0], contents=page(0), reserved=bytes(range(28))),
    hello() + packet(0, [0], contents=page(0), block=b"a\0stale name"),
    hello() + packet(0, flags=SYNC, allocated=0, slots=64) + packet(1, flags=SYNC, allocated=0, slots=64),
    hello() + packet(0, [0], contents=b"", size=0),
    hello() + device_packet(b"0000:00:02.0/vfio", b"state") + device_packet(b"", b""),
    PREEMPT,
    EOS_RECORD,
]


@pytest.mark.parametrize("channel", [*old_channels(), *new_channels(), *new_channels(ZLIB), *ODD])
def test_both_formats(channel: bytes, folder: Path) -> None:
    ber = ber_of(channel)
    assert ber[:3] == bytes.fromhex("7fcd43")
    assert binary_of(ber) == channel
    schema = Schema(folder, cache=folder.parent / "cache")
    for data in (channel, ber):
        file = InputFile(data)
        report = verify_channel(file, schema)
        file.close()
        assert report.findings == [] and report.judged > 1 and report.bytes == len(data)


@pytest.mark.parametrize("method", [0, ZLIB])
def test_memory_from_all_channels(method: int, tmp_path: Path) -> None:
    assert memory_of(old_main(), old_channels(), tmp_path) == expected()
    assert memory_of(new_main(), new_channels(method), tmp_path) == expected()
    assert memory_of(new_main(), [ber_of(channel) for channel in new_channels(method)], tmp_path) == expected()
    # in which order they are given does not matter
    assert memory_of(new_main(), new_channels(method)[::-1], tmp_path) == expected()


def test_zstd(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    stream = zstandard.ZstdCompressor().compressobj()
    pieces = [stream.compress(page(at)) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) for at in (1, 2)]
    channel = hello() + packet(0, flags=SYNC, allocated=0)
    channel += packet(1, [0], contents=pieces[0], flags=ZSTD) + packet(2, [0x1000], contents=pieces[1], flags=ZSTD)
    assert memory_of(new_main(), [channel], tmp_path)[: 2 * PAGE] == page(1) + page(2)
    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 24))
    channel = hello() + packet(0, flags=SYNC, allocated=0) + packet(1, [0], contents=bomb, flags=ZSTD)
    with pytest.raises(DataError, match="its 1 pages 4096"):
        memory_of(new_main(), [channel], tmp_path)


def test_without_zstandard_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    channel = hello() + packet(1, [0], contents=b"1", flags=ZSTD)
    assert binary_of(ber_of(channel)) == channel
    with pytest.raises(VmsgenError, match="pip install zstandard"):
        memory_of(new_main(), [channel], tmp_path)


def test_preempt(tmp_path: Path) -> None:
    found = memory_of(old_main(), [PREEMPT, b""], tmp_path)
    assert found[0x6000:0x7000] == page(4) and found[0x7000:0x8000] == page(0xA5)


@pytest.mark.parametrize("to", ["binary", "ber"])
def test_one_plain_stream(to: str, tmp_path: Path) -> None:
    for main_stream, channels in ((old_main(), old_channels()), (new_main(), new_channels(ZLIB))):
        sink = MemorySink()
        convert(MemorySource(main_stream), sink, to, channels=[MemorySource(data) for data in channels])
        plain = sink.getvalue()
        assert be64(FLUSH) not in plain[:200]
        with open_migration(plain) as migration:
            assert {block.name for block in migration.ram_blocks} == {b"pc.ram"}
        reader = StreamReader(MemorySource(plain))
        extract(reader, str(tmp_path))
        assert (tmp_path / "pc.ram.ram").read_bytes() == expected()


@pytest.mark.parametrize("ber", [False, True])
def test_open_with_channels(ber: bool, tmp_path: Path) -> None:
    main, others = written(tmp_path)
    if ber:
        assert run("convert", str(main), f"{main}.ber", "--to", "ber") == 0
    with vmsgen.open(f"{main}.ber" if ber else main, channels=others) as migration:
        pages = {
            record[1]: bytes(record[2])
            for section in migration.sections
            for record in section.records()
            if record[0] == PAGE_RECORD
        }
        assert migration.format == ("ber" if ber else "binary")
        migration.save(tmp_path / "plain.mig")
    assert pages == {PAGE * number: page(fill) for number, fill in ((0, 1), (1, 6), (2, 3), (4, 9), (5, 5))}
    assert run("show", str(tmp_path / "plain.mig"), "--extract", str(tmp_path)) == 0
    assert (tmp_path / "pc.ram.ram").read_bytes() == expected()
    with pytest.raises(DataError, match="is no channel of a migration"):
        vmsgen.open(main, channels=[main])


def test_diff_with_channels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main, others = written(tmp_path)
    plain, given = str(tmp_path / "plain.mig"), [word for name in others for word in ("--channel", str(name))]
    assert run("convert", str(main), plain, *given) == 0
    assert run("diff", str(main), plain, *given) == 0
    assert run("diff", plain, str(main), *(word.replace("--", "--other-") for word in given)) == 0
    capsys.readouterr()
    assert run("diff", str(main), plain, "--channel", str(others[0])) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"ram pc.ram: 1 page of other contents, the first at 0x1000; 2 pages sent only in {plain}"
    ]


def test_a_joined_page_always_names_its_block() -> None:
    reader = JoinedReader(StreamReader(MemorySource(old_main())), [])
    groups = [
        record
        for item in reader.items()
        if isinstance(item, Section) and isinstance(item.body, RamRecords)
        for batch in item.body.batches
        for record in batch
        if record[0] == 0
    ]
    assert groups == [(0, b"pc.ram", False)] * 2


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        (hello() + packet(0, [0], contents=b"short"), "packet 0 holds 5 bytes, its 1 pages 4096"),
        (hello() + packet(0, [0], contents=b"\1\2", flags=ZLIB), "no zlib stream"),
        (hello() + packet(0, [0], contents=b"\1", flags=4 << 1), "compressed by qpl cannot be read"),
        (hello() + packet(0, [0], contents=page(0), block=b""), "pages of no RAM block"),
        (hello() + packet(0, [0], contents=page(0), block=b"other"), "which the stream does not list"),
        (hello() + packet(0, [1 << 40], contents=page(0)), "does not belong to RAM block"),
        (hello() + device_packet(b"a", b""), "device state in a channel"),
        (hello() + packet(0, [0], contents=page(0))[:-1], "ends inside the contents"),
        (hello()[:-1], "ends inside"),
        (hello() + bytes(2000), "expected a multifd packet"),
        (hello() + packet(0, allocated=1 << 30), "with 1073741824 addresses"),
        (hello() + packet(0, [0] * 9, size=1 << 31), "above the limit"),
        (b"\x51QEV", "is no channel"),
        (PREEMPT + b"\0", "bytes after the end"),
    ],
)
def test_what_is_wrong_is_told(channel: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_memory(
            joined(StreamReader(MemorySource(old_main())), [MemorySource(channel)]),
            Memory(lambda name, length, page_size: None),
        )


def test_more_pages_than_addresses() -> None:
    bad = bytearray(hello() + packet(0, [0], contents=page(0)))
    bad[64 + 16 : 64 + 20] = (1000).to_bytes(4, "big")
    with pytest.raises(DataError, match="1000 \\+ 0 pages and 128 addresses"):
        ber_of(bytes(bad))


def test_every_cut_is_an_error_and_no_traceback() -> None:
    ber = ber_of(new_channels()[1])
    for size in range(0, len(ber) - 1, 97):
        with pytest.raises(DataError):
            binary_of(ber[:size] or b"\x7f\xcd\x43")


def test_a_channel_is_no_stream() -> None:
    with pytest.raises(DataError, match="is a channel that belongs to another stream"):
        StreamReader(MemorySource(hello()))


def test_summary() -> None:
    source = MemorySource(new_channels(ZLIB)[0])
    values = summarize_channel(open_channel(source), source).values()
    assert (values["number"], values["compression"], values["rounds"]) == (0, ["zlib"], 3)
    assert (values["packets"], values["pages"], values["zero"], values["error"]) == (5, 6, 3, None)
    source = MemorySource(PREEMPT)
    text = str(summarize_channel(open_channel(source), source))
    assert text.startswith("channel of postcopy-preempt, binary: 3 pages, 1 of zeros; ")
    many = full_page(0, "pc.ram") + b"".join(full_page(PAGE * number, None) for number in range(1, 100))
    for data in (many + EOS_RECORD, ber_of(many + EOS_RECORD)):
        source = MemorySource(data)
        assert summarize_channel(open_channel(source), source).pages == 100


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stream, names = tmp_path / "main.mig", []
    stream.write_bytes(new_main())
    for number, data in enumerate(new_channels(), 1):
        names.append(str(tmp_path / f"main.mig.ch{number}"))
        Path(names[-1]).write_bytes(data)
    given = [word for name in names for word in ("--channel", name)]
    assert run("show", str(stream), *given) == 0
    assert "multifd channel 1, binary, compression none: 6 packets in 4 rounds, 3 pages; " in capsys.readouterr().out
    assert run("show", str(stream), *given, "--format", "json") == 0
    assert [channel["number"] for channel in json.loads(capsys.readouterr().out)["channels"]] == [0, 1]
    assert run("show", names[0]) == 0 and "multifd channel 0" in capsys.readouterr().out
    assert run("show", str(stream), *given, "--memory-map") == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["16", "4", "2", "10", "3", "pc.ram"]
    assert run("verify", str(stream), *given, "--no-schema") == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert run("convert", names[0], f"{names[0]}.ber", "--to", "ber") == 0
    assert run("convert", f"{names[0]}.ber", f"{names[0]}.again") == 0
    assert Path(f"{names[0]}.again").read_bytes() == Path(names[0]).read_bytes()
    for form in ("json", "debug"):
        assert run("convert", names[0], f"{names[0]}.{form}", "--to", form) == 0
    assert "pages version=1 flags=1 allocated=0" in Path(f"{names[0]}.debug").read_text()
    Path(names[0]).write_bytes(hello() + b"cut")
    assert run("show", str(stream), *given) == 2 and "ends inside a multifd packet" in capsys.readouterr().err
