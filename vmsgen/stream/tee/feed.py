"""What was copied, on its way to the decoder: through a pipe, before which a bounded part of the stream may wait.

Nothing here waits for the decoder while the stream is on its way, so one that is slow, stands still or dies holds up
nobody. It must see every byte to stay in step: once the bound is exceeded it is given nothing any more.
"""

from __future__ import annotations

import os
import select
import time
from collections import deque
from collections.abc import Callable

from vmsgen.stream.tee.moving import double

__all__ = ["Feed"]

_OVERHEAD = 128  # bytes of memory that a piece takes beside its contents
_PATIENCE = 10.0  # seconds


class Feed:
    """Writes pieces to ``descriptor``, which it closes. ``limit`` bytes may wait; if that is not enough,
    ``fell_behind`` is called, ``behind`` is set and all is over, where ``patient`` only if the decoder takes nothing
    for some seconds. ``over``: nothing is taken any more, because of that or because the decoder is gone.
    """

    def __init__(
        self, descriptor: int, limit: int, fell_behind: Callable[[], None] = lambda: None, *, patient: bool = False
    ) -> None:
        self._descriptor = descriptor
        self._limit = limit
        self._fell_behind = fell_behind
        self._patient = patient
        self._pieces: deque[memoryview] = deque()
        self._waiting = 0
        self.behind = False
        self.over = False
        os.set_blocking(descriptor, False)

    def give(self, piece: memoryview) -> None:
        """Takes a piece; what cannot be written at once is copied. Never fails."""
        self._feed()
        if not self._pieces:
            piece = piece[self._write(piece) :]
        if self.over or not piece:
            return
        size = len(piece) + _OVERHEAD
        while self._waiting and self._waiting + size > self._limit:
            before = self._waiting
            if self._patient:
                self._wait(_PATIENCE)
            if self.over or self._waiting == before:
                break
        if self._waiting and self._waiting + size > self._limit and not self.over:
            self.behind = True
            self._fell_behind()
            self._close()
        if not self.over:
            self._pieces.append(memoryview(bytes(piece)))
            self._waiting += size

    def double(self, pipe: int, size: int) -> int:
        """Takes up to ``size`` bytes of what is in a pipe, where they stay; returns how many of them need not be given
        any more. Never fails.
        """
        self._feed()
        if self._pieces:
            return 0
        if not self.over:
            try:
                return double(pipe, self._descriptor, size)
            except OSError:
                self._close()
        return size

    def until_ready(self, descriptor: int | None, event: int) -> None:
        """Feeds what waits while the stream does, until ``descriptor`` is ready to be read or written."""
        while self._pieces and descriptor is not None:
            both = select.poll()
            both.register(descriptor, event)
            both.register(self._descriptor, select.POLLOUT)
            ready = [each for each, _ in both.poll()]
            self._feed()
            if descriptor in ready:
                return

    def end(self, seconds: float | None = None) -> None:
        """Nothing comes any more: the decoder gets what waits, for which it has some seconds (None: all its time), and
        sees the end.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while self._pieces and (deadline is None or time.monotonic() < deadline):
            self._wait(None if deadline is None else deadline - time.monotonic())
        self._close()

    def _wait(self, seconds: float | None) -> None:
        """Waits until the decoder takes something, and gives it."""
        taking = select.poll()
        taking.register(self._descriptor, select.POLLOUT)
        taking.poll(None if seconds is None else max(0.0, seconds) * 1000)
        self._feed()

    def _feed(self) -> None:
        """Writes what waits, as far as it is taken."""
        while self._pieces:
            piece = self._pieces[0]
            written = self._write(piece)
            if not self._pieces:
                return
            if written < len(piece):
                self._pieces[0] = piece[written:]
                self._waiting -= written
                return
            self._pieces.popleft()
            self._waiting -= written + _OVERHEAD

    def _write(self, data: memoryview) -> int:
        """How much was taken; where nobody takes anything any more, all is over."""
        if self.over:
            return 0
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0
        except OSError:
            self._close()
            return 0

    def _close(self) -> None:
        self._pieces.clear()
        self._waiting = 0
        if not self.over:
            self.over = True
            os.close(self._descriptor)
