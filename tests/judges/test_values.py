"""Every state: the same values in us and in the judges, and the same bytes; theirs read by us, ours by them.

"It decoded" proves little, for the judges lose data in silence: so values are compared, made from the model and not
from the bytes, and each judge's own encoding is compared with ours, octet by octet.
"""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.judges import asn1c, pycrate_judge
from tests.judges.conftest import Schema
from tests.judges.trees import tree_of
from vmsgen.library import REGISTRY
from vmsgen.runtime.state import VMState

STATES = [entry.type_name for entry in REGISTRY.entries]
KIT_STATES = ["AcmeEverything"]
FOR_EACH = 6
FOR_KIT = 60


def check_with_asn1tools(schema: Schema, value: VMState) -> None:
    """Ours -> asn1tools -> the same values; asn1tools -> ours -> the same object."""
    name = schema.type_name(type(value))
    tree = tree_of(value, schema.definitions)
    data = value.to_ber()
    assert schema.asn1tools.decode(name, data, check_constraints=True) == tree
    theirs = schema.asn1tools.encode(name, tree, check_constraints=True)
    assert theirs == data
    back = type(value).from_ber(theirs)
    assert back == value and back.identical(value)
    assert back.to_ber() == data
    assert back.to_binary() == value.to_binary()


@pytest.mark.parametrize("name", STATES)
def test_library_state_and_asn1tools(library: Schema, name: str) -> None:
    for value in library.objects(library.registry.lookup(name), FOR_EACH):
        check_with_asn1tools(library, value)


@pytest.mark.parametrize("name", KIT_STATES)
def test_kit_state_and_asn1tools(kit: Schema, name: str) -> None:
    for value in kit.objects(kit.registry.lookup(name), FOR_KIT):
        check_with_asn1tools(kit, value)


def check_with_pycrate(schema: Schema, pycrate: ModuleType, value: VMState) -> None:
    name = schema.type_name(type(value))
    data = value.to_ber()
    found, again = pycrate_judge.decode(pycrate, schema.module_name(type(value)), name, data)
    assert pycrate_judge.same(found, tree_of(value, schema.definitions)) is None
    assert again == data


@pytest.mark.parametrize("name", STATES)
def test_library_state_and_pycrate(library: Schema, pycrate: ModuleType, name: str) -> None:
    for value in library.objects(library.registry.lookup(name), FOR_EACH):
        check_with_pycrate(library, pycrate, value)


@pytest.mark.parametrize("name", KIT_STATES)
def test_kit_state_and_pycrate(kit: Schema, pycrate: ModuleType, name: str) -> None:
    for value in kit.objects(kit.registry.lookup(name), FOR_KIT):
        check_with_pycrate(kit, pycrate, value)


def check_with_asn1c(schema: Schema, judge: asn1c.Judge, value: VMState) -> None:
    data = value.to_ber()
    xer, der = judge.decode(schema.type_name(type(value)), data)
    assert asn1c.same(xer, tree_of(value, schema.definitions)) is None
    assert der == data


@pytest.mark.asn1c
@pytest.mark.parametrize("name", STATES)
def test_library_state_and_asn1c(library: Schema, asn1c_judge: asn1c.Judge, name: str) -> None:
    for value in library.objects(library.registry.lookup(name), FOR_EACH):
        check_with_asn1c(library, asn1c_judge, value)


@pytest.mark.asn1c
@pytest.mark.parametrize("name", KIT_STATES)
def test_kit_state_and_asn1c(kit: Schema, asn1c_judge: asn1c.Judge, name: str) -> None:
    for value in kit.objects(kit.registry.lookup(name), FOR_KIT):
        check_with_asn1c(kit, asn1c_judge, value)
