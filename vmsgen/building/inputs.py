"""Everything that a build is made from, as digests: where they are the same, there is nothing to build.

No parsing, no template engine: to find that there is nothing to do takes as long as reading the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import vmsgen
from vmsgen.building.publish import intact
from vmsgen.settings import LOCK, Project, shipped_specs, shipped_templates

#: Packages of vmsgen that decide what is generated.
_TOOL = ("building", "diagnostics", "emit", "spec")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a build reads. The lock of the tags is not in it, because a build changes it: see :meth:`with_lock`.

    ``world`` stands for all that every generated file depends on: vmsgen, the templates, the shipped specs, the name
    of the folder. ``specs``: sha256 in hex of each file in the folder of the specs, by its path there.
    """

    world: str
    specs: Mapping[str, str]

    def with_lock(self, lock: bytes) -> str:
        """One digest of everything, with the lock as the build leaves it, which is how the next one finds it."""
        lines = [self.world, *(f"{path}\0{digest}" for path, digest in sorted(self.specs.items()))]
        return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape") + b"\0" + lock).hexdigest()


def unchanged(project: Project, inputs: Inputs) -> int | None:
    """The number of generated files, if each is as the last build wrote it and that build would do the same again.

    None if anything is different, or if that build had findings, which are to be said again. Raises OSError.
    """
    return intact(project.output, inputs.with_lock(_read(project.specs / LOCK)))


def read_inputs(project: Project) -> Inputs:
    """The specs and hooks of a project, the library's, the templates, and vmsgen itself. Raises OSError."""
    world = hashlib.sha256(vmsgen.__version__.encode())
    package = Path(vmsgen.__file__).resolve().parent
    folders: dict[str, tuple[Path, list[Path]]] = {
        "tool": (package, [package / name for name in _TOOL]),
        "templates": (shipped_templates(), [shipped_templates()]),
    }
    if project.templates is not None:
        folders["own templates"] = (project.templates, [project.templates])
        world.update(_formatter().encode())  # what these templates print goes through it
    if not project.is_library and (library := shipped_specs()) is not None:
        folders["library"] = (library, [library])
    for name, (root, places) in folders.items():
        world.update(f"\0{name}\0".encode())
        for path, digest in sorted(item for place in places for item in _digests(root, place)):
            world.update(f"{path}\0{digest}\n".encode(errors="surrogateescape"))
    world.update(f"\0{project.specs.name}".encode(errors="surrogateescape"))  # generated text names the folder
    specs = dict(_digests(project.specs, project.specs))
    specs.pop(LOCK, None)
    return Inputs(world.hexdigest(), specs)


def _formatter() -> str:
    from importlib.metadata import version

    return f"black {version('black')}"


def _digests(root: Path, place: Path) -> Iterator[tuple[str, str]]:
    """The files below a folder, hidden ones and caches left out, or the file itself; by their paths from ``root``."""
    for path in [place] if place.is_file() else place.rglob("*"):
        parts = path.relative_to(place).parts
        if not any(part.startswith((".", "__pycache__")) for part in parts) and path.is_file():
            yield path.relative_to(root).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
