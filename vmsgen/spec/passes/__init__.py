"""Checks over everything that was resolved, one file each, in this order."""

from __future__ import annotations

from collections.abc import Callable

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.passes.asn1_names import check_asn1_names
from vmsgen.spec.passes.checks import check_checks
from vmsgen.spec.passes.counts import check_counts
from vmsgen.spec.passes.derived import check_derived
from vmsgen.spec.passes.ends import check_ends
from vmsgen.spec.passes.recursion import check_recursion
from vmsgen.spec.passes.renames import check_renames
from vmsgen.spec.passes.subsections import check_subsections
from vmsgen.spec.passes.unused import check_unused
from vmsgen.spec.passes.variants import check_variants
from vmsgen.spec.passes.versions import check_versions
from vmsgen.spec.passes.views import check_views
from vmsgen.spec.resolver import Resolved

Pass = Callable[[Resolved, Reporter], None]

PASSES: tuple[Pass, ...] = (
    check_versions,
    check_asn1_names,
    check_recursion,
    check_subsections,
    check_ends,
    check_checks,
    check_derived,
    check_renames,
    check_views,
)

#: Lint that would be misled by what could not be resolved: run only over specs without errors.
LINTS: tuple[Pass, ...] = (
    check_counts,
    check_variants,
    check_unused,
)


def run_passes(resolved: Resolved, reporter: Reporter) -> None:
    """Run every pass; each reports what it finds."""
    for check in PASSES:
        check(resolved, reporter)
    for lint in LINTS if not reporter.has_errors else ():
        lint(resolved, reporter)
