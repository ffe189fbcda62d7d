"""``vmsgen build`` and ``vmsgen docs``, from the command line, in folders of a user's own."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vmsgen.cli import run

NIC = """\
vmsgen: 1
vmstate: acme-nic
summary: a card of our own
version: 2
minimum_version: 1
fields:
  - count: uint8
  - ring: uint32[count]
  - extra: uint16 since 2
"""
CLOCK = "vmsgen: 1\nvmstate: acme-clock\nsummary: a clock\nfields:\n  - ticks: uint64\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty project that one stands in; what it generates is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "device-specs").mkdir()
    spec(tmp_path, "nic", NIC)
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "generated"]:
        del sys.modules[name]


def spec(folder: Path, name: str, text: str) -> None:
    (folder / f"device-specs/{name}.yaml").write_text(text)


def on_disk(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_no_settings_are_needed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["build"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "generated:" in captured.err and " new" in captured.err
    made = on_disk(folder / "generated")
    assert {"__init__.py", "nic.py", "model.json", "manifest.json", "asn1/Vmsgen-Dev-Nic.asn1"} <= made.keys()
    assert b"VmAcme-Nic 30000\n" in (folder / "device-specs/tags.lock").read_bytes()


def test_what_is_built_saves_and_loads(folder: Path) -> None:
    assert run(["build"]) == 0
    importlib.invalidate_caches()
    cls = importlib.import_module("generated").lookup("acme-nic")
    card = cls(count=2, ring=[1, 2**32 - 1], extra=7)
    assert card.to_binary().hex() == "02" + "00000001" + "ffffffff" + "0007"
    assert cls.from_binary(card.to_binary()) == card
    assert cls.from_ber(card.to_ber()) == card
    assert cls.TAG == 30000


def test_check_before_and_after_a_change(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Editing a field's type changes class, codec and schema together."""
    assert run(["build"]) == 0
    before = on_disk(folder / "generated")
    assert run(["build", "--check"]) == 0
    spec(folder, "nic", NIC.replace("uint32[count]", "int64[count]"))
    capsys.readouterr()
    assert run(["build", "--check"]) == 1
    assert on_disk(folder / "generated") == before, "a check writes nothing"
    said = capsys.readouterr().err
    for path in ("nic.py", "asn1/Vmsgen-Dev-Nic.asn1", "model.json", "manifest.json"):
        assert f"changed: generated/{path}\n" in said
    assert said.endswith("run `vmsgen build` and check in what it writes\n")
    assert run(["build"]) == 0
    assert run(["build", "--check"]) == 0
    assert b"SEQUENCE OF Int64" in on_disk(folder / "generated")["asn1/Vmsgen-Dev-Nic.asn1"]
    assert b"list[int]" in on_disk(folder / "generated")["nic.py"]


def test_nothing_is_touched_the_second_time(folder: Path) -> None:
    assert run(["build"]) == 0
    files = [path for path in folder.rglob("*") if path.is_file()]
    before = [path.stat().st_mtime_ns for path in files]
    assert run(["build"]) == 0
    assert [path.stat().st_mtime_ns for path in files] == before


