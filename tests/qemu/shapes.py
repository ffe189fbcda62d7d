"""The shapes in which QEMU sends a guest, and takes one: plain, xbzrle, compress, several connections, mapped-ram.

The guest is a ROM that dirties memory for ever (assets.py): no BIOS, so it is at work at once.
"""

from __future__ import annotations

import contextlib
import shlex
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.qemu.accepts import incoming
from tests.qemu.assets import asset_folder
from tests.qemu.capture import migrate
from tests.qemu.machine import PREFIXES, QUIET, Qemu, QemuError

MEMORY = 32 << 20
#: Addresses at which a PC does not show its RAM: the window of the VGA, and ROMs.
HIDDEN = slice(0xA0000, 0x100000)
#: The pages that the guest dirties, and a word of one of them.
DIRTY = range(0x10000, 0x90000, 4096)


@dataclass(frozen=True)
class Shape:
    """``channels``: other connections; ``mapped``: a file, not a pipe; ``rounds`` of RAM before it may end."""

    releases: tuple[str, ...] = ("5.2", "7.2", "10.0")
    capabilities: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    channels: int = 0
    mapped: bool = False
    rounds: int = 0


def _multifd(method: str, releases: tuple[str, ...] = ("5.2", "7.2", "10.0")) -> Shape:
    return Shape(releases, ("multifd",), {"multifd-channels": 2, "multifd-compression": method}, channels=2)


#: Debian's 5.2 has no zstd.
SHAPES = {
    "plain": Shape(),
    "xbzrle": Shape(capabilities=("xbzrle",), rounds=3),
    "compress": Shape(("5.2", "7.2"), ("compress",)),
    "multifd": _multifd("none"),
    "multifd-zlib": _multifd("zlib"),
    "multifd-zstd": _multifd("zstd", ("7.2", "10.0")),
    "mapped-ram": Shape(("10.0",), ("mapped-ram",), mapped=True),
    "mapped-ram-multifd": Shape(("10.0",), ("mapped-ram", "multifd"), {"multifd-channels": 2}, mapped=True),
}


def argv(release: str, machine: str = "pc-i440fx-5.2") -> list[str]:
    """The command line of the guest, of a machine type that all releases have unless it is said."""
    assets = asset_folder()
    guest = ["-M", machine, "-m", str(MEMORY >> 20), "-nodefaults", "-bios", str(assets / "dirtier.rom")]
    loader = f"loader,file={assets / 'fill4m'},addr=0x1000000,force-raw=on"
    return [PREFIXES[release] + "x86_64", *guest, *QUIET, "-device", loader]


def at_work(guest: Qemu) -> None:
    """Waits until a running guest has filled its memory and goes on to change it."""

    def counters() -> str:
        return guest.hmp(f"xp /4xb {DIRTY[0]:#x}") + guest.hmp(f"xp /4xb {DIRTY[-1] + 0x810:#x}")

    guest.wait_for(lambda: "0x00 0x00 0x00 0x00" not in counters(), 60)
    before = counters()
    guest.wait_for(lambda: counters() != before, 20)


@dataclass(frozen=True)
class Stopped:
    """A guest that has stopped: the files of each shape in which it was sent, and its RAM (see :func:`memory`)."""

    release: str
    files: Mapping[str, list[Path]]
    memory: bytes


def stopped_guest(release: str, folder: Path) -> Stopped:
    """A running guest is sent with XBZRLE, in several rounds; it then stops. What QEMU loads of that, without letting
    it run, is sent in every other shape. Raises QemuError.
    """
    sent, saved = _with_differences(release, folder)
    files = {"xbzrle": sent}
    for name, shape in SHAPES.items():
        if release in shape.releases and name not in files:
            with taken(release, SHAPES["plain"], sent, folder) as guest:
                files[name] = send(guest, shape, folder / f"{name}.mig")
                if memory(guest, folder) != saved:
                    raise QemuError(f"a stopped guest has other memory after it was sent ({name})")
    return Stopped(release, files, saved)


def _with_differences(release: str, folder: Path, times: int = 5) -> tuple[list[Path], bytes]:
    """A guest that was sent with XBZRLE, and its memory. QEMU 5.2 loses a change of the guest once in a while, and then
    sends other memory than it has: that is done again.
    """
    with Qemu(argv(release), folder, "source") as source:
        at_work(source)
        files = send(source, SHAPES["xbzrle"], folder / "xbzrle.mig")
        if not source.qmp("query-migrate")["xbzrle-cache"]["pages"]:
            raise QemuError("no page was sent as a difference")
        saved = memory(source, folder)
    if release == "5.2" and times:
        with taken(release, SHAPES["plain"], files, folder) as guest:
            if memory(guest, folder) != saved:
                files[0].unlink()
                return _with_differences(release, folder, times - 1)
    return files, saved


def prepare(guest: Qemu, shape: Shape) -> None:
    """Sets what both sides of such a migration must have."""
    switches = [{"capability": name, "state": True} for name in shape.capabilities]
    if switches:
        guest.qmp("migrate-set-capabilities", capabilities=switches)
    if shape.parameters:
        guest.qmp("migrate-set-parameters", **shape.parameters)


