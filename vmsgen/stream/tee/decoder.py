"""The process that decodes what is copied: it may be slow, fail or be killed, and the copying goes on."""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import signal
import time
from collections.abc import Mapping
from typing import NoReturn, TextIO

from vmsgen.stream.devices import Classes
from vmsgen.stream.tee.feed import Feed
from vmsgen.stream.tee.log import Log, follow
from vmsgen.stream.transport.descriptors import widen_pipe
from vmsgen.stream.transport.source import ByteSource

__all__ = ["Decoder"]

_WHOLE, _CUT, _BEHIND, _LEFT = range(4)
_DECODED, _STOPPED, _NO_LOG, _FAILED = range(4)
_PATIENCE = 10.0  # seconds, for a decoder that has nothing more to expect
_AT_ONCE = 1.0
_NICER = 5


class Decoder:
    """Starts the process, which logs to ``file``. Make it before anything is opened that somebody waits to see closed,
    because the process has what is open by then.
    """

    def __init__(
        self,
        file: TextIO,
        classes: Classes | None,
        *,
        name: str,
        as_json: bool = False,
        props: Mapping[str, str] | None = None,
        machine: str | None = None,
    ) -> None:
        self._ended = mmap.mmap(-1, 1)  # how the copying ended; the process reads it when it sees the end
        reading, self._writing = os.pipe()
        widen_pipe(self._writing)
        self._feed: Feed | None = None
        self.pid = os.fork()
        if self.pid:
            os.close(reading)
            return
        os.close(self._writing)
        source = ByteSource(io.FileIO(reading), name=name)
        self._run(source, Log(file, as_json=as_json), classes, props, machine)

    def feed(self, limit: int, *, patient: bool = False) -> Feed:
        """What the copied pieces are given to, see there."""

        def fell_behind() -> None:
            self._ended[0] = _BEHIND

        self._feed = Feed(self._writing, limit, fell_behind, patient=patient)
        return self._feed

    def finish(self) -> str | None:
        """After everything was copied: waits for the process. None if it decoded all of it, else what happened, in a
        few words.
        """
        feed = self._feed
        if feed is None:
            self.abandon()
            return "nothing was decoded"
        try:
            feed.end()
        except BaseException:
            self._ended[0] = _LEFT
            raise
        status = self._status(_PATIENCE) if feed.behind else None
        if status is None and feed.behind:
            os.kill(self.pid, signal.SIGKILL)  # it stands still
        if status is None:
            _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            return f"the decoder was ended by {signal.Signals(-code).name}"
        return {
            _DECODED: None,
            _STOPPED: "they could not be decoded to the end: the log says where and why",
            _NO_LOG: "the log could not be written",
        }.get(code, "the decoder failed")

    def abandon(self) -> None:
        """After the copying failed, or was interrupted: the process logs what was copied, and ends by itself."""
        if self._ended[0] == _WHOLE:
            self._ended[0] = _CUT
        if self._feed is None:
            os.close(self._writing)
        else:
            self._feed.end(_AT_ONCE)
        self._status(_AT_ONCE)

    def _status(self, seconds: float) -> int | None:
        """How the process ended; None if it has not after some seconds."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return status
            time.sleep(0.02)
        return None

    # ------------------------------------------------------------------ in the process

    def _run(
        self,
        source: ByteSource,
        log: Log,
        classes: Classes | None,
        props: Mapping[str, str] | None,
        machine: str | None,
    ) -> NoReturn:
        code = _FAILED
        try:
            _step_back()
            code = _DECODED if follow(source, log, self._why, classes, props=props, machine=machine) else _STOPPED
        except BaseException as error:
            reason = f"internal error: {type(error).__name__}: {error}"
            if isinstance(error, OSError):  # of a temporary file, or of the log itself
                code, reason = _STOPPED, f"{error.filename}: {error.strerror}"
            try:
                log.say("stopped", source.offset, reason=reason)
            except OSError:
                code = _NO_LOG
        finally:
            os._exit(code)

    def _why(self) -> str | None:
        """Why the stream ended here, if it did not."""
        return {
            _CUT: "the copying ended here",
            _LEFT: "nobody waited for the decoder",
            _BEHIND: "the decoder was too far behind, and the copying went on without it",
        }.get(self._ended[0])


def _step_back() -> None:
    """Whatever is short on this machine, and whoever waits for an end of the stream: the decoder is not in the way."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
    os.close(null)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: there is an end of the stream to log
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        os.nice(_NICER)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")
