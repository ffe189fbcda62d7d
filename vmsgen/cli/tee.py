"""``vmsgen tee``: a stream passes through untouched, and is decoded and logged beside."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from typing import TextIO

import click

from vmsgen.cli.ends import input_end, let_go, outlive_the_writer, output_end
from vmsgen.cli.stream_options import known_classes, stream_options

_MIB = 1 << 20


@click.command("tee")
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option("--log", "place", metavar="FILE", default="-", help="Where to log, instead of stderr.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Lines of the log.")
@click.option(
    "--behind",
    type=click.IntRange(min=1),
    default=256,
    metavar="MIB",
    show_default=True,
    help="How much of the stream may wait for the decoder, in MiB of memory.",
)
@click.option("--blobs", is_flag=True, help="Do not look into device sections.")
@click.option("--remote", is_flag=True, help="Allow tcp: addresses that other machines reach.")
@stream_options
def command(
    source: str,
    target: str,
    place: str,
    form: str,
    behind: int,
    blobs: bool,
    remote: bool,
    props: dict[str, str],
    machine: str | None,
    library: str | None,
) -> int:
    """Copy the migration stream IN to OUT as it is, and log what is in it; - is stdin or stdout.

    Either may be unix:PATH or tcp:HOST:PORT, as in QEMU: IN listens for one sender, OUT connects to one receiver. If
    both are, what the receiver answers (the return path) goes back to the sender.

    A process of its own decodes. Whether it is slow, fails or dies, the stream is passed on. The exit code is 1 if
    everything was copied, but could not be decoded to its end.
    """
    outlive_the_writer(source, target)
    from vmsgen.stream.tee.answers import Answers
    from vmsgen.stream.tee.copying import copy
    from vmsgen.stream.tee.decoder import Decoder
    from vmsgen.stream.transport.sockets import parse_address

    sockets = parse_address(source) is not None and parse_address(target) is not None
    classes = None if blobs else known_classes(library)
    with _log(place) as file:
        decoder = Decoder(file, classes, name=source, as_json=form == "json", props=props, machine=machine)
        try:
            with (
                Answers() as answers,
                # the other side of the output first: where there is none, nobody has begun to send yet
                output_end(target, 0, remote=remote, answers=sockets) as sink,
                input_end(source, 0, remote=remote) as stream,
            ):
                if sockets:
                    answers.start(sink, stream)
                size = copy(stream, sink, decoder.feed(behind * _MIB, patient=_can_wait(source)))
        except BaseException:
            decoder.abandon()
            raise
        let_go(source, target)  # other ends are closed by now
        try:
            trouble = decoder.finish()
        except BaseException as error:
            error.add_note(f"all {size} bytes were copied to {target}; nobody waited for the decoder")
            raise
    if trouble is not None:
        click.echo(f"vmsgen: all {size} bytes were copied to {target}; {trouble}", err=True)
        return 1
    return 0


@contextlib.contextmanager
def _log(place: str) -> Iterator[TextIO]:
    if place == "-":
        yield sys.stderr
    else:
        with open(place, "w", encoding="utf-8") as file:
            yield file


def _can_wait(source: str) -> bool:
    """Whether nothing is in flight: what stands in a file is not lost while the decoder catches up."""
    with contextlib.suppress(OSError):
        return stat.S_ISREG((os.fstat(0) if source == "-" else os.stat(source)).st_mode)
    return False
