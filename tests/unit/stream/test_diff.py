"""What two streams say differently: properties, sections, fields, records, memory; nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.stream.mapped_files import mapped_file
from tests.unit.stream.states import REGISTRY
from tests.unit.stream.synthetic import (
    EOS_RECORD,
    HEADER,
    PAGE,
    be32,
    be64,
    block_list,
    command,
    configuration,
    end,
    full,
    full_page,
    part,
    piped,
    start,
    subsection,
    vmdesc,
    zero_page,
)
from vmsgen import cli
from vmsgen.stream.convert import convert
from vmsgen.stream.diff.streams import Difference, StreamDiff, diff
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.transport.sink import MemorySink
from vmsgen.stream.transport.source import ByteSource, MemorySource

CLOCK = be64(7) + be32(1) + b"\1"
PAGES = full_page(0, "pc.ram") + zero_page(0x1000, None)


def stream(
    *devices: tuple[str, bytes],
    machine: str = "pc-q35-7.2",
    rounds: tuple[bytes, ...] = (PAGES,),
    blocks: tuple[tuple[str, int], ...] = (("pc.ram", 1 << 20),),
    before: bytes = b"",
) -> bytes:
    devices = devices or (("clock", CLOCK),)
    data = HEADER + configuration(machine) + before + start(2, "ram", block_list(blocks))
    data += b"".join(part(2, pages + EOS_RECORD) for pages in rounds) + end(2, EOS_RECORD)
    for number, (name, content) in enumerate(devices):
        data += full(10 + number, name, content, version=2)
    return data + b"\0"


def described(data: bytes, *devices: tuple[str, bytes]) -> bytes:
    return data + vmdesc([(name, 0, len(content)) for name, content in devices or (("clock", CLOCK),)])


def ber(data: bytes) -> bytes:
    sink = MemorySink()
    convert(MemorySource(data), sink, "ber", REGISTRY)
    return sink.getvalue()


def compared(first: bytes | ByteSource, second: bytes | ByteSource) -> StreamDiff:
    sources = [MemorySource(each) if isinstance(each, bytes) else each for each in (first, second)]
    return diff(*(StreamReader(source, REGISTRY) for source in sources))


def test_a_stream_is_like_itself_in_any_form() -> None:
    data = stream()
    assert not compared(data, data).found
    assert not compared(piped(data), ber(data)).found
    assert not compared(data, piped(ber(data))).found


def test_properties() -> None:
    found = compared(stream(machine="pc-q35-8.0", before=command(5, b"\1")), described(stream()))
    assert [each.path for each in found.properties] == ["machine", "commands", "vmdesc"]
    assert found.properties[:2] == [
        Difference("machine", "pc-q35-8.0", "pc-q35-7.2"),
        Difference("commands", "5:01", None),
    ]
    assert not found.sections and not found.memory


def test_fields() -> None:
    found = compared(stream(("clock", CLOCK)), stream(("clock", be64(9) + be32(1) + b"\0")))
    assert found.sections == {"clock/0": [Difference("ticks", 7, 9), Difference("running", True, False)]}


def test_bytes_that_the_value_does_not_say() -> None:
    found = compared(stream(("clock", CLOCK)), stream(("clock", CLOCK[:-1] + b"\5")))
    assert found.sections == {"clock/0": [Difference("running", b"\1", b"\5")]}


def test_versions_and_what_only_one_has() -> None:
    older = HEADER + configuration("pc-q35-7.2") + full(1, "clock", CLOCK[:-1], version=1) + b"\0"
    newer = HEADER + configuration("pc-q35-7.2") + full(1, "clock", CLOCK, version=2) + b"\0"
    assert compared(older, newer).sections == {
        "clock/0": [Difference("version", 1, 2), Difference("running", None, True)]
    }


def test_the_order_of_sections_does_not_matter() -> None:
    sections = ("clock", CLOCK), ("a/clock", be64(1) + be32(2) + b"\0")
    assert not compared(stream(*sections), stream(*reversed(sections))).found


def test_sections_that_one_has() -> None:
    found = compared(stream(("clock", CLOCK), ("a/clock", CLOCK)), stream(("clock", CLOCK), ("b/clock", CLOCK)))
    assert (found.only_first, found.only_second, found.sections) == (["a/clock/0"], ["b/clock/0"], {})


def test_two_sections_of_one_name_and_instance() -> None:
    found = compared(stream(("clock", CLOCK), ("clock", CLOCK)), stream(("clock", CLOCK)))
    assert found.only_first == ["clock/0 (2)"]


def test_contents_as_bytes() -> None:
    one, other = [(("thing", bytes((at,)) * 20),) for at in (1, 2)]
    found = compared(described(stream(*one), *one), described(stream(*other), *other))
    assert found.sections == {"thing/0": [Difference("", b"\1" * 20, b"\2" * 20)]}


def test_a_state_against_bytes() -> None:
    broken = (("clock", CLOCK + b"\0"),)
    found = compared(described(stream(*broken), *broken), described(stream()))
    assert found.sections == {"clock/0": [Difference("contents", "bytes", "state")]}
    assert len(found.warnings[0]) == 1 and not found.warnings[1]


def test_records_of_other_sections() -> None:
    def htab(shift: int) -> bytes:
        return HEADER + start(3, "spapr/htab", be32(shift), version=1) + b"\0"

    found = compared(htab(18), htab(19))
    assert [each.path for each in found.sections["spapr/htab/0"]] == ["records"]
    assert not compared(htab(18), htab(18)).found


class TestMemory:
    def test_rounds_do_not_matter(self) -> None:
        again = full_page(0, "pc.ram", 1), zero_page(0, "pc.ram") + zero_page(0x1000, None, 3), PAGES
        assert not compared(stream(), stream(rounds=again)).found

    def test_other_contents(self) -> None:
        found = compared(stream(), stream(rounds=(full_page(0, "pc.ram", 1) + zero_page(0x1000, None, 9),)))
        (block,) = found.memory
        assert (block.block, block.differ, block.first, block.only_first, block.only_second) == ("pc.ram", 2, 0, 0, 0)

    def test_pages_that_one_sent(self) -> None:
        more = PAGES + full_page(0xFF000, None), PAGES
        (block,) = compared(stream(rounds=more), stream(rounds=(PAGES + zero_page(0x2000, None),))).memory
        assert (block.differ, block.only_first, block.only_second) == (0, 1, 1)

    def test_far_apart(self) -> None:
        blocks = (("pc.ram", 64 << 20),)
        far = zero_page(40 << 20, "pc.ram", 7)
        (block,) = compared(
            stream(rounds=(PAGES + far,), blocks=blocks),
            stream(rounds=(PAGES + zero_page(40 << 20, "pc.ram"),), blocks=blocks),
        ).memory
        assert (block.differ, block.first) == (1, 40 << 20)

    def test_a_page_that_a_mapped_ram_file_lacks_is_one_of_zeros(self) -> None:
        plain = MemorySink()
        convert(MemorySource(mapped_file()), plain, "binary", shape="plain")
        assert compared(mapped_file(), plain.getvalue()).memory == []

    def test_blocks(self) -> None:
        found = compared(
            stream(blocks=(("pc.ram", 1 << 20), ("vga", PAGE))), stream(blocks=(("pc.ram", 1 << 19), ("rom", PAGE)))
        )
        assert [(block.block, block.lengths) for block in found.memory] == [
            ("pc.ram", (1 << 20, 1 << 19)),
            ("vga", (PAGE, None)),
            ("rom", (None, PAGE)),
        ]


@pytest.mark.parametrize("size", range(8, len(stream()) - 1, 97))
def test_what_is_missing_of_a_cut_stream_is_no_difference(size: int) -> None:
    for first, second in ((stream()[:size], stream()), (stream(), stream()[:size])):
        found = compared(first, second)
        assert not found.found
        assert [error is not None for error in found.errors] == [len(first) == size, len(second) == size]


class TestCommand:
    @pytest.fixture
    def paths(self, tmp_path: Path) -> list[Path]:
        common, other = be32(0) + be32(2), be32(1) + be32(2)
        timer = be64(1) + be64(2) + be64(3)
        made = []
        for number, (what, pages) in enumerate(((common, PAGES), (other, PAGES + zero_page(0x2000, None)))):
            data = (
                HEADER
                + configuration("\x1b[31mred" if number else "pc")
                + start(2, "ram", block_list([("pc.ram", 1 << 20)]))
            )
            data += part(2, pages + EOS_RECORD) + end(2, EOS_RECORD)
            data += full(0, "timer", timer, version=2) + full(4, "cpu_common", what)
            if number:
                data += full(5, "red", b"abc")
            made.append(tmp_path / f"{number}.mig")
            made[-1].write_bytes(data + b"\0" + vmdesc([("timer", 0, 24), ("cpu_common", 0, 8), ("red", 0, 3)]))
        return made

    def run(self, *words: Any) -> int:
        return cli.run(["diff", *map(str, words)])

    def test_text(self, paths: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run(*paths) == 1
        assert capsys.readouterr().out.splitlines() == [
            "machine: pc -> \\x1b[31mred",
            f"only in {paths[1]}: section red/0",
            "section cpu_common/0, halted: 0 -> 1",
            f"ram pc.ram: 1 page sent only in {paths[1]}",
        ]
        assert self.run(paths[0], paths[0]) == 0
        assert capsys.readouterr().out == ""

    def test_json(self, paths: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run(*paths, "--format", "json") == 1
        values = json.loads(capsys.readouterr().out)
        assert values["differ"] is True and values["errors"] == [None, None]
        assert values["only_second"] == ["red/0"]
        assert values["sections"] == [
            {"section": "cpu_common/0", "differences": [{"name": "halted", "first": 0, "second": 1}]}
        ]
        assert values["memory"][0]["only_second"] == 1

    def test_a_cut_stream_is_exit_2_and_named(self, paths: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
        data = paths[1].read_bytes()
        paths[1].write_bytes(data[: data.rindex(b"\4\0\0\0\5\3red") + 18])
        assert self.run(*paths) == 2
        said = capsys.readouterr()
        assert "section cpu_common/0, halted: 0 -> 1" in said.out
        assert f"vmsgen: {paths[1]}: " in said.err and "Traceback" not in said.err

    def test_most(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        paths = []
        for fill in (b"\0", b"\1"):
            data = HEADER + full(1, "timer", fill * 24, version=2) + b"\0"
            paths.append(tmp_path / fill.hex())
            paths[-1].write_bytes(data)
        assert self.run(*paths, "--most", "1") == 1
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 2 and lines[1].startswith("section timer/0: ... and ")
        assert self.run(*paths, "--most", "0") == 1
        assert len(capsys.readouterr().out.splitlines()) == 1 + int(lines[1].split()[-2])

    def test_not_both_from_stdin(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run("-", "-") == 2
        assert "only one of the streams" in capsys.readouterr().err

    def test_no_stream_at_all(self, paths: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "text").write_text("hello")
        assert self.run(paths[0], tmp_path / "text") == 2
        assert self.run(paths[0], tmp_path / "none") == 2
        assert capsys.readouterr().out == ""


def test_a_subsection_that_one_has_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = be32(0) + be32(2)
    with_more = plain + subsection("cpu_common/crash_occurred", b"\1")
    paths = []
    for number, content in enumerate((plain, with_more)):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(HEADER + full(1, "cpu_common", content) + b"\0")
    assert cli.run(["diff", *map(str, paths)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"section cpu_common/0, <cpu_common/crash_occurred>: only in {paths[1]}"
    ]
