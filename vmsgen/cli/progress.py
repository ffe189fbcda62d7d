"""Progress on a terminal: how much of an input was read, how fast, and how long the rest will take.

A thread looks at the source now and then, so reading itself knows nothing of it. Nothing is shown where stderr is no
terminal, nor of what is done in a moment.
"""

from __future__ import annotations

import contextlib
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading

__all__ = ["Watched", "progress", "progress_line"]

_FIRST, _EVERY = 1.0, 0.5  # seconds
_SAMPLES = 10
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_ERASE = "\r\x1b[K"


class Watched(Protocol):
    """What is read: how far, and how much there is of it (None: nobody knows)."""

    @property
    def offset(self) -> int: ...

    @property
    def length(self) -> int | None: ...


@contextlib.contextmanager
def progress(*sources: Watched, quiet: bool = False) -> Iterator[None]:
    """Shows how far the sources were read, as long as it is entered."""
    if quiet or not _is_terminal():
        yield
        return
    import threading

    done = threading.Event()
    thread = threading.Thread(target=_show, args=(sources, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def progress_line(read: int, size: int | None, rate: float) -> str:
    """What is shown: bytes read, of how many (None: nobody knows), and bytes in a second."""
    text = _bytes(read) if size is None else f"{_bytes(read)} of {_bytes(size)}"
    text += f", {_bytes(rate)}/s"
    if size is not None and rate > 0:
        text += f", {_time(max(size - read, 0) / rate)} left"
    return text


def _show(sources: Sequence[Watched], done: threading.Event) -> None:
    import time

    samples: deque[tuple[float, int]] = deque(maxlen=_SAMPLES)
    samples.append((time.monotonic(), 0))
    wait = _FIRST
    # a terminal that is gone, or an input that cannot be asked, ends the showing and nothing else
    with contextlib.suppress(OSError, ValueError):
        while not done.wait(wait):
            wait = _EVERY
            now, read = time.monotonic(), sum(source.offset for source in sources)
            before, there = samples[0]
            samples.append((now, read))
            rate = max(read - there, 0) / max(now - before, 1e-9)
            _say(_ERASE + progress_line(read, _length(sources), rate))
        if len(samples) > 1:
            _say(_ERASE)


def _length(sources: Sequence[Watched]) -> int | None:
    total = 0
    for source in sources:
        length = source.length
        if length is None:
            return None
        total += length
    return total


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _is_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False


def _bytes(number: float) -> str:
    unit = 0
    while number >= 1024 and unit < len(_UNITS) - 1:
        number /= 1024
        unit += 1
    return f"{number:.1f} {_UNITS[unit]}" if unit else f"{number:.0f} {_UNITS[unit]}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest} s"
