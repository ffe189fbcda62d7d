"""``vmsgen build --watch``: a build after each change, whatever is wrong with it, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import vmsgen.building.watch
from tests.processes import started
from tests.unit.cli.test_build import CLOCK, NIC, folder, spec
from vmsgen.building.watch import changes
from vmsgen.cli import run
from vmsgen.settings import project

__all__ = ["folder"]

Edit = Callable[[], object]


@pytest.fixture
def watched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """``watched(edit, ...)``: exit code of a watch during which these edits are made, one after each build."""

    def of(*edits: Edit) -> int:
        left = list(edits)

        def sleep(seconds: float) -> None:
            if seconds == vmsgen.building.watch.INTERVAL:
                if not left:
                    raise KeyboardInterrupt
                left.pop(0)()

        monkeypatch.setattr("vmsgen.building.watch.changes", lambda place: changes(place, sleep))
        return run(["build", "--watch"])

    return of


def test_each_change_is_built(folder: Path, watched: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []

    def then(edit: Edit) -> Edit:
        def made() -> None:
            said.append(capsys.readouterr().err)
            edit()

        return made

    assert (
        watched(
            then(lambda: spec(folder, "clock", CLOCK)),
            then(lambda: spec(folder, "clock", "vmsgen: 1\nvmstate: [\n")),
            then(lambda: None),
            then(lambda: (folder / "device-specs/clock.yaml").unlink()),
            then(lambda: os.utime(folder / "device-specs/nic.yaml", (1, 1))),
            then(lambda: (folder / "generated/nic.py").write_text("mine")),
            then(lambda: spec(folder, "nic", NIC.replace("uint16", "uint32"))),
            then(lambda: None),
        )
        == 0
    )
    first, clock, bad, nothing, gone, touched, outside, mine = said
    assert "new" in first and "watching device-specs (Ctrl-C ends)" in first
    assert "new" in clock and "tags.lock" in clock and "watching" not in clock
    assert "error[yaml/syntax]" in bad and "generated:" not in bad
    assert nothing == touched == outside == "", "nothing changed that a build reads"
    assert "removed" in gone
    assert "changed" in mine, "what is generated is made anew by the next build"
    assert (folder / "generated/nic.py").read_text() != "mine"


def test_what_cannot_be_done_is_said_and_waited_for(
    folder: Path, watched: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    def in_the_way() -> None:
        (folder / "generated/clock.py").write_text("mine")
        spec(folder, "clock", CLOCK)

    def out_of_it() -> None:
        (folder / "generated/clock.py").unlink()
        spec(folder, "clock", CLOCK + "  - more: uint8\n")

    def away() -> None:
        (folder / "device-specs").rename(folder / "elsewhere")

    def back() -> None:
        (folder / "elsewhere").rename(folder / "device-specs")

    assert watched(in_the_way, out_of_it, away, back) == 0
    said = capsys.readouterr().err
    assert "Error: not made by vmsgen and in its way" in said
    assert "new" in said.partition("Error:")[2]
    assert "no such folder" in said and (folder / "generated/clock.py").exists()


def test_a_change_during_a_build_is_not_missed(folder: Path) -> None:
    slept: list[float] = []
    seen = changes(project(folder), slept.append)
    next(seen)
    spec(folder, "clock", CLOCK)
    next(seen)
    assert slept == [vmsgen.building.watch.INTERVAL, vmsgen.building.watch.SETTLED]


@pytest.mark.parametrize("other", ["--check", "--diff", "--full"])
def test_it_stands_alone(folder: Path, other: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["build", "--watch", other]) == 2
    assert "--watch goes with none of" in capsys.readouterr().err


def test_ctrl_c_ends_the_process_without_a_word_of_python(folder: Path) -> None:
    command = [sys.executable, "-m", "vmsgen", "build", "--watch"]
    with started(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        assert any("watching device-specs" in line for line in lines)
        spec(folder, "clock", CLOCK)
        assert any("new" in line for line in lines)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert "Traceback" not in process.stderr.read()
    assert not (folder / "generated/.vmsgen-staging").exists()
