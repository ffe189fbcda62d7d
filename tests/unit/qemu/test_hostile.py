"""Descriptions that mean harm: whatever is in them, an import ends soon, stays in its folder, and makes no other code
than the model says."""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.qemu.descriptions import Json, column, dump, gathered, leaf, size_of, state, stream, struct, table
from vmsgen.building.build import compile_project, make
from vmsgen.qemu.into_folder import plan_import, publish
from vmsgen.settings import project
from vmsgen.spec.model import Module
from vmsgen.spec.wire_types import Int

#: What could get out of YAML, Python, ASN.1, HTML or a path if it was not quoted.
NAMES = [
    "../../../etc/cron.d/x",
    "/etc/passwd",
    "a/../b",
    "a\\..\\b",
    'x"; import os; os.abort() #',
    "'''); raise SystemExit(1) #",
    "{{ 7 * 7 }}",
    "{% for a in b %}",
    "${HOME}`id`$(id)",
    "!!python/object/apply:os.abort []",
    "&a *a",
    "- a: uint8",
    "a: b",
    "a #b",
    "[a, b]",
    "{a: b}",
    "? a",
    "| a",
    "> a",
    "% a",
    "@a",
    "when true",
    "since 2",
    "until 1",
    "tmp a",
    "let a",
    "check a",
    "fields",
    "__class__",
    "__init__",
    "self",
    "None",
    "True",
    "import",
    "lambda",
    "version",
    "unknown",
    "it",
    "props",
    "qemu",
    "machine",
    "TAG",
    "visit",
    "to_binary",
    "_version",
    "-- comment",
    "END",
    "<script>alert(1)</script>",
    "0",
    "1e5",
    "0x10",
    "null",
    "yes",
    "2026-11-23",
    "=a",
    "a" * 255,
]
#: Names that are refused, with a word of the reason.
BAD_NAMES = [
    ("a\nb", "not printable"),
    ("a\rb", "not printable"),
    ("a\0b", "not printable"),
    ("a\tb", "not printable"),
    ("a\u2028b", "not printable"),
    ("\u202eabc", "not printable"),
    ("\udc80", "not printable"),
    ("", "no letter"),
    ("...", "no letter"),
    ('"""', "no letter"),
    ("a" * (10 << 20), "characters"),
]


def modules(folder: Path) -> dict[str, Module]:
    compiled = compile_project(project(folder, specs=folder / "specs", output=folder / "generated"))
    assert compiled.model is not None, compiled.diagnostics
    for path, text in make(project(folder, specs=folder / "specs"), compiled).items():
        if path.endswith(".py"):
            ast.parse(text)
    return {module.path: module for module in compiled.model.modules if not module.external}


