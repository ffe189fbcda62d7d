"""Device sections as typed objects: in both formats, as bytes where they do not fit, in JSON, as text, in numbers."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest

from tests.unit.stream.states import REGISTRY, Clock, Forgetful, OtherSwitch, Registry, Switch
from tests.unit.stream.synthetic import (
    EOS_RECORD,
    HEADER,
    be32,
    be64,
    block_list,
    configuration,
    end,
    full,
    full_page,
    ordinary,
    part,
    start,
    vmdesc,
    zero_page,
)
from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.runtime.facts import Facts
from vmsgen.stream.convert import Conversion, convert
from vmsgen.stream.devices import section_facts
from vmsgen.stream.items import Blob, Section, SectionKind, State
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.text.summary import summarize
from vmsgen.stream.text.values import show_sections
from vmsgen.stream.transport.sink import MemorySink
from vmsgen.stream.transport.source import MemorySource

CLOCK = be64(7) + be32(0xFFFFFFFF) + b"\1"
ODD_CLOCK = be64(7) + be32(0) + b"\5"  # a boolean of 5 is kept
SWITCH = be32(1) + be32(2) + be32(3)


def stream(*, described: bool = True, second: bytes = CLOCK, switch: bytes = SWITCH) -> bytes:
    sections = [("clock", 0, CLOCK, 2), ("clock", 1, second, 2), ("0000:00:03.0/switch", 0, switch, 1)]
    data = HEADER + configuration("pc-q35-7.2")
    data += start(2, "ram", block_list([("pc.ram", 1 << 20)]))
    data += part(2, full_page(0, "pc.ram") + zero_page(0x1000, None) + zero_page(0x2000, None) + EOS_RECORD)
    data += end(2, EOS_RECORD)
    for number, (name, instance, content, version) in enumerate(sections):
        data += full(10 + number, name, content, version=version, instance=instance)
    data += b"\0"
    if described:
        data += vmdesc([(name, instance, len(content)) for name, instance, content, _ in sections])
    return data


def converted(data: bytes, to: str, classes: Any = REGISTRY, **options: Any) -> tuple[bytes, Conversion]:
    sink = MemorySink()
    result = convert(MemorySource(data), sink, to, classes, **options)
    return sink.getvalue(), result


def bodies(data: bytes, classes: Any = REGISTRY, **options: Any) -> list[Any]:
    found = []
    for item in StreamReader(MemorySource(data), classes, **options).items():
        if isinstance(item, Section):
            item.exhaust()
            if item.kind is SectionKind.FULL:
                found.append(item.body)
    return found


@pytest.mark.parametrize("described", [True, False])
def test_typed_and_back(described: bool) -> None:
    data = stream(described=described)
    ber, there = converted(data, "ber")
    again, back = converted(ber, "binary")
    assert again == data
    assert (there.typed, there.opaque, back.typed, back.opaque) == (3, 0, 3, 0)
    assert there.sections == {"start": 1, "part": 1, "end": 1, "full": 3}
    assert (there.bytes_in, there.bytes_out) == (len(data), len(ber))


def test_values() -> None:
    first, second, switch = (body.value for body in bodies(stream()))
    assert first == second == Clock(ticks=7, offset=-1, running=True)
    assert switch == Switch(ports=[1, 2, 3])


def test_a_boolean_of_5_survives() -> None:
    data = stream(second=ODD_CLOCK)
    ber, _ = converted(data, "ber")
    assert converted(ber, "binary")[0] == data


def test_the_facts_of_a_layout_travel() -> None:
    ber, _ = converted(stream(), "ber")
    sections = [item for item in StreamReader(MemorySource(ber), REGISTRY).items() if isinstance(item, Section)]
    section = sections[-1]
    assert section.facts == (("ports", "3"), ("fancy", "false"), ("strict", "false"))
    # they are all that the reader needs: nothing is guessed there
    assert isinstance(section.body, State) and section.body.value == Switch(ports=[1, 2, 3])


def test_a_description_that_is_wrong_leaves_bytes() -> None:
    data = HEADER + full(1, "forgetful", be32(0x12345678)) + full(2, "forgetful", be32(1)) + b"\0"
    data += vmdesc([("forgetful", 0, 4), ("forgetful", 0, 4)])
    first, second = bodies(data)
    assert isinstance(first, Blob) and "first difference is at byte 0x0" in str(first.warning)
    assert isinstance(second, State) and isinstance(second.value, Forgetful)
    ber, result = converted(data, "ber")
    assert result.warnings == [f"section forgetful/0 travels as bytes: {first.warning}"]
    assert converted(ber, "binary")[0] == data


def test_without_description_a_misfit_is_an_error() -> None:
    with pytest.raises(DataError, match=r"^section 0000:00:03.0/switch/0, .*no layout fits: .* --prop ports=VALUE"):
        converted(stream(described=False, switch=b"12345"), "ber")
    assert isinstance(bodies(stream(switch=b"12345"))[2], Blob)


def test_without_spec_and_description_the_section_is_named() -> None:
    data = HEADER + b"".join(full(1 + n, "clock", CLOCK, version=2, foot=False) for n in range(2)) + b"\0"
    with pytest.raises(DataError, match=r"^section clock/0, offset .*: no spec describes this section"):
        converted(data, "ber", Registry(Switch))


def test_without_spec_and_description_the_footer_ends_a_section() -> None:
    data = stream(described=False)
    ber, result = converted(data, "ber", Registry(Switch))
    assert converted(ber, "binary", Registry(Switch))[0] == data
    assert (result.typed, result.opaque) == (1, 2)
    assert "clock/1 travels as bytes: no spec describes it, and no vmdesc" in result.warnings[1]
    twice = HEADER + full(1, "clock", CLOCK + full(1, "a", b"")[-5:] + full(2, "b", b""), version=2) + b"\0"
    with pytest.raises(DataError, match="no vmdesc tells where it ends"):
        converted(twice, "ber", Registry(Switch))


def test_an_older_version_is_read_and_a_newer_one_left_alone() -> None:
    data = HEADER + full(1, "clock", CLOCK[:12], version=1) + full(2, "clock", CLOCK, version=3) + b"\0"
    old, new = bodies(data + vmdesc([("clock", 0, 12), ("clock", 0, 13)]))
    assert old.value.running is None and old.value.section_version == 1
    assert isinstance(new, Blob) and "version 3" in str(new.warning)


def test_what_one_section_teaches_helps_the_next() -> None:
    guarded = be32(1) + be32(2) + b"\0\7"
    data = HEADER + full(1, "switch", guarded) + full(2, "switch", guarded) + b"\0"
    data += vmdesc([("switch", 0, 10), ("switch", 0, 10)])
    assert all(isinstance(body, Blob) and "2 layouts fit" in str(body.warning) for body in bodies(data))
    assert [body.value.guard for body in bodies(data, props={"fancy": "false"})] == [7, 7]
    assert [body.value.index for body in bodies(data, props={"fancy": "true"})] == [7, 7]


def test_a_wrong_prop_is_no_layout() -> None:
    (_, _, switch) = bodies(stream(), props={"ports": "4"})
    assert isinstance(switch, Blob)


def test_ber_with_a_blob_is_read_as_a_state() -> None:
    as_bytes, result = converted(stream(), "ber", None)
    assert result.opaque == 3
    assert [type(body) for body in bodies(as_bytes)] == [State, State, State]
    assert converted(as_bytes, "binary")[0] == stream()


def test_a_state_without_class_stays_what_it_is() -> None:
    ber, _ = converted(stream(), "ber")
    assert converted(ber, "ber", Registry(Switch))[0] == ber
    with pytest.raises(DataError, match=r"^section clock/0: no description of this device state"):
        converted(ber, "binary", Registry(Switch))


@pytest.mark.parametrize("form", ["json", "debug"])
def test_the_same_text_from_both_formats(form: str) -> None:
    data = stream()
    ber, _ = converted(data, "ber")
    assert converted(data, form)[0] == converted(ber, form)[0]


def test_json_is_json() -> None:
    values = json.loads(converted(stream(), "json")[0])
    kinds = [item["kind"] for item in values["items"]]
    assert kinds == ["header", "configuration", "start", "part", "end", "full", "full", "full", "eof", "vmdesc"]
    part_records = values["items"][3]["records"]
    assert part_records[0] == ["block", "pc.ram", "named"]
    assert part_records[1][:2] == ["page", 0] and len(part_records[1][2]) == 8192
    assert part_records[2:] == [["zero", 0x1000, 2], ["eos"]]
    assert values["items"][5]["state"] == {"ticks": 7, "offset": -1, "running": True}
    assert values["items"][7]["facts"]["ports"] == "3"


def test_debug_text() -> None:
    text = converted(stream(), "debug")[0].decode()
    assert "section full clock instance 1 version 2 id 11\n  ticks = 7\n  offset = -1\n" in text
    assert "    0x1000 zero 2 pages\n  end of records\n  footer 2\n" in text


def test_numbers_add_up() -> None:
    for data in (stream(), converted(stream(), "ber")[0], ordinary()):
        summary = summarize(MemorySource(data), REGISTRY)
        assert summary.error is None
        numbers = summary.statistics.values()
        assert numbers["bytes"] == len(data) == sum(numbers[key] for key in ("ram", "framing", "typed", "opaque"))
    typed = summarize(MemorySource(stream()), REGISTRY).statistics
    assert (typed.typed, typed.opaque) == (13 + 13 + 12, 0)
    opaque = summarize(MemorySource(ordinary()), REGISTRY).statistics
    assert (opaque.typed, opaque.opaque) == (0, 45)
    assert [(leaf.section, leaf.size) for leaf in opaque.largest] == [("timer/0", 24), ("0000:00:02.0/vga/0", 21)]


def test_what_was_read_before_an_error_is_shown() -> None:
    data = stream()
    summary = summarize(MemorySource(data[: data.index(b"\3\0\0\0\2")]), REGISTRY)
    assert [row.kind for row in summary.rows] == ["start", "part"]
    assert summary.error is not None and summary.values()["error"] == str(summary.error)


@pytest.mark.parametrize(
    ("name", "count"),
    [("clock", 2), ("clock/1", 1), ("switch", 1), ("0000:00:03.0/switch", 1), ("ram", 3), ("lock", 0)],
)
def test_sections_by_name(name: str, count: int) -> None:
    text, values = MemorySink(), MemorySink()
    assert show_sections(MemorySource(stream()), name, text, REGISTRY) == count
    assert show_sections(MemorySource(stream()), name, values, REGISTRY, as_json=True) == count
    assert text.getvalue().count(b"section ") == len(json.loads(values.getvalue())) == count


@pytest.mark.parametrize(
    ("name", "bus"),
    [
        ("0000:00:1f.2/ich9_ahci", "pci"),
        ("/fe.0.0001/virtio-blk", "ccw"),
        ("virtio-mmio@000000000a003e00/virtio-gpu", "mmio"),
        ("a/b/switch", None),
    ],
)
def test_facts_of_a_section(name: str, bus: str | None) -> None:
    assert section_facts(name, 3) == {"section.instance": 3, **({"section.bus": bus} if bus else {})}


def test_what_is_no_stream() -> None:
    for data in (b"", b"abc", b"QEVX1234"):
        with pytest.raises(DataError):
            StreamReader(MemorySource(data))
    with pytest.raises(VmsgenError, match="a power of two"):
        StreamReader(MemorySource(stream()), props={"target.page_size": "5000"})


def test_the_page_size_can_be_said() -> None:
    pages = full_page(0, "r", size=8192) + EOS_RECORD
    data = HEADER + start(2, "ram", block_list([("r", 1 << 14)])) + part(2, pages) + b"\0"
    with pytest.raises(DataError):
        converted(data, "ber")
    ber, _ = converted(data, "ber", props={"target.page_size": "8192"})
    assert converted(ber, "binary")[0] == data
    ber, _ = converted(data, "ber", machine="clipper")
    assert converted(ber, "binary")[0] == data


def test_the_architecture_is_learnt_from_a_state_that_only_one_has() -> None:
    class Narrow(Switch):
        @staticmethod
        def matches(facts: Facts) -> bool:
            return bool(facts.ambient("target.arch", "text") == "m68k")

    class Other(OtherSwitch):
        VMSTATE = "clock"

        @staticmethod
        def matches(facts: Facts) -> bool:
            return bool(facts.ambient("target.arch", "text") == "arm")

    class Asking(Registry):
        asked: ClassVar[list[Any]] = []

        def candidates(self, idstr: str, facts: Facts | None = None, part: str = "full") -> list[Any]:
            self.asked.append(None if facts is None else facts.known.get("target.arch"))
            return super().candidates(idstr, facts, part)

    data = HEADER + configuration("virt-9.0") + full(1, "switch", SWITCH) + full(2, "clock", CLOCK, version=2) + b"\0"
    bodies(data, Asking(Narrow, Other, Clock))
    assert Asking.asked == [None, "m68k"]
