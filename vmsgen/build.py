"""``vmsgen build`` as a function: specs in, everything generated out, or what differs from it.

Nothing is written unless everything could be made; the files of the output folder and the lock of the tags are then
replaced together.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from vmsgen.diagnostics import Diagnostic, Severity
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.emit.asn1.check import check_asn1, check_definitions
from vmsgen.emit.templates import TemplateError, Templates
from vmsgen.emit.tree import emit
from vmsgen.inputs import digest_inputs, with_lock
from vmsgen.publish import Difference, compare, stage, unified_diff, with_manifest
from vmsgen.settings import LOCK, Project, shipped_specs, shown
from vmsgen.spec.compile import compile_specs
from vmsgen.spec.ignores import Ignores
from vmsgen.spec.lock import FIRST_LIBRARY_TAG, FIRST_TAG, assign, read_lock, with_library_tags
from vmsgen.spec.model import Model
from vmsgen.staging import transaction


@dataclass(frozen=True, slots=True)
class Compilation:
    """The specs of a project as a model with its tags, and the new text of the lock; both None when there are
    errors. ``ignored`` are the findings that comments in the specs ignore, ``ignores`` those comments."""

    diagnostics: tuple[Diagnostic, ...]
    ignored: tuple[Diagnostic, ...]
    ignores: Ignores
    model: Model | None = None
    lock: str | None = None


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


def compile_project(project: Project) -> Compilation:
    """Reads the specs of a project; nothing is emitted or written."""
    reporter = Reporter()
    library = None if project.is_library else shipped_specs()
    compiled = compile_specs(project.specs, library=library, shown_root=shown(project))
    names = check_definitions(compiled.model) if compiled.model is not None else []
    for diagnostic in (*compiled.diagnostics, *names):
        reporter.add(diagnostic)
    old = read_lock(_near(project.specs / LOCK), reporter)
    if compiled.model is None or reporter.has_errors:
        return _compilation(reporter)
    model = compiled.model
    if library is not None:
        model = with_library_tags(model, read_lock(_near(library / LOCK), reporter))
    first = FIRST_LIBRARY_TAG if project.is_library else FIRST_TAG
    model, lock = assign(model, old, reporter, first=first)
    for diagnostic in check_asn1(model):
        reporter.add(diagnostic)
    return _compilation(reporter) if reporter.has_errors else _compilation(reporter, model, lock.render())


def _compilation(reporter: Reporter, model: Model | None = None, lock: str | None = None) -> Compilation:
    """What was found, with the findings that comments ignore put aside."""
    found = reporter.diagnostics
    ignores = Ignores()
    left = ignores.without(found)
    kept = {id(diagnostic) for diagnostic in left}
    ignored = tuple(diagnostic for diagnostic in found if id(diagnostic) not in kept)
    return Compilation(tuple(left), ignored, ignores, model, lock)


def make(project: Project, model: Model, inputs: str = "") -> dict[str, str]:
    """Everything that is generated from a model, by path, with its manifest. Raises TemplateError."""
    templates = Templates(project.templates)
    if unknown := templates.unknown():
        raise TemplateError(f"{project.templates} replaces nothing with {', '.join(sorted(unknown))}")
    texts = emit(model, templates)
    if any(name.startswith("python/") for name in templates.overridden()):
        texts = _formatted(texts)
    specs = {module.source_path: module.digest for module in model.modules if not module.external}
    return with_manifest(texts, specs=specs, templates=templates.digest(), inputs=inputs)


def build(project: Project, *, check: bool = False, diff: bool = False) -> Outcome:
    """Makes everything and publishes it; with ``check`` or ``diff`` only says what would change.

    Raises PublishError, StagingError, TemplateError and OSError when the job cannot be done; bad specs are
    diagnostics.
    """
    inputs = digest_inputs(project)  # before they are read: what changes meanwhile is made the next time
    compiled = compile_project(project)
    if compiled.model is None or compiled.lock is None:
        return Outcome(compiled.diagnostics, failed=True)
    # warnings are to be said again the next time, so a build that had some is never taken for the last word
    warned = any(found.severity is not Severity.NOTE for found in compiled.diagnostics)
    last = "" if warned else with_lock(inputs, compiled.lock.encode())
    texts = make(project, compiled.model, last)
    lock = {LOCK: compiled.lock}
    lock_changes = compare(project.specs, lock, manifest=False)
    text = ""
    if check or diff:
        differences = compare(project.output, texts)
        if diff:
            text = unified_diff(project.output, texts, differences) + unified_diff(project.specs, lock, lock_changes)
    else:
        with transaction() as change:
            if lock_changes:
                change.write(project.specs, LOCK, compiled.lock.encode())
            differences = stage(project.output, texts, change)
            change.commit()
    return Outcome(
        compiled.diagnostics,
        failed=False,
        differences=tuple(differences),
        lock_changed=bool(lock_changes),
        diff=text,
        files=len(texts),
    )


def _near(path: Path) -> Path:
    """The path as messages show it: from where one stands."""
    return Path(os.path.relpath(path))


def _formatted(texts: dict[str, str]) -> dict[str, str]:
    """Python files through black: only needed when a template of somebody else's printed them."""
    import black
    from black.parsing import InvalidInput

    mode = black.Mode()
    made: dict[str, str] = {}
    for path, text in texts.items():
        made[path] = text
        if path.endswith(".py"):
            try:
                made[path] = black.format_str(text, mode=mode)
            except InvalidInput as error:
                raise TemplateError(f"{path}, made by a replaced template, is not Python: {error}") from error
    return made
