"""The lint of a project: what a build finds and what the checks find, without what was ignored or not selected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from vmsgen.building.build import compile_project
from vmsgen.diagnostics import Diagnostic, Severity
from vmsgen.diagnostics.reporter import Reporter, ordered
from vmsgen.lint.checks import CHECKS
from vmsgen.lint.selection import Selection
from vmsgen.lint.subject import Subject
from vmsgen.settings import Project, shown

UNKNOWN = "unknown/open"


@dataclass(frozen=True)
class Findings:
    """What was found, by place. ``unknowns`` are the open questions by file, ``files`` the specs looked at."""

    diagnostics: tuple[Diagnostic, ...]
    unknowns: dict[str, int]
    files: int

    @property
    def failed(self) -> bool:
        """Whether anything is an error or a warning: a note alone is none."""
        return any(one.severity is not Severity.NOTE for one in self.diagnostics)


def lint(project: Project, selection: Selection, *, only: Collection[Path] = ()) -> Findings:
    """Look at the specs of a project.

    ``only`` are files and folders (absolute) that findings are wanted of; every spec is read all the same, since they
    need each other. With errors in the specs there are these, and of the rest what could be found in spite of them.
    """
    compiled = compile_project(project)
    ignores = compiled.ignores
    found = [one for one in compiled.diagnostics if one.severity is Severity.ERROR or one.rule in selection]
    sources = {one.span.file for one in (*compiled.diagnostics, *compiled.ignored)}
    if compiled.model is not None:
        subject = Subject(compiled.model, project.is_library)
        reporter = Reporter()
        for check, rules in CHECKS:
            if any(rule in selection for rule in rules):
                check(subject, reporter)
        found += ignores.without(one for one in reporter.diagnostics if one.rule in selection)
        sources = {module.span.file for module in subject.modules}
        for source in sources:
            for ignore in ignores.of(source):
                # one whose rule was not looked for may be of use the next time
                if not ignore.used and ignore.rule in selection:
                    ignores.reporter.warning(
                        "ignore/unused", f"nothing here is found by `{ignore.rule}`", ignore.span, help="delete it"
                    )
    found += [one for one in ignores.reporter.diagnostics if one.rule in selection]
    if only:
        found = [one for one in found if _below(_place(one.span.file.path, project), only)]
    unknowns: dict[str, int] = defaultdict(int)
    for one in found:
        if one.rule == UNKNOWN:
            unknowns[one.span.file.path] += 1
    if not selection.names(UNKNOWN):
        found = list(_counted(ordered(found), unknowns))
    paths = {source.path for source in sources}
    files = sum(not only or _below(_place(path, project), only) for path in paths)
    return Findings(tuple(ordered(found)), dict(unknowns), files)


def _counted(found: Iterable[Diagnostic], unknowns: dict[str, int]) -> Iterable[Diagnostic]:
    """The findings with one for all the open questions of a file, at the first."""
    seen: set[str] = set()
    for one in found:
        path = one.span.file.path
        if one.rule != UNKNOWN:
            yield one
        elif path not in seen:
            seen.add(path)
            number = unknowns[path]
            yield one if number == 1 else replace(one, message=f"{number} open questions in this file, the first here")


def _place(shown_path: str, project: Project) -> Path:
    """The file that a message names."""
    folder = f"{shown(project)}/"
    if shown_path.startswith(folder):
        return project.specs / shown_path.removeprefix(folder)
    return Path(shown_path).resolve()


def _below(path: Path, only: Collection[Path]) -> bool:
    return any(path == one or path.is_relative_to(one) for one in only)
