"""The corpus of specs: every bad one gives exactly what it says at its end, every good one gives nothing.

A bad spec holds one mistake, which its file name states, and says what must be reported (see ``tests/spec_cases.py``).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.spec_cases import SPECS, as_findings, expected
from vmsgen.diagnostics import Diagnostic, Severity
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.diagnostics.rules import RULES
from vmsgen.diagnostics.text import render_all
from vmsgen.spec.compile import compile_specs
from vmsgen.spec.lock import assign, read_lock

LIBRARY = Path(__file__).resolve().parents[3] / "device-specs"
BAD = sorted(SPECS.joinpath("bad").iterdir())


def compiled(case: Path, folder: Path) -> tuple[bool, list[Diagnostic]]:
    """Compile a case with the shipped specs as the library; whether there is a model, and everything that was found."""
    root = folder / "device-specs"
    if case.is_file():
        root.mkdir()
        shutil.copy(case, root)
    else:
        shutil.copytree(case, root)
    result = compile_specs(root, library=LIBRARY, shown_root="")
    found = list(result.diagnostics)
    model = result.model
    if model is not None:
        reporter = Reporter()
        assign(model, read_lock(root / "tags.lock", reporter), reporter)
        found += reporter.diagnostics
        model = None if reporter.has_errors else model
    return model is not None, found


@pytest.mark.parametrize("case", BAD, ids=[p.stem for p in BAD])
def test_bad_spec(case: Path, tmp_path: Path) -> None:
    wanted = expected(case)
    assert wanted, "a bad spec says what it expects"
    has_model, found = compiled(case, tmp_path)
    assert as_findings(found) == wanted
    errors = [d for d in found if d.severity is Severity.ERROR]
    assert has_model == (not errors)
    for diagnostic in found:
        assert diagnostic.rule in _OF_TWO_SEVERITIES or diagnostic.severity is RULES[diagnostic.rule].severity


#: Rules that are errors where something certainly fails, and lint where it may.
_OF_TWO_SEVERITIES = ("sub/prefix", "type/ends")


def test_every_rule_has_a_bad_spec() -> None:
    cases = (*BAD, *SPECS.joinpath("lint").iterdir())
    covered = {finding.rule for case in cases for finding in expected(case)}
    assert sorted(set(RULES) - covered) == sorted(_ELSEWHERE)


#: Rules whose cases need more than a small file: where they are tested is said here.
_ELSEWHERE = {
    "lock/syntax": "test_lock.py",
}


def test_good_specs_give_no_finding(tmp_path: Path) -> None:
    root = tmp_path / "device-specs"
    shutil.copytree(SPECS / "good", root)
    result = compile_specs(root, library=LIBRARY, shown_root="")
    assert not result.diagnostics, render_all(result.diagnostics)
    assert result.model is not None
    modules = {module.path for module in result.model.modules if not module.external}
    assert modules == {p.relative_to(root).as_posix().removesuffix(".yaml") for p in root.rglob("*.yaml")}
