"""How fast RAM goes through ``vmsgen convert``, as a ratio to ``cat`` through the same pipes in the same run.

``python benchmarks/ram.py [--mib 1024] [--pairs 5] [--json FILE]`` makes a stream (half of its pages full of random
bytes, a quarter single zero pages, a quarter long runs of them), converts it in both directions with a pipe before and
behind, and does the same with ``cat`` in the converter's place. Each ratio is the median over pairs of runs, one
directly after the other. All checks of the converter are made; only the writing of the input is outside of the time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

PAGE = 4096
PIPE = 1 << 20
_FULL, _ZERO, _CONTINUE, _LIST, _EOS = 0x08, 0x02, 0x20, 0x04, 0x10


@dataclass
class Result:
    """One direction: medians over the pairs, memory at its peak, bytes that came in. ``start_seconds`` is what an empty
    stream takes, which is not in the time of a page."""

    name: str
    bytes: int
    pages: int
    seconds: float
    cat_seconds: float
    ratio: float
    start_seconds: float
    peak_mib: float

    def line(self) -> str:
        """For people."""
        page = (self.seconds - self.start_seconds) / self.pages * 1e9
        return (
            f"{self.name:16} {self.bytes / 1e6:8.0f} MB  {self.seconds:6.2f} s  cat {self.cat_seconds:6.2f} s  "
            f"ratio {self.ratio:5.2f}  {page:6.0f} ns/page  peak {self.peak_mib:4.0f} MiB"
        )


def write_stream(path: Path, mib: int, full: float) -> int:
    """Writes a stream of a guest with so much RAM and returns its number of pages. ``full`` is the share of pages with
    contents.
    """
    chance = random.Random(1)
    pages = mib * 256
    block = b"\x06pc.ram"
    noise = chance.randbytes(64 * PAGE)
    with path.open("wb", buffering=1 << 20) as out:
        out.write(b"QEVM\0\0\0\3" + b"\7\0\0\0\x0dpc-i440fx-7.2")
        out.write(b"\1\0\0\0\2\3ram" + bytes(4) + b"\0\0\0\4")
        out.write((pages * PAGE | _LIST).to_bytes(8, "big") + block + (pages * PAGE).to_bytes(8, "big"))
        out.write(_EOS.to_bytes(8, "big") + b"\x7e\0\0\0\2" + b"\3\0\0\0\2")
        named = False
        number = 0
        while number < pages:
            run = min(pages - number, chance.choice((1, 1, 2, 8, 64, 256)))
            data = chance.random() < full
            for at in range(number, number + run):
                word = at * PAGE | (_FULL if data else _ZERO)
                out.write((word | _CONTINUE).to_bytes(8, "big") if named else word.to_bytes(8, "big") + block)
                out.write(noise[at % 64 * PAGE :][:PAGE] if data else b"\0")
                named = True
            number += run
        out.write(_EOS.to_bytes(8, "big") + b"\x7e\0\0\0\2\0")
    return pages


def through(command: list[str], path: Path) -> tuple[float, float]:
    """Seconds and peak memory (MiB) of a command between ``cat FILE`` and a reader that throws away what it gets."""
    begin = time.perf_counter()
    with (
        subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE, pipesize=PIPE) as first,
        subprocess.Popen(command, stdin=first.stdout, stdout=subprocess.PIPE, pipesize=PIPE) as middle,
        subprocess.Popen(["cat"], stdin=middle.stdout, stdout=subprocess.DEVNULL) as last,
    ):
        for process in (first, middle):  # only their own readers keep these pipes open
            assert process.stdout is not None
            process.stdout.close()
        _, status, usage = os.wait4(middle.pid, 0)
        middle.returncode = os.waitstatus_to_exitcode(status)
        last.wait()
    if middle.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {middle.returncode}")
    return time.perf_counter() - begin, usage.ru_maxrss / 1024


def paired(name: str, command: list[str], path: Path, pages: int, pairs: int, start: float) -> Result:
    """The command against ``cat`` in its place."""
    runs = [(through(command, path), through(["cat"], path)[0]) for _ in range(pairs)]
    return Result(
        name,
        path.stat().st_size,
        pages,
        statistics.median(own for (own, _), _ in runs),
        statistics.median(cat for _, cat in runs),
        statistics.median(own / cat for (own, _), cat in runs),
        start,
        max(peak for (_, peak), _ in runs),
    )


def measure(folder: Path, mib: int, pairs: int, say: Callable[[str], None]) -> list[Result]:
    """All directions, with mixed pages and with zero pages alone."""
    convert = [sys.executable, "-m", "vmsgen", "convert", "-", "-", "-q", "--to"]
    results = []
    empty = folder / "empty.mig"
    empty.write_bytes(b"QEVM\0\0\0\3\0")
    start = statistics.median(through([*convert, "ber"], empty)[0] for _ in range(pairs))
    say(f"an empty stream takes {start:.2f} s, which is in the ratios")
    for kind, full in (("mixed", 0.55), ("zero", 0.0)):
        binary, ber = folder / f"{kind}.mig", folder / f"{kind}.ber"
        pages = write_stream(binary, mib, full)
        with ber.open("wb") as out:
            subprocess.run([*convert[:4], str(binary), "-", "-q", "--to", "ber"], stdout=out, check=True)
        for to, path in (("ber", binary), ("binary", ber)):
            result = paired(f"{kind} to {to}", [*convert, to], path, pages, pairs, start)
            say(result.line())
            results.append(result)
        binary.unlink()
        ber.unlink()
    return results


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mib", type=int, default=1024, help="RAM of the guest")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of runs of which the median is taken")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    parser.add_argument("--folder", help="where the streams are made (twice the size of the guest's RAM)")
    arguments = parser.parse_args()
    print(f"{arguments.mib} MiB of RAM, {arguments.pairs} pairs of runs, pipes of {PIPE >> 10} KiB")
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="vmsgen-benchmark-") as folder:
        results = measure(Path(folder), arguments.mib, arguments.pairs, print)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")


if __name__ == "__main__":
    main()
