"""``vmsgen import``: what it says, what it writes, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.qemu.descriptions import column, dump, leaf, state, stream, table
from vmsgen.cli import run

OLD = state("acme", [leaf("a"), leaf("mode", "uint8")], version=1)
NEW = state(
    "acme", [leaf("a"), leaf("mode", "uint8"), leaf("extra", "uint16")], [state("acme/irq", [leaf("i")])], version=2
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("old.mig").write_bytes(stream(OLD))
    Path("new.mig").write_bytes(stream(NEW, state("other", [leaf("x")])))
    return tmp_path


def everything(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_import_and_its_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("table.json").write_bytes(
        dump(
            acme_pci=table("acme", [column("a"), column("mode", 1), column("x", 1, predicate=True)], minimum=0),
            stuck={"name": "stuck", "version_id": 1, "minimum_version_id": 1},
        )
    )
    assert run(["import", "old.mig", "table.json", "--label", "7.2", "--out", "specs"]) == 0
    assert capsys.readouterr() == (
        "sources: 1 stream, 1 dump of QEMU 7.2\n"
        "  note: stuck cannot be migrated, so it has no fields\n"
        "states: 1, of 2 descriptions; 0 have a spec already\n"
        "open: 1 question in 1 file\n"
        "  unknown: acme.yaml: 1\n"
        "specs: 1 new file\n",
        "",
    )
    assert list(everything(folder / "specs")) == ["acme.yaml"]
    assert run(["build", "--specs", "specs"]) == 0


def test_a_second_import_keeps_what_a_person_wrote(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", "old.mig", "--out", "specs"]) == 0
    text = (
        "# ours\n"
        "vmsgen: 1\n"
        "summary: a card\n"
        "vmstate: acme\n"
        "hooks:\n"
        "  module: ./acme_hooks.py\n"
        "  after_load: check\n"
        "fields:\n"
        "  - address: uint32\n"
        "    name: a\n"
        "    doc: where it is\n"
        "  - mode: uint8\n"
        "    check: it <= 3\n"
    )
    Path("specs/acme.yaml").write_text(text)
    Path("specs/acme_hooks.py").write_text("def check(state: object) -> None:\n    pass\n")
    before = everything(folder / "specs")
    capsys.readouterr()
    assert run(["import", "old.mig", "new.mig", "--out", "specs"]) == 0
    assert capsys.readouterr().out == (
        "sources: 2 streams, 0 dumps\n"
        "states: 2, of 3 descriptions; 1 have a spec already\n"
        "  new to a spec: acme.yaml: acme has field extra; subsection acme/irq\n"
        "open: 0 questions in 0 files\n"
        "specs: 1 new file\n"
    )
    after = everything(folder / "specs")
    assert sorted(after.keys() - before.keys()) == ["other.yaml"]
    assert {name: after[name] for name in before} == before
    assert run(["import", "old.mig", "new.mig", "--out", "specs"]) == 0
    assert everything(folder / "specs") == after


def test_states_of_the_library_are_left_to_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("known.mig").write_bytes(stream(state("port92", [leaf("outport", "uint8"), leaf("more", "uint8")])))
    assert run(["import", "known.mig", "--out", "specs"]) == 0
    assert (
        "1 have a spec already\n  new to a spec: qemu/isa/port92.yaml: port92 has field more\n"
        in capsys.readouterr().out
    )
    assert not Path("specs").exists()
    assert run(["import", "known.mig", "--out", "specs", "--all"]) == 0
    assert "vmstate: port92\n" in Path("specs/port92.yaml").read_text()


def test_labels_by_path(folder: Path) -> None:
    Path("v9").mkdir()
    Path("old.mig").rename("v9/old.mig")
    Path("v9/notes.txt").write_text("no source")
    assert run(["import", "v9", "new.mig", "--out", "specs", "--label", "7.2", "--label", "9.0=v9"]) == 0
    text = Path("specs/acme.yaml").read_text()
    assert "summary: VMState acme of QEMU 7.2 and 9.0\n" in text
    assert "- extra: uint16 since 2\n" in text


def test_sources_that_fail_are_said_and_the_others_used(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken.mig").write_bytes(Path("old.mig").read_bytes()[:-9])
    Path("text").write_text("hello")
    assert run(["import", "broken.mig", "text", "new.mig", "--out", "specs"]) == 1
    out, error = capsys.readouterr()
    assert "  not read: broken.mig: the stream has no vmdesc\n" in out
    assert "  not read: text: offset 0x0: text is no migration stream: expected" in out
    assert "specs: 2 new files\n" in out and error == ""
    assert run(["import", "text", "--out", "none"]) == 2
    assert capsys.readouterr().err == "Error: none of the sources could be read\n"
    assert not Path("none").exists()


def test_a_dry_run_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", "new.mig", "--out", "specs", "--dry-run"]) == 0
    assert capsys.readouterr().out.endswith("specs: 2 new files, not written\n")
    assert not Path("specs").exists()


def test_places_of_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("places.yaml").write_text("acme: net/acme\nother: net/other.yaml\n")
    assert run(["import", "new.mig", "--out", "specs", "--places", "places.yaml"]) == 0
    assert sorted(everything(folder / "specs")) == ["net/acme.yaml", "net/other.yaml"]
    for place in ("../acme", "/tmp/acme", "net/../../acme", ".hidden/acme", "a//b", ""):
        Path("places.yaml").write_text(f"acme: {place!r}\n")
        capsys.readouterr()
        assert run(["import", "new.mig", "--out", "other", "--places", "places.yaml"]) == 2, place
        assert not Path("other").exists(), place
    Path("places.yaml").write_text("acme: qemu/acme\n")
    assert run(["import", "new.mig", "--out", "other", "--places", "places.yaml"]) == 1
    assert "left out: qemu/acme.yaml: the folder `qemu` stands for" in capsys.readouterr().out
    Path("places.yaml").write_text("[1, 2]\n")
    assert run(["import", "new.mig", "--out", "other", "--places", "places.yaml"]) == 2
    assert "expected lines such as `pl011: char/pl011`" in capsys.readouterr().err


def test_nothing_is_written_through_a_link_or_over_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("specs").mkdir()
    Path("outside").mkdir()
    Path("specs/net").symlink_to(folder / "outside")
    Path("places.yaml").write_text("acme: net/acme\n")
    assert run(["import", "new.mig", "--out", "specs", "--places", "places.yaml"]) == 2
    assert "leads out of specs" in capsys.readouterr().err
    assert everything(folder / "outside") == {}
    Path("specs/net").unlink()
    Path("specs/acme.yaml").mkdir()
    assert run(["import", "new.mig", "--out", "specs"]) == 2
    assert "is in the way" in capsys.readouterr().err
    assert everything(folder / "specs") == {}


def test_specs_with_errors_are_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("specs").mkdir()
    Path("specs/mine.yaml").write_text("vmsgen: 1\nvmstate: mine\nfields:\n  - a: nosuch\n")
    assert run(["import", "new.mig", "--out", "specs"]) == 1
    assert "there is no type `nosuch`" in capsys.readouterr().err
    assert list(everything(folder / "specs")) == ["mine.yaml"]


@pytest.mark.parametrize("label", ["", "7.2/..", "a b", "x" * 40, "\n"])
def test_labels_that_are_none(folder: Path, label: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", "old.mig", "--out", "specs", "--label", label]) == 2
    assert "is no label" in capsys.readouterr().err
