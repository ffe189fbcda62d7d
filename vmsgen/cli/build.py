"""``vmsgen build``: classes, codecs and ASN.1 from the specs; or whether they are up to date."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from vmsgen.building.inputs import Inputs, read_inputs, unchanged
from vmsgen.building.publish import PublishError
from vmsgen.building.staging import StagingError
from vmsgen.diagnostics import Diagnostic, Severity
from vmsgen.diagnostics.formats import FORMATS
from vmsgen.settings import LOCK, Project, SettingsError, project, shown

if TYPE_CHECKING:  # what compiles is imported when there is something to compile
    from vmsgen.building.build import Outcome

#: What was done about each kind of difference.
_DONE = {"missing": "new", "changed": "changed", "stale": "removed"}
#: Of more differences than this only the number is said.
_LISTED = 20


@click.command("build")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if anything is missing, changed or stale.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change as a unified diff.")
@click.option("--full", is_flag=True, help="Make everything, also if nothing has changed since the last build.")
@click.option("--watch", is_flag=True, help="Build, and again after each change, until Ctrl-C.")
@click.option("--specs", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the specs [device-specs].")
@click.option("--output", type=click.Path(path_type=Path), metavar="DIR", help="Where to write [generated].")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text", help="How findings are printed.")
def command(
    check: bool, diff: bool, full: bool, watch: bool, specs: Path | None, output: Path | None, form: str
) -> int:
    """Make the package of classes and codecs, the ASN.1 schema and the model as JSON from the specs.

    Files that are right already are not touched; files of specs that are gone are removed. Numbers for new states and
    fields are recorded in tags.lock beside the specs: check it in.
    """
    if watch and (check or diff or full):
        raise click.UsageError("--watch goes with none of --check, --diff and --full")
    place = _project(specs, output)
    if watch:
        return _watch(place, specs, output, form)
    inputs = read_inputs(place)
    if not full and (files := _unchanged(place, inputs)) is not None:
        report((), form)
        (_up_to_date if check or diff else _as_they_were)(place, files)
        return 0
    outcome = _build(place, inputs, check, diff, full)
    report(outcome.diagnostics, form)
    if outcome.failed:
        return 1
    if diff:
        click.echo(outcome.diff, nl=False)
    say = _checked if check or diff else _written
    say(place, outcome)
    return 1 if check and not outcome.up_to_date else 0


def _project(specs: Path | None, output: Path | None) -> Project:
    try:
        return project(Path.cwd(), specs=specs, output=output)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _watch(place: Project, specs: Path | None, output: Path | None, form: str) -> int:
    """Builds until it is interrupted; whatever is wrong is said, and waits for the next change."""
    from vmsgen.building.watch import changes

    try:
        for number, _ in enumerate(changes(place)):
            try:
                place = _project(specs, output)  # (the folder of the specs may be gone)
                # (the first build is made in any case: with what it keeps the later ones are quick)
                inputs = read_inputs(place)
                if number and _unchanged(place, inputs) is not None:
                    continue
                outcome = _build(place, inputs)
            except (click.ClickException, OSError) as error:
                click.echo(f"Error: {error}", err=True)
                continue
            report(outcome.diagnostics, form)
            if not outcome.failed:
                _written(place, outcome)
            if not number:
                click.echo(f"watching {shown(place)} (Ctrl-C ends)", err=True)
    except KeyboardInterrupt:
        click.echo(err=True)
    return 0


def _unchanged(place: Project, inputs: Inputs) -> int | None:
    try:
        return unchanged(place, inputs)
    except PublishError as error:
        raise click.ClickException(str(error)) from error


def _build(place: Project, inputs: Inputs, check: bool = False, diff: bool = False, full: bool = False) -> Outcome:
    from vmsgen.building.build import build
    from vmsgen.emit.asn1 import SchemaError
    from vmsgen.emit.templates import TemplateError

    try:
        return build(place, check=check, diff=diff, full=full, inputs=inputs)
    except (PublishError, StagingError, TemplateError, SchemaError) as error:
        raise click.ClickException(str(error)) from error


def report(found: tuple[Diagnostic, ...], form: str) -> None:
    """Prints errors and warnings: text on stderr, the formats of machines alone on stdout. Notes are for the lint."""
    diagnostics = [one for one in found if one.severity is not Severity.NOTE]
    if form != "text":
        click.echo(FORMATS[form](diagnostics), nl=False)
    elif diagnostics:
        from vmsgen.diagnostics.text import render_all

        click.echo(render_all(diagnostics, color=use_color(sys.stderr)), err=True, nl=False)


def use_color(stream: TextIO) -> bool:
    """Whether text on ``stream`` is coloured: NO_COLOR, then FORCE_COLOR, then whether it is a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _written(place: Project, outcome: Outcome) -> None:
    kinds = Counter(_DONE[difference.kind] for difference in outcome.differences)
    words = [f"{kinds[word]} {word}" for word in _DONE.values() if kinds[word]]
    if words:
        click.echo(f"{_shown(place.output, place)}: {outcome.files} files, {', '.join(words)}", err=True)
    else:
        _as_they_were(place, outcome.files)
    if outcome.lock_changed:
        click.echo(f"{shown(place)}/{LOCK}: new tags recorded; check it in with the specs", err=True)


def _checked(place: Project, outcome: Outcome) -> None:
    if outcome.up_to_date:
        _up_to_date(place, outcome.files)
        return
    for difference in outcome.differences[:_LISTED]:
        click.echo(f"{difference.kind}: {_shown(place.output, place)}/{difference.path}", err=True)
    if len(outcome.differences) > _LISTED:
        click.echo(f"... and {len(outcome.differences) - _LISTED} more", err=True)
    if outcome.lock_changed:
        click.echo(f"changed: {shown(place)}/{LOCK}: lacks tags of new states or fields", err=True)
    click.echo("run `vmsgen build` and check in what it writes", err=True)


def _as_they_were(place: Project, files: int) -> None:
    click.echo(f"{_shown(place.output, place)}: {files} files, all as they were", err=True)


def _up_to_date(place: Project, files: int) -> None:
    click.echo(f"{_shown(place.output, place)}: {files} files, all up to date", err=True)


def _shown(folder: Path, place: Project) -> str:
    return folder.relative_to(place.root).as_posix() if folder.is_relative_to(place.root) else str(folder)
