"""``vmsgen convert``: a stream from one format into another, also as a filter between two QEMUs."""

from __future__ import annotations

import sys

import click

from vmsgen.cli.ends import input_end, outlive_the_writer, output_end
from vmsgen.cli.progress import progress
from vmsgen.cli.stream_options import (
    PLACE,
    channel_option,
    channel_sources,
    chosen_format,
    known_classes,
    offset_option,
    say,
    snapshot_option,
    stream_options,
)


@click.command("convert")
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option(
    "--to",
    type=click.Choice(["binary", "ber", "json", "debug"], case_sensitive=False),
    help="Format of OUT; without it what the environment's QEMUMIGFORMAT says, else binary.",
)
@click.option("--blobs", is_flag=True, help="Leave device sections as bytes, without looking at their contents.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@offset_option
@click.option(
    "--output-offset", type=PLACE, default="0", metavar="N", help="Where the stream begins in OUT, after zeros."
)
@click.option(
    "--shape",
    type=click.Choice(["plain", "mapped-ram"]),
    help="Write every page once, as it is at the end: in one plain stream, or at its place in a mapped-ram file.",
)
@channel_option
@snapshot_option
@click.option(
    "--into",
    "template",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="OUT is a copy of FILE, a qcow2 image or a save image of libvirt, with the stream in it.",
)
@click.option("--remote", is_flag=True, help="Allow tcp: addresses that other machines reach.")
@stream_options
def command(
    source: str,
    target: str,
    to: str | None,
    blobs: bool,
    quiet: bool,
    offset: int,
    output_offset: int,
    shape: str | None,
    channels: tuple[str, ...],
    snapshot: str | None,
    template: str | None,
    remote: bool,
    props: dict[str, str],
    machine: str | None,
    library: str | None,
) -> None:
    """Convert the migration stream IN into another format; - is stdin or stdout.

    Either may be unix:PATH or tcp:HOST:PORT, as in QEMU: IN listens for one sender, OUT connects to one receiver.

    IN may also be an image that holds a stream: a save image of libvirt, or a qcow2 image with a snapshot of a running
    guest. --snapshot names the snapshot, with --into that of FILE.

    The format of IN is told by its first bytes. A file appears under its name only when all of it was written.
    A stream converted to BER and back is the same, byte for byte. So is a channel of multifd, by itself; with --channel
    the pages of all of them go to OUT.
    """
    form = chosen_format(to)
    outlive_the_writer(source, target)
    if template is not None and (output_offset or form != "binary"):
        raise click.UsageError("--into takes a binary stream, and says where it belongs")
    from vmsgen.stream.convert import convert

    classes = None if blobs else known_classes(library)
    image = None
    if template is not None:
        from vmsgen.stream.images.detect import image_sink

        image = image_sink(template, target, snapshot)
    with (
        # the other side of the output first: where there is none, nobody has begun to send yet
        output_end(target, output_offset, remote=remote, image=image) as sink,
        input_end(source, offset, remote=remote, snapshot=None if image else snapshot) as stream,
        channel_sources(channels) as others,
        progress(stream, quiet=quiet or (target == "-" and sys.stdout.isatty())),
    ):
        result = convert(
            *(stream, sink, form, classes),
            props=props,
            machine=machine,
            channels=others,
            shape=shape,
        )
    if quiet:
        return
    say(result.warnings)
    if sys.stderr.isatty():
        devices = f"{result.typed} device sections typed" + (f", {result.opaque} as bytes" if result.opaque else "")
        click.echo(
            f"{result.bytes_in} bytes of {result.source_format} -> {result.bytes_out} of {form}; {devices}", err=True
        )
