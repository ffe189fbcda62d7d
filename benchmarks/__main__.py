"""``python -m benchmarks [NAME ...] [--json FILE]``: the benchmarks, and one table of all they found."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from pathlib import Path

from benchmarks.measure import Row, machine, table, write_json

#: The benchmarks, in the order of the table; each a module with a function ``rows() -> Iterator[Row]``.
NAMES = ("ram", "codecs", "streams", "build", "start", "linearity")


def main() -> None:
    """The command line."""
    present = [name for name in NAMES if importlib.util.find_spec(f"benchmarks.{name}") is not None]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios, measured in one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(present)} [all]")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(present):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    about = ", ".join(f"{key} {value}" for key, value in machine().items())
    print(about, flush=True)
    rows: list[Row] = []
    for name in arguments.names or present:
        print(f"{name} ...", flush=True)
        rows.extend(importlib.import_module(f"benchmarks.{name}").rows())
    print()
    print(table(rows))
    if arguments.json is not None:
        write_json(arguments.json, rows)


if __name__ == "__main__":
    main()
