"""A stream that is passed on untouched while another process decodes it, however that fares."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.processes import started
from tests.unit.stream.synthetic import (
    EOS_RECORD,
    HEADER,
    PAGE,
    Trickle,
    block_list,
    command,
    configuration,
    end,
    full,
    full_page,
    ordinary,
    part,
    start,
    zero_page,
)
from vmsgen.cli import run
from vmsgen.stream.tee.copying import copy
from vmsgen.stream.tee.decoder import Decoder
from vmsgen.stream.tee.feed import Feed
from vmsgen.stream.tee.log import Log, follow
from vmsgen.stream.transport.sink import ByteSink, MemorySink
from vmsgen.stream.transport.source import ByteSource, MemorySource

MIB = 1 << 20
STREAM = ordinary()


def events(data: bytes) -> list[dict[str, Any]]:
    """What is logged of a stream."""
    file = io.StringIO()
    follow(MemorySource(data), Log(file, as_json=True))
    return [json.loads(line) for line in file.getvalue().splitlines()]


def text(data: bytes) -> str:
    """The same for people, without the times."""
    file = io.StringIO()
    follow(MemorySource(data), Log(file, as_json=False))
    return "".join(line[10:] + "\n" for line in file.getvalue().splitlines())


# ---------------------------------------------------------------------------------------------- the log


def test_what_is_logged() -> None:
    logged = events(STREAM)
    assert [each["event"] for each in logged] == [
        *("stream", "configuration", "ram", "round", "command", "ram", "section", "section", "section", "end"),
        *("vmdesc", "summary"),
    ]
    assert logged[1]["machine"] == "pc-i440fx-7.2"
    assert logged[2]["blocks"] == {"pc.ram": 1 << 20, "vga.vram": 1 << 16}
    round_, last = logged[3], logged[5]
    assert (round_["sections"], round_["pages"], round_["zero"], round_["other"]) == (2, 2, 4, 0)
    assert (last["kind"], last["pages"], last["zero"], last["other"]) == ("end", 2, 0, 1)
    timer = logged[6]
    assert (timer["kind"], timer["name"], timer["version"], timer["size"]) == ("full", "timer", 2, 24)
    assert STREAM[timer["offset"]] == 4 and timer["contents"] == "bytes"
    assert logged[-1]["bytes"] == len(STREAM)
    assert logged[-1]["ram"] == logged[2]["size"] + round_["size"] + last["size"]


def test_the_log_for_people() -> None:
    assert text(STREAM) == (
        "         0x0  binary stream\n"
        "              machine pc-i440fx-7.2\n"
        "        0x1a  start ram/0: 48 bytes; 2 blocks, 1114112 bytes\n"
        "        0x60  part  ram/0, round 1: 8276 bytes, 2 pages with data, 4 of zeros, in 2 sections\n"
        "      0x20c8  command SWITCHOVER_START\n"
        "      0x20cd  end   ram/0: 4128 bytes, 2 pages with data, 0 of zeros, 1 in another form\n"
        "      0x30f7  full  timer/0: 24 bytes, bytes\n"
        "      0x3127  full  0000:00:02.0/vga/0: 21 bytes, bytes\n"
        "      0x315f  full  cpu/2147483648: 0 bytes, bytes\n"
        "      0x3175  end of the sections\n"
        "      0x3176  vmdesc of 375 bytes\n"
        "              decoded to the end: 13042 bytes: 12452 ram, 545 framing, 0 typed, 45 opaque\n"
    )


def ram(*parts: bytes, between: bytes = b"") -> bytes:
    blocks = block_list([("pc.ram", 64 * PAGE), ("rom", PAGE)])
    sections = between.join(part(2, each + EOS_RECORD) for each in parts)
    return HEADER + configuration() + start(2, "ram", blocks) + sections + end(2, EOS_RECORD) + b"\0"


def rounds(data: bytes) -> list[tuple[int, int]]:
    """Sections and pages of each round."""
    return [(each["sections"], each["pages"]) for each in events(data) if each["event"] == "round"]


def page(number: int, block: str = "pc.ram") -> bytes:
    return full_page(number * PAGE, block)


def test_rounds() -> None:
    """A walk over memory from its start, in however many sections."""
    assert rounds(ram(page(0) + page(1), page(2) + page(0, "rom"), page(1), page(5), page(3))) == [
        (2, 4),
        (2, 2),
        (1, 1),
    ]
    assert rounds(ram(page(0), b"", page(1), b"", page(0))) == [(4, 2), (1, 1)]
    # many pages in a row, which are read as one record
    row = full_page(0, "pc.ram") + b"".join(full_page(at * PAGE, None) for at in range(1, 40))
    assert rounds(ram(row, page(40), row, page(39), page(38))) == [(2, 41), (2, 41), (1, 1)]
    zeros = zero_page(0, "pc.ram") + b"".join(zero_page(at * PAGE, None) for at in range(1, 40))
    assert rounds(ram(zeros, page(40), zeros, page(38))) == [(2, 1), (1, 0), (1, 1)]
    # a page that comes at once again belongs to a new one only if the walk went back for it
    assert rounds(ram(page(4), page(4), page(3))) == [(2, 2), (1, 1)]


def test_postcopy_is_one_round() -> None:
    requested = ram(page(7), page(3), page(9), page(1))
    at = requested.index(b"\2\0\0\0\2")
    assert len(rounds(requested)) == 3
    assert rounds(requested[:at] + command(5) + requested[at:]) == [(4, 4)]


def test_what_stops_it_is_logged() -> None:
    """At every place where a stream may be cut, and what else there may be."""
    for cut in [*range(0, 200, 7), *range(200, len(STREAM), 997)]:
        logged = events(STREAM[:cut])
        assert logged[-1]["event"] == "stopped", cut
        assert logged[-1]["offset"] <= cut and logged[-1]["reason"]
    assert "is no migration stream" in events(b"garbage" * 1000)[-1]["reason"]
    assert events(b"")[-1]["reason"].endswith("is empty")


def test_channels_are_logged() -> None:
    preempt = full_page(0, "pc.ram") + zero_page(PAGE, None) + EOS_RECORD
    (logged,) = events(preempt)
    assert (logged["event"], logged["pages"], logged["zero"]) == ("channel", 2, 1)
    assert "channel of postcopy-preempt" in text(preempt)
    assert [each["event"] for each in events(preempt[:-20])] == ["channel", "stopped"]


# ---------------------------------------------------------------------------------------------- feeding


def collected(descriptor: int) -> tuple[threading.Thread, bytearray]:
    """Reads to the end of a pipe, in a thread."""
    got = bytearray()

    def read() -> None:
        with os.fdopen(descriptor, "rb", buffering=0) as pipe:
            while piece := pipe.read(3000):
                got.extend(piece)

    thread = threading.Thread(target=read)
    thread.start()
    return thread, got


@given(st.lists(st.binary(max_size=5000), max_size=30))
def test_everything_is_fed_in_order(pieces: list[bytes]) -> None:
    reading, writing = os.pipe()
    thread, got = collected(reading)
    feed = Feed(writing, MIB)
    buffer = bytearray(5000)
    for piece in pieces:
        buffer[: len(piece)] = piece
        feed.give(memoryview(buffer)[: len(piece)])
    feed.end()
    thread.join(60)
    assert got == b"".join(pieces)
    assert not feed.behind


def _wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_reader_that_stands_still_delays_nobody() -> None:
    reading, writing = os.pipe()
    told: list[bool] = []
    feed = Feed(writing, MIB, lambda: told.append(os.get_blocking(writing)))  # (an error if it is closed)
    taken = 0
    while not feed.behind:
        feed.give(memoryview(bytes(1 << 14)))
        taken += 1 << 14
        assert taken < 3 * MIB
    assert feed.over and told == [False], "told once, before the pipe is closed"
    feed.give(memoryview(b"x"))
    feed.end()
    thread, got = collected(reading)
    thread.join(60)
    assert 0 < len(got) < taken


def test_a_reader_that_goes_away() -> None:
    reading, writing = os.pipe()
    feed = Feed(writing, MIB)
    os.close(reading)
    feed.give(memoryview(b"x"))
    assert feed.over
    feed.give(memoryview(b"x"))
    feed.end()
    assert not feed.behind


def test_patience_waits_for_one_that_is_slow() -> None:
    reading, writing = os.pipe()
    feed = Feed(writing, 1 << 16, patient=True)
    got = bytearray()

    def read() -> None:
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            while piece := pipe.read(1 << 14):
                time.sleep(0.001)
                got.extend(piece)

    thread = threading.Thread(target=read)
    thread.start()
    for _ in range(200):
        feed.give(memoryview(bytes(1 << 14)))
    feed.end()
    thread.join(60)
    assert len(got) == 200 << 14 and not feed.behind


# ---------------------------------------------------------------------------------------------- the copy


class Broken(Log):
    """A log behind which something goes wrong."""

    def __init__(self, failure: Callable[[], object]) -> None:
        super().__init__(io.StringIO(), as_json=False)
        self._failure = failure

    def say(self, event: str, offset: int | None, **values: Any) -> None:
        self._failure()


def raising(error: BaseException) -> Callable[[], object]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "ended by SIGKILL"),
        (lambda: os.kill(os.getpid(), signal.SIGTERM), "ended by SIGTERM"),
        (lambda: os._exit(77), "the decoder failed"),
        (lambda: time.sleep(600), "the decoder was ended by SIGKILL"),
        (raising(OSError(28, "No space left on device")), "the log could not be written"),
        (raising(RuntimeError("a bug")), "the decoder failed"),
        (raising(RecursionError()), "the decoder failed"),
        (raising(MemoryError()), "the decoder failed"),
        (raising(KeyboardInterrupt()), "the decoder failed"),
    ],
)
def test_whatever_becomes_of_the_decoder(
    failure: Callable[[], object], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vmsgen.stream.tee.decoder.Log", lambda file, as_json: Broken(failure))
    monkeypatch.setattr("vmsgen.stream.tee.decoder._PATIENCE", 0.3)
    data = STREAM + bytes(3 * MIB)
    sink = MemorySink()
    decoder = Decoder(io.StringIO(), None, name="in")
    assert copy(ByteSource(io.BytesIO(data), capacity=MIB // 4), sink, decoder.feed(MIB)) == len(data)
    outcome = decoder.finish()
    assert sink.getvalue() == data
    assert outcome is not None and told in outcome


class Slow(Log):
    """A log that takes a while to begin."""

    def say(self, event: str, offset: int | None, **values: Any) -> None:
        if event == "stream":
            time.sleep(0.5)
        super().say(event, offset, **values)


@pytest.mark.parametrize(("limit", "patient"), [(MIB, False), (16 * MIB, False), (MIB, True)])
def test_a_decoder_that_is_slow(limit: int, patient: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vmsgen.stream.tee.decoder.Log", Slow)
    blocks = block_list([("pc.ram", 2048 * PAGE)])
    pages = b"".join(page(number) for number in range(2048))
    data = HEADER + configuration() + start(2, "ram", blocks) + end(2, pages + EOS_RECORD) + b"\0"
    sink = MemorySink()
    with open(tmp_path / "log", "w") as log:
        decoder = Decoder(log, None, name="in")
        source = ByteSource(io.BytesIO(data), capacity=MIB // 4)
        assert copy(source, sink, decoder.feed(limit, patient=patient)) == len(data)
        outcome = decoder.finish()
    assert sink.getvalue() == data
    told = (tmp_path / "log").read_text()
    if limit == MIB and not patient:
        assert outcome is not None and "could not be decoded to the end" in outcome
        assert "(the decoder was too far behind, and the copying went on without it)" in told
    else:
        assert outcome is None
        assert "decoded to the end" in told and "2048 pages with data" in told


@given(st.binary(max_size=3000), st.booleans(), st.lists(st.integers(1, 4000), min_size=1, max_size=5))
def test_whatever_comes(garbage: bytes, after: bool, steps: list[int]) -> None:
    data = STREAM[: 40 * len(garbage)] + garbage if after else garbage
    sink = MemorySink()
    reading, writing = os.pipe()
    thread, got = collected(reading)
    feed = Feed(writing, MIB)
    assert copy(ByteSource(Trickle(data, steps)), sink, feed) == len(data)
    feed.end()
    thread.join(60)
    assert sink.getvalue() == data == got


DATA = random.Random(7).randbytes(3 * MIB + 77)


def sent(kind: str) -> tuple[threading.Thread, int]:
    """Something that DATA comes from, in pieces of all sizes, and who sends it."""
    reading, writing = os.pipe() if kind == "pipe" else [each.detach() for each in socket.socketpair()]

    def send() -> None:
        with os.fdopen(writing, "wb", buffering=0) as out:
            at, size = 0, 1
            while at < len(DATA):
                at += out.write(DATA[at : at + size])
                size = size * 3 % 200_003

    thread = threading.Thread(target=send)
    thread.start()
    return thread, reading


@pytest.mark.parametrize("source", ["pipe", "socket", "pipe that does not wait"])
@pytest.mark.parametrize("target", ["pipe", "socket", "file", "file to append to"])
@pytest.mark.parametrize("decoder", ["takes all", "stands still", "goes away"])
def test_every_way(source: str, target: str, decoder: str, tmp_path: Path) -> None:
    sender, incoming = sent(source.split()[0])
    os.set_blocking(incoming, not source.endswith("does not wait"))
    taking, outgoing = [each.detach() for each in socket.socketpair()] if target == "socket" else os.pipe()
    if target.startswith("file"):
        os.close(outgoing)
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if "append" in target else 0)
        outgoing = os.open(tmp_path / "out", flags)
    taker, got = collected(taking)
    reading, writing = os.pipe()
    feed = Feed(writing, 8 * MIB if decoder == "takes all" else MIB)
    fed: threading.Thread | None = None
    if decoder == "takes all":
        fed, decoded = collected(reading)
    elif decoder == "goes away":
        os.close(reading)
    with io.FileIO(incoming) as raw, io.FileIO(outgoing, "wb") as out, ByteSink(out, name="out") as sink:
        assert copy(ByteSource(raw), sink, feed) == len(DATA)
        assert sink.written == len(DATA)
    sender.join(60), taker.join(60)
    assert ((tmp_path / "out").read_bytes() if target.startswith("file") else bytes(got)) == DATA
    assert feed.over == (decoder != "takes all") and feed.behind == (decoder == "stands still")
    feed.end()
    if fed is not None:
        fed.join(60)
        assert decoded == DATA
    if decoder == "stands still":
        os.close(reading)


# ---------------------------------------------------------------------------------------------- the command


TEE = [sys.executable, "-m", "vmsgen", "tee"]


def test_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").write_bytes(STREAM)
    arguments = ["tee", str(tmp_path / "in"), str(tmp_path / "out"), "--log", str(tmp_path / "log")]
    assert run([*arguments, "--format", "json", "--blobs"]) == 0
    assert (tmp_path / "out").read_bytes() == STREAM
    logged = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [each["event"] for each in logged] == [each["event"] for each in events(STREAM)]
    assert capfd.readouterr().err == ""
    assert run(arguments) == 0
    assert "decoded to the end" in (tmp_path / "log").read_text()


def test_what_cannot_be_decoded_is_copied_all_the_same(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = STREAM[:5000] + b"\xff" * 5000
    (tmp_path / "in").write_bytes(data)
    out, log = tmp_path / "out", tmp_path / "log"
    assert run(["tee", str(tmp_path / "in"), str(out), "--log", str(log)]) == 1
    assert out.read_bytes() == data
    assert capfd.readouterr().err == (
        f"vmsgen: all 10000 bytes were copied to {out}; "
        "they could not be decoded to the end: the log says where and why\n"
    )
    assert "decoding stopped: section ram/0, offset " in log.read_text()


def test_as_a_filter_with_the_log_on_stderr() -> None:
    done = subprocess.run([*TEE, "-", "-"], input=STREAM, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0 and done.stdout == STREAM
    assert b"machine pc-i440fx-7.2\n" in done.stderr and b"decoded to the end" in done.stderr


def test_what_was_sent_goes_on_at_once(tmp_path: Path) -> None:
    """Nothing waits for more to come, and the receiver sees the end although the log is not taken."""
    os.mkfifo(tmp_path / "log")
    log = os.open(tmp_path / "log", os.O_RDWR)
    with started(
        [*TEE, "-", "-", "--log", tmp_path / "log"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as tee:
        assert tee.stdin is not None and tee.stdout is not None
        for at in range(0, len(STREAM), 1000):
            piece = STREAM[at : at + 1000]
            tee.stdin.write(piece)
            got = b""
            while len(got) < len(piece):
                got += tee.stdout.read(len(piece) - len(got))
            assert got == piece
        os.set_blocking(log, False)
        filled = os.open(tmp_path / "log", os.O_WRONLY | os.O_NONBLOCK)
        try:
            while True:
                os.write(filled, bytes(1 << 12))
        except BlockingIOError:
            pass
        tee.stdin.close()
        assert tee.stdout.read() == b""
        assert tee.poll() is None, "it waits for the log alone"
        try:
            while True:
                os.read(log, 1 << 20)
        except BlockingIOError:
            pass
        assert tee.wait(60) == 0
    os.close(filled), os.close(log)


def test_an_interruption_when_everything_was_copied(tmp_path: Path) -> None:
    """Only the log is lost."""
    (tmp_path / "in").write_bytes(STREAM)
    os.mkfifo(tmp_path / "log")
    log = os.open(tmp_path / "log", os.O_RDWR | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(log, bytes(1 << 12))  # full: the decoder stands still at its first line
    out = tmp_path / "out"
    with started([*TEE, tmp_path / "in", out, "--log", tmp_path / "log"], stderr=subprocess.PIPE) as tee:
        _wait_until(out.exists)
        time.sleep(0.3)
        tee.send_signal(signal.SIGINT)
        assert tee.wait(60) == 130
        os.close(log)
        assert tee.stderr is not None
        said = tee.stderr.read().decode()
    assert f"all {len(STREAM)} bytes were copied to {out}; nobody waited for the decoder\n" in said
    assert out.read_bytes() == STREAM


def test_a_receiver_that_goes_away(tmp_path: Path) -> None:
    data = HEADER + configuration() + start(2, "ram", block_list([("pc.ram", 1024 * PAGE)]))
    data += end(2, b"".join(page(number) for number in range(1024)) + EOS_RECORD) + b"\0"
    (tmp_path / "in").write_bytes(data)
    with started(
        [*TEE, tmp_path / "in", "-", "--log", tmp_path / "log"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as tee:
        assert tee.stdout is not None and tee.stderr is not None
        tee.stdout.read(10000)
        tee.stdout.close()
        assert tee.wait(60) == 2
        said = tee.stderr.read().decode()
    assert said.startswith("vmsgen: stdout: Broken pipe\n")
    assert f"bytes of {tmp_path}/in were read\n" in said and "bytes were written to stdout\n" in said
    assert "(the copying ended here)" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interruption(number: signal.Signals, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in")
    out = tmp_path / "out"
    with (
        started([*TEE, tmp_path / "in", out, "--log", tmp_path / "log"], stderr=subprocess.PIPE) as tee,
        open(tmp_path / "in", "wb", buffering=0) as pipe,
    ):
        pipe.write(STREAM[:9000])
        part_file = tmp_path / "out.part"
        _wait_until(lambda: part_file.exists() and part_file.stat().st_size == 9000)
        tee.send_signal(number)
        assert tee.wait(60) == 128 + number
        assert tee.stderr is not None
        said = tee.stderr.read().decode()
    assert f"vmsgen: 9000 bytes of {tmp_path}/in were read\nvmsgen: {out} was not written\n" in said
    assert "(the copying ended here)" in (tmp_path / "log").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "log"]


@pytest.fixture
def between(tmp_path: Path) -> Iterator[tuple[socket.socket, socket.socket, subprocess.Popen[bytes]]]:
    """The sender's and the receiver's end of a tee, and the tee."""
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as sender:
        server.bind(str(tmp_path / "b"))
        server.listen()
        ends = [f"unix:{tmp_path}/a", f"unix:{tmp_path}/b"]
        with started([*TEE, *ends, "--log", tmp_path / "log"], stderr=subprocess.PIPE) as tee:
            receiver, _ = server.accept()
            _wait_until((tmp_path / "a").exists)
            _wait_until(lambda: sender.connect_ex(str(tmp_path / "a")) == 0)
            sender.settimeout(60), receiver.settimeout(60)
            with receiver:
                yield sender, receiver, tee
            assert tee.wait(60) is not None


Between = tuple[socket.socket, socket.socket, "subprocess.Popen[bytes]"]


def received(connection: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size and (piece := connection.recv(size - len(got))):
        got += piece
    return got


def test_answers_go_back(between: Between) -> None:
    sender, receiver, tee = between
    for question, answer in ((STREAM[:100], b"first"), (STREAM[100:5000], b"second"), (STREAM[5000:], b"third")):
        sender.sendall(question)
        assert received(receiver, len(question)) == question
        receiver.sendall(answer)
        assert received(sender, len(answer)) == answer
    sender.shutdown(socket.SHUT_WR)
    assert receiver.recv(1) == b""
    receiver.sendall(b"goodbye")
    receiver.close()
    assert received(sender, 100) == b"goodbye"
    assert tee.wait(60) == 0


def test_a_receiver_that_leaves_the_rest(between: Between) -> None:
    sender, receiver, tee = between
    sender.sendall(STREAM)
    sender.shutdown(socket.SHUT_WR)
    assert received(receiver, 100) == STREAM[:100]
    time.sleep(0.2)  # all of it is on its way by then
    receiver.close()
    assert tee.wait(60) == 2
    assert tee.stderr is not None and b"/b: " in tee.stderr.read()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_both_sides_see_that_it_ended(number: signal.Signals, between: Between) -> None:
    """Whatever ends the copying: nobody waits for an answer any more."""
    sender, receiver, tee = between
    sender.sendall(STREAM[:100])
    assert received(receiver, 100) == STREAM[:100]
    tee.send_signal(number)
    assert receiver.recv(1) == b"" and sender.recv(1) == b""


def test_a_log_that_cannot_be_written(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").write_bytes(STREAM)
    assert run(["tee", str(tmp_path / "in"), str(tmp_path / "out"), "--log", "/dev/full"]) == 1
    assert capfd.readouterr().err.endswith("; the log could not be written\n")
    assert (tmp_path / "out").read_bytes() == STREAM
    assert run(["tee", str(tmp_path / "in"), str(tmp_path / "other"), "--log", str(tmp_path / "no" / "log")]) == 2
    assert not (tmp_path / "other").exists()


def test_a_device_section_that_no_description_ends(tmp_path: Path) -> None:
    data = HEADER + configuration() + full(3, "no-such-device", b"abc") + b"\0"
    (tmp_path / "in").write_bytes(data)
    assert run(["tee", str(tmp_path / "in"), str(tmp_path / "out"), "--log", str(tmp_path / "log")]) == 1
    assert (tmp_path / "out").read_bytes() == data
