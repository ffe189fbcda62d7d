"""Facts that every expression of a spec may use without declaring them."""

from __future__ import annotations

from vmsgen.spec.expression import ValueType

#: Names that need no declaration, and their types.
AMBIENT: dict[str, ValueType] = {
    "version": "int",
    "qemu": "release",
    "host_endian": "endian",
    "target.arch": "text",
    "target.long_bits": "int",
    "target.big_endian": "bool",
    "section.bus": "text",
    "section.instance": "int",
    "machine.name": "text",
    "machine.release": "release",
}
