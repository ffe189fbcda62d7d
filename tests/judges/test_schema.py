"""The checked-in schema as a whole: judges compile it, in both of its bodies, and it breaks none of our own rules."""

from __future__ import annotations

from itertools import pairwise

import asn1tools
import pytest

from tests.judges import asn1c
from tests.judges.conftest import CLONE, Schema
from vmsgen.emit.asn1.lint import lint

FOLDER = CLONE / "generated/asn1"


def test_nothing_that_a_judge_cannot_take() -> None:
    texts = {path.relative_to(FOLDER).as_posix(): path.read_text() for path in sorted(FOLDER.rglob("*.asn1"))}
    assert len(texts) > 50
    assert lint(texts) == []


def test_every_state_is_a_device(library: Schema) -> None:
    named = {entry.type_name: entry.tag for entry in library.registry.entries}
    assert len(set(named.values())) == len(named), "tags are given once"
    types = library.asn1tools.types
    assert {library.type_name(cls) for cls in library.registry} <= types.keys()
    text = library.texts["Vmsgen-Devices"]
    for cls in library.registry:
        assert f" {library.type_name(cls)}" in text


def test_open_body_compiles_without_any_device(library: Schema) -> None:
    texts = [library.texts[name] for name in ("Vmsgen-Types", "Vmsgen-Stream")]
    schema = asn1tools.compile_string("\n".join([*texts, library.opened]), "ber")
    assert "QemuFile" in schema.types


def test_closure_of_one_state_compiles(library: Schema) -> None:
    """What a judge of one section needs: its module, what that imports, and so on."""
    wanted, queue = set(), ["Vmsgen-Dev-Net-E1000"]
    while queue:
        name = queue.pop()
        if name not in wanted:
            wanted.add(name)
            words = library.texts[name].partition("IMPORTS")[2].partition(";")[0].replace(",", " ").split()
            queue += [after for word, after in pairwise(words) if word == "FROM"]
    schema = asn1tools.compile_string("\n".join(library.texts[name] for name in wanted), "ber")
    assert "VmE1000" in schema.types and len(wanted) < 10


@pytest.mark.asn1c
def test_asn1c_takes_all_of_it(library: Schema, asn1c_judge: asn1c.Judge) -> None:
    """That the judge could be built is the proof; and it knows the container."""
    value = {"header": {"schema": 1, "version": 3}, "items": [("eof", None), ("vmdesc", b"{}")]}
    data = library.asn1tools.encode("QemuFile", value)
    _, der = asn1c_judge.decode("QemuFile", data)
    assert der == data
