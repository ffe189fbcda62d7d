"""Files that hold a migration stream somewhere inside: save images of libvirt, and snapshots of qcow2 images."""

from __future__ import annotations

import io
import os
import stat
from typing import TYPE_CHECKING

from vmsgen.runtime.errors import VmsgenError
from vmsgen.stream.ber.tags import MAGIC_TAG
from vmsgen.stream.marks import MAGIC

if TYPE_CHECKING:
    from vmsgen.stream.transport.sink import ByteSink

# What reads and writes images is imported for images: most inputs are plain files.

__all__ = ["image_note", "image_sink", "opened"]

_LONGEST_MAGIC = 16
#: How a file begins that is a stream itself.
_STREAMS = (MAGIC, MAGIC_TAG)


def _magic(file: io.FileIO) -> bytes:
    """How a file begins; nothing of one that is no file, because it can be read only once."""
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return b""
    return os.pread(file.fileno(), _LONGEST_MAGIC, 0)


def opened(path: str | os.PathLike[str], snapshot: str | None = None) -> io.RawIOBase:
    """The stream in a file, told by its first bytes: that of a ``snapshot`` (by default of the only one) of a qcow2
    image, what stands behind the header of a libvirt save image, or else the file itself. Raises VmsgenError, OSError.
    """
    file = io.FileIO(path, "rb")
    try:
        magic = _magic(file)
        if magic.startswith(_STREAMS) and snapshot is None:
            return file
        from vmsgen.stream.images import libvirt, qcow2

        if magic[:4] == qcow2.MAGIC:
            return qcow2.SnapshotState(file, qcow2.chosen_snapshot(file, snapshot))
        if snapshot is not None:
            raise VmsgenError(f"{os.fspath(path)} is no qcow2 image, and has no snapshots")
        if magic in libvirt.MAGICS:
            image = libvirt.read_save_image(file)
            if image.compression in libvirt.STORED:
                return file
            from vmsgen.stream.images.compressed import decompressed

            return decompressed(file, image.compression)
    except BaseException:
        file.close()
        raise
    return file


def image_note(path: str | os.PathLike[str], snapshot: str | None = None) -> str | None:
    """What holds the stream, in a few words; None where that is a plain file. Raises VmsgenError, OSError."""
    if not os.path.isfile(path):
        return None  # a pipe, which is opened only once
    with io.FileIO(path, "rb") as file:
        magic = _magic(file)
        if magic.startswith(_STREAMS):
            return None
        from vmsgen.stream.images import libvirt, qcow2

        if magic[:4] == qcow2.MAGIC:
            found = qcow2.chosen_snapshot(file, snapshot)
            return f"snapshot {found.name} of a qcow2 image, {found.state_size} bytes"
        if magic not in libvirt.MAGICS:
            return None
        image = libvirt.read_save_image(file)
        unfinished = ", not finished" if magic == libvirt.MAGICS[1] else ""
        state = "running" if image.running else "stopped"
        return (
            f"libvirt save image{unfinished}: {len(image.header)} bytes with the guest's XML before the stream, "
            f"compression {image.compression}, guest {state}"
        )


def image_sink(template: str, path: str, snapshot: str | None = None) -> ByteSink:
    """A sink that makes a copy of an image with another stream in it. Raises VmsgenError, OSError."""
    with io.FileIO(template, "rb") as file:
        magic = _magic(file)
    from vmsgen.stream.images import libvirt, qcow2
    from vmsgen.stream.images.qcow2_copy import Qcow2Sink

    if magic[:4] == qcow2.MAGIC:
        return Qcow2Sink(template, path, snapshot)
    if magic in libvirt.MAGICS:
        return libvirt.LibvirtSink(template, path)
    raise VmsgenError(f"{template} is neither a qcow2 image nor a save image of libvirt")
