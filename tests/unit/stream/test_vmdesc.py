"""QEMU's description: sizes, leaves, both styles of JSON, its quirks, and what is no description."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest

from vmsgen.runtime.errors import DataError
from vmsgen.runtime.trace import Leaf as OurLeaf
from vmsgen.stream.vmdesc import parsing
from vmsgen.stream.vmdesc.description import DescribedSection
from vmsgen.stream.vmdesc.match import compare_leaves
from vmsgen.stream.vmdesc.parsing import parse_vmdesc


def parsed(*fields: Any, subsections: Any = None, text: str | None = None) -> DescribedSection:
    device = {"name": "a/b", "instance_id": 3, "vmsd_name": "b", "version": 1, "fields": list(fields)}
    if subsections is not None:
        device["subsections"] = subsections
    return parse_vmdesc((text or json.dumps({"page_size": 4096, "devices": [device]})).encode()).sections[0]


def field(name: str, size: int, kind: str = "uint32", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "size": size, **more}


def state(name: str, *fields: Any, **more: Any) -> dict[str, Any]:
    return {"vmsd_name": name, "version": 1, "fields": list(fields), **more}


def paths(section: DescribedSection) -> list[tuple[str, int, int]]:
    return [(leaf.path, leaf.offset, leaf.size) for leaf in section.leaves()]


def test_sizes_and_leaves() -> None:
    inner = state("in", field("x", 2, "uint16"), field("y", 1, "uint8", array_len=3))
    section = parsed(field("n", 4), field("s", 5, "struct", struct=inner), field("z", 0, "buffer"))
    assert (section.name, section.instance, section.size, section.exact) == ("a/b", 3, 9, True)
    assert paths(section) == [
        ("n", 0, 4),
        ("s.x", 4, 2),
        ("s.y[0]", 6, 1),
        ("s.y[1]", 7, 1),
        ("s.y[2]", 8, 1),
        ("z", 9, 0),
    ]


def test_subsections_have_a_header() -> None:
    section = parsed(field("n", 4), subsections=[state("b/more", field("m", 8), subsections=[state("b/more/x")])])
    assert section.size == 4 + (6 + 6 + 8) + (6 + 8)
    assert paths(section) == [("n", 0, 4), ("<b/more>.m", 16, 8)]


def test_arrays_of_structs() -> None:
    inner = state("in", field("x", 2, "uint16"))
    section = parsed(field("s", 2, "struct", array_len=2, struct=inner), field("t", 2, "struct", index=0, struct=inner))
    assert [path for path, _, _ in paths(section)] == ["s[0].x", "s[1].x", "t[0].x"]


def test_the_last_element_has_no_index_in_10_0() -> None:
    inner = state("in", field("x", 2, "uint16"))
    fields = [field("t", 2, "struct", index=index, struct=inner) for index in range(2)]
    section = parsed(*fields, field("t", 2, "struct", struct=inner))
    assert [path for path, _, _ in paths(section)] == ["t[0].x", "t[1].x", "t[2].x"]


def test_old_style() -> None:
    device = {
        "name": "slirp",
        "instance_id": 0,
        "size": 131,
        "fields": [{"name": "data", "size": 131, "type": "buffer"}],
    }
    (section,) = parse_vmdesc(json.dumps({"devices": [device]}).encode()).sections
    assert section.size == 131 and paths(section) == [("data", 0, 131)]


def test_spaced_json_of_5_2() -> None:
    text = '{ "page_size" : 4096, "devices" : [ { "name" : "x", "instance_id" : 2147483648, "vmsd_name" : "x", '
    text += '"version" : 2, "fields" : [ { "name" : "f", "type" : "bool", "size" : 1 } ] } ] }'
    section = parsed(text=text)
    assert (section.instance, section.size) == (0x80000000, 1)


def test_lists_repeat_their_keys() -> None:
    def element(size: int) -> str:
        return f'"vmsd_name": "v", "version": 1, "fields": [{{"name": "g", "type": "buffer", "size": {size}}}]'

    text = '{"devices": [{"name": "u", "instance_id": 0, "vmsd_name": "u", "version": 1, "fields": ['
    text += f'{{"name": "q", "type": "qtailq", {element(3)}, {element(5)}, "size": 11}}]}}]}}'
    section = parsed(text=text)
    assert section.size == 11
    assert paths(section) == [
        ("q[0]", 0, 1),
        ("q[0].g", 1, 3),
        ("q[1]", 4, 1),
        ("q[1].g", 5, 5),
        ("q", 10, 1),
    ]


def test_first_run_of_pointers_is_cut() -> None:
    inner = state("in", field("x", 8, "uint64"))
    runs = [
        field("css", 8, "struct", array_len=256, struct=inner),
        field("css", 1, "nullptr", array_len=253),
        field("css", 8, "struct", struct=inner),
        field("css", 1, "nullptr"),
    ]
    assert parsed(*runs).size == 8 + 253 + 8 + 1
    assert parsed(*runs[1:]).size == 253 + 8 + 1


def test_null_first_pointers_of_7_2_have_no_size() -> None:
    assert not parsed(field("css", 1, "struct", array_len=256, struct={})).exact


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "a list of devices"),
        ('{"devices": {}}', "a list of devices"),
        ("{", "in JSON"),
        ('{"devices": [1]}', r"an object at devices\[0\]"),
        ('{"devices": [{"name": 1}]}', r"a text at devices\[0\].name"),
        ('{"devices": [{"name": "a", "instance_id": -1}]}', "from 0 to 4294967295"),
        ('{"devices": [{"name": "a", "instance_id": 0, "size": true}]}', "a number"),
        ('{"devices": [{"name": "a", "instance_id": 0, "vmsd_name": "a", "version": 1, "fields": 7}]}', "a list"),
        ("[" * 100000, "nested|JSON"),
        ('{"devices": [{"name": "a", "instance_id": 1' + "0" * 5000 + "}]}", "JSON|from 0 to"),
    ],
)
def test_no_description(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_vmdesc(text.encode())


def test_a_name_that_is_not_utf8_hides_nothing() -> None:
    text = b'{"devices": [{"name": "a", "instance_id": 0, "size": 1, "fields": [{"name": "\xff", "type": "x"}]}]}'
    assert parse_vmdesc(text).sections[0].size == 1


# ---------------------------------------------------------------------------------------------- the quick way

_INNER = '{"vmsd_name": "in", "version": 1, "fields": [{"name": "x", "type": "uint16", "size": 2}]}'
_FIELDS = (
    '{"name": "a", "type": "uint8", "size": 1}',
    '{"name": "b", "array_len": 3, "type": "uint16", "size": 2}',
    '{"name": "c", "index": 0, "type": "uint16", "size": 2}',
    f'{{"name": "s", "type": "struct", "struct": {_INNER}, "size": 2}}',
    f'{{"name": "s", "array_len": 4, "type": "struct", "struct": {_INNER}, "size": 2}}',
    f'{{"name": "s", "index": 1, "type": "struct", "struct": {_INNER}, "size": 2}}',
    '{"name": "t", "type": "tmp", "vmsd_name": "in", "version": 1, "fields": [], "size": 0}',
    '{"name": "css", "array_len": 9, "type": "struct", "struct": {}, "size": 1}',
    '{"name": "css", "type": "nullptr", "size": 1}',
)
_DEVICE = (
    '{"devices": [{"name": "u", "instance_id": 0, "vmsd_name": "u", "version": 1, "fields": ['
    + ", ".join(_FIELDS[:7])
    + f'], "subsections": [{_INNER}, {{"vmsd_name": "u/\u00e4", "version": 1, "fields": [{_FIELDS[7]}]}}]}}]}}'
)


def outcome(text: str) -> tuple[Any, ...]:
    try:
        (section,) = parse_vmdesc(text.encode()).sections
    except DataError as error:
        return (error.message,)
    return section.size, section.exact, paths(section)


def test_the_size_that_is_measured_is_that_of_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every token of a description in turn is left out, doubled, and replaced by others."""
    tokens = re.findall(r'"[^"]*"|\d+|[][{}:,]', _DEVICE)
    texts = [_DEVICE]
    for at, token in enumerate(tokens):
        for other in (
            "",
            f"{token}, {token}",
            "-1",
            "true",
            "null",
            "[]",
            "{}",
            "4294967296",
            '"tmp"',
            '"nullptr"',
            '"fields"',
        ):
            texts.append(" ".join([*tokens[:at], other, *tokens[at + 1 :]]))
    for one in _FIELDS:
        for two in _FIELDS:
            texts.append(_DEVICE.replace(_FIELDS[0], one).replace(_FIELDS[1], two))
    assert parsing.measured is not None
    quick = [outcome(text) for text in texts]
    monkeypatch.setattr(parsing, "measured", lambda text: None)
    assert quick == [outcome(text) for text in texts]
    assert len({found for found in quick if len(found) == 3 for found in found[:1]}) > 10


