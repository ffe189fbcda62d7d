"""Fixtures of the tests that need QEMU.

Where QEMU (or /dev/kvm, or the analyzer) is not there a test is skipped and says why. With ``qemu``
in ``VMSGEN_REQUIRE`` (a list with commas) it fails instead, so that CI cannot skip unnoticed.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, Protocol

import pytest

from tests.qemu.analyzer import NoAnalyzerError, analyze, analyzer_script
from tests.qemu.capture import capture, declared
from tests.qemu.machine import PREFIXES, unavailable
from tests.qemu.shapes import Stopped, stopped_guest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test of this folder ``qemu``; one process runs them, since they share what was captured."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.qemu)
            item.add_marker(pytest.mark.xdist_group("qemu"))


#: Releases that ``VMSGEN_REQUIRE=qemu`` asks for; others are used where they are installed.
REQUIRED = ("7.2", "10.0")


def missing(reason: str, release: str = REQUIRED[0]) -> NoReturn:
    """Skips the test, or fails it where that release of QEMU is required."""
    if release in REQUIRED and "qemu" in os.environ.get("VMSGEN_REQUIRE", "").split(","):
        pytest.fail(f"QEMU is required, but {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def qemu() -> Callable[[str], str]:
    """``qemu(release)``: the name of that QEMU's x86_64 binary."""

    def of(release: str) -> str:
        reason = unavailable(release)
        if reason is not None:
            missing(reason, release)
        return PREFIXES[release] + "x86_64"

    return of


@pytest.fixture(scope="session")
def stream() -> Callable[[str, str], Path]:
    """``stream(name, release)``: the file of a stream of corpus.toml, captured if it is not cached."""
    entries = declared()

    def of(name: str, release: str) -> Path:
        entry = entries[name]
        reason = unavailable(release)
        if reason is not None:
            missing(reason, release)
        reason = entry.unavailable(release)
        if reason is not None:  # no /dev/kvm here, which nobody can require
            pytest.skip(reason)
        return capture(entry, release)

    return of


@pytest.fixture(scope="session")
def analyzer() -> Callable[[Path, str], dict[str, Any]]:
    """``analyzer(stream, release)``: what that QEMU's own analyzer says of a stream, as JSON."""

    def of(stream: Path, release: str) -> dict[str, Any]:
        try:
            analyzer_script(release)
        except NoAnalyzerError as error:
            missing(str(error), release)
        return analyze(stream, release)

    return of


@pytest.fixture(scope="session")
def stopped(qemu: QemuBinary, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Stopped]:
    """``stopped(release)``: one stopped guest, sent in every shape that the release has."""

    @functools.cache
    def of(release: str) -> Stopped:
        qemu(release)
        return stopped_guest(release, tmp_path_factory.mktemp("stopped"))

    return of


#: Types of the fixtures.
QemuBinary = Callable[[str], str]
Stream = Callable[[str, str], Path]
Analyzer = Callable[[Path, str], dict[str, Any]]
StoppedGuest = Callable[[str], Stopped]


class Vmsgen(Protocol):
    """The ``vmsgen`` fixture: runs the command with these words."""

    def __call__(self, *words: str | Path, code: int = 0) -> str: ...


@pytest.fixture(scope="session")
def vmsgen() -> Vmsgen:
    """``vmsgen(*words, code=0)``: runs the command in a process of its own and returns its stdout.

    The test fails, with what it wrote to stderr, if its exit code is not ``code``.
    """

    def run(*words: str | Path, code: int = 0) -> str:
        command = [sys.executable, "-m", "vmsgen", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{' '.join(command[2:])}: exit code {done.returncode}\n{done.stderr}"
        return done.stdout

    return run
