"""The commands on streams: formats, pipes, exit codes, what is published and what is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import started
from tests.unit.stream.synthetic import (
    EOS_RECORD,
    HEADER,
    be32,
    be64,
    block_list,
    configuration,
    end,
    full,
    full_page,
    part,
    start,
    to_binary,
    vmdesc,
)
from vmsgen import cli

VMSGEN = [sys.executable, "-m", "vmsgen"]
TIMER = be64(1) + be64(2) + be64(3)
COMMON = be32(0) + be32(2)


def stream(timer: bytes = TIMER) -> bytes:
    data = HEADER + configuration("pc-i440fx-7.2")
    data += start(2, "ram", block_list([("pc.ram", 1 << 20)])) + part(2, full_page(0, "pc.ram") + EOS_RECORD)
    data += end(2, EOS_RECORD) + full(0, "timer", timer, version=2) + full(4, "cpu_common", COMMON) + b"\0"
    return data + vmdesc([("timer", 0, len(timer)), ("cpu_common", 0, 8)])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "in.mig"
    made.write_bytes(stream())
    return made


def run(*words: object) -> int:
    return cli.run([str(word) for word in words])


def test_there_and_back(path: Path, tmp_path: Path) -> None:
    ber, again = tmp_path / "x.ber", tmp_path / "y.mig"
    assert run("convert", path, ber, "--to", "ber") == 0
    assert ber.read_bytes()[:4] == bytes.fromhex("7fd14680")
    assert run("convert", ber, again, "--to", "BINARY") == 0
    assert again.read_bytes() == stream()


@pytest.mark.parametrize(
    ("value", "start"),
    [(None, b"QEVM"), ("", b"QEVM"), ("BER", b"\x7f\xd1"), ("debug", b"stream"), ("json", b'{"form')],
)
def test_the_environment_chooses(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None, start: bytes
) -> None:
    monkeypatch.delenv("QEMUMIGFORMAT", raising=False)
    if value is not None:
        monkeypatch.setenv("QEMUMIGFORMAT", value)
    assert run("convert", path, tmp_path / "out") == 0
    assert (tmp_path / "out").read_bytes().startswith(start)
    assert run("convert", path, tmp_path / "out", "--to", "ber") == 0
    assert (tmp_path / "out").read_bytes().startswith(b"\x7f\xd1")


def test_a_format_that_does_not_exist(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QEMUMIGFORMAT", "xml")
    assert run("convert", path, "-") == 2
    assert "QEMUMIGFORMAT is 'xml'" in capsys.readouterr().err
    assert run("convert", path, "-", "--to", "xml") == 2


def test_nothing_is_published_on_failure(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_bytes(stream()[:-20])
    assert run("convert", path, tmp_path / "out", "--to", "ber") == 2
    *why, last = capsys.readouterr().err.strip().splitlines()
    assert any(line.startswith("vmsgen: ") and "offset 0x" in line for line in why)
    assert last == f"vmsgen: {tmp_path / 'out'} was not written"
    assert os.listdir(tmp_path) == ["in.mig"]


def test_what_cannot_be_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("convert", tmp_path / "none", "-", "--to", "ber") == 2
    assert "No such file" in capsys.readouterr().err
    assert run("show", tmp_path) == 2
    (tmp_path / "text").write_text("hello")
    for command in ("show", "verify"):
        assert run(command, tmp_path / "text") == 2
        assert "is no migration stream" in capsys.readouterr().err


def test_bytes_are_left_alone(path: Path, tmp_path: Path) -> None:
    assert run("convert", path, tmp_path / "out", "--to", "ber", "--blobs") == 0
    assert to_binary((tmp_path / "out").read_bytes()) == stream()


def test_a_warning_is_said(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_bytes(stream(TIMER + b"more"))
    assert run("convert", path, tmp_path / "out", "--to", "ber") == 0
    said = capsys.readouterr().err
    assert said.startswith("warning: section timer/0 travels as bytes: ")
    assert run("convert", path, tmp_path / "out", "--to", "ber", "--quiet") == 0
    assert capsys.readouterr().err == ""
    assert run("verify", path) == 1
    assert "section timer/0, offset 0x" in capsys.readouterr().out


def test_show(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "binary stream of machine pc-i440fx-7.2"
    assert lines[5].split() == ["full", "0", "timer", "0", "2", "24", "typed"]
    assert lines[-1].startswith(f"{len(stream())} bytes: ") and lines[-1].endswith("32 typed, 0 opaque")


def test_show_as_json(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", path, "--format", "json") == 0
    values = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["instance"]) for one in values["sections"]][3:] == [("timer", 0), ("cpu_common", 0)]
    assert run("show", path, "--stats", "--format", "json") == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["bytes"] == len(stream()) == sum(numbers[key] for key in ("ram", "framing", "typed", "opaque"))


def test_show_a_section(path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run("show", path, "--section", "cpu_common") == 0
    assert b"\n  interrupt_request = 2" in capfdbinary.readouterr().out
    assert run("show", path, "--section", "timer", "--format", "json") == 0
    (values,) = json.loads(capfdbinary.readouterr().out)
    assert values["vmstate"] == "timer" and 3 in values["state"].values()
    assert run("show", path, "--section", "nothing") == 2


def test_show_what_was_read_of_a_cut_stream(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_bytes(stream()[:4500])
    assert run("show", path) == 2
    said = capsys.readouterr()
    assert "start" in said.out and said.err.startswith("vmsgen: ")
    assert run("show", path, "--format", "json") == 2
    assert json.loads(capsys.readouterr().out)["error"] is not None


@pytest.mark.parametrize("prop", ["qemu", "=7.2", "qemu="])
def test_props_have_a_name_and_a_value(path: Path, prop: str) -> None:
    assert run("show", path, "--prop", prop) == 2


def test_verify(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("convert", path, tmp_path / "x.ber", "--to", "ber") == 0
    for file in (path, tmp_path / "x.ber"):
        assert run("verify", file) == 0
        assert "2 device sections typed" in capsys.readouterr().out
        assert run("verify", file, "--no-schema", "--format", "json") == 0
        values = json.loads(capsys.readouterr().out)
        assert values["findings"] == [] and values["judged"] == 0


def test_through_pipes() -> None:
    there = subprocess.run(
        [*VMSGEN, "convert", "-", "-", "--to", "ber"], input=stream(), capture_output=True, check=True
    )
    back = subprocess.run(
        [*VMSGEN, "convert", "-", "-", "--to", "binary"], input=there.stdout, capture_output=True, check=True
    )
    assert back.stdout == stream() and there.stderr == back.stderr == b""


def test_a_pipe_gets_what_is_complete() -> None:
    cut = subprocess.run([*VMSGEN, "convert", "-", "-", "--to", "debug"], input=stream()[:4500], capture_output=True)
    assert cut.returncode == 2 and cut.stdout.startswith(b"stream version 3\nconfiguration\n")
    why, *lost = cut.stderr.decode().splitlines()
    assert why.startswith("vmsgen: offset 0x10dd: the stream ends inside the vmdesc")
    assert lost[-1] == f"vmsgen: {len(cut.stdout)} bytes were written to stdout"


def test_a_file_is_finished_when_the_command_is_killed(tmp_path: Path) -> None:
    """As QEMU does with the command of ``migrate exec:``, once it has closed the pipe."""
    out = tmp_path / "out.ber"
    words = ["convert", "-", str(out), "--to", "ber", "--blobs"]
    with started([*VMSGEN, *words], stdin=subprocess.PIPE) as command:
        assert command.stdin is not None
        children = Path(f"/proc/{command.pid}/task/{command.pid}/children")
        deadline = time.monotonic() + 20
        while not children.read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        command.stdin.write(stream())
        command.stdin.flush()
        command.send_signal(signal.SIGKILL)
        assert command.wait(10) == -signal.SIGKILL
        command.stdin.close()
    deadline = time.monotonic() + 20
    while not out.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert to_binary(out.read_bytes()) == stream()


def test_the_exit_code_comes_through_the_child(tmp_path: Path) -> None:
    out = tmp_path / "out.ber"
    for data, code in ((stream(), 0), (stream()[:-1], 2)):
        done = subprocess.run([*VMSGEN, "convert", "-", str(out), "--to", "ber"], input=data, capture_output=True)
        assert (done.returncode, out.exists()) == (code, True)
