"""A build that has nothing to do compiles nothing; and what counts as a change."""

from __future__ import annotations

from pathlib import Path

import pytest

import vmsgen.building.compilation
from tests.unit.cli.test_build import CLOCK, NIC, folder, spec
from vmsgen.cli import run

__all__ = ["folder"]


class _Compiled(Exception):
    """The front end ran."""


@pytest.fixture
def built(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that was built, in which compiling is an error from now on."""
    templates = folder / "own"
    (templates / "python").mkdir(parents=True)
    (folder / "vmsgen.toml").write_text('templates = "own"\n')
    assert run(["build"]) == 0

    def compile_specs(*_: object, **__: object) -> None:
        raise _Compiled

    monkeypatch.setattr(vmsgen.building.compilation, "compile_specs", compile_specs)
    return folder


def compiles(*arguments: str) -> bool:
    return run(["build", *arguments]) == 2


def test_nothing_changed(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["build"]) == 0
    assert "files, all as they were" in capsys.readouterr().err
    assert run(["build", "--check"]) == 0
    assert "files, all up to date" in capsys.readouterr().err
    assert run(["build", "--check", "--format", "json"]) == 0
    assert capsys.readouterr().out.strip() == "[]"
    assert compiles("--full") and compiles("--check", "--full")


@pytest.mark.parametrize(
    "path",
    ["device-specs/nic.yaml", "device-specs/tags.lock", "generated/nic.py", "generated/manifest.json", "own/x.j2"],
)
def test_a_changed_file_is_seen(built: Path, path: str) -> None:
    place = built / path
    before = place.read_bytes() if place.exists() else None
    place.write_bytes((before or b"") + b"\n\n")
    assert compiles() == compiles("--check") == (path != "generated/manifest.json")
    if before is not None:
        place.write_bytes(before)
        assert not compiles()
        place.unlink()
        assert compiles() and compiles("--check")


def test_a_new_spec_and_a_renamed_folder_are_seen(built: Path) -> None:
    spec(built, "clock", CLOCK)
    assert compiles()
    (built / "device-specs/clock.yaml").unlink()
    assert not compiles()
    (built / "device-specs").rename(built / "specs")
    assert compiles("--specs", "specs")


def test_another_vmsgen_is_seen(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vmsgen, "__version__", "0.0.0")
    assert compiles()


def test_warnings_are_said_every_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec(folder, "nic", NIC + "structs:\n  Left:\n    fields:\n      - over: uint8\n")
    for arguments in (["build"], ["build"], ["build", "--check"]):
        assert run(arguments) == 0
        assert "warning[name/unused]" in capsys.readouterr().err


def test_a_manifest_of_another_vmsgen_is_no_difference(folder: Path) -> None:
    assert run(["build"]) == 0
    manifest = folder / "generated/manifest.json"
    text = manifest.read_text()
    line = next(line for line in text.splitlines() if '"inputs"' in line)
    manifest.write_text(text.replace(line, ' "inputs": "0",'))
    assert run(["build", "--check"]) == 0
    assert run(["build"]) == 0
    assert manifest.read_text() == text, "a build brings the digest up to date"
