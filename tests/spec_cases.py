"""What the specs of ``tests/specs`` say that is found in them.

The last lines of a bad spec are what must be reported, in order::

    # expect: RULE at LINE:COLUMN: the whole message
    #   help: the whole help, where there is one

A folder is one case of several files; a `tags.lock` in it is the lock.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from vmsgen.diagnostics import Diagnostic

SPECS = Path(__file__).resolve().parent / "specs"

_EXPECT = re.compile(r"^# expect: (?P<rule>\S+) at (?P<line>\d+):(?P<column>\d+): (?P<message>.*)$")
_HELP = re.compile(r"^#   help: (?P<help>.*)$")


class Finding(NamedTuple):
    """A diagnostic as the end of a spec states it."""

    file: str
    rule: str
    line: int
    column: int
    message: str
    help: str | None


def expected(case: Path) -> list[Finding]:
    """What the files of a case say, by file, line and column."""
    found: list[Finding] = []
    for path in [case] if case.is_file() else sorted(p for p in case.rglob("*") if p.is_file()):
        name = path.name if case.is_file() else path.relative_to(case).as_posix()
        for line in path.read_bytes().decode("utf-8", "replace").split("\n"):
            if match := _EXPECT.match(line):
                place = int(match["line"]), int(match["column"])
                found.append(Finding(name, match["rule"], *place, match["message"], None))
            elif match := _HELP.match(line):
                found[-1] = found[-1]._replace(help=match["help"])
    return found


def as_findings(diagnostics: list[Diagnostic]) -> list[Finding]:
    return [Finding(d.span.file.path, d.rule, d.span.line, d.span.column, d.message, d.help) for d in diagnostics]
