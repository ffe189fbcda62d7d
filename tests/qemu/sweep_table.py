"""The tables of a sweep, in Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.qemu.sweep_checks import Finding

_FOLDERS = ("curated", "machine", "device")
_LONGEST = 300


def tables(findings: Sequence[Finding]) -> Iterator[str]:
    """Lines: a table for each check, what stops most streams, and every stream that fails with its reason."""
    for check in dict.fromkeys(finding.check for finding in findings):
        of_check = [finding for finding in findings if finding.check == check]
        yield from counts(check, of_check)
        yield from _states(of_check)
        yield from _failures(of_check)


def _folder(finding: Finding) -> tuple[str, str]:
    release, _, name = finding.label.partition("/")
    return release, name.partition("/")[0] if "/" in name else "curated"


def counts(check: str, findings: list[Finding], *, cost: bool = True) -> Iterator[str]:
    """A table by release and folder, with what it cost unless that is not wanted, and an empty line."""
    releases = list(dict.fromkeys(_folder(finding)[0] for finding in findings))
    rows = [(release, folder) for release in releases for folder in _FOLDERS]
    title, *columns = _COLUMNS[check]
    yield f"## {check}: {title}"
    yield ""
    columns += ["slowest", "largest process"] if cost else []
    yield f"| release | streams of | streams | {' | '.join(columns)} |"
    yield "|---|---|--:|" + "--:|" * len(columns)
    for release, folder in [*rows, ("all", "")]:
        some = [finding for finding in findings if release == "all" or _folder(finding) == (release, folder)]
        if some:
            cells = [_share(sum(column), some) for column in zip(*map(_good, some), strict=True)]
            if cost:
                slowest = max(finding.seconds for finding in some)
                peak = max(finding.peak for finding in some) >> 10
                cells += [f"{slowest:.1f} s", f"{peak} MiB"]
            yield f"| {release} | {folder} | {len(some)} | {' | '.join(cells)} |"
    yield ""


_COLUMNS = {
    "roundtrip": (
        "all channels read to the end, through BER and back",
        "same bytes",
        "no opaque byte",
        "all by specs",
    ),
    "novmdesc": ("the same values without the description", "with release and machine", "with the target, too"),
    "values": ("every leaf is what QEMU's analyzer prints", "equal", "not read by it"),
    "shapes": ("the same memory as one plain stream and as a mapped-ram file", "same memory"),
    "plain": ("QEMU loads it as one plain stream", "loaded"),
    "accepts": ("QEMU loads what came back from BER", "loaded"),
}


def _good(finding: Finding) -> list[bool]:
    """What counts in each column of the check."""
    if finding.check == "values":
        return [finding.ok is True, finding.ok is None]
    passed = finding.ok is not False
    more = {
        "roundtrip": [passed and not finding.opaque, passed and not finding.opaque and not finding.unspecified],
        "novmdesc": [passed],
    }.get(finding.check, [])
    return [passed and not finding.told, *more]


def _share(good: int, findings: Sequence[Finding]) -> str:
    return f"{good} ({100 * good / len(findings):.1f} %)"


def _states(findings: list[Finding]) -> Iterator[str]:
    """The states to blame, those first that stop most streams."""
    blamed = Counter(name for finding in findings for name in {*finding.stopped, *finding.unspecified})
    if not blamed:
        return
    yield "| state | streams | such as |"
    yield "|---|--:|---|"
    for name, count in sorted(blamed.items(), key=lambda pair: (-pair[1], pair[0])):
        example = next(finding for finding in findings if name in (*finding.stopped, *finding.unspecified))
        yield f"| `{name}` | {count} | {example.label} |"
    yield ""


def _failures(findings: list[Finding]) -> Iterator[str]:
    failed = [finding for finding in findings if finding.ok is False or finding.opaque]
    for finding in failed:
        reason = finding.reason if len(finding.reason) <= _LONGEST else finding.reason[:_LONGEST] + " ..."
        size = f" ({finding.opaque} of {finding.typed + finding.opaque} bytes)" if finding.opaque else ""
        yield f"* {finding.label}{size}: {reason}"
    skipped = Counter(finding.reason for finding in findings if finding.ok is None)
    for reason, count in skipped.items():
        yield f"* not judged, {count} streams: {reason}"
    yield ""
