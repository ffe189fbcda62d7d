"""A real stream in BER, whole, as each judge reads it: the same values, and one definite form that we read back."""

from __future__ import annotations

import lzma
from pathlib import Path
from types import ModuleType
from typing import Any

import asn1tools
import pytest

from tests.judges import asn1c, pycrate_judge
from tests.judges.conftest import CLONE, Schema
from tests.unit.stream.mapped_files import mapped_file
from tests.unit.stream.records import everything
from tests.unit.stream.synthetic import (
    EOS_RECORD,
    HEADER,
    MEM_SIZE,
    PAGE,
    be64,
    configuration,
    full_page,
    start,
    to_ber,
)
from vmsgen.cli import run
from vmsgen.stream.verify.definite import definite as definite_form


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the recorded sample: sample.mig, and sample.ber made from it."""
    folder = tmp_path_factory.mktemp("sample")
    (folder / "sample.mig").write_bytes(lzma.decompress((CLONE / "examples/sample.mig.xz").read_bytes()))
    assert run(["convert", str(folder / "sample.mig"), str(folder / "sample.ber"), "--to", "ber"]) == 0
    return folder


@pytest.fixture(scope="module")
def opened(library: Schema) -> Any:
    """The schema without any device."""
    names = ("Vmsgen-Types", "Vmsgen-Stream")
    return asn1tools.compile_string("\n".join([*(library.texts[name] for name in names), library.opened]), "ber")


@pytest.fixture(scope="module")
def definite(library: Schema, sample: Path) -> tuple[dict[str, Any], bytes]:
    """The stream's values by the typed schema, and asn1tools' own encoding of them, which is definite throughout."""
    data = (sample / "sample.ber").read_bytes()
    assert data[:4].hex() == "7fd14680"
    value = library.asn1tools.decode("QemuFile", data, check_constraints=True)
    return value, library.asn1tools.encode("QemuFile", value, check_constraints=True)


def test_every_device_is_typed(definite: tuple[dict[str, Any], bytes]) -> None:
    value, _ = definite
    kinds = {item["body"][0] for name, item in value["items"] if name == "full"}
    assert kinds == {"state"}
    assert value["items"][0][0] == "configuration"


def test_open_and_typed_schema_are_the_same_bytes(
    library: Schema, opened: Any, sample: Path, definite: tuple[dict[str, Any], bytes]
) -> None:
    value = opened.decode("QemuFile", (sample / "sample.ber").read_bytes(), check_constraints=True)
    assert opened.encode("QemuFile", value) == definite[1]
    states = [item["body"][1] for name, item in value["items"] if name == "full"]
    for (_, state), raw in zip(
        (item["body"][1] for name, item in definite[0]["items"] if name == "full"), states, strict=True
    ):
        assert isinstance(raw, bytes | bytearray) and isinstance(state, dict)


def test_we_read_the_definite_form(sample: Path, definite: tuple[dict[str, Any], bytes]) -> None:
    (sample / "definite.ber").write_bytes(definite[1])
    assert run(["convert", str(sample / "definite.ber"), str(sample / "again.mig"), "--to", "binary"]) == 0
    assert (sample / "again.mig").read_bytes() == (sample / "sample.mig").read_bytes()


def test_pycrate(pycrate: ModuleType, sample: Path, definite: tuple[dict[str, Any], bytes]) -> None:
    data = (sample / "sample.ber").read_bytes()
    value, again = pycrate_judge.decode(pycrate, "Vmsgen-Stream", "QemuFile", data)
    assert pycrate_judge.same(value, definite[0]) is None
    assert again == definite[1]


@pytest.mark.asn1c
def test_asn1c(asn1c_judge: asn1c.Judge, sample: Path, definite: tuple[dict[str, Any], bytes]) -> None:
    xer, der = asn1c_judge.decode("QemuFile", (sample / "sample.ber").read_bytes())
    assert asn1c.same(xer, definite[0]) is None
    assert der == definite[1]


@pytest.fixture(scope="module")
def records(library: Schema) -> tuple[dict[str, Any], bytes, bytes]:
    """A stream with every kind of section that comes in records: its values, its BER, and asn1tools' own encoding."""
    data = to_ber(everything())
    value = library.asn1tools.decode("QemuFile", data, check_constraints=True)
    return value, data, library.asn1tools.encode("QemuFile", value, check_constraints=True)


