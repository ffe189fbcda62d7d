"""Sections in pieces that a spec of the user's describes with ``parts:``: in both formats, from pipes, in the API."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.stream.synthetic import (
    EOS_RECORD,
    HEADER,
    Trickle,
    be16,
    be32,
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
from vmsgen import cli
from vmsgen.building.build import build
from vmsgen.packages import asn1_folder, generated_package
from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.settings import project
from vmsgen.stream.ber.schema import Schema
from vmsgen.stream.convert import convert
from vmsgen.stream.diff.streams import diff
from vmsgen.stream.input_file import InputFile
from vmsgen.stream.migration import open_migration
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.transport.sink import MemorySink
from vmsgen.stream.transport.source import ByteSource, MemorySource
from vmsgen.stream.verify.stream import verify

LOG = """\
vmsgen: 1
summary: A log that is sent while the guest runs
section: acme-log
version: 3
props:
  log_wide: {type: bool, default: false, doc: sums are of 64 bits, source: "a switch of the test"}
parts:
  start:
    - total: uint32
  part:
    - lines: string[uint8][uint16]
    - rest: bytes[uint32]
      doc: what is no line yet
  end:
    - checksum: uint32 when not props.log_wide
    - wide: uint32[2] when props.log_wide
  full:
    - done: uint8
