"""docs/commands.md against the commands: each has its section, and each of its options and choices stands there."""

from __future__ import annotations

import re

import click
import pytest

from tests.docs.blocks import ROOT
from vmsgen.cli import COMMANDS, command
from vmsgen.settings import KEYS

PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")


def sections() -> dict[str, str]:
    """The texts of the page by heading."""
    parts = re.split(r"^## (.*)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", [name for _, name, _ in COMMANDS])
def test_every_option_is_explained(name: str) -> None:
    found = command.get_command(click.Context(command), name)
    assert found is not None
    text = sections()[f"`vmsgen {name}`"]
    for option in found.params:
        if not isinstance(option, click.Option):
            continue
        long = max(option.opts, key=len)
        assert f"{long}" in text, f"{long} is not explained"
        if isinstance(option.type, click.Choice):
            choices = [str(choice) for choice in option.type.choices]
            assert all(choice in text for choice in choices), f"{long} takes {choices}"


def test_every_setting_is_explained() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", sections()["Settings"], flags=re.MULTILINE)
    assert rows == list(KEYS)


def test_every_variable_is_explained() -> None:
    used = set()
    for path in (ROOT / "vmsgen").rglob("*.py"):
        used |= set(re.findall(r'environ(?:\.get\(|\[)"(\w+)"', path.read_text("utf-8")))
    assert used - {"TERM"} <= set(re.findall(r"`(\w+)(?:=1)?`", sections()["Environment"]))
