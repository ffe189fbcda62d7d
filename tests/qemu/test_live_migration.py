"""A guest that moves from one running QEMU to another, and travels in BER."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import started
from tests.qemu.accepts import incoming, loaded
from tests.qemu.capture import declared, detached, into_file, migrate
from tests.qemu.conftest import QemuBinary, missing
from tests.qemu.machine import Qemu, unavailable
from tests.qemu.sets import RELEASES
from tests.qemu.shapes import SHAPES, argv, at_work, memory, migrate_to, prepare
from tests.qemu.test_roundtrip import same

PYTHON = shlex.quote(sys.executable)
TO_BER = f"{PYTHON} -m vmsgen convert - - --to ber"
TO_BINARY = f"{PYTHON} -m vmsgen convert - - --to binary"
#: Between releases: a machine type that both have.
MACHINE = "pc-i440fx-7.2"
PAIRS = [("7.2", "10.0"), ("10.0", "7.2")]
ROUNDS = 3
LISTENS = "0A"  # the state of a socket in /proc/net/tcp


def dirty_page(guest: Qemu) -> str:
    """The counters that the guest increments for ever (the boot sector of assets.py), as text."""
    return guest.hmp("xp /4xb 0x10000") + guest.hmp("xp /4xb 0x40810")


def alive(guest: Qemu) -> None:
    """Fails unless the guest runs and goes on with its work."""
    assert guest.qmp("query-status")["status"] == "running"
    before = dirty_page(guest)
    guest.wait_for(lambda: dirty_page(guest) != before, 20)


@pytest.mark.parametrize(("old", "new"), [("7.2", "7.2"), ("10.0", "10.0"), ("7.2", "10.0")])
def test_a_running_guest_moves_in_ber(old: str, new: str, qemu: QemuBinary, tmp_path: Path) -> None:
    qemu(old), qemu(new)
    ber = tmp_path / "guest.ber"
    with Qemu(argv(old, MACHINE), tmp_path, "source") as source:
        at_work(source)
        migrate(source, ber, through=TO_BER)
        assert source.qmp("query-status")["status"] == "postmigrate"
        left_behind = memory(source, tmp_path)
    assert ber.read_bytes()[:4] != b"QEVM"
    with loaded(ber, argv(new, MACHINE), through=TO_BINARY, stopped=True) as target:
        assert memory(target, tmp_path) == left_behind
        target.qmp("cont")
        at_work(target)


@contextlib.contextmanager
def two_guests(old: str, new: str, folder: Path) -> Iterator[tuple[Qemu, Qemu]]:
    """A guest that works, sends several rounds of RAM and differences (XBZRLE), and a QEMU that waits for it. When both
    are through: fails unless the other one has its memory and goes on with its work.
    """
    with (
        Qemu(argv(old, MACHINE), folder, "source") as source,
        Qemu([*argv(new, MACHINE), "-S", "-incoming", "defer"], folder, "target") as target,
    ):
        for guest in (source, target):
            prepare(guest, SHAPES["xbzrle"])
        at_work(source)
        yield source, target
        differences = source.qmp("query-migrate")["xbzrle-cache"]["pages"]
        target.wait_for(lambda: target.qmp("query-status")["status"] == "paused", 60)
        assert memory(target, folder) == memory(source, folder)
        assert differences > 0
        target.qmp("cont")
        at_work(target)


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_over_exec(old: str, new: str, qemu: QemuBinary, tmp_path: Path) -> None:
    """Both ends at once, with a pipe between them that carries BER."""
    qemu(old), qemu(new)
    pipe = shlex.quote(str(tmp_path / "pipe"))
    with two_guests(old, new, tmp_path) as (source, target):
        target.qmp("migrate-incoming", uri=f"exec:mkfifo {pipe} && {TO_BINARY} <{pipe}")
        target.wait_for((tmp_path / "pipe").exists, 10)
        migrate_to(source, detached(f"{TO_BER} >{pipe}"), ROUNDS)


@pytest.mark.parametrize("family", ["unix", "tcp"])
@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_over_sockets(old: str, new: str, family: str, qemu: QemuBinary, tmp_path: Path) -> None:
    """QEMU connects to a converter, this one to another, and that one to the other QEMU; BER in the middle."""
    qemu(old), qemu(new)
    from_source, between, to_target = (address(family, tmp_path / name) for name in ("a", "b", "c"))
    convert = [sys.executable, "-m", "vmsgen", "convert"]
    with two_guests(old, new, tmp_path) as (source, target):
        target.qmp("migrate-incoming", uri=to_target)
        source.wait_for(lambda: listened_at(to_target), 20)
        with started([*convert, between, to_target, "--to", "binary"]) as second:
            source.wait_for(lambda: listened_at(between), 20)
            with started([*convert, from_source, between, "--to", "ber"]) as first:
                source.wait_for(lambda: listened_at(from_source), 20)
                migrate_to(source, from_source, ROUNDS)
                assert first.wait(60) == 0
            assert second.wait(60) == 0


def address(family: str, path: Path) -> str:
    """Where somebody may listen: a path, or a port that is free now."""
    if family == "unix":
        return f"unix:{path}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"tcp:127.0.0.1:{free.getsockname()[1]}"


def listened_at(place: str) -> bool:
    """Whether somebody listens there; without connecting, since converters take one connection only."""
    family, _, where = place.partition(":")
    if family == "unix":
        return Path(where).exists()
    wanted = f":{int(where.rpartition(':')[2]):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return any(row[1].endswith(wanted) and row[3] == LISTENS for row in rows)


@pytest.mark.parametrize("release", ["5.2", *RELEASES])
def test_nothing_is_changed_on_the_way(release: str, qemu: QemuBinary, tmp_path: Path) -> None:
    """A converter from QEMU's format to QEMU's format between two QEMUs of one release."""
    qemu(release)
    pipe, sent, received = (shlex.quote(str(tmp_path / name)) for name in ("pipe", "sent", "received"))
    guest = argv(release)
    with (
        Qemu(guest, tmp_path, "source") as source,
        Qemu([*guest, "-incoming", "defer"], tmp_path, "target") as target,
    ):
        at_work(source)
        target.qmp("migrate-incoming", uri=f"exec:mkfifo {pipe} && tee {received} <{pipe}")
        target.wait_for((tmp_path / "pipe").exists, 10)
        migrate_to(source, detached(f"tee {sent} | {TO_BINARY} >{pipe}"), ROUNDS)
        target.wait_for(lambda: target.qmp("query-status")["status"] == "running", 60)
        at_work(target)
    same(tmp_path / "sent", tmp_path / "received")


@pytest.mark.parametrize(("old", "new", "killed"), [("7.2", "10.0", False), ("10.0", "7.2", True)])
def test_through_a_tee(old: str, new: str, killed: bool, qemu: QemuBinary, tmp_path: Path) -> None:
    """The destination runs, and the log tells what was sent; also when the decoder is killed on the way."""
    guest = declared()["dirty-pc"]
    qemu(old), qemu(new)
    from_source, to_target = f"unix:{tmp_path}/a", f"unix:{tmp_path}/b"
    log = tmp_path / "log"
    tee = [sys.executable, "-m", "vmsgen", "tee", from_source, to_target, "--log", str(log), "--format", "json"]
    with (
        Qemu(guest.argv(old), tmp_path, "source") as source,
        Qemu([*guest.argv(new), "-incoming", to_target], tmp_path, "target") as target,
    ):
        source.wait_for(lambda: re.search(r"EIP=00007c(2|3|4)", source.hmp("info registers")) is not None, 60)
        target.wait_for((tmp_path / "b").exists, 20)
        with started(tee) as between:
            source.wait_for((tmp_path / "a").exists, 20)
            if killed:
                (decoder,) = Path(f"/proc/{between.pid}/task/{between.pid}/children").read_text().split()
                os.kill(int(decoder), signal.SIGKILL)
            source.qmp("migrate", uri=from_source)
            source.wait_for(source.migrated, 60)
            target.wait_for(lambda: target.qmp("query-status")["status"] == "running", 60)
            alive(target)
            assert between.wait(60) == killed
    events = [json.loads(line) for line in log.read_text().splitlines()]
    if killed:
        assert not events
        return
    assert [each["event"] for each in events[:3]] == ["stream", "configuration", "ram"]
    assert events[-1]["event"] == "summary" and events[-1]["opaque"] == 0
    rounds = [each for each in events if each["event"] == "round"]
    assert rounds and all(each["sections"] for each in rounds)
    sections = [each for each in events if each["event"] == "section"]
    assert {"timer", "cpu", "globalstate"} <= {each["name"] for each in sections}
    assert {each["contents"] for each in sections} == {"typed"}


@pytest.mark.parametrize(("old", "new", "postcopy"), [("7.2", "10.0", False), ("10.0", "10.0", True)])
def test_a_tee_with_a_return_path(old: str, new: str, postcopy: bool, qemu: QemuBinary, tmp_path: Path) -> None:
    """What the destination answers goes back to the source, the pages that it asks for as well."""
    guest = declared()["dirty-pc"]
    qemu(old), qemu(new)
    log = tmp_path / "log"
    tee = [sys.executable, "-m", "vmsgen", "tee", f"unix:{tmp_path}/a", f"unix:{tmp_path}/b", "--log", str(log)]
    with (
        Qemu(guest.argv(old), tmp_path, "source") as source,
        Qemu([*guest.argv(new), "-incoming", "defer"], tmp_path, "target") as target,
    ):
        for each in (source, target):
            names = ["return-path", *(["postcopy-ram"] if postcopy else [])]
            each.qmp("migrate-set-capabilities", capabilities=[{"capability": name, "state": True} for name in names])
        target.qmp("migrate-incoming", uri=f"unix:{tmp_path}/b")
        source.wait_for(lambda: re.search(r"EIP=00007c(2|3|4)", source.hmp("info registers")) is not None, 60)
        with started([*tee, "--format", "json"]) as between:
            source.wait_for((tmp_path / "a").exists, 20)
            if postcopy:
                source.qmp("migrate-set-parameters", **{"max-bandwidth": 1 << 23, "downtime-limit": 1})
            source.qmp("migrate", uri=f"unix:{tmp_path}/a")
            if postcopy:
                source.wait_for(lambda: source.qmp("query-migrate").get("ram", {}).get("dirty-sync-count", 0) > 1, 60)
                source.qmp("migrate-start-postcopy")
            source.wait_for(source.migrated, 60)
            target.wait_for(lambda: target.qmp("query-status")["status"] == "running", 60)
            alive(target)
            assert between.wait(60) == 0
    events = [json.loads(line) for line in log.read_text().splitlines()]
    commands = [each["name"] for each in events if each["event"] == "command"]
    assert "OPEN_RETURN_PATH" in commands and ("POSTCOPY_RUN" in commands) == postcopy
    assert events[-1]["event"] == "summary"


def test_the_plain_command_of_a_user(qemu: QemuBinary, tmp_path: Path) -> None:
    """``exec:vmsgen convert - FILE`` and back, with nothing around it."""
    argv = declared()["pc-stopped"].argv("7.2")
    qemu("7.2")
    ber = tmp_path / "guest.ber"
    with Qemu(argv, tmp_path) as source:
        source.qmp("migrate", uri=f"exec:{PYTHON} -m vmsgen convert - {shlex.quote(str(ber))} --to ber")
        source.wait_for(source.migrated)
    with Qemu([*argv, "-incoming", "defer"], tmp_path) as target:
        incoming(target, f"exec:{PYTHON} -m vmsgen convert {shlex.quote(str(ber))} - --to binary")
        assert target.qmp("query-status")["status"] in ("paused", "prelaunch")


@pytest.mark.parametrize("release", ["5.2", *RELEASES])
def test_the_recipe_needs_no_qemu_that_waits(release: str, qemu: QemuBinary, tmp_path: Path) -> None:
    """A writer that takes its time neither holds QEMU up nor is cut off when QEMU ends."""
    qemu(release)
    out = tmp_path / "slow.mig"
    with Qemu(declared()["pc-stopped"].argv(release), tmp_path) as source:
        source.qmp("migrate", uri=into_file(out, "(cat; sleep 1; printf END)"))
        source.wait_for(source.migrated)
    assert not out.exists()
    deadline = time.monotonic() + 30
    while not out.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert out.read_bytes().endswith(b"END")


def test_a_release_that_is_missing_says_so() -> None:
    assert "install_qemu.sh" in str(unavailable("5.2", "no-such-architecture"))
    with pytest.raises(pytest.skip.Exception, match="not here"):
        missing("not here", "5.2")
