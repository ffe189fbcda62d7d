"""A stream as an object: finding devices, changing them, saving in both formats; RAM stays in the input."""

from __future__ import annotations

import io
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from tests.unit.stream.states import REGISTRY, Clock, Switch
from tests.unit.stream.synthetic import EOS_RECORD, HEADER, Trickle, be32, block_list, full_page, part, start, to_ber
from tests.unit.stream.test_devices import CLOCK, SWITCH, converted, stream
from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.stream import items
from vmsgen.stream.migration import Migration, open_migration


def saved(migration: Migration, form: str = "binary") -> bytes:
    out = io.BytesIO()
    migration.save(out, form)
    return out.getvalue()


def opened(data: Any, **options: Any) -> Migration:
    return open_migration(data, REGISTRY, **options)


@pytest.mark.parametrize("form", ["binary", "ber"])
def test_saved_as_it_was(form: str, tmp_path: Path) -> None:
    data = stream()
    path = tmp_path / "in"
    path.write_bytes(data if form == "binary" else converted(data, "ber")[0])
    with opened(path) as migration:
        assert migration.format == form
        assert saved(migration) == data
        for section in migration:
            assert section.state is None or section.kind == "full"
        assert saved(migration) == data
        assert saved(migration, "ber") == converted(data, "ber")[0]


@pytest.mark.parametrize("kind", ["bytes", "file", "middle", "pipe", "fifo"])
def test_every_kind_of_input(kind: str, tmp_path: Path) -> None:
    data = stream()
    path = tmp_path / "in"
    place: Any = data
    if kind in ("file", "middle"):
        path.write_bytes((b"12345" if kind == "middle" else b"") + data)
        place = path.open("rb", buffering=0)
        place.seek(5 if kind == "middle" else 0)
    elif kind == "pipe":
        place = Trickle(data)
    elif kind == "fifo":
        os.mkfifo(path)
        if os.fork() == 0:
            path.write_bytes(data)
            os._exit(0)
        place = path
    with opened(place) as migration:
        assert saved(migration) == data


def test_what_is_in_it() -> None:
    with opened(stream()) as migration:
        assert migration.machine == "pc-q35-7.2"
        assert [str(block.name) for block in migration.ram_blocks] == ["b'pc.ram'"]
        assert [section.name for section in migration.devices] == ["clock", "clock", "0000:00:03.0/switch"]
        assert [section.kind for section in migration.sections][:3] == ["start", "part", "end"]
        assert migration["switch"] == Switch(ports=[1, 2, 3])
        assert migration.device("clock", 1) == Clock(ticks=7, offset=-1, running=True)
        assert migration.section("switch").data == SWITCH and migration.section("switch").vmstate == "switch"
        assert "clock" in migration and "switch" in migration and "clok" not in migration
        assert migration.vmdesc is not None and migration.vmdesc.startswith(b"{")
        kinds = [record[0] for record in migration.sections[1].records()]
        assert kinds == [items.GROUP, items.PAGE, items.ZERO, items.EOS]


def test_what_is_not_in_it() -> None:
    with opened(stream()) as migration:
        with pytest.raises(KeyError, match=r"several sections are called clock: clock/0, clock/1"):
            migration["clock"]
        with pytest.raises(KeyError, match=r"no section is called clok; did you mean clock\?"):
            migration["clok"]
        with pytest.raises(KeyError, match=r"no section is called clock/2"):
            migration.device("clock", 2)
    with open_migration(stream()) as migration, pytest.raises(VmsgenError, match="are bytes: no spec describes it"):
        migration.device("clock", 0)


def test_a_change_is_saved() -> None:
    with opened(stream()) as migration:
        migration.device("clock", 1).ticks = 0x0102030405060708
        binary, ber = saved(migration), saved(migration, "ber")
    changed = stream(second=bytes(range(1, 9)) + CLOCK[8:])
    assert binary == changed
    assert converted(ber, "binary")[0] == changed


def test_a_new_layout_is_saved_with_its_facts() -> None:
    with opened(stream(described=False)) as migration:
        switch = migration["switch"]
        state = Switch.from_binary(be32(9) * 5, facts=switch.facts.derive({"ports": "5"}))
        migration.section("switch").state = state
        ber = saved(migration, "ber")
    with opened(ber) as again:
        assert again["switch"].ports == [9] * 5
        assert saved(again) == stream(described=False, switch=be32(9) * 5)


def test_a_new_state_brings_its_version() -> None:
    with opened(stream()) as migration:
        migration.section("clock", 1).state = Clock.from_binary(CLOCK[:12], version=1)
        data = saved(migration)
    with opened(data) as again:
        assert again.section("clock", 1).version == 1 and again.device("clock", 1).running is None


def test_a_value_that_does_not_fit_is_not_written(tmp_path: Path) -> None:
    with opened(stream()) as migration:
        migration.device("clock", 0).offset = 1 << 40
        for form in ("binary", "ber"):
            with pytest.raises(DataError, match=r"section clock/0, field offset"):
                migration.save(tmp_path / "out", form)
        with pytest.raises(VmsgenError, match="holds RAM"):
            migration.sections[0].state = Clock()
        with pytest.raises(VmsgenError, match="no format"):
            migration.save(tmp_path / "out", "xml")
    assert os.listdir(tmp_path) == []


def test_saved_over_its_own_input(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(stream())
    with opened(path) as migration:
        migration.device("clock", 0).ticks = 1
        migration.save(path)
        migration.save(path)
    with opened(path) as migration:
        assert migration.device("clock", 0).ticks == 1 and migration.device("clock", 1).ticks == 7


def test_what_was_read_before_an_error() -> None:
    data = stream()
    for broken in (data[:-5], to_ber(data)[:-5]):
        with pytest.raises(DataError) as caught:
            opened(broken)
        partial = caught.value.partial
        assert isinstance(partial, Migration) and len(partial.sections) >= 3
        assert partial.sections[0].kind == "start"


def test_ram_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "in"
    with path.open("wb") as file:
        file.write(HEADER + start(2, "ram", block_list([("r", 64 << 20)])))
        pages = b"".join(full_page(at << 12, "r" if at == 0 else None) for at in range(256))
        for _ in range(48):
            file.write(part(2, pages + EOS_RECORD))
        file.write(b"\0")
    tracemalloc.start()
    with opened(path) as migration:
        migration.save(tmp_path / "out")
        migration.save(tmp_path / "out.ber", "ber")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 << 20
    assert (tmp_path / "out").stat().st_size == path.stat().st_size > 48 << 20
