"""A build of what has changed makes what a full build makes, and says what it says."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from random import Random

import pytest

import vmsgen.building.compilation
import vmsgen.building.incremental
import vmsgen.building.inputs
import vmsgen.settings
from tests.properties.edits import LIBRARY, Edits
from vmsgen.building.build import build
from vmsgen.building.incremental import Made
from vmsgen.building.publish import PublishError
from vmsgen.diagnostics import Severity
from vmsgen.diagnostics.text import render_all
from vmsgen.settings import Project, project

SEEDS = int(os.environ.get("VMSGEN_EXAMPLES", "4"))
STEPS = 12


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library of a few specs in the place of the shipped one, and a cache folder of one's own."""
    folder = tmp_path / "library" / "device-specs"
    folder.mkdir(parents=True)
    for name, text in LIBRARY.items():
        (folder / name).write_text(text)
    for module in (vmsgen.settings, vmsgen.building.compilation, vmsgen.building.inputs):
        monkeypatch.setattr(module, "shipped_specs", lambda: folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert not build(Project(folder.parent, folder, folder.parent / "generated")).failed  # which gives it its tags


def everything(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_text(errors="replace")
        for path in sorted(files)
        if ".vmsgen-cache" not in path.parts
    }


def built(folder: Path, monkeypatch: pytest.MonkeyPatch, *, full: bool, check: bool) -> tuple[object, bool]:
    """All that a build says, and whether it failed."""
    monkeypatch.chdir(folder)
    try:
        outcome = build(project(folder), full=full, check=check, diff=check)
    except PublishError as error:
        return str(error).replace(str(folder), ""), True
    found = [one for one in outcome.diagnostics if one.severity is not Severity.NOTE]
    kinds = (outcome.failed, outcome.lock_changed, outcome.files, outcome.diff, outcome.differences)
    return (render_all(found, color=False), kinds), outcome.failed


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_same_as_a_full_build(seed: int, tmp_path: Path, library: None, monkeypatch: pytest.MonkeyPatch) -> None:
    quick, whole = tmp_path / "quick" / "project", tmp_path / "whole" / "project"
    quick.mkdir(parents=True)
    edits, failed = Edits(quick, Random(seed)), False
    taken: list[Made | None] = []
    changed = vmsgen.building.incremental.build_changed

    def counted(*arguments: object) -> Made | None:
        taken.append(changed(*arguments))  # type: ignore[arg-type]
        return taken[-1]

    monkeypatch.setattr("vmsgen.building.build.build_changed", counted)
    monkeypatch.setattr(vmsgen.building.incremental, "LARGEST_SHARE", 1.0)
    history: list[str] = []
    for _ in range(STEPS):
        shutil.rmtree(whole.parent, ignore_errors=True)
        shutil.copytree(quick, whole, ignore=shutil.ignore_patterns(".vmsgen-cache"))
        for check in (True, False):
            expected, failed = built(whole, monkeypatch, full=True, check=check)
            assert built(quick, monkeypatch, full=False, check=check)[0] == expected, (seed, history)
        assert everything(quick) == everything(whole), (seed, history)
        history.append(edits.step(failed))
    assert any(made is not None for made in taken), history
