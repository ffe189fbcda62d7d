"""A newer writer, an older reader: what the reader does not know is kept, written back, and there for the newer one.

No judge keeps unknown elements, so the proof is in two steps: our old reader writes back what it got, and the newer
schema then finds the first values in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.judges.conftest import Schema, built

OLD = """\
vmsgen: 1
vmstate: acme-growing
tag: {tag}
fields:
  - mode: uint8
  - parts: Part[2]
structs:
  Part:
    - a: uint16
"""
NEW = """\
vmsgen: 1
vmstate: acme-growing
tag: {tag}
fields:
  - mode: uint8
  - parts: Part[2]
  - added: uint32 when mode == 1
  - text: string[uint8] when mode == 1
structs:
  Part:
    - a: uint16
    - b: bool
"""


def specs(folder: Path, text: str, lock: str | None = None) -> Path:
    place = folder / "device-specs"
    place.mkdir(parents=True)
    (place / "growing.yaml").write_text(text.format(tag=31000))
    if lock is not None:
        (place / "tags.lock").write_text(lock)
    return place


@pytest.fixture(scope="module")
def ages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Schema, Schema]:
    """The same state before and after it grew; the lock goes from one to the other."""
    folder = tmp_path_factory.mktemp("ages")
    old_specs = specs(folder / "old", OLD)
    old = built(folder / "old", "growing_old", old_specs)
    lock = (old_specs / "tags.lock").read_text()
    new = built(folder / "new", "growing_new", specs(folder / "new", NEW, lock))
    return old, new


def grown(new: Schema) -> Any:
    cls: Any = new.registry.lookup("acme-growing")
    part = type(cls(mode=0).parts[0]) if cls(mode=0).parts else None
    if part is None:
        import sys

        part = sys.modules[cls.__module__].Part
    return cls(mode=1, parts=[part(a=1, b=True), part(a=2, b=False)], added=0xDEADBEEF, text="new")


def test_unknown_elements_survive_the_old_reader(ages: tuple[Schema, Schema]) -> None:
    old, new = ages
    value = grown(new)
    data = value.to_ber()
    older: Any = old.registry.lookup("acme-growing").from_ber(data)
    assert older.mode == 1 and [part.a for part in older.parts] == [1, 2]
    again = older.to_ber()
    assert new.registry.lookup("acme-growing").from_ber(again) == value
    tree = new.asn1tools.decode("VmAcme-Growing", again, check_constraints=True)
    assert tree == new.asn1tools.decode("VmAcme-Growing", data, check_constraints=True)
    assert tree["added"] == 0xDEADBEEF and tree["parts"][0] == {"a": 1, "b": True}


def test_old_schema_reads_what_it_knows(ages: tuple[Schema, Schema]) -> None:
    """asn1tools loses what it does not know, without a word: only the known values can be compared."""
    old, new = ages
    tree = old.asn1tools.decode("VmAcme-Growing", grown(new).to_ber(), check_constraints=True)
    assert tree == {"mode": 1, "parts": [{"a": 1}, {"a": 2}]}


def test_changed_values_go_back_with_the_unknown_ones(ages: tuple[Schema, Schema]) -> None:
    old, new = ages
    older: Any = old.registry.lookup("acme-growing").from_ber(grown(new).to_ber())
    older.parts[1].a = 77
    newer: Any = new.registry.lookup("acme-growing").from_ber(older.to_ber())
    assert newer.parts[1].a == 77 and newer.parts[0].b is True and newer.text == "new"


def test_tags_given_once_stay(ages: tuple[Schema, Schema]) -> None:
    old, new = ages
    before = old.definitions.model.tags["VmAcme-Growing"].components
    after = new.definitions.model.tags["VmAcme-Growing"].components
    assert {key: after[key] for key in before} == dict(before)
    assert min(after[key] for key in after.keys() - before.keys()) > max(before.values())
