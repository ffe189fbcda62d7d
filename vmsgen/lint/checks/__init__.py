"""The checks that only the lint makes, a file for each matter; what a build warns of is in ``vmsgen/spec/passes``."""

from __future__ import annotations

from vmsgen.lint.checks.counts import check_counts
from vmsgen.lint.checks.guest_bytes import check_guest_bytes
from vmsgen.lint.checks.tags import check_tags
from vmsgen.lint.checks.words import check_words
from vmsgen.lint.subject import Check

#: Each check with the rules that it reports: it is left out if none of them is selected.
CHECKS: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (check_words, ("doc/missing", "doc/opaque", "doc/source", "doc/summary")),
    (check_counts, ("count/stored",)),
    (check_tags, ("tag/order", "tag/range")),
    (check_guest_bytes, ("sub/guest-bytes",)),
)
