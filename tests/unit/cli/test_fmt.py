"""``vmsgen fmt`` from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmsgen.cli import run

GOOD = "vmsgen: 1\nvmstate: acme\nfields:\n  - a: uint8\n  - b: uint8[a]\n"
UGLY = "vmsgen: 1\nvmstate: acme\nfields:\n- a:   uint8\n- b: uint8[ a ]\n"
BAD = "vmsgen: 1\nvmstate: acme\nfields:\n- a:   uint8 sinc 1\n"
DIFF = """\
--- a/device-specs/acme.yaml
+++ b/device-specs/acme.yaml
@@ -1,5 +1,5 @@
 vmsgen: 1
 vmstate: acme
 fields:
-- a:   uint8
-- b: uint8[ a ]
+  - a: uint8
+  - b: uint8[a]
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec of a project that one stands in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "device-specs").mkdir()
    path = tmp_path / "device-specs/acme.yaml"
    path.write_text(UGLY)
    return path


def test_it_writes_what_is_not_in_the_style(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec.chmod(0o640)
    assert run(["fmt"]) == 0
    assert spec.read_text() == GOOD
    assert spec.stat().st_mode & 0o777 == 0o640
    assert capsys.readouterr() == ("", "1 file, 1 written anew\n")
    before = spec.stat()
    assert run(["fmt"]) == 0
    assert (spec.stat().st_ino, spec.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert capsys.readouterr().err == "1 file, all as they should be\n"
    assert [path.name for path in spec.parent.iterdir()] == ["acme.yaml"]


def test_check_and_diff_write_nothing(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fmt", "--check"]) == 1
    assert capsys.readouterr() == ("", "not in the style: device-specs/acme.yaml\n1 file, 1 not in the style\n")
    assert run(["fmt", "--diff"]) == 0
    assert capsys.readouterr() == (DIFF, "1 file, 1 not in the style\n")
    assert run(["fmt", "--diff", "--check"]) == 1
    assert capsys.readouterr().out == DIFF
    assert spec.read_text() == UGLY


def test_a_file_with_errors_is_left_and_the_others_are_not(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad, binary = spec.with_name("bad.yaml"), spec.with_name("binary.yaml")
    bad.write_text(BAD)
    binary.write_bytes(b"\xff")
    assert run(["fmt"]) == 1
    assert (spec.read_text(), bad.read_text(), binary.read_bytes()) == (GOOD, BAD, b"\xff")
    said = capsys.readouterr().err
    assert "device-specs/bad.yaml:4:14: error[type/syntax]: `sinc` is no clause of a field line" in said
    assert "device-specs/binary.yaml:1:1: error[spec/unreadable]: the file is not UTF-8: byte 0" in said
    assert said.endswith("3 files, 1 written anew, 2 with errors\n")


def test_files_and_folders(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = spec.parent.parent / "elsewhere/deep/other.yaml"
    hidden = spec.parent.parent / "elsewhere/.hidden/other.yaml"
    for path in (other, hidden):
        path.parent.mkdir(parents=True)
        path.write_text(UGLY)
    assert run(["fmt", "elsewhere"]) == 0
    assert (other.read_text(), hidden.read_text(), spec.read_text()) == (GOOD, UGLY, UGLY)
    assert run(["fmt", "device-specs/acme.yaml", str(spec)]) == 0
    assert spec.read_text() == GOOD
    assert "1 file, 1 written anew" in capsys.readouterr().err
    assert run(["fmt", "nowhere.yaml"]) == 2


def test_a_link_stays_one(spec: Path) -> None:
    target = spec.parent.parent / "kept.yaml"
    spec.rename(target)
    spec.symlink_to(target)
    assert run(["fmt", "device-specs/acme.yaml"]) == 0
    assert spec.is_symlink() and target.read_text() == GOOD
    target.write_text(UGLY)
    assert run(["fmt"]) == 0
    assert spec.is_symlink() and target.read_text() == GOOD
