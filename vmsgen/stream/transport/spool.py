"""What is left of an input, kept for random access: in memory up to a bound, beyond that in a temporary file that is
mapped.

The description of the device sections stands behind them, so they can be read only when everything has arrived.
"""

from __future__ import annotations

from vmsgen.stream.transport.part import named, scratch_name
from vmsgen.stream.transport.source import ByteSource, MemorySource

__all__ = ["MEMORY_LIMIT", "spool"]

MEMORY_LIMIT = 256 << 20


def spool(source: ByteSource, memory_limit: int = MEMORY_LIMIT) -> MemorySource:
    """Everything from the source's position on, as a source whose slices stay valid. Raises OSError."""
    if isinstance(source, MemorySource):
        return source
    base = source.offset
    small = source.rest_at_once()
    if small is not None:
        return MemorySource(small, base=base, name=source.name)
    data = bytearray()
    pieces = source.rest()
    for piece in pieces:
        data += piece
        if len(data) > memory_limit:
            break
    else:
        source.drop_buffer()
        return MemorySource(data, base=base, name=source.name)
    import mmap  # here, because most streams are small
    import tempfile

    # the mapping keeps the file's contents alive; the file itself has no name and goes with it
    with tempfile.TemporaryFile(prefix="vmsgen-") as file:
        with named(scratch_name()):
            file.write(data)
            del data
            for piece in pieces:
                file.write(piece)
            file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return MemorySource(memoryview(mapped), base=base, name=source.name)
