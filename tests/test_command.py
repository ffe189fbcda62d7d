"""The command group: exit codes, what an error looks like, and that starting is quick."""

from __future__ import annotations

import lzma
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from tests.processes import started
from vmsgen import __version__
from vmsgen import cli as group
from vmsgen.runtime.errors import DataError

CLONE = Path(__file__).parents[1]
Fails = Callable[[Callable[[], object]], int]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Fails:
    """``runs(body)``: exit code of ``vmsgen show``, where the command does what ``body`` does."""

    def of(body: Callable[[], object]) -> int:
        made = click.Command("show", callback=body)
        monkeypatch.setattr(group.LazyGroup, "get_command", lambda self, context, name: made)
        return group.run(["show"])

    return of


def raiser(error: BaseException) -> Callable[[], object]:
    def body() -> object:
        raise error

    return body


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (lambda: None, 0),
        (lambda: 1, 1),
        (raiser(click.UsageError("no such thing")), 2),
        (raiser(click.ClickException("cannot")), 2),
        (raiser(click.exceptions.Exit(1)), 1),
        (raiser(FileNotFoundError(2, "No such file or directory", "x.mig")), 2),
        (raiser(DataError("no footer", section="cpu/0", offset=12)), 2),
        (raiser(RuntimeError("a bug")), 2),
        (raiser(RecursionError()), 2),
        (raiser(KeyboardInterrupt()), 130),
        (raiser(click.Abort()), 130),
    ],
)
def test_exit_codes(runs: Fails, body: Callable[[], object], code: int) -> None:
    assert runs(body) == code


def test_an_io_error_is_one_line(runs: Fails, capsys: pytest.CaptureFixture[str]) -> None:
    runs(raiser(PermissionError(13, "Permission denied", "out.mig")))
    assert capsys.readouterr().err == "vmsgen: out.mig: Permission denied\n"


def test_an_unreadable_stream_is_one_line(runs: Fails, capsys: pytest.CaptureFixture[str]) -> None:
    runs(raiser(DataError("no footer", section="cpu/0", offset=12)))
    assert capsys.readouterr().err == "vmsgen: section cpu/0, offset 0xc: no footer\n"


def test_an_internal_error_is_one_line(
    runs: Fails, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VMSGEN_DEBUG", raising=False)
    runs(raiser(RuntimeError("a bug")))
    said = capsys.readouterr().err
    assert said.startswith("internal error: RuntimeError: a bug") and said.count("\n") == 1
    monkeypatch.setenv("VMSGEN_DEBUG", "1")
    runs(raiser(RuntimeError("a bug")))
    assert "Traceback" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert group.run(["--version"]) == 0
    assert capsys.readouterr().out == f"vmsgen {__version__}\n"


def test_help_without_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert group.run([]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Usage: vmsgen COMMAND") and len(said.splitlines()) <= 28


def test_an_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert group.run(["shwo"]) == 2
    assert "No such command 'shwo'" in capsys.readouterr().err


def test_every_listed_command_exists() -> None:
    context = click.Context(group.command)
    for name in group.command.list_commands(context):
        assert isinstance(group.command.get_command(context, name), click.Command)


def test_nothing_heavy_is_imported_for_help() -> None:
    heavy = {"jinja2", "black", "asn1tools", "numpy", "yaml"}
    code = f"import sys, vmsgen.cli; vmsgen.cli.run(['--help']); sys.exit(bool({heavy} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def imported(code: str, folder: Path | None = None) -> set[str]:
    """The modules that a process has imported which runs ``code``, its own output left out."""
    ended = "import sys; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; {ended}"], check=True, cwd=folder, capture_output=True, text=True
    )
    return set(done.stderr.splitlines()[-1].split())


