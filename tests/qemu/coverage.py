"""Writes docs/coverage.md: what is read, by the findings of a sweep and the shipped specs.

python -m tests.qemu.sweep FOLDER... --json sweep.json
python -m tests.qemu.coverage sweep.json > docs/coverage.md
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.qemu.sweep_checks import Finding
from tests.qemu.sweep_table import counts
from vmsgen.lint.run import UNKNOWN, lint
from vmsgen.lint.selection import Selection
from vmsgen.settings import project

ROOT = Path(__file__).resolve().parent.parent.parent

_HEAD = """\
# Coverage

What vmsgen reads of the streams that QEMU 5.2, 7.2 and 10.0 send: `curated` guests with many devices,
migration capabilities and odd shapes, the `machine` types of all targets (each that starts, of versioned ones some),
and one stream for each `device` that can be plugged. This page is made by a campaign, see
[contributing](contributing.md#campaigns). `all by specs` leaves out streams with a section that only the stream's own
vmdesc describes. What comes back from BER with the same bytes QEMU accepts where it accepts the original, so no QEMU
had to be asked.

- [Streams](#streams), [not all of it named](#not-all-of-it-named), [without vmdesc](#without-vmdesc),
  [values](#values), [open questions](#open-questions)

## Streams
"""

_BARE = """\
## Not all of it named

Streams with bytes of device state that no spec names, and why. They travel as they are.
"""

_WITHOUT = """\
## Without vmdesc

The reader was told the sender's release (`--prop qemu=7.2`), the machine type (`--machine`) only where the stream does
not say it. Where that is not enough, the target may be (`--prop target.name=mips64el`, the name of QEMU's
binary): the second column counts those as well. Streams that do not read to the same values:
"""

_VALUES = """\
## Values

Each leaf against what QEMU's own analyzer prints, for {count} of the streams. What it cannot read:
"""

_OPEN = """\
## Open questions

Conditions and counts that no stream and no description tells (`unknown` in a spec): they are answered by the vmdesc,
by the one layout that fits, or by `--prop`. `vmsgen lint` counts them by file.
"""


def page(findings: Sequence[Finding]) -> Iterator[str]:
    """The lines of the page."""
    by_check: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_check[finding.check].append(finding)
    yield from _HEAD.splitlines()
    for check, some in by_check.items():
        yield ""
        yield from (f"#{line}" if line.startswith("#") else line for line in list(counts(check, some, cost=False))[:-1])
    yield from ["", *_BARE.splitlines(), ""]
    bare = [finding for finding in by_check["roundtrip"] if finding.opaque or finding.ok is False]
    yield from _listed(bare)
    yield from ["", *_WITHOUT.splitlines(), ""]
    yield from _listed([finding for finding in by_check["novmdesc"] if finding.ok is False])
    yield from ["", *_VALUES.format(count=len(by_check["values"])).splitlines(), ""]
    skipped = Counter(finding.reason for finding in by_check["values"] if finding.ok is None)
    yield from ("| streams | the analyzer |", "|--:|---|") if skipped else ("Nothing.",)
    by_count = sorted(skipped.items(), key=lambda each: (-each[1], each[0]))
    yield from (f"| {count} | {_cell(reason)} |" for reason, count in by_count)
    wrong = [finding for finding in by_check["values"] if finding.ok is False]
    if wrong:
        yield from ["", "Streams with leaves that differ:", "", *_listed(wrong)]
    yield from ["", *_OPEN.splitlines(), "", *_unknowns()]


def _listed(findings: Sequence[Finding]) -> Iterator[str]:
    """Streams with one and the same reason in one row."""
    if not findings:
        yield "None."
        return
    rows: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        rows[", ".join(f"`{name}`" for name in finding.stopped), finding.reason].append(finding)
    yield "| streams | states | why |"
    yield "|---|---|---|"
    for (states, reason), some in sorted(rows.items(), key=lambda row: (-len(row[1]), row[0])):
        yield f"| {', '.join(finding.label for finding in some)} | {states} | {_cell(reason)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _unknowns() -> Iterator[str]:
    """Specs and open questions by folder."""
    found = lint(project(ROOT), Selection(select=(UNKNOWN,)))
    specs = Counter(path.parent.name for path in (ROOT / "device-specs").glob("*/*.yaml"))
    unknowns: Counter[str] = Counter()
    for path, count in found.unknowns.items():
        unknowns[Path(path).parent.name] += count
    yield "| folder | specs | open questions |"
    yield "|---|--:|--:|"
    for folder, count in sorted(specs.items()):
        yield f"| {folder} | {count} | {unknowns[folder]} |"
    yield f"| all | {specs.total()} | {unknowns.total()} |"


def main(arguments: Sequence[str]) -> int:
    """The command line; see the module's text."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    files = [Path(argument) for argument in arguments]
    findings = [Finding(**entry) for file in files for entry in json.loads(file.read_text(encoding="utf-8"))]
    for line in page(findings):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