def send(guest: Qemu, shape: Shape, out: Path) -> list[Path]:
    """Migrates a guest to files: the main stream, and other channels behind it. Raises QemuError."""
    prepare(guest, shape)
    if not shape.channels and not shape.mapped:
        migrate(guest, out, iterations=shape.rounds)
        return [out]
    if shape.mapped:
        guest.qmp("migrate-set-parameters", **{"max-bandwidth": 10**10})
        guest.qmp("migrate", uri=f"file:{out}")
        guest.wait_for(guest.migrated, 60)
        return [out]
    return _record(guest, shape, out)


def _record(guest: Qemu, shape: Shape, out: Path) -> list[Path]:
    """Takes all connections of a migration, and keeps what each of them carries."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(f"{out}.socket")
        listener.listen(shape.channels + 1)
        listener.settimeout(60)
        kept: list[bytes] = []
        threads: list[threading.Thread] = []

        def take() -> None:
            for _ in range(shape.channels + 1):
                connection, _ = listener.accept()
                threads.append(threading.Thread(target=keep, args=(connection,), daemon=True))
                threads[-1].start()

        def keep(connection: socket.socket) -> None:
            parts = []
            with connection:
                while piece := connection.recv(1 << 20):
                    parts.append(piece)
            kept.append(b"".join(parts))

        taker = threading.Thread(target=take, daemon=True)
        taker.start()
        migrate_to(guest, f"unix:{out}.socket", shape.rounds)
        for thread in (taker, *threads):
            thread.join(60)
    if len(kept) != shape.channels + 1:
        raise QemuError(f"{len(kept)} connections, expected {shape.channels + 1}")
    kept.sort(key=lambda data: not data.startswith(b"QEVM"))
    paths = [out, *(out.with_name(f"{out.name}.ch{number}") for number in range(1, len(kept)))]
    for path, data in zip(paths, kept, strict=True):
        path.write_bytes(data)
    return paths


def migrate_to(guest: Qemu, uri: str, rounds: int = 0) -> None:
    """Migrates a guest, and does not let it end before so many rounds of RAM. Raises QemuError."""
    bandwidth = {"max-bandwidth": 1 << 22, "downtime-limit": 1} if rounds else {"max-bandwidth": 10**10}
    guest.qmp("migrate-set-parameters", **bandwidth)
    guest.qmp("migrate", uri=uri)
    if rounds:

        def enough() -> bool:
            done = guest.qmp("query-migrate").get("ram", {}).get("dirty-sync-count", 0)
            return done > rounds or guest.migrated()  # (a guest that got no time has nothing more to send)

        guest.wait_for(enough, 60)
        guest.qmp("migrate-set-parameters", **{"max-bandwidth": 10**10, "downtime-limit": 2000})
    guest.wait_for(guest.migrated, 60)


@contextlib.contextmanager
def taken(release: str, shape: Shape, files: Sequence[Path], folder: Path, *, offset: int = 0) -> Iterator[Qemu]:
    """A stopped QEMU that has loaded these files; a mapped-ram file from ``offset`` on. Raises QemuError if it refuses
    them.
    """
    with Qemu([*argv(release), "-S", "-incoming", "defer"], folder, "target") as target:
        prepare(target, shape)
        if shape.mapped:
            incoming(target, f"file:{files[0]},offset={offset}")
        elif shape.channels:
            _feed(target, files, folder)
        else:
            incoming(target, f"exec:cat {shlex.quote(str(files[0]))}")
        yield target


def _feed(target: Qemu, files: Sequence[Path], folder: Path) -> None:
    """Sends each file over a connection of its own, the main stream's being the first."""
    path = folder / "target.socket"
    target.qmp("migrate-incoming", uri=f"unix:{path}")
    threads = []
    for file in files:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(path))
        threads.append(threading.Thread(target=_pour, args=(file, connection), daemon=True))
        threads[-1].start()
        time.sleep(0.05)  # (5.2 takes the first connection for the main one)

    def over() -> bool:
        state = target.qmp("query-migrate")
        if state.get("status") == "failed":
            raise QemuError(state.get("error-desc") or target.complaint() or "migration failed")
        return bool(state.get("status") == "completed")

    target.wait_for(over, 60)
    for thread in threads:
        thread.join(20)
    path.unlink(missing_ok=True)


def _pour(file: Path, connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):  # QEMU says why it closed one
        connection.sendall(file.read_bytes())


def memory(guest: Qemu, folder: Path) -> bytes:
    """The guest's RAM as QEMU has it (``pmemsave``), without what a PC hides."""
    path = folder / "saved"
    guest.qmp("pmemsave", val=0, size=MEMORY, filename=str(path))
    return visible(path)


def visible(path: Path) -> bytes:
    """The RAM in a file, without what a PC hides."""
    with path.open("rb") as file:
        data = bytearray(file.read(MEMORY))
    data[HIDDEN] = bytes(HIDDEN.stop - HIDDEN.start)
    return bytes(data)
