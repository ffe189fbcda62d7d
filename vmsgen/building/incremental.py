"""A build of what has changed: the result is that of a full one, or None where a full one is needed.

A module is *dirty* if something changed that it is made from: its files, its lines in the lock of the tags, its
generated files, or a module that it imports, at any distance. Dirty modules are compiled with what they import, and
generated; of all others the last build's records tell what the common files need, and their own files stay.

What runs against the direction of imports makes more modules dirty: those of which others now want something else
(:mod:`vmsgen.spec.asks`), and those that share the name of a state with one. Whatever is wrong, and whatever concerns
all files at once (names that meet, a number of the lock that moves), is left to the full build, which reports all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vmsgen.building.compilation import Compilation, compile_project
from vmsgen.building.inputs import Inputs
from vmsgen.building.publish import as_written
from vmsgen.building.snapshot import Record
from vmsgen.diagnostics import Diagnostic, Severity
from vmsgen.emit.asn1 import SchemaError
from vmsgen.emit.parallel import render_all
from vmsgen.emit.python.layout import remember_splits
from vmsgen.emit.templates import TemplateError, Templates
from vmsgen.emit.units import Unit, assemble, emitted
from vmsgen.settings import LOCK, Project
from vmsgen.spec.asks import Ask, Rest, home
from vmsgen.spec.known import Known
from vmsgen.spec.loader import LIBRARY_PREFIX, is_machine
from vmsgen.spec.lock import lines_by_definition
from vmsgen.spec.model import Model, Module

_SUFFIX = ".yaml"
#: Of more modules than this share of all, a full build is made at once.
LARGEST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Made:
    """What a build comes to, before it is published."""

    diagnostics: tuple[Diagnostic, ...]
    #: by module, in the order of the model
    units: Mapping[str, Unit]
    #: files by path, without the manifest
    texts: Mapping[str, str]
    #: files that are on disk as they should be: path -> sha256
    kept: Mapping[str, str]
    #: the text of the lock, and the digest of the templates
    lock: str
    templates: str
    #: for the next build; None if it has to start anew
    records: Mapping[str, Record] | None = None


def make_all(project: Project, compiled: Compilation, inputs: Inputs | None = None) -> Made:
    """Everything that is generated from a project that was compiled without errors; with the records for the next build
    if ``inputs`` says what this one was made from. Raises TemplateError and SchemaError.
    """
    assert compiled.model is not None and compiled.lock is not None
    templates = _templates(project)
    rendered = {each.unit["path"]: each for each in render_all(compiled.model, compiled.model.modules, templates)}
    units = {path: each.unit for path, each in rendered.items()}
    shared = assemble(list(units.values()), templates)
    texts = {
        path: text for unit in emitted(list(units.values())) for path, text in rendered[unit["path"]].texts.items()
    }
    records = None if inputs is None else _records(compiled, units, inputs)
    return Made(compiled.diagnostics, units, texts | shared, {}, compiled.lock, templates.digest(), records)


def build_changed(project: Project, inputs: Inputs, last: Mapping[str, Record]) -> Made | None:
    """What a full build would make, from the records of the last one. Raises TemplateError, PublishError, OSError."""
    work = _Changed(project, inputs, last)
    compiled = work.compile()
    return None if compiled is None else work.make(compiled)


@dataclass
class _Changed:
    project: Project
    inputs: Inputs
    last: Mapping[str, Record]
    #: modules that are not as the last build left them, and all that import them
    dirty: set[str] = field(init=False)
    removed: set[str] = field(init=False)
    #: files of the last build that are on disk as it wrote them
    intact: set[str] = field(init=False)
    #: the lock as it is, by definition
    lock: dict[str, str] = field(init=False)
    #: something is new that is left to a full build
    refused: bool = field(init=False)

    def __post_init__(self) -> None:
        present = {path.removesuffix(_SUFFIX) for path in self.inputs.specs if path.endswith(_SUFFIX)}
        own = {path for path, record in self.last.items() if not record["known"]["external"]}
        self.removed = own - present
        written = {
            path: digest
            for unit in emitted([record["unit"] for record in self.last.values()])
            for path, digest in unit["files"].items()
        }
        self.intact = as_written(self.project.output, written)
        self.lock = lines_by_definition(_lock_of(self.project))
        self.dirty = present - own
        # what a full build takes for a mistake in the specs, and facts that all files see
        self.refused = any(is_machine(path) or path.startswith(LIBRARY_PREFIX) for path in self.dirty)
        self.spread(path for path, record in self.last.items() if path in self.removed or self._differs(record))
        self.spread(self._of_one_name(self.clean(), {}))

    def _differs(self, record: Record) -> bool:
        files = record["unit"]["files"]
        return (
            record["warned"]
            or any(self.inputs.specs.get(path) != digest for path, digest in record["reads"].items())
            or (
                not record["known"]["external"]
                and (record["tags"] != _tags(record["known"], self.lock) or not self.intact.issuperset(files))
            )
        )

    def spread(self, changed: Iterable[str]) -> None:
        """Makes modules dirty, and what imports them."""
        importers: dict[str, list[str]] = {}
        for path, record in self.last.items():
            for target in record["known"]["targets"]:
                importers.setdefault(target, []).append(path)
        queue = list(changed)
        while queue:
            path = queue.pop()
            if path not in self.dirty:
                self.dirty.add(path)
                queue += importers.get(path, ())

    def clean(self) -> dict[str, Known]:
        """What is known of the modules that are as they were."""
        return {path: record["known"] for path, record in self.last.items() if path not in self.dirty}

    # ------------------------------------------------------------------------------------------ compiling

    def compile(self) -> Compilation | None:
        """The dirty modules and what they import, when no other has become dirty by what they say now."""
        while True:
            only = {path for path in self.dirty - self.removed if not self._external(path)}
            if self.refused or len(only) > LARGEST_SHARE * len(self.last):
                return None
            clean = self.clean()
            rest = Rest(
                only,
                {path: known["targets"] for path, known in clean.items()},
                {path: [_ask(ask) for ask in known["asks"]] for path, known in clean.items()},
            )
            others = [name for known in clean.values() if not known["external"] for name in known["asn1_names"]]
            compiled = compile_project(self.project, rest, others)
            if compiled.model is None:
                return None
            fresh = {known["path"]: known for known in compiled.known if known["path"] not in clean}
            # of the library: what nobody needs any more
            left = {path for path, known in clean.items() if known["external"]} - _live({**clean, **fresh})
            self.removed |= left
            more = self._asked_otherwise(clean, fresh) | self._of_one_name(clean, fresh) | left
            if not more:
                return self._checked(compiled, clean, fresh)
            self.spread(more)

    def _external(self, path: str) -> bool:
        return path in self.last and self.last[path]["known"]["external"]

    def _asked_otherwise(self, clean: Mapping[str, Known], fresh: Mapping[str, Known]) -> set[str]:
        """Modules of which something is wanted that was not, or is not any more."""
        before = {_ask(ask) for record in self.last.values() for ask in record["known"]["asks"]}
        now = {_ask(ask) for known in (*clean.values(), *fresh.values()) for ask in known["asks"]}
        return {home(target) for _, target, _ in before ^ now} & clean.keys()

    def _of_one_name(self, clean: Mapping[str, Known], fresh: Mapping[str, Known]) -> set[str]:
        """Modules with a state that has, or had, its name in common with one that is dirty."""
        was = [self.last[path]["known"] for path in (self.dirty | self.removed) & self.last.keys()]
        names = {name for known in (*was, *fresh.values()) for name in known["wire_names"]}
        return {path for path, known in clean.items() if not names.isdisjoint(known["wire_names"])}

    def _checked(
        self, compiled: Compilation, clean: Mapping[str, Known], fresh: Mapping[str, Known]
    ) -> Compilation | None:
        """The compilation, if it touches nothing that belongs to other modules."""
        assert compiled.model is not None
        taken = {_folded(name) for known in clean.values() for name in known["asn1_names"]}
        if not taken.isdisjoint(_folded(name) for known in fresh.values() for name in known["asn1_names"]):
            return None
        lines = lines_by_definition(compiled.lock or "")
        if any(
            self.last[path]["tags"] != _tags(known, lines) for path, known in clean.items() if not known["external"]
        ):
            return None
        for module in compiled.model.modules:
            # (a number that the library's lock lacks depends on which of its files are compiled)
            if module.external and self._tags_before(module) != _numbers(compiled.model, module):
                return None
        for path in fresh:
            for definition in compiled.model.module(path).definitions:
                if definition.tag is not None and definition.asn1_name not in self.lock:
                    return None  # it may be somebody else's
        return compiled

    def _tags_before(self, module: Module) -> str | None:
        return self.last[module.path]["tags"] if module.path in self.last else None

    # ------------------------------------------------------------------------------------------ generating

    def make(self, compiled: Compilation) -> Made | None:
        """Everything, from what was compiled and what is known of the rest."""
        assert compiled.model is not None and compiled.lock is not None
        clean = self.clean()
        templates = _templates(self.project)
        dirty = [module for module in compiled.model.modules if module.path not in clean]
        for module in dirty:
            if module.path in self.last:
                remember_splits(self.last[module.path]["unit"]["splits"])
        rendered = {each.unit["path"]: each for each in render_all(compiled.model, dirty, templates)}
        fresh = [known for known in compiled.known if known["path"] in rendered]
        live = _live({**clean, **{known["path"]: known for known in fresh}})
        order = [path for path in compiled.order if path in live]
        units = {path: rendered[path].unit if path in rendered else self.last[path]["unit"] for path in order}
        names = {unit["schema"]["name"].casefold() for unit in units.values()}
        try:
            shared = assemble(list(units.values()), templates)
        except SchemaError:
            return None  # names that meet are errors in the specs, which a full build reports where they stand
        texts: dict[str, str] = {}
        kept: dict[str, str] = {}
        for unit in emitted(list(units.values())):
            if unit["path"] in rendered:
                texts.update(rendered[unit["path"]].texts)
            else:
                kept.update(unit["files"])
        if len(names) < len(units) or not texts.keys().isdisjoint(kept) or not self.intact.issuperset(kept):
            return None
        shown = {known["shown"] for known in fresh}
        # (of the others, which want nothing else of each other than before, nothing is left to say)
        findings = tuple(found for found in compiled.diagnostics if found.span.file.path in shown)
        new = _records(compiled, {path: each.unit for path, each in rendered.items()}, self.inputs)
        if new is None:
            return None
        records = {path: new[path] if path in rendered else self.last[path] for path in order}
        kept = {path: digest for path, digest in kept.items() if path not in shared}
        return Made(findings, units, texts | shared, kept, compiled.lock, templates.digest(), records)


def _records(compiled: Compilation, units: Mapping[str, Unit], inputs: Inputs) -> dict[str, Record] | None:
    """What the next build has to know of each module that was compiled and generated; None if there are findings about
    something else, which only a full build would say again.
    """
    assert compiled.model is not None
    modules = {known["shown"]: known["path"] for known in compiled.known}
    places = {found.span.file.path for found in compiled.diagnostics if found.severity is not Severity.NOTE}
    if not places <= modules.keys():
        return None
    warned = {modules[place] for place in places}
    lines = lines_by_definition(compiled.lock or "")
    return {
        known["path"]: Record(
            known=known,
            unit=units[known["path"]],
            reads={} if known["external"] else {path: inputs.specs.get(path, "") for path in known["reads"]},
            tags=_numbers(compiled.model, compiled.model.module(known["path"]))
            if known["external"]
            else _tags(known, lines),
            warned=known["path"] in warned,
        )
        for known in compiled.known
        if known["path"] in units
    }


def _templates(project: Project) -> Templates:
    templates = Templates(project.templates)
    if unknown := templates.unknown():
        raise TemplateError(f"{project.templates} replaces nothing with {', '.join(sorted(unknown))}")
    return templates


def _live(known: Mapping[str, Known]) -> set[str]:
    """The project's own modules, and what they need of the library."""
    live: set[str] = set()
    queue = [path for path, found in known.items() if not found["external"]]
    while queue:
        path = queue.pop()
        if path not in live and path in known:
            live.add(path)
            queue += known[path]["targets"]
    return live


def _ask(written: Iterable[str]) -> Ask:
    kind, target, name = written
    return kind, target, name


def _folded(name: str) -> str:
    """Equal for names of ASN.1 that meet: with case folded, and a definition with the type of its subsections."""
    return name.casefold().removesuffix("-subsections")


def _tags(known: Known, lines: Mapping[str, str]) -> str:
    """Digest of the lines of a lock that are about a module's definitions."""
    return hashlib.sha256("\n".join(lines.get(name, "") for name in sorted(known["asn1_names"])).encode()).hexdigest()


def _numbers(model: Model, module: Module) -> str:
    """Digest of the tags of a module of the library, as its own lock has them."""
    tags = [(each.asn1_name, model.tags.get(each.asn1_name)) for each in module.definitions]
    return hashlib.sha256(repr(tags).encode()).hexdigest()


def _lock_of(project: Project) -> str:
    try:
        return (project.specs / LOCK).read_text("utf-8", "replace")
    except FileNotFoundError:
        return ""
