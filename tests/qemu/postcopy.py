"""A migration that ends with postcopy, recorded: between the two QEMUs, which both must run for it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from tests.qemu.machine import Qemu, QemuError

__all__ = ["PostcopyRefusedError", "Relay", "record_postcopy"]


class PostcopyRefusedError(QemuError):
    """QEMU has no postcopy on this machine; the text is its own."""


class Relay:
    """Takes connections at a socket, passes each on to another one, and keeps what was sent there."""

    def __init__(self, at: Path, to: Path) -> None:
        self._to = str(to)
        self._threads: list[threading.Thread] = []
        self.sent: list[bytearray] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(at))
        self._listener.listen(8)
        self._run(self._accept)

    def _run(self, what: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=what, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                source, _ = self._listener.accept()
                target = socket.socket(socket.AF_UNIX)
                target.connect(self._to)
                self.sent.append(bytearray())
                self._run(self._pump, source, target, self.sent[-1])
                self._run(self._pump, target, source, bytearray())

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
        with contextlib.suppress(OSError):  # a QEMU that is done reads no more
            while piece := source.recv(1 << 16):
                kept += piece
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Waits until everything has passed."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(20)


def record_postcopy(source: Qemu, target: Qemu, folder: Path, *, preempt: bool) -> list[Path]:
    """Migrates a running guest into a waiting QEMU, by postcopy after the second round, so slowly that the guest asks
    for pages there. Returns the main stream and the other channels. Raises QemuError, PostcopyRefusedError.
    """
    names = ["postcopy-ram", *(["postcopy-preempt"] if preempt else [])]
    for guest in (source, target):
        switches = [{"capability": name, "state": True} for name in names]
        try:
            guest.qmp("migrate-set-capabilities", capabilities=switches)
        except QemuError as error:
            raise PostcopyRefusedError(f"no postcopy here: {error}") from None
    target.qmp("migrate-incoming", uri=f"unix:{folder}/to")
    relay = Relay(folder / "at", folder / "to")
    slow = {"max-bandwidth": 1 << 22, "downtime-limit": 1, "max-postcopy-bandwidth": 1 << 20}
    source.qmp("migrate-set-parameters", **slow)
    source.qmp("migrate", uri=f"unix:{folder}/at")
    source.wait_for(lambda: source.qmp("query-migrate").get("ram", {}).get("dirty-sync-count", 0) > 1, 60)
    source.qmp("migrate-start-postcopy")
    source.wait_for(source.migrated, 60)
    target.wait_for(lambda: target.qmp("query-migrate").get("status") == "completed", 60)
    relay.close()
    sent = sorted(relay.sent, key=lambda data: not data.startswith(b"QEVM"))
    if not sent or not sent[0].startswith(b"QEVM"):
        raise QemuError("no connection carried a stream")
    paths = [folder / "postcopy.mig", *(folder / f"postcopy.mig.ch{number}" for number in range(1, len(sent)))]
    for path, data in zip(paths, sent, strict=True):
        path.write_bytes(data)
    return paths
