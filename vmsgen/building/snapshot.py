"""What a build leaves for the next one, in ``.vmsgen-cache`` of the project: all that is known of each module.

It may be deleted at any time. A file that is damaged, or that somebody else wrote (one that came with a clone), is not
used: its text is signed with a key in the user's own cache folder. It is JSON; nothing in it is run.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from vmsgen.building.inputs import Inputs
from vmsgen.settings import Project

if TYPE_CHECKING:
    from vmsgen.emit.units import Unit
    from vmsgen.spec.known import Known

FOLDER = ".vmsgen-cache"
_KEY_SIZE = 32


class Record(TypedDict):
    """One module as the last build left it."""

    known: Known
    unit: Unit
    #: sha256 of the files that the module was read from, by their paths in the folder of the specs
    reads: dict[str, str]
    #: digest of its lines in the lock of the tags
    tags: str
    #: it has findings, which are to be said again
    warned: bool


def load_snapshot(project: Project, inputs: Inputs) -> dict[str, Record]:
    """What the last build of this project knew of each module, by its path, in the order of the model.

    Empty if there was none, or if something changed that all modules depend on.
    """
    try:
        signature, _, text = _place(project).read_bytes().partition(b"\n")
        if not hmac.compare_digest(signature, _signature(text, _key())):
            return {}
        found = json.loads(text)
    except (OSError, ValueError, RecursionError):
        return {}
    records: list[Record] = found["records"] if found["world"] == _world(inputs) else []
    return {record["known"]["path"]: record for record in records}


def save_snapshot(project: Project, inputs: Inputs, records: Mapping[str, Record]) -> None:
    """Keeps what is known of each module; where there is no place for it, the next build does without."""
    text = json.dumps({"world": _world(inputs), "records": list(records.values())}, separators=(",", ":")).encode()
    place = _place(project)
    part = place.with_suffix(f".{os.getpid()}.part")
    with contextlib.suppress(OSError):
        if not place.parent.is_dir():
            place.parent.mkdir()
            (place.parent / ".gitignore").write_text("*\n")
        try:
            part.write_bytes(_signature(text, _key()) + b"\n" + text)
            os.replace(part, place)
        finally:
            part.unlink(missing_ok=True)


def _world(inputs: Inputs) -> str:
    """What every record depends on; the programs that vmsgen builds with are part of it."""
    programs = [platform.python_version(), version("black"), version("jinja2"), version("pyyaml")]
    return " ".join([inputs.world, *programs])


def _place(project: Project) -> Path:
    """The file for a project: there is one for each pair of specs and output."""
    folders = "\0".join(os.path.relpath(path, project.root) for path in (project.specs, project.output))
    return project.root / FOLDER / f"build-{hashlib.sha256(os.fsencode(folders)).hexdigest()[:16]}.json"


def _signature(text: bytes, key: bytes) -> bytes:
    return hashlib.blake2b(text, key=key, digest_size=32).hexdigest().encode()


def _key() -> bytes:
    """The key of this user, made when it is needed first. Raises OSError."""
    base = os.environ.get("XDG_CACHE_HOME")
    place = Path(base if base else Path.home() / ".cache") / "vmsgen" / "key"
    try:
        key = place.read_bytes()
    except FileNotFoundError:
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_suffix(f".{os.getpid()}.part")
        key = os.urandom(_KEY_SIZE)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
        os.replace(part, place)
    if len(key) != _KEY_SIZE:
        raise OSError(f"{place} is no key")
    return key
