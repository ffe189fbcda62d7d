"""The definitions of the shipped library, the small specs as a package of their own, and how many objects are drawn."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.judges.drawing import Definitions, Rejected, draw
from vmsgen.building.build import build, compile_project
from vmsgen.runtime.registry import Registry
from vmsgen.runtime.state import VMState
from vmsgen.settings import Project, project

TESTS = Path(__file__).parents[1]
CLONE = TESTS.parent

pytest.register_assert_rewrite("tests.properties.agreement")
SMALL = "small_specs"
#: The good specs of the language's tests, the one that holds every type there is, and corners of the wire format.
SMALL_SPECS = (TESTS / "specs/good", TESTS / "judges/device-specs", TESTS / "properties/device-specs")

EXAMPLES = int(os.environ.get("VMSGEN_EXAMPLES", "0"))
SEED = os.environ.get("VMSGEN_SEED", "")


@dataclass(frozen=True)
class Kit:
    """Classes and what the model says of them."""

    definitions: Definitions
    registry: Registry

    def objects(self, cls: type[VMState], examples: int) -> Iterator[tuple[str, VMState]]:
        """Drawn objects, each with the seed that draws it again. At least one of four draws must succeed."""
        wanted = EXAMPLES or examples
        made = 0
        for number in range(wanted):
            seed = f"{cls.__name__}/{number}/{SEED}"
            try:
                value = draw(Random(seed), cls, self.definitions)
            except Rejected:
                continue
            made += 1
            yield seed, value
        assert made * 4 >= wanted, f"{made} of {wanted} objects could be drawn"

    def each(self, cls: type[VMState], check: Callable[[VMState], object], examples: int) -> None:
        """Runs ``check`` on drawn objects; a failure says which one it was."""
        for seed, value in self.objects(cls, examples):
            try:
                check(value)
            except BaseException as error:
                error.add_note(f"the object of seed {seed!r}")
                raise


def built(folder: Path, name: str) -> Kit:
    """Builds the specs in ``folder`` as the package ``name``, and imports it."""
    place = project(folder, specs=folder / "device-specs")
    place = Project(place.root, place.specs, folder / name)
    outcome = build(place)
    assert not outcome.failed, outcome.diagnostics
    compiled = compile_project(place)
    assert compiled.model is not None, compiled.diagnostics
    sys.path.insert(0, str(folder))
    try:
        registry = importlib.import_module(name).REGISTRY
    finally:
        sys.path.remove(str(folder))
    return Kit(Definitions(compiled.model), registry)


@pytest.fixture(scope="session")
def library() -> Kit:
    """The shipped library, as it is checked in."""
    from vmsgen.library import REGISTRY

    compiled = compile_project(project(CLONE))
    assert compiled.model is not None, compiled.diagnostics
    return Kit(Definitions(compiled.model), REGISTRY)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    """The specs in :data:`SMALL_SPECS` as one package."""
    folder = tmp_path_factory.mktemp("small")
    for place in SMALL_SPECS:
        shutil.copytree(place, folder / "device-specs", dirs_exist_ok=True)
    return built(folder, SMALL)
