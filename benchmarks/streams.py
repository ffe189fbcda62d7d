"""Reading all device state of streams, against QEMU's analyzer.

``python -m benchmarks.streams STREAM_OR_FOLDER... --analyzer PATH`` takes the streams that are smaller than ``--below``
and that the analyzer reads to their end without an error, and prints how long both take:

* each stream in a process of its own, which is how the analyzer is run; ours in such processes, and in one for all;
* all of them in one process on both sides, the analyzer imported from its path (``benchmarks/reading.py``).

Reading is ``vmsgen.open``: every section typed, with every check, and proved to be written as it was read. The analyzer
also prints what it read where it is a process; where it is imported it does not. Memory is that of a whole process, the
part of it that a bare interpreter does not have, and what a reading allocates when everything is imported.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from benchmarks.captured import captured
from benchmarks.measure import Contestant, Cost, Row, by_turns, calls, command, machine, row, table, write_json
from benchmarks.records import write_stream

_CLONE = Path(__file__).parents[1]
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vmsgen-tests"
_AIM = 0.05
_LINEAR = 4.2
_ONE = "import sys, vmsgen; vmsgen.open(sys.argv[1])"


@dataclass(frozen=True, slots=True)
class Memory:
    """Peaks in MiB, of ours and of the analyzer."""

    what: str
    ours: float
    theirs: float

    def line(self) -> str:
        """For people."""
        return f"{self.what}: {self.ours:.1f} MiB, analyzer {self.theirs:.1f} MiB, ratio {self.ours / self.theirs:.3g}"


def each(commands: Sequence[Sequence[str]]) -> Contestant:
    """A process after the other: their times together, the largest one's memory."""
    contestants = [command(words, folder=_CLONE) for words in commands]

    def run() -> Cost:
        costs = [contestant() for contestant in contestants]
        return Cost(
            sum(cost.seconds for cost in costs), sum(cost.cpu for cost in costs), max(cost.peak_mib for cost in costs)
        )

    return run


def analyzed(analyzer: Path, path: Path) -> bool:
    """Whether the analyzer reads a stream to its end."""
    words = [sys.executable, str(analyzer), "-f", str(path)]
    return subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def compared(what: str, paths: Sequence[Path], analyzer: Path, rounds: int) -> tuple[list[Row], list[Memory]]:
    """Both on the same streams."""
    names = [str(path.resolve()) for path in paths]
    python = sys.executable
    reading = [python, "-m", "benchmarks.reading"]
    contestants = {
        "analyzer, a process each": each([[python, str(analyzer), "-f", name] for name in names]),
        "a process each": each([[python, "-c", _ONE, name] for name in names]),
        "one process": command([*reading, *names], folder=_CLONE),
        "analyzer, one process": command([*reading, "--analyzer", str(analyzer), *names], folder=_CLONE),
    }
    runs = by_turns(contestants, rounds=rounds)
    rows = [
        row(f"{what}, a process each", runs, "a process each", "analyzer, a process each", aim=_AIM),
        row(f"{what}, one process", runs, "one process", "analyzer, a process each", aim=_AIM),
        row(f"{what}, one process on both sides", runs, "one process", "analyzer, one process", aim=_AIM),
    ]
    peak = {name: max(cost.peak_mib for cost in costs) for name, costs in runs.items()}
    bare = bare_interpreter()
    theirs = peak["analyzer, a process each"]
    memory = [
        Memory(f"{what}, largest process", peak["a process each"], theirs),
        Memory(f"{what}, above a bare interpreter ({bare:.1f} MiB)", peak["a process each"] - bare, theirs - bare),
        Memory(f"{what}, one process for all", peak["one process"], theirs),
        Memory(
            f"{what}, allocated by a reading",
            *(traced([*reading, *more, "--traced", *names]) for more in ([], ["--analyzer", str(analyzer)])),
        ),
    ]
    return rows, memory


def bare_interpreter() -> float:
    """The most memory that a Python without anything to do has, in MiB, as Linux says it to that process itself: what
    its parent is told is at least what that has.
    """
    code = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    return int(subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout) / 1024


def traced(words: Sequence[str]) -> float:
    """What ``benchmarks.reading --traced`` says, in MiB."""
    return int(subprocess.run(words, stdout=subprocess.PIPE, check=True, cwd=_CLONE).stdout) / (1 << 20)


def grown(folder: Path, rounds: int) -> Iterator[Row]:
    """Synthetic streams of three sizes, each of four times as many records as the one before it, read in this process:
    what four times the records cost.
    """
    import vmsgen

    for kind in ("htab", "structs"):
        paths = [write_stream(folder / f"{kind}-{count}.mig", kind, count) for count in (20_000, 80_000, 320_000)]
        runs = by_turns({path.stem: calls(partial(vmsgen.open, path)) for path in paths}, rounds=rounds)
        yield row(paths[0].stem, runs, paths[0].stem)
        for smaller, larger in pairwise(paths):
            yield row(larger.stem, runs, larger.stem, smaller.stem, aim=_LINEAR)
        for path in paths:
            path.unlink()


def rows() -> Iterator[Row]:
    """A captured pseries stream and the analyzer that the tests keep; nothing where one of them is missing."""
    analyzer, stream = _CACHE / "analyze-migration-10.0.py", captured("pseries-slof")
    if analyzer.is_file() and stream is not None:
        yield from compared("pseries", [stream], analyzer, 5)[0]


def taken(places: Sequence[Path], below: int) -> list[Path]:
    """The streams that are named, and of folders those that are small enough."""
    found = []
    for place in places:
        inside = sorted(place.rglob("*.mig")) if place.is_dir() else [place]
        found += [path for path in inside if path == place or path.stat().st_size < below]
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("streams", nargs="*", type=Path, help="streams, and folders of them")
    parser.add_argument("--analyzer", type=Path, help="scripts/analyze-migration.py of QEMU's source")
    parser.add_argument("--below", type=int, default=1 << 20, help="bytes of a folder's streams [%(default)s]")
    parser.add_argument("--rounds", type=int, default=5, help="of which the medians are taken [%(default)s]")
    parser.add_argument("--grown", type=Path, metavar="FOLDER", help="also synthetic streams of three sizes")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    arguments = parser.parse_args()
    if arguments.streams and arguments.analyzer is None:
        parser.error("streams are read by QEMU's analyzer too, so --analyzer is needed")
    # an installed vmsgen has its bytecode; that of a clone is written by the first run
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    print(", ".join(f"{key} {value}" for key, value in machine().items()), flush=True)
    rows: list[Row] = []
    memory: list[Memory] = []
    if arguments.streams:
        paths = taken(arguments.streams, arguments.below)
        read = [path for path in paths if analyzed(arguments.analyzer, path)]
        print(f"{len(paths)} streams; the analyzer reads {len(read)} of them, which are compared", flush=True)
        what = read[0].stem if len(read) == 1 else f"{len(read)} streams"
        rows, memory = compared(what, read, arguments.analyzer, arguments.rounds)
    if arguments.grown is not None:
        rows += grown(arguments.grown, arguments.rounds)
    print()
    print(table(rows))
    print()
    for each_of in memory:
        print(each_of.line())
    if arguments.json is not None:
        write_json(arguments.json, rows)
        told = json.loads(arguments.json.read_text())
        arguments.json.write_text(json.dumps({**told, "memory": [asdict(one) for one in memory]}, indent=1) + "\n")


if __name__ == "__main__":
    main()
