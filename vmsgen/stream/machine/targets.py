"""QEMU's targets, and which of them a machine type's name leaves.

A target is one binary (``qemu-system-mips64el``). Which machine types each has is from ``-machine help`` of QEMU 5.2,
7.2 and 10.0; a name tells what all targets agree on that have such a machine.
"""

from __future__ import annotations

from functools import lru_cache

from vmsgen.runtime.slotted import Slotted

__all__ = ["ARCHITECTURES", "TARGETS", "Target", "targets_of"]


class Target(Slotted, frozen=True):
    """What is fixed in a binary: its architecture, the width of target_ulong, its byte order, the page size of streams
    that do not say theirs.

    Source: configs/targets/*-softmmu.mak and target/*/cpu-param.h of QEMU 7.2 and 10.0. Where pages vary, the smallest
    size is the one that is not announced (migration/savevm.c): 1024 bytes for Arm.
    """

    arch: str
    long_bits: int
    big_endian: bool
    page_size: int = 4096


#: By the end of the binary's name.
TARGETS = {
    "aarch64": Target("arm", 64, False, 1024),
    "alpha": Target("alpha", 64, False, 8192),
    "arm": Target("arm", 32, False, 1024),
    "avr": Target("avr", 32, False, 256),
    "cris": Target("cris", 32, False, 8192),
    "hppa": Target("hppa", 64, True),
    "i386": Target("x86", 32, False),
    "lm32": Target("lm32", 32, True),
    "loongarch64": Target("loongarch", 64, False, 16384),
    "m68k": Target("m68k", 32, True),
    "microblaze": Target("microblaze", 64, True),
    "microblazeel": Target("microblaze", 64, False),
    "mips": Target("mips", 32, True),
    "mips64": Target("mips", 64, True),
    "mips64el": Target("mips", 64, False),
    "mipsel": Target("mips", 32, False),
    "moxie": Target("moxie", 32, True),
    "nios2": Target("nios2", 32, False),
    "or1k": Target("or1k", 32, True, 8192),
    "ppc": Target("ppc", 32, True),
    "ppc64": Target("ppc", 64, True),
    "riscv32": Target("riscv", 32, False),
    "riscv64": Target("riscv", 64, False),
    "rx": Target("rx", 32, False),
    "s390x": Target("s390x", 64, True),
    "sh4": Target("sh4", 32, False),
    "sh4eb": Target("sh4", 32, True),
    "sparc": Target("sparc", 32, True),
    "sparc64": Target("sparc64", 64, True, 8192),
    "tricore": Target("tricore", 32, False, 16384),
    "unicore32": Target("unicore32", 32, False),
    "x86_64": Target("x86", 64, False),
    "xtensa": Target("xtensa", 32, False),
    "xtensaeb": Target("xtensa", 32, True),
}

#: What ``target.arch`` may be.
ARCHITECTURES = tuple(dict.fromkeys(target.arch for target in TARGETS.values()))

_ARM = "aarch64 arm"
_PPC = "ppc64 ppc"
_RISCV = "riscv64 riscv32"

#: (names, targets); the first that a machine's name is among wins. A ``*`` stands for any end, or any beginning.
_MACHINES = (
    ("pc pc-* isapc microvm q35 xenfv xenfv-* xenpv x-remote nitro-enclave", "x86_64 i386"),
    ("virt-2.* virt-3.* virt-4.* virt-5.*", _ARM),
    ("virt-*", f"{_ARM} m68k"),
    ("virt", f"{_ARM} {_RISCV} loongarch64 m68k or1k xtensa xtensaeb"),
    ("s390-ccw-virtio s390-ccw-virtio-*", "s390x"),
    ("pseries pseries-* powernv*", "ppc64"),
    ("mac99 g3beige bamboo ppce500 mpc8544ds 40p sam460ex pegasos2 amigaone virtex-ml507 ref405ep taihu prep", _PPC),
    ("malta mips mipssim", "mips mipsel mips64 mips64el"),
    ("magnum pica61", "mips64 mips64el"),
    ("fulong2e fuloong2e loongson3-virt boston", "mips64el"),
    ("sun4u sun4v niagara", "sparc64"),
    ("SS-* LX Voyager SPARCClassic SPARCbook leon3_generic", "sparc"),
    ("clipper", "alpha"),
    ("or1k-sim", "or1k"),
    ("axis-dev88", "cris"),
    ("arduino-* uno mega* 2009", "avr"),
    ("tricore_testboard KIT_AURIX_*", "tricore"),
    ("hppa B160L C3700", "hppa"),
    ("q800 an5206 mcf5208evb next-cube", "m68k"),
    ("petalogix-* xlnx-zynqmp-pmu", "microblaze microblazeel"),
    ("r2d shix", "sh4 sh4eb"),
    ("microchip-icicle-kit shakti_c", "riscv64"),
    ("opentitan", "riscv32"),
    ("spike sifive_e sifive_u amd-microblaze-v-generic", _RISCV),
    ("lx60* lx200* ml605* kc705* sim", "xtensa xtensaeb"),
    ("gdbsim-r5f*", "rx"),
    ("10m50-ghrd nios2-*", "nios2"),
    ("moxiesim", "moxie"),
    ("lm32-* milkymist", "lm32"),
    ("puv3", "unicore32"),
    ("ast2700* imx8mp-evk npcm845-evb raspi3* raspi4* sbsa-ref xlnx-versal-* xlnx-zcu102", "aarch64"),
    ("collie *evb *-bmc fby35 mps2-* mps3-* musca-* netduino* stm32* olimex-* raspi* versatile*", _ARM),
    ("vexpress-* realview-* xilinx-* akita borzoi spitz terrier tosa mainstone quanta-gsj", _ARM),
    ("connex verdex z2 n800 n810 cheetah sx1* musicpal nuri smdkc210 highbank midway imx* kzm", _ARM),
    ("cubieboard orangepi-pc sabrelite mcimx* lm3s* microbit integratorcp canon-a1100", _ARM),
    ("b-l475e* bpim2u emcraft-sf2 digic*", _ARM),
)


@lru_cache(maxsize=64)
def targets_of(machine: str) -> tuple[Target, ...]:
    """The targets that have a machine type of this name; none if it is not in the table."""
    for machines, names in _MACHINES:
        if any(_is(machine, word) for word in machines.split()):
            return tuple(TARGETS[name] for name in names.split())
    return ()


def _is(machine: str, word: str) -> bool:
    if word.endswith("*"):
        return machine.startswith(word[:-1])
    return machine.endswith(word[1:]) if word.startswith("*") else machine == word
