"""Schemas and their classes, compiled once: those of the shipped library, and of a kit that uses every type there is.

Without asn1c its tests are skipped and say so; with ``asn1c`` in ``VMSGEN_REQUIRE`` (a list with commas) they fail
instead.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import asn1tools
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.judges import asn1c, pycrate_judge
from tests.judges.drawing import Definitions, draw
from vmsgen.building.build import build, compile_project
from vmsgen.runtime.registry import Registry
from vmsgen.runtime.state import VMState
from vmsgen.settings import Project, project

HERE = Path(__file__).parent
CLONE = HERE.parents[1]
KIT = "judged_kit"

#: Objects drawn for each state; a campaign sets more, and then every run draws others.
EXAMPLES = int(os.environ.get("VMSGEN_EXAMPLES", "0"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process runs the tests of a judge that takes long to build."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        for judge in ("asn1c_judge", "pycrate"):
            if judge in fixtures:
                item.add_marker(pytest.mark.xdist_group(judge))


@dataclass
class Schema:
    """A schema, the classes generated with it, and the judges of it."""

    definitions: Definitions
    registry: Registry
    #: module name -> text, with the typed list of devices
    texts: dict[str, str]
    opened: str
    asn1tools: Any = field(init=False)
    _drawn: dict[type[VMState], list[VMState]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.asn1tools = asn1tools.compile_string("\n".join(self.texts.values()), "ber")

    def type_name(self, cls: type[VMState]) -> str:
        """The ASN.1 type of a class."""
        return self.definitions.of(cls).asn1_name

    def module_name(self, cls: type[VMState]) -> str:
        """The ASN.1 module that defines the type of a class."""
        head = f"{self.type_name(cls)} ::="
        return next(
            name for name, text in self.texts.items() if any(line.startswith(head) for line in text.split("\n"))
        )

    def objects(self, cls: type[VMState], wanted: int) -> list[VMState]:
        """Objects that hypothesis draws (it finds the seeds; see tests/judges/drawing.py), the same for every judge."""
        found = self._drawn.setdefault(cls, [])

        @settings(
            max_examples=EXAMPLES or wanted,
            derandomize=not EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.randoms(use_true_random=True))
        def collect(random: Random) -> None:
            found.append(draw(random, cls, self.definitions))

        if not found:
            collect()
        return found


def schema_of(place: Project, registry: Registry) -> Schema:
    """The schema in the output folder of a project that has been built."""
    compiled = compile_project(place)
    assert compiled.model is not None, compiled.diagnostics
    folder = place.output / "asn1"
    return Schema(
        Definitions(compiled.model),
        registry,
        {path.stem: path.read_text() for path in sorted(folder.glob("*.asn1"))},
        (folder / "open/Vmsgen-Devices.asn1").read_text(),
    )


def built(folder: Path, name: str, specs: Path) -> Schema:
    """Builds the specs as the package ``name`` in ``folder``, and imports it."""
    place = project(folder, specs=specs, output=Path(name))
    outcome = build(place)
    assert not outcome.failed, outcome.diagnostics
    sys.path.insert(0, str(folder))
    try:
        registry = importlib.import_module(name).REGISTRY
    finally:
        sys.path.remove(str(folder))
    return schema_of(place, registry)


@pytest.fixture(scope="session")
def library() -> Schema:
    """The shipped schema and library, as they are checked in."""
    from vmsgen.library import REGISTRY

    return schema_of(project(CLONE), REGISTRY)


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Schema:
    """Specs of every type of the language, built as a user would build them."""
    folder = tmp_path_factory.mktemp("kit")
    specs = folder / "device-specs"
    for source in (HERE / "device-specs").rglob("*.yaml"):
        copy = specs / source.relative_to(HERE / "device-specs")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(source.read_text())
    return built(folder, KIT, specs)


def together(library: Schema, kit: Schema) -> dict[str, str]:
    """Both schemas as one set of modules: pycrate knows one in a process, and asn1c is slow. Types are unique over
    both."""
    return {**kit.texts, **library.texts}


@pytest.fixture(scope="session")
def pycrate(library: Schema, kit: Schema, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Every type as pycrate has it."""
    return pycrate_judge.compile_schema(together(library, kit), tmp_path_factory.mktemp("pycrate"))


@pytest.fixture(scope="session")
def asn1c_judge(library: Schema, kit: Schema, tmp_path_factory: pytest.TempPathFactory) -> Iterator[asn1c.Judge]:
    """A program made by asn1c that knows every type."""
    if not asn1c.is_there():
        reason = "asn1c and gcc are not installed (Debian: apt-get install asn1c gcc libc6-dev)"
        if "asn1c" in os.environ.get("VMSGEN_REQUIRE", "").split(","):
            pytest.fail(f"asn1c is required, but {reason}", pytrace=False)
        pytest.skip(reason)
    judge = asn1c.Judge(asn1c.compile_schema(together(library, kit), tmp_path_factory.mktemp("asn1c") / "build"))
    yield judge
    judge.close()
