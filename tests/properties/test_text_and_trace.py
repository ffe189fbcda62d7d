"""Every state as debug text, as JSON, and as a trace of its bytes."""

from __future__ import annotations

import json

import pytest

from tests.properties.agreement import same
from tests.properties.conftest import Kit
from vmsgen.library import REGISTRY
from vmsgen.runtime.debug_out import debug_text
from vmsgen.runtime.state import VMState
from vmsgen.runtime.trace import leaf_at, trace
from vmsgen.runtime.values import plain_class

STATES = [entry.type_name for entry in REGISTRY.entries]
SMALL = ["AcmeEverything", "Card", "Counted", "Facts", "Host", "Lists", "Nullable", "Scalars", "Unions", "Views"]


def check_text(value: VMState) -> None:
    """Text says the same of an object however it was read, and JSON brings it back."""
    cls, version = plain_class(type(value)), value.section_version
    data = value.to_binary()
    read = cls.from_binary(data, version=version, facts=value.facts)
    from_ber = cls.from_ber(value.to_ber())
    text = debug_text(value)
    assert text == debug_text(value) == debug_text(read) == debug_text(from_ber)
    assert all(line.isprintable() for line in text.split("\n"))
    values = value.to_json()
    encoded = json.dumps(values)
    assert encoded == json.dumps(read.to_json()) == json.dumps(from_ber.to_json())
    back = cls.from_json(json.loads(encoded), version=version, facts=value.facts)
    same(back, value)
    assert back.to_binary() == data


def check_trace(value: VMState) -> None:
    """The leaves of a trace are the payload, byte for byte."""
    data = value.to_binary()
    leaves = trace(value)
    at = 0
    for leaf in leaves:
        assert leaf.offset == at and leaf.size >= 0
        at += leaf.size
    assert at == len(data)
    for leaf in leaves[:50]:
        if leaf.size:
            assert leaf_at(leaves, leaf.offset) is leaf or leaf_at(leaves, leaf.offset) in leaves
            assert leaf.path and leaf.wire_path
        if leaf.kind == "int" and isinstance(leaf.value, int):
            raw = data[leaf.offset : leaf.offset + leaf.size]
            mask = (1 << 8 * leaf.size) - 1
            assert leaf.value & mask in (int.from_bytes(raw, "big"), int.from_bytes(raw, "little"))
        elif leaf.kind == "bytes":
            assert leaf.value == data[leaf.offset : leaf.offset + leaf.size]
    assert leaf_at(leaves, len(data)) is None


@pytest.mark.parametrize("name", STATES)
def test_library_state(library: Kit, name: str) -> None:
    library.each(library.registry.lookup(name), check_text, 2)
    library.each(library.registry.lookup(name), check_trace, 2)


@pytest.mark.parametrize("name", SMALL)
def test_small_state(small: Kit, name: str) -> None:
    small.each(small.registry.lookup(name), check_text, 20)
    small.each(small.registry.lookup(name), check_trace, 20)
