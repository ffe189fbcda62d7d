"""Where an ignore may stand, what it is about, and that a build heeds it, too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vmsgen.cli import run
from vmsgen.lint.run import lint
from vmsgen.lint.selection import Selection
from vmsgen.settings import Project

HEAD = "vmsgen: 1\nsummary: a card\nvmstate: acme\n"
Lines = Callable[[str], list[str]]


@pytest.fixture
def found(tmp_path: Path) -> Lines:
    """What the lint finds in a spec, as ``RULE LINE``."""

    def of(text: str) -> list[str]:
        root = tmp_path / "device-specs"
        root.mkdir()
        (root / "acme.yaml").write_text(text)
        outcome = lint(Project(tmp_path, root, tmp_path / "generated"), Selection())
        return [f"{one.rule} {one.span.line}" for one in outcome.diagnostics]

    return of


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param("  - a: bytes[32]  # vmsgen: ignore[doc/opaque] why not\n", id="behind"),
        pytest.param("  # vmsgen: ignore[doc/opaque] why not\n  - a: bytes[32]\n", id="above"),
        pytest.param("  # vmsgen: ignore[doc/opaque] why not\n\n  # more\n  - a: bytes[32]\n", id="far above"),
        pytest.param("  #vmsgen:ignore[ doc/opaque ]: why not\n  - a: bytes[32]\n", id="spelling"),
        pytest.param(
            "  - a: uint8\n  # vmsgen: ignore[unknown/open] why not\n"
            "  - b: uint16\n      when a != 0 and\n      unknown\n",
            id="folded line",
        ),
    ],
)
def test_it_is_about_one_line(found: Lines, fields: str) -> None:
    assert found(f"{HEAD}fields:\n{fields}") == []


def test_two_rules_in_one_comment(found: Lines) -> None:
    text = "  # vmsgen: ignore[doc/opaque,count/unbounded] why not\n  - b: bytes[uint32]\n"
    assert found(f"{HEAD}fields:\n{text}") == []


def test_above_the_first_key_it_is_about_the_file(found: Lines) -> None:
    text = f"# vmsgen: ignore[doc/opaque] nobody knows\n{HEAD}fields:\n  - a: bytes[32]\n  - b: bytes[64]\n"
    assert found(text) == []


def test_it_is_about_nothing_else(found: Lines) -> None:
    text = "  - a: bytes[32]  # vmsgen: ignore[doc/opaque] one\n  - b: bytes[32]\n    # vmsgen: ignore[doc/opaque] x\n"
    assert found(f"{HEAD}fields:\n{text}") == ["doc/opaque 6", "ignore/unused 7"]


def test_a_text_is_no_comment(found: Lines) -> None:
    text = "  - a: bytes[32]\n    unit: '# vmsgen: ignore[doc/opaque] no'\n"
    assert found(f"{HEAD}fields:\n{text}") == ["doc/opaque 5"]


def test_a_build_heeds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "device-specs").mkdir()
    spec = tmp_path / "device-specs/acme.yaml"
    spec.write_text(f"{HEAD}fields:\n  - a: bytes[uint32]\n    doc: x\n")
    assert run(["build"]) == 0
    assert "count/unbounded" in capsys.readouterr().err
    spec.write_text(
        f"{HEAD}fields:\n  # vmsgen: ignore[count/unbounded] QEMU has none\n  - a: bytes[uint32]\n    doc: x\n"
    )
    assert run(["build"]) == 0
    assert "count/unbounded" not in capsys.readouterr().err
