"""One QEMU process with its QMP socket, and where the binaries of each release are."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

#: Release -> prefix of its binaries, as install_qemu.sh names them.
PREFIXES = {"5.2": "qemu5-system-", "7.2": "qemu-system-", "10.0": "qemu10-system-"}

#: What every guest of the tests gets: no window, no console on our terminal, and a process that
#: stays after the migration, so that QMP can still say how it went.
QUIET = ("-display", "none", "-serial", "null", "-monitor", "none", "-no-shutdown")


class QemuError(Exception):
    """QEMU refused a command, did not start or died; the text is QEMU's own where it said any."""


@functools.cache
def unavailable(release: str, architecture: str = "x86_64") -> str | None:
    """Why the QEMU of that release cannot be used here, or None if it can."""
    name = PREFIXES[release] + architecture
    path = shutil.which(name)
    if path is None:
        return f"{name} is not installed (tests/qemu/install_qemu.sh {release})"
    text = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    if f"version {release}." not in text:
        return f"{name} is not QEMU {release} but {text.splitlines()[0] if text else 'does not start'}"
    return None


@functools.cache
def full_version(release: str, architecture: str = "x86_64") -> str:
    """First line of the binary's ``--version``."""
    argv = [PREFIXES[release] + architecture, "--version"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()[0]


class Qemu:
    """A running QEMU, spoken to over QMP; a context manager that ends the process.

    ``argv`` is the whole command line without the QMP option; ``folder`` (which must exist) takes
    the socket and what QEMU writes to stderr. Raises QemuError if QEMU does not come up.
    """

    def __init__(self, argv: Sequence[str], folder: Path, tag: str = "qemu") -> None:
        self.argv = list(argv)
        self.events: list[dict[str, Any]] = []
        self._socket: socket.socket | None = None
        self._log = (folder / f"{tag}.err").open("w+b")
        path = folder / f"{tag}.qmp"
        self._process = subprocess.Popen(
            [*argv, "-qmp", f"unix:{path},server=on,wait=off"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            cwd=folder,
        )
        try:
            self._connect(path)
            if not self._lines.readline():
                raise QemuError(self.complaint() or "QMP was closed")
            self.qmp("qmp_capabilities")
        except BaseException:
            self._process.kill()
            self._process.wait()
            self._release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _connect(self, path: Path) -> None:
        deadline = time.monotonic() + 60
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(path))
            except OSError:
                connection.close()
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise QemuError(self.complaint() or f"exit code {self._process.poll()}") from None
                time.sleep(0.02)
                continue
            connection.settimeout(120)
            self._socket, self._lines = connection, connection.makefile("r", encoding="utf-8")
            return

    def qmp(self, command: str, **arguments: Any) -> Any:
        """What QEMU returns for a QMP command. Raises QemuError with its own description."""
        assert self._socket is not None, "closed"
        request = json.dumps({"execute": command, "arguments": arguments}) + "\n"
        try:
            self._socket.sendall(request.encode())
            while True:
                line = self._lines.readline()
                if not line:
                    raise QemuError(f"died: {self.complaint()}")
                message = json.loads(line)
                if "return" in message:
                    return message["return"]
                if "error" in message:
                    raise QemuError(str(message["error"]["desc"]))
                self.events.append(message)
        except OSError as error:
            raise QemuError(f"died: {error} {self.complaint()}") from error

    def hmp(self, line: str) -> str:
        """Output of a command of the human monitor."""
        return str(self.qmp("human-monitor-command", **{"command-line": line}))

    def wait_for(self, what: Callable[[], bool], seconds: float = 60, pause: float = 0.02) -> None:
        """Polls until ``what()`` holds. Raises QemuError when the time is over."""
        deadline = time.monotonic() + seconds
        while not what():
            if time.monotonic() > deadline:
                raise QemuError(f"nothing for {seconds} s; status {self.qmp('query-status')}")
            time.sleep(pause)

    def migrated(self) -> bool:
        """Whether the outgoing migration is complete. Raises QemuError if it failed."""
        state = self.qmp("query-migrate")
        status = state.get("status")
        if status in ("failed", "cancelled"):
            raise QemuError(f"migration {status}: {state.get('error-desc', '')} {self.complaint(0)}".strip())
        return bool(status == "completed")

    def complaint(self, seconds: float = 1) -> str:
        """What QEMU wrote to stderr, warnings left out if there is more; waits for its exit a while."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self._log.flush()
        text = os.pread(self._log.fileno(), 1 << 16, 0).decode(errors="replace")
        lines = [line for line in text.splitlines() if line.strip()]
        said = [line for line in lines if "warning:" not in line] or lines
        code = self._process.poll()
        return " | ".join(said[:3])[:500] + (f" (exit code {code})" if code else "")

    def close(self) -> None:
        """Ends QEMU: asks it to quit, and kills it if it does not."""
        try:
            if self._process.poll() is None and self._socket is not None:
                try:
                    self.qmp("quit")
                    self._process.wait(5)
                except (QemuError, subprocess.TimeoutExpired):
                    self._process.kill()
            self._process.wait()
        finally:
            self._release()

    def _release(self) -> None:
        if self._socket is not None:
            self._lines.close()
            self._socket.close()
            self._socket = None
        self._log.close()
