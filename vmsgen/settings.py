"""Settings of a project: ``vmsgen.toml``, or ``[tool.vmsgen]`` in ``pyproject.toml``; none are needed.

A project is the first folder, from where one stands upwards, that has settings or a folder ``device-specs``. Paths in
settings are relative to it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vmsgen
from vmsgen.diagnostics.suggest import did_you_mean

SPECS = "device-specs"
LOCK = "tags.lock"  # beside the specs
OUTPUT = "generated"

#: Every key that settings may have, and what it is for.
KEYS = {
    "specs": "folder of the specs",
    "output": "folder of what is generated from them",
    "templates": "folder of templates that replace those of vmsgen, one by one",
}


class SettingsError(Exception):
    """Settings that cannot be used: names the file, the key, and what would be right."""


@dataclass(frozen=True, slots=True)
class Project:
    """Where a build reads and writes. ``specs``, ``output`` and ``templates`` are absolute."""

    root: Path
    specs: Path
    output: Path
    templates: Path | None = None

    @property
    def is_library(self) -> bool:
        """Whether these are the specs that come with vmsgen, in a clone of it."""
        shipped = shipped_specs()
        return shipped is not None and self.specs.is_dir() and self.specs.samefile(shipped)


def shown(project: Project) -> str:
    """The folder of the specs as messages and headers name it: from the project's folder, wherever one stands."""
    if project.specs.is_relative_to(project.root):
        return project.specs.relative_to(project.root).as_posix()
    return project.specs.name


def shipped_specs() -> Path | None:
    """The folder of the specs that come with vmsgen: in the package (a wheel) or beside it (a clone)."""
    package = Path(vmsgen.__file__).resolve().parent
    return next((path for path in (package / "device_specs", package.parent / SPECS) if path.is_dir()), None)


def shipped_templates() -> Path:
    """The folder of the templates that come with vmsgen: in the package (a wheel) or beside it (a clone)."""
    package = Path(vmsgen.__file__).resolve().parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def project(
    start: Path, *, specs: Path | None = None, output: Path | None = None, templates: Path | None = None
) -> Project:
    """The project around ``start``; given paths, relative to ``start``, win over its settings.

    Raises SettingsError for settings that cannot be read, unknown keys, and a folder of specs that is not there.
    """
    start = start.resolve()
    root, table = _find(start)
    found = {key: root / _text(table.get(key), key, root) for key in KEYS if key in table}
    chosen_specs = start / specs if specs is not None else found.get("specs", root / SPECS)
    if not chosen_specs.is_dir():
        raise SettingsError(
            f"{chosen_specs}: no such folder; specs stand in `{SPECS}/`, or where --specs or the settings say"
        )
    return Project(
        root=root,
        specs=chosen_specs.resolve(),
        output=(start / output if output is not None else found.get("output", root / OUTPUT)).resolve(),
        templates=start / templates if templates is not None else found.get("templates"),
    )


def _find(start: Path) -> tuple[Path, dict[str, Any]]:
    """The project's folder and its settings; ``start`` itself, without settings, if there is none."""
    for folder in (start, *start.parents):
        table = _settings(folder)
        if table is not None:
            return folder, table
        if (folder / SPECS).is_dir():
            return folder, {}
    return start, {}


def _settings(folder: Path) -> dict[str, Any] | None:
    own = folder / "vmsgen.toml"
    if own.is_file():
        return _checked(_read(own), own, "")
    shared = folder / "pyproject.toml"
    if shared.is_file():
        table = _read(shared).get("tool", {})
        if isinstance(table, dict) and "vmsgen" in table:
            return _checked(table["vmsgen"], shared, "tool.vmsgen.")
    return None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error


def _checked(table: Any, path: Path, prefix: str) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: `{prefix.rstrip('.')}` must be a table")
    for key in table:
        if key not in KEYS:
            near = did_you_mean(key, KEYS)
            hint = f"did you mean `{near}`?" if near is not None else f"there are {', '.join(KEYS)}"
            raise SettingsError(f"{path}: unknown key `{prefix}{key}`; {hint}")
    return table


def _text(value: Any, key: str, root: Path) -> str:
    """A path; ``specs`` may be a list of one, since a build has one folder of specs."""
    if key == "specs" and isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str) or not value:
        raise SettingsError(f"settings of {root}: `{key}` must be the path of one folder, as text")
    return value
