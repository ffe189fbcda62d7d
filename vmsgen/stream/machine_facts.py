"""What the name of a machine type tells: architecture, page size, and a lower bound of the sender's release.

Machine types are class names (``pc-i440fx-7.2``, ``virt-9.0``, ``pseries-6.2``). The release in one is the oldest QEMU
that has it; the sender may be any later one. Architectures by name: the machine lists of QEMU 5.2, 7.2 and 10.0
(``-machine help``); names that several targets share (``virt``, ``none``) give no architecture.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from vmsgen.runtime.errors import DataError
from vmsgen.stream.items import Configuration

__all__ = ["architecture_of", "facts_of_configuration", "page_size_of", "release_of"]

#: (pattern, architecture); the first that matches the machine's name wins.
_ARCHITECTURES = (
    (r"pc(-.*)?|isapc|microvm|q35|xenfv(-.*)?|xenpv|x-remote|nitro", "x86"),
    (r"s390-ccw-virtio(-.*)?", "s390x"),
    (r"pseries(-.*)?|powernv\d*|mac99|g3beige|bamboo|ppce500|mpc8544ds|40p|sam460ex|pegasos2|amigaone", "ppc"),
    (r"virtex-ml507|ref405ep|taihu|prep", "ppc"),
    (r"malta|mips|mipssim|magnum|pica61|fuloong2e|loongson3-virt|boston", "mips"),
    (r"sun4[uv]|niagara", "sparc64"),
    (r"SS-\d+|SS-600MP|LX|Voyager|SPARCClassic|SPARCbook|leon3_generic", "sparc"),
    (r"clipper", "alpha"),
    (r"or1k-sim|openrisc-.*", "or1k"),
    (r"axis-dev88", "cris"),
    (r"arduino-.*|uno|mega.*|2009", "avr"),
    (r"tricore_testboard|KIT_AURIX_.*", "tricore"),
    (r"hppa|B160L|C3700", "hppa"),
    (r"q800|an5206|mcf5208evb|next-cube", "m68k"),
    (r"petalogix-.*|xlnx-zynqmp-pmu", "microblaze"),
    (r"r2d|shix", "sh4"),
    (r"spike|sifive_[eu]|opentitan|shakti_c|microchip-icicle-kit|amd-microblaze-v-generic", "riscv"),
    (r"lx60.*|lx200.*|ml605.*|kc705.*|sim", "xtensa"),
    (r"gdbsim-r5f.*", "rx"),
    (r"10m50-ghrd.*", "nios2"),
    (r"collie|.*evb|.*-bmc|mps[23]-.*|musca-.*|netduino.*|stm32.*|raspi.*|versatile.*|vexpress-.*", "arm"),
    (r"realview-.*|sbsa-ref|xlnx-.*|xilinx-.*|ast\d+.*|akita|borzoi|spitz|terrier|tosa|mainstone", "arm"),
    (r"connex|verdex|z2|n8\d0|cheetah|sx1.*|musicpal|nuri|smdkc210|highbank|midway|imx.*|kzm", "arm"),
    (r"cubieboard|orangepi-pc|sabrelite|mcimx.*|lm3s.*|microbit|integratorcp|canon-a1100", "arm"),
    (r"b-l475e.*|bpim2u|emcraft-sf2|digic.*", "arm"),
)

#: A page must fit the buffer of a source many times; the largest real one has 64 KiB.
MAX_PAGE_BITS = 20

#: Targets whose pages are not of 4096 bytes and never announced in the stream.
_PAGE_SIZES = {"sparc64": 8192, "alpha": 8192, "or1k": 8192, "cris": 8192, "avr": 256, "tricore": 16384}

_RELEASE = re.compile(r".*-(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?")


def architecture_of(machine: str) -> str | None:
    """Architecture of a machine type by its name, None where the name does not tell."""
    for pattern, architecture in _ARCHITECTURES:
        if re.fullmatch(pattern, machine):
            return architecture
    return None


def release_of(machine: str) -> tuple[int, ...] | None:
    """The release in a machine type's name: the sender is that QEMU or a later one. Names before 5.2 bound nothing
    more.
    """
    found = _RELEASE.fullmatch(machine)
    return tuple(int(part) for part in found.groups() if part is not None) if found else None


def page_size_of(configuration: Configuration | None, machine: str | None = None) -> int:
    """Page size of the target: what the stream says, else by the machine's name, else 4096.

    ``machine`` replaces the name in the configuration. Raises DataError for a size that cannot be.
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
    if machine == "collie":
        return 1024  # Arm before v6: the smallest page, which is not announced
    return _PAGE_SIZES.get(architecture_of(machine or "") or "", 4096)


def facts_of_configuration(configuration: Configuration | None) -> Mapping[str, str]:
    """Facts for the layout of device states, as text: ``machine.name``, ``machine.release``, ``target.arch``."""
    if configuration is None:
        return {}
    machine = configuration.machine.decode(errors="replace")
    facts = {"machine.name": machine}
    release = release_of(machine)
    if release is not None:
        facts["machine.release"] = ".".join(map(str, release))
    architecture = architecture_of(machine)
    if architecture is not None:
        facts["target.arch"] = architecture
    return facts
