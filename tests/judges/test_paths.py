"""The straight-line codecs against the walk: the same bytes, objects and facts asked, for every state."""

from __future__ import annotations

import pytest

from tests.judges.conftest import Schema
from tests.judges.test_values import FOR_EACH, FOR_KIT, KIT_STATES, STATES
from vmsgen.runtime import ber, ber_codec, binary_codec
from vmsgen.runtime.state import VMState


def check_paths(value: VMState) -> None:
    """Encodes and decodes by both ways. The walk is what the judges' tests know; the other is what usually runs."""
    cls = type(value)
    facts = value.facts.fresh()
    walked = binary_codec.save_by_walk(value, value.section_version, facts)
    assert value.to_binary() == walked
    version = value.section_version
    fast = cls.from_binary(walked, version=version, facts=value.facts)
    slow, end = binary_codec.load_by_walk(cls, walked, 0, version, value.facts.fresh())
    assert end == len(walked)
    assert fast == slow == value
    assert fast.identical(slow) and fast.identical(value)
    assert fast.facts.known == slow.facts.known

    facts = value.facts.fresh()
    content = ber_codec.walk_content(value, facts)
    element = ber.tlv(ber.tag_bytes(ber.APPLICATION, True, cls.TAG), content)
    assert value.ber_state() == element
    alone = ber.tlv(ber.tag_bytes(ber.APPLICATION, True, cls.TAG), ber_codec.with_extras(value, content, facts))
    assert value.to_ber() == alone
    fast = cls.from_ber_state(element, version=version, facts=value.facts)
    read = ber.read_element(element, 0, len(element))
    slow = ber_codec.decode_by_walk(cls, element, read, version, value.facts)
    assert fast == slow == value
    assert fast.identical(slow) and fast.identical(value)
    assert fast.facts.known == slow.facts.known


@pytest.mark.parametrize("name", STATES)
def test_library_state(library: Schema, name: str) -> None:
    for value in library.objects(library.registry.lookup(name), FOR_EACH):
        check_paths(value)


@pytest.mark.parametrize("name", KIT_STATES)
def test_kit_state(kit: Schema, name: str) -> None:
    for value in kit.objects(kit.registry.lookup(name), FOR_KIT):
        check_paths(value)