def test_the_version_needs_no_command_line() -> None:
    code = "import sys; sys.argv[1:] = ['--version']; from vmsgen.__main__ import main; main()"
    assert not {"click", "typing", "re", "vmsgen.cli"} & imported(code)
    for arguments in (["--version"], ["--version", "show"]):
        done = subprocess.run([sys.executable, "-m", "vmsgen", *arguments], check=True, capture_output=True, text=True)
        assert done.stdout == f"vmsgen {__version__}\n"
    with open("/dev/full", "wb") as full:
        failed = subprocess.run([sys.executable, "-m", "vmsgen", "--version"], stdout=full, stderr=subprocess.PIPE)
    assert failed.returncode == 2 and b"No space left" in failed.stderr


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample as a stream."""
    path = tmp_path_factory.mktemp("sample") / "sample.mig"
    path.write_bytes(lzma.decompress((CLONE / "examples/sample.mig.xz").read_bytes()))
    return path


#: what no reading of a stream needs (a dataclass takes 0.2 to 0.5 ms to be made: vmsgen/runtime/slotted.py)
NEVER = {"yaml", "jinja2", "black", "asn1tools", "numpy", "rich", "vmsgen.spec.model", "tempfile", "dataclasses"}


def of_devices(names: set[str]) -> set[str]:
    """The modules of device classes."""
    return {name for name in names if name.startswith("vmsgen.library.") and name.count(".") > 2}


def test_a_stream_is_shown_without_what_builds_and_checks(sample: Path) -> None:
    names = imported(f"import vmsgen.cli; vmsgen.cli.run(['show', {str(sample)!r}])")
    assert not NEVER & names
    assert not {"vmsgen.stream.text.values", "vmsgen.stream.channels.files", "vmsgen.stream.ber.source"} & names
    assert 10 < len(of_devices(names)) < 50, "the devices of this stream, of hundreds"


def test_a_conversion_imports_what_its_formats_need(sample: Path, tmp_path: Path) -> None:
    there, back = tmp_path / "there.ber", tmp_path / "back.mig"
    names = imported(f"import vmsgen.cli; vmsgen.cli.run(['convert', {str(sample)!r}, {str(there)!r}, '--to', 'ber'])")
    rare = {"vmsgen.stream.sections.table", "vmsgen.stream.ram.mapped", "vmsgen.runtime.json_out"}
    assert not (NEVER | rare | {"vmsgen.stream.ber.reader", "vmsgen.stream.binary.writer"}) & names
    names = imported(f"import vmsgen.cli; vmsgen.cli.run(['convert', {str(there)!r}, {str(back)!r}])")
    assert back.read_bytes() == sample.read_bytes()
    assert not (NEVER | rare | {"vmsgen.stream.binary.reader", "vmsgen.stream.layout.search"}) & names


def test_a_page_map_needs_no_device(sample: Path) -> None:
    names = imported(f"import vmsgen.cli; vmsgen.cli.run(['show', '--memory-map', {str(sample)!r}])")
    assert not (NEVER | {"json", "vmsgen.packages", "vmsgen.library", "vmsgen.stream.devices"}) & names
    assert not {name for name in names if name.startswith(("vmsgen.stream.vmdesc.", "vmsgen.stream.layout."))}


def test_a_program_that_opens_a_stream_needs_no_command_line(sample: Path) -> None:
    names = imported(f"import vmsgen; vmsgen.open({str(sample)!r})")
    assert not (NEVER | {"click", "inspect", "vmsgen.cli", "vmsgen.stream.convert"}) & names


def test_a_build_with_nothing_to_do_imports_nothing_that_builds(tmp_path: Path) -> None:
    (tmp_path / "device-specs").mkdir()
    (tmp_path / "device-specs/nic.yaml").write_text("vmsgen: 1\nvmstate: acme-nic\nfields:\n  - a: uint8\n")
    subprocess.run([sys.executable, "-m", "vmsgen", "build"], check=True, cwd=tmp_path, capture_output=True)
    names = imported("import vmsgen.cli; assert vmsgen.cli.run(['build']) == 0", tmp_path)
    assert not {"yaml", "jinja2", "black", "asn1tools", "rich", "vmsgen.spec", "vmsgen.emit"} & names


def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    """``vmsgen ... | head -1``: quiet, and no failure."""
    script = tmp_path / "long.py"
    script.write_text(
        "import click, sys\nfrom vmsgen import cli\n"
        "made = click.Command('show', callback=lambda: [click.echo('line') for _ in range(200000)] and None)\n"
        "cli.LazyGroup.get_command = lambda self, context, name: made\nsys.exit(cli.run(['show']))\n"
    )
    with started([sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as long:
        assert long.stdout is not None and long.stderr is not None
        assert long.stdout.readline() == b"line\n"
        long.stdout.close()
        assert long.wait(60) == 0
        assert long.stderr.read() == b""
