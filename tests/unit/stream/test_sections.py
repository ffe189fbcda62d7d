"""Sections that come in records: read, written, told, counted and refused, in both formats."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.stream.records import (
    ATTRIBUTES,
    BITMAPS,
    BLOCK,
    CONFIG,
    DISK,
    HTAB,
    KINDS,
    MARKS,
    VFIO,
    VFIO_DATA,
    VFIO_FULL,
    everything,
    of_kind,
    with_vfio,
)
from tests.unit.stream.synthetic import HEADER, be32, be64, items, piped, start, to_ber, to_binary
from vmsgen.runtime.errors import DataError
from vmsgen.stream.binary.reader import BinaryReader
from vmsgen.stream.convert import convert
from vmsgen.stream.items import Item, Section, SectionKind, SectionRecords
from vmsgen.stream.migration import open_migration
from vmsgen.stream.sections.names import NAMES, form_of
from vmsgen.stream.sections.record import Entry, Field, FieldKind, SectionForm, closed
from vmsgen.stream.sections.table import FORMS
from vmsgen.stream.text.summary import summarize
from vmsgen.stream.text.values import show_sections
from vmsgen.stream.transport.sink import MemorySink
from vmsgen.stream.transport.source import ByteSource, MemorySource


def told(data: bytes, to: str) -> str:
    sink = MemorySink()
    convert(piped(data), sink, to)
    return sink.getvalue().decode()


@pytest.mark.parametrize("foot", [True, False])
@pytest.mark.parametrize("name", list(KINDS))
def test_there_and_back(name: str, foot: bool) -> None:
    data = of_kind(name, foot=foot)
    assert to_binary(to_ber(data)) == data


@pytest.mark.parametrize("described", [True, False])
@pytest.mark.parametrize("contents", [VFIO_FULL, MARKS[1]])
def test_a_vfio_configuration_ends_where_a_section_may_end(described: bool, contents: bytes) -> None:
    data = with_vfio(described=described, contents=contents)
    assert to_binary(to_ber(data)) == data
    (section,) = [item for item in items(data) if is_full(item)]
    assert isinstance(section, Section) and section.body_end - section.body_offset == len(contents)


def is_full(item: Item) -> bool:
    return isinstance(item, Section) and item.kind is SectionKind.FULL and item.name == VFIO


def test_text_is_the_same_from_both_formats() -> None:
    data = everything()
    text = told(data, "debug")
    assert told(to_ber(data), "debug") == text
    for line in (
        "    zeros sector=2048 device=disk0",
        "    progress percent=100",
        "    start node=node bitmap=b granularity=65536 flags=1",
        "    start bitmap=c granularity=4096 flags=0",
        "    zeros bitmap=c sector=0 sectors=9",
        "    table shift=24",
        "    chunk index=99 invalid=7 entries=",
        "    values page=3 attributes=0001020304",
        "    data data=646576696365",
        "    initial-data-sent",
    ):
        assert line in text.splitlines()


def test_json_holds_every_record() -> None:
    data = everything()
    document = json.loads(told(data, "json"))
    assert document == json.loads(told(to_ber(data), "json"))
    listed = [record for item in document["items"] for record in item.get("records", [])]
    assert ["data", {"sector": 7, "device": "disk0", "data": DISK.hex()}] in listed
    assert ["config", {"state": CONFIG.hex()}] in listed


@pytest.mark.parametrize("ber", [False, True])
def test_only_the_vfio_configuration_is_opaque(ber: bool) -> None:
    data = to_ber(everything()) if ber else everything()
    summary = summarize(MemorySource(data))
    assert summary.error is None and {row.contents for row in summary.rows} == {"typed"}
    assert summary.statistics.opaque == len(CONFIG) and summary.statistics.ram == 0
    if not ber:
        expected = sum(len(contents) for _, group in KINDS.values() for contents in group) + len(VFIO_FULL)
        assert summary.statistics.typed == expected - len(CONFIG)


@pytest.mark.parametrize("ber", [False, True])
def test_a_migration_reads_its_records_again(ber: bool) -> None:
    data = with_vfio()
    with open_migration(to_ber(data) if ber else data) as migration:
        first = migration.sections[0]
        assert list(first.records()) == list(first.records()) == [("setup", {}), ("end", {})]
        assert not first.is_ram and first.state is None
        assert list(migration.section(VFIO).records()) == [("config", {"state": CONFIG}), ("end", {})]
        for form, expected in (("binary", data), ("ber", to_ber(data))):
            out = io.BytesIO()
            migration.save(out, form)
            assert out.getvalue() == expected


def test_show_prints_them() -> None:
    out = io.BytesIO()
    assert show_sections(MemorySource(everything()), "spapr/htab", out, as_json=True) == 3
    assert json.loads(out.getvalue())[0]["records"] == [["table", {"shift": 24}]]


def test_names() -> None:
    assert form_of("block") is FORMS["block"] and form_of(VFIO) is FORMS["vfio"]
    assert form_of("ram") is None and form_of("x/vfio2") is None
    assert FORMS.keys() == NAMES and all(form_of(name) is form for name, form in FORMS.items())


# ---------------------------------------------------------------------------------------------- any records


def values_of(field: Field) -> st.SearchStrategy[object]:
    found: st.SearchStrategy[object]
    if field.kind is FieldKind.NUMBER:
        found = st.integers(0, field.high)
    elif field.kind is FieldKind.TEXT:
        found = st.text(min_size=1, max_size=40).map(lambda text: text.encode(errors="replace"))
    elif field.name == "entries":
        found = st.binary(min_size=1, max_size=40).map(lambda data: data * 16)
    elif field.high == 1 << 20:
        found = st.binary(min_size=1, max_size=1).map(lambda data: data * (1 << 20))
    else:
        found = st.binary(max_size=5000)
    return st.none() | found if field.optional else found


@st.composite
def sections(draw: st.DrawFn) -> tuple[str, list[Entry]]:
    name = draw(st.sampled_from(list(KINDS)))
    form = form_of(name)
    assert form is not None
    entries: list[Entry] = []
    kinds = [kind for kind in form.types if kind.name not in ("end", "table", "config", "initial-data-sent")]
    if name == "spapr/htab":
        entries.append((form.types[0], (0,)))
    for kind in draw(st.lists(st.sampled_from(kinds), max_size=4)):
        entries.append((kind, tuple(draw(values_of(field)) for field in kind.fields)))
    return name, [*entries, (form.types[-1], ())]


@settings(max_examples=60, deadline=None)
@given(sections())
def test_any_records(drawn: tuple[str, list[Entry]]) -> None:
    name, entries = drawn
    form = form_of(name)
    assert form is not None
    contents = b"".join(piece for entry in entries for piece in form.write(entry))
    data = HEADER + start(1, name, contents, version=form.version) + b"\0"
    assert with_records(data) == entries
    assert to_binary(to_ber(data)) == data


def with_records(data: bytes) -> list[Entry]:
    found: list[Entry] = []
    for item in BinaryReader(piped(data)).items():
        if isinstance(item, Section):
            assert isinstance(item.body, SectionRecords)
            found += item.body.entries
    return found


def outcome(source: ByteSource, form: SectionForm, *, skipped: bool) -> tuple[object, ...]:
    """Where reading ends, or how it fails."""
    try:
        if skipped:
            assert form.skip is not None
            form.skip(source)
        else:
            for _ in form.read(source):
                pass
    except DataError as error:
        return type(error), error.message, error.offset
    return (source.offset,)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([form for form in FORMS.values() if form.skip is not None]))
def test_records_that_nobody_wants_are_read_alike(data: st.DataObject, form: SectionForm) -> None:
    kind = form.types[1]
    entries = data.draw(
        st.lists(st.tuples(*map(values_of, kind.fields)).map(lambda values: (kind, values)), max_size=6)
    )
    whole = [(form.types[0], (0,)), *entries, (form.types[-1], ())]
    contents = b"".join(piece for entry in whole for piece in form.write(entry))
    contents = contents[: data.draw(st.integers(0, len(contents)))] if data.draw(st.booleans()) else contents + b"more"
    for capacity in (64, 1 << 12):
        sources = [ByteSource(io.BytesIO(contents), capacity=capacity) for _ in range(2)]
        assert outcome(sources[0], form, skipped=True) == outcome(sources[1], form, skipped=False)


# ---------------------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("name", "contents", "message"),
    [
        ("block", be64(3 << 9 | 3), "expected a record of block migration, found the word 0x603"),
        ("block", be64(1 << 9 | 2), "found the word 0x202"),
        ("block", be64(1) + b"\0", "found an empty name"),
        ("dirty-bitmap", b"\x80", "found the flags 0x80"),
        ("dirty-bitmap", b"\x40" + be64(0) + be32(1) + be64(1 << 40), "above the limit"),
        ("spapr/htab", be32(0) + be32(1), "ends inside a chunk of the hash page table"),
        ("s390-storage_attributes", be64(0x10), "found the word 0x10"),
        ("s390-storage_attributes", be64(2) + be64(1 << 63), "above the limit"),
        (VFIO, be64(7), "expected a mark of vfio"),
        (VFIO, MARKS[2], "expected a mark of vfio"),
        (VFIO, MARKS[4] + be64(1 << 60), "above the limit"),
    ],
)
def test_refused(name: str, contents: bytes, message: str) -> None:
    form = form_of(name)
    assert form is not None
    data = HEADER + start(1, name, contents, version=form.version, foot=False)
    with pytest.raises(DataError, match=message) as caught:
        items(data)
    assert caught.value.section == f"{name}/0" and caught.value.offset is not None


def test_another_version() -> None:
    with pytest.raises(DataError, match="expected version 1, found 2"):
        items(HEADER + start(1, "block", BLOCK[0], version=2))


@pytest.mark.parametrize("contents", [MARKS[2] + b"config", b"1234567", MARKS[2] + b"1" + MARKS[1] + b"1"])
def test_a_vfio_configuration_without_an_end(contents: bytes) -> None:
    with pytest.raises(DataError, match="vfio"):
        items(with_vfio(contents=contents))
    with pytest.raises(DataError, match="vfio"):
        items(with_vfio(described=False, contents=contents))


@pytest.mark.parametrize("name", list(KINDS))
def test_cut_anywhere(name: str) -> None:
    data = of_kind(name)
    if name == "block":
        data = data.replace(BLOCK[1], BLOCK[0])
    for form in (data, to_ber(data)):
        for at in range(len(form)):
            with pytest.raises(DataError):
                told(form[:at], "debug")


def entry(form: SectionForm, name: str, *values: object) -> Entry:
    return next(kind for kind in form.types if kind.name == name), values


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([("end",), ("end",)], "after the end"),
        ([("progress", 3)], "do not end with an end mark"),
        ([("data", 1, b"d", b"short")], "expected 1048576 bytes"),
    ],
)
def test_records_that_the_binary_format_cannot_say(entries: list[tuple[object, ...]], message: str) -> None:
    form = FORMS["block"]
    with pytest.raises(DataError, match=message):
        for one in closed(form, [entry(form, str(name), *values) for name, *values in entries]):
            form.write(one)


@pytest.mark.parametrize("entries", [b"", b"x" * 15])
def test_a_chunk_of_the_page_table_that_is_none(entries: bytes) -> None:
    form = FORMS["spapr/htab"]
    with pytest.raises(DataError, match="a chunk of the hash page table"):
        form.write(entry(form, "chunk", 0, 0, entries))


def test_ber_that_does_not_fit() -> None:
    data = to_ber(of_kind("s390-storage_attributes"))
    done = b"\x5f\xc1\x44\x00"
    assert data.count(done) == 1
    with pytest.raises(DataError, match="expected a record of section s390-storage_attributes"):
        to_binary(data.replace(done, b"\x5f\xc1\x7f\x00"))
    values = b"\x7f\xc1\x56\x0a\x80\x01\x03\x81\x05"
    assert data.count(values) == 1
    with pytest.raises(DataError, match="expected page of values"):
        to_binary(data.replace(values, values.replace(b"\x80\x01\x03", b"\x82\x01\x03")))
    with pytest.raises(DataError, match="expected attributes of values"):
        to_binary(data.replace(values, values.replace(b"\x81\x05", b"\x82\x05")))


def test_pieces_of_the_tests_are_what_they_say() -> None:
    assert (len(BITMAPS), len(HTAB), len(ATTRIBUTES), len(VFIO_DATA)) == (3, 3, 3, 3)
