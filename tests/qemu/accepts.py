"""Does this QEMU load that stream?

    python -m tests.qemu.accepts STREAM RELEASE NAME         as the guest NAME of corpus.toml
    python -m tests.qemu.accepts STREAM -- QEMU ARGS...      with a command line of one's own

Prints ``accepted`` and the state the guest is then in, or ``refused`` and QEMU's own words; the exit
code is 0 or 1.
"""

from __future__ import annotations

import contextlib
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.qemu.capture import declared
from tests.qemu.machine import Qemu, QemuError


def incoming(target: Qemu, uri: str, seconds: float = 60) -> str:
    """Loads from a migration URI into a QEMU started with ``-incoming defer``.

    Returns the guest's run state after it (``running``, or ``paused`` if the source was). Raises
    QemuError with QEMU's words if it refuses the stream.
    """
    target.qmp("migrate-incoming", uri=uri)

    def loaded() -> bool:
        state = target.qmp("query-migrate")
        if state.get("status") == "failed":
            raise QemuError(state.get("error-desc") or target.complaint() or "migration failed")
        status = target.qmp("query-status")["status"]
        return bool(status != "inmigrate" and state.get("status") in ("completed", None))

    target.wait_for(loaded, seconds)
    return str(target.qmp("query-status")["status"])


@contextlib.contextmanager
def loaded(stream: Path, argv: Sequence[str], *, through: str = "cat", stopped: bool = False) -> Iterator[Qemu]:
    """A QEMU that has loaded a stream; ``through`` is the command whose output it reads.

    ``stopped`` keeps the guest from running, so that its state can be asked for as it was loaded.
    Raises QemuError if QEMU refuses the stream.
    """
    with tempfile.TemporaryDirectory(prefix="vmsgen-load") as work:
        extra = ["-S"] if stopped else []
        with Qemu([*argv, *extra, "-incoming", "defer"], Path(work)) as target:
            incoming(target, f"exec:{through} <{shlex.quote(str(stream.resolve()))}")
            yield target


def main(arguments: Sequence[str]) -> int:
    """The command line; see the module's text."""
    try:
        stream, rest = Path(arguments[0]), list(arguments[1:])
        if rest[0] == "--":
            argv = rest[1:]
        else:
            release, name = rest
            argv = declared()[name].destination(release)
    except (IndexError, ValueError, KeyError):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with loaded(stream, argv) as target:
            print(f"accepted ({target.qmp('query-status')['status']})")
    except QemuError as error:
        print(f"refused: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
