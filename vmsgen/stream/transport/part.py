"""A file that is being written: it has the name ``NAME.part``, and gets its own when it is whole.

Whoever writes it holds a lock, so that two who write the same file do not mix. A process that was killed leaves no lock
behind, and what it left of the file is overwritten by the next one.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import stat
from collections.abc import Iterator

__all__ = ["PartFile", "named", "scratch_name"]

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@contextlib.contextmanager
def named(place: str | None) -> Iterator[None]:
    """Errors of the system that name no file name this place."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = place
        raise


def scratch_name() -> str:
    """What errors call a temporary file, which has no name itself."""
    import tempfile  # here, because only names are needed of it

    return f"a temporary file in {tempfile.gettempdir()}"


class PartFile:
    """``file`` is open for reading and writing, and empty. Raises OSError; EBUSY where somebody else writes it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._part = f"{self.path}.part"
        self._published = False
        descriptor = self._locked()
        # closing tells of errors too, and must come before the renaming; the lock is held until after it
        self._lock = os.dup(descriptor)
        self.file = io.FileIO(descriptor, "r+b")

    def _locked(self) -> int:
        while True:
            descriptor = os.open(self._part, _FLAGS, 0o666)
            try:
                self._take(descriptor)
                if self._is(descriptor):
                    os.ftruncate(descriptor, 0)
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # it got its name just now: this one is a finished file

    def _take(self, descriptor: int) -> None:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EEXIST, "in the way, and no file", self._part)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(errno.EBUSY, "another process is writing this file", self.path) from None
        except OSError:
            return  # a file system without locks

    def _is(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.lstat(self._part), os.fstat(descriptor))
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Everything was written: errors that the system tells late come now. Raises OSError."""
        with named(self.path):
            self.file.close()

    def publish(self) -> None:
        """Gives the file its name, which may be that of an older one. Raises OSError."""
        self.close()
        os.replace(self._part, self.path)
        self._published = True
        self._release()

    def remove(self) -> None:
        """Leaves nothing of it; does nothing after :meth:`publish`."""
        with contextlib.suppress(OSError):
            self.file.close()
        if self._lock >= 0:
            with contextlib.suppress(OSError):
                if self._is(self._lock):  # and not of the next one who writes
                    os.unlink(self._part)
            self._release()

    def outcome(self, name: str | None) -> str:
        """What became of the file after :meth:`remove`, in a few words; ``name`` is what the user calls it."""
        if self._published:
            return f"{name or self.path} was written"
        return f"{name or self.path} {'is as it was' if os.path.exists(self.path) else 'was not written'}"

    def _release(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
