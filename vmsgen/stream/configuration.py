"""The configuration section of the binary format: ``07``, the machine's name, and up to three subsections.

It is a VMState without section header, version and footer; its end is where no subsection follows (migration/savevm.c,
vmstate_configuration, QEMU 5.2, 7.2 and 10.0).
"""

from __future__ import annotations

from vmsgen.runtime.errors import DataError, LimitError
from vmsgen.stream.items import Configuration, wire_name
from vmsgen.stream.transport.sink import ByteSink
from vmsgen.stream.transport.source import ByteSource

__all__ = ["MARK", "read_configuration", "write_configuration"]

MARK = 0x07
SUBSECTION = 0x05
MAX_NAME = 1 << 12
MAX_CAPABILITIES = 1 << 10

_PAGE_BITS = b"configuration/target-page-bits"
_CAPABILITIES = b"configuration/capabilities"
_UUID = b"configuration/uuid"
_ORDER = (_PAGE_BITS, _CAPABILITIES, _UUID)


def read_configuration(source: ByteSource) -> Configuration:
    """Reads the section after its mark. Raises DataError."""
    what = "the configuration section"
    machine = source.read(source.u32(what), "the machine's name", limit=MAX_NAME)
    page_bits: int | None = None
    capabilities: tuple[bytes, ...] | None = None
    uuid: bytes | None = None
    at = 0
    while source.peek(1) == bytes((SUBSECTION,)):
        where = source.offset
        source.pos += 1
        name = source.str8(what)
        if name not in _ORDER[at:]:
            told = "in another order than QEMU writes" if name in _ORDER else "of an unknown length"
            raise DataError(
                f"a subsection {name.decode(errors='replace')!r} {told}", section="configuration", offset=where
            )
        at = _ORDER.index(name) + 1
        version = source.u32(what)
        if version != 1:
            raise DataError(
                f"subsection {name.decode()} of version {version}, expected 1", section="configuration", offset=where
            )
        if name == _PAGE_BITS:
            page_bits = source.u32(what)
        elif name == _CAPABILITIES:
            count = source.u32(what)
            if count > MAX_CAPABILITIES:
                raise LimitError(
                    f"{count} capabilities, more than {MAX_CAPABILITIES}", section="configuration", offset=where
                )
            capabilities = tuple(source.str8(what) for _ in range(count))
            for capability in capabilities:
                wire_name(capability, "the name of a capability", where)
        else:
            uuid = source.read(16, what)
    return Configuration(machine, page_bits, capabilities, uuid)


def write_configuration(sink: ByteSink, item: Configuration) -> None:
    """Writes the section with its mark."""
    parts = [bytes((MARK,)), len(item.machine).to_bytes(4, "big"), item.machine]
    if item.target_page_bits is not None:
        parts += [_subsection(_PAGE_BITS, 1), item.target_page_bits.to_bytes(4, "big")]
    if item.capabilities is not None:
        parts += [_subsection(_CAPABILITIES, 1), len(item.capabilities).to_bytes(4, "big")]
        parts += [bytes((len(name),)) + name for name in item.capabilities]
    if item.uuid is not None:
        parts += [_subsection(_UUID, 1), item.uuid]
    for unknown in item.unknown:
        parts += [_subsection(unknown.name, unknown.version), unknown.content]
    sink.write(b"".join(parts))


def _subsection(name: bytes, version: int) -> bytes:
    return bytes((SUBSECTION, len(name))) + name + version.to_bytes(4, "big")