def outside(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")} - {"specs"}


@pytest.mark.parametrize("kind", ["stream", "dump"])
def test_fields_of_every_name(tmp_path: Path, kind: str) -> None:
    names = list(dict.fromkeys(NAMES))
    if kind == "stream":
        data = stream(state("acme", [leaf(name, "uint16") for name in names]))
    else:
        data = dump(acme=table("acme", [column(name, 2) for name in names]))
    found = plan_import(gathered(tmp_path, ("7.2", data)), tmp_path / "specs")
    before = outside(tmp_path)
    publish(found, tmp_path / "specs")
    assert outside(tmp_path) - before == {"specs/acme.yaml"}
    (definition,) = modules(tmp_path)["acme"].definitions
    fields = list(definition.fields())
    assert [field.wire_names for field in fields] == [(name,) for name in names]
    assert {field.type for field in fields} == {Int(16, False)}
    assert all(field.name.isidentifier() for field in fields)


@pytest.mark.parametrize("name", NAMES)
def test_states_of_every_name(tmp_path: Path, name: str) -> None:
    inner = state(name, [leaf("v", "uint16")], [state(f"{name}/{name}"[:255], [leaf("w")])])
    data = stream(state(name, [struct(name, inner), leaf("x")], [state(f"{name}/y"[:255], [leaf("z")])]))
    found = plan_import(gathered(tmp_path, ("7.2", data)), tmp_path / "specs")
    before = outside(tmp_path)
    publish(found, tmp_path / "specs")
    made = {each for each in outside(tmp_path) - before if each != "specs"}
    assert found.left_out or made
    assert all(each.startswith("specs/") and each.count("/") == 1 and each.endswith(".yaml") for each in made), made
    if made:
        assert {module.path for module in modules(tmp_path).values()} == {each[6:-5] for each in made}


@pytest.mark.parametrize(("name", "reason"), BAD_NAMES, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("place", ["state", "field", "subsection", "dump", "column"])
def test_names_that_are_refused(tmp_path: Path, name: str, reason: str, place: str) -> None:
    made: dict[str, Callable[[], bytes]] = {
        "state": lambda: stream(("x", state(name, [leaf("a")]))),
        "field": lambda: stream(state("x", [leaf(name)])),
        "subsection": lambda: stream(state("x", [leaf("a")], [state(name, [leaf("b")])])),
        "dump": lambda: dump(x=table(name, [column("a")])),
        "column": lambda: dump(x=table("x", [column(name)])),
    }
    started = time.monotonic()
    ((_, message),) = gathered(tmp_path, ("7.2", made[place]())).failed
    assert reason in message
    assert len(message) < 500 and message.isprintable()
    assert time.monotonic() - started < 20


def nested(depth: int, *, by: str) -> bytes:
    inner = '{"vmsd_name": "a", "version": 1, "fields": []}'
    if by == "struct":
        field = '{"name": "f", "type": "struct", "size": 0, "struct": '
        text = f'{{"vmsd_name": "a", "version": 1, "fields": [{field}' * depth + inner + "}]}" * depth
    else:
        text = '{"vmsd_name": "a", "version": 1, "fields": [], "subsections": [' * depth + inner + "]}" * depth
    top = f'{{"page_size": 4096, "devices": [{{"name": "a", "instance_id": 0, {text[1:]}]}}'
    return b"QEVM\0\0\0\3\0\6" + len(top).to_bytes(4, "big") + top.encode()


@pytest.mark.parametrize("by", ["struct", "subsection"])
@pytest.mark.parametrize("depth", [101, 10_000, 1_000_000])
def test_levels(tmp_path: Path, by: str, depth: int) -> None:
    ((_, message),) = gathered(tmp_path, ("7.2", nested(depth, by=by))).failed
    assert "nested too deeply" in message or message == "the stream has no vmdesc"


def test_levels_of_a_dump(tmp_path: Path) -> None:
    text = '{"name": "a", "version_id": 1, "Fields": [{"field": "f", "size": 1, "Description": '
    data = b'{"vmschkmachine": {}, "a": {"Description": ' + text.encode() * 10_000 + b"{}" + b"}]}" * 10_000 + b"}}"
    ((_, message),) = gathered(tmp_path, ("7.2", data)).failed
    assert "nested too deeply" in message


def raw(text: str | Json) -> bytes:
    data = (text if isinstance(text, str) else json.dumps(text)).encode()
    return b"QEVM\0\0\0\3\0\6" + len(data).to_bytes(4, "big") + data


def device(**parts: Any) -> Json:
    described = {"name": "a", "instance_id": 0, "vmsd_name": "a", "version": 1, "fields": []}
    return {"devices": [{**described, **parts}]}


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{",
        '{"devices": 1}',
        '{"devices": {"a": 1}}',
        '{"devices": [1]}',
        device(name=1),
        device(instance_id="0"),
        device(instance_id=-1),
        device(instance_id=1 << 40),
        device(version=1.5),
        device(version=True),
        device(fields={"a": 1}),
        device(fields=[[]]),
        device(subsections=[None]),
        device(fields=[leaf("f", size=-1)]),
        device(fields=[leaf("f", size=(1 << 31) + 1)]),
        device(fields=[leaf("f", count=1 << 40)]),
        device(fields=[{"name": "f", "type": 3, "size": 1}]),
        device(name="b"),
        device(fields=[leaf("\ud800", "uint8")]),
        device(vmsd_name="b"),
    ],
    ids=lambda value: repr(value)[-40:],
)
def test_descriptions_that_are_none(tmp_path: Path, text: str | Json) -> None:
    ((_, message),) = gathered(tmp_path, ("7.2", raw(text))).failed
    assert message.isprintable() and len(message) < 500


@pytest.mark.parametrize(
    "fields",
    [
        [leaf("f", size=1 << 31)],
        [leaf("f", "buffer", size=1 << 31, count=1 << 31)],
        [leaf("f", "bitmap", size=1 << 31)],
        [leaf("f", "unused_buffer", size=0, count=1 << 31)],
        [struct("f", state("b", []), count=1 << 31)],
        [{"name": "f", "type": "struct", "size": 1 << 31, "array_len": 1 << 31, "struct": {}}],
        [{"name": "f", "type": "nullptr", "size": 1, "array_len": 1 << 31}],
        [{"name": "f", "type": "gtree", "size": 1 << 31}],
    ],
    ids=lambda value: repr(value)[2:60],
)
def test_sizes_that_no_stream_has(tmp_path: Path, fields: list[Json]) -> None:
    found = plan_import(gathered(tmp_path, ("7.2", raw(device(fields=fields)))), tmp_path / "specs")
    publish(found, tmp_path / "specs")
    if found.texts:
        modules(tmp_path)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (raw('{"devices": [' + "{}," * 600_000 + "{}]}"), "more than 500000 objects"),
        (raw('{"devices": [' + " " * (17 << 20) + "]}"), "no vmdesc"),
        (b'{"vmschkmachine": {}, "a": [' + b"{}," * 600_000 + b"{}]}", "more than 500000 objects"),
        (b'{"vmschkmachine": {}' + b" " * (17 << 20) + b"}", "a dump of more than"),
    ],
    ids=["objects", "length", "dumped objects", "length of a dump"],
)
def test_more_than_memory_should_take(tmp_path: Path, data: bytes, reason: str) -> None:
    ((_, message),) = gathered(tmp_path, ("7.2", data)).failed
    assert reason in message


