"""The lock of the tags: which number each state and each component has in BER, for ever.

``tags.lock`` stands beside the specs, is written by the build and checked in. Its first line is :data:`HEADER`; every
other line is a name and a number, sorted: ``VmHpet 20031`` is an APPLICATION tag, ``VmHpet.config 0`` the context tag
of a component (a field by its Python name, or ``<subsections>``, ``<version>``, ``<facts>``, ``<kept>``), and
``VmHpet-Subsections.offset 1`` that of a subsection. A line stays when what it names is gone, so that its number is
never given to anything else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from vmsgen.diagnostics import Note, SourceFile, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.model import Definition, Model, Module, Tags
from vmsgen.spec.names import asn1_type_name, asn1_type_part, python_name

HEADER = "# vmsgen tags.lock 1: numbers once given never change"
#: The largest number of a tag: four digits of base 128, what every BER library takes.
MAX_TAG = (1 << 28) - 1
#: First APPLICATION tag of the shipped states, and of everybody else's.
FIRST_LIBRARY_TAG = 20001
FIRST_TAG = 30000
#: A lock larger than this was not written by vmsgen.
MAX_CHARACTERS = 16 * 1024 * 1024

_LINE = re.compile(r"(?P<name>Vm[0-9A-Za-z-]+(?:\.(?:[A-Za-z_][0-9A-Za-z_]*|<[a-z]+>))?) (?P<number>[0-9]{1,9})\Z")


@dataclass(frozen=True)
class Lock:
    """Names and numbers, and the file and line that each was read from."""

    numbers: Mapping[str, int] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)
    file: SourceFile = field(default=SourceFile("tags.lock", ""), compare=False)

    def span(self, name: str) -> Span | None:
        """Where a name stands; None if it is new."""
        line = self.lines.get(name)
        return _span(self.file, line) if line is not None else None

    def render(self) -> str:
        """The text of the file."""
        lines = [f"{name} {number}\n" for name, number in sorted(self.numbers.items())]
        return f"{HEADER}\n{''.join(lines)}"


def read_lock(source: Path | str, reporter: Reporter) -> Lock:
    """The lock in a file (a path; one that does not exist is an empty lock) or in a text.

    What is not a lock is reported (``lock/syntax``), a number given twice as well (``tag/taken``).
    """
    if isinstance(source, Path):
        try:
            text = source.read_text("utf-8")
        except FileNotFoundError:
            return Lock()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            nowhere = Span(SourceFile(str(source), ""), 1, 1, 1, 1)
            reporter.error("lock/syntax", f"the lock cannot be read: {reason}", nowhere)
            return Lock()
        shown = str(source)
    else:
        shown, text = "tags.lock", source
    file = SourceFile(shown, text)
    if not text.strip():
        return Lock()
    if len(text) > MAX_CHARACTERS or file.lines[0].rstrip("\r") != HEADER:
        reporter.error(
            "lock/syntax",
            "this is no lock of this version",
            Span(file, 1, 1, 1, 1),
            help=f"its first line is `{HEADER}`",
        )
        return Lock()
    return _entries(file, reporter)


def _entries(file: SourceFile, reporter: Reporter) -> Lock:
    numbers: dict[str, int] = {}
    lines: dict[str, int] = {}
    owners: dict[tuple[str, int], str] = {}
    for index, written in enumerate(file.lines[1:], 2):
        line = written.rstrip("\r")
        if not line:
            continue
        found = _LINE.match(line)
        number = int(found["number"]) if found is not None else -1
        if found is None or not 0 <= number <= MAX_TAG:
            help = "take both sides of the merge" if line.startswith(("<<<<", "====", ">>>>")) else None
            reporter.error("lock/syntax", "expected a name and a number", _span(file, index), help=help)
            continue
        name = found["name"]
        if name in numbers:
            notes = [Note("first here", _span(file, lines[name]))]
            reporter.error("lock/syntax", f"`{name}` stands twice", _span(file, index), notes=notes)
            continue
        other = owners.setdefault((_space(name), number), name)
        if other != name:
            message = f"`{name}` and `{other}` both have the number {number}"
            notes = [Note("here", _span(file, lines[other]))]
            reporter.error("tag/taken", message, _span(file, index), notes=notes)
        numbers[name] = number
        lines[name] = index
    return Lock(numbers, lines, file)


def _span(file: SourceFile, line: int) -> Span:
    return Span(file, line, 1, line, len(file.lines[line - 1].rstrip("\r")) + 1)


def lines_by_definition(text: str) -> dict[str, str]:
    """The lines of a lock's text by the definition that they are about, its subsections with it."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines()[1:]:
        name = line.partition(" ")[0].partition(".")[0].removesuffix("-Subsections")
        found.setdefault(name, []).append(line)
    return {name: "\n".join(sorted(lines)) for name, lines in found.items()}


