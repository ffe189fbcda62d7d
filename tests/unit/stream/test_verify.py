"""Verification: the schema through asn1tools, the round trip, and what each of them finds."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.unit.stream.states import REGISTRY, Clock, Registry, Switch
from tests.unit.stream.synthetic import ordinary, to_ber
from tests.unit.stream.test_ber_forms import definite as as_definite
from tests.unit.stream.test_ber_forms import long_lengths, tree, written
from tests.unit.stream.test_devices import converted, stream
from vmsgen.stream.ber.schema import Schema
from vmsgen.stream.input_file import InputFile
from vmsgen.stream.transport.source import MemorySource
from vmsgen.stream.verify.definite import definite, place_of
from vmsgen.stream.verify.judge import units
from vmsgen.stream.verify.stream import Report, verify

TEMPLATES = Path(__file__).parents[3] / "templates" / "asn1"

DEVICES = """
Vmsgen-Dev-Test DEFINITIONS IMPLICIT TAGS ::=
BEGIN
IMPORTS UInt64, UInt32, UInt16, Int32, Facts, Kept FROM Vmsgen-Types;
VmClock ::= [APPLICATION 31000] SEQUENCE {
  ticks [0] UInt64, offset [1] Int32, running [2] BOOLEAN OPTIONAL,
  vmstate-version [3] UInt32 OPTIONAL, vmstate-facts [4] Facts OPTIONAL, vmstate-kept [5] Kept OPTIONAL, ... }
VmSwitch ::= [APPLICATION 31001] SEQUENCE {
  ports [0] SEQUENCE OF UInt32, index [1] UInt16 OPTIONAL, guard [2] UInt16 OPTIONAL,
  vmstate-version [3] UInt32 OPTIONAL, vmstate-facts [4] Facts OPTIONAL, vmstate-kept [5] Kept OPTIONAL, ... }
END
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "asn1"
    made.mkdir()
    for name in ("Vmsgen-Types.asn1", "Vmsgen-Stream.asn1"):
        shutil.copy(TEMPLATES / name, made)
    (made / "Vmsgen-Dev-Test.asn1").write_text(DEVICES)
    return made


def checked(data: bytes, folder: Path | None, classes: Any = REGISTRY) -> Report:
    file = InputFile(data)
    try:
        return verify(file, None if folder is None else Schema(folder, cache=folder.parent / "cache"), classes)
    finally:
        file.close()


def test_binary_is_right(folder: Path) -> None:
    report = checked(stream(), folder)
    assert report.findings == [] and report.format == "binary"
    assert (report.bytes, report.typed, report.opaque) == (len(stream()), 3, 0)
    # header, configuration, 3 sections of RAM with 5 records, the pages' block and its 2 pages, 3 devices, end, vmdesc
    assert report.judged == 1 + 1 + 3 + 4 + 1 + 2 + 3 + 2


def test_ber_is_right_in_every_form(folder: Path) -> None:
    ber = converted(stream(), "ber")[0]
    for form in (None, as_definite, long_lengths):
        report = checked(ber if form is None else written(tree(ber), form), folder)
        assert report.findings == [] and (report.format, report.typed, report.judged) == ("ber", 3, 17)


def test_the_second_time_uses_the_cache(folder: Path) -> None:
    checked(stream(), folder)
    kept = sorted((folder.parent / "cache").iterdir())
    assert len(kept) == 3
    assert any("(tuple)" in file.read_text() for file in kept)
    assert checked(stream(), folder).findings == []
    assert sorted((folder.parent / "cache").iterdir()) == kept
    kept[0].write_text("{")
    assert checked(stream(), folder).findings == []


def test_blobs_need_no_device_schema(folder: Path) -> None:
    report = checked(ordinary(), folder, None)
    assert report.findings == [] and (report.typed, report.opaque) == (0, 3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ticks [0] UInt64", "ticks [0] INTEGER (0..6)", "refuses"),
        ("offset [1] Int32", "offset [1] UInt32", "refuses"),
        ("running [2] BOOLEAN OPTIONAL", "running [12] BOOLEAN OPTIONAL", r"other octets back as Item, from byte"),
        ("[APPLICATION 31000]", "[APPLICATION 31007]", "refuses"),
    ],
)
@pytest.mark.parametrize("form", ["binary", "ber"])
def test_a_schema_that_does_not_fit(folder: Path, form: str, old: str, new: str, message: str) -> None:
    text = (folder / "Vmsgen-Dev-Test.asn1").read_text()
    (folder / "Vmsgen-Dev-Test.asn1").write_text(text.replace(old, new))
    report = checked(stream() if form == "binary" else converted(stream(), "ber")[0], folder)
    assert [finding.section for finding in report.findings][:2] == ["clock/0", "clock/1"]
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(str(report.findings[0]))


def test_a_page_that_does_not_fit(folder: Path) -> None:
    text = (folder / "Vmsgen-Stream.asn1").read_text()
    assert "addr UInt64, pages UInt64" in text
    (folder / "Vmsgen-Stream.asn1").write_text(
        text.replace("addr UInt64, pages UInt64", "addr UInt64, pages UInt64, x NULL")
    )
    (finding,) = checked(stream(), folder).findings
    assert finding.section == "ram/0" and "RAMPage" in finding.message


def test_a_section_that_does_not_fit_its_spec_is_a_finding(folder: Path) -> None:
    (finding,) = checked(stream(switch=b"12345"), folder).findings
    assert finding.section == "0000:00:03.0/switch/0" and finding.offset is not None
    assert "no layout fits" in str(finding)


def test_the_first_byte_that_does_not_come_back() -> None:
    class Liar(Clock):
        """Wrong in BER only: what comes back has another offset."""

        def ber_state(self) -> bytes:
            return Clock(ticks=self.ticks, offset=self.offset + 1, running=bool(self.running)).ber_state()

    data = stream()
    (finding,) = checked(data, None, Registry(Liar, Switch)).findings
    at = data.index(b"\x05clock") + 14 + 8
    assert (finding.section, finding.path, finding.offset) == ("clock/0", "offset", at)
    assert str(finding).endswith("the byte that comes back from BER differs")


def test_states_of_ber_go_through_binary() -> None:
    class Halved(Clock):
        """Wrong in binary only."""

        def to_binary(self, **options: Any) -> bytes:
            return Clock(ticks=self.ticks // 2, offset=self.offset, running=bool(self.running)).to_binary(**options)

    report = checked(converted(stream(), "ber")[0], None, Registry(Halved, Switch))
    assert [finding.section for finding in report.findings] == ["clock/0", "clock/1"]


def test_units_cover_the_stream() -> None:
    ber = to_ber(ordinary())
    found = list(units(MemorySource(ber)))
    assert [unit.type for unit in found].count("RAMPage") == 7
    assert max(unit.item for unit in found) == 10
    for unit in found:
        assert ber[unit.offset] in (unit.octets[0], 0xA0)


def test_definite_form() -> None:
    assert definite(bytes.fromhex("3080 a080 020101 0000 8101ff 0000")) == bytes.fromhex("3008 a003 020101 8101ff")
    octets = bytes.fromhex("3008 a003 020101 8101ff")
    assert [place_of(octets, at) for at in (0, 4, 6, 8)] == [
        "SEQUENCE",
        "SEQUENCE [0] INTEGER",
        "SEQUENCE [0] INTEGER",
        "SEQUENCE [1]",
    ]
