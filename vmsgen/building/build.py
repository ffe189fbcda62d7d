"""``vmsgen build`` as a function: specs in, everything generated out, or what differs from it.

Nothing is written unless everything could be made; the files of the output folder and the lock of the tags are then
replaced together.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from dataclasses import dataclass

from vmsgen.building.compilation import Compilation, compile_project
from vmsgen.building.incremental import Made, build_changed, make_all
from vmsgen.building.inputs import Inputs, read_inputs
from vmsgen.building.publish import Difference, compare, stage, unified_diff, with_manifest
from vmsgen.building.snapshot import load_snapshot, save_snapshot
from vmsgen.building.staging import transaction
from vmsgen.diagnostics import Diagnostic, Severity
from vmsgen.settings import LOCK, Project

__all__ = ["Compilation", "Outcome", "build", "compile_project", "make"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a build did, or with ``check`` would have done."""

    diagnostics: tuple[Diagnostic, ...]
    failed: bool
    differences: tuple[Difference, ...] = ()
    #: the lock lacks tags (they were added, without ``check``)
    lock_changed: bool = False
    diff: str = ""
    files: int = 0

    @property
    def up_to_date(self) -> bool:
        """Whether everything was as the specs say."""
        return not self.failed and not self.differences and not self.lock_changed


def make(project: Project, compiled: Compilation) -> dict[str, str]:
    """Everything that is generated from a project that was compiled without errors, by path, with its manifest.

    Raises TemplateError and SchemaError.
    """
    return _with_manifest(make_all(project, compiled))


def build(
    project: Project, *, check: bool = False, diff: bool = False, full: bool = False, inputs: Inputs | None = None
) -> Outcome:
    """Makes everything and publishes it; with ``check`` or ``diff`` only says what would change.

    What has not changed since the last build is not made again, unless ``full``. ``inputs`` are the project's, if they
    were read just now. Raises PublishError, StagingError, TemplateError, SchemaError and OSError when the job cannot
    be done; bad specs are diagnostics.
    """
    with _without_collector():
        # (inputs before the specs are read: what changes meanwhile is made the next time)
        return _build(project, inputs or read_inputs(project), dry=check or diff, diff=diff, full=full)


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Nearly all that a build makes lives to its end: looking for garbage in it takes a tenth of its time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _build(project: Project, inputs: Inputs, *, dry: bool, diff: bool, full: bool) -> Outcome:
    last = {} if full else load_snapshot(project, inputs)
    made = build_changed(project, inputs, last) if last else None
    if made is None:
        compiled = compile_project(project)
        if compiled.model is None or compiled.lock is None:
            return Outcome(compiled.diagnostics, failed=True)
        made = make_all(project, compiled, inputs)
    # findings are to be said again the next time, so a build that had some is never taken for the last word
    warned = any(found.severity is not Severity.NOTE for found in made.diagnostics)
    texts = _with_manifest(made, "" if warned else inputs.with_lock(made.lock.encode()))
    lock = {LOCK: made.lock}
    lock_changes = compare(project.specs, lock, manifest=False)
    text = ""
    if dry:
        differences = compare(project.output, texts, kept=made.kept)
        if diff:
            text = unified_diff(project.output, texts, differences) + unified_diff(project.specs, lock, lock_changes)
    else:
        with transaction() as change:
            if lock_changes:
                change.write(project.specs, LOCK, made.lock.encode())
            differences = stage(project.output, texts, change, made.kept)
            change.commit()
        if made.records is not None:
            save_snapshot(project, inputs, made.records)
    return Outcome(
        made.diagnostics,
        failed=False,
        differences=tuple(differences),
        lock_changed=bool(lock_changes),
        diff=text,
        files=len(texts) + len(made.kept),
    )


def _with_manifest(made: Made, inputs: str = "") -> dict[str, str]:
    specs = {unit["source"]: unit["digest"] for unit in made.units.values() if not unit["external"]}
    return with_manifest(made.texts, specs=specs, templates=made.templates, inputs=inputs, kept=made.kept)
