"""Measuring: contestants by turns, medians, ratios, and the table that shows them.

A benchmark is a module with a function ``rows() -> Iterator[Row]``. It hands its contestants to :func:`by_turns`::

    runs = by_turns({"vmsgen": calls(ours), "asn1tools": calls(theirs)})
    yield row("BER encode, 100 fields", runs, "vmsgen", "asn1tools", aim=0.1)

Every contestant runs once in each round, so that whatever else the machine does meets all of them alike. A ratio is
the median of the rounds' ratios; times differ from machine to machine, ratios should not.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Contestant", "Cost", "Row", "by_turns", "calls", "command", "machine", "row", "table", "write_json"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took: time on the clock, time on processors (its children's too), memory at its peak (0: unknown).

    Of a function called many times it is the cost of one call.
    """

    seconds: float
    cpu: float
    peak_mib: float = 0.0


#: Runs once and says what that took.
Contestant = Callable[[], Cost]


def calls(function: Callable[[], object], *, least: float = 0.05) -> Contestant:
    """A function in this process, called as often as fills ``least`` seconds."""
    number = 0

    def run() -> Cost:
        nonlocal number
        if not number:  # the first round: also warms up
            begin = time.perf_counter()
            function()
            once = time.perf_counter() - begin
            number = max(1, round(least / max(once, 1e-9)))
        clock, cpu = time.perf_counter(), time.process_time()
        for _ in range(number):
            function()
        return Cost((time.perf_counter() - clock) / number, (time.process_time() - cpu) / number)

    return run


def command(
    words: Sequence[str],
    *,
    folder: Path | None = None,
    before: Callable[[], object] | None = None,
    code: int = 0,
) -> Contestant:
    """A process, run in ``folder``; what it prints is thrown away. ``before`` is called each time, outside of the time.

    It keeps its bytecode, which an installed vmsgen has from the start. The benchmark stops if the process ends with
    another exit code than ``code``.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}

    def run() -> Cost:
        if before is not None:
            before()
        begin = time.perf_counter()
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.stderr.close()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != code:
            raise SystemExit(f"{' '.join(words)}: exit code {process.returncode}\n{said.decode(errors='replace')}")
        return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)

    return run


def by_turns(contestants: Mapping[str, Contestant], *, rounds: int = 7) -> dict[str, list[Cost]]:
    """The costs of every contestant, round by round."""
    runs: dict[str, list[Cost]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            runs[name].append(contestant())
    return runs


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``ratio`` and ``cpu_ratio`` are ours by the peer's, None without a peer; ``aim`` is what
    ``judged`` ("ratio", or "seconds" and "peak_mib" of ours) should be at most."""

    what: str
    ours: Cost
    peer: str = ""
    theirs: Cost | None = None
    ratio: float | None = None
    cpu_ratio: float | None = None
    aim: float | None = None
    judged: str = "ratio"

    @property
    def value(self) -> float | None:
        """What is compared with the aim."""
        return self.ratio if self.judged == "ratio" else getattr(self.ours, self.judged)

    @property
    def reached(self) -> bool | None:
        """Whether the aim was reached; None if there is none."""
        return None if self.aim is None or self.value is None else self.value <= self.aim


def row(
    what: str,
    runs: Mapping[str, Sequence[Cost]],
    ours: str,
    peer: str = "",
    *,
    aim: float | None = None,
    judged: str = "ratio",
) -> Row:
    """A line about two contestants of :func:`by_turns`, or about one alone."""
    if not peer:
        return Row(what, _median(runs[ours]), aim=aim, judged=judged)
    pairs = list(zip(runs[ours], runs[peer], strict=True))
    ratio = statistics.median(own.seconds / other.seconds for own, other in pairs)
    cpu_ratio = statistics.median(own.cpu / max(other.cpu, 1e-9) for own, other in pairs)
    return Row(what, _median(runs[ours]), peer, _median(runs[peer]), ratio, cpu_ratio, aim, judged)


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        max(cost.peak_mib for cost in costs),
    )


# ---------------------------------------------------------------------------------------------- what is shown

_HEAD = ("", "time", "CPU", "peak MiB", "peer", "its time", "ratio", "of CPU", "aim")


def table(rows: Iterable[Row]) -> str:
    """The rows for people, as a table of Markdown. An aim that was missed has a ``!``."""
    lines = [_HEAD, *(_cells(each) for each in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    shown = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    shown.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in shown)


def _cells(row: Row) -> tuple[str, ...]:
    aim = "" if row.aim is None else f"{row.aim:g}{_UNITS[row.judged]}{'' if row.reached else ' !'}"
    return (
        row.what,
        seconds(row.ours.seconds),
        seconds(row.ours.cpu),
        f"{row.ours.peak_mib:.0f}" if row.ours.peak_mib else "",
        row.peer,
        seconds(row.theirs.seconds) if row.theirs is not None else "",
        f"{row.ratio:.3g}" if row.ratio is not None else "",
        f"{row.cpu_ratio:.3g}" if row.cpu_ratio is not None else "",
        aim,
    )


_UNITS = {"ratio": "", "seconds": " s", "peak_mib": " MiB"}


def seconds(value: float) -> str:
    """A time with its unit."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if value * factor >= 1:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e9:.0f} ns"


def machine() -> dict[str, str]:
    """What was measured on: processor, how many of them may be used, memory, systems."""
    processor = platform.machine()
    memory = 0
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    except (OSError, ValueError):
        pass
    return {
        "processor": processor,
        "processors": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": f"{memory} MiB",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def write_json(path: Path, rows: Iterable[Row]) -> None:
    """The rows, and the machine, for programs."""
    lines = [{**asdict(each), "reached": each.reached} for each in rows]
    text = json.dumps({"machine": machine(), "argv": sys.argv[1:], "rows": lines}, indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")
