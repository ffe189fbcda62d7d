"""The reading of marked blocks, so that a page cannot be true by accident."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.blocks import PAGES, ROOT, blocks, differs, steps


def page(folder: Path, text: str) -> Path:
    path = folder / "page.md"
    path.write_text(text, "utf-8")
    return path


def test_a_block_has_its_comment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.docs.blocks.ROOT", tmp_path)
    text = "text\n\n<!-- run exit=1 -->\n```console\n$ a \\\n    b\nx\n$ c\n```\n\n```asn1\nA ::= NULL\n```\n"
    first, second = blocks(page(tmp_path, text))
    assert (first.kind, first.argument, first.line) == ("run", "exit=1", 4)
    assert [(step.command, step.printed) for step in steps(first)] == [("a b", ("x",)), ("c", ())]
    assert (second.kind, second.language, second.text) == (None, "asn1", "A ::= NULL\n")


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ((), [], True),
        ((), ["a"], False),
        (("a",), [], False),
        (("a", "b"), ["a", "b"], True),
        (("a",), ["a", "b"], False),
        (("a", "..."), ["a", "b", "c"], True),
        (("a", "..."), ["a"], True),
        (("...", "c"), ["a", "b", "c"], True),
        (("...", "b"), ["a", "b", "c"], False),
        (("...", "b", "..."), ["a", "b", "c"], True),
        (("a", "...", "c", "...", "e"), ["a", "c", "b", "c", "e"], True),
        (("a", "...", "x", "...", "e"), ["a", "c", "e"], False),
        (("...", "a"), ["a"], True),
        (("a", "...", "a"), ["a"], False),
    ],
)
def test_lines_that_are_left_out(expected: tuple[str, ...], printed: list[str], same: bool) -> None:
    assert (differs(expected, printed) is None) is same


@pytest.mark.parametrize("text", ["```console\n$ a\n", "```console\nno command\n```\n"])
def test_a_broken_page_is_an_error(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.docs.blocks.ROOT", tmp_path)
    with pytest.raises(ValueError, match=r"never closed|begins with"):
        for block in blocks(page(tmp_path, text)):
            steps(block)


def test_the_pages_are_there() -> None:
    assert ROOT / "README.md" in PAGES
    assert {"language.md", "architecture.md", "commands.md"} <= {path.name for path in PAGES}
