"""Every state of the shipped library."""

from __future__ import annotations

import pytest

from tests.properties.agreement import check_agreement, check_forgetting
from tests.properties.conftest import Kit
from vmsgen.library import REGISTRY
from vmsgen.runtime.state import VMState

STATES = [entry.type_name for entry in REGISTRY.entries]


@pytest.mark.parametrize("name", STATES)
def test_walk_and_straight_line_agree_there_and_back(library: Kit, name: str) -> None:
    library.each(library.registry.lookup(name), check, 4)


def check(value: VMState) -> None:
    check_agreement(value)
    check_forgetting(value)
