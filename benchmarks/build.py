"""How fast ``vmsgen build`` makes the shipped library: from nothing, after a change of one spec, and of none.

A busy machine misses aims in seconds that it reaches when it is idle; the ratios to a bare interpreter tell.
"""

from __future__ import annotations

import itertools
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.measure import Row, by_turns, command, row

_CLONE = Path(__file__).parents[1]
BUILD = [sys.executable, "-m", "vmsgen", "build"]
#: A spec that nothing imports, as nearly all are, and the one that most others import.
_ONE, _SHARED = "net/e1000", "pci/device"
_NOTHING = "python -c pass"


def rows() -> Iterator[Row]:
    """Each kind of build in turn, in a copy of the clone; the ratios are to an interpreter that does nothing."""
    with tempfile.TemporaryDirectory() as folder:
        clone = copied(Path(folder) / "clone")
        contestants = {
            _NOTHING: command([sys.executable, "-c", "pass"], folder=clone),
            "from nothing": command(BUILD, folder=clone, before=lambda: emptied(clone)),
            "one spec changed": command(BUILD, folder=clone, before=edited(clone, _ONE)),
            "one spec changed that 100 others need": command(BUILD, folder=clone, before=edited(clone, _SHARED)),
            "nothing changed": command(BUILD, folder=clone),
            "--check": command([*BUILD, "--check"], folder=clone),
            "--check --full": command([*BUILD, "--check", "--full"], folder=clone),
        }
        runs = by_turns(contestants, rounds=5)
    aims = {"from nothing": 30, "one spec changed": 1.0, "nothing changed": 0.4, "--check": 1.0}
    for name in list(contestants)[1:]:
        what = f"build {name}" if name.startswith("--") else f"build, {name}"
        yield row(what, runs, name, _NOTHING, aim=aims.get(name), judged="seconds")


def copied(place: Path) -> Path:
    """What a build needs of the clone, to be changed at will."""
    for name in ("vmsgen", "templates", "device-specs", "generated"):
        shutil.copytree(_CLONE / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    return place


def emptied(clone: Path) -> None:
    """Nothing is generated, and nothing known of an earlier build."""
    for name in ("generated", ".vmsgen-cache"):
        shutil.rmtree(clone / name, ignore_errors=True)


def edited(clone: Path, name: str) -> Callable[[], None]:
    """Gives a spec another summary each time, which class, schema, and model show."""
    path = clone / "device-specs" / f"{name}.yaml"
    text = path.read_text()
    numbers = itertools.count(1)

    def edit() -> None:
        path.write_text(re.sub(r"^summary: .*", f"summary: Edited {next(numbers)} times", text, flags=re.MULTILINE))

    return edit
