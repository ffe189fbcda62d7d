"""Captures the migration streams that corpus.toml declares from real QEMUs, and caches them.

    python -m tests.qemu.capture [-j N] [--only REGEX] [--versions 7.2,10.0] [--force] [--list]

Each stream lands in the cache folder as ``streams/RELEASE/NAME-KEY.mig``; the key is a digest of the
declaration and of the binary's full version, so that a changed declaration or an upgraded QEMU
captures anew.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import hashlib
import json
import os
import re
import shlex
import sys
import tempfile
import time
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.qemu.assets import ASSETS_VERSION, asset_folder, cache_folder
from tests.qemu.machine import PREFIXES, QUIET, Qemu, QemuError, full_version, unavailable

CORPUS = Path(__file__).with_name("corpus.toml")


@dataclass(frozen=True)
class Declared:
    """One stream of corpus.toml; the keys are explained there."""

    name: str
    machine: str
    versions: tuple[str, ...] = tuple(PREFIXES)
    memory: str = "64"
    args: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    nodefaults: bool = True
    seconds: float = 0.3
    qmp: tuple[dict[str, Any], ...] = field(default=(), hash=False)
    iterations: int = 0
    kvm: bool = False

    def argv(self, release: str) -> list[str]:
        """The command line of the guest, without QMP and without ``-incoming``."""
        argv = [PREFIXES[release] + "x86_64", "-M", self.machine, "-m", self.memory]
        if self.nodefaults:
            argv.append("-nodefaults")
        argv += [*QUIET, *self.args]
        for device in self.devices:
            argv += ["-device", device]
        assets = str(asset_folder())
        return [word.replace("@A@", assets) for word in argv]

    def destination(self, release: str) -> list[str]:
        """The command line of a guest that can load this stream: what was plugged in at run time stands on it too."""
        argv = self.argv(release)
        for step in self.qmp:
            options = {"device_add": ("-device", "driver"), "object-add": ("-object", "qom-type")}
            option, kind = options[step["execute"]]
            given = dict(step["arguments"])
            argv += [option, ",".join([given.pop(kind), *(f"{key}={value}" for key, value in given.items())])]
        return argv

    def unavailable(self, release: str) -> str | None:
        """Why this stream cannot be captured here, or None if it can."""
        if self.kvm and not os.access("/dev/kvm", os.R_OK | os.W_OK):
            return "/dev/kvm cannot be used"
        return unavailable(release)


def declared(path: Path = CORPUS) -> dict[str, Declared]:
    """The declared streams by name."""
    with path.open("rb") as file:
        entries: list[dict[str, Any]] = tomllib.load(file)["stream"]
    found = {}
    for entry in entries:
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
        found[values["name"]] = Declared(**values)
    return found


def detached(command: str) -> str:
    """The ``exec:`` URI of a migration into a shell command that must read its input to the end.

    QEMU's main loop, and QMP with it, stands still until the child of ``exec:`` has ended, and a
    child whose channel is dropped without being closed is killed, with 10 ms between SIGTERM and
    SIGKILL (io/channel-command.c of 7.2 and 10.0). So the shell that QEMU starts puts the command
    into the background, where QEMU does not know it, and ends; descriptor 3 is needed because a
    background command would read /dev/null.
    """
    return f"exec:exec 3<&0; ({command}) <&3 >/dev/null 2>&1 &"


def into_file(out: Path, through: str = "cat") -> str:
    """The ``exec:`` URI that puts the stream (as ``through`` prints it) into a file.

    The file appears under its name when it is complete: wait for that, not for QEMU.
    """
    part = shlex.quote(f"{out}.part")
    return detached(f"{through} >{part} && mv {part} {shlex.quote(str(out))}")


def migrate(source: Qemu, out: Path, *, through: str = "cat", iterations: int = 0, seconds: float = 90) -> None:
    """Migrates a running guest into a file and waits until it is complete.

    ``iterations`` holds the migration back until RAM has been sent that many times. Raises QemuError.
    """
    bandwidth = {"max-bandwidth": 1 << 22, "downtime-limit": 1} if iterations else {"max-bandwidth": 10**10}
    source.qmp("migrate-set-parameters", **bandwidth)
    source.qmp("migrate", uri=into_file(out, through))
    deadline = time.monotonic() + seconds
    held = iterations > 0
    while not source.migrated():
        rounds = source.qmp("query-migrate").get("ram", {}).get("dirty-sync-count", 0)
        if held and rounds > iterations:
            source.qmp("migrate-set-parameters", **{"max-bandwidth": 10**10, "downtime-limit": 2000})
            held = False
        if time.monotonic() > deadline:
            raise QemuError(f"not migrated after {seconds} s (round {rounds})")
        time.sleep(0.02)
    while not out.exists():
        if time.monotonic() > deadline:
            raise QemuError(f"the writer of {out.name} never ended")
        time.sleep(0.02)


def capture(entry: Declared, release: str, *, force: bool = False) -> Path:
    """The file of a declared stream; made if it is not in the cache. Raises QemuError."""
    described = json.dumps([ASSETS_VERSION, full_version(release), asdict(entry)], sort_keys=True)
    key = hashlib.sha256(described.encode()).hexdigest()[:12]
    out = cache_folder() / "streams" / release / f"{entry.name}-{key}.mig"
    if out.exists() and not force:
        return out
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="vmsgen-capture") as work, contextlib.ExitStack() as stack:
        source = stack.enter_context(Qemu(entry.argv(release), Path(work)))
        time.sleep(entry.seconds)
        for step in entry.qmp:
            source.qmp(step["execute"], **step.get("arguments", {}))
        # (its own folder inside the cache: the rename into place must not cross file systems)
        made = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=out.parent))) / "stream"
        migrate(source, made, iterations=entry.iterations)
        os.replace(made, out)
    return out


def main() -> int:
    """The command line: captures what is missing, one line per stream; exit code 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-j", type=int, default=2, metavar="N", help="so many guests at a time")
    parser.add_argument("--only", default=".", metavar="REGEX", help="streams whose name matches")
    parser.add_argument("--versions", default=",".join(PREFIXES))
    parser.add_argument("--force", action="store_true", help="capture anew what is cached")
    parser.add_argument("--list", action="store_true", help="print the names and end")
    chosen = parser.parse_args()
    todo = [
        (entry, release)
        for entry in declared().values()
        for release in entry.versions
        if release in chosen.versions.split(",") and re.search(chosen.only, entry.name)
    ]
    if chosen.list:
        for entry, release in todo:
            print(f"{release:5} {entry.name:20} {entry.unavailable(release) or ''}".rstrip())
        return 0

    def one(what: tuple[Declared, str]) -> bool:
        entry, release = what
        reason = entry.unavailable(release)
        if reason is not None:
            print(f"skip {release:5} {entry.name:20} {reason}", flush=True)
            return True
        try:
            path = capture(entry, release, force=chosen.force)
        except QemuError as error:
            print(f"FAIL {release:5} {entry.name:20} {error}", flush=True)
            return False
        print(f"ok   {release:5} {entry.name:20} {path.stat().st_size:9} {path}", flush=True)
        return True

    with concurrent.futures.ThreadPoolExecutor(chosen.j) as pool:
        return 0 if all(list(pool.map(one, todo))) else 1


if __name__ == "__main__":
    sys.exit(main())
