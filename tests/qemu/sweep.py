"""Every stream of a corpus through vmsgen.

    python -m tests.qemu.sweep CORPUS_DIR... [--check roundtrip|novmdesc|values|shapes|plain|accepts] [--only REGEX]
                               [-j N] [--library DIR] [--json FILE]

Prints tables by release and folder, the states that stop most streams, and every stream that fails with its reason;
sweep_checks.py says what is checked, sweep_streams.py how a corpus lies. ``--check`` may be repeated; the first three
are the default. ``--library`` is the package that a build wrote, asked instead of the shipped one. Each stream gets a
process of its own, ended after ``--seconds``. The exit code is 1 if one fails.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import multiprocessing
import re
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from tests.qemu.analyzer import NoAnalyzerError, analyzer_script
from tests.qemu.sweep_checks import CHECKS, Finding, check
from tests.qemu.sweep_streams import Captured, find_streams
from tests.qemu.sweep_table import tables
from vmsgen.library import REGISTRY
from vmsgen.packages import generated_package
from vmsgen.runtime.errors import VmsgenError
from vmsgen.runtime.registry import Registry


class _TooLong(BaseException):
    """The time of a stream is over."""


#: What the processes of a sweep read with; it is inherited, not sent.
_library: Registry = REGISTRY


def _run(task: tuple[str, Captured, int]) -> Finding:
    """One check in a process of its own."""
    kind, stream, seconds = task

    def over(number: int, frame: FrameType | None) -> None:
        raise _TooLong

    signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        return check(kind, stream, _library)
    except _TooLong:
        return Finding(kind, stream.label, False, f"not done after {seconds} s", seconds=seconds)
    finally:
        signal.alarm(0)


def sweep(
    streams: Sequence[Captured], checks: Sequence[str], *, jobs: int, seconds: int, library: Registry = REGISTRY
) -> list[Finding]:
    """Every check on every stream, in this order; those that were done when it is interrupted."""
    global _library
    _library = library
    tasks = [(kind, stream, seconds) for kind in checks for stream in streams]
    list(library)  # every class is imported once, before the processes part
    gc.freeze()
    with multiprocessing.get_context("fork").Pool(jobs, maxtasksperchild=1) as pool:
        found: list[Finding] = []
        with contextlib.suppress(KeyboardInterrupt):  # what was found so far is told all the same
            for finding in pool.imap(_run, tasks):
                found.append(finding)
                if sys.stderr.isatty() or len(found) % 100 == 0:
                    print(f"\r{len(found)} of {len(tasks)} ", end="", file=sys.stderr, flush=True)
        return found


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; see the module's text."""
    parser = argparse.ArgumentParser(prog="python -m tests.qemu.sweep", usage=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--check", dest="checks", action="append", choices=tuple(CHECKS))
    parser.add_argument("--only", type=re.compile, default=re.compile(""))
    parser.add_argument("-j", dest="jobs", type=int, default=1)
    parser.add_argument("--library", metavar="DIR")
    parser.add_argument("--json", dest="json_file", type=Path)
    parser.add_argument("--seconds", type=int, default=300)
    options = parser.parse_args(arguments)
    try:
        streams = [stream for stream in find_streams(options.folders) if options.only.search(stream.label)]
        library = REGISTRY if options.library is None else generated_package(options.library).REGISTRY
    except (OSError, ValueError, VmsgenError) as error:
        print(error, file=sys.stderr)
        return 2
    checks = options.checks or ["roundtrip", "novmdesc", "values"]
    if "values" in checks:
        try:
            for release in {stream.release for stream in streams}:
                analyzer_script(release)
        except NoAnalyzerError as error:
            print(f"--check values: {error}", file=sys.stderr)
            return 2
    found = sweep(streams, checks, jobs=options.jobs, seconds=options.seconds, library=library)
    for line in tables(found):
        print(line)
    if options.json_file is not None:
        options.json_file.write_text(json.dumps([asdict(each) for each in found], indent=1) + "\n", encoding="utf-8")
    return 1 if any(finding.ok is False for finding in found) else 0


if __name__ == "__main__":
    sys.exit(main())
