"""Code blocks of the project's pages, and the HTML comment above each that says how it is tested.

    <!-- file PATH -->            the block is written to PATH in the page's folder
    <!-- run -->                  lines ``$ COMMAND`` are run in the page's folder; what follows each is what it prints
    <!-- run exit=1 -->           the same; the last command ends with that code
    <!-- spec -->                 a spec, or entries of its ``fields:``, in which nothing is found
    <!-- spec RULE RULE -->       one in which exactly these rules are found
    <!-- not run: REASON -->      shown only

In what a command prints a line ``...`` stands for any number of lines that the page leaves out. Every block of a
language in :data:`MARKED` has such a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

#: Languages whose blocks say how they are tested.
MARKED = ("console", "sh", "python", "yaml")

_MARKER = re.compile(r"<!--\s*(file|run|spec|not run:)\s*(.*?)\s*-->\Z")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the page and line of its fence, its language, its text, and the comment above it in two parts."""

    page: Path
    line: int
    language: str
    text: str
    kind: str | None
    argument: str

    @property
    def where(self) -> str:
        """The place as messages name it."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """Every fenced block of a page. Raises ValueError for one that is never closed."""
    lines = page.read_text("utf-8").splitlines()
    at = 0
    while at < len(lines):
        fence = re.match(r"(`{3,})(\w*)\s*\Z", lines[at])
        if fence is None:
            at += 1
            continue
        closing = next((n for n in range(at + 1, len(lines)) if lines[n].rstrip() == fence[1]), None)
        if closing is None:
            raise ValueError(f"{page}:{at + 1}: this block is never closed")
        marker = _MARKER.match(lines[at - 1].strip()) if at else None
        text = "\n".join(lines[at + 1 : closing]) + "\n"
        kind, argument = (marker[1].rstrip(":"), marker[2]) if marker is not None else (None, "")
        yield Block(page, at + 1, fence[2], text, kind, argument)
        at = closing + 1


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a block, and the lines that it prints."""

    command: str
    printed: tuple[str, ...]


def steps(block: Block) -> list[Step]:
    """The commands of a ``console`` block. A command goes on after a backslash. Raises ValueError if it has none."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and found[-1][0].endswith("\\") and not found[-1][1]:
            command, printed = found.pop()
            found.append((f"{command[:-1].rstrip()} {line.strip()}", printed))
        elif found:
            found[-1][1].append(line.rstrip())
        else:
            raise ValueError(f"{block.where}: a block that is run begins with `$ COMMAND`")
    if not found:
        raise ValueError(f"{block.where}: no command to run")
    return [Step(command, tuple(printed)) for command, printed in found]


def differs(expected: tuple[str, ...], printed: list[str]) -> str | None:
    """None if a command printed what the page says; else the first line of the page that it did not print."""
    groups: list[list[str]] = [[]]
    for line in expected:
        if line.strip() == "...":
            groups.append([])
        else:
            groups[-1].append(line)
    at = 0
    for number, group in enumerate(groups):
        last = number == len(groups) - 1
        if number == 0:
            places = [0]
        elif last and group:
            places = [len(printed) - len(group)]
        else:
            places = list(range(at, len(printed) - len(group) + 1))
        place = next((p for p in places if p >= at and printed[p : p + len(group)] == group), None)
        if place is None:
            have = set(printed[at:])
            return next((line for line in group if line not in have), group[0] if group else "")
        at = place + len(group)
    left_open = len(groups) > 1 and not groups[-1]  # the last line is `...`
    if not left_open and at != len(printed):
        return f"(nothing more), but it printed {printed[at]!r}"
    return None
