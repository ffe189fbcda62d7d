"""``--library``: states of a package of one's own before the shipped ones, in the commands and in ``vmsgen.open``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import vmsgen
from tests.unit.stream.synthetic import HEADER, be32, be64, full, vmdesc
from vmsgen import cli
from vmsgen.building.build import build
from vmsgen.packages import generated_package
from vmsgen.runtime.errors import VmsgenError
from vmsgen.settings import project

LAMP = """\
vmsgen: 1
summary: A lamp
vmstate: acme-lamp
fields:
  - bright: uint8
"""
#: a shipped state has this name, too
TIMER = """\
vmsgen: 1
summary: Another timer
vmstate: timer
version: 2
fields:
  - first: uint64
  - rest: uint32[4]
"""

STREAM = HEADER + full(1, "acme-lamp", b"\7") + full(2, "timer", be64(5) + be32(1) * 4, version=2)
STREAM += full(3, "cpu_common", be32(0) + be32(2)) + b"\0"
STREAM += vmdesc([("acme-lamp", 0, 1), ("timer", 0, 24), ("cpu_common", 0, 8)])


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("acme")
    (root / "device-specs").mkdir()
    (root / "device-specs" / "lamp.yaml").write_text(LAMP)
    (root / "device-specs" / "timer.yaml").write_text(TIMER)
    assert not build(project(root)).failed
    yield root / "generated"


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    path = tmp_path / "in.mig"
    path.write_bytes(STREAM)
    return path


def run(*words: object) -> int:
    return cli.run([str(word) for word in words])


def states(stream: Path, *words: object) -> dict[str, object]:
    out = stream.with_suffix(".json")
    assert run("convert", stream, out, "--to", "json", *words) == 0
    return {item["name"]: item.get("state") for item in json.loads(out.read_text())["items"] if item["kind"] == "full"}


def test_own_states_come_before_the_shipped_ones(stream: Path, package: Path) -> None:
    found = states(stream, "--library", package)
    assert found["acme-lamp"] == {"bright": 7}
    assert found["timer"] == {"first": 5, "rest": [1, 1, 1, 1]}
    assert found["cpu_common"] is not None and found["cpu_common"] == states(stream)["cpu_common"]


def test_without_the_option_the_shipped_ones_are_used(stream: Path) -> None:
    found = states(stream)
    assert found["acme-lamp"] is None
    assert isinstance(found["timer"], dict) and "first" not in found["timer"]


def test_ber_needs_the_same_package(stream: Path, package: Path, tmp_path: Path) -> None:
    ber, again = tmp_path / "x.ber", tmp_path / "y.mig"
    assert run("convert", stream, ber, "--to", "ber", "--library", package) == 0
    assert run("convert", ber, again, "--to", "binary", "--library", package) == 0
    assert again.read_bytes() == STREAM
    assert run("convert", ber, tmp_path / "z.mig", "--to", "binary") == 2


@pytest.mark.parametrize("form", ["binary", "ber"])
def test_verify_judges_by_the_schemas_of_both(
    stream: Path, package: Path, form: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    assert run("convert", stream, other, "--to", form, "--library", package) == 0
    assert run("verify", other, "--library", package) == 0
    assert "3 device sections typed" in capsys.readouterr().out


def test_show(stream: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", stream, "--section", "acme-lamp", "--library", package) == 0
    assert "bright = 7" in capsys.readouterr().out


def test_open(stream: Path, package: Path) -> None:
    with vmsgen.open(stream, generated_package(str(package)).REGISTRY) as migration:
        assert migration["acme-lamp"].bright == 7 and migration["timer"].first == 5
        assert migration["cpu_common"].VMSTATE == "cpu_common"


def test_a_package_by_its_name() -> None:
    assert generated_package("vmsgen.library").lookup("acpi_build").VMSTATE == "acpi_build"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no __init__.py in it"),
        ("x = 1\n", "no package that `vmsgen build` made"),
        ("x = \n", "SyntaxError"),
        ("raise ZeroDivisionError('no')\n", "ZeroDivisionError: no"),
    ],
)
def test_what_is_no_package(
    stream: Path, tmp_path: Path, text: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    if text is not None:
        (folder / "__init__.py").write_text(text)
    assert run("show", stream, "--library", folder) == 2
    assert said in capsys.readouterr().err
    with pytest.raises(VmsgenError, match="cannot be imported: ModuleNotFoundError"):
        generated_package("acme_that_is_not_there")
