"""``vmsgen fmt``: specs in the house style."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from vmsgen.cli.build import report
from vmsgen.diagnostics import Diagnostic, Severity, SourceFile, Span
from vmsgen.fmt.text import Formatted, format_text
from vmsgen.settings import SettingsError, project
from vmsgen.spec.nodes import MAX_CHARACTERS
from vmsgen.stream.transport.part import named


@click.command("fmt")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[PATHS]...")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file is not in the style.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change as a unified diff.")
def command(paths: tuple[Path, ...], check: bool, diff: bool) -> int:
    """Bring specs into the house style: indentation, blanks in field lines and expressions, the order of clauses.

    PATHS are files, and folders with everything in them that ends with `.yaml`; without them it is all specs of the
    project. What a spec says, its order and its comments stay. A file with errors is left as it is.
    """
    changed: list[str] = []
    wrong: list[Diagnostic] = []
    names = list(dict.fromkeys(_files(paths)))
    for path in names:
        shown = os.path.relpath(path)
        old, made = _formatted(path, shown)
        wrong += made.diagnostics
        if made.text is None or made.text == old:
            continue
        changed.append(shown)
        if diff:
            click.echo(_diff(shown, old, made.text), nl=False)
        if not check and not diff:
            _replace(path, made.text)
    report(tuple(wrong), "text")
    for name in changed if check else ():
        click.echo(f"not in the style: {name}", err=True)
    failed = len({one.span.file.path for one in wrong})
    click.echo(_summary(len(names), len(changed), failed, written=not check and not diff), err=True)
    return 1 if wrong or (check and changed) else 0


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """The files to look at, folders searched as the compiler does it."""
    try:
        roots = paths or (project(Path.cwd()).specs,)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    for root in roots:
        if not root.is_dir():
            yield root.resolve()
            continue
        for path in sorted(root.resolve().rglob("*.yaml")):
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root.resolve()).parts):
                yield path.resolve()


def _formatted(path: Path, shown: str) -> tuple[str, Formatted]:
    """What stands in a file, and what should."""
    with path.open("rb") as file:
        data = file.read(4 * MAX_CHARACTERS + 1)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        place = Span(SourceFile(shown, ""), 1, 1, 1, 1)
        message = f"the file is not UTF-8: byte {error.start}"
        return "", Formatted(None, (Diagnostic("spec/unreadable", Severity.ERROR, message, place),))
    return text, format_text(shown, text)


def _replace(path: Path, text: str) -> None:
    """The new text takes the place of the old one in one step, or the old one stays."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with named(str(path)), os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
        shutil.copymode(path, name)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _diff(shown: str, old: str, new: str) -> str:
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{shown}", f"b/{shown}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _summary(files: int, changed: int, failed: int, *, written: bool) -> str:
    counts = [(changed, "written anew" if written else "not in the style"), (failed, "with errors")]
    words = [f"{number} {what}" for number, what in counts if number]
    return f"{files} file{'' if files == 1 else 's'}, {', '.join(words) or 'all as they should be'}"
