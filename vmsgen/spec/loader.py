"""Finding and reading spec files, following their imports, and putting them into an order.

A module is named by its file's path from the root of the specs, without ``.yaml``; one of the shipped library has
``qemu/`` before it. ``machine.yaml`` of a root (else the library's) is imported by every other file.
"""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass, field
from pathlib import Path

from vmsgen.diagnostics import Note, SourceFile, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.diagnostics.suggest import did_you_mean
from vmsgen.spec.asks import Rest
from vmsgen.spec.binder import bind
from vmsgen.spec.declarations import FileDecl, ImportDecl
from vmsgen.spec.names import pieces
from vmsgen.spec.nodes import MAX_CHARACTERS, read

LIBRARY_PREFIX = "qemu/"
MACHINE = "machine"


def own_path(module: str) -> str:
    """The path of a module in the root that it comes from."""
    return module.removeprefix(LIBRARY_PREFIX)


def is_machine(module: str) -> bool:
    """Whether a module holds the facts about the sender, which hold for a whole stream."""
    return own_path(module) == MACHINE


@dataclass
class SpecFile:
    """One file: its module path, what it declares, and the modules that its imports lead to."""

    path: str
    decl: FileDecl
    digest: str
    source_path: str
    root: Path
    external: bool
    imports: dict[str, list[ImportDecl]] = field(default_factory=dict)
    #: module of the machine facts that this file sees; None for machine.yaml itself
    machine: str | None = None

    @property
    def targets(self) -> list[str]:
        """The modules that it needs."""
        return [*self.imports, *([self.machine] if self.machine else [])]


@dataclass
class Loaded:
    """Every file by module path, imported ones before those that import them; and the order of all modules, those that
    were not loaded among them.
    """

    files: dict[str, SpecFile]
    order: tuple[str, ...] = ()


def load(
    root: Path, library: Path | None, shown_root: str | None, reporter: Reporter, rest: Rest | None = None
) -> Loaded:
    """Read ``root/**/*.yaml`` and what they import; everything that is wrong with a file is reported.

    With ``rest`` only the files that it names are read, and what these import.
    """
    return _Loader(root, library, shown_root, reporter, rest).load()


