"""Waiting until something changes that a build reads: by looking at the times of files, again and again.

No service of an operating system is needed, and network and container file systems work the same. A look at the 700
files of the library takes some milliseconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from vmsgen.settings import Project, shipped_specs, shipped_templates

#: Seconds between two looks, and how long files must be left alone before it is said that they changed.
INTERVAL = 0.3
SETTLED = 0.1

#: Path -> time of the last change, size, and number of the file (an editor may put another one in its place).
_Seen = dict[str, tuple[int, int, int]]


def changes(project: Project, sleep: Callable[[float], object] = time.sleep) -> Iterator[None]:
    """Yields once, and again each time when specs, hooks, the lock or templates have changed; never ends.

    What changes while the caller is at work is yielded after that.
    """
    folders = {project.specs, project.templates, shipped_templates(), shipped_specs()} - {None}
    seen = _look(folders)
    yield
    while True:
        sleep(INTERVAL)
        found = _look(folders)
        if found == seen:
            continue
        while True:  # (a branch that is checked out changes many files)
            sleep(SETTLED)
            seen, found = found, _look(folders)
            if found == seen:
                break
        yield


def _look(folders: set[Path | None]) -> _Seen:
    seen: _Seen = {}
    waiting = [os.fspath(folder) for folder in folders if folder is not None]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.name.startswith((".", "__pycache__")):
                        continue
                    if entry.is_dir():
                        waiting.append(entry.path)
                    else:
                        status = entry.stat()
                        seen[entry.path] = (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:  # it went away meanwhile, which the next look shows
            continue
    return seen
