"""The specs of a project as a model with its tags, and everything that is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from vmsgen.diagnostics import Diagnostic
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.emit.asn1.check import check_asn1, check_definitions
from vmsgen.settings import LOCK, Project, shipped_specs, shown
from vmsgen.spec.asks import Rest
from vmsgen.spec.compile import Compiled, compile_specs
from vmsgen.spec.ignores import Ignores
from vmsgen.spec.known import Known
from vmsgen.spec.lock import FIRST_LIBRARY_TAG, FIRST_TAG, assign, read_lock, with_library_tags
from vmsgen.spec.model import Model


@dataclass(frozen=True, slots=True)
class Compilation:
    """The specs of a project as a model with its tags, and the new text of the lock; both None when there are
    errors. ``ignored`` are the findings that comments in the specs ignore, ``ignores`` those comments."""

    diagnostics: tuple[Diagnostic, ...]
    ignored: tuple[Diagnostic, ...]
    ignores: Ignores
    model: Model | None = None
    lock: str | None = None
    #: see :class:`vmsgen.spec.compile.Compiled`
    known: tuple[Known, ...] = ()
    order: tuple[str, ...] = ()


def compile_project(project: Project, rest: Rest | None = None, others: Collection[str] = ()) -> Compilation:
    """Reads the specs of a project; nothing is emitted or written.

    With ``rest`` only some of them, as :func:`vmsgen.spec.compile.compile_specs` does; ``others`` are the ASN.1 names
    of the definitions in files that were not read.
    """
    reporter = Reporter()
    library = None if project.is_library else shipped_specs()
    compiled = compile_specs(project.specs, library=library, shown_root=shown(project), rest=rest)
    names = check_definitions(compiled.model) if compiled.model is not None else []
    for diagnostic in (*compiled.diagnostics, *names):
        reporter.add(diagnostic)
    old = read_lock(_near(project.specs / LOCK), reporter)
    if compiled.model is None or reporter.has_errors:
        return _compilation(reporter, compiled)
    model = compiled.model
    if library is not None:
        model = with_library_tags(model, read_lock(_near(library / LOCK), reporter))
    first = FIRST_LIBRARY_TAG if project.is_library else FIRST_TAG
    model, lock = assign(model, old, reporter, first=first, others=others)
    for diagnostic in check_asn1(model):
        reporter.add(diagnostic)
    good = not reporter.has_errors
    return _compilation(reporter, compiled, model if good else None, lock.render() if good else None)


def _compilation(
    reporter: Reporter, compiled: Compiled, model: Model | None = None, lock: str | None = None
) -> Compilation:
    """What was found, with the findings that comments ignore put aside."""
    found = reporter.diagnostics
    ignores = Ignores()
    left = ignores.without(found)
    kept = {id(diagnostic) for diagnostic in left}
    ignored = tuple(diagnostic for diagnostic in found if id(diagnostic) not in kept)
    return Compilation(tuple(left), ignored, ignores, model, lock, compiled.known, compiled.order)


def _near(path: Path) -> Path:
    """The path as messages show it: from where one stands."""
    return Path(os.path.relpath(path))
