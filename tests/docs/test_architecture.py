"""docs/architecture.md against what it tells of: the tags of the BER form, and the folders of the house."""

from __future__ import annotations

import re

from tests.docs.blocks import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def test_every_tag_of_the_container_is_listed() -> None:
    schemas = [ROOT / "templates" / "asn1" / f"Vmsgen-{name}.asn1" for name in ("Stream", "Types")]
    declared = {int(n) for path in schemas for n in re.findall(r"\[APPLICATION (\d+)\]", path.read_text("utf-8"))}
    rows = "\n".join(re.findall(r"^\| \d.*\|", PAGE, flags=re.MULTILINE))
    listed = {int(number) for number in re.findall(r"\b\d{1,5}\b", rows.replace("2014", ""))}
    assert declared - listed == set()
    for number, letters in re.findall(r"(\d+) `([A-Z]{2})`", rows):
        assert int(number) == ord(letters[0]) * 128 + ord(letters[1]), letters


def test_every_folder_of_the_house_is_there() -> None:
    rows = re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \|", PAGE.split("## The house", 1)[1], flags=re.MULTILINE)
    paths = [path for row in rows for path in re.findall(r"`([^`]+)`", row) if re.search(r"[/.]", path)]
    assert len(paths) > 10
    for path in paths:
        assert (ROOT / path).exists() or (ROOT / "vmsgen" / path).exists(), path
