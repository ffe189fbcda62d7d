"""How fast guest memory goes through ``vmsgen convert`` and ``vmsgen show --memory-map``.

``python -m benchmarks.ram [--sizes 1g,4g] [--analyzer PATH] [--stream FILE] [--json FILE]`` converts streams in both
directions, with a pipe before and behind, by turns with ``cat`` and with a copying loop in Python in the converter's
place. Every check of the converter is made; the time is that of the whole pipeline, with the start of each process. The
map is compared with QEMU's scripts/analyze-migration.py, both on a file.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.guest import Mix, write_stream
from benchmarks.measure import Contestant, Cost, Row, by_turns, command, machine, row, table, write_json

PIPE = 1 << 20
_ROUNDS = 5
_CLONE = Path(__file__).parents[1]
_CAT, _LOOP = "cat", "a loop in Python"
_COPY = """
import os
buffer = memoryview(bytearray(1 << 20))
while size := os.readv(0, [buffer]):
    done = 0
    while done < size:
        done += os.write(1, buffer[done:size])
"""


def environment() -> dict[str, str]:
    """As for a command that is installed: its modules are compiled, and stay so."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(_CLONE)}


def between_pipes(words: list[str], path: Path) -> Contestant:
    """A command between ``cat FILE`` and a reader that throws away what it gets. The time is that of all three,
    processor and memory are the command's own.
    """

    def run() -> Cost:
        begin = time.perf_counter()
        with (
            subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE, pipesize=PIPE) as first,
            subprocess.Popen(
                words, stdin=first.stdout, stdout=subprocess.PIPE, pipesize=PIPE, env=environment()
            ) as middle,
            subprocess.Popen(["cat"], stdin=middle.stdout, stdout=subprocess.DEVNULL) as last,
        ):
            for process in (first, middle):  # only their own readers keep these pipes open
                assert process.stdout is not None
                process.stdout.close()
            _, status, used = os.wait4(middle.pid, 0)
            middle.returncode = os.waitstatus_to_exitcode(status)
            last.wait()
        if middle.returncode:
            raise SystemExit(f"{' '.join(words)}: exit code {middle.returncode}")
        return Cost(time.perf_counter() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)

    return run


def vmsgen(*words: str) -> list[str]:
    """The command line of a command of this clone."""
    return [sys.executable, "-m", "vmsgen", *words]


def conversions(name: str, stream: Path, folder: Path, rounds: int) -> Iterator[Row]:
    """Both directions of a binary stream, against what only copies."""
    ber = folder / "converted.ber"
    subprocess.run(vmsgen("convert", str(stream), str(ber), "--quiet", "--to", "ber"), check=True, env=environment())
    try:
        for to, source in (("ber", stream), ("binary", ber)):
            contestants = {
                "vmsgen": between_pipes(vmsgen("convert", "-", "-", "--quiet", "--to", to), source),
                _CAT: between_pipes([_CAT], source),
                _LOOP: between_pipes([sys.executable, "-c", _COPY], source),
            }
            runs = by_turns(contestants, rounds=rounds)
            yield row(f"{name} to {to}", runs, "vmsgen", _CAT, aim=1)
            yield row(f"{name} to {to}", runs, "vmsgen", _LOOP)
            yield row(f"{name} to {to}: memory", runs, "vmsgen", aim=100, judged="peak_mib")
    finally:
        ber.unlink()


def zero_pages(size: int, folder: Path, rounds: int) -> Iterator[Row]:
    """One page of zeros, in a stream of nothing else: without the start, which an empty stream shows."""
    empty, zeros, ber = folder / "empty.mig", folder / "zeros.mig", folder / "zeros.ber"
    empty.write_bytes(b"QEVM\0\0\0\3\0")
    pages = write_stream(zeros, size, Mix(full=0, again=0))
    subprocess.run(vmsgen("convert", str(zeros), str(ber), "--quiet", "--to", "ber"), check=True, env=environment())
    for to, source in (("ber", zeros), ("binary", ber)):
        words = vmsgen("convert", "-", "-", "--quiet", "--to", to)
        runs = by_turns({"empty": between_pipes(words, empty), "zeros": between_pipes(words, source)}, rounds=rounds)
        pairs = list(zip(runs["zeros"], runs["empty"], strict=True))
        page = Cost(
            max(statistics.median(own.seconds - start.seconds for own, start in pairs), 0) / pages,
            max(statistics.median(own.cpu - start.cpu for own, start in pairs), 0) / pages,
            max(cost.peak_mib for cost in runs["zeros"]),
        )
        yield Row(f"a zero page, to {to}", page, aim=300e-9, judged="seconds")
    for path in (empty, zeros, ber):
        path.unlink()


