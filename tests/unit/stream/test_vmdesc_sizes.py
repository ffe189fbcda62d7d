"""The vmdesc of a stream that is saved with sections of another size."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tests.unit.stream.states import REGISTRY, Clock, Switch
from tests.unit.stream.synthetic import HEADER, be32, be64, full, raw_vmdesc
from vmsgen.stream.migration import Migration, open_migration
from vmsgen.stream.vmdesc.parsing import parse_vmdesc
from vmsgen.stream.vmdesc.sizes import with_sizes

SWITCH = be32(1) + be32(2)
CLOCK = be64(7) + be32(1) + b"\1"
#: spread over lines as QEMU 7.2 does it, with things that look like what is searched
TEXT = b"""{
  "configuration": {"vmsd_name": "devices", "devices": [1, [2]], "say": "\\"devices\\": [{"},
    "page_size" : 4096,
  "devices" : [
    {"name": "first", "instance_id": 0, "size": 3,
     "fields": [{"name": "data", "size": 3, "type": "buffer"}]} ,
    {"name": "switch", "instance_id": 0, "vmsd_name": "switch", "version": 1,
     "fields": [{"name": "ports", "array_len": 2, "type": "uint32", "size": 4}]},
    {"name": "clock", "instance_id": 0, "vmsd_name": "clock", "version": 2, "fields": [
       {"name": "ticks", "type": "uint64", "size": 8}, {"name": "offset", "type": "int32", "size": 4},
       {"name": "running", "type": "bool", "size": 1}]}
  ]
}"""
STREAM = HEADER + full(1, "first", b"abc") + full(2, "switch", SWITCH) + full(3, "clock", CLOCK, version=2) + b"\0"
STREAM += raw_vmdesc(TEXT)


def migration(data: bytes = STREAM) -> Migration:
    return open_migration(data, REGISTRY)


def saved(changed: Migration, form: str = "binary") -> bytes:
    out = io.BytesIO()
    changed.save(out, form)
    return out.getvalue()


def described(data: bytes) -> dict[str, Any]:
    entries = json.loads(data[data.index(b"{") :])["devices"]
    return {entry["name"]: entry for entry in entries}


def test_what_was_only_looked_at_is_described_as_before() -> None:
    with migration() as opened:
        assert [section.state is None for section in opened.devices] == [True, False, False]
        opened["clock"].ticks = 8
        opened["clock"].ticks = 7
        assert saved(opened) == STREAM


def test_values_change_nothing_in_it() -> None:
    with migration() as opened:
        opened["clock"].ticks = 9
        assert saved(opened).endswith(raw_vmdesc(TEXT))


@pytest.mark.parametrize("form", ["binary", "ber"])
def test_of_a_section_of_another_size_the_size_is_left(form: str) -> None:
    with migration() as opened:
        opened.section("switch").state = Switch(ports=[1, 2, 5])
        opened["switch"]._facts = opened["switch"].facts.derive({"ports": 3})
        out = saved(opened, form)
    with migration(out) as again:
        assert again["switch"].ports == [1, 2, 5] and again["clock"] == Clock(ticks=7, offset=1, running=True)
        assert not again.warnings
        text = again.vmdesc
    assert text is not None
    entry = (
        b'{"name": "switch", "instance_id": 0, "size": 12, "fields": [{"name": "data", "size": 12, "type": "buffer"}]}'
    )
    start, end = TEXT.index(b'{"name": "switch"'), TEXT.index(b',\n    {"name": "clock"')
    assert text == TEXT[:start] + entry + TEXT[end:]
    assert [section.size for section in parse_vmdesc(text).sections] == [3, 12, 13]


def test_a_section_read_as_bytes_keeps_its_description() -> None:
    with open_migration(STREAM, None) as opened:
        assert [section.data for section in opened.devices] == [b"abc", SWITCH, CLOCK]
        assert saved(opened) == STREAM


SIZES = [("switch", 0, 9), ("nobody", 0, 1), ("clock", 0, None)]


def test_names_that_are_no_utf8_go_back_as_they_were() -> None:
    odd = TEXT.replace(b'"name": "switch"', b'"name": "sw\xff"').replace(b"4096", b"1")
    changed = with_sizes(odd, [("sw\udcff", 0, 9)])
    assert b'"name": "sw\xff", "instance_id": 0, "size": 9' in changed
    assert changed.startswith(odd[: odd.index(b'{"name": "sw\xff"')])
    assert parse_vmdesc(changed).sections[1].size == 9


def test_sections_are_found_in_order() -> None:
    twice = b'{"devices": [%s, %s]}' % ((b'{"name": "a", "instance_id": 0, "size": 1, "fields": []}',) * 2)
    first, second = parse_vmdesc(with_sizes(twice, [("a", 0, None), ("a", 0, 5)])).sections
    assert (first.size, second.size) == (1, 5)
    assert with_sizes(twice, SIZES) == twice
    assert with_sizes(twice, [("a", 0, 1), ("a", 0, 1)]) == twice


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"devices": 3}', b"\xff" * 9, b"[" * 100_000])
def test_what_is_no_vmdesc_stays(text: bytes) -> None:
    assert with_sizes(text, SIZES) == text


def test_arrays_of_pointers_whose_size_is_not_known_stay() -> None:
    # (a NULL of QEMU 7.2)
    text = json.dumps(
        {
            "devices": [
                {
                    "name": "switch",
                    "instance_id": 0,
                    "vmsd_name": "switch",
                    "version": 1,
                    "fields": [{"name": "p", "type": "struct", "size": 1, "array_len": 4}],
                }
            ]
        }
    ).encode()
    assert with_sizes(text, SIZES) == text
