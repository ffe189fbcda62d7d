"""The two ends of a stream: a file, a pipe, or a socket at which QEMU is on the other side."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from vmsgen.cli.stream_options import input_of

if TYPE_CHECKING:
    from vmsgen.stream.transport.sink import ByteSink
    from vmsgen.stream.transport.sockets import Address
    from vmsgen.stream.transport.source import ByteSource


@contextlib.contextmanager
def input_end(place: str, offset: int, *, remote: bool, snapshot: str | None = None) -> Iterator[ByteSource]:
    """The stream at ``place``: a path, ``-``, or an address to listen at. Raises AddressError, OSError."""
    address = _address(place)
    if address is None:
        with input_of(place, offset, snapshot) as source:
            yield source
        return
    from vmsgen.stream.transport.sockets import accepted
    from vmsgen.stream.transport.source import ByteSource

    with accepted(address, remote=remote) as raw, ByteSource(raw, name=place) as source:
        if offset:
            source.begin_at(offset)
        yield source


@contextlib.contextmanager
def output_end(
    place: str, begin_at: int, *, remote: bool, image: ByteSink | None = None, answers: bool = False
) -> Iterator[ByteSink]:
    """Where to write: a path, ``-``, an address to connect to (``answers``: somebody else reads what comes back), or
    the copy of an ``image``. What ends it early gets a note that says what became of it. Raises AddressError, OSError.
    """
    sink = None
    try:
        with _sink(place, begin_at, remote, answers) if image is None else image as sink:
            yield sink
    except BaseException as error:
        if sink is not None:
            error.add_note(sink.outcome())
        raise


@contextlib.contextmanager
def _sink(place: str, begin_at: int, remote: bool, answers: bool) -> Iterator[ByteSink]:
    from vmsgen.stream.transport.sink import open_sink

    address = _address(place)
    if address is not None:
        from vmsgen.stream.transport.sockets import connected

        with (
            connected(address, remote=remote, answers=answers) as raw,
            open_sink(raw, begin_at=begin_at, name=place) as sink,
        ):
            yield sink
    elif place == "-":
        with open_sink(sys.stdout.buffer, begin_at=begin_at, name="stdout") as sink:
            yield sink
    else:
        with open_sink(place, begin_at=begin_at) as sink:
            yield sink


def _address(place: str) -> Address | None:
    if not place.startswith(("unix:", "tcp:")):
        return None
    from vmsgen.stream.transport.sockets import parse_address  # (sockets take as long to import as all of transport)

    return parse_address(place)


def let_go(source: str, target: str) -> None:
    """Closes stdin and stdout where they were the ends: nobody there waits for what else this process does."""
    for descriptor in [0] * (source == "-") + [1] * (target == "-"):
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, descriptor)
        os.close(null)


def outlive_the_writer(source: str, target: str) -> None:
    """Goes on in a child process, for which this one waits, where ``source`` is a pipe from QEMU.

    QEMU kills the command of ``migrate exec:`` as soon as it has closed the pipe (SIGTERM, and SIGKILL 10 ms later; see
    io/channel-command.c, QEMU 7.2), when what is in the pipe was not even read. It kills only the process it started:
    the child finishes the file.
    """
    if source != "-" or target == "-" or not _is_pipe(0):
        return
    child = os.fork()
    if child == 0:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: the child has it too, and ends
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        with contextlib.suppress(OSError):
            click.echo(f"vmsgen: ended by {signal.Signals(-code).name}; {target} is not complete", err=True)
    os._exit(code if code >= 0 else 128 - code)


def _is_pipe(descriptor: int) -> bool:
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
