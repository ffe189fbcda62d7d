"""Compiling specs that stand in a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from vmsgen.diagnostics import Diagnostic
from vmsgen.spec.compile import Compiled, compile_specs
from vmsgen.spec.model import Definition, Field, Model

Specs = Callable[..., Compiled]


@pytest.fixture
def specs(tmp_path: Path) -> Specs:
    """``specs(text)`` compiles one file, ``specs({path: text})`` several; ``vmsgen: 1`` is put before each."""

    def compile_them(files: str | dict[str, str], *, library: dict[str, str] | None = None) -> Compiled:
        root = _write(tmp_path / "device-specs", {"acme": files} if isinstance(files, str) else files)
        shipped = _write(tmp_path / "library", library) if library is not None else None
        return compile_specs(root, library=shipped, shown_root="device-specs")

    return compile_them


def _write(root: Path, files: dict[str, str]) -> Path:
    root.mkdir()
    for name, text in files.items():
        path = root / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("vmsgen: 1\n" + dedent(text).lstrip("\n"))
    return root


@pytest.fixture
def model(specs: Specs) -> Callable[..., Model]:
    """As ``specs``, for specs without errors."""

    def compile_good(files: str | dict[str, str], **more: dict[str, str]) -> Model:
        compiled = specs(files, **more)
        assert compiled.model is not None, [f"{d.span}: {d.message}" for d in compiled.diagnostics]
        return compiled.model

    return compile_good


@pytest.fixture
def found(specs: Specs) -> Callable[..., list[str]]:
    """The findings for a spec, each as ``RULE LINE:COLUMN`` (the line as in the test's text, which starts at 2)."""

    def compile_bad(files: str | dict[str, str], **more: dict[str, str]) -> list[str]:
        return [place(d) for d in specs(files, **more).diagnostics]

    return compile_bad


def place(diagnostic: Diagnostic) -> str:
    """Rule and place of a finding."""
    return f"{diagnostic.rule} {diagnostic.span.line}:{diagnostic.span.column}"


@pytest.fixture
def definition(model: Callable[..., Model]) -> Callable[..., Definition]:
    """``definition(text, name)``: a definition of a spec by its class name."""

    def of(files: str | dict[str, str], name: str) -> Definition:
        return next(d for m in model(files).modules for d in m.definitions if d.name == name)

    return of


@pytest.fixture
def fields(definition: Callable[..., Definition]) -> Callable[..., dict[str, Field]]:
    """``fields(text, name="Acme")``: the fields of a definition by their names."""

    def of(files: str | dict[str, str], name: str = "Acme") -> dict[str, Field]:
        return {field.name: field for field in definition(files, name).fields()}

    return of
