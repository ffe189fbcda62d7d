"""Legal forms that we never write, from a writer that does: pycrate, told to be odd. We read the same values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

from tests.judges import pycrate_judge
from tests.judges.conftest import Schema
from tests.judges.test_values import FOR_KIT, KIT_STATES
from tests.judges.trees import tree_of
from vmsgen.runtime.errors import DataError


@contextmanager
def writing(**switches: Any) -> Iterator[None]:
    """pycrate's encoder with some of its switches set."""
    from pycrate_asn1rt.codecs import ASN1CodecBER

    before = {name: getattr(ASN1CodecBER, name) for name in switches}
    for name, value in switches.items():
        setattr(ASN1CodecBER, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(ASN1CodecBER, name, value)


def for_pycrate(value: Any) -> Any:
    """A value tree of asn1tools as pycrate takes it: NULL is 0."""
    if isinstance(value, dict):
        return {key: for_pycrate(item) for key, item in value.items()}
    if isinstance(value, list):
        return [for_pycrate(item) for item in value]
    if isinstance(value, tuple):
        return (value[0], 0 if value[1] is None else for_pycrate(value[1]))
    return value


@pytest.mark.parametrize(
    "switches",
    [
        {"ENC_LUNDEF": True},
        {"ENC_LLONG": 4},
        {"ENC_LLONG": 9},
        {"ENC_BOOLTRUE": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", KIT_STATES)
def test_odd_but_legal(kit: Schema, pycrate: ModuleType, name: str, switches: dict[str, Any]) -> None:
    cls = kit.registry.lookup(name)
    type_ = getattr(getattr(pycrate, kit.module_name(cls).replace("-", "_")), kit.type_name(cls).replace("-", "_"))
    differing = 0
    for value in kit.objects(cls, FOR_KIT)[:20]:
        type_.set_val(for_pycrate(tree_of(value, kit.definitions)))
        with writing(**switches):
            odd = type_.to_ber()
        differing += odd != value.to_ber()
        back = cls.from_ber(odd)
        assert back == value and back.identical(value)
        assert back.to_ber() == value.to_ber(), "we write the definite, minimal form of it"
    assert differing, "the switch did something"


@pytest.mark.parametrize("name", KIT_STATES)
def test_padded_tags_are_illegal(kit: Schema, pycrate: ModuleType, name: str) -> None:
    """X.690 8.1.2.4.2 c: the first octet of a high tag number is not 80. pycrate and asn1c accept it all the same."""
    cls = kit.registry.lookup(name)
    data = kit.objects(cls, FOR_KIT)[0].to_ber()
    padded = data[:1] + b"\x80" + data[1:]
    assert pycrate_judge.decode(pycrate, kit.module_name(cls), kit.type_name(cls), padded), "it is lenient"
    with pytest.raises(DataError):
        cls.from_ber(padded)


def has_text(value: Any) -> bool:
    """Whether a value tree holds a UTF8String."""
    if isinstance(value, dict):
        return any(map(has_text, value.values()))
    if isinstance(value, list | tuple):
        return any(map(has_text, value[1:] if isinstance(value, tuple) else value))
    return isinstance(value, str)


@pytest.mark.parametrize("indefinite", [False, True])
@pytest.mark.parametrize("name", KIT_STATES)
def test_octet_strings_in_pieces(kit: Schema, pycrate: ModuleType, name: str, indefinite: bool) -> None:
    """Those of a UTF8String are left out: pycrate tags its pieces UTF8String, and X.690 8.23.6 wants OCTET STRING."""
    cls = kit.registry.lookup(name)
    type_ = getattr(getattr(pycrate, kit.module_name(cls).replace("-", "_")), kit.type_name(cls).replace("-", "_"))
    read = 0
    for value in kit.objects(cls, FOR_KIT):
        tree = tree_of(value, kit.definitions)
        tree.pop("vmstate-facts", None)
        tree.pop("vmstate-version", None)
        if has_text(tree):
            continue
        type_.set_val(for_pycrate(tree))
        with writing(ENC_LUNDEF=indefinite, ENC_OSTR_FRAG=3):
            odd = type_.to_ber()
        assert odd != value.ber_state()
        back = cls.from_ber_state(odd, version=value.section_version, facts=value.facts)
        assert back == value and back.identical(value)
        read += 1
    assert read >= 3
