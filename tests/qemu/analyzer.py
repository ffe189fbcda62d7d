"""QEMU's own analyzer of migration streams (scripts/analyze-migration.py), as a judge.

It is GPL and never part of this repository: it comes out of Debian's source package of QEMU, into
the cache folder. Debian's tar balls are found through apt's own configuration.
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


def analyzer_script() -> Path:
    """The script's path in the cache; fetched once. Raises NoAnalyzerError."""
    path = cache_folder() / "analyze-migration.py"
    if not path.exists():
        publish(path, _fetched())
    return path


def _fetched() -> bytes:
    if shutil.which("apt-get") is None:
        raise NoAnalyzerError("apt-get is not installed")
    with tempfile.TemporaryDirectory(prefix="vmsgen-source") as work:
        folder = Path(work)
        apt = ["apt-get", "-q", *_source_options(folder)]
        for command in ([*apt, "update"], [*apt, "source", "--download-only", "qemu"]):
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


def _source_options(folder: Path) -> list[str]:
    """Options with which apt reads source packages from the mirror it is configured for."""
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    lines = set()
    for target in targets:
        uri, _, release = target.partition(" ")
        # (the main archive's first suite: updates, security and backports have names with a dash)
        if uri.rstrip("/").endswith("/debian") and "-" not in release:
            lines.add(f"deb-src {signed}{uri} {release} main\n")
    if not lines:
        raise NoAnalyzerError("no Debian mirror in apt's configuration")
    sources, lists = folder / "sources.list", folder / "lists"
    sources.write_text("".join(sorted(lines)), encoding="utf-8")
    (lists / "partial").mkdir(parents=True)
    return [
        *("-o", f"Dir::Etc::SourceList={sources}", "-o", "Dir::Etc::SourceParts=-", "-o", f"Dir::State::Lists={lists}"),
        *("-o", f"Dir::Cache={folder}", "-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=1"),
    ]


def analyze(stream: Path) -> dict[str, Any]:
    """What the analyzer prints of a stream, as JSON: section name -> tree of leaves in hex text.

    Raises subprocess.CalledProcessError, with its words, where the script cannot read the stream.
    """
    command = [sys.executable, str(analyzer_script()), "-f", str(stream), "-d", "state"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result
