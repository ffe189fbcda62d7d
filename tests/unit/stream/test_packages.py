"""The package of postcopy: its items typed in both formats, and packages that cannot be read."""

from __future__ import annotations

import json

import pytest

from tests.unit.stream.states import REGISTRY
from tests.unit.stream.synthetic import (
    EOS_RECORD,
    HEADER,
    be32,
    be64,
    block_list,
    command,
    configuration,
    end,
    full,
    full_page,
    part,
    start,
    str8,
)
from tests.unit.stream.test_devices import CLOCK, SWITCH, converted
from tests.unit.stream.test_verify import checked, folder
from vmsgen.runtime.errors import DataError, TruncatedError
from vmsgen.stream.binary.writer import BinaryWriter
from vmsgen.stream.commands import command_name, command_values
from vmsgen.stream.convert import convert
from vmsgen.stream.items import Package, PackageEnd, Section
from vmsgen.stream.migration import open_migration
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.text.summary import summarize
from vmsgen.stream.transport.sink import MemorySink
from vmsgen.stream.transport.source import MemorySource
from vmsgen.stream.verify.judge import units

__all__ = ["folder"]

DEVICES = full(10, "clock", CLOCK, version=2) + full(11, "0000:00:03.0/switch", SWITCH)
PACKAGE = command(4) + DEVICES + command(2, be32(3)) + command(5)
DISCARD = b"\0" + str8("pc.ram") + b"\0" + be64(0x1000) + be64(0x2000) + be64(0x8000) + be64(0x1000)


def postcopy(package: bytes = PACKAGE, *, size: int | None = None) -> bytes:
    """As QEMU sends it: RAM goes on behind the package, and no description follows the end."""
    data = HEADER + configuration() + command(1) + command(2, be32(1)) + command(3, be64(0x1000) + be64(0x1000))
    data += start(2, "ram", block_list([("pc.ram", 1 << 20)])) + part(2, full_page(0, "pc.ram") + EOS_RECORD)
    data += command(6, DISCARD) + command(2, be32(2))
    data += command(7, be32(len(package) if size is None else size)) + package + command(2, be32(4))
    return data + part(2, full_page(0x1000, None) + EOS_RECORD) + end(2, EOS_RECORD) + b"\0"


def test_its_devices_are_typed_without_a_description() -> None:
    ber, result = converted(postcopy(), "ber")
    assert (result.typed, result.opaque, result.warnings) == (2, 0, [])
    again, back = converted(ber, "binary")
    assert again == postcopy() and back.typed == 2


def test_it_is_listed() -> None:
    for data in (postcopy(), converted(postcopy(), "ber")[0]):
        summary = summarize(MemorySource(data), REGISTRY)
        assert summary.commands == [1, 2, 3, 6, 2, 7, 4, 2, 5, 2]
        assert [row.vmstate for row in summary.rows if row.kind == "full"] == ["clock", "switch"]
        assert summary.statistics.opaque == 0 and summary.error is None


def test_its_devices_can_be_changed() -> None:
    with open_migration(postcopy(), REGISTRY) as migration:
        migration["clock"].ticks = 99
        sink = MemorySink()
        migration.save(sink)
    assert sink.getvalue() == postcopy(PACKAGE.replace(CLOCK, be64(99) + CLOCK[8:]))


def test_the_schema_has_it(folder) -> None:  # type: ignore[no-untyped-def]
    for data in (postcopy(), converted(postcopy(), "ber")[0]):
        report = checked(data, folder)
        assert report.findings == [] and report.typed == 2


def test_its_items_are_counted_like_others() -> None:
    ber = converted(postcopy(), "ber")[0]
    found = list(StreamReader(MemorySource(ber), REGISTRY).items())
    clock = next(at for at, item in enumerate(found) if isinstance(item, Section) and item.name == "clock")
    judged = [unit for unit in units(MemorySource(ber)) if b"clock" in unit.octets]
    assert [unit.item for unit in judged] == [clock - 1]  # the header has no number
    assert max(unit.item for unit in units(MemorySource(ber))) == len(found) - 2


def test_a_package_that_cannot_be_read_travels_as_bytes() -> None:
    for package in (PACKAGE.replace(b"clock", b"clack") + b"\x55", b"\1", command(7, be32(0)), part(2, EOS_RECORD)):
        data = postcopy(package)
        ber, result = converted(data, "ber")
        assert len(result.warnings) == 1 and "travels as bytes" in result.warnings[0]
        assert converted(ber, "binary")[0] == data


def test_an_empty_package() -> None:
    ber = converted(postcopy(b""), "ber")[0]
    assert converted(ber, "binary")[0] == postcopy(b"")


def test_a_package_that_is_cut() -> None:
    with pytest.raises(TruncatedError, match="inside a package"):
        converted(postcopy(size=1 << 20), "ber")


def test_packages_are_not_nested() -> None:
    writer = BinaryWriter(MemorySink())
    writer.item(Package())
    with pytest.raises(DataError, match="one inside the other"):
        writer.item(Package())
    with pytest.raises(DataError, match="one inside the other"):
        BinaryWriter(MemorySink()).item(PackageEnd())


def test_commands_are_named() -> None:
    text = converted(postcopy(), "debug")[0].decode()
    assert "command 6 POSTCOPY_RAM_DISCARD block='pc.ram'\n  0x1000 8192 bytes\n  0x8000 4096 bytes\n" in text
    assert "command 3 POSTCOPY_ADVISE ram_page_sizes=4096 target_page_size=4096\n" in text
    listed = json.loads(converted(postcopy(), "json")[0])["items"]
    assert [item["kind"] for item in listed].count("package") == 1
    discard = next(item for item in listed if item.get("code") == 6)
    assert discard["name"] == "POSTCOPY_RAM_DISCARD" and discard["ranges"] == [[0x1000, 0x2000], [0x8000, 0x1000]]


def test_data_of_another_layout_is_not_explained() -> None:
    assert command_name(77) == "COMMAND_77"
    assert command_values(10, str8("pc.ram")) == {"block": "pc.ram"}
    for code, data in ((2, b"123"), (3, b""), (6, b"\0\5a"), (6, DISCARD + b"\0"), (10, b"\2a"), (10, b""), (77, b"1")):
        assert command_values(code, data) == {}


def test_text_is_the_same_from_both_formats() -> None:
    ber = converted(postcopy(), "ber")[0]
    sinks = [MemorySink(), MemorySink()]
    for data, sink in zip((postcopy(), ber), sinks, strict=True):
        convert(MemorySource(data), sink, "debug", REGISTRY)
    assert sinks[0].getvalue() == sinks[1].getvalue()
