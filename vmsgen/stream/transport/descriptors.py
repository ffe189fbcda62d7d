"""What the system can do with files, pipes and sockets besides reading and writing them."""

from __future__ import annotations

import errno
import os
import select
import stat

__all__ = ["descriptor_of", "hole_size", "until_ready", "widen_pipe"]


def widen_pipe(descriptor: int) -> None:
    """Asks for a pipe buffer of 1 MiB, which makes bulk data about as fast as a file; does nothing for other files."""
    try:
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            import fcntl

            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, 1 << 20)
    except (OSError, ImportError, AttributeError):
        # A matter of speed alone: an unprivileged process may be over its share of pipe memory.
        return


def until_ready(raw: object, event: int) -> None:
    """Waits where somebody else has made a pipe or socket such that reading or writing does not wait."""
    descriptor = raw if isinstance(raw, int) else descriptor_of(raw)
    if descriptor is None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    waiting = select.poll()
    waiting.register(descriptor, event)
    waiting.poll()


def hole_size(descriptor: int, position: int, limit: int, unit: int) -> int:
    """Bytes of a hole of a sparse file from a position on: a multiple of ``unit``, and at most ``limit``."""
    return max(min(_data_from(descriptor, position) - position, limit) // unit * unit, 0)


def _data_from(descriptor: int, position: int) -> int:
    """Where the first bytes after a position stand that are no hole; the position itself if that cannot be told."""
    if not hasattr(os, "SEEK_DATA"):
        return position
    before = os.lseek(descriptor, 0, os.SEEK_CUR)  # others may read on from there
    try:
        return os.lseek(descriptor, position, os.SEEK_DATA)
    except OSError as error:
        return os.fstat(descriptor).st_size if error.errno == errno.ENXIO else position
    finally:
        os.lseek(descriptor, before, os.SEEK_SET)


def descriptor_of(raw: object) -> int | None:
    """File descriptor below ``raw`` if it has one."""
    fileno = getattr(raw, "fileno", None)
    if fileno is None:
        return None
    try:
        return int(fileno())
    except (OSError, ValueError):
        return None
