"""What the receiver says to the sender: the return path, over the same connections in the other direction.

A process of its own copies it, so that neither direction waits for the other. It has both connections open as well, and
so must not outlive the copying: it ends with the receiver's last word, or when the pipe is closed whose other end only
its parent has.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import select
import signal
import socket
import time
from types import TracebackType
from typing import NoReturn

from vmsgen.stream.transport.sink import ByteSink
from vmsgen.stream.transport.source import ByteSource

__all__ = ["Answers"]

_PIECE = 1 << 16
_FAREWELL = 5.0  # seconds
_CUT = 1
_MOST_FILES = 1 << 16


class Answers:
    """Use it around what opens and closes both connections: at the end there may still be something to be said."""

    def __init__(self) -> None:
        self._child = 0
        self._alive = -1
        self._receiver: str | None = None

    def start(self, sink: ByteSink, source: ByteSource) -> None:
        """Copies from the socket of the one to that of the other. Raises OSError."""
        receiver, sender = sink.descriptor, source.descriptor
        assert receiver is not None and sender is not None, "no sockets"
        self._receiver = sink.name
        ours, self._alive = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            os.close(self._alive)
            _run(receiver, sender, ours)
        os.close(ours)

    def _end(self, seconds: float) -> int | None:
        """Lets it speak for some seconds, and ends it; its exit code if it came to its end."""
        deadline = time.monotonic() + seconds
        pid, status = os.waitpid(self._child, os.WNOHANG)
        while not pid and time.monotonic() < deadline:
            time.sleep(0.01)
            pid, status = os.waitpid(self._child, os.WNOHANG)
        os.close(self._alive)
        if pid:
            return os.waitstatus_to_exitcode(status)
        os.kill(self._child, signal.SIGKILL)
        os.waitpid(self._child, 0)
        return None

    def __enter__(self) -> Answers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child:
            code = self._end(_FAREWELL if kind is None else 0.0)
            if code == _CUT and kind is None:
                raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET), self._receiver)


def _run(receiver: int, sender: int, parent: int) -> NoReturn:
    code = 0
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: the parent has it too
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        kept = sorted((2, receiver, sender, parent))
        for low, high in itertools.pairwise([*kept, min(os.sysconf("SC_OPEN_MAX"), _MOST_FILES)]):
            os.closerange(low + 1, high)  # others wait to see them closed
        source, target = socket.socket(fileno=receiver), socket.socket(fileno=sender)
        code = _copy(source, target, parent)
    finally:
        os._exit(code)


def _copy(receiver: socket.socket, sender: socket.socket, parent: int) -> int:
    ready = select.poll()
    ready.register(receiver, select.POLLIN)
    ready.register(parent, select.POLLIN)
    while True:
        if parent in [descriptor for descriptor, _ in ready.poll()]:
            return 0
        try:
            piece = receiver.recv(_PIECE)
        except ConnectionError:
            return _CUT
        if not piece:
            break
        try:
            sender.sendall(piece)
        except OSError:
            continue  # the sender does not listen (any more); the receiver's end is still of interest
    with contextlib.suppress(OSError):
        sender.shutdown(socket.SHUT_WR)
    return 0
