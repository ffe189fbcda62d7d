"""Blocks of docs/language.md as specs: what a page leaves out for brevity is put around them."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from vmsgen.diagnostics import Diagnostic
from vmsgen.settings import shipped_specs
from vmsgen.spec.compile import Compiled, compile_specs

#: Lint that a fragment cannot help: what it defines is used in another block.
_OF_FRAGMENTS = frozenset({"name/unused"})


def whole(text: str) -> str:
    """A spec from a block: a whole one, its keys without the first ones, or entries of its ``fields:``."""
    if re.search(r"^vmsgen:", text, re.MULTILINE):
        return text
    if re.match(r"(\s*#.*\n)*\s*- ", text):
        text = f"fields:\n{textwrap.indent(text, '  ')}"
    if re.search(r"^(fields|subsections|match|parts):", text, re.MULTILINE) and not re.search(
        r"^(vmstate|section):", text, re.MULTILINE
    ):
        text = f"vmstate: example\n{text}"
    return f"vmsgen: 1\n{text}"


def compiled(text: str, folder: Path) -> Compiled:
    """The spec of a block, compiled with the shipped specs at hand."""
    folder.mkdir(exist_ok=True)
    (folder / "example.yaml").write_text(whole(text), "utf-8")
    return compile_specs(folder, library=shipped_specs(), shown_root="device-specs")


def findings(found: Compiled, wanted: frozenset[str]) -> list[Diagnostic]:
    """What was found in a block, without the lint of fragments (unless the page names it)."""
    return [one for one in found.diagnostics if one.rule in wanted or one.rule not in _OF_FRAGMENTS]
