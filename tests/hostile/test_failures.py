"""Full disks, readers and writers that stall or go away, and processes that are killed: what is under the final name is
whole, exit code and message tell that the job was not done, and what was.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.hostile.sample import binary
from tests.processes import started
from tests.unit.stream.image_files import qcow2_image, save_image
from tests.unit.stream.synthetic import (
    EOS_RECORD,
    HEADER,
    PAGE,
    block_list,
    configuration,
    end,
    full_page,
    start,
)
from vmsgen.cli import run

VMSGEN = [sys.executable, "-m", "vmsgen"]
PAGES = 1024


def guest(pages: int = PAGES) -> bytes:
    """A stream of RAM alone, larger than what pipes and sockets hold."""
    contents = b"".join(full_page(at * PAGE, None if at else "pc.ram", at & 0xFF) for at in range(pages))
    head = HEADER + configuration() + start(2, "ram", block_list([("pc.ram", pages * PAGE)]))
    return head + end(2, contents + EOS_RECORD) + b"\0"


@pytest.fixture(scope="module")
def stream() -> bytes:
    return guest()


@pytest.fixture
def source(tmp_path: Path, stream: bytes) -> Path:
    path = tmp_path / "in.mig"
    path.write_bytes(stream)
    return path


def said(argv: Sequence[str | Path], **more: object) -> tuple[int, str]:
    """Exit code and stderr of a command."""
    done = subprocess.run([*VMSGEN, *argv], stderr=subprocess.PIPE, timeout=120, check=False, **more)  # type: ignore[call-overload]
    return done.returncode, done.stderr.decode()


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---------------------------------------------------------------------------------------------- a full disk


@contextlib.contextmanager
def small_files(limit: int) -> Iterator[None]:
    """No file of this process grows beyond ``limit`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize(
    "words",
    [
        ["--to", "ber"],
        ["--to", "json"],
        ["--to", "binary", "--blobs"],
        ["--shape", "mapped-ram"],
        ["--shape", "plain", "--output-offset", "0x300000"],
    ],
)
def test_convert_to_a_full_disk(
    words: list[str], old: bytes | None, source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    if old is not None:
        out.write_bytes(old)
    with small_files(3 << 20):
        assert run(["convert", str(source), str(out), *words]) == 2
    text = capfd.readouterr().err
    if "mapped-ram" in words or "plain" in words:
        assert text.startswith(("vmsgen: a temporary file in ", f"vmsgen: {out}: "))
    else:
        assert text.startswith(f"vmsgen: {out}: File too large\n")
    assert f"bytes of {source} were read, " in text
    assert "up to section ram/0\n" in text or "all its sections\n" in text
    assert text.endswith(f"{out} {'was not written' if old is None else 'is as it was'}\n")
    assert left(tmp_path) == (["in.mig"] if old is None else ["in.mig", "out"])
    assert old is None or out.read_bytes() == old


@pytest.mark.parametrize("kind", ["qcow2", "libvirt"])
def test_into_an_image_on_a_full_disk(
    kind: str, source: Path, stream: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "image"
    image.write_bytes(qcow2_image(stream) if kind == "qcow2" else save_image(stream))
    for limit in (1 << 20, 4 << 20):
        with small_files(limit):
            assert run(["convert", str(source), str(tmp_path / "out"), "--into", str(image)]) == 2
        assert f"vmsgen: {tmp_path}/out: File too large\n" in capfd.readouterr().err
        assert left(tmp_path) == ["image", "in.mig"]


def test_memory_files_on_a_full_disk(source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "memory"
    with small_files(1 << 20):
        assert run(["show", str(source), "--extract", str(folder)]) == 2
        assert run(["show", str(source), "--memory", "pc.ram", "--raw"]) == 2
    text = capfd.readouterr().err
    assert f"vmsgen: {folder}: File too large\nvmsgen: no file was written to {folder}\n" in text
    assert "vmsgen: a temporary file in " in text
    assert left(folder) == []


def test_devices(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What is printed or written directly, to a device that is full."""
    sample = tmp_path / "sample.mig"
    sample.write_bytes(binary())
    assert run(["convert", str(sample), "/dev/full", "--to", "ber"]) == 2
    text = capfd.readouterr().err
    assert text.startswith("vmsgen: /dev/full: No space left on device\n")
    assert text.endswith("vmsgen: 0 bytes were written to /dev/full\n")
    with open("/dev/full", "wb") as full:
        for words in (["convert", sample, "-"], ["show", sample], ["show", sample, "--memory", "pc.bios", "--raw"]):
            code, text = said(words, stdout=full)
            assert code == 2 and "No space left on device" in text and "Traceback" not in text


def test_specs_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "sample.mig"
    sample.write_bytes(binary())
    monkeypatch.chdir(tmp_path)
    specs = tmp_path / "device-specs"
    specs.mkdir()
    text = f"vmsgen: 1\n# {'of the lamp ' * 20}\nvmstate:  acme-lamp\nfields:\n  - bright: uint8\n"
    (specs / "lamp.yaml").write_text(text)
    with small_files(100):
        assert run(["fmt"]) == 2
    with small_files(1000):
        assert run(["build"]) == 2
        assert run(["docs", "--out", "pages"]) == 2
        assert run(["import", str(sample), "--all", "--out", "drafts"]) == 2
    for line in capfd.readouterr().err.splitlines():
        assert "File too large" in line and "None" not in line
    assert left(tmp_path) == ["device-specs", "sample.mig"]
    assert left(specs) == ["lamp.yaml"] and (specs / "lamp.yaml").read_text() == text


MOUNT = ["unshare", "--map-root-user", "--mount", "sh", "-ec"]


@pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run([*MOUNT, "mount -t tmpfs none /tmp"], capture_output=True, check=False).returncode != 0,
    reason="no file system can be mounted here",
)
def test_a_file_system_that_is_full(source: Path, tmp_path: Path) -> None:
    """ENOSPC itself, where the output goes and where temporary files go."""
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f"""mount -t tmpfs -o size=2m none {disk}
    export TMPDIR={disk}
    for words in "{disk}/out --to ber" "{tmp_path}/out --shape mapped-ram"; do
        code=0; {sys.executable} -m vmsgen convert {source} $words || code=$?; echo $code; ls {disk}
    done"""
    done = subprocess.run([*MOUNT, script], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == ["2", "2"], done.stderr
    assert f"vmsgen: {disk}/out: No space left on device\n" in done.stderr
    assert f"vmsgen: a temporary file in {disk}: No space left on device\n" in done.stderr
    assert left(tmp_path) == ["disk", "in.mig"]


# ---------------------------------------------------------------------------------------------- the other side


def test_a_reader_that_goes_away(source: Path) -> None:
    """A stream that nobody takes to its end is no success, unlike a text."""
    for words in (["--to", "ber"], ["--to", "json"]):
        with started(
            [*VMSGEN, "convert", source, "-", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as converter:
            assert converter.stdout is not None and converter.stderr is not None
            converter.stdout.read(1000)
            converter.stdout.close()
            assert converter.wait(60) == 2
            text = converter.stderr.read().decode()
        assert text.startswith("vmsgen: stdout: Broken pipe\n"), text
        assert "section ram/0" in text and "bytes were written to stdout\n" in text


def test_a_receiver_that_goes_away(source: Path, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        with started([*VMSGEN, "convert", source, f"unix:{path}", "--to", "ber"], stderr=subprocess.PIPE) as converter:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
            assert converter.wait(60) == 2
            assert converter.stderr is not None
            text = converter.stderr.read().decode()
    assert text.startswith(f"vmsgen: unix:{path}: ")
    assert f"bytes were written to unix:{path}\n" in text


@pytest.mark.parametrize("read", [True, False])
def test_a_receiver_that_does_not_read_the_rest(read: bool, tmp_path: Path) -> None:
    """All of it fits what the system holds for the receiver, but it has to take it."""
    (tmp_path / "in.mig").write_bytes(guest(2))
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        with started(
            [*VMSGEN, "convert", tmp_path / "in.mig", f"unix:{path}", "--to", "ber"], stderr=subprocess.PIPE
        ) as converter:
            connection, _ = server.accept()
            with connection:
                while connection.recv(1 << 16 if read else 1) and read:
                    pass
            assert converter.wait(60) == (0 if read else 2)
            assert converter.stderr is not None
            text = converter.stderr.read().decode()
    assert text.startswith(f"vmsgen: unix:{path}: ") or read


def test_a_sender_that_goes_away(stream: bytes, tmp_path: Path) -> None:
    """What a pipe gets is what was complete; a file gets nothing."""
    cut = stream[: len(stream) // 2]
    done = subprocess.run(
        [*VMSGEN, "convert", "-", "-", "--to", "binary"], input=cut, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 2 and cut.startswith(done.stdout) and len(done.stdout) > len(cut) - 2 * PAGE
    assert f"vmsgen: {len(done.stdout)} bytes were written to stdout\n" in done.stderr.decode()
    code, text = said(["convert", "-", tmp_path / "out"], input=cut)
    assert code == 2 and "up to section ram/0\n" in text and text.endswith(f"{tmp_path}/out was not written\n")
    assert left(tmp_path) == []


def test_a_pipe_that_does_not_wait(stream: bytes) -> None:
    """Somebody else may have set O_NONBLOCK on what is shared with us."""
    reading, feeding = os.pipe()
    taking, writing = os.pipe()
    for descriptor in (reading, writing):
        os.set_blocking(descriptor, False)
    with started([*VMSGEN, "convert", "-", "-", "--to", "binary"], stdin=reading, stdout=writing) as converter:
        os.close(reading), os.close(writing)

        def feed() -> None:
            with os.fdopen(feeding, "wb", buffering=0) as pipe:
                for at in range(0, len(stream), 1 << 20):
                    pipe.write(stream[at : at + (1 << 20)])
                    time.sleep(0.1)

        feeder = threading.Thread(target=feed)
        feeder.start()
        with os.fdopen(taking, "rb") as pipe:
            time.sleep(0.5)
            assert pipe.read() == stream
        feeder.join()
        assert converter.wait(60) == 0


# ---------------------------------------------------------------------------------------------- signals


@contextlib.contextmanager
def stalled(stream: bytes, tmp_path: Path, target: str) -> Iterator[subprocess.Popen[bytes]]:
    """A conversion whose sender has sent a part, and now keeps the pipe open."""
    os.mkfifo(tmp_path / "pipe")
    with started(
        [*VMSGEN, "convert", str(tmp_path / "pipe"), target, "--to", "ber"], stderr=subprocess.PIPE
    ) as converter:
        with open(tmp_path / "pipe", "wb", buffering=0) as pipe:
            for at in range(0, len(stream) // 2, 1 << 16):
                pipe.write(stream[at : at + (1 << 16)])
            yield converter
        assert converter.wait(60)


@pytest.mark.parametrize(("number", "words"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "ended by SIGTERM")])
def test_a_signal_while_the_sender_stalls(number: signal.Signals, words: str, stream: bytes, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_bytes(b"old")
    with stalled(stream, tmp_path, str(out)) as converter:
        _wait_until(lambda: (tmp_path / "out.part").exists() and (tmp_path / "out.part").stat().st_size > 0)
        converter.send_signal(number)
        assert converter.wait(60) == 128 + number
        assert converter.stderr is not None
        text = converter.stderr.read().decode()
    assert text.startswith(f"vmsgen: {words}\n")
    assert "up to section ram/0\n" in text and text.endswith(f"{out} is as it was\n")
    assert left(tmp_path) == ["out", "pipe"] and out.read_bytes() == b"old"


def test_a_signal_while_the_reader_stalls(source: Path) -> None:
    """Nobody waits for a reader that has stopped reading, not even to hand out what is complete."""
    with started(
        [*VMSGEN, "convert", source, "-", "--to", "ber"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as converter:
        assert converter.stdout is not None and converter.stderr is not None
        first = converter.stdout.read(1)
        converter.send_signal(signal.SIGTERM)
        assert converter.wait(60) == 143
        text = converter.stderr.read().decode()
        rest = converter.stdout.read()
    told = next(line for line in text.splitlines() if line.endswith("bytes were written to stdout"))
    assert int(told.split()[1]) == len(first + rest), "nothing came twice"


def _wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_at_any_moment(number: signal.Signals, source: Path, stream: bytes, tmp_path: Path) -> None:
    """What stands under the name afterwards is the old file or the new one, and the next run does its work."""
    draw = random.Random(number)
    out = tmp_path / "out"
    for _ in range(4):
        out.write_bytes(b"old")
        with started([*VMSGEN, "convert", source, out, "--to", "ber"], stderr=subprocess.DEVNULL) as converter:
            time.sleep(draw.uniform(0.02, 0.8))
            converter.send_signal(number)
            code = converter.wait(60)
        assert code in (0, 1, -number, 128 + number)  # (1: Python had not even started)
        assert out.read_bytes() == b"old" or code == 0 or out.stat().st_size > len(stream) // 2
        if number != signal.SIGKILL:
            assert not (tmp_path / "out.part").exists()
    (tmp_path / "out.part").write_bytes(bytes(len(stream) * 2))  # of one that was killed
    assert run(["convert", str(source), str(out), "--to", "ber"]) == 0
    assert left(tmp_path) == ["in.mig", "out"]
    assert run(["convert", str(out), str(tmp_path / "back")]) == 0
    assert (tmp_path / "back").read_bytes() == stream


def test_a_converter_that_is_killed_behind_a_pipe_of_qemu(stream: bytes, tmp_path: Path) -> None:
    """The process that QEMU knows is not the one that converts, but says what became of it."""
    out = tmp_path / "out"
    with started([*VMSGEN, "convert", "-", out, "--to", "ber"], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as known:
        assert known.stdin is not None and known.stderr is not None
        known.stdin.write(stream[: 1 << 20])
        known.stdin.flush()
        _wait_until((tmp_path / "out.part").exists)
        (child,) = Path(f"/proc/{known.pid}/task/{known.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
        assert known.wait(60) == 137
        assert known.stderr.read().decode() == f"vmsgen: ended by SIGKILL; {out} is not complete\n"
        with contextlib.suppress(BrokenPipeError):
            known.stdin.close()
    assert not out.exists()


def test_two_that_write_one_file(
    source: Path, stream: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with stalled(stream, tmp_path, str(out)) as converter:
        _wait_until((tmp_path / "out.part").exists)
        assert run(["convert", str(source), str(out)]) == 2
        assert capfd.readouterr().err == f"vmsgen: {out}: another process is writing this file\n"
        assert (tmp_path / "out.part").exists()
        converter.terminate()
        converter.wait(60)
    assert run(["convert", str(source), str(out)]) == 0


def test_what_is_in_the_way_of_a_part(source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is written through a link or into a pipe that somebody put there."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    part = tmp_path / "out.part"
    part.symlink_to(victim)
    assert run(["convert", str(source), str(tmp_path / "out")]) == 2
    part.unlink()
    os.mkfifo(part)
    assert run(["convert", str(source), str(tmp_path / "out")]) == 2
    assert capfd.readouterr().err.count(f"vmsgen: {part}: ") == 2
    assert victim.read_bytes() == b"mine" and not (tmp_path / "out").exists()
