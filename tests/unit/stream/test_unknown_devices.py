"""Sections that no spec describes, read by classes that are made of the stream's own vmdesc."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

import vmsgen
from tests.unit.stream.states import REGISTRY, Clock, Registry
from tests.unit.stream.synthetic import (
    EOS_RECORD,
    HEADER,
    be16,
    be32,
    be64,
    block_list,
    configuration,
    end,
    full,
    full_page,
    part,
    piped,
    raw_vmdesc,
    start,
    subsection,
)
from vmsgen.qemu import described
from vmsgen.qemu.compiling import class_of_text
from vmsgen.qemu.described import WithDescribed, with_described
from vmsgen.runtime.errors import DataError
from vmsgen.stream.convert import Conversion, convert
from vmsgen.stream.input_file import InputFile
from vmsgen.stream.items import Blob, Section, SectionKind, State
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.text.summary import summarize
from vmsgen.stream.transport.sink import MemorySink
from vmsgen.stream.transport.source import ByteSource, MemorySource
from vmsgen.stream.verify.stream import Report, verify

GADGET = be32(0xABCDEF) + b"\1" + be16(3) + be16(4) + b"<a>" + subsection("gadget/late", be64(9), version=2)


def field(name: str, kind: str, size: int, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "size": size, **more}


def state(name: str, version: int, *fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"vmsd_name": name, "version": version, "fields": list(fields), **more}


GADGET_STATE = state(
    "gadget",
    3,
    field("regs.control", "uint32", 4),
    field("on", "bool", 1),
    field("queue", "struct", 2, array_len=2, struct=state("gadget_queue", 1, field("head", "uint16", 2))),
    field("label", "buffer", 3),
    subsections=[state("gadget/late", 2, field("when", "timer", 8))],
)
CLOCK_STATE = state("clock", 2, field("ticks", "uint64", 8), field("offset", "int32", 4), field("running", "bool", 1))
CLOCK = be64(7) + be32(1) + b"\1"


EMPTY = field("none", "uint8", 0, array_len=1 << 30)
DEEP = state("level0", 1, field("a", "uint32", 4))
for _level in range(1, 90):
    DEEP = state(f"level{_level}", 1, field("a", "struct", 4, struct=DEEP))


def stream(*sections: tuple[str, bytes, int, dict[str, Any] | None]) -> bytes:
    """Name, contents, version and description of each device section."""
    data = HEADER + configuration("pc-q35-7.2") + start(2, "ram", block_list([("pc.ram", 1 << 20)]))
    data += part(2, full_page(0, "pc.ram") + EOS_RECORD) + end(2, EOS_RECORD)
    devices = []
    for number, (name, content, version, told) in enumerate(sections):
        data += full(10 + number, name, content, version=version)
        if told is not None:
            devices.append({"name": name, "instance_id": 0, **told})
    return data + b"\0" + raw_vmdesc(json.dumps({"page_size": 4096, "devices": devices}).encode())


ORDINARY = stream(("0000:00:05.0/gadget", GADGET, 3, GADGET_STATE), ("clock", CLOCK, 2, CLOCK_STATE))


def classes() -> WithDescribed:
    return with_described(REGISTRY)


def devices(source: ByteSource, known: Any = None) -> tuple[list[Any], list[str]]:
    reader, found = StreamReader(source, known or classes()), []
    for item in reader.items():
        if isinstance(item, Section):
            item.exhaust()
            if item.kind is SectionKind.FULL:
                found.append(item.body)
    return found, reader.warnings


def converted(data: bytes, to: str, known: Any = None) -> tuple[bytes, Conversion]:
    sink = MemorySink()
    result = convert(MemorySource(data), sink, to, known or classes())
    return sink.getvalue(), result


def verified(data: bytes, known: Any = None) -> Report:
    return verify(InputFile(data), None, known or classes())


def check_gadget(gadget: Any) -> None:
    assert (gadget.VMSTATE, gadget.VERSION, gadget.regs_control, gadget.on, gadget.label) == (
        *("gadget", 3, 0xABCDEF, True, b"<a>"),
    )
    assert [queue.head for queue in gadget.queue] == [3, 4]
    assert gadget.late.when == 9 and gadget.late.section_version == 2


def test_fields_have_their_names_and_types() -> None:
    (gadget, clock), warnings = devices(MemorySource(ORDINARY))
    check_gadget(gadget.value)
    assert type(clock.value) is Clock
    assert not warnings


def test_a_registry_that_makes_no_classes_leaves_bytes() -> None:
    (gadget, _), warnings = devices(MemorySource(ORDINARY), REGISTRY)
    assert isinstance(gadget, Blob) and gadget.warning is None and not warnings


def test_all_that_is_needed_travels_in_ber() -> None:
    ber, there = converted(ORDINARY, "ber")
    assert (there.typed, there.opaque, there.warnings) == (2, 0, [])
    again, back = converted(ber, "binary")
    assert again == ORDINARY
    assert (back.typed, back.opaque, back.warnings) == (2, 0, [])
    for source in (MemorySource(ber), piped(ber)):
        check_gadget(devices(source)[0][0].value)
    assert converted(ber, "binary", REGISTRY)[0] == ORDINARY  # they need not be understood


def test_a_ber_stream_without_description_keeps_the_bytes() -> None:
    ber, _ = converted(ORDINARY, "ber")
    at = ber.index(b'{"page_size"')
    for broken in (ber[:at] + b"[" + ber[at + 1 :], ber[:at] + ber[at:].replace(b'"gadget"', b'"gadgex"')):
        (gadget, _), _ = devices(MemorySource(broken))
        assert isinstance(gadget, Blob) or gadget.value.VMSTATE == "gadgex"
        assert bytes(getattr(gadget, "data", b"") or gadget.value.to_binary()).startswith(GADGET[:12])
    with pytest.raises(DataError):
        devices(MemorySource(ber[: at + 20]))


def test_statistics_count_them_as_typed() -> None:
    assert summarize(MemorySource(ORDINARY), classes()).statistics.opaque == 0
    assert summarize(MemorySource(ORDINARY), REGISTRY).statistics.opaque == len(GADGET)


def test_one_class_for_equal_descriptions() -> None:
    twice = stream(("0000:00:05.0/gadget", GADGET, 3, GADGET_STATE), ("0000:00:06.0/gadget", GADGET, 3, GADGET_STATE))
    (first, second), _ = devices(MemorySource(twice))
    assert type(first.value) is type(second.value) and first.value == second.value


def test_a_migration_can_be_changed_and_saved(tmp_path: Path) -> None:
    place, ber = tmp_path / "a.mig", tmp_path / "a.ber"
    place.write_bytes(ORDINARY)
    with vmsgen.open(place, REGISTRY) as migration:
        migration["gadget"].regs_control = 5
        migration.save(ber, "ber")
    with vmsgen.open(ber, REGISTRY) as migration:
        assert migration["gadget"].regs_control == 5
        migration["gadget"].regs_control = 0xABCDEF
        migration.save(place)
    assert place.read_bytes() == ORDINARY


class TestWhichSectionsASpecDescribes:
    def test_contents_that_break_the_spec_are_a_finding(self) -> None:
        data = stream(("clock", CLOCK + b"\0", 2, state("clock", 2, *CLOCK_STATE["fields"], field("new", "uint8", 1))))
        (clock,), warnings = devices(MemorySource(data))
        assert clock.value.new == 0 and "take 13 bytes, but the section has 14" in str(clock.warning)
        assert warnings == [f"section clock/0 is read by its vmdesc: {clock.warning}"]
        assert [finding.section for finding in verified(data).findings] == ["clock/0"]
        ber, _ = converted(data, "ber")
        assert converted(ber, "binary")[0] == data

    def test_a_layout_that_fits_by_chance_is_not_taken(self) -> None:
        text = """
            vmsgen: 1
            vmstate: valve
            fields:
              - open: uint8
              - wide: uint64 when unknown
              - last: uint32[2] when unknown
        """
        valve = class_of_text("valve", textwrap.dedent(text))
        data = b"\1" + bytes(range(8))
        told = state(
            "valve", 1, field("open", "uint8", 1), field("wide", "uint16", 2), field("last", "uint16", 2, array_len=3)
        )
        (body,), warnings = devices(MemorySource(stream(("valve", data, 1, told))), with_described(Registry(valve)))
        assert (body.value.wide, body.value.last) == (0x0001, [0x0203, 0x0405, 0x0607])
        assert len(warnings) == 1 and "section valve/0 is read by its vmdesc" in warnings[0]
        same = state("valve", 1, field("open", "uint8", 1), field("wide", "uint64", 8))
        (body,), warnings = devices(MemorySource(stream(("valve", data, 1, same))), with_described(Registry(valve)))
        assert type(body.value) is valve and body.value.wide == 0x0001020304050607 and not warnings

    def test_another_state_of_the_name_is_not_meant(self) -> None:
        other = state(
            "clock", 2, field("hours", "uint32", 4), field("minutes", "uint32", 4), field("ticks", "uint8", 1)
        )
        data = stream(("clock", be32(11) + be32(30) + b"\7", 2, other))
        (clock,), warnings = devices(MemorySource(data))
        assert (clock.value.hours, clock.value.minutes, clock.value.ticks) == (11, 30, 7)
        report = verified(data)
        assert not warnings and not report.findings and report.typed == 1

    def test_nor_is_one_of_another_version(self) -> None:
        newer = state("clock", 3, *CLOCK_STATE["fields"], field("drift", "int64", 8))
        data = stream(("clock", CLOCK + be64(1), 3, newer))
        (clock,), warnings = devices(MemorySource(data))
        assert (clock.value.ticks, clock.value.drift, clock.value.section_version) == (7, 1, 3)
        assert not warnings and not verified(data).findings
        ber, _ = converted(data, "ber")
        assert repr(devices(MemorySource(ber))[0][0].value) == repr(clock.value)
        assert converted(ber, "binary")[0] == data


class TestHostileDescriptions:
    @pytest.mark.parametrize(
        "name",
        [
            "a'; import os #",
            'a"""\nimport os',
            "../../etc/passwd",
            "{{ 7 * 7 }}",
            "class",
            "visit",
            "!!python/object:os.system",
            "a: b # c",
            "\u202eabc",
            "é" * 100,
        ],
    )
    def test_names_are_names(self, name: str) -> None:
        wire = state(name, 1, field(name, "uint32", 4), field("plain", "uint32", 4))
        data = stream((name, be32(1) + be32(2), 1, wire))
        (body,), warnings = devices(MemorySource(data))
        if isinstance(body, State):
            assert body.value.plain == 2 and str(body.value.VMSTATE) == name
        else:
            assert len(warnings) == 1 and "its vmdesc cannot be used" in warnings[0]
        ber, _ = converted(data, "ber")
        assert converted(ber, "binary")[0] == data

    @pytest.mark.parametrize(
        "wrong",
        [
            state("gadget", 1, field("flag", "bool", 4)),
            state("gadget", 1, field("a", "uint8", 2), field("b", "struct", 2)),
            state("gadget", 1, field("a", "int64 equal", 1, array_len=4)),
            state("gadget", 1, field("a", "qtailq", 4, **state("e", 1, field("x", "uint8", 1)))),
            state("gadget", 1, field("a", "gtree", 4)),
            state("gadget", 1, field("a", "uint32", 4), field("b", "uint32", 0, array_len=1 << 31)),
            state(
                "gadget", 1, field("a", "uint32", 4), field("b", "struct", 0, array_len=9, struct=state("e", 1, EMPTY))
            ),
            state("", 1, field("a", "uint32", 4)),
            state("gadget", 1, field("a" * 100_000, "uint32", 4)),
            state("gadget" * 100_000, 1, field("a", "uint32", 4)),
            DEEP,
        ],
    )
    def test_what_cannot_be_is_bytes_with_a_warning(self, wrong: dict[str, Any]) -> None:
        data = stream(("gadget", be32(0x01020304), 1, wrong))
        (body,), warnings = devices(MemorySource(data))
        assert isinstance(body, State) or (len(warnings) == 1 and len(warnings[0]) < 500)
        ber, _ = converted(data, "ber")
        assert converted(ber, "binary")[0] == data

    def test_too_many_fields_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(described, "MAX_FIELDS", 100)
        many = [field(f"f{number}", "uint8", 1) for number in range(45)]
        sections = [(f"dev{k}", bytes(45), 1, state(f"dev{k}", 1, *many)) for k in range(3)]
        found, warnings = devices(MemorySource(stream(*sections)))
        assert [type(body) for body in found] == [State, State, Blob]
        assert warnings == [
            "section dev2/0 travels as bytes: its vmdesc cannot be used: "
            "the sections of this stream describe more than 100 fields"
        ]
