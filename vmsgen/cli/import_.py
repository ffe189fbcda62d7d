"""``vmsgen import``: specs out of what QEMU says of itself, in streams and in ``-dump-vmstate``."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vmsgen.qemu.importer import Gathered
    from vmsgen.qemu.into_folder import FolderImport
    from vmsgen.qemu.news import News

_LABEL = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,30}\Z")
#: Of more lines of one kind than this only the number is said.
_LISTED = 20


class _Labels(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.2 on
    name = "label"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path | None]:
        label, _, path = str(value).partition("=")
        if not _LABEL.match(label):
            self.fail(f"{label[:40]!r} is no label, such as 7.2 or 10.0.2", param, ctx)
        return label, Path(path) if path else None


@click.command("import")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR", help="Folder of the specs."
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    type=_Labels(),
    metavar="RELEASE[=PATH]",
    help="QEMU release that the sources, or those at or below PATH, are of. May be repeated.",
)
@click.option("--all", "everything", is_flag=True, help="Also states that vmsgen's own specs describe.")
@click.option(
    "--places",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="YAML: VMState name, and the path of its spec in DIR.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing; only say what would be.")
def command(
    sources: tuple[Path, ...],
    out: Path,
    labels: tuple[tuple[str, Path | None], ...],
    everything: bool,
    places: Path | None,
    dry_run: bool,
) -> int:
    """Draft specs from the descriptions behind migration streams, and from the output of -dump-vmstate.

    SOURCE is a stream, a dump, or a folder of them. All that they tell of a VMState becomes one spec. Files that are in
    DIR already are never changed: the report says what the sources have that they have not.

    \b
    vmsgen import guest.mig --out device-specs
    vmsgen import 7.2/ 10.0/ --label 7.2=7.2/ --label 10.0=10.0/ --out device-specs
    """
    from vmsgen.building.publish import PublishError
    from vmsgen.building.staging import StagingError
    from vmsgen.qemu.importer import gather
    from vmsgen.qemu.into_folder import SpecsError, plan_import, publish

    say = _Progress()
    files = [(_label(path, labels), path) for path in _files(sources)]
    gathered = gather(files, lambda path: say(f"reading {path}"))
    try:
        found = plan_import(gathered, out, everything=everything, places=_places(places), progress=say)
        say("")
        if not dry_run:
            publish(found, out)
    except SpecsError as error:
        from vmsgen.cli.build import report

        say("")
        report(error.diagnostics, "text")
        return 1
    except (PublishError, StagingError) as error:
        raise click.ClickException(str(error)) from error
    for line in _report(gathered, found, out, dry_run):
        click.echo(line)
    if not gathered.sources:
        raise click.ClickException("none of the sources could be read")
    return 1 if gathered.failed or found.left_out else 0


class _Progress:
    """One line that changes, on a terminal; nothing elsewhere."""

    def __init__(self) -> None:
        self._width = 0

    def __call__(self, words: str) -> None:
        if sys.stderr.isatty():
            shown = words[-78:]
            click.echo(f"\r{shown:<{self._width}}" + ("\r" if not words else ""), err=True, nl=False)
            self._width = len(shown)


def _files(sources: Sequence[Path]) -> Iterator[Path]:
    """The files that are meant; in folders those that begin like a source."""
    for source in sources:
        if not source.is_dir():
            yield source
            continue
        for path in sorted(source.rglob("*")):
            if path.is_file() and _is_source(path):
                yield path


def _is_source(path: Path) -> bool:
    from vmsgen.qemu.sources import may_be_source

    with path.open("rb") as file:
        return may_be_source(file.read(64))


def _label(path: Path, labels: Sequence[tuple[str, Path | None]]) -> str:
    """The label of the longest path that ``path`` is at or below; else the one without a path."""
    best, depth = "", -1
    for label, place in labels:
        length = 0 if place is None else len(place.resolve().parts)
        if length > depth and (place is None or path.resolve().is_relative_to(place.resolve())):
            best, depth = label, length
    return best


def _places(path: Path | None) -> dict[str, str]:
    """The table of ``--places``."""
    if path is None:
        return {}
    import yaml

    try:
        table = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise click.ClickException(f"{path}: {error}") from error
    if not isinstance(table, dict) or not all(isinstance(part, str) for pair in table.items() for part in pair):
        raise click.ClickException(f"{path}: expected lines such as `pl011: char/pl011`")
    return {str(name): str(place).removesuffix(".yaml") for name, place in table.items()}


def _report(gathered: Gathered, found: FolderImport, out: Path, dry_run: bool) -> Iterator[str]:
    streams = sum(each.kind == "stream" for each in gathered.sources)
    dumps = len(gathered.sources) - streams
    labels = sorted({each.label for each in gathered.sources if each.label}, key=_release)
    of = f" of QEMU {', '.join(labels)}" if labels else ""
    yield f"sources: {_many(streams, 'stream')}, {_many(dumps, 'dump')}{of}"
    yield from _listed("not read", [f"{path}: {reason}" for path, reason in gathered.failed])
    notes = Counter(note for each in gathered.sources for note in each.notes)
    yield from _listed(
        "note", [f"{note}{f' (in {number} sources)' if number > 1 else ''}" for note, number in sorted(notes.items())]
    )
    yield f"states: {found.states}, of {_many(found.bodies, 'description')}; {len(found.described)} have a spec already"
    yield from _listed("new to a spec", [_news(each) for each in found.news])
    yield from _listed("left out", [f"{path}: {reason}" for path, reason in found.left_out])
    questions = sum(found.open.values())
    worst = sorted(found.open.items(), key=lambda item: (-item[1], item[0]))
    yield f"open: {_many(questions, 'question')} in {_many(len(found.open), 'file')}"
    yield from _listed("unknown", [f"{path}: {count}" for path, count in worst])
    yield f"{out}: {_many(len(found.texts), 'new file')}{', not written' if dry_run else ''}"


def _news(news: News) -> str:
    parts = []
    if news.fields:
        parts.append(f"{'field' if len(news.fields) == 1 else 'fields'} {', '.join(news.fields[:8])}")
        parts[-1] += f" and {len(news.fields) - 8} more" if len(news.fields) > 8 else ""
    if news.subsections:
        parts.append(f"{'subsection' if len(news.subsections) == 1 else 'subsections'} {', '.join(news.subsections)}")
    return f"{news.module}.yaml: {news.name} has {'; '.join(parts)}"


def _listed(title: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines[:_LISTED]:
        yield f"  {title}: {line}"
    if len(lines) > _LISTED:
        yield f"  {title}: {len(lines) - _LISTED} more"


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _release(label: str) -> tuple[list[int], str]:
    parts = label.split(".")
    return ([int(part) for part in parts] if all(part.isdigit() for part in parts) else [], label)