"""


def lines(*texts: str, rest: bytes = b"") -> bytes:
    return be16(len(texts)) + b"".join(map(str8, texts)) + be32(len(rest)) + rest


START, PART, MORE, END = be32(3), lines("one", "two"), lines("three", rest=b"\x7e\0\0\0\5" * 9), be32(0xABCD)


def stream(*, foot: bool = True, part_: bytes = PART, end_: bytes = END, name: str = "acme-log") -> bytes:
    data = HEADER + configuration("pc-q35-7.2")
    data += start(2, "ram", block_list([("pc.ram", 1 << 20)]), foot=foot) + start(5, name, START, version=3, foot=foot)
    data += (
        part(2, full_page(0, "pc.ram") + EOS_RECORD, foot=foot) + part(5, part_, foot=foot) + part(5, MORE, foot=foot)
    )
    data += command(1) + end(2, EOS_RECORD, foot=foot) + end(5, end_, foot=foot)
    return data + full(6, name, b"\1", version=3, foot=foot) + b"\0"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("log")
    (root / "device-specs").mkdir()
    (root / "device-specs" / "log.yaml").write_text(LOG)
    assert not build(project(root)).failed
    yield root / "generated"


@pytest.fixture(scope="module")
def log(package: Path) -> Any:
    return generated_package(str(package))


def converted(source: ByteSource, to: str, classes: Any, **options: Any) -> bytes:
    sink = MemorySink()
    convert(source, sink, to, classes, **options)
    return sink.getvalue()


@pytest.mark.parametrize("foot", [True, False])
@pytest.mark.parametrize("pipe", [True, False])
def test_there_and_back(log: Any, foot: bool, pipe: bool) -> None:
    data = stream(foot=foot)

    def source(text: bytes) -> ByteSource:
        return ByteSource(Trickle(text)) if pipe else MemorySource(text)

    ber = converted(source(data), "ber", log.REGISTRY)
    assert converted(source(ber), "binary", log.REGISTRY) == data
    assert b"three" in ber and ber.count(b"acme-log") == 2  # START and FULL name it


def test_the_api_has_a_state_for_each_part(log: Any) -> None:
    with open_migration(stream(name="0000:00:07.0/acme-log"), log.REGISTRY) as migration:
        found = [(one.kind, type(one.state).__name__) for one in migration if one.name.endswith("acme-log")]
        assert found == [
            ("start", "AcmeLogStart"),
            ("part", "AcmeLogPart"),
            ("part", "AcmeLogPart"),
            ("end", "AcmeLogEnd"),
            ("full", "AcmeLogFull"),
        ]
        parts = [one.state for one in migration if one.kind == "part" and one.state is not None]
        assert parts[0].lines == ["one", "two"] and parts[0].section_version == 3
        parts[0].lines.append("more")
        for form in ("binary", "ber"):
            out = io.BytesIO()
            migration.save(out, form)
            assert converted(MemorySource(out.getvalue()), "binary", log.REGISTRY) == stream(
                part_=lines("one", "two", "more"), name="0000:00:07.0/acme-log"
            )


def test_facts_of_a_part_travel_in_ber(log: Any) -> None:
    data = stream(end_=be32(1) + be32(2))
    for props in ({"log_wide": "true"}, {}):  # given, and found by the footer
        ber = converted(MemorySource(data), "ber", log.REGISTRY, props=props)
        assert converted(MemorySource(ber), "binary", log.REGISTRY) == data


def test_a_part_larger_than_the_buffer(log: Any) -> None:
    data = stream(part_=lines(*["x" * 255] * 2000, rest=bytes(300_000)))
    source = ByteSource(Trickle(data, (1, 70_000)), capacity=1 << 16)
    ber = converted(source, "ber", log.REGISTRY)
    assert converted(MemorySource(ber), "binary", log.REGISTRY) == data


@pytest.mark.parametrize("form", ["binary", "ber"])
def test_verify(log: Any, form: str) -> None:
    data = stream() if form == "binary" else converted(MemorySource(stream()), "ber", log.REGISTRY)
    report = verify(InputFile(data), Schema(asn1_folder(log)), log.REGISTRY)
    assert not report.findings and report.typed == 5


def test_other_formats_and_statistics(log: Any, package: Path, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "in.mig"
    path.write_bytes(stream())
    assert cli.run(["show", str(path), "--stats", "--format", "json", "--library", str(package)]) == 0
    assert json.loads(capsys.readouterr().out)["opaque"] == 0
    assert cli.run(["show", str(path), "--section", "acme-log", "--library", str(package)]) == 0
    assert "total = 3" in capsys.readouterr().out
    values = json.loads(converted(MemorySource(stream()), "json", log.REGISTRY))
    assert [item["state"] for item in values["items"] if item.get("name") == "acme-log"][1] == {
        "lines": ["one", "two"],
        "rest": "",
    }


def test_diff(log: Any) -> None:
    readers = [
        StreamReader(MemorySource(data), log.REGISTRY) for data in (stream(), stream(part_=lines("one", "two!")))
    ]
    found = diff(*readers)
    assert [(label, [each.path for each in told]) for label, told in found.sections.items()] == [
        ("acme-log/0 (2)", ["lines[1]"])
    ]


def test_without_the_package_it_says_what_it_does_not_know(log: Any) -> None:
    with pytest.raises(DataError, match=r"section acme-log/0.*contents are not known"):
        converted(MemorySource(stream()), "ber", None)
    ber = converted(MemorySource(stream()), "ber", log.REGISTRY)
    assert converted(MemorySource(ber), "ber", None) == ber


def test_what_does_not_fit_is_an_error_with_its_place(log: Any) -> None:
    with pytest.raises(DataError, match=r"^section acme-log/0, .*offset 0x"):
        converted(MemorySource(stream(part_=lines("one") + b"\0")), "ber", log.REGISTRY)
    whole = stream()
    for size in range(60, len(whole) - 1, 61):
        with pytest.raises(DataError):
            converted(MemorySource(whole[:size]), "ber", log.REGISTRY)
        with pytest.raises(DataError):
            converted(ByteSource(Trickle(whole[:size])), "ber", log.REGISTRY)


def test_lookup(log: Any) -> None:
    registry = log.REGISTRY
    assert registry.names() == ["acme-log"]
    assert registry.lookup("acme-log").__name__ == "AcmeLogFull"
    assert registry.lookup("AcmeLogPart") is registry.candidates("a/acme-log", part="part")[0]
    assert registry.by_tag(registry.lookup("AcmeLogEnd").TAG) is registry.lookup("AcmeLogEnd")
    only = type(registry)(registry.package, [entry for entry in registry.entries if entry.part != "full"])
    with pytest.raises(VmsgenError, match="comes in parts: AcmeLogStart, AcmeLogPart, AcmeLogEnd"):
        only.lookup("acme-log")
