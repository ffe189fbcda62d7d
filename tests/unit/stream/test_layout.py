"""The search for a layout: defaults, one and two overruled answers, division, descriptions, and what stays open."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.stream.states import Clock, OtherSwitch, Switch
from tests.unit.stream.synthetic import be16, be32
from vmsgen.runtime.errors import DataError, LayoutError
from vmsgen.runtime.facts import Facts
from vmsgen.stream.layout import AmbiguousLayout, Contents, Solved, solve
from vmsgen.stream.vmdesc import DescribedSection, parse_vmdesc

PADDING = b"\xee" * 64


def solved(
    content: bytes,
    *kinds: Any,
    facts: Facts | None = None,
    known: bool = True,
    described: DescribedSection | None = None,
) -> Solved:
    """Solves ``content`` in the middle of other bytes, its end known or judged by a footer."""
    data = b"????" + content + b"\x7e\0\0\0\5" + PADDING
    end = 4 + len(content)
    contents = Contents(
        memoryview(data), 4, end if known else None, lambda at: data[at : at + 5] == b"\x7e\0\0\0\5", 1, described
    )
    return solve(kinds or (Switch,), contents, facts or Facts())


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("ports", [0, 1, 2, 3, 9, 700, 2900])
def test_counts_by_division(ports: int, known: bool) -> None:
    found = solved(b"".join(be32(0x01010101 + port) for port in range(ports)), known=known)
    assert found.state.ports == [0x01010101 + port for port in range(ports)]
    assert found.end == 4 + 4 * ports
    assert dict(found.overruled) == ({} if ports == 2 else {"ports": ports})


def test_defaults_come_first() -> None:
    assert not solved(be32(1) + be32(2)).overruled


def test_two_overruled_answers() -> None:
    # 4 * ports + 2 is reached with one more field; which of the two is only told by the description
    with pytest.raises(AmbiguousLayout, match="2 layouts fit, and their values differ; give --prop fancy=VALUE or"):
        solved(be32(1) + be32(2) + be16(3))
    found = solved(be32(1) + be32(2) + be16(3), facts=Facts({"fancy": "false"}))
    assert (found.state.index, found.state.guard) == (None, 3)
    found = solved(be32(1) * 7 + be16(3), facts=Facts({"strict": "false"}))
    assert found.overruled == {"ports": 7, "fancy": True}


def description(*fields: tuple[str, str, int]) -> DescribedSection:
    listed = [{"name": name, "type": kind, "size": size} for name, kind, size in fields]
    device = {"name": "switch", "instance_id": 0, "vmsd_name": "switch", "version": 1, "fields": listed}
    return parse_vmdesc(json.dumps({"devices": [device]}).encode()).sections[0]


@pytest.mark.parametrize("name", ["index", "guard"])
def test_the_description_decides(name: str) -> None:
    described = description(("ports", "uint32", 4), ("ports", "uint32", 4), (name, "uint16", 2))
    found = solved(be32(1) + be32(2) + be16(3), described=described)
    assert getattr(found.state, name) == 3


def test_known_answers_are_not_overruled() -> None:
    with pytest.raises(DataError, match="take 8 bytes, but the section has 12"):
        solved(be32(1) * 3, facts=Facts({"ports": "2", "fancy": "false", "strict": "false"}))


def test_nothing_fits() -> None:
    with pytest.raises(
        LayoutError, match=r"no layout fits: with ports = 2: expected 4 bytes, 3 are left; give --prop"
    ) as caught:
        solved(b"123")
    assert caught.value.offset is not None


def test_a_state_without_questions_says_its_own_error() -> None:
    with pytest.raises(DataError, match=r"field offset, offset 0xc: ") as caught:
        solved(b"12345678", Clock)
    assert caught.value.path == "offset"


def test_states_of_one_name() -> None:
    assert isinstance(solved(bytes(16), OtherSwitch, Clock).state, OtherSwitch)
    with pytest.raises(AmbiguousLayout, match="OtherSwitch, Switch"):
        solved(bytes(16), OtherSwitch, Switch, facts=Facts({"ports": "4"}))
    described = description(("first", "uint64", 8), ("second", "uint64", 8))
    found = solved(bytes(16), Switch, OtherSwitch, facts=Facts({"ports": "4"}), described=described)
    assert isinstance(found.state, OtherSwitch)


def test_the_search_gives_up() -> None:
    runs = 0

    class Endless(Switch):
        @classmethod
        def load_at(cls, *arguments: Any, **options: Any) -> Any:
            nonlocal runs
            runs += 1
            super().load_at(*arguments, **options)
            raise DataError("never")

    with pytest.raises(LayoutError):
        solved(b"1234", Endless)
    assert runs <= 3001
