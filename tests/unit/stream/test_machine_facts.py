"""What a machine type's name and a target tell about the layout of device states."""

from __future__ import annotations

import pytest

from vmsgen.runtime.errors import VmsgenError
from vmsgen.stream.items import Configuration
from vmsgen.stream.machine.facts import facts_of_configuration


def facts(machine: str, **given: str) -> dict[str, str]:
    """The facts of a machine type, without its name."""
    told = facts_of_configuration(
        Configuration(machine.encode()), {name.replace("_", "."): value for name, value in given.items()}
    )
    assert told["machine.name"] == machine
    return {name: value for name, value in told.items() if name != "machine.name"}


def test_a_name_of_one_target_tells_all() -> None:
    assert facts("pseries-6.2") == {
        "machine.release": "6.2",
        "target.arch": "ppc",
        "target.long_bits": "64",
        "target.big_endian": "true",
    }


def test_a_name_of_several_targets_tells_what_they_agree_on() -> None:
    assert facts("isapc") == {"target.arch": "x86", "target.big_endian": "false"}
    assert facts("malta") == {"target.arch": "mips"}
    assert facts("virt-2.6") == {"machine.release": "2.6", "target.arch": "arm", "target.big_endian": "false"}
    assert facts("virt-9.0") == {"machine.release": "9.0"}  # arm and m68k
    assert facts("acme") == {}


def test_the_target_wins_over_the_name() -> None:
    assert facts("virt", target_name="m68k") == {
        "target.arch": "m68k",
        "target.long_bits": "32",
        "target.big_endian": "true",
    }


def test_a_machine_without_release_is_of_the_senders() -> None:
    assert facts("isapc", qemu="7.2")["machine.release"] == "7.2"
    assert facts("pc-i440fx-5.2", qemu="7.2")["machine.release"] == "5.2"


def test_a_target_alone() -> None:
    assert facts_of_configuration(None, {"target.name": "avr"})["target.arch"] == "avr"


def test_no_such_target() -> None:
    with pytest.raises(VmsgenError, match="expected one of aarch64, alpha"):
        facts("virt", target_name="arm64")