def test_a_description_that_says_other_lengths_than_the_stream_has(tmp_path: Path) -> None:
    good = stream(state("acme", [leaf("a"), leaf("b")]))
    bad = good.replace(b'"name": "b", "type": "uint32", "size": 4', b'"name": "b", "type": "uint32", "size": 8')
    found = gathered(tmp_path, ("7.2", bad))
    assert found.failed == []
    assert found.sources[0].notes == ["section acme/0 is left out: the stream has none of 12 bytes"]
    assert plan_import(found, tmp_path / "specs").texts == {}


def test_a_crowd_of_fields_of_one_name(tmp_path: Path) -> None:
    fields = [leaf("ab"[number % 2], "uint8") for number in range(4_000)]
    started = time.monotonic()
    found = plan_import(gathered(tmp_path, ("7.2", stream(state("acme", fields)))), tmp_path / "specs")
    assert time.monotonic() - started < 60
    publish(found, tmp_path / "specs")
    (definition,) = modules(tmp_path)["acme"].definitions
    assert len({field.name for field in definition.fields()}) == 4_000


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ([state("acme", [leaf("f")] * 20_001)], "above the limit"),
        ([state("acme", [], [state(f"acme/{n}", []) for n in range(1_001)])], "above the limit"),
        ([state("acme", [leaf(f"f{n}")]) for n in range(2_001)], "called acme"),
    ],
)
def test_more_than_can_be(tmp_path: Path, states: list[Json], reason: str) -> None:
    ((_, message),) = gathered(tmp_path, ("7.2", stream(*states))).failed
    assert reason in message


def test_bodies_made_to_be_compared_for_ever(tmp_path: Path) -> None:
    from vmsgen.runtime.errors import LimitError

    names = [f"f{number}" for number in range(1_500)]
    states = [
        state("acme", [leaf(name) for name in names[number:] + names[:number]]) for number in range(0, 1_500, 100)
    ]
    found = gathered(tmp_path, ("7.2", stream(*states)))
    started = time.monotonic()
    with pytest.raises(LimitError, match="too many and too different"):
        plan_import(found, tmp_path / "specs")
    assert time.monotonic() - started < 120


def test_a_state_inside_of_itself(tmp_path: Path) -> None:
    inner = state("a", [leaf("x")])
    for _ in range(20):
        inner = state("a", [leaf("x"), struct("in", inner)])
    assert size_of(inner) == 84
    found = plan_import(gathered(tmp_path, ("7.2", stream(inner))), tmp_path / "specs")
    publish(found, tmp_path / "specs")
    assert len(modules(tmp_path)["a"].definitions) == 21


@pytest.mark.parametrize("levels", [5, 20])
def test_subsections_of_subsections_with_long_names(tmp_path: Path, levels: int) -> None:
    name = "/".join(["a" * 40] * 6)
    inner = state(name, [leaf("x")])
    for level in range(levels):
        inner = state(name[: 240 - level], [leaf("x")], [inner])
    sources = gathered(tmp_path, ("7.2", stream(inner)))
    if levels > 5:
        assert "more than 5 deep" in sources.failed[0][1]
        return
    found = plan_import(sources, tmp_path / "specs")
    publish(found, tmp_path / "specs")
    ((_, module),) = modules(tmp_path).items()
    assert len(module.definitions) == 6
