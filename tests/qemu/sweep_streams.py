"""The streams of a sweep: what a folder of captures holds, and what made each of them.

A folder is a release (``NAME.mig``, ``machine/BINARY-MACHINE.mig``, ``device/TARGET/MODEL.mig`` beside a
``manifest.jsonl`` with a line for every capture), or holds folders of releases. Other channels of a migration are
``NAME.mig.ch1``, ``NAME.mig.ch2`` ...
"""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANIFEST = "manifest.jsonl"


@dataclass(frozen=True)
class Captured:
    """One stream: its file, the release that sent it, its name below the release (``machine/arm-virt-2.6``), the
    command line that made it, and its target (the end of the binary's name: ``mips64el``).
    """

    path: Path
    release: str
    name: str
    argv: tuple[str, ...]
    target: str
    capabilities: tuple[str, ...] = ()

    @property
    def channels(self) -> list[Path]:
        """The files of the other channels."""
        return sorted(self.path.parent.glob(f"{glob.escape(self.path.name)}.ch*"))

    @property
    def folder(self) -> str:
        """``curated``, ``machine`` or ``device``."""
        return self.name.partition("/")[0] if "/" in self.name else "curated"

    @property
    def label(self) -> str:
        """Release and name."""
        return f"{self.release}/{self.name}"

    @property
    def machine(self) -> str:
        """The machine type as the command line says it, without its options; empty if it says none."""
        for option, value in zip(self.argv, self.argv[1:], strict=False):
            if option in ("-M", "-machine"):
                return value.partition(",")[0].removeprefix("type=")
        return ""


def find_streams(folders: Sequence[Path]) -> list[Captured]:
    """Every stream below the folders. Raises OSError, and ValueError for a manifest that is none."""
    found: dict[Path, Captured] = {}
    for folder in folders:
        manifests = sorted(folder.glob(MANIFEST)) or sorted(folder.glob(f"*/{MANIFEST}"))
        if not manifests:
            raise ValueError(f"{folder}: no {MANIFEST} in it or in a folder of it")
        for manifest in manifests:
            found.update((stream.path, stream) for stream in _listed(manifest))
    return sorted(found.values(), key=lambda stream: (stream.release, stream.folder, stream.name))


def _listed(manifest: Path) -> Iterator[Captured]:
    for number, line in enumerate(manifest.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entry: dict[str, Any] = json.loads(line)
            path = manifest.parent / f"{entry['name']}.mig"
            if entry["ok"] and path.is_file():
                argv = tuple(entry["argv"])
                capabilities = tuple(entry.get("caps", ()))
                yield Captured(path, entry["version"], entry["name"], argv, _target(argv[0]), capabilities)
        except (KeyError, IndexError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"{manifest}:{number}: no entry of a manifest: {error!r}") from None


def _target(binary: str) -> str:
    return binary.rpartition("-")[2]
