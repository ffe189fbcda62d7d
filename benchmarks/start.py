"""How fast ``vmsgen`` answers: against an interpreter that does nothing, and on small streams."""

from __future__ import annotations

import lzma
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.captured import captured
from benchmarks.measure import Row, by_turns, command, row

_CLONE = Path(__file__).parents[1]
_SAMPLE = _CLONE / "examples" / "sample.mig.xz"
_NOTHING = "python -c pass"


def rows() -> Iterator[Row]:
    """``--version``, and ``show`` of the sample and of a q35 (where one was captured)."""
    vmsgen = [sys.executable, "-m", "vmsgen"]
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "sample.mig"
        sample.write_bytes(lzma.decompress(_SAMPLE.read_bytes()))
        streams = {"show of the sample": sample}
        if (q35 := captured("q35-7.2")) is not None:
            streams["show of a q35 (pc-q35-7.2)"] = q35
        contestants = {
            _NOTHING: command([sys.executable, "-c", "pass"], folder=_CLONE),
            "--version": command([*vmsgen, "--version"], folder=_CLONE),
            **{name: command([*vmsgen, "show", str(path)], folder=_CLONE) for name, path in streams.items()},
        }
        runs = by_turns(contestants, rounds=11)
    yield row("--version", runs, "--version", _NOTHING, aim=3)
    for name in streams:
        yield row(name, runs, name, _NOTHING, aim=0.3, judged="seconds")
