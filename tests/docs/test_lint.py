"""docs/lint.md against the rules. ``python -m tests.docs.test_lint`` writes its table anew."""

from __future__ import annotations

from tests.docs.blocks import ROOT
from vmsgen.diagnostics import Severity
from vmsgen.diagnostics.rules import RULES

PAGE = ROOT / "docs" / "lint.md"


def rules_table() -> str:
    """The table of the rules that are no errors, as the page has it."""
    lines = ["| rule | | what it is about |", "|---|---|---|"]
    for rule in RULES.values():
        if rule.severity is not Severity.ERROR:
            kind = f"{rule.severity.value}{'' if rule.default else ', on request'}"
            lines.append(f"| `{rule.id}` | {kind} | {rule.summary}. {rule.explanation} |")
    return "\n".join(lines) + "\n"


def test_the_page_has_every_rule_that_is_no_error() -> None:
    assert rules_table() in PAGE.read_text("utf-8"), "write it anew: python -m tests.docs.test_lint"


if __name__ == "__main__":
    before, rest = PAGE.read_text("utf-8").split("<!-- table rules -->\n", 1)
    after = rest.partition("<!-- end -->")[2]
    PAGE.write_text(f"{before}<!-- table rules -->\n{rules_table()}<!-- end -->{after}", "utf-8")