def test_deleted_spec_takes_its_outputs_along(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec(folder, "clock", CLOCK)
    assert run(["build"]) == 0
    (folder / "device-specs/clock.yaml").unlink()
    capsys.readouterr()
    assert run(["build", "--check"]) == 1
    assert "stale: generated/clock.py\n" in capsys.readouterr().err
    assert run(["build"]) == 0
    assert not {path for path in on_disk(folder / "generated") if "clock" in path.lower()}
    assert b"VmAcme-Clock 300" in (folder / "device-specs/tags.lock").read_bytes(), "its number is not given again"


def test_check_fails_when_the_lock_lacks_tags(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["build"]) == 0
    lock = folder / "device-specs/tags.lock"
    text = lock.read_text()
    lock.write_text("".join(line for line in text.splitlines(keepends=True) if "extra" not in line))
    capsys.readouterr()
    assert run(["build", "--check"]) == 1
    assert "changed: device-specs/tags.lock: lacks tags of new states or fields\n" in capsys.readouterr().err
    assert run(["build", "--diff"]) == 0
    assert "+VmAcme-Nic.extra 6\n" in capsys.readouterr().out


def test_tags_stay_when_fields_move(folder: Path) -> None:
    assert run(["build"]) == 0
    spec(
        folder,
        "nic",
        NIC.replace("  - extra: uint16 since 2\n", "").replace("  - count", "  - extra: uint16\n  - count"),
    )
    assert run(["build"]) == 0
    text = (folder / "generated/asn1/Vmsgen-Dev-Nic.asn1").read_text()
    assert text.index("count ") < text.index("ring ") < text.index("extra "), "components stand in tag order"


def test_diff_is_content(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["build", "--diff"]) == 0
    captured = capsys.readouterr()
    assert "--- /dev/null\n+++ b/generated/asn1/Vmsgen-Dev-Nic.asn1\n" in captured.out
    assert not (folder / "generated").exists()
    assert run(["build", "--check", "--diff"]) == 1


def test_bad_spec_is_reported_in_place_and_nothing_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["build"]) == 0
    before = on_disk(folder)
    spec(folder, "nic", NIC.replace("uint8", "uint31"))
    before["device-specs/nic.yaml"] = (folder / "device-specs/nic.yaml").read_bytes()
    capsys.readouterr()
    assert run(["build"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "device-specs/nic.yaml:7:12: error[name/unknown-type]" in captured.err
    assert on_disk(folder) == before
    assert run(["build", "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["rule"] == "name/unknown-type"


def test_names_that_meet_in_asn1_only(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec(folder, "nic", NIC.replace("vmstate: acme-nic", "vmstate: acme-nic\nas: Kept"))
    assert run(["build"]) == 0, "the prefix Vm keeps names apart from ours"
    spec(folder, "nic", NIC + "  - vmstate_kept: uint8\n")
    capsys.readouterr()
    assert run(["build"]) == 1
    assert "error[name/collision]: ASN.1 component vmstate-kept is made twice" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["vmsgen.toml", "pyproject.toml"])
def test_settings(folder: Path, place: str) -> None:
    (folder / "device-specs").rename(folder / "specs")
    head = "" if place == "vmsgen.toml" else "[project]\nname = 'x'\n[tool.vmsgen]\n"
    (folder / place).write_text(head + 'specs = ["specs"]\noutput = "src/made"\n')
    assert run(["build"]) == 0
    assert (folder / "src/made/nic.py").is_file()
    assert (folder / "specs/tags.lock").is_file()


def test_settings_are_found_from_below(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "deep/er").mkdir(parents=True)
    monkeypatch.chdir(folder / "deep/er")
    assert run(["build"]) == 0
    first = on_disk(folder / "generated")
    monkeypatch.chdir(folder)
    assert run(["build", "--check"]) == 0
    assert on_disk(folder / "generated") == first


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('otput = "x"\n', "unknown key `otput`; did you mean `output`?"),
        ("output = 3\n", "`output` must be the path of one folder"),
        ('specs = ["a", "b"]\n', "`specs` must be the path of one folder"),
        ("output = \n", "vmsgen.toml"),
        ('specs = "nowhere"\n', "no such folder"),
    ],
)
def test_wrong_settings_are_refused(folder: Path, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    (folder / "vmsgen.toml").write_text(text)
    assert run(["build"]) == 2
    assert said in capsys.readouterr().err
    assert not (folder / "generated").exists()


def test_folders_by_option(folder: Path) -> None:
    (folder / "device-specs").rename(folder / "elsewhere")
    assert run(["build", "--specs", "elsewhere", "--output", "made"]) == 0
    assert (folder / "made/nic.py").is_file()


def test_no_specs_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["build"]) == 2
    assert "no such folder; specs stand in `device-specs/`" in capsys.readouterr().err


def test_own_template_replaces_one_and_wrong_ones_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "vmsgen.toml").write_text('templates = "mine"\n')
    template = folder / "mine/asn1/open/Vmsgen-Devices.asn1"
    template.parent.mkdir(parents=True)
    body = "Vmsgen-Devices DEFINITIONS IMPLICIT TAGS ::=\nBEGIN\nEXPORTS DeviceState;\nDeviceState ::= {}\nEND\n"
    template.write_text("-- Mine. Generated by vmsgen.\n" + body.format("ANY"))
    assert run(["build"]) == 0
    assert (folder / "generated/asn1/open/Vmsgen-Devices.asn1").read_text().startswith("-- Mine.")
    assert (folder / "generated/asn1/Vmsgen-Devices.asn1").read_text().startswith("-- Generated by vmsgen")
    template.write_text(body.format("ENUMERATED { a(0) }"))
    assert run(["build"]) == 2
    assert "ENUMERATED" in capsys.readouterr().err
    template.unlink()
    (template.parent / "Misspelt.asn1").write_text("")
    assert run(["build"]) == 2
    assert "replaces nothing with asn1/open/Misspelt.asn1" in capsys.readouterr().err


def test_file_of_the_user_is_in_the_way(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "generated").mkdir()
    (folder / "generated/nic.py").write_text("mine = True\n")
    assert run(["build"]) == 2
    assert "not made by vmsgen and in its way" in capsys.readouterr().err
    assert on_disk(folder / "generated") == {"nic.py": b"mine = True\n"}
    assert not (folder / "device-specs/tags.lock").exists(), "the lock is part of all or nothing"


def test_docs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec(folder, "clock", CLOCK)
    assert run(["docs", "--out", "site"]) == 0
    pages = on_disk(folder / "site")
    assert {"index.html", "stream.html", "style.css", "specs/nic.html", "specs/clock.html"} <= pages.keys()
    assert not (folder / "device-specs/tags.lock").exists(), "docs gives no tags"
    (folder / "device-specs/clock.yaml").unlink()
    assert run(["docs", "--out", "site"]) == 0
    assert not (folder / "site/specs/clock.html").exists()
    spec(folder, "nic", NIC.replace("uint8", "uint31"))
    assert run(["docs", "--out", "site"]) == 1
    assert run(["docs"]) == 2
    capsys.readouterr()
