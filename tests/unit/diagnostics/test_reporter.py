"""Collecting, ordering and telling doubles apart; the table of rules; did-you-mean."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmsgen.diagnostics import Note, Severity, SourceFile, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.diagnostics.rules import RULES
from vmsgen.diagnostics.suggest import did_you_mean


def place(line: int, column: int, path: str = "a.yaml") -> Span:
    return Span(SourceFile(path, "x\n" * 20), line, column, line, column + 1)


def test_order_and_doubles() -> None:
    reporter = Reporter()
    reporter.error("spec/value", "third", place(2, 1))
    reporter.warning("name/unused", "second", place(1, 9))
    reporter.error("spec/value", "first", place(1, 2))
    reporter.error("spec/value", "first", place(1, 2), help="the same once more")
    reporter.error("spec/value", "of another file", place(9, 9, "B.yaml"))
    assert [d.message for d in reporter.diagnostics] == ["of another file", "first", "second", "third"]
    assert reporter.diagnostics[1].help is None


def test_lint_stops_nothing() -> None:
    reporter = Reporter()
    assert not reporter.has_errors
    reporter.warning("name/unused", "lint", place(1, 1))
    assert not reporter.has_errors


def test_an_error_stops_a_build() -> None:
    reporter = Reporter()
    reporter.warning("name/unused", "lint", place(1, 1))
    reporter.error("spec/value", "bad", place(1, 1), notes=[Note("here", place(2, 2))])
    assert reporter.has_errors
    assert reporter.diagnostics[1].notes[0].span.line == 2


def test_rules_of_findings_are_in_the_table() -> None:
    with pytest.raises(KeyError):
        Reporter().error("no/such-rule", "text", place(1, 1))


def test_table_of_rules() -> None:
    for key, rule in RULES.items():
        assert key == rule.id
        assert re.fullmatch(r"[a-z]+/[a-z-]+", key)
        assert isinstance(rule.severity, Severity)
        assert rule.explanation.endswith(".")
        assert not rule.summary.endswith(".")


@pytest.mark.parametrize(
    ("word", "candidates", "expected"),
    [
        ("feilds", ["fields", "flags", "types"], "fields"),
        ("uint31", ["uint32", "uint8", "uint16"], "uint32"),
        ("nunm", ["num", "name", "sum"], "num"),
        ("Mac", ["mac", "max"], "mac"),
        ("x", ["y", "z"], None),
        ("Point", ["uint", "pad"], None),
        ("need", ["needed", "name"], "needed"),
        ("min", ["minimum"], None),
        ("completely", ["different", "words"], None),
        ("", ["a"], None),
        ("same", ["same"], None),
        ("a" * 500, ["a" * 499], None),
        ("bat", ["cat", "bar", "car"], "bar"),
    ],
)
def test_did_you_mean(word: str, candidates: list[str], expected: str | None) -> None:
    assert did_you_mean(word, candidates) == expected
    assert did_you_mean(word, reversed(candidates)) == expected


@given(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=6))
def test_suggestions_are_candidates(word: str, candidates: list[str]) -> None:
    found = did_you_mean(word, candidates)
    assert found is None or (found in candidates and found != word)
