"""What the name of a machine type tells: architecture, word size, byte order, page size, and a lower bound of the
sender's release.

Machine types are class names (``pc-i440fx-7.2``, ``virt-9.0``, ``pseries-6.2``). The release in one is the oldest QEMU
that has it; the sender may be any later one. A name that several targets share (``virt``, ``malta``) tells what these
agree on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.stream.items import Configuration
from vmsgen.stream.machine.targets import TARGETS, Target, targets_of

__all__ = ["TARGET_PROP", "architecture_of", "facts_of_configuration", "page_size_of", "release_of"]

#: The prop by which a user says the target: the end of the name of QEMU's binary.
TARGET_PROP = "target.name"

#: A page must fit the buffer of a source many times; the largest real one has 64 KiB.
MAX_PAGE_BITS = 20

_RELEASE = re.compile(r".*-(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?")


def architecture_of(machine: str) -> str | None:
    """Architecture of a machine type by its name, None where the name does not tell."""
    architectures = {target.arch for target in targets_of(machine)}
    return architectures.pop() if len(architectures) == 1 else None


def release_of(machine: str) -> tuple[int, ...] | None:
    """The release in a machine type's name: the sender is that QEMU or a later one. Names before 5.2 bound nothing
    more.
    """
    found = _RELEASE.fullmatch(machine)
    return tuple(int(part) for part in found.groups() if part is not None) if found else None


def page_size_of(configuration: Configuration | None, machine: str | None = None, target: str | None = None) -> int:
    """Page size of the target: what the stream says, else by the name of target or machine, else 4096.

    ``machine`` replaces the name in the configuration. Raises DataError for a size that cannot be, VmsgenError for a
    target that is none.
    """
    if configuration is not None:
        bits = configuration.target_page_bits
        if bits is not None:
            if not 8 <= bits <= MAX_PAGE_BITS:
                raise DataError(
                    f"expected target-page-bits from 8 to {MAX_PAGE_BITS}, found {bits}", section="configuration"
                )
            return 1 << bits
        machine = machine or configuration.machine.decode(errors="replace")
    sizes = {each.page_size for each in _targets(machine, target)}
    return sizes.pop() if len(sizes) == 1 else 4096


def _targets(machine: str | None, target: str | None) -> tuple[Target, ...]:
    """The target that is named, else those that the machine type leaves. Raises VmsgenError."""
    if target is None:
        return targets_of(machine or "")
    if target not in TARGETS:
        raise VmsgenError(f"--prop {TARGET_PROP}={target}: expected one of {', '.join(TARGETS)}")
    return (TARGETS[target],)


def facts_of_configuration(configuration: Configuration | None, given: Mapping[str, str]) -> Mapping[str, str]:
    """Facts for the layout of device states, as text: ``machine.name``, ``machine.release``, ``target.arch``,
    ``target.long_bits``, ``target.big_endian``, as far as the machine's name tells them.

    ``given`` are the user's facts: ``target.name`` is the target. A machine type that has no release in its name is
    that of the sender's, which ``qemu`` may tell. Raises VmsgenError for a target that is none.
    """
    facts: dict[str, str] = {}
    machine = None
    if configuration is not None:
        machine = facts["machine.name"] = configuration.machine.decode(errors="replace")
        release = release_of(machine)
        if release is not None:
            facts["machine.release"] = ".".join(map(str, release))
        elif "qemu" in given:
            facts["machine.release"] = given["qemu"]
    targets = _targets(machine, given.get(TARGET_PROP))
    agreed = {
        "target.arch": {target.arch for target in targets},
        "target.long_bits": {str(target.long_bits) for target in targets},
        "target.big_endian": {str(target.big_endian).lower() for target in targets},
    }
    return facts | {fact: values.pop() for fact, values in agreed.items() if len(values) == 1}
