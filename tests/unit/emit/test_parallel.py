"""Generating in several processes gives what one gives, in its order, and fails as it does."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

import vmsgen.emit.parallel
from vmsgen.building.compilation import compile_project
from vmsgen.emit.parallel import render_all
from vmsgen.emit.templates import TemplateError, Templates
from vmsgen.settings import project
from vmsgen.spec.model import Model


@pytest.fixture
def model(tmp_path: Path) -> Model:
    specs = tmp_path / "device-specs"
    specs.mkdir()
    for number in range(20):
        (specs / f"d{number}.yaml").write_text(f"vmsgen: 1\nvmstate: d{number}\nfields:\n  - a: uint8[{number}]\n")
    compiled = compile_project(project(tmp_path))
    assert compiled.model is not None, compiled.diagnostics
    return compiled.model


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three processors, and not many modules needed to use them."""
    monkeypatch.setattr(vmsgen.emit.parallel, "_processors", lambda: 3)
    monkeypatch.setattr(vmsgen.emit.parallel, "FEWEST", 5)
    monkeypatch.setattr(threading, "active_count", lambda: 1)  # (those of the test runner are at rest)


def test_several_processes_give_what_one_gives(model: Model, processes: None, monkeypatch: pytest.MonkeyPatch) -> None:
    render = vmsgen.emit.parallel.render

    def noted(*arguments: object) -> object:
        found = render(*arguments)  # type: ignore[arg-type]
        return vmsgen.emit.parallel.Rendered(found.unit, {**found.texts, "process": str(os.getpid())})

    monkeypatch.setattr(vmsgen.emit.parallel, "render", noted)
    several = render_all(model, model.modules, Templates())
    assert len({each.texts["process"] for each in several} - {str(os.getpid())}) > 1
    monkeypatch.setattr(vmsgen.emit.parallel, "FEWEST", 1000)
    alone = render_all(model, model.modules, Templates())
    assert {each.texts["process"] for each in alone} == {str(os.getpid())}
    assert [each.unit for each in several] == [each.unit for each in alone]
    assert [{**each.texts, "process": ""} for each in several] == [{**each.texts, "process": ""} for each in alone]


def test_a_mistake_in_a_template_comes_back(model: Model, processes: None, tmp_path: Path) -> None:
    (tmp_path / "own/python").mkdir(parents=True)
    (tmp_path / "own/python/module.py.j2").write_text("{{ nothing_of_this_name }}")
    with pytest.raises(TemplateError, match="nothing_of_this_name"):
        render_all(model, model.modules, Templates(tmp_path / "own"))


def test_a_process_with_threads_is_not_forked(model: Model, processes: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    monkeypatch.setattr(vmsgen.emit.parallel, "ProcessPoolExecutor", None)
    assert len(render_all(model, model.modules, Templates())) == len(model.modules)