class _Loader:
    def __init__(
        self, root: Path, library: Path | None, shown_root: str | None, reporter: Reporter, rest: Rest | None
    ) -> None:
        self.root = root
        self.rest = rest
        self.library = library if library is not None and library.resolve() != root.resolve() else None
        self.shown_root = shown_root if shown_root is not None else str(root)
        self.reporter = reporter
        self.files: dict[str, SpecFile] = {}
        self.broken: set[str] = set()

    def load(self) -> Loaded:
        for name in sorted(self.rest.only if self.rest is not None else self._names()):
            if name.startswith(LIBRARY_PREFIX):
                place = Span(SourceFile(posixpath.join(self.shown_root, f"{name}.yaml"), ""), 1, 1, 1, 1)
                self.reporter.error("spec/value", "the folder `qemu` stands for the shipped library", place)
                continue
            self._open(name)
        for module in list(self.files):
            self._follow(self.files[module])
        order = self._ordered()
        return Loaded({module: self.files[module] for module in order if module in self.files}, tuple(order))

    def _names(self) -> list[str]:
        paths = [
            p for p in self.root.rglob("*.yaml") if not any(x.startswith(".") for x in p.relative_to(self.root).parts)
        ]
        return [p.relative_to(self.root).as_posix().removesuffix(".yaml") for p in paths]

    # ------------------------------------------------------------------------------------------ files

    def _place(self, module: str) -> tuple[Path, str, Path, str] | None:
        """Root, path below it, the file, and the path to show, for a module; None where there is no such root."""
        if module.startswith(LIBRARY_PREFIX):
            if self.library is None:
                return None
            below = module.removeprefix(LIBRARY_PREFIX)
            return self.library, below, self.library / f"{below}.yaml", f"qemu:device-specs/{below}.yaml"
        shown = posixpath.join(self.shown_root, f"{module}.yaml") if self.shown_root else f"{module}.yaml"
        return self.root, module, self.root / f"{module}.yaml", shown

    def _open(self, module: str) -> SpecFile | None:
        """The file of a module, read when it is asked for first; None when it is missing or broken."""
        if module in self.files:
            return self.files[module]
        place = self._place(module)
        if module in self.broken or place is None or not place[2].is_file():
            return None
        root, below, path, shown = place
        external = module.startswith(LIBRARY_PREFIX)
        text, digest = self._text(path, shown)
        if text is None:
            self.broken.add(module)
            return None
        source = SourceFile(shown, text)
        if any(not pieces(part) for part in module.split("/")):
            self.reporter.error(
                "spec/value", f"`{module}` has no letter or digit to make a name of", Span(source, 1, 1, 1, 1)
            )
        node = read(source, self.reporter)
        decl = bind(source, node, self.reporter) if node is not None else None
        if decl is None:
            self.broken.add(module)
            return None
        folder = "device-specs" if external else self.root.resolve().name
        found = SpecFile(module, decl, digest, f"{folder}/{below}.yaml", root, external)
        self.files[module] = found
        return found

    def _text(self, path: Path, shown: str) -> tuple[str | None, str]:
        problem = ""
        try:
            with path.open("rb") as file:
                data = file.read(4 * MAX_CHARACTERS + 1)
            text = data.decode("utf-8")
        except OSError as error:
            problem = f"cannot be read: {error.strerror or error}"
        except UnicodeDecodeError as error:
            problem = f"is not UTF-8: byte {error.start}"
        if problem:
            self.reporter.error("spec/unreadable", f"the file {problem}", Span(SourceFile(shown, ""), 1, 1, 1, 1))
            return None, ""
        return text, hashlib.sha256(data).hexdigest()

    # ------------------------------------------------------------------------------------------ imports

    def _follow(self, file: SpecFile) -> None:
        """Open what a file imports, and what that imports."""
        stack = [file]
        done: set[str] = set()
        while stack:
            current = stack.pop()
            if current.path in done or current.imports or current.machine:
                continue
            done.add(current.path)
            machine = self._machine_of(current)
            if machine is not None and machine.path != current.path:
                current.machine = machine.path
                stack.append(machine)
            for declared in current.decl.imports:
                target = self._target(current, declared)
                if target is not None:
                    current.imports.setdefault(target.path, []).append(declared)
                    stack.append(target)

    def _machine_of(self, file: SpecFile) -> SpecFile | None:
        library = LIBRARY_PREFIX + MACHINE
        if file.external:
            return self._open(library)
        return self._open(MACHINE) or (self._open(library) if MACHINE not in self.broken else None)

    def _target(self, file: SpecFile, declared: ImportDecl) -> SpecFile | None:
        written = declared.target.text
        below = file.path.removeprefix(LIBRARY_PREFIX) if file.external else file.path
        prefix = LIBRARY_PREFIX if file.external else ""
        if written.startswith("./"):
            module = prefix + posixpath.normpath(posixpath.join(posixpath.dirname(below), written))
        elif written.startswith(LIBRARY_PREFIX):
            module = LIBRARY_PREFIX + posixpath.normpath(written.removeprefix(LIBRARY_PREFIX))
        else:
            module = prefix + posixpath.normpath(written)
        span = declared.target.span
        bare = module.removeprefix(LIBRARY_PREFIX)
        if bare.startswith(("/", "..")) or written.endswith(".yaml") or bare in ("", "."):
            self.reporter.error(
                "import/missing",
                f"`{written}` is no path of a spec",
                span,
                help="write it from the root of the specs (or `./` beside this file), without `.yaml`",
            )
            return None
        if module == file.path:
            self.reporter.error("import/cycle", "a file cannot import itself", span)
            return None
        found = self._open(module)
        if found is None and module not in self.broken:
            self._missing(written, module, span)
        return found

    def _missing(self, written: str, module: str, span: Span) -> None:
        place = self._place(module)
        tried = place[3] if place is not None else f"{module}.yaml of the library (there is none here)"
        if (
            not module.startswith(LIBRARY_PREFIX)
            and self.library is not None
            and (self.library / f"{module}.yaml").is_file()
        ):
            help: str | None = f"the shipped library has it: write `qemu/{module}`"
        else:
            known = set(self.files)
            if self.library is not None and module.startswith(LIBRARY_PREFIX):
                shipped = (p.relative_to(self.library).as_posix() for p in self.library.rglob("*.yaml"))
                known |= {LIBRARY_PREFIX + path.removesuffix(".yaml") for path in shipped}
            near = did_you_mean(module, known)
            help = f"did you mean `{near}`?" if near else None
        self.reporter.error("import/missing", f"there is no spec `{written}`; tried {tried}", span, help=help)

    # ------------------------------------------------------------------------------------------ order

    def _ordered(self) -> list[str]:
        """Imported files first; a cycle is reported once, with the files on it."""
        targets = dict(self.rest.targets) if self.rest is not None else {}
        targets.update((path, file.targets) for path, file in self.files.items())
        done: dict[str, None] = {}
        reported: set[frozenset[str]] = set()
        for start in sorted(targets):
            # an explicit stack: a chain of imports may be longer than Python's own
            path: list[str] = []
            stack: list[tuple[str, bool]] = [(start, False)]
            while stack:
                module, leaving = stack.pop()
                if leaving:
                    path.pop()
                    done.setdefault(module)
                    continue
                if module in done:
                    continue
                path.append(module)
                stack.append((module, True))
                for target in sorted(targets[module], reverse=True):
                    if target in path:
                        self._cycle(path[path.index(target) :], reported)
                    elif target not in done:
                        stack.append((target, False))
        return list(done)

    def _cycle(self, cycle: list[str], reported: set[frozenset[str]]) -> None:
        if frozenset(cycle) in reported:
            return
        reported.add(frozenset(cycle))
        places = []
        for importer, target in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
            for declared in self.files[importer].imports.get(target, []):
                places.append((importer, target, declared.target.span))
        if not places:
            return  # through machine.yaml, which imports nothing that the others give
        importer, _, span = places[-1]
        shown = " -> ".join([*cycle, cycle[0]])
        notes = [Note(f"{a} imports {b} here", place) for a, b, place in places[:-1]]
        self.reporter.error("import/cycle", f"these files import each other: {shown}", span, notes=notes)
