"""``vmsgen docs``: the reference pages of a project's specs."""

from __future__ import annotations

from pathlib import Path

import click

from vmsgen.building.build import compile_project
from vmsgen.building.publish import PublishError, stage, with_manifest
from vmsgen.building.staging import StagingError, transaction
from vmsgen.cli.build import report
from vmsgen.emit.asn1 import SchemaError
from vmsgen.emit.docs import INDEX, emit_docs
from vmsgen.emit.templates import TemplateError, Templates
from vmsgen.settings import SettingsError, project


@click.command("docs")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR", help="Where to write."
)
@click.option("--specs", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the specs [device-specs].")
def command(out: Path, specs: Path | None) -> int:
    """Write static pages: a wire table, versions and ASN.1 for each spec, and the stream's containers.

    They need no server and no network. Tags that `vmsgen build` has not recorded yet are shown as it would give them.
    """
    try:
        place = project(Path.cwd(), specs=specs)
        compiled = compile_project(place)
        report(compiled.diagnostics, "text")
        if compiled.model is None:
            return 1
        templates = Templates(place.templates)
        digests = {module.source_path: module.digest for module in compiled.model.modules if not module.external}
        texts = with_manifest(emit_docs(compiled.model, templates), specs=digests, templates=templates.digest())
        with transaction() as change:
            stage(out, texts, change)
            change.commit()
    except (SettingsError, PublishError, StagingError, TemplateError, SchemaError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{len(texts) - 1} files; open {out / INDEX}", err=True)
    return 0
