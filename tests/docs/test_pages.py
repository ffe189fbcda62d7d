"""README.md and docs/*.md: every block that a page marks is run in the page's folder, in order."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import MARKED, PAGES, ROOT, Block, blocks, differs, steps

_END = "---- end of a command ----"


def names(path: Path) -> str:
    return path.name


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Where `vmsgen` and `python` are this checkout's, as they are after `make` with .venv/bin in PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, words in (("python", ""), ("vmsgen", " -m vmsgen")):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)}{words} "$@"\n')
        script.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("VMSGEN_", "QEMUMIGFORMAT"))}
    path = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**kept, "PATH": path, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_what_a_page_shows_is_what_happens(page: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "examples").symlink_to(ROOT / "examples")
    here = folder
    for block in blocks(page):
        if block.kind == "file":
            path = here / block.argument
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")
        elif block.kind == "run":
            here = run(block, here, environment)


def run(block: Block, folder: Path, environment: dict[str, str]) -> Path:
    """Runs the commands of a block in one shell; fails at the first difference. Gives the folder that they end in."""
    wanted = steps(block)
    script = "".join(f"{step.command}\nprintf '%s %s %s\\n' '{_END}' \"$?\" \"$PWD\"\n" for step in wanted)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    pieces = re.split(rf"^{_END} (\d+) (.*)\n", done.stdout, flags=re.MULTILINE)
    assert len(pieces) == 3 * len(wanted) + 1, f"{block.where}: the shell ended early:\n{done.stdout}"
    last = re.fullmatch(r"(?:exit=(\d+))?", block.argument)
    assert last is not None, f"{block.where}: `{block.argument}` is no argument of `run`"
    for number, step in enumerate(wanted):
        text, code, where = pieces[3 * number : 3 * number + 3]
        expected = int(last[1] or 0) if number == len(wanted) - 1 else 0
        line = differs(step.printed, [line.rstrip() for line in text.splitlines()])
        assert line is None, f"{block.where}: `{step.command}` does not print: {line}\n----\n{text}"
        assert int(code) == expected, f"{block.where}: `{step.command}` ends with {code}:\n{text}"
    return Path(where)


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_every_block_says_how_it_is_tested(page: Path) -> None:
    for block in blocks(page):
        if block.language in MARKED:
            assert block.kind is not None, f"{block.where}: a comment such as <!-- run --> is missing"
        if block.kind == "not run":
            assert block.argument, f"{block.where}: why is it not run?"


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^(`{3,}).*?^\1\s*$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), f"{page.name}: {target} is not there"
        if anchor:
            assert anchor in anchors(other), f"{page.name}: {target} has no such heading"


def anchors(page: Path) -> set[str]:
    """The fragments that headings of a page have, by GitHub's rule."""
    headings = re.findall(r"^#{1,6} (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
