"""Device state described once: typed classes, ASN.1 schema and codecs for QEMU migration streams."""

from __future__ import annotations

TYPE_CHECKING = False  # (that of typing takes as long to import as all the rest of `vmsgen --version`)
if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO

    from vmsgen.stream.devices import Classes
    from vmsgen.stream.migration import Migration

__all__ = ["__version__", "open"]

__version__ = "0.1.0"


def open(
    place: str | os.PathLike[str] | BinaryIO | bytes,
    classes: Classes | None = None,
    *,
    props: Mapping[str, str] | None = None,
    machine: str | None = None,
    channels: Sequence[str | os.PathLike[str]] = (),
    snapshot: str | None = None,
    offset: int = 0,
) -> Migration:
    """Opens a migration stream, in QEMU's binary format or in BER, as an object to read, change and save.

    ``place`` is a path, an open binary file (a pipe too) or the bytes themselves. ``classes`` is the registry of a
    generated package (its ``REGISTRY``); what it lacks is read by the library that comes with vmsgen, and what that
    lacks by the stream's own description. ``props`` and ``machine`` are facts that the stream does not hold, as
    ``vmsgen show --prop`` takes them.

    ``channels`` are the files of its other channels (multifd, postcopy-preempt), whose pages then stand in it; the
    object is one plain stream, kept in a temporary file. ``place`` may be an image that holds a stream, and
    ``snapshot`` says which of a qcow2 image; ``offset`` is where the stream begins in the input.

    Raises OSError, and vmsgen.runtime.errors.DataError whose ``partial`` is the migration as far as it could be read.
    """
    from vmsgen.packages import Layers, shipped_library  # here, so that `import vmsgen` stays cheap
    from vmsgen.qemu.described import with_described
    from vmsgen.stream.migration import open_migration

    library = shipped_library()
    layers = [classes, library.REGISTRY if library is not None else None]
    known = with_described(Layers([layer for layer in layers if layer is not None]))
    return open_migration(
        place, known, props=props, machine=machine, channels=channels, snapshot=snapshot, offset=offset
    )
