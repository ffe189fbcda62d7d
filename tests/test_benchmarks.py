"""The benchmarks run, and say what they promise; what they measure is not tested."""

from __future__ import annotations

import json
import lzma
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest

import vmsgen
from benchmarks import linearity
from benchmarks.build import copied, emptied
from benchmarks.captured import captured
from benchmarks.codecs import array, bare_array, bare_record, ber, binary, built, field_kinds, number, record
from benchmarks.guest import Mix
from benchmarks.guest import write_stream as write_guest
from benchmarks.measure import Contestant, Cost, by_turns, command, row, table, write_json
from benchmarks.reading import traced
from benchmarks.records import write_stream
from benchmarks.streams import taken
from vmsgen.building.compilation import compile_project
from vmsgen.settings import project
from vmsgen.stream.items import PAGE as FULL
from vmsgen.stream.items import ZERO

CLONE = Path(__file__).parents[1]


def test_ram(tmp_path: Path) -> None:
    out = tmp_path / "ram.json"
    arguments = ["--sizes", "8m,16m", "--rounds", "1", "--json", str(out), "--folder", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "benchmarks.ram", *arguments], check=True, capture_output=True, cwd=CLONE)
    rows = {(line["what"], line["peer"]): line for line in json.loads(out.read_text())["rows"]}
    for size in ("8 MiB", "16 MiB"):
        for to in ("ber", "binary"):
            for peer in ("cat", "a loop in Python"):
                assert rows[f"{size} to {to}", peer]["ratio"] > 0
            assert rows[f"{size} to {to}: memory", ""]["reached"]
        assert rows[f"{size}: --memory-map", ""]["ours"]["cpu"] > 0
    assert rows["16 MiB to ber: growth", "8 MiB to ber"]["aim"] == 2.1
    assert rows["a zero page, to binary", ""]["judged"] == "seconds"
    assert [path.name for path in tmp_path.iterdir()] == ["ram.json"]


def test_a_synthetic_guest(tmp_path: Path) -> None:
    path = tmp_path / "guest.mig"
    pages = write_guest(path, 4 << 20, Mix(full=0.7, again=0.1))
    with vmsgen.open(path) as migration:
        kinds = Counter(record[0] for section in migration for record in section.records())
        zeros = sum(record[2] for section in migration for record in section.records() if record[0] == ZERO)
    assert kinds[FULL] + zeros == pages == 1024 + 100 + 1
    assert kinds[FULL] > pages // 2


def test_by_turns_rounds_alternate() -> None:
    order: list[str] = []

    def contestant(name: str, seconds: float) -> Contestant:
        def run() -> Cost:
            order.append(name)
            return Cost(seconds, seconds / 2)

        return run

    runs = by_turns({"ours": contestant("ours", 2.0), "theirs": contestant("theirs", 4.0)}, rounds=3)
    assert order == ["ours", "theirs"] * 3
    found = row("encode", runs, "ours", "theirs", aim=0.4)
    assert (found.ratio, found.cpu_ratio, found.reached) == (0.5, 0.5, False)
    assert row("encode", runs, "ours", aim=2, judged="seconds").reached


def test_table_and_json(tmp_path: Path) -> None:
    runs = by_turns({"ours": lambda: Cost(0.5, 0.25, 30.0), "theirs": lambda: Cost(0.001, 0.001)}, rounds=1)
    rows = [row("encode", runs, "ours", "theirs", aim=1), row("save", runs, "ours")]
    head, rule, first, second = table(rows).splitlines()
    assert len({len(head), len(rule), len(first), len(second)}) == 1
    assert [cell.strip() for cell in first.split("|")[1:-1]] == [
        *("encode", "500 ms", "250 ms", "30", "theirs", "1 ms", "500", "250", "1 !"),
    ]
    write_json(tmp_path / "new" / "out.json", rows)
    written = json.loads((tmp_path / "new" / "out.json").read_text())
    assert [line["what"] for line in written["rows"]] == ["encode", "save"]
    assert [line["reached"] for line in written["rows"]] == [False, None]
    assert written["rows"][1]["theirs"] is None and written["machine"]["python"]