def _space(name: str) -> str:
    """Within what the number of a line is unique: all APPLICATION tags, or the components of one definition."""
    return name.partition(".")[0] if "." in name else ""


# ---------------------------------------------------------------------------------------------- giving tags


def assign(
    model: Model, lock: Lock, reporter: Reporter, *, first: int = FIRST_TAG, others: Collection[str] = ()
) -> tuple[Model, Lock]:
    """The model with its tags, and the lock with those that were new. ``others`` are names of definitions that are not
    in the model, but not gone either.

    New states get the first free number from ``first`` on, new components the one after the highest that their
    definition ever had. Definitions of external modules keep the tags that the model has for them. A number that the
    specs or the lock give twice is reported as ``tag/taken``, one that differs from the lock's as ``tag/changed``.
    """
    work = _Assignment(model, lock, reporter, first, others)
    work.applications()
    tags = {
        d.asn1_name: model.tags[d.asn1_name] for d in _definitions(model, external=True) if d.asn1_name in model.tags
    }
    for _, definition in _own(model):
        tags[definition.asn1_name] = work.components(definition)
    return Model(model.modules, tags), Lock(work.numbers, lock.lines, lock.file)


def _own(model: Model) -> Iterator[tuple[Module, Definition]]:
    for module in model.modules:
        if not module.external:
            for definition in module.definitions:
                if definition.kind != "view":
                    yield module, definition


def _definitions(model: Model, *, external: bool) -> Iterator[Definition]:
    for module in model.modules:
        if module.external is external:
            yield from module.definitions


