"""Everything that a build is made from, as one digest: where it is the same, there is nothing to build.

No parsing, no template engine: to find that there is nothing to do takes as long as reading the files.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import vmsgen
from vmsgen.publish import intact
from vmsgen.settings import LOCK, Project, shipped_specs, shipped_templates

#: Packages and modules of vmsgen that decide what is generated.
_TOOL = ("spec", "emit", "diagnostics", "build.py", "publish.py")


def unchanged(project: Project) -> int | None:
    """The number of generated files, if each is as the last build wrote it and that build would do the same again.

    None if anything is different, or if that build had findings, which are to be said again. Raises OSError.
    """
    return intact(project.output, with_lock(digest_inputs(project), _read(project.specs / LOCK)))


def digest_inputs(project: Project) -> str:
    """sha256 over the specs and hooks of a project, the library's, the templates, and vmsgen itself, in hex.

    The lock of the tags is not in it, because a build changes it: see :func:`with_lock`. Raises OSError.
    """
    total = hashlib.sha256(vmsgen.__version__.encode())
    package = Path(vmsgen.__file__).resolve().parent
    _add(total, "tool", package, [path for name in _TOOL for path in _files(package / name)])
    folders = {"templates": shipped_templates(), "own templates": project.templates}
    if not project.is_library:
        folders["library"] = shipped_specs()
    for name, folder in folders.items():
        if folder is not None:
            _add(total, name, folder, _files(folder))
    # generated text names the folder of the specs
    _add(total, project.specs.name, project.specs, [path for path in _files(project.specs) if path.name != LOCK])
    return total.hexdigest()


def with_lock(inputs: str, lock: bytes) -> str:
    """The digest of the inputs with the lock as the build leaves it, which is how the next one finds it."""
    return hashlib.sha256(inputs.encode() + lock).hexdigest()


def _files(place: Path) -> list[Path]:
    """The files below a folder, hidden ones and caches left out; the file itself if it is one."""
    if place.is_file():
        return [place]
    return [
        path
        for path in place.rglob("*")
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(place).parts)
    ]


def _add(total: hashlib._Hash, name: str, root: Path, files: list[Path]) -> None:
    total.update(f"\0{name}\0".encode(errors="surrogateescape"))
    for path in sorted(files):
        data = path.read_bytes()
        total.update(f"{path.relative_to(root).as_posix()}\0{len(data)}\0".encode(errors="surrogateescape"))
        total.update(data)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
