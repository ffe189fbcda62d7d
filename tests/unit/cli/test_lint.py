"""``vmsgen lint`` and ``vmsgen rule`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vmsgen.cli import run
from vmsgen.diagnostics.rules import RULES

SPEC = """\
vmsgen: 1
summary: a card
vmstate: acme
fields:
  - a: uint8
  - rom: bytes[64]
  - b: uint8 when unknown
"""
CLOCK = "vmsgen: 1\nvmstate: acme-clock\nfields:\n  - ticks: uint64\n    doc: since when it was armed\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "device-specs/board").mkdir(parents=True)
    (tmp_path / "device-specs/acme.yaml").write_text(SPEC)
    (tmp_path / "device-specs/board/clock.yaml").write_text(CLOCK)
    return tmp_path


def rules(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 1) -> list[str]:
    assert run(["lint", "--format", "json", *arguments]) == code
    return [one["rule"] for one in json.loads(capsys.readouterr().out)]


def test_findings_are_on_stdout_and_counts_on_stderr(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lint"]) == 1
    out, err = capsys.readouterr()
    assert "device-specs/acme.yaml:6:5: warning[doc/opaque]: nothing says what the bytes of `rom` are\n" in out
    assert out.endswith("2 warnings, 1 note\n")
    assert err == "2 files, 3 findings\n     1 unknown in device-specs/acme.yaml\n     1 unknown in all\n"
    assert not (folder / "generated").exists() and not (folder / "device-specs/tags.lock").exists()


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ([], ["doc/opaque", "unknown/open", "doc/summary"]),
        (["--select", "doc"], ["doc/missing", "doc/opaque", "doc/missing", "doc/summary"]),
        (["--select", "doc", "--ignore", "doc/missing"], ["doc/opaque", "doc/summary"]),
        (["--select", "doc/opaque,doc/summary"], ["doc/opaque", "doc/summary"]),
        (["--select", "doc/opaque", "--ignore", "doc"], ["doc/opaque"]),
        (["--select", "doc/opaque", "--select", "doc/summary"], ["doc/opaque", "doc/summary"]),
        (["--extend-select", "doc/missing", "--ignore", "unknown"], [
            "doc/missing", "doc/opaque", "doc/missing", "doc/summary"
        ]),
        (["--ignore", "doc"], ["unknown/open"]),
        (["--select", "ALL", "--ignore", "doc"], ["unknown/open"]),
        (["--select", "ALL", "--ignore", "ALL"], []),
    ],
)  # fmt: skip
def test_selection(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], found: list[str]) -> None:
    code = 1 if any(one != "unknown/open" for one in found) else 0
    assert rules(capsys, *arguments, code=code) == found


def test_files_and_folders(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rules(capsys, "device-specs/board") == ["doc/summary"]
    assert rules(capsys, "device-specs/board/clock.yaml", "device-specs/acme.yaml") == [
        "doc/opaque",
        "unknown/open",
        "doc/summary",
    ]
    (folder / "device-specs").rename(folder / "elsewhere")
    assert rules(capsys, "elsewhere", "--ignore", "doc/summary") == ["doc/opaque", "unknown/open"]
    assert rules(capsys, "elsewhere/board/clock.yaml", "--specs", "elsewhere") == ["doc/summary"]


def test_exit_codes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lint", "--exit-zero"]) == 0
    assert run(["lint", "--select", "unknown"]) == 0
    assert run(["lint", "--select", "doc/opake"]) == 2
    assert "did you mean `doc/opaque`?" in capsys.readouterr().err
    assert run(["lint", "--specs", "device-specs/board", "device-specs/acme.yaml"]) == 2
    (folder / "device-specs/acme.yaml").write_text(SPEC.replace("uint8 when", "uint7 when"))
    capsys.readouterr()
    assert run(["lint", "--select", "doc"]) == 1
    assert "error[name/unknown-type]" in capsys.readouterr().out


def test_every_rule_has_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    for rule in RULES.values():
        assert run(["rule", rule.id]) == 0
        page = capsys.readouterr().out
        assert page.startswith(f"{rule.severity.value}[{rule.id}]: {rule.summary}\n")
        assert rule.heading in page and max(map(len, page.splitlines())) <= 100
    assert run(["rule"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(RULES)


def test_rules_that_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rule", "sub/prefx"]) == 2
    assert "there is no rule `sub/prefx`; did you mean `sub/prefix`?" in capsys.readouterr().err
    assert run(["rule", "sub"]) == 2
    assert "it is a family: sub/prefix, " in capsys.readouterr().err
