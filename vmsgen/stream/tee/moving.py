"""Bytes moved from a pipe or socket to where they go, and doubled for the decoder, without being copied: the kernel
hands on its pages (splice and tee of Linux).
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import select
import stat
from collections.abc import Callable

from vmsgen.stream.transport.descriptors import until_ready, widen_pipe

__all__ = ["Moving", "double"]

_AT_ONCE = 1 << 20
_NONBLOCK = 2  # SPLICE_F_NONBLOCK
_IMPOSSIBLE = (errno.EINVAL, errno.ENOSYS, errno.EBADF)


@functools.cache
def _tee() -> Callable[[int, int, int, int], int] | None:
    try:
        function = ctypes.CDLL(None, use_errno=True).tee
    except (OSError, AttributeError):
        return None
    function.restype = ctypes.c_ssize_t
    function.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_size_t, ctypes.c_uint)
    return function


def double(pipe: int, other: int, size: int) -> int:
    """Puts up to ``size`` bytes of what is in a pipe into another one as well, and returns how many; never waits.
    Raises OSError.
    """
    function = _tee()
    if function is None:
        return 0
    number = function(pipe, other, size, _NONBLOCK)
    if number < 0:
        code = ctypes.get_errno()
        if code in (errno.EAGAIN, errno.EINTR):
            return 0
        raise OSError(code, os.strerror(code))
    return number


class Moving:
    """What comes from ``source`` stands in ``pipe`` in between; close it after use."""

    def __init__(self, source: int) -> None:
        self._source = source
        self.pipe, self._inlet = os.pipe()
        widen_pipe(self.pipe)

    @staticmethod
    def possible(descriptor: int | None) -> bool:
        """Whether what comes from there can be moved."""
        if descriptor is None or not hasattr(os, "splice"):
            return False
        mode = os.fstat(descriptor).st_mode
        return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)

    def take(self) -> int:
        """Waits for bytes, and returns how many are in the pipe then; 0 at the end. Raises OSError."""
        while True:
            try:
                return os.splice(self._source, self._inlet, _AT_ONCE)
            except BlockingIOError:
                until_ready(self._source, select.POLLIN)

    def hand_on(self, target: int, size: int, taken: Callable[[int], None]) -> int:
        """Moves ``size`` bytes of the pipe to a file, and tells how many were taken each time. Returns how many are
        left in the pipe because that is not possible for this kind of file. Raises OSError.
        """
        while size:
            counts: list[int] = []
            try:
                # the count is there before a signal that cut it short can raise
                counts.extend(map(os.splice, (self.pipe,), (target,), (size,)))
            except BlockingIOError:
                until_ready(target, select.POLLOUT)
            except OSError as error:
                if error.errno in _IMPOSSIBLE:
                    break
                raise
            finally:
                for count in counts:
                    size -= count
                    taken(count)
        return size

    def close(self) -> None:
        """Closes the pipe."""
        os.close(self.pipe)
        os.close(self._inlet)
