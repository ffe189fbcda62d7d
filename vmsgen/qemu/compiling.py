"""Spec texts that are no files: compiled to a model, and to classes, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from vmsgen.diagnostics import Diagnostic, Severity, SourceFile
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.emit.asn1.check import check_definitions
from vmsgen.emit.python.module import emit_module
from vmsgen.emit.templates import shipped
from vmsgen.runtime.errors import VmsgenError
from vmsgen.settings import shipped_specs
from vmsgen.spec.binder import bind
from vmsgen.spec.declarations import FileDecl
from vmsgen.spec.freeze import freeze
from vmsgen.spec.loader import LIBRARY_PREFIX, MACHINE, Loaded, SpecFile
from vmsgen.spec.lock import Lock, assign
from vmsgen.spec.model import Model
from vmsgen.spec.nodes import read
from vmsgen.spec.passes import run_passes
from vmsgen.spec.resolver import resolve

__all__ = ["CompiledTexts", "class_of_text", "compile_texts"]

_PACKAGE = "vmsgen.described"


@dataclass(frozen=True)
class CompiledTexts:
    """``model`` is None when there are errors."""

    model: Model | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> list[Diagnostic]:
        """The findings that stop a build."""
        return [each for each in self.diagnostics if each.severity is Severity.ERROR]


@lru_cache(maxsize=16)
def _library_file(name: str) -> tuple[FileDecl, str, Path] | None:
    """A file of the shipped library, read once."""
    root = shipped_specs()
    path = root / f"{name}.yaml" if root is not None else None
    if root is None or path is None or not path.is_file():
        return None
    data = path.read_bytes()
    source = SourceFile(f"qemu:device-specs/{name}.yaml", data.decode())
    reporter = Reporter()
    node = read(source, reporter)
    decl = bind(source, node, reporter) if node is not None else None
    return (decl, hashlib.sha256(data).hexdigest(), root) if decl is not None and not reporter.has_errors else None


def compile_texts(texts: Mapping[str, str]) -> CompiledTexts:
    """Compiles specs by path (without ``.yaml``); they may import each other and the shipped library.

    Raises OSError if the library cannot be read; what is wrong with a text is a diagnostic.
    """
    reporter = Reporter()
    files: dict[str, SpecFile] = {}
    for path, text in texts.items():
        source = SourceFile(f"{path}.yaml", text)
        node = read(source, reporter)
        decl = bind(source, node, reporter) if node is not None else None
        if decl is not None:
            digest = hashlib.sha256(text.encode()).hexdigest()
            files[path] = SpecFile(path, decl, digest, f"{path}.yaml", Path(), external=False)
    machine = MACHINE if MACHINE in files else LIBRARY_PREFIX + MACHINE
    _follow(files, machine)
    if reporter.has_errors:
        return CompiledTexts(None, tuple(reporter.diagnostics))
    loaded = Loaded({path: files[path] for path in _in_order(files)})
    resolved = resolve(loaded, reporter)
    run_passes(resolved, reporter)
    model = freeze(resolved) if not reporter.has_errors else None
    if model is not None:
        for diagnostic in check_definitions(model):
            reporter.add(diagnostic)
    own = {file.decl.source for file in files.values() if not file.external}
    found = tuple(each for each in reporter.diagnostics if each.span.file in own or each.severity is Severity.ERROR)
    return CompiledTexts(model if not reporter.has_errors else None, found)


def _follow(files: dict[str, SpecFile], machine: str) -> None:
    """Links files to what they import, and takes files of the library in."""
    waiting = list(files)
    if machine not in files:
        _take(files, machine)
        waiting.append(machine)
    while waiting:
        file = files[waiting.pop()]
        if file.path != machine:
            file.machine = machine
        for declared in file.decl.imports:
            written = declared.target.text
            target = LIBRARY_PREFIX + written if file.external else written
            if target not in files and target.startswith(LIBRARY_PREFIX) and _take(files, target):
                waiting.append(target)
            if target in files:
                file.imports.setdefault(target, []).append(declared)


def _take(files: dict[str, SpecFile], module: str) -> bool:
    name = module.removeprefix(LIBRARY_PREFIX)
    found = _library_file(name)
    if found is None:
        return False
    decl, digest, root = found
    files[module] = SpecFile(module, decl, digest, f"device-specs/{name}.yaml", root, external=True)
    return True


def _in_order(files: Mapping[str, SpecFile]) -> list[str]:
    """Imported files before those that import them; the texts are ours, so there is no cycle."""
    done: dict[str, None] = {}
    stack = [(path, False) for path in sorted(files, reverse=True)]
    open_: set[str] = set()
    while stack:
        path, leaving = stack.pop()
        if leaving:
            done.setdefault(path)
        elif path not in done and path not in open_:
            open_.add(path)
            stack.append((path, True))
            file = files[path]
            stack += [(target, False) for target in [*file.imports, *([file.machine] if file.machine else [])]]
    return list(done)


def class_of_text(path: str, text: str) -> type[Any]:
    """The class of the one state that a spec text describes. Raises VmsgenError."""
    compiled = compile_texts({path: text})
    if compiled.model is None:
        raise VmsgenError(_first(compiled.errors))
    reporter = Reporter()
    model, _ = assign(compiled.model, Lock(), reporter)
    if reporter.has_errors:
        raise VmsgenError(_first(reporter.diagnostics))
    module = model.module(path)
    assert module.state is not None
    # the module stands nowhere, so it can import nothing relative to itself: it needs nothing but the library
    source = emit_module(model, module, shipped())
    made = ModuleType(f"{_PACKAGE}.{path}")
    exec(compile(source, f"<described {path}>", "exec"), made.__dict__)
    found: type[Any] = getattr(made, model.definition(module.state).name)
    return found


def _first(diagnostics: Iterable[Diagnostic]) -> str:
    return next((f"{each.message} [{each.rule}]" for each in diagnostics), "it does not compile")
