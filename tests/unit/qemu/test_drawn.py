"""Descriptions drawn at random: what is made of them compiles, and the class of a state writes the bytes it was read
from, with a value where the description has a field."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.unit.qemu.descriptions import Json, gathered, leaf, size_of, state, stream, struct
from tests.unit.qemu.test_hostile import NAMES
from vmsgen.qemu.compiling import class_of_text
from vmsgen.qemu.into_folder import plan_import

NAMED = st.one_of(
    st.sampled_from(NAMES), st.text("abA_.-> [0]", min_size=1, max_size=6).filter(lambda t: any(c.isalnum() for c in t))
)
LEAVES = st.builds(
    lambda name, kind, count: leaf(name, kind, count=count),
    NAMED,
    st.sampled_from(["uint8", "bool", "uint16", "uint32", "int32", "uint64", "int64", "timer"]),
    st.one_of(st.none(), st.integers(1, 5)),
)
BYTES = st.builds(
    lambda name, kind, size: leaf(name, kind, size=size),
    NAMED,
    st.sampled_from(["buffer", "unused_buffer", "nonsense", "int32 le", "CPU_Double_U"]),
    st.integers(1, 70),
)


def several(fields: st.SearchStrategy[Json], most: int) -> st.SearchStrategy[list[Json]]:
    """Fields of different names: QEMU never gives two of one state the same."""
    return st.lists(fields, min_size=1, max_size=most, unique_by=lambda field: str(field["name"]))


def states(fields: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.builds(state, NAMED, several(fields, 4))


def structs(fields: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.builds(
        lambda name, inner, count: struct(name, inner, count=count), NAMED, states(fields), st.integers(1, 3)
    )


FIELDS = st.recursive(st.one_of(LEAVES, BYTES), structs, max_leaves=8)


@settings(max_examples=25, phases=[Phase.explicit, Phase.generate])
@given(several(FIELDS, 6))
def test_one_state_and_its_bytes(fields: list[Json]) -> None:
    described = state("acme state", fields)
    with tempfile.TemporaryDirectory() as name:
        found = plan_import(gathered(Path(name), ("7.2", stream(described))), Path(name) / "specs")
    assert found.left_out == []
    (path,) = found.texts
    kind = class_of_text(path.removesuffix(".yaml"), found.texts[path])
    data = bytes((7 * at + 1) & 0xFE for at in range(size_of(described)))
    assert kind.from_binary(data).to_binary() == data


def test_pads_whose_names_differ_in_case() -> None:
    """Drawn cases: each is a component of its own in ASN.1, and none of them a field's."""
    pads = [leaf(name, "unused_buffer", size=1) for name in ("? a", "A ", "x")]
    fields = [leaf("a", "uint8"), leaf("X", "uint8"), leaf("A", "uint8"), leaf("a ", "unused_buffer", size=1)]
    described = state("acme state", [*pads, *fields])
    with tempfile.TemporaryDirectory() as name:
        found = plan_import(gathered(Path(name), ("7.2", stream(described))), Path(name) / "specs")
    ((path, text),) = found.texts.items()
    state_of = class_of_text(path.removesuffix(".yaml"), text)
    assert state_of.FIELDS == ("a", "X", "A_2")
    assert state_of.from_binary(bytes((0, 0, 0, 7, 8, 9, 0))) == state_of(a=7, X=8, A_2=9)


@settings(max_examples=15, phases=[Phase.explicit, Phase.generate])
@given(st.lists(st.lists(states(FIELDS), min_size=1, max_size=3), min_size=2, max_size=3))
def test_several_sources(sources: list[list[Json]]) -> None:
    data = [(release, stream(*each)) for release, each in zip(("5.2", "7.2", "10.0"), sources, strict=False)]
    with tempfile.TemporaryDirectory() as name:
        found = plan_import(gathered(Path(name), *data), Path(name) / "specs")
    assert found.texts
    assert found.left_out == []


def test_names_that_meet_in_the_schema() -> None:
    """Drawn cases: structs of two files without a state, a struct of a state, a state, and a subsection's own."""
    first = [
        *(state(name, [struct("x", state("one", [struct("a", state("A", [leaf("f", "uint8")]))]))]) for name in "pq"),
        *(state(name, [struct("x", state("two", [struct("a", state("| a", [leaf("f", "bool")]))]))]) for name in "rs"),
        state("b", [struct("c", state("C", [leaf("f", "uint16")]))]),
        state("b-c", [leaf("f", "uint8")]),
        {**state("b c", [leaf("f", "uint64")]), "subsections": [state("b c/subsections", [leaf("f", "uint8")])]},
    ]
    with tempfile.TemporaryDirectory() as name:
        found = plan_import(gathered(Path(name), ("7.2", stream(*first))), Path(name) / "specs")
    assert found.left_out == []
    kinds = {path: class_of_text(path.removesuffix(".yaml"), found.texts[path]) for path in ("b.yaml", "b-c-2.yaml")}
    assert kinds["b.yaml"].from_binary(b"\0\7").c.f == 7
    assert kinds["b-c-2.yaml"].SUBSECTIONS[0].wire_name == "b c/subsections"
    named = {path: text for path, text in found.texts.items() if path in ("one.yaml", "two.yaml")}
    assert sorted(line for text in named.values() for line in text.splitlines() if line.startswith("  A")) == [
        "  A2:",
        "  A:",
    ]
