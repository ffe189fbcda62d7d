"""Checks over everything that was resolved, one file each, in this order."""

from __future__ import annotations

from collections.abc import Callable

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.resolver import Resolved

Pass = Callable[[Resolved, Reporter], None]

PASSES: tuple[Pass, ...] = ()


def run_passes(resolved: Resolved, reporter: Reporter) -> None:
    """Run every pass; each reports what it finds."""
    for check in PASSES:
        check(resolved, reporter)
