"""An import into a folder of specs: what is written by hand there stays as it is, what is missing is added.

The new files are compiled together with those that are there before anything is written; a state whose spec does not
compile is left out, with the reason. Publication is all or nothing, and never leaves the folder.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from vmsgen.building.build import compile_project
from vmsgen.building.publish import PublishError, compare
from vmsgen.building.staging import transaction
from vmsgen.diagnostics import Diagnostic, Severity, Span
from vmsgen.qemu.drafts import make_drafts
from vmsgen.qemu.existing import Existing, joined
from vmsgen.qemu.files import Filer
from vmsgen.qemu.importer import VIEWS, Gathered, rank_of
from vmsgen.qemu.news import News, news_of
from vmsgen.qemu.plan import Plan
from vmsgen.qemu.yaml_text import spec_text
from vmsgen.settings import OUTPUT, SPECS, Project, shipped_specs
from vmsgen.spec.compile import LOCK, compile_specs
from vmsgen.spec.loader import LIBRARY_PREFIX
from vmsgen.spec.model import Model
from vmsgen.stream.transport.part import named, scratch_name

__all__ = ["FolderImport", "SpecsError", "plan_import", "publish"]

_ROUNDS = 20


class SpecsError(Exception):
    """The specs in the folder have errors, so that nothing can be added to them."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("the specs that are there have errors")
        self.diagnostics = tuple(diagnostics)


@dataclass
class FolderImport:
    """``texts``: the new files by path, with ``.yaml``. ``described``: states left to the specs that there are.

    ``open``: questions that stay open, by path; ``left_out``: files that could not be made, with the reason.
    """

    texts: dict[str, str] = field(default_factory=dict)
    states: int = 0
    bodies: int = 0
    described: list[str] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    open: dict[str, int] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def plan_import(
    gathered: Gathered,
    folder: Path,
    *,
    everything: bool = False,
    places: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> FolderImport:
    """What an import of these sources adds to ``folder``, which need not be there yet; nothing is written.

    States that the shipped library has are made again only with ``everything``; its types are imported anyway.
    Raises SpecsError, PublishError for a path that cannot be written, LimitError, OSError.
    """
    library = shipped_specs()
    is_library = library is not None and folder.is_dir() and folder.samefile(library)
    tops = {body.name for body, seen in gathered.sightings if any(one.top for one in seen)}
    own = Existing.of_model(_compiled(folder)) if folder.is_dir() else Existing()
    existing = own
    if library is not None and not is_library:
        shipped = _shipped(library)
        existing = joined((own, shipped.without_states(tops) if everything else shipped))
    progress("merging")
    drafts = make_drafts(gathered.sightings, rank_of(gathered.sightings))
    views = {name: module if is_library else f"{LIBRARY_PREFIX}{module}" for name, module in VIEWS.items()}
    plans = Filer(drafts, views if library is not None else {}, existing, places).plans()
    found = FolderImport(
        states=len(tops),
        bodies=sum(1 for _ in gathered.sightings),
        described=sorted(tops & existing.states.keys()),
        news=news_of(drafts, existing),
    )
    progress("compiling")
    _try(found, plans, folder)
    return found


def publish(found: FolderImport, folder: Path) -> None:
    """Writes the new files, all or none of them. Raises PublishError, StagingError, OSError."""
    taken = [each.path for each in compare(folder, found.texts, manifest=False) if each.kind != "missing"]
    if taken:
        raise PublishError(f"{folder / taken[0]} is there and is no spec of these states; nothing was written")
    with transaction() as change:
        for path, text in found.texts.items():
            change.write(folder, path, text.encode())
        change.commit()


@cache
def _shipped(library: Path) -> Existing:
    return Existing.of_model(_compiled(library), prefix=LIBRARY_PREFIX)


def _compiled(folder: Path) -> Model:
    library = shipped_specs()
    alone = library is not None and folder.samefile(library)
    compiled = compile_specs(folder, library=None if alone else library)
    if compiled.model is None:
        raise SpecsError([each for each in compiled.diagnostics if each.severity is Severity.ERROR])
    return compiled.model


def _try(found: FolderImport, plans: Sequence[Plan], folder: Path) -> None:
    """Compiles the plans beside the specs that are there; what has errors is left out, with what needs it."""
    left = {f"{plan.path}.yaml": plan for plan in plans}
    compare(folder, dict.fromkeys(left, ""), manifest=False)  # (paths that cannot be written)
    with tempfile.TemporaryDirectory(prefix="vmsgen-import-") as name:
        root = Path(name).resolve() / SPECS
        with named(scratch_name()):
            root.mkdir()
            _copy(folder, root)
            for path, plan in left.items():
                place = root / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(spec_text(plan))
        for _ in range(_ROUNDS):
            diagnostics = _own(compile_project(Project(root.parent, root, root.parent / OUTPUT)).diagnostics)
            bad = _blamed(diagnostics, left)
            if not bad:
                break
            for path, reason in _with_users(bad, left).items():
                found.left_out.append((path, reason))
                del left[path]
                (root / path).unlink()
        else:
            found.left_out += [(path, "it does not compile beside the others") for path in left]
            left.clear()
            diagnostics = []
        found.texts = {path: (root / path).read_text() for path in left}
    for each, files in diagnostics:
        if each.rule == "unknown/open" and files[0] in left:
            found.open[files[0]] = found.open.get(files[0], 0) + 1


def _copy(folder: Path, root: Path) -> None:
    """Specs and hooks, as the compiler finds them."""
    for pattern in ("*.yaml", "*.py", LOCK):
        for path in folder.rglob(pattern):
            below = path.relative_to(folder)
            if path.is_file() and not any(part.startswith(".") for part in below.parts):
                (root / below).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, root / below)


def _own(diagnostics: Sequence[Diagnostic]) -> list[tuple[Diagnostic, list[str]]]:
    """Findings with the files that they are in or point at, as paths below the folder of the specs."""
    return [
        (each, [_below(span) for span in (each.span, *(note.span for note in each.notes if note.span is not None))])
        for each in diagnostics
    ]


def _below(span: Span) -> str:
    return span.file.path.removeprefix(f"{SPECS}/")


def _blamed(diagnostics: Sequence[tuple[Diagnostic, list[str]]], new: Mapping[str, Plan]) -> dict[str, str]:
    """The new files that errors are in, or point at."""
    bad: dict[str, str] = {}
    for each, files in diagnostics:
        if each.severity is not Severity.ERROR:
            continue
        blamed = next((path for path in files if path in new), None)
        if blamed is None:
            raise SpecsError([each])
        bad.setdefault(blamed, each.message)
    return bad


def _with_users(bad: dict[str, str], new: Mapping[str, Plan]) -> dict[str, str]:
    """``bad`` and every new file that imports one of them."""
    found = dict(bad)
    grown = True
    while grown:
        grown = False
        for path, plan in new.items():
            needs = next((f"{module}.yaml" for module in plan.imports if f"{module}.yaml" in found), None)
            if path not in found and needs is not None:
                found[path] = f"it needs {needs}, which is left out"
                grown = True
    return found