def test_command_costs_and_failures() -> None:
    calls_before: list[int] = []
    cost = command([sys.executable, "-c", "pass"], before=lambda: calls_before.append(1))()
    assert calls_before == [1] and cost.seconds > 0 and cost.peak_mib > 1
    with pytest.raises(SystemExit, match=r"exit code 3\nwhy"):
        command([sys.executable, "-c", "import sys; print('why', file=sys.stderr); sys.exit(3)"])()
    assert command([sys.executable, "-c", "raise SystemExit(3)"], code=3)().seconds > 0


def test_synthetic_streams_are_read(tmp_path: Path) -> None:
    with vmsgen.open(write_stream(tmp_path / "htab.mig", "htab", 50)) as migration:
        names = [name for section in migration for name, _ in section.records()]
    assert names == ["table", "table", *["chunk"] * 50, "end"]
    with vmsgen.open(write_stream(tmp_path / "structs.mig", "structs", 50)) as migration:
        assert len(migration["spapr-xive"].eat) == 50 and not migration.warnings


def test_what_a_reading_allocates(tmp_path: Path) -> None:
    path = write_stream(tmp_path / "structs.mig", "structs", 2000)
    assert traced(lambda stream: Path(stream).read_bytes(), [str(path)]) >= path.stat().st_size


def test_streams_of_folders_are_taken_by_size(tmp_path: Path) -> None:
    for name, size in (("b.mig", 10), ("a.mig", 99), ("large.mig", 100), ("other.txt", 1)):
        (tmp_path / name).write_bytes(bytes(size))
    assert [path.name for path in taken([tmp_path, tmp_path / "large.mig"], 100)] == ["a.mig", "b.mig", "large.mig"]


def test_captured_streams_are_found_by_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMSGEN_BENCH_STREAMS", str(tmp_path))
    for name in ("7.2/q35-7.2.mig", "10.0/q35-7.2-0123456789ab.mig", "10.0/q35-7.2-other.mig", "5.2/pc.mig"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert captured("q35-7.2") == tmp_path / "10.0/q35-7.2-0123456789ab.mig"
    assert captured("pc") == tmp_path / "5.2/pc.mig" and captured("q35") is None


def test_thinned_specs_can_be_built(tmp_path: Path) -> None:
    clone = copied(tmp_path / "clone")
    number = linearity.thinned(clone / "device-specs", 40)
    assert number == len(list((clone / "device-specs").rglob("*.yaml"))) < 60
    emptied(clone)
    assert not (clone / "generated").exists()
    compiled = compile_project(project(clone))
    assert compiled.model is not None, compiled.diagnostics


def test_repeated_devices_are_all_read() -> None:
    devices = list(linearity.devices(lzma.decompress((CLONE / "examples/sample.mig.xz").read_bytes())))
    sections = vmsgen.open(linearity.repeated(devices, 3)).sections
    assert len(sections) == 3 * len(devices) > 60
    assert all(section.state is not None for section in sections)


def test_numbers_are_mostly_small_and_of_their_type() -> None:
    chance = Random(1)
    for code, low, high in (("B", 0, 1 << 8), ("h", -1 << 15, 1 << 15), ("I", 0, 1 << 32), ("q", -1 << 63, 1 << 63)):
        drawn = [number(chance, code) for _ in range(2000)]
        assert all(low <= value < high for value in drawn)
        assert 0.65 < sum(-64 <= value < 128 for value in drawn) / len(drawn) < (0.9 if code == "B" else 0.75)


def test_codecs_and_what_they_are_compared_with_do_the_same(tmp_path: Path) -> None:
    package, chance = built(tmp_path), Random(1)
    assert len(field_kinds()) == 100
    records = [record(chance, package.lookup("bench-record")) for _ in range(3)]
    arrays = [array(chance, package.lookup("bench-array"), kind) for kind in ("mixed", "any", "wide")]
    assert records[0] != records[1] and {len(each.numbers) for each in arrays} == {1024}
    for values, bare in ((records, bare_record), (arrays, bare_array)):
        # which stop where what they read is not what they wrote
        ours, peers = {**ber(values), **binary(values)}, bare(values)
        assert [*ours] == ["encode", "decode", "save", "load"] and [*peers] == ["save", "load"]
        assert all(run().seconds > 0 for run in (*ours.values(), *peers.values()))
