"""The specs of the language's tests: every type, clause and count there is, also those that no shipped device needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.properties.agreement import check_agreement, check_forgetting
from tests.properties.conftest import SMALL_SPECS, Kit
from vmsgen.runtime.state import VMState


def states_in(folder: Path) -> list[str]:
    """Specs of states, by path: those with a name on the wire."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.yaml")
        if any(line.startswith(("vmstate:", "section:")) for line in path.read_text().splitlines())
    )


@pytest.mark.parametrize("path", [path for place in SMALL_SPECS for path in states_in(place)])
def test_walk_and_straight_line_agree_there_and_back(small: Kit, path: str) -> None:
    module = path.removesuffix(".yaml")
    (definition,) = [
        each
        for part in small.definitions.model.modules
        if part.path == module
        for each in part.definitions
        if each.kind in ("state", "section")
    ]
    small.each(small.registry.lookup(definition.name), check, 60)


def check(value: VMState) -> None:
    check_agreement(value)
    check_forgetting(value)