def test_sections_of_records(records: tuple[dict[str, Any], bytes, bytes]) -> None:
    value, _, again = records
    assert definite_form(records[1]) == again
    kinds = {item["body"][0] for name, item in value["items"] if name != "configuration" and isinstance(item, dict)}
    assert kinds == {"block", "bitmaps", "htab", "attributes", "vfio"}


def test_pycrate_reads_sections_of_records(pycrate: ModuleType, records: tuple[dict[str, Any], bytes, bytes]) -> None:
    value, again = pycrate_judge.decode(pycrate, "Vmsgen-Stream", "QemuFile", records[1])
    assert pycrate_judge.same(value, records[0]) is None
    assert again == records[2]


@pytest.mark.asn1c
def test_asn1c_reads_sections_of_records(
    asn1c_judge: asn1c.Judge, records: tuple[dict[str, Any], bytes, bytes]
) -> None:
    xer, der = asn1c_judge.decode("QemuFile", records[1])
    assert asn1c.same(xer, records[0]) is None
    assert der == records[2]


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "gpa"])
def mapped(library: Schema, request: pytest.FixtureRequest) -> tuple[dict[str, Any], bytes, bytes]:
    """A mapped-ram file: its values, its BER, and asn1tools' own encoding."""
    data = to_ber(mapped_file(filler=b"filler", gpa=request.param))
    value = library.asn1tools.decode("QemuFile", data, check_constraints=True)
    return value, data, library.asn1tools.encode("QemuFile", value, check_constraints=True)


def test_mapped_ram(mapped: tuple[dict[str, Any], bytes, bytes]) -> None:
    assert definite_form(mapped[1]) == mapped[2]
    start = next(item for name, item in mapped[0]["items"] if name == "start")
    kinds = [kind for kind, _ in start["body"][1]]
    assert kinds == ["size", "block", "pages", "block", "pages", "block", "pages", "flush", "eos"]


def test_pycrate_reads_mapped_ram(pycrate: ModuleType, mapped: tuple[dict[str, Any], bytes, bytes]) -> None:
    value, again = pycrate_judge.decode(pycrate, "Vmsgen-Stream", "QemuFile", mapped[1])
    assert pycrate_judge.same(value, mapped[0]) is None
    assert again == mapped[2]


@pytest.mark.asn1c
def test_asn1c_reads_mapped_ram(asn1c_judge: asn1c.Judge, mapped: tuple[dict[str, Any], bytes, bytes]) -> None:
    xer, der = asn1c_judge.decode("QemuFile", mapped[1])
    assert asn1c.same(xer, mapped[0]) is None
    assert der == mapped[2]


@pytest.fixture(scope="module")
def rows(library: Schema) -> tuple[dict[str, Any], bytes, bytes]:
    """A stream with a row of full pages: its values, its BER, and asn1tools' own encoding."""
    pages = full_page(0, "pc.ram") + b"".join(full_page(0x5000 + at * PAGE, None, at) for at in range(9))
    data = to_ber(HEADER + configuration() + start(2, "ram", be64(MEM_SIZE) + pages + EOS_RECORD) + b"\0")
    value = library.asn1tools.decode("QemuFile", data, check_constraints=True)
    return value, data, library.asn1tools.encode("QemuFile", value, check_constraints=True)


def test_rows(rows: tuple[dict[str, Any], bytes, bytes]) -> None:
    assert definite_form(rows[1]) == rows[2]
    ram = next(item for name, item in rows[0]["items"] if name == "start")["body"][1]
    pages = next(value for kind, value in ram if kind == "pages")["pages"]
    assert [kind for kind, _ in pages] == ["fullpage", "row"] and len(pages[1][1]["pages"]) == 9


def test_pycrate_reads_rows(pycrate: ModuleType, rows: tuple[dict[str, Any], bytes, bytes]) -> None:
    value, again = pycrate_judge.decode(pycrate, "Vmsgen-Stream", "QemuFile", rows[1])
    assert pycrate_judge.same(value, rows[0]) is None
    assert again == rows[2]


@pytest.mark.asn1c
def test_asn1c_reads_rows(asn1c_judge: asn1c.Judge, rows: tuple[dict[str, Any], bytes, bytes]) -> None:
    xer, der = asn1c_judge.decode("QemuFile", rows[1])
    assert asn1c.same(xer, rows[0]) is None
    assert der == rows[2]
