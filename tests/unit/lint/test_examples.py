"""The examples of the pages of rules: in each its rule finds something, and no other one an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.specs import whole
from vmsgen.diagnostics import Severity
from vmsgen.diagnostics.examples import EXAMPLES
from vmsgen.diagnostics.rules import RULES
from vmsgen.lint.run import lint
from vmsgen.lint.selection import selection
from vmsgen.settings import Project

#: Rules about several files, the lock, files that are no text, or things too large to show.
WITHOUT = {
    "yaml/limit",
    "spec/unreadable",
    "import/cycle",
    "cond/needed-by",
    "sub/length",
    "tag/taken",
    "tag/changed",
    "tag/order",
    "lock/syntax",
    "match/same",
}


def test_all_other_rules_have_one() -> None:
    assert set(RULES) - set(EXAMPLES) == WITHOUT
    assert list(EXAMPLES) == [rule for rule in RULES if rule in EXAMPLES], "in the order of the rules"


@pytest.mark.parametrize("rule", EXAMPLES)
def test_the_rule_finds_it(rule: str, tmp_path: Path) -> None:
    root = tmp_path / "device-specs"
    root.mkdir()
    (root / "example.yaml").write_text(whole(EXAMPLES[rule]))
    found = lint(Project(tmp_path, root, tmp_path / "generated"), selection(["ALL"], [], [])).diagnostics
    assert rule in {one.rule for one in found}
    assert {one.rule for one in found if one.severity is Severity.ERROR} <= {rule}
