"""``vmsgen lint``: advice about specs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from vmsgen.cli.build import use_color
from vmsgen.diagnostics.formats import FORMATS
from vmsgen.diagnostics.text import printable, render_all
from vmsgen.emit.asn1 import SchemaError
from vmsgen.lint.run import Findings, lint
from vmsgen.lint.selection import SelectionError, selection
from vmsgen.settings import Project, SettingsError, project


@click.command("lint")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[SPECS]...")
@click.option("--select", multiple=True, metavar="RULES", help="Only these: rules, families, or ALL.")
@click.option("--extend-select", multiple=True, metavar="RULES", help="These as well as the usual ones.")
@click.option("--ignore", multiple=True, metavar="RULES", help="Not these.")
@click.option("--specs", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the specs [device-specs].")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text", help="How findings are printed.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 also if something is found.")
def command(
    paths: tuple[Path, ...],
    select: tuple[str, ...],
    extend_select: tuple[str, ...],
    ignore: tuple[str, ...],
    specs: Path | None,
    form: str,
    exit_zero: bool,
) -> int:
    """Look for what is right and still doubtful in specs: names that nothing uses, counts without a bound, bytes that
    nothing explains, questions that are open.

    SPECS are files or folders of the project's specs, or another folder of specs; without them it is all of the
    project's. RULES have commas between; `vmsgen rule` lists them. A finding is ignored by `# vmsgen: ignore[RULE]
    reason` behind its line or above it.
    """
    try:
        wanted = selection(select, extend_select, ignore)
        place, only = _places(paths, specs)
        found = lint(place, wanted, only=only)
    except (SettingsError, SelectionError, SchemaError) as error:
        raise click.ClickException(str(error)) from error
    if form != "text":
        click.echo(FORMATS[form](found.diagnostics), nl=False)
    else:
        click.echo(render_all(found.diagnostics, color=use_color(sys.stdout)), nl=False)
        click.echo(_counts(found), err=True, nl=False)
    return 1 if found.failed and not exit_zero else 0


def _places(paths: tuple[Path, ...], specs: Path | None) -> tuple[Project, list[Path]]:
    """The project, and what findings are wanted of. One folder that is none of the project's specs is the specs."""
    full = [path.resolve() for path in paths]
    if specs is None and len(full) == 1 and full[0].is_dir():
        try:
            place = project(Path.cwd())
        except SettingsError:
            return project(Path.cwd(), specs=paths[0]), []
        if not full[0].is_relative_to(place.specs):
            return project(Path.cwd(), specs=paths[0]), []
        return place, full
    place = project(Path.cwd(), specs=specs)
    for path, shown in zip(full, paths, strict=True):
        if not path.is_relative_to(place.specs):
            raise SettingsError(f"{shown} is none of the specs in {place.specs}; --specs names another folder")
    return place, full


def _counts(found: Findings) -> str:
    """What was looked at, and the open questions by file and in all."""
    lines = [f"{found.files} file{'' if found.files == 1 else 's'}, {len(found.diagnostics) or 'no'} finding"]
    lines[0] += "" if len(found.diagnostics) == 1 else "s"
    if found.unknowns:
        lines += [f"{number:6} unknown in {printable(path)}" for path, number in sorted(found.unknowns.items())]
        lines.append(f"{sum(found.unknowns.values()):6} unknown in all")
    return "".join(f"{line}\n" for line in lines)
