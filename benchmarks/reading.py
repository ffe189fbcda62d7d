"""``python -m benchmarks.reading [--analyzer PATH] [--traced] FILE...``: reads the device state of all streams.

One process for all of them: by vmsgen, or by QEMU's analyzer, which is imported from the path given and prints nothing
then. ``--traced`` reads each stream twice and prints the most bytes that the second reading had allocated at once.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path


def by_vmsgen() -> Callable[[str], object]:
    """Reads a stream as a user of the library does: every section typed, checked and proved."""
    import vmsgen

    return vmsgen.open


def by_analyzer(path: Path, first: str) -> Callable[[str], object]:
    """Reads a stream as QEMU's ``scripts/analyze-migration.py`` does, without the printing."""
    spec = importlib.util.spec_from_file_location("analyzer", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # it is a script: importing it runs it, so it is asked for the least that it can do
    before, sys.argv = sys.argv, [str(path), "-d", "desc", "-f", first]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            spec.loader.exec_module(module)
    finally:
        sys.argv = before

    def read(stream: str) -> object:
        dump = module.MigrationDump(stream)
        dump.read()
        return dump

    return read


def traced(read: Callable[[str], object], streams: Sequence[str]) -> int:
    """The most bytes that reading one of the streams takes while it runs, what is imported left out."""
    most = 0
    for stream in streams:
        read(stream)
        tracemalloc.start()
        read(stream)
        most = max(most, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return most


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("streams", nargs="+")
    parser.add_argument("--analyzer", type=Path)
    parser.add_argument("--traced", action="store_true")
    arguments = parser.parse_args()
    streams: list[str] = arguments.streams
    read = by_vmsgen() if arguments.analyzer is None else by_analyzer(arguments.analyzer, streams[0])
    if arguments.traced:
        print(traced(read, streams))
        return
    for stream in streams:
        read(stream)


if __name__ == "__main__":
    main()
