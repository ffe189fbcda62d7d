"""Facts that make no sense, as a file may carry them: straight-line code and walk agree on what is made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.properties.agreement import same
from tests.properties.conftest import Kit
from vmsgen.runtime import ber
from vmsgen.runtime.ber_codec import decode_by_walk, walk_content, with_extras
from vmsgen.runtime.ber_elements import FACTS
from vmsgen.runtime.binary_codec import load_by_walk, save_by_walk
from vmsgen.runtime.errors import DataError
from vmsgen.runtime.facts import NOBODYS, Facts
from vmsgen.runtime.state import VMState

ODD: list[dict[str, Any]] = [
    {"width": 7},
    {"width": 0},
    {"width": -8},
    {"width": 16 << 40},
    {"width": "wide"},
    {"target.long_bits": 7},
    {"target.long_bits": "0"},
    {"target.long_bits": -64},
    {"target.long_bits": "9" * 5000},
    {"room": -1},
    {"room": 1 << 40},
    {"room": "none"},
    {"tail": "perhaps"},
    {"tail": 1},
    {"host_endian": "middle"},
    {"host_endian": 1},
    {"qemu": "many"},
    {"qemu": (7,)},
    {"qemu >= x.y": True},
    {"qemu >= 8.0.0.0.0": "false"},
    {"machine.release": "ten"},
    {"machine.name": 5},
    {"bus": "none of them"},
    {"kind": 4},
]


def outcome(work: Callable[[], Any]) -> Any:
    """What work gives, or the class of its error."""
    try:
        return work()
    except DataError as error:
        assert str(error) and "\n" not in str(error)
        return type(error)


def agree(left: Any, right: Any) -> None:
    if isinstance(left, VMState) and isinstance(right, VMState):
        same(left, right)
    else:
        assert left == right


def walked(value: VMState, facts: Facts) -> bytes:
    return ber.tlv(ber.tag_bytes(ber.APPLICATION, True, value.TAG), walk_content(value, facts.fresh()))


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize("name", ["Facts", "Gap", "Host", "Expressions", "Scalars", "Unions"])
def test_both_ways_agree(small: Kit, name: str, odd: dict[str, Any]) -> None:
    cls = small.registry.lookup(name)
    for _, value in small.objects(cls, 4):
        version = value.section_version
        data = value.to_binary()
        facts = Facts({**value.facts.known, **odd})
        agree(
            outcome(lambda: cls.load_at(data, 0, version=version, facts=facts.fresh())[0]),  # noqa: B023
            outcome(lambda: load_by_walk(cls, data, 0, version, facts.fresh())[0]),  # noqa: B023
        )
        agree(
            outcome(lambda: value.to_binary(facts=facts)),  # noqa: B023
            outcome(lambda: save_by_walk(value, version, facts)),  # noqa: B023
        )
        element = value.ber_state()
        whole = ber.read_element(element, 0, len(element))
        agree(
            outcome(lambda: cls.from_ber_state(element, version=version, facts=facts)),  # noqa: B023
            outcome(lambda: decode_by_walk(cls, element, whole, version, facts)),  # noqa: B023
        )
        value._facts = facts
        agree(
            outcome(value.ber_state),
            outcome(lambda: walked(value, facts)),  # noqa: B023
        )


def test_facts_that_came_along(small: Kit) -> None:
    """Facts that nobody asked for, of states whose layout asks for some and of others."""
    seen = set()
    for cls in small.registry:
        if FACTS not in cls.TAGS or "_decode" not in cls.STRAIGHT:
            continue
        seen.add(cls.ASKS)
        for _, value in small.objects(cls, 2):
            facts = value.facts.carrying([("weather", "fine")])
            made = with_extras(value, walk_content(value, facts), facts)
            data = ber.tlv(ber.tag_bytes(ber.APPLICATION, True, value.TAG), made)
            found = cls.from_ber(data)
            same(found, decode_by_walk(cls, data, ber.read_element(data, 0, len(data)), None, NOBODYS))
            assert found.facts.known["weather"] == "fine" and "weather" in found.facts.carried
            assert found.to_ber() == data
    assert seen == {True, False}
