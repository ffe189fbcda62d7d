"""``vmsgen show``: what is in a stream: its sections, the values of one of them, what its bytes are."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING, Any

import click

from vmsgen.cli.progress import progress
from vmsgen.cli.stream_options import (
    LateClasses,
    channel_option,
    channel_sources,
    input_of,
    known_classes,
    offset_option,
    print_json,
    say,
    snapshot_option,
    stream_options,
)

if TYPE_CHECKING:
    from vmsgen.stream.channels.joined import HasItems
    from vmsgen.stream.channels.summary import ChannelSummary
    from vmsgen.stream.text.statistics import Statistics
    from vmsgen.stream.text.summary import Summary
    from vmsgen.stream.transport.source import ByteSource


@click.command("show")
@click.argument("stream", metavar="STREAM")
@click.option(
    "--section", "name", metavar="NAME", help="The values of the sections of this name (NAME or NAME/INSTANCE)."
)
@click.option("--stats", is_flag=True, help="What the bytes are: RAM, framing, typed and opaque device state.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How it is printed.")
@click.option("--memory", "place", metavar="BLOCK[@ADDR[+LEN]]", help="Guest memory as it is after the last record.")
@click.option("--raw", is_flag=True, help="With --memory: the bytes instead of a hex dump.")
@click.option("--extract", "folder", metavar="DIR", help="Write the memory of every RAM block to a sparse file in DIR.")
@click.option("--memory-map", is_flag=True, help="Pages of each RAM block: with data, zero, never sent, repeated.")
@channel_option
@snapshot_option
@offset_option
@stream_options
def command(
    stream: str,
    name: str | None,
    stats: bool,
    form: str,
    place: str | None,
    raw: bool,
    folder: str | None,
    memory_map: bool,
    channels: tuple[str, ...],
    snapshot: str | None,
    offset: int,
    props: dict[str, str],
    machine: str | None,
    library: str | None,
) -> int:
    """Show what is in the migration stream STREAM, in QEMU's binary format or in BER; - is stdin.

    Of a stream that is cut or cannot be read to its end, everything before that point is shown; the exit code is 2.
    """
    asked = [name is not None, stats, place is not None, folder is not None, memory_map]
    if sum(asked) > 1:
        raise click.UsageError("one of --section, --stats, --memory, --extract and --memory-map at a time")
    if raw and place is None:
        raise click.UsageError("--raw goes with --memory")
    if any(asked[2:]):
        _memory(stream, snapshot, channels, offset, place, raw, folder, form, props, machine, library)
        return 0
    from vmsgen.stream.channels.detect import channel_format
    from vmsgen.stream.images.detect import image_note
    from vmsgen.stream.text.summary import summarize

    classes = known_classes(library)
    with input_of(stream, offset, snapshot) as source:
        if channel_format(source) is not None:
            channel = _channel(source)
            _print_channels([channel], form)
            if channel.error is not None:
                raise channel.error
            return 0
        if name is not None:
            from vmsgen.stream.text.values import show_sections

            found = show_sections(
                source, name, sys.stdout.buffer, classes, as_json=form == "json", props=props, machine=machine
            )
            if not found:
                raise click.ClickException(f"no section of {stream} is called {name}")
            return 0
        with progress(source):
            summary = summarize(source, classes, props=props, machine=machine)
    with channel_sources(channels) as others:
        listed = [_channel(other) for other in others]
    if form == "json":
        print_json(summary.statistics.values() if stats else _values(summary, listed))
    else:
        note = image_note(stream, snapshot) if stream != "-" and not stats else None
        if note is not None:
            click.echo(note)
        _print_stats(summary.statistics) if stats else _print_table(summary)
        _print_channels(listed, form)
    say(summary.warnings)
    for error in (summary.error, *(channel.error for channel in listed)):
        if error is not None:
            raise error
    return 0


def _channel(source: ByteSource) -> ChannelSummary:
    from vmsgen.stream.channels.files import open_channel
    from vmsgen.stream.channels.summary import summarize_channel

    return summarize_channel(open_channel(source), source)


def _values(summary: Summary, channels: list[ChannelSummary]) -> dict[str, Any]:
    return summary.values() | ({"channels": [channel.values() for channel in channels]} if channels else {})


def _print_channels(channels: list[ChannelSummary], form: str) -> None:
    for channel in channels:
        print_json(channel.values()) if form == "json" else click.echo(str(channel))


def _memory(
    stream: str,
    snapshot: str | None,
    channels: tuple[str, ...],
    offset: int,
    place: str | None,
    raw: bool,
    folder: str | None,
    form: str,
    props: dict[str, str],
    machine: str | None,
    library: str | None,
) -> None:
    from vmsgen.cli import show_memory
    from vmsgen.stream.reading import StreamReader

    few = place is None and folder is None  # of its bytes are looked at
    with input_of(stream, offset, snapshot, mapped=few) as source, channel_sources(channels) as others:
        classes = LateClasses() if library is None else known_classes(library)
        reader: HasItems = StreamReader(source, classes, props=props, machine=machine)
        if others:
            from vmsgen.stream.channels.joined import joined

            reader = joined(reader, others)
        if place is not None:
            show_memory.print_memory(reader, source, place, raw)
        elif folder is not None:
            show_memory.print_extracted(reader, source, folder)
        else:
            show_memory.print_memory_map(reader, source, form)


def _print_table(summary: Summary) -> None:
    values = summary.values()
    click.echo(f"{summary.format} stream of machine {values['machine'] or 'unknown'}")
    rows = [
        (
            row.kind,
            str(row.id),
            row.name,
            str(row.instance),
            str(row.version),
            str(row.size),
            _contents(row.contents, row.opaque, row.size),
        )
        for row in summary.rows
    ]
    head = ("kind", "id", "section", "instance", "version", "bytes", "contents")
    widths = [max(len(line[column]) for line in [head, *rows]) for column in range(len(head))]
    for line in [head, *rows]:
        cells = [
            cell.rjust(width) if column in (1, 3, 4, 5) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())
    if summary.commands:
        click.echo(f"commands: {_commands(summary.commands)}")
    if summary.vmdesc is not None:
        click.echo(f"vmdesc of {summary.vmdesc} bytes")
    if summary.error is None:
        _print_stats(summary.statistics, short=True)


def _commands(codes: list[int]) -> str:
    """Names in order; the same one several times in a row is listed once, with the number."""
    from vmsgen.stream.commands import command_name

    rows = [(command_name(code), len(list(same))) for code, same in itertools.groupby(codes)]
    return ", ".join(name if times == 1 else f"{name} ({times} times)" for name, times in rows)


def _contents(contents: str, opaque: int, size: int) -> str:
    return f"typed, {opaque} of {size} bytes opaque" if contents == "typed" and opaque else contents


def _print_stats(statistics: Statistics, *, short: bool = False) -> None:
    values = statistics.values()
    if short:
        parts = ", ".join(f"{values[part]} {part}" for part in ("ram", "framing", "typed", "opaque"))
        click.echo(f"{statistics.bytes} bytes: {parts}")
        return
    width = len(str(statistics.bytes))
    for part in ("bytes", "ram", "framing", "typed", "opaque"):
        click.echo(f"{part:8} {values[part]:{width}}")
    for leaf in statistics.largest:
        click.echo(f"opaque   {leaf.size:{width}} {leaf.section} {leaf.path}".rstrip())
