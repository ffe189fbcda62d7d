"""Compiling a folder of specs: files in, a model and diagnostics out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vmsgen.diagnostics import Diagnostic, Severity
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.asks import Rest
from vmsgen.spec.freeze import freeze
from vmsgen.spec.known import Known, known_of
from vmsgen.spec.loader import Loaded, load
from vmsgen.spec.lock import read_lock, with_library_tags
from vmsgen.spec.model import Model
from vmsgen.spec.passes import run_passes
from vmsgen.spec.resolver import resolve

#: The file of the tags, beside the specs that it belongs to.
LOCK = "tags.lock"


@dataclass(frozen=True)
class Compiled:
    """``model`` is None when there are errors; ``diagnostics`` holds warnings as well, by file, line and column.

    ``known`` is what a later compilation of other files has to know of those that were compiled; ``order`` are all
    modules in the order of the model, those that were not compiled among them.
    """

    model: Model | None
    diagnostics: list[Diagnostic]
    known: tuple[Known, ...] = ()
    order: tuple[str, ...] = ()


def compile_specs(
    root: Path, *, library: Path | None = None, shown_root: str | None = None, rest: Rest | None = None
) -> Compiled:
    """Compile every ``*.yaml`` below ``root``; with ``rest`` only those that it names and what they import, as if all
    were compiled.

    ``library`` is the folder of the shipped specs: ``qemu/...`` imports come from it, and its ``machine.yaml`` serves a
    root that has none. ``shown_root`` is how messages name the root. Nothing is raised for any content of the files.
    """
    reporter = Reporter()
    loaded = load(root, library, shown_root, reporter, rest)
    known: tuple[Known, ...] = ()
    try:
        resolved = resolve(loaded, reporter, rest)
        run_passes(resolved, reporter)
        model = freeze(resolved) if not reporter.has_errors else None
        known = known_of(resolved) if model is not None else ()
    except RecursionError:
        # Nesting is bounded everywhere; this is left for structs that look into each other hundreds of levels deep.
        place = next(file.decl.span for file in loaded.files.values())
        reporter.error("spec/value", "the definitions of these specs look into each other too deeply", place)
        model = None
    if model is not None and library is not None and any(module.external for module in model.modules):
        # The library's classes are imported, not made again: they keep the tags that the library was built with.
        model = with_library_tags(model, read_lock(library / LOCK, reporter))
    return Compiled(model, [d for d in reporter.diagnostics if not _of_library(d, loaded)], known, loaded.order)


def _of_library(diagnostic: Diagnostic, loaded: Loaded) -> bool:
    """Whether a finding is lint of a shipped spec, which whoever imports it can do nothing about."""
    shipped = {file.decl.source for file in loaded.files.values() if file.external}
    return diagnostic.severity is not Severity.ERROR and diagnostic.span.file in shipped
