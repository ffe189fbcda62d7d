"""All or nothing: a set of files is replaced and removed together, or everything is as it was.

New texts are written in full beside their targets' folder first (a full disk shows there, before anything is
touched); then each target is moved away and its successor moved in. Both are renames within one file system. When
one fails, those done are undone in reverse. A process that is killed half way leaves the folder
``.vmsgen-staging``, which the next run removes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = ".vmsgen-staging"


class StagingError(Exception):
    """The files could not be replaced; nothing has changed unless the text says so."""


@dataclass
class _Root:
    """One folder whose files change, held by a lock while they do."""

    path: Path
    descriptor: int
    new: bool

    @property
    def staging(self) -> Path:
        return self.path / FOLDER


@dataclass
class Transaction:
    """Collects what to do; :meth:`commit` does it. Use :func:`transaction`."""

    _roots: dict[Path, _Root] = field(default_factory=dict)
    _writes: list[tuple[_Root, str, bytes]] = field(default_factory=list)
    _removals: list[tuple[_Root, str]] = field(default_factory=list)

    def write(self, folder: Path, name: str, data: bytes) -> None:
        """``folder/name`` becomes ``data``; ``name`` is a relative path with ``/``."""
        self._writes.append((self._root(folder), name, data))

    def remove(self, folder: Path, name: str) -> None:
        """``folder/name`` is deleted, and folders below ``folder`` that this empties."""
        self._removals.append((self._root(folder), name))

    def _root(self, folder: Path) -> _Root:
        if folder not in self._roots:
            new = not folder.exists()
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                raise StagingError(f"{folder}: another vmsgen is writing here") from None
            root = _Root(folder, descriptor, new)
            self._roots[folder] = root
            shutil.rmtree(root.staging, ignore_errors=True)
        return self._roots[folder]

    def commit(self) -> None:
        """Does everything, in the order asked for, removals last. Raises StagingError after undoing what was done."""
        undo: list[tuple[Path, Path | None]] = []
        made: list[Path] = []
        try:
            for root, name, data in self._writes:
                staged = root.staging / "new" / name
                staged.parent.mkdir(parents=True, exist_ok=True)
                try:
                    staged.write_bytes(data)
                except OSError as error:
                    error.filename = root.path / name  # where it was to go
                    raise
            for root, name, _ in self._writes:
                target = root.path / name
                made.extend(_make_parents(target.parent))
                undo.append((target, _move_away(root, name)))
                os.replace(root.staging / "new" / name, target)
            for root, name in self._removals:
                undo.append((root.path / name, _move_away(root, name)))
        except BaseException as error:
            left = _undo(undo, made)
            if left:
                raise StagingError(f"{error}; these could not be put back: {', '.join(map(str, left))}") from error
            if isinstance(error, OSError):
                where = f"{error.filename}: " if error.filename is not None else ""
                raise StagingError(f"{where}{error.strerror}; nothing was changed") from error
            raise
        for root, name in self._removals:
            _remove_empty(root.path / name, root.path)

    def close(self) -> None:
        """Removes what was staged and gives the folders free."""
        for root in self._roots.values():
            shutil.rmtree(root.staging, ignore_errors=True)
            if root.new:
                with contextlib.suppress(OSError):  # something was put there
                    root.path.rmdir()
            os.close(root.descriptor)
        self._roots.clear()


@contextlib.contextmanager
def transaction() -> Iterator[Transaction]:
    """A transaction that cleans up after itself, whether or not it was committed."""
    made = Transaction()
    try:
        yield made
    finally:
        made.close()


def _move_away(root: _Root, name: str) -> Path | None:
    """Where the old file now is; None if there was none."""
    target = root.path / name
    kept = root.staging / "old" / name
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(target, kept)
    except FileNotFoundError:
        return None
    return kept


def _make_parents(folder: Path) -> list[Path]:
    """Makes a folder and those above it; those that were made, outermost first."""
    missing = [folder, *folder.parents]
    missing = missing[: next(i for i, path in enumerate(missing) if path.exists())]
    for path in reversed(missing):
        path.mkdir()
    return missing[::-1]


def _undo(undo: list[tuple[Path, Path | None]], made: list[Path]) -> list[Path]:
    """Puts everything back, last first; gives what could not be."""
    left: list[Path] = []
    for target, kept in reversed(undo):
        try:
            if kept is not None:
                os.replace(kept, target)
            else:
                target.unlink(missing_ok=True)
        except OSError:
            left.append(target)
    for folder in reversed(made):
        with contextlib.suppress(OSError):
            folder.rmdir()
    return left


def _remove_empty(path: Path, root: Path) -> None:
    """Removes the folders above ``path`` that are empty now (caches of Python do not count), up to ``root``."""
    folder = path.parent
    while folder != root:
        try:
            entries = list(folder.iterdir())
        except FileNotFoundError:  # went with another file of it
            folder = folder.parent
            continue
        if any(entry.name != "__pycache__" for entry in entries):
            return
        for entry in entries:
            shutil.rmtree(entry, ignore_errors=True)
        folder.rmdir()
        folder = folder.parent