class _Assignment:
    def __init__(self, model: Model, lock: Lock, reporter: Reporter, first: int, others: Collection[str] = ()) -> None:
        self.model = model
        self.live = {d.asn1_name for _, d in _own(model)}.union(others)
        self.reporter = reporter
        self.first = first
        self.lock = lock
        self.numbers = dict(lock.numbers)
        self._renamed_definitions()
        self.highest: dict[str, int] = {}
        for name, number in self.numbers.items():
            space = _space(name)
            self.highest[space] = max(number, self.highest.get(space, -1))

    def _renamed_definitions(self) -> None:
        """Lines of what was renamed (`was:`) go to its new name, those of what is inside of it as well."""
        for module, definition in _own(self.model):
            new = definition.asn1_name
            if definition.kind in ("state", "section") and module.state == definition.id:
                former = [(asn1_type_name(name), new) for name in definition.was]
            elif definition.kind == "struct":
                stem = new.removesuffix(asn1_type_part(definition.name))
                former = [(stem + asn1_type_part(name), new) for name in definition.was]
            else:
                former = []
            for subsection in definition.subsections:
                for name in self.model.definition(subsection.definition).was:
                    rest = name.removeprefix(definition.wire_name or "")
                    inside = self.model.definition(subsection.definition).asn1_name
                    former.append((f"{new}-{asn1_type_part(rest)}", inside))
                    self._move(f"{new}-Subsections.{python_name(rest)}", f"{new}-Subsections.{subsection.name}")
            for old, name in former:
                if old not in self.live:
                    self._move_all(old, name)

    def _move_all(self, old: str, new: str) -> None:
        """Give the numbers of a definition to another name, where that has none yet."""
        if any(name == new or name.startswith(f"{new}.") for name in self.numbers):
            return
        for name in [n for n in self.numbers if n == old or n.startswith((f"{old}.", f"{old}-"))]:
            self._move(name, new + name[len(old) :])

    def _move(self, old: str, new: str) -> None:
        if old in self.numbers and new not in self.numbers:
            self.numbers[new] = self.numbers.pop(old)

    # ------------------------------------------------------------------------------------------ states

    def applications(self) -> None:
        """The APPLICATION tag of every state and section."""
        owners: dict[int, tuple[str, Span | None]] = {}
        for name, number in self.numbers.items():
            if not _space(name):
                owners.setdefault(number, (name, self.lock.span(name)))
        for definition in _definitions(self.model, external=True):
            tags = self.model.tags.get(definition.asn1_name)
            if tags is not None and tags.application is not None:
                owners.setdefault(tags.application, (definition.asn1_name, definition.span))
        states = [d for _, d in _own(self.model) if d.kind in ("state", "section")]
        for definition in states:
            if definition.tag is not None:
                self._written(definition, definition.tag, owners)
        free = self.first
        for definition in states:
            if definition.asn1_name in self.numbers:
                continue
            while free in owners:
                free += 1
            owners[free] = (definition.asn1_name, definition.span)
            self.numbers[definition.asn1_name] = free

    def _written(self, definition: Definition, tag: int, owners: dict[int, tuple[str, Span | None]]) -> None:
        """A tag that the spec itself gives."""
        name = definition.asn1_name
        span = definition.tag_span or definition.span
        locked = self.numbers.get(name)
        if locked is not None and locked != tag:
            place = self.lock.span(name)
            self.reporter.error(
                "tag/changed",
                f"the tag of `{definition.wire_name}` is {tag} here, the lock says {locked}",
                span,
                help=f"write `tag: {locked}`: what was written before carries it",
                notes=[Note("the lock", place)] if place is not None else [],
            )
            return
        owner, place = owners.get(tag, (name, None))
        if owner != name:
            self.reporter.error(
                "tag/taken",
                f"the tag {tag} of `{name}` belongs to `{owner}`",
                span,
                help="leave `tag:` out, and the build gives a free one",
                notes=[Note("there", place)] if place is not None else [],
            )
            return
        owners[tag] = (name, span)
        self.numbers[name] = tag

    # ------------------------------------------------------------------------------------------ components

    def components(self, definition: Definition) -> Tags:
        """The context tags of one definition."""
        name = definition.asn1_name
        found: dict[str, int] = {}
        live = {each.name for each in definition.fields()}
        for each in definition.fields():
            if not each.never:
                self._renamed(name, each.name, each.was, live)
                found[each.name] = self._number(f"{name}.{each.name}")
        special = ["<subsections>"] if definition.subsections else []
        if definition.kind in ("state", "section"):
            special += ["<version>", "<facts>"]
        elif definition.kind == "subsection":
            special += ["<version>"]
        for key in (*special, "<kept>"):
            found[key] = self._number(f"{name}.{key}")
        inner: dict[str, int] = {}
        if definition.subsections:
            for subsection in definition.subsections:
                inner[subsection.name] = self._number(f"{name}-Subsections.{subsection.name}")
            inner["<unknown>"] = self._number(f"{name}-Subsections.<unknown>")
        return Tags(self.numbers.get(name), found, inner)

    def _renamed(self, definition: str, name: str, was: tuple[str, ...], live: set[str]) -> None:
        """The number of a field goes with it when it is renamed."""
        if f"{definition}.{name}" in self.numbers:
            return
        for old in was:
            former = python_name(old)
            if former not in live and f"{definition}.{former}" in self.numbers:
                self.numbers[f"{definition}.{name}"] = self.numbers.pop(f"{definition}.{former}")
                return

    def _number(self, name: str) -> int:
        if name not in self.numbers:
            space = _space(name)
            self.highest[space] = self.highest.get(space, -1) + 1
            self.numbers[name] = self.highest[space]
        return self.numbers[name]


def with_library_tags(model: Model, lock: Lock) -> Model:
    """The model with the tags of its external modules, as the lock of the shipped library has them."""
    inside = Model(tuple(replace(module, external=False) for module in model.modules if module.external))
    tagged, _ = assign(inside, lock, Reporter(), first=20001)
    return Model(model.modules, {**model.tags, **tagged.tags})
