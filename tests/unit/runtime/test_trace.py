"""The trace: whose every byte is."""

from __future__ import annotations

from tests.unit.runtime.devices import ERRORS, ODD, PLAIN, POWER, Card, plain
from vmsgen.runtime.trace import Leaf, leaf_at, trace


def test_the_leaves_of_a_state() -> None:
    assert trace(plain()) == [
        Leaf("flag", "flag", 0, 1, True, "bool", False),
        Leaf("flags[0]", "flags[0]", 1, 1, False, "bool", False),
        Leaf("flags[1]", "flags[1]", 2, 1, True, "bool", False),
        Leaf("flags[2]", "flags[2]", 3, 1, False, "bool", False),
        Leaf("gain", "gain", 4, 8, 1.5, "float", False),
        Leaf("label", "env.label", 12, 8, "ab", "string", False),
        Leaf("unused", "unused", 20, 4, None, "pad", False),
        Leaf("slot.used", "slot.used", 24, 1, True, "bool", False),
        Leaf("slot.value", "slot.value", 25, 2, -2, "int", False),
        Leaf("slots", "slots", 27, 1, 2, "count", False),
        Leaf("slots[0].used", "slots[0].used", 28, 1, False, "bool", False),
        Leaf("slots[0].value", "slots[0].value", 29, 2, 1, "int", False),
        Leaf("slots[1].used", "slots[1].used", 31, 1, True, "bool", False),
        Leaf("slots[1].value", "slots[1].value", 32, 2, 2, "int", False),
        Leaf("maybe", "maybe", 34, 1, None, "null", False),
        Leaf("ports[0]", "ports[0]", 35, 2, 7, "int", False),
        Leaf("ports[1]", "ports[1]", 37, 2, 8, "int", False),
        Leaf("late", "late", 39, 2, 9, "int", False),
    ]


def test_subsections_and_what_is_kept() -> None:
    card = Card.from_binary(PLAIN + ERRORS + POWER + ERRORS)
    leaves = trace(card)[18:]
    assert [(leaf.path, leaf.offset, leaf.size, leaf.kind) for leaf in leaves] == [
        ("<card/errors>", 41, 21, "repeated"),
        ("<card/power>", 62, 16, "subsection"),
        ("<card/power>.level", 78, 1, "int"),
        ("<card/power>.limit", 79, 2, "int"),
        ("<card/errors>", 81, 17, "subsection"),
        ("<card/errors>.count", 98, 4, "int"),
    ]
    assert sum(leaf.size for leaf in trace(Card.from_binary(ODD))) == len(ODD)


def test_the_leaf_of_a_byte() -> None:
    leaves = trace(plain())
    assert [leaf.path for leaf in (leaf_at(leaves, at) for at in (0, 11, 26, 34, 40)) if leaf is not None] == [
        "flag",
        "gain",
        "slot.value",
        "maybe",
        "late",
    ]
    assert leaf_at(leaves, 41) is None
