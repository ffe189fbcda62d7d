"""``vmsgen verify``: a stream against the generated schema and its own round trip."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING

import click

from vmsgen.cli.progress import progress
from vmsgen.cli.stream_options import (
    channel_option,
    known_classes,
    known_schemas,
    offset_option,
    say,
    snapshot_option,
    stream_options,
)

if TYPE_CHECKING:
    from vmsgen.stream.ber.schema import Schema
    from vmsgen.stream.verify.stream import Report


@click.command("verify")
@click.argument("stream", metavar="STREAM")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How findings are printed.")
@click.option("--no-schema", is_flag=True, help="Check the round trip only, without asn1tools.")
@channel_option
@snapshot_option
@offset_option
@stream_options
def command(
    stream: str,
    form: str,
    no_schema: bool,
    channels: tuple[str, ...],
    snapshot: str | None,
    offset: int,
    props: dict[str, str],
    machine: str | None,
    library: str | None,
) -> int:
    """Check the migration stream STREAM, in QEMU's binary format or in BER; - is stdin.

    Every item and every page must fit the generated ASN.1 schema as asn1tools reads it, every device section must fit
    its spec, and the stream must come back from BER byte for byte. Exit code 1: something does not.
    """
    from vmsgen.stream.input_file import InputFile
    from vmsgen.stream.verify.channel import is_channel, verify_channel
    from vmsgen.stream.verify.stream import verify

    classes = known_classes(library)
    schema = None if no_schema else _schema(library)
    file = InputFile(sys.stdin.buffer if stream == "-" else stream, offset=offset, snapshot=snapshot)
    try:
        with progress(file):
            if is_channel(file):
                reports = [verify_channel(file, schema)]
            else:
                reports = [verify(file, schema, classes, props=props, machine=machine)]
    finally:
        file.close()
    for channel in channels:
        file = InputFile(channel)
        try:
            reports.append(verify_channel(file, schema))
        finally:
            file.close()
    for report in reports:
        say([warning for warning in report.warnings if not report.findings])
        if form == "json":
            click.echo(json.dumps(dataclasses.asdict(report), indent=2))
        else:
            _print(report, schema is not None)
    return 1 if any(report.findings for report in reports) else 0


def _schema(library: str | None) -> Schema | None:
    from vmsgen.stream.ber.schema import Schema, cache_folder

    folders = known_schemas(library)
    return Schema(*folders, cache=cache_folder()) if folders else None


def _print(report: Report, with_schema: bool) -> None:
    for finding in report.findings:
        click.echo(str(finding))
    if report.findings:
        return
    checked = f"{report.judged} items, records and pages fit the schema; " if with_schema else ""
    opaque = f" and {report.opaque} as bytes" if report.opaque else ""
    back = "the same bytes come back from BER" if report.format == "binary" else "states survive the binary format"
    click.echo(
        f"{report.bytes} bytes of {report.format}: {checked}{report.typed} device sections typed{opaque}; {back}"
    )
