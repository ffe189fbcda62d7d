"""``vmsgen diff``: what two streams say differently."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from vmsgen.cli.progress import progress
from vmsgen.cli.stream_options import (
    channel_option,
    channel_sources,
    input_of,
    known_classes,
    offset_option,
    other_options,
    say,
    snapshot_option,
    stream_options,
)

if TYPE_CHECKING:
    from vmsgen.stream.diff.memory import BlockDifference
    from vmsgen.stream.diff.streams import Difference, StreamDiff

_LONG = 16  # bytes that are printed whole


@click.command("diff")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How it is printed.")
@click.option(
    "--most",
    type=click.IntRange(min=0),
    default=20,
    metavar="N",
    show_default=True,
    help="Fields that are listed for each section in text; 0 is all.",
)
@channel_option
@snapshot_option
@offset_option
@other_options
@stream_options
def command(
    first: str,
    second: str,
    form: str,
    most: int,
    channels: tuple[str, ...],
    snapshot: str | None,
    offset: int,
    other_channels: tuple[str, ...],
    other_snapshot: str | None,
    other_offset: int,
    props: dict[str, str],
    machine: str | None,
    library: str | None,
) -> int:
    """Show what the migration streams A and B say differently, each in QEMU's binary format or in BER; - is stdin.

    Machine, device sections field by field, other sections, and guest memory as it is at the end are compared; the
    format of a stream and the rounds in which memory was sent are not. Exit code 1: something differs.

    --channel, --snapshot and --offset are about A, --other-channel, --other-snapshot and --other-offset about B.
    """
    if first == second == "-":
        raise click.UsageError("only one of the streams can come from stdin")
    from vmsgen.stream.diff.streams import diff
    from vmsgen.stream.reading import StreamReader

    names = click.format_filename(first), click.format_filename(second)
    classes = known_classes(library)
    with (
        input_of(first, offset, snapshot) as one,
        input_of(second, other_offset, other_snapshot) as other,
        channel_sources(channels) as lanes,
        channel_sources(other_channels) as other_lanes,
    ):
        readers = [StreamReader(source, classes, props=props, machine=machine) for source in (one, other)]
        with progress(one, other):
            found = diff(*readers, channels=(lanes, other_lanes))
    if form == "json":
        click.echo(json.dumps(_values(found), indent=2))
    else:
        for line in _lines(found, names, most):
            click.echo(line)
    failed = False
    for name, warnings, error in zip(names, found.warnings, found.errors, strict=True):
        say(f"{name}: {warning}" for warning in warnings)
        if error is not None:
            failed = True
            click.echo(f"vmsgen: {name}: {error}", err=True)
    return 2 if failed else int(found.found)


def _lines(found: StreamDiff, names: tuple[str, str], most: int) -> Iterator[str]:
    for difference in found.properties:
        yield f"{_plain(difference.path)}: {_change(difference, names)}"
    for name, labels in zip(names, (found.only_first, found.only_second), strict=True):
        yield from (f"only in {name}: section {_plain(label)}" for label in labels)
    for label, differences in found.sections.items():
        listed = differences[: most or None]
        for difference in listed:
            path = f", {_plain(difference.path)}" if difference.path else ""
            yield f"section {_plain(label)}{path}: {_change(difference, names)}"
        if len(listed) < len(differences):
            yield f"section {_plain(label)}: ... and {len(differences) - len(listed)} more"
    for block in found.memory:
        yield f"ram {_plain(block.block)}: {'; '.join(_memory(block, names))}"


def _change(difference: Difference, names: tuple[str, str]) -> str:
    first, second = difference.first, difference.second
    if first is None or second is None:
        value, name = (first, names[0]) if second is None else (second, names[1])
        return f"only in {name}" + ("" if value is True else f": {_text(value)}")
    if isinstance(first, bytes) and isinstance(second, bytes):
        return _bytes_change(first, second)
    return f"{_text(first)} -> {_text(second)}"


def _bytes_change(first: bytes, second: bytes) -> str:
    if max(len(first), len(second)) <= _LONG:
        return f"{first.hex()} -> {second.hex()}"
    places = [at for at, (mine, theirs) in enumerate(zip(first, second, strict=False)) if mine != theirs]
    parts = [f"{len(first)} -> {len(second)} bytes"] if len(first) != len(second) else []
    if places:
        at = places[0]
        of = f" of {len(first)}" if not parts else ""
        parts.append(f"{len(places)}{of} bytes differ, the first at {at:#x}: {first[at]:02x} -> {second[at]:02x}")
    return "; ".join(parts)


def _memory(block: BlockDifference, names: tuple[str, str]) -> Iterator[str]:
    for what, (mine, theirs) in (("length", block.lengths), ("page size", block.page_sizes)):
        if mine is None or theirs is None:
            yield f"only in {names[0] if theirs is None else names[1]}"
            return
        if mine != theirs:
            yield f"{what} {mine} -> {theirs}"
    if block.differ:
        yield f"{_pages(block.differ)} of other contents, the first at {block.first:#x}"
    for name, count in zip(names, (block.only_first, block.only_second), strict=True):
        if count:
            yield f"{_pages(count)} sent only in {name}"


def _pages(count: int) -> str:
    return f"{count} page{'' if count == 1 else 's'}"


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex() if len(value) <= _LONG else f"{len(value)} bytes"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and not -10 < value < 10:
        return f"{value} ({value:#x})"
    return _plain(value) if isinstance(value, str) else str(value)


def _plain(text: str) -> str:
    """Text of a stream without what a terminal would obey."""
    return text if text.isprintable() else ascii(text)[1:-1]


def _values(found: StreamDiff) -> dict[str, Any]:
    return {
        "differ": found.found,
        "properties": _listed(found.properties),
        "only_first": found.only_first,
        "only_second": found.only_second,
        "sections": [
            {"section": label, "differences": _listed(differences)} for label, differences in found.sections.items()
        ],
        "memory": [
            {
                "block": block.block,
                "lengths": block.lengths,
                "page_sizes": block.page_sizes,
                "differ": block.differ,
                "first": block.first,
                "only_first": block.only_first,
                "only_second": block.only_second,
            }
            for block in found.memory
        ],
        "errors": [None if error is None else str(error) for error in found.errors],
    }


def _listed(differences: Iterable[Difference]) -> list[dict[str, Any]]:
    return [{"name": each.path, "first": _json(each.first), "second": _json(each.second)} for each in differences]


def _json(value: Any) -> Any:
    """A value as JSON has it: bytes as hex, what is no finite number as text."""
    if isinstance(value, bytes):
        return value.hex()
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value