_ONE = (
    '{"name": "a", "instance_id": 0, "vmsd_name": "a", "version": 1, "fields": [{"name": "x", "type": "u", "size": 2}]}'
)
_TWO = '{ "name" : "b/c" , "instance_id" : 7, "size": 5, "fields": []\n}'
_FLAT = '{"name": "d", "size": 1, "instance_id": 2, "fields": []}'


def sections(text: str) -> tuple[Any, ...]:
    try:
        found = parse_vmdesc(text.encode())
    except DataError as error:
        return (error.message,)
    return found.page_size, [(each.name, each.instance, each.size, each.exact) for each in found.sections]


def test_a_text_is_cut_into_sections_where_the_parser_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands around and between the descriptions."""
    lists = [
        ", ".join(found)
        for found in itertools.product((_ONE, _TWO, _FLAT, "{}", "3", "", _ONE.replace("]", f", {_TWO}]", 1)), repeat=2)
    ]
    lists += [f"{_ONE}{_TWO}", f"{_ONE},, {_TWO}", f"{_ONE}, {_TWO},", f"[{_ONE}], {_TWO}", f"{_ONE} // {_TWO}"]
    frames = (
        '{"page_size": 4096, "devices": [%s]}',
        '{"devices" : [ %s ] , "page_size": 1024}',
        ' {"configuration": {"devices": []}, "devices": [%s]} ',
        '{"configuration": {"devices": [%s]}, "devices": []}',
        '{"others": [%s], "devices": []}',
        '{"devices": [], "devices": [%s]}',
        '{"devices": [%s], "devices": []}',
        '{"devices": [[%s]]}',
        '{"devic\\u0065s": [], "devices": [%s]}',
        '{"devices": [%s]} {}',
        '[{"devices": [%s]}]',
        '{"page_size": 1.5, "devices": [%s]}',
        '{"devices": [%s]',
    )
    texts = [frame.replace("%s", listed) for frame in frames for listed in lists]
    # the second time, what was measured is known
    quick, known = [sections(text) for text in texts], [sections(text) for text in texts]
    monkeypatch.setattr(parsing, "measured", lambda text: None)
    assert quick == known == [sections(text) for text in texts]
    assert len({str(found) for found in quick}) > 20


def test_what_is_as_a_rule_is_measured_and_made_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "_states", lambda pairs, where, depth: pytest.fail("was made"))
    text = _DEVICE.replace(_FIELDS[7], _FIELDS[0])
    assert parse_vmdesc(text.encode()).sections[0].size == 1 + 6 + 2 + 2 + 8 + 2 + (6 + 2 + 2) + (6 + 4 + 1)


# ---------------------------------------------------------------------------------------------- against ours


def ours(*leaves: tuple[str, int, str]) -> list[OurLeaf]:
    found, offset = [], 0
    for path, size, kind in leaves:
        found.append(OurLeaf(path, path, offset, size, None, kind, False))
        offset += size
    return found


def test_equal_and_finer_leaves_agree() -> None:
    section = parsed(field("n", 4), field("virtio", 8, "virtio"), field("mac", 1, "uint8", array_len=6))
    leaves = ours(("n", 4, "int"), ("a", 2, "int"), ("b", 6, "int"), ("mac", 6, "bytes"))
    assert compare_leaves(section, leaves).boundaries == 0


def test_a_boundary_inside_a_scalar_disagrees() -> None:
    found = compare_leaves(parsed(field("n", 2), field("m", 2)), ours(("nm", 4, "int")))
    assert found.boundaries == 1 and found.first == "m begins inside nm (0x2)"


def test_names_are_compared_without_numbers() -> None:
    section = parsed(field("r", 4, array_len=2), field("t", 4))
    assert compare_leaves(section, ours(("r[0]", 4, "int"), ("r[1]", 4, "int"), ("t", 4, "int"))).names == 0
    assert compare_leaves(section, ours(("r[0]", 4, "int"), ("x[1]", 4, "int"), ("u", 4, "int"))).names == 2


def test_what_stands_inside_a_part_of_a_pci_device_has_its_name() -> None:
    section = parsed(field("config[1]", 8, "pci config"), field("irq_state", 8, "pci irq state"))
    right = (("config", 4, "bytes"), ("config", 4, "bytes"), ("irq_state[0]", 4, "int"), ("irq_state[1]", 4, "int"))
    assert compare_leaves(section, ours(*right)).rank == (0, 0)
    assert compare_leaves(section, ours(*right[:2], ("pending", 0, "bytes"), *right[2:])).boundaries == 0
    wrong = (("config", 4, "bytes"), ("irq_state[0]", 4, "int"), ("irq_state[1]", 4, "int"), ("msix", 4, "bytes"))
    found = compare_leaves(section, ours(*wrong))
    assert found.boundaries == 1 and found.first == "irq_state[0] stands inside config (0x4)"


def test_nothing_reaches_beyond_a_part_of_a_pci_device() -> None:
    section = parsed(field("msix", 4, "msix state"), field("level", 4))
    found = compare_leaves(section, ours(("msix", 8, "bytes")))
    assert found.boundaries == 1 and found.first == "msix ends inside msix (0x4)"
