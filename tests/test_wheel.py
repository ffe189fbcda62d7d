"""The wheel, installed alone: it brings its templates, specs and library, and serves a project of its own."""

from __future__ import annotations

import lzma
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "examples" / "sample.mig.xz"

SPEC = """\
vmsgen: 1
vmstate: acme-counter
summary: counts what comes by
version: 2
minimum_version: 1
fields:
  - ticks: uint64
  - enabled: bool
  - label: string[8]
  - limit: uint32 since 2
    default: 100
  - history: uint16[uint8]
"""

SCRIPT = """\
import generated
Counter = generated.lookup("acme-counter")
counter = Counter(ticks=7, enabled=True, label="gate", limit=5, history=[1, 2, 513])
wire = counter.to_binary()
assert wire == bytes.fromhex("0000000000000007 01 6761746500000000 00000005 03 0001 0002 0201"), wire.hex()
assert Counter.from_binary(wire) == counter
assert Counter.from_ber(counter.to_ber()) == counter
old = Counter.from_binary(bytes.fromhex("0000000000000007 01 6761746500000000 00"), version=1)
assert old.limit == 100 and old.history == []
"""


class Installed:
    """An environment that holds the wheel and the packages it depends on, and nothing of the clone."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet"]
        subprocess.run([*pip, "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)], check=True)
        # The dependencies are those of this environment. A folder on PYTHONPATH brings its packages but not
        # its .pth files, through which an editable vmsgen would come in.
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        self.environment["PYTHONPATH"] = sysconfig.get_path("purelib")

    def run(self, *words: str | Path, cwd: Path) -> str:
        """Runs Python with these words in ``cwd`` and returns its stdout; a failure is an assertion."""
        done = subprocess.run(
            [str(self.python), *map(str, words)],
            cwd=cwd,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"), wheel)


def test_what_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, place in (("templates", "templates"), ("device-specs", "device_specs"), ("generated", "library")):
        files = [p for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        assert files, f"{folder} is empty"
        assert {f"vmsgen/{place}/{p.relative_to(ROOT / folder).as_posix()}" for p in files} <= names
    assert "vmsgen/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "generated/")) or name.endswith(".mig")]


def test_the_installed_one_is_not_the_clone(installed: Installed, tmp_path: Path) -> None:
    code = "import vmsgen, vmsgen.library; print(vmsgen.__file__, vmsgen.library.__file__)"
    for path in installed.run("-c", code, cwd=tmp_path).split():
        assert Path(path).is_relative_to(installed.folder)


def test_it_reads_and_converts_the_sample(installed: Installed, tmp_path: Path) -> None:
    stream = tmp_path / "sample.mig"
    stream.write_bytes(lzma.decompress(SAMPLE.read_bytes()))
    assert "e1000" in installed.run("-m", "vmsgen", "show", stream, cwd=tmp_path)
    installed.run("-m", "vmsgen", "convert", stream, "sample.ber", "--to", "ber", cwd=tmp_path)
    installed.run("-m", "vmsgen", "convert", "sample.ber", "again.mig", "--to", "binary", cwd=tmp_path)
    assert (tmp_path / "again.mig").read_bytes() == stream.read_bytes()


def test_it_builds_a_project_of_its_own(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "device-specs").mkdir()
    (tmp_path / "device-specs" / "counter.yaml").write_text(SPEC)
    installed.run("-m", "vmsgen", "build", cwd=tmp_path)
    installed.run("-m", "vmsgen", "build", "--check", cwd=tmp_path)
    installed.run("-c", SCRIPT, cwd=tmp_path)
    assert list((tmp_path / "generated" / "asn1").rglob("*.asn1"))
