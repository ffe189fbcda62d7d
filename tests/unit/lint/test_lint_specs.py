"""Specs for the lint: each gives exactly what it says at its end. ``# select: RULES`` in it is the option."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.spec_cases import SPECS, as_findings, expected
from vmsgen.diagnostics import Severity
from vmsgen.diagnostics.rules import RULES
from vmsgen.lint.run import Findings, lint
from vmsgen.lint.selection import selection
from vmsgen.settings import Project

CASES = sorted(SPECS.joinpath("lint").iterdir())


def linted(case: Path, folder: Path) -> Findings:
    """The lint of a case, in a project of its own."""
    root = folder / "device-specs"
    if case.is_file():
        root.mkdir()
        shutil.copy(case, root)
    else:
        shutil.copytree(case, root)
    text = "".join(path.read_text("utf-8") for path in root.rglob("*.yaml"))
    return lint(Project(folder, root, folder / "generated"), selection(re.findall("# select: (.*)", text), (), ()))


@pytest.mark.parametrize("case", CASES, ids=[p.stem for p in CASES])
def test_what_is_found(case: Path, tmp_path: Path) -> None:
    wanted = expected(case)
    assert wanted, "a spec for the lint says what it expects"
    found = linted(case, tmp_path)
    got = [one._replace(file=one.file.removeprefix("device-specs/")) for one in as_findings(list(found.diagnostics))]
    assert got == wanted
    for one in found.diagnostics:
        assert one.severity is RULES[one.rule].severity
    assert found.failed == any(RULES[one.rule].severity is not Severity.NOTE for one in wanted)
