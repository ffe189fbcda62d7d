"""Names of the wire as identifiers of Python and ASN.1."""

from __future__ import annotations

import keyword
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmsgen.spec import names


@pytest.mark.parametrize(
    ("wire", "strip", "python"),
    [
        ("env.cr[0]", ["env."], "cr_0"),
        ("env.cr[0]", [], "env_cr_0"),
        ("cursor.pos.x", ["cursor.", "cursor.pos."], "x"),
        ("env.", ["env."], "env"),
        ("gt_timer[GTIMER_PHYS]", [], "gt_timer_GTIMER_PHYS"),
        ("64bit_features", [], "_64bit_features"),
        ("class", [], "class_"),
        ("visit", [], "visit_"),
        ("VERSION", [], "VERSION_"),
        ("version", [], "version"),
        ("doc_", [], "doc"),
        ("->", [], ""),
        ("s->bus", [], "s_bus"),
        ("ünïcode", [], "n_code"),
    ],
)
def test_python_name(wire: str, strip: list[str], python: str) -> None:
    assert names.python_name(wire, strip) == python


@pytest.mark.parametrize(
    ("wire", "derived", "asn1"),
    [
        ("virtio-net", "VirtioNet", "VmVirtio-Net"),
        ("PCIDevice", "PCIDevice", "VmPCIDevice"),
        ("cpu/msr_hyperv_synic", "CpuMsrHypervSynic", "VmCpu-Msr-Hyperv-Synic"),
        ("memory hotplug state", "MemoryHotplugState", "VmMemory-Hotplug-State"),
        ("0x10", "_0x10", "Vm0x10"),
        ("none", "None_", "VmNone"),
    ],
)
def test_class_and_type_name(wire: str, derived: str, asn1: str) -> None:
    assert names.class_name(wire) == derived
    assert names.asn1_type_name(wire) == asn1


@pytest.mark.parametrize(
    ("python", "asn1"),
    [("cr_0", "cr-0"), ("_64bit", "x64bit"), ("class_", "class"), ("PageMask", "pageMask"), ("_0x10", "x0x10")],
)
def test_asn1_field_name(python: str, asn1: str) -> None:
    assert names.asn1_field_name(python) == asn1


def test_module_name() -> None:
    assert names.asn1_module_name("timer/hpet") == "Vmsgen-Dev-Timer-Hpet"
    assert names.asn1_module_name("qemu/pci/device") == "Vmsgen-Dev-Qemu-Pci-Device"


@given(st.text(max_size=40), st.lists(st.text(max_size=5), max_size=3))
def test_whatever_is_derived_is_an_identifier(wire: str, strip: list[str]) -> None:
    for derived in (names.python_name(wire, strip), names.class_name(wire)):
        assert not derived or (derived.isidentifier() and not keyword.iskeyword(derived) and derived.isascii())
    python = names.python_name(wire, strip)
    if python:
        assert re.fullmatch(r"[a-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*", names.asn1_field_name(python))
        assert re.fullmatch(r"Vm[A-Za-z0-9]+(-[A-Za-z0-9]+)*", names.asn1_type_name(wire))


@given(st.text(max_size=40))
def test_a_name_of_python_derives_to_itself(wire: str) -> None:
    derived = names.python_name(wire)
    if derived and not derived.endswith("_") and not derived.startswith("_"):
        assert names.python_name(derived) == derived