def page_map(name: str, stream: Path, analyzer: Path | None, rounds: int) -> Row:
    """What became of each page, against the analyzer if there is one."""
    contestants = {"vmsgen": command(vmsgen("show", "--memory-map", str(stream)), folder=_CLONE)}
    peer = ""
    if analyzer is not None:
        peer = analyzer.name
        contestants[peer] = command([sys.executable, str(analyzer), "-f", str(stream)])
    return row(f"{name}: --memory-map", by_turns(contestants, rounds=rounds), "vmsgen", peer, aim=0.1 if peer else None)


def measured(sizes: list[int], stream: Path | None, analyzer: Path | None, folder: Path, rounds: int) -> Iterator[Row]:
    """All of it: the given stream, then synthetic ones of these sizes, and how the first grows to the others."""
    if stream is not None:
        yield from conversions(stream.name, stream, folder, rounds)
        yield page_map(stream.name, stream, analyzer, rounds)
    smallest: dict[str, Row] = {}
    for size in sizes:
        path = folder / "guest.mig"
        name = f"{size / (1 << 20):g} MiB"
        write_stream(path, size, Mix())
        for one in conversions(name, path, folder, rounds):
            yield one
            to = one.what.removeprefix(name)
            if one.peer != _CAT:
                continue
            if to in smallest:
                grown = one.ours.seconds / smallest[to].ours.seconds
                first = smallest[to]
                cpu = one.ours.cpu / first.ours.cpu
                aim = 1.05 * size / sizes[0]
                yield Row(f"{name}{to}: growth", one.ours, first.what, first.ours, grown, cpu, aim)
            smallest.setdefault(to, one)
        yield page_map(name, path, analyzer, rounds)
        path.unlink()
    if sizes:
        # such a stream is short: only many pages show what one takes
        yield from zero_pages(4 * max(sizes), folder, rounds)


def rows() -> Iterator[Row]:
    """A guest of 1 GiB, without the analyzer."""
    with tempfile.TemporaryDirectory(prefix="vmsgen-benchmark-") as folder:
        yield from measured([1 << 30], None, None, Path(folder), _ROUNDS)


def _sizes(text: str) -> list[int]:
    units = {"m": 1 << 20, "g": 1 << 30}
    try:
        found = [int(one[:-1]) * units[one[-1:].lower()] for one in text.split(",") if one]
    except (KeyError, ValueError):
        found = []
    if text and (not found or min(found) <= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of sizes, such as 16m,1g")
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ram", description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=_sizes, default="1g,4g", help="RAM of the synthetic guests [1g,4g]")
    parser.add_argument("--stream", type=Path, help="a captured stream, too")
    parser.add_argument("--analyzer", type=Path, metavar="PATH", help="QEMU's scripts/analyze-migration.py")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="rounds of which the median is taken [5]")
    parser.add_argument("--folder", help="where streams are made (twice the size of the largest guest)")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    arguments = parser.parse_args()
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    print(f"pipes and reads of {PIPE >> 10} KiB, a buffer of 4 MiB; median of {arguments.rounds} rounds", flush=True)
    found = []
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="vmsgen-benchmark-") as folder:
        for one in measured(arguments.sizes, arguments.stream, arguments.analyzer, Path(folder), arguments.rounds):
            print(table([one]).splitlines()[-1], flush=True)
            found.append(one)
    print()
    print(table(found))
    if arguments.json is not None:
        write_json(arguments.json, found)


if __name__ == "__main__":
    main()
