"""QEMU loads what vmsgen writes: streams that were BER, and streams that were changed through the API."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

import vmsgen as library
from tests.qemu.accepts import loaded
from tests.qemu.capture import declared, migrate
from tests.qemu.conftest import Stream, Vmsgen
from tests.qemu.machine import QemuError
from tests.qemu.sets import RELEASES, every_stream

EBX = 3  # its place among the registers of the cpu section
#: 2001-02-03 04:05:06 UTC
MOMENT = 981173106


@every_stream
def test_a_stream_that_was_ber_is_accepted(
    name: str, release: str, stream: Stream, vmsgen: Vmsgen, tmp_path: Path
) -> None:
    ber, again = tmp_path / "stream.ber", tmp_path / "again.mig"
    vmsgen("convert", stream(name, release), ber, "--to", "ber")
    vmsgen("convert", ber, again, "--to", "binary")
    with library.open(again) as migration:
        state = migration["globalstate"].runstate  # a failing disk has stopped some of them
    with loaded(again, declared()[name].destination(release)) as guest:
        assert guest.qmp("query-status")["status"] == state


@pytest.mark.parametrize("form", ["binary", "ber"])
@pytest.mark.parametrize("release", RELEASES)
def test_changed_fields_arrive(release: str, form: str, stream: Stream, vmsgen: Vmsgen, tmp_path: Path) -> None:
    changed, written = tmp_path / "changed", tmp_path / "changed.mig"
    with library.open(stream("pc-7.2", release)) as migration:
        cpu = migration["cpu"]
        assert cpu.regs[EBX] != 0x1337BEEF
        cpu.regs[EBX] = 0x1337BEEF
        # The clock goes on from this moment while the stream lies about: it was set just now.
        clock = migration["mc146818rtc"]
        clock.base_rtc, clock.last_update, clock.offset = MOMENT, time.time_ns(), 0
        migration["serial"].state.scr = 0x5A
        migration.save(changed, form)
    vmsgen("convert", changed, written, "--to", "binary")
    with loaded(written, declared()["pc-7.2"].destination(release), stopped=True) as guest:
        registers = guest.hmp("info registers")
        assert re.search(r"\b[ER]BX=(00000000)?1337beef\b", registers), registers
        now = guest.qmp("qom-get", path="/machine", property="rtc-time")
        assert (now["tm_year"], now["tm_mon"], now["tm_mday"], now["tm_hour"]) == (101, 1, 3, 4)
        migrate(guest, tmp_path / "captured.mig")
    with library.open(tmp_path / "captured.mig") as migration:
        assert migration["serial"].state.scr == 0x5A
        assert migration["cpu"].regs[EBX] == 0x1337BEEF


@pytest.mark.parametrize("release", RELEASES)
def test_a_refusal_is_seen(release: str, stream: Stream, tmp_path: Path) -> None:
    """The check above could not pass with a stream that QEMU does not want."""
    wrong = tmp_path / "wrong.mig"
    data = stream("pc-7.2", release).read_bytes()
    wrong.write_bytes(data.replace(b"\x0bmc146818rtc", b"\x0bmc146818rtd", 1))
    with pytest.raises(QemuError), loaded(wrong, declared()["pc-7.2"].destination(release)):
        pass
