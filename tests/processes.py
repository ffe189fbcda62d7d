"""Programs that a test starts and goes on beside."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

__all__ = ["started"]


@contextlib.contextmanager
def started(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """``subprocess.Popen``, with an end: what is still running when its test has failed would else be waited for.

    Raises TimeoutExpired if it does not end within two minutes of a test that went well.
    """
    process = subprocess.Popen(command, **options)
    try:
        with contextlib.ExitStack() as pipes:
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipes.enter_context(pipe)
            yield process
        process.wait(120)
    finally:
        process.kill()
        process.wait()
