"""docs/language.md against the compiler: its specs, its table of bytes, its table of rules, its lists of words."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, Block, blocks
from tests.docs.specs import compiled, findings, whole
from vmsgen.building.build import build
from vmsgen.diagnostics import Severity
from vmsgen.diagnostics.rules import RULES
from vmsgen.settings import Project
from vmsgen.spec.ambient import AMBIENT
from vmsgen.spec.binder import STRUCT_KEYS, SUBSECTION_KEYS, TOP_KEYS
from vmsgen.spec.binder_entries import FIELD_ATTRIBUTES
from vmsgen.spec.field_line import CLAUSES
from vmsgen.spec.typer_functions import FUNCTIONS

PAGE = ROOT / "docs" / "language.md"
SPECS = [block for block in blocks(PAGE) if block.kind == "spec"]


@pytest.mark.parametrize("block", SPECS, ids=lambda block: f"line-{block.line}")
def test_a_spec_of_the_page_is_what_the_page_says(block: Block, tmp_path: Path) -> None:
    wanted = frozenset(block.argument.split())
    assert wanted <= RULES.keys()
    found = findings(compiled(block.text, tmp_path / "specs"), wanted)
    listed = "\n".join(f"{one.span.line}:{one.span.column} {one.rule} {one.message}" for one in found)
    assert {one.rule for one in found} == wanted, f"{block.where}: found\n{listed}\nin\n{whole(block.text)}"


def test_there_are_good_and_bad_specs() -> None:
    assert sum(not block.argument for block in SPECS) >= 20
    assert sum(bool(block.argument) for block in SPECS) >= 8


# ---------------------------------------------------------------------------------------------- bytes


def cells(line: str) -> list[str]:
    """The cells of a line of a table, code marks taken off."""
    parts = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [part.strip().replace("\\|", "|").strip("`") for part in parts]


def table(heading: str) -> Iterator[list[str]]:
    """The lines of the first table below a comment ``<!-- table HEADING -->``."""
    lines = PAGE.read_text("utf-8").split(f"<!-- table {heading} -->", 1)[1].splitlines()
    rows = iter(lines[1:])
    for line in rows:
        if line.startswith("|"):
            break
    next(rows)  # the line below the head
    for line in rows:
        if not line.startswith("|"):
            return
        yield cells(line)


BYTES = [row for name in ("types", "counts") for row in table(name)]


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A package with a state for each line of the tables of bytes: ``lookup("line-3")``."""
    folder = tmp_path_factory.mktemp("bytes")
    specs = folder / "device-specs"
    specs.mkdir()
    for number, (line, _, _, *_) in enumerate(BYTES):
        text = (
            f"vmsgen: 1\nvmstate: line-{number}\nfields:\n  - x: {line}\n"
            "structs:\n  Point:\n    - x: int8\n    - y: int8\nenums:\n  Mode: {0: idle, 1: run}\n"
        )
        (specs / f"line_{number}.yaml").write_text(text, "utf-8")
    name = "generated_for_the_page"
    outcome = build(Project(folder, specs, folder / name))
    assert not outcome.failed, [f"{one.span.file.path}: {one.message}" for one in outcome.diagnostics]
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
        for loaded in [one for one in sys.modules if one.partition(".")[0] == name]:
            del sys.modules[loaded]


@pytest.mark.parametrize("number", range(len(BYTES)), ids=lambda number: BYTES[number][0])
def test_a_value_has_the_bytes_of_the_page(number: int, states: object) -> None:
    _, value, wire, *_ = BYTES[number]
    found = states.lookup(f"line-{number}")  # type: ignore[attr-defined]
    scope = vars(sys.modules[found.__module__])
    state = found(x=eval(value, {"Point": scope["Point"], "Mode": scope["Mode"]}))
    data = bytes.fromhex(wire)
    assert state.to_binary() == data
    assert found.from_binary(data) == state
    assert found.from_ber(state.to_ber()) == state


# ---------------------------------------------------------------------------------------------- lists


def rules_table() -> str:
    """The table of the rules that are errors, as the page has it; docs/lint.md has the others."""
    lines = ["| rule | what it is about |", "|---|---|"]
    for rule in RULES.values():
        if rule.severity is Severity.ERROR:
            lines.append(f"| `{rule.id}` | {rule.summary.replace('|', chr(92) + '|')}. {rule.explanation} |")
    return "\n".join(lines) + "\n"


def test_the_page_has_every_rule() -> None:
    assert rules_table() in PAGE.read_text("utf-8"), "write it anew: python -m tests.docs.test_language"


def test_rules_cite_headings_of_the_page() -> None:
    headings = re.findall(r"^##+ (.*)$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    assert {rule.heading for rule in RULES.values()} <= set(headings)


def code_words(heading: str) -> list[str]:
    """The first cells of a table, one or more code words each."""
    return [word for row in table(heading) for word in row[0].replace("`", "").split(", ")]


def test_the_page_has_every_key_attribute_function_and_fact() -> None:
    assert sorted(code_words("keys")) == sorted(TOP_KEYS)
    assert sorted(code_words("attributes")) == sorted(FIELD_ATTRIBUTES)
    functions = [name for row in table("functions") for name in re.findall(r"(\w+)\(", row[0])]
    assert sorted(functions) == sorted(FUNCTIONS)
    assert sorted(code_words("facts")) == sorted(AMBIENT)
    text = " ".join(PAGE.read_text("utf-8").split())
    grammar = PAGE.read_text("utf-8").split("clause = ", 1)[1].partition("```")[0]
    assert sorted(re.findall(r'"([^"]+)"', grammar)) == sorted(CLAUSES)
    for keys in (STRUCT_KEYS, SUBSECTION_KEYS):
        assert f"`{' '.join(keys)}`" in text


if __name__ == "__main__":
    before, rest = PAGE.read_text("utf-8").split("<!-- table rules -->\n", 1)
    after = rest.partition("<!-- end -->")[2]
    PAGE.write_text(f"{before}<!-- table rules -->\n{rules_table()}<!-- end -->{after}", "utf-8")
