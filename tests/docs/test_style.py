"""The specs of the pages are in the house style."""

from __future__ import annotations

import pytest

from tests.docs.blocks import PAGES, Block, blocks
from tests.docs.specs import whole
from vmsgen.fmt.text import format_text

SPECS = [
    block
    for page in PAGES
    for block in blocks(page)
    if block.language == "yaml" and block.kind in ("spec", "file") and "ugly" not in block.argument
]


@pytest.mark.parametrize("block", SPECS, ids=lambda block: block.where)
def test_a_spec_is_in_the_style(block: Block) -> None:
    text = whole(block.text)
    made = format_text(block.where, text)
    if made.text is None:  # it shows a mistake, or is no spec
        assert block.argument and made.diagnostics
    else:
        assert made.text == text
