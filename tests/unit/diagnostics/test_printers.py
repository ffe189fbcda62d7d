"""The printers: text for people, JSON, GitHub and SARIF for programs."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from vmsgen.diagnostics import Diagnostic, Note, Severity, SourceFile, Span
from vmsgen.diagnostics.formats import FORMATS, to_github, to_json, to_sarif
from vmsgen.diagnostics.text import WIDTH, render, render_all

FILE = SourceFile("device-specs/net/a b,c.yaml", "fields:\n  - ring: Descriptor[nunm]\n  - n: uint8\n")
FINDING = Diagnostic(
    "name/unknown",
    Severity.ERROR,
    "nothing here is called `nunm`: 100%",
    Span(FILE, 2, 22, 2, 26),
    "did you mean `num`?",
    (Note("the fields begin here", Span(FILE, 1, 1, 1, 7)),),
)
LINT = Diagnostic("name/unused", Severity.WARNING, "`n` is never used", Span(FILE, 3, 5, 3, 6))


def test_text() -> None:
    assert render(FINDING) == (
        "device-specs/net/a b,c.yaml:2:22: error[name/unknown]: nothing here is called `nunm`: 100%\n"
        "  2 |   - ring: Descriptor[nunm]\n"
        "    |                      ^^^^\n"
        "  help: did you mean `num`?\n"
        "  note: the fields begin here: device-specs/net/a b,c.yaml:1:1\n"
        "  1 | fields:\n"
        "    | ^^^^^^"
    )


def test_text_of_several_is_ordered_and_counted() -> None:
    text = render_all([LINT, FINDING, LINT])
    assert text.index("name/unknown") < text.index("name/unused")
    assert text.endswith("\n\n1 error, 2 warnings\n")
    assert render_all([]) == ""


def test_color_only_adds_escapes() -> None:
    import re

    colored = render(FINDING, color=True)
    assert "\x1b[1;31merror[name/unknown]\x1b[0m" in colored
    assert re.sub("\x1b\\[[0-9;]*m", "", colored) == render(FINDING)


def one(text: str, line: int, column: int, end_line: int, end_column: int, message: str = "m") -> list[str]:
    span = Span(SourceFile("a.yaml", text), line, column, end_line, end_column)
    return render(Diagnostic("spec/value", Severity.ERROR, message, span)).split("\n")


def test_range_over_lines_is_marked_to_the_end_of_the_first() -> None:
    assert one("a: bcd\n  e", 1, 4, 2, 4)[1:] == ["  1 | a: bcd", "    |    ^^^"]


def test_place_behind_the_end_and_empty_range() -> None:
    assert one("a:", 1, 3, 1, 3)[1:] == ["  1 | a:", "    |   ^"]
    assert one("a:", 1, 30, 1, 31)[1:] == ["  1 | a:", "    |   ^"]
    assert one("a:", 7, 1, 7, 1) == ["a.yaml:7:1: error[spec/value]: m"]


def test_wide_characters_take_two_columns() -> None:
    assert one("漢字: x", 1, 5, 1, 6)[1:] == ["  1 | 漢字: x", "    |       ^"]


def test_terminal_escapes_are_shown_not_sent() -> None:
    lines = one("a\x1b[2J: \u202eb", 1, 1, 1, 2, "found `\x1b]0;title\x07`\nsecond")
    assert lines == [
        "a.yaml:1:1: error[spec/value]: found `\\x1b]0;title\\x07`\\nsecond",
        "  1 | a\\x1b[2J: \\u202eb",
        "    | ^",
    ]


def test_long_lines_are_cut_around_the_spot() -> None:
    text = "a" * 300 + "X" + "b" * 300
    _, source, carets = one(text, 1, 301, 1, 302)
    assert len(source) <= len("  1 | ") + WIDTH + 6
    assert source.startswith("  1 | ...aaa")
    assert source.endswith("bbb...")
    assert source.index("X") == carets.index("^")


def test_windows_line_ends_are_not_shown() -> None:
    assert one("a: b\r\nc: d\r\n", 1, 4, 1, 5)[1:] == ["  1 | a: b", "    |    ^"]


def test_json() -> None:
    found = json.loads(to_json([LINT, FINDING]))
    assert found[0] == {
        "rule": "name/unknown",
        "severity": "error",
        "message": "nothing here is called `nunm`: 100%",
        "path": "device-specs/net/a b,c.yaml",
        "line": 2,
        "column": 22,
        "end_line": 2,
        "end_column": 26,
        "help": "did you mean `num`?",
        "notes": [
            {
                "message": "the fields begin here",
                "path": "device-specs/net/a b,c.yaml",
                "line": 1,
                "column": 1,
                "end_line": 1,
                "end_column": 7,
            }
        ],
    }
    assert [f["rule"] for f in found] == ["name/unknown", "name/unused"]
    assert json.loads(to_json([])) == []


def test_github() -> None:
    assert to_github([LINT, FINDING]).split("\n") == [
        "::error file=device-specs/net/a b%2Cc.yaml,line=2,endLine=2,col=22,endColumn=25,title=name/unknown::"
        "nothing here is called `nunm`: 100%25%0Ahelp: did you mean `num`?"
        "%0Anote: the fields begin here: device-specs/net/a b,c.yaml:1:1",
        "::warning file=device-specs/net/a b%2Cc.yaml,line=3,endLine=3,col=5,endColumn=5,title=name/unused::"
        "`n` is never used",
        "",
    ]


def test_sarif() -> None:
    log = json.loads(to_sarif([LINT, FINDING]))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [r["id"] for r in rules] == ["name/unknown", "name/unused"]
    assert [r["defaultConfiguration"]["level"] for r in rules] == ["error", "warning"]
    first, second = run["results"]
    assert (first["ruleId"], first["level"]) == ("name/unknown", "error")
    assert rules[second["ruleIndex"]]["id"] == second["ruleId"]
    location = first["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "device-specs/net/a%20b%2Cc.yaml"
    assert location["region"] == {"startLine": 2, "startColumn": 22, "endLine": 2, "endColumn": 26}
    assert first["relatedLocations"][0]["message"]["text"] == "the fields begin here"
    assert "relatedLocations" not in second


def test_every_format_takes_no_findings() -> None:
    assert set(FORMATS) == {"text", "json", "github", "sarif"}
    for printer in FORMATS.values():
        assert isinstance(printer([]), str)


@given(st.text(max_size=300), st.integers(1, 6), st.integers(1, 320), st.integers(0, 3), st.integers(1, 320))
def test_any_place_can_be_printed(text: str, line: int, column: int, more: int, end: int) -> None:
    found = one(text, line, column, line + more, end, message=text)
    assert all(c.isprintable() for shown in found for c in shown)
    assert len(found) in (1, 3)
