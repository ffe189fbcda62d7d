"""Specs drafted from two thirds of a corpus, and the last third read with them.

    python -m tests.qemu.leave_out CORPUS_DIR... --work DIR [--third 0|1|2] [-j N] [--json FILE]

No stream of a device model, of a target's machines or of a curated guest that is left out is shown to the importer, in
no release. DIR is made: the drafts, what ``vmsgen build`` makes of them, and nothing else is asked when the third that
was left out is read: no spec of the library, only those drafts and each stream's own vmdesc. Prints what the importer
says and the tables of a sweep (``roundtrip`` and ``values``). The exit code is 1 if a stream fails.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

from tests.qemu import sweep
from tests.qemu.sweep_streams import Captured, find_streams

VMSGEN = (sys.executable, "-m", "vmsgen")


def third(stream: Captured) -> int:
    """Which third a stream belongs to: one and the same for a device model, a target's machines, a curated guest."""
    subject = stream.target if stream.folder == "machine" else stream.name.rpartition("/")[2]
    return zlib.crc32(subject.encode()) % 3


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; see the module's text."""
    parser = argparse.ArgumentParser(prog="python -m tests.qemu.leave_out", usage=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--third", type=int, choices=(0, 1, 2), default=0)
    parser.add_argument("-j", dest="jobs", default="1")
    parser.add_argument("--json", dest="json_file")
    options = parser.parse_args(arguments)
    streams = find_streams(options.folders)
    shown = [stream for stream in streams if third(stream) != options.third]
    left_out = [stream for stream in streams if third(stream) == options.third]
    options.work.mkdir()

    labels = [f"--label={stream.release}={stream.path}" for stream in shown]
    sources = [str(stream.path) for stream in shown]
    specs = options.work / "device-specs"
    began = time.monotonic()
    subprocess.run([*VMSGEN, "import", "--all", *labels, "--out", str(specs), *sources], check=False)
    print(f"imported {len(shown)} of {len(streams)} streams in {time.monotonic() - began:.0f} s", flush=True)
    subprocess.run([*VMSGEN, "build"], cwd=options.work, check=True)

    only = "^(?:" + "|".join(re.escape(stream.label) for stream in left_out) + ")$"
    more = ["--json", options.json_file] if options.json_file else []
    given = [*map(str, options.folders), "--check", "roundtrip", "--check", "values", "--only", only]
    return sweep.main([*given, "-j", options.jobs, "--library", str(options.work / "generated"), *more])


if __name__ == "__main__":
    sys.exit(main())
