"""Streams of real guests, as ``python -m tests.qemu.capture`` leaves them; none is in the repository."""

from __future__ import annotations

import os
import re
from pathlib import Path


def captured(name: str) -> Path | None:
    """The stream of that name, of the newest release that has one; None if there is none.

    Streams stand below ``VMSGEN_BENCH_STREAMS`` if that is set, else in the cache of the tests, in folders by release:
    ``10.0/q35-7.2.mig``, or with the key that the cache adds, ``10.0/q35-7.2-a499b3f307a8.mig``.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vmsgen-tests"
    cache = Path(os.environ.get("VMSGEN_TEST_CACHE") or cache) / "streams"
    folder = Path(os.environ.get("VMSGEN_BENCH_STREAMS") or cache)
    pattern = re.compile(rf"{re.escape(name)}(-[0-9a-f]{{12}})?\.mig")
    return max((path for path in folder.glob("*/*.mig") if pattern.fullmatch(path.name)), key=_release, default=None)


def _release(path: Path) -> tuple[tuple[int, ...], float]:
    """Release, then time: what is larger is newer."""
    numbers = re.findall(r"\d+", path.parent.name)
    return tuple(map(int, numbers)), path.stat().st_mtime
