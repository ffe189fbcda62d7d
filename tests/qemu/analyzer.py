"""QEMU's own analyzer of migration streams (scripts/analyze-migration.py), as a judge.

It is GPL and never part of this repository: it comes out of Debian's source package of QEMU, into
the cache folder; the mirror is the one that apt is configured for. Each release's streams are read
by its own script: that of 7.2 drops all but the last element of arrays which 10.0 describes one by
one, since 10.0 leaves out the ``index`` of the last.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from tests.qemu.assets import cache_folder, publish

#: The member of the source package that is wanted, below its top folder.
SCRIPT = "scripts/analyze-migration.py"

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class NoAnalyzerError(Exception):
    """The script cannot be fetched here; the text says why."""


def analyzer_script(release: str) -> Path:
    """The path, in the cache, of the script that reads a release's streams; fetched once.

    5.2's streams are read by the script of 7.2, which knows no less. Raises NoAnalyzerError.
    """
    source = "10.0" if release == "10.0" else "7.2"
    path = cache_folder() / f"analyze-migration-{source}.py"
    if not path.exists():
        publish(path, _fetched("bookworm-backports" if source == "10.0" else "bookworm"))
    return path


def _fetched(suite: str) -> bytes:
    if shutil.which("apt-get") is None:
        raise NoAnalyzerError("apt-get is not installed")
    with tempfile.TemporaryDirectory(prefix="vmsgen-source") as work:
        folder = Path(work)
        apt = ["apt-get", "-q", *_source_options(folder, suite)]
        for command in ([*apt, "update"], [*apt, "source", "--download-only", "--tar-only", "qemu"]):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                said = (done.stderr.strip() or done.stdout.strip()).splitlines()
                raise NoAnalyzerError(f"{' '.join(command[-2:])}: {said[-1] if said else done.returncode}")
        for ball in folder.glob("*.orig.tar.*"):
            with tarfile.open(ball) as archive:
                for member in archive:
                    if member.name.partition("/")[2] == SCRIPT:
                        taken = archive.extractfile(member)
                        assert taken is not None, "a regular file"
                        return taken.read()
    raise NoAnalyzerError(f"no {SCRIPT} in Debian's source package")


def _source_options(folder: Path, suite: str) -> list[str]:
    """Options with which apt reads the source packages of a suite from the mirror it is configured for."""
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Component: main"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    mirrors = [uri for uri in targets if uri.rstrip("/").endswith("/debian")]
    if not mirrors:
        raise NoAnalyzerError("no Debian mirror in apt's configuration")
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    sources, lists = folder / "sources.list", folder / "lists"
    sources.write_text(f"deb-src {signed}{mirrors[0]} {suite} main\n", encoding="utf-8")
    (lists / "partial").mkdir(parents=True)
    return [
        *("-o", f"Dir::Etc::SourceList={sources}", "-o", "Dir::Etc::SourceParts=-", "-o", f"Dir::State::Lists={lists}"),
        *("-o", f"Dir::Cache={folder}", "-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=1"),
    ]


def analyze(stream: Path, release: str) -> dict[str, Any]:
    """What the release's analyzer prints of a stream, as JSON: section name -> tree of leaves in hex text.

    Raises subprocess.CalledProcessError, with its words, where the script cannot read the stream.
    """
    command = [sys.executable, str(analyzer_script(release)), "-f", str(stream), "-d", "state"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result
