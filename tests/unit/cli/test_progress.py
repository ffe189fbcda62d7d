"""Progress on a terminal, and nowhere else."""

from __future__ import annotations

import io
import os
import select
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.processes import started
from tests.unit.stream.synthetic import ordinary
from vmsgen.cli.progress import progress, progress_line
from vmsgen.stream.input_file import InputFile
from vmsgen.stream.transport.mapped import mapped_source
from vmsgen.stream.transport.source import ByteSource, MemorySource

STREAM = ordinary()
_PATIENCE = 60  # seconds until a test that waits for nothing gives up


@pytest.mark.parametrize(
    ("read", "size", "rate", "text"),
    [
        (0, None, 0, "0 bytes, 0 bytes/s"),
        (1 << 20, None, 2048, "1.0 MiB, 2.0 KiB/s"),
        (1 << 29, 1 << 30, 1 << 28, "512.0 MiB of 1.0 GiB, 256.0 MiB/s, 2 s left"),
        (1 << 30, 3 << 40, 1 << 30, "1.0 GiB of 3.0 TiB, 1.0 GiB/s, 51:11 left"),
        (0, 100 << 30, 10 << 20, "0 bytes of 100.0 GiB, 10.0 MiB/s, 2:50:40 left"),
        (0, 100, 0, "0 bytes of 100 bytes, 0 bytes/s"),
        (200, 100, 50, "200 bytes of 100 bytes, 50 bytes/s, 0 s left"),
        (5 << 50, None, 0, "5120.0 TiB, 0 bytes/s"),
    ],
)
def test_line(read: int, size: int | None, rate: float, text: str) -> None:
    assert progress_line(read, size, rate) == text


def test_lengths(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(bytes(100) + STREAM)
    with path.open("rb", buffering=0) as raw:
        raw.seek(40)
        source = ByteSource(raw)
        source.begin_at(60)
        assert source.length == len(STREAM)
        source.read(1000, "x")
        assert (source.offset, source.length) == (1000, len(STREAM))
    mapped = mapped_source(io.FileIO(path), "stream")
    mapped.begin_at(100)
    assert mapped.length == len(STREAM)
    mapped.close()
    file = InputFile(path, offset=100)
    assert (file.offset, file.length) == (0, None)
    file.source().read(50, "x")
    file.source(300).read(7, "x")
    assert (file.offset, file.length) == (307, len(STREAM))
    file.close()
    ends = os.pipe()
    assert ByteSource(os.fdopen(ends[0], "rb", buffering=0)).length is None
    os.close(ends[1])
    assert ByteSource(io.BytesIO(STREAM)).length is None


def said(terminal: int, until: bytes = b"\0") -> bytes:
    """What a terminal got, up to some text or (without it) until nobody is there to write any more."""
    text = b""
    while until not in text:
        ready, _, _ = select.select([terminal], [], [], _PATIENCE)
        assert ready, f"nothing came after {text!r}"
        try:
            text += os.read(terminal, 1000)
        except OSError:  # closed at the other side
            break
    return text


def test_on_a_terminal() -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "vmsgen", "convert", "-", "-", "--to", "ber", "--machine", "pc-i440fx-7.2"]
    with started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        process.stdin.write(STREAM[:9000])
        process.stdin.flush()
        assert b"KiB, " in said(ours, b"/s")
        output, _ = process.communicate(STREAM[9000:])
    assert process.returncode == 0 and output[:2] == b"\x7f\xd1"
    rest = said(ours)
    assert b"\r\x1b[K" in rest  # what is left of it is wiped off before anything else is said
    assert rest.index(f"{len(STREAM)} bytes of binary".encode()) > rest.rindex(b"\r\x1b[K")
    os.close(ours)


class Terminal(io.StringIO):
    def __init__(self, there: bool) -> None:
        super().__init__()
        self._there = there

    def isatty(self) -> bool:
        return self._there


@pytest.mark.parametrize(("quiet", "terminal", "more"), [(False, True, 1), (True, True, 0), (False, False, 0)])
def test_only_on_a_terminal_and_not_when_quiet(
    monkeypatch: pytest.MonkeyPatch, quiet: bool, terminal: bool, more: int
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal(terminal))
    before = threading.active_count()
    with progress(MemorySource(STREAM), quiet=quiet):
        assert threading.active_count() == before + more
    assert threading.active_count() == before
