"""Inputs in small pieces, outputs in big ones; files that appear whole or not at all."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.stream.synthetic import Trickle
from vmsgen.runtime.errors import LimitError, TruncatedError
from vmsgen.stream.transport.mapped import MappedSource, mapped_source
from vmsgen.stream.transport.sink import ByteSink, FileSink, MemorySink, open_sink
from vmsgen.stream.transport.source import ByteSource, MemorySource
from vmsgen.stream.transport.spool import spool

DATA = bytes(range(256)) * 40


@given(st.lists(st.integers(0, 300), max_size=60), st.lists(st.integers(1, 90), min_size=1, max_size=5))
def test_reading_in_any_pieces(sizes: list[int], steps: list[int]) -> None:
    source = ByteSource(Trickle(DATA, steps), capacity=128)
    at = 0
    for size in sizes:
        assert source.offset == at
        peeked = source.peek(min(size, 100))
        assert peeked == DATA[at : at + min(size, 100)]
        if at + size > len(DATA):
            with pytest.raises(TruncatedError):
                source.read(size, "the test")
            return
        assert source.read(size, "the test") == DATA[at : at + size]
        at += size
    assert b"".join(bytes(piece) for piece in source.rest()) == DATA[at:]
    assert source.at_end()


def test_memory_and_files_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    sources = [MemorySource(DATA), ByteSource.open(path), ByteSource(io.BytesIO(DATA)), ByteSource(Trickle(DATA))]
    for source in [*sources, mapped_source(io.FileIO(path), "data")]:
        with source:
            assert (source.u8("x"), source.u16("x"), source.u32("x"), source.u64("x")) == (
                0,
                0x0102,
                0x03040506,
                0x0708090A0B0C0D0E,
            )
            assert source.str8("x") == bytes(range(16, 31))
            source.skip(225, "x")
            assert source.u8("x") == 0 and source.offset == 257
            with pytest.raises(LimitError):
                source.read(2000, "x", limit=1999)


def test_a_mapped_file(tmp_path: Path) -> None:
    path = tmp_path / "data"
    with path.open("wb") as file:  # 200 MiB, nearly all of them a hole
        file.write(DATA)
        file.seek(200 << 20)
        file.write(DATA)
    raw = io.FileIO(path)
    raw.seek(16)
    source = mapped_source(raw, "data")
    assert isinstance(source, MappedSource) and source.view.readonly
    source.begin_at(240)
    assert source.offset == 0 and source.peek(3) == DATA[:3] and source.capacity > 200 << 20
    source.skip(4096 * 3 - 256, "x")
    assert source.skip_hole(1 << 20, 4096) == 1 << 20
    left = sum(len(piece) for piece in source.pieces((200 << 20) - (1 << 20) - 4096 * 3, "x"))
    assert left == (200 << 20) - (1 << 20) - 4096 * 3
    assert source.read(len(DATA), "x") == DATA
    assert source.at_end() and not source.ensure(1)
    with pytest.raises(TruncatedError):
        source.u8("x")
    source.close()


def test_what_cannot_be_mapped_is_read(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    os.mkfifo(tmp_path / "pipe")
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    os.write(writer, DATA[:5])
    for path, data in ((empty, b""), (tmp_path / "pipe", DATA[:5])):
        source = mapped_source(io.FileIO(path), str(path))
        assert not isinstance(source, MappedSource)
        if data:
            assert source.read(5, "x") == data
        source.close()
    os.close(writer)


def test_only_read_is_needed() -> None:
    class Plain:
        def __init__(self) -> None:
            self.left = DATA

        def read(self, n: int = -1, /) -> bytes:
            piece, self.left = self.left[:3], self.left[3:]
            return piece

    assert ByteSource(Plain()).read(len(DATA), "x") == DATA


@pytest.mark.parametrize("limit", [0, 100, len(DATA), 1 << 20])
def test_spooling_in_memory_and_on_disk(limit: int) -> None:
    source = ByteSource(Trickle(DATA), capacity=64)
    source.read(10, "x")
    kept = spool(source, limit)
    assert kept.offset == 10
    first = kept.view[kept.pos : kept.pos + 5]
    assert kept.read(len(DATA) - 10, "x") == DATA[10:]
    assert kept.at_end() and first == DATA[10:15] and kept.offset == len(DATA)
    assert spool(kept) is kept


# ---------------------------------------------------------------------------------------------- output


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with open_sink(path) as sink:
        sink.write(b"abc")
        sink.flush()
        assert not path.exists()
    assert path.read_bytes() == b"abc"
    assert os.listdir(tmp_path) == ["out"]


def test_nothing_is_published_on_failure(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), FileSink(path) as sink:
        sink.write(b"new")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    with open_sink(tmp_path / "link") as sink:
        sink.write(b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"new"


@given(st.lists(st.tuples(st.integers(0, 3000), st.booleans()), max_size=40))
def test_pieces_come_out_in_order(pieces: list[tuple[int, bool]]) -> None:
    reading, writing = os.pipe()
    got: list[bytes] = []

    def read() -> None:
        with os.fdopen(reading, "rb") as pipe:
            got.append(pipe.read())

    reader = threading.Thread(target=read)
    reader.start()
    expected = b""
    reused = bytearray(3000)
    with os.fdopen(writing, "wb") as pipe, ByteSink(pipe) as sink:
        for number, (size, copied) in enumerate(pieces):
            content = bytes((number & 0xFF,)) * size
            expected += content
            if copied:
                sink.write(content)
            else:
                reused[:size] = content
                sink.write(memoryview(reused)[:size])
                sink.settle()
        assert sink.offset == len(expected)
    reader.join()
    assert got == [expected]


def test_many_pieces(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with open_sink(path) as sink:
        for number in range(5000):
            sink.write(number.to_bytes(2, "big"))
    assert path.read_bytes() == b"".join(number.to_bytes(2, "big") for number in range(5000))


def test_an_object_that_takes_little_at_once() -> None:
    class Slow:
        def __init__(self) -> None:
            self.got = b""

        def write(self, data: bytes, /) -> int:
            self.got += data[:7]
            return min(7, len(data))

    slow = Slow()
    with ByteSink(slow) as sink:
        sink.write(DATA)
    assert slow.got == DATA


def test_a_named_pipe_is_written_in_place(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    with pytest.raises(RuntimeError), open_sink(path) as sink:
        sink.write(b"the complete part")
        raise RuntimeError
    reader.join()
    assert got == [b"the complete part"]
    assert os.listdir(tmp_path) == ["fifo"]


def test_memory() -> None:
    sink = MemorySink()
    buffer = bytearray(b"ab")
    sink.write(memoryview(buffer))
    buffer[:] = b"xx"
    sink.write(b"c")
    assert sink.getvalue() == b"abc" and sink.offset == 3
