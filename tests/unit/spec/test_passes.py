"""Checks over resolved specs; the corpus of bad specs holds the plain cases, here are the borders."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Found = Callable[..., list[str]]


def spec(fields: str, structs: str = "", head: str = "") -> str:
    """A spec from its fields (one a line) and structs."""
    lines = "".join(f"  - {line}\n" for line in fields.strip().split("\n"))
    return f"vmstate: acme\n{head}fields:\n{lines}" + (f"structs:\n{structs}" if structs else "")


@pytest.mark.parametrize(
    "field",
    [
        "next: list(Node)",
        "next: Node?",
        "next: Node[uint8]",
        "next: Node[n]",
        "next: Node[0]",
        "next: Node when n != 0",
    ],
)
def test_a_struct_may_hold_itself_where_an_end_is_possible(found: Found, field: str) -> None:
    text = spec("node: Node", f"  Node:\n    - n: uint8\n    - next: {field}\n")
    assert not [f for f in found(text) if f.startswith("type/recursion")]


def test_a_struct_that_holds_itself_through_an_anonymous_one_has_no_end(found: Found) -> None:
    text = spec("node: Node", "  Node:\n    - n: uint8\n    - inner:\n      - node: Node[2]\n")
    assert [f for f in found(text) if f.startswith("type/recursion")] == ["type/recursion 9:9"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("n: uint16\na: uint8[n]", []),
        ("n: uint32\na: uint8[n & 0xff]", []),
        ("n: uint32\na: uint8[n % 100]", []),
        ("n: uint32\na: uint8[min(n, 7) * 3]", []),
        ("n: uint32\ncheck small: n <= 9\na: uint8[n]", []),
        ("n: uint32\ncheck small: n in 1..9\na: uint8[n]", []),
        ("n: uint32\nlet m: n >> 1\na: uint8[m]", ["count/unbounded 6:5"]),
        ("n: uint16\na: uint8[n * n]", ["count/unbounded 5:5"]),
        ("a: uint8[uint16]", []),
        ("a: bitmap[uint32]", ["count/unbounded 4:5"]),
        ("a: string[uint8][uint32]", ["count/unbounded 4:5"]),
        ("b: bytes[4]\na: uint8[le16(b, 0)]", []),
        ("b: bytes[4]\na: uint8[le32(b, 0)]", ["count/unbounded 5:5"]),
    ],
)
def test_bounds_of_counts(found: Found, fields: str, expected: list[str]) -> None:
    assert found(spec(fields)) == expected


def test_a_check_of_the_length_is_a_bound(found: Found) -> None:
    assert found("vmstate: acme\nfields:\n  - a: bytes[uint32]\n    check: len(it) <= 4096\n") == []


@pytest.mark.parametrize(
    ("element", "mark", "expected"),
    [
        ("kind: uint32", "uint32 0", ["type/ends 7:7"]),
        ("kind: uint32\n      check: it != 0", "uint32 0", []),
        ("kind: uint32\n      check: it in 1..4", "uint32 0", []),
        ("kind: uint8 = 42", "uint8 0", []),
        ("kind: uint8 = 42", "uint8 42", ["type/ends 7:7"]),
        ("kind: int8\n      check: it > 0", "uint8 255", []),
        ("kind: int8", "uint8 255", ["type/ends 7:7"]),
        ("kind: uint16", "uint8 0", ["type/ends 4:5"]),
        ("kind: bool", "uint8 0", ["type/ends 4:5"]),
        ("kind: uint8 when true", "uint8 0", ["type/ends 7:7", "expr/constant 7:24"]),
        ("inner: uint8[3]", "uint8 0", ["type/ends 7:7"]),
    ],
)
def test_end_marks(found: Found, element: str, mark: str, expected: list[str]) -> None:
    assert sorted(found(spec(f"a: Item[until {mark}]", f"  Item:\n    - {element}\n"))) == sorted(expected)


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("it in 3..32", []),
        ("it < 0", ["check/impossible 5:12"]),
        ("it <= -1 or it > 255", ["check/impossible 5:12"]),
        ("it >= 0 and it != 3", []),
        ("it in (1, 2) and it > 2", ["check/impossible 5:12"]),
        ("3 <= it <= 2", ["check/impossible 5:12"]),
        ("it == 256 or it == 1", ["type/width 5:18"]),
        ("it in (1, 300)", ["type/width 5:22"]),
        ("1 == 1", ["expr/constant 5:12"]),
        ("it == mine", []),
    ],
)
def test_checks_of_a_byte(found: Found, check: str, expected: list[str]) -> None:
    assert found(f"vmstate: acme\nfields:\n  - a: uint8\n    check: {check}\n") == expected


def test_derived_values_that_need_each_other(found: Found) -> None:
    assert found(spec("a: uint8 = b + 1\nb: uint8 = a + 1\nc: uint8 = a")) == ["name/later 4:5", "name/later 5:5"]


def test_defaults_of_props_that_need_each_other(found: Found) -> None:
    props = "props:\n  p: {type: int, default: props.q}\n  q: {type: int, default: props.p + 1}\n"
    assert found(spec("a: uint8[props.p & 7]", head=props)) == ["name/later 4:3", "name/later 5:3"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", ["sub/prefix 11:5"]),
        ("\nend: uint8", []),
        ("\nend: uint8 when i.x == 1", ["sub/prefix 12:5"]),
        ("\nend: uint8[i.x]", ["sub/prefix 12:5"]),
        ("\nend: uint8[4]", []),
    ],
)
def test_tail_of_a_description_takes_subsections_first(found: Found, more: str, expected: list[str]) -> None:
    inner = "  Part:\n    vmstate: acme/in\n    fields:\n      - x: uint8\n"
    subsections = "subsections:\n  - acme/inner:\n    - b: uint8\n"
    assert found(spec(f"i: Part{more}", inner) + subsections) == expected


def test_variants_need_different_conditions(found: Found) -> None:
    def variant(name: str, match: str) -> str:
        return f"vmstate: cpu\nas: {name}\n{match}fields:\n  - a: uint8\n"

    same = 'match: target.arch == "arm"\n'
    other = 'match: target.arch == "x86"\n'
    files = {"a": variant("A", same), "b": variant("B", same), "c": variant("C", other), "d": variant("D", "")}
    assert found(files) == ["match/same 2:10"]


def test_names_of_asn1_meet_without_regard_to_case(found: Found) -> None:
    files = {"a": "vmstate: nic\nfields:\n  - x: uint8\n", "b": "vmstate: NIC\nfields:\n  - x: uint8\n"}
    assert found(files) == ["name/collision 2:10"]


def test_components_of_asn1_meet_without_regard_to_case(found: Found) -> None:
    assert found(spec("ab: uint8\nAB: uint8")) == ["name/collision 5:5"]


def test_a_struct_called_like_the_subsections_of_a_state(found: Found) -> None:
    text = spec("s: Subsections", "  Subsections:\n    - a: uint8\n") + "subsections:\n  - acme/x:\n    - b: uint8\n"
    assert found(text) == ["name/collision 6:3"]


def test_what_the_facts_of_the_machine_declare_may_be_unused(found: Found) -> None:
    assert found({"machine": "props: {qemu: {type: release}}\nconst: {A: 1}\n"}) == []


def test_lint_is_silent_where_errors_may_have_caused_it(found: Found) -> None:
    text = spec("a: Pont", "  Point:\n    - x: uint8\n")
    assert found(text) == ["name/unknown-type 4:8"]
