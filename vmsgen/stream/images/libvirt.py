"""Save images of libvirt (``virsh save``): a header, the guest's XML, and the migration stream, maybe compressed.

Numbers of the header are in the byte order of the host that wrote it (src/qemu/qemu_saveimage.h, libvirt 8 to 11).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from vmsgen.runtime.errors import DataError
from vmsgen.stream.transport.sink import FileSink

__all__ = ["MAGICS", "STORED", "LibvirtSink", "SaveImage", "read_save_image"]

#: A complete image, and one that libvirt has not finished.
MAGICS = (b"LibvirtQemudSave", b"LibvirtQemudPart")
_SIZE = 16 + 5 * 4 + 14 * 4
_VERSION = 2
_MAX_XML = 64 << 20
#: ``sparse`` (libvirt 11.2 and later) is a mapped-ram file, whose places count from the start of the image.
_FORMATS = ("raw", "gzip", "bzip2", "xz", "lzop", "zstd", "sparse")
#: Those that are no compression.
STORED = ("raw", "sparse")


@dataclass(frozen=True, slots=True)
class SaveImage:
    """``header`` is everything before the stream as it stands there; ``xml`` is the guest's description."""

    header: bytes
    order: str  # of the numbers in the header, as struct says it
    running: bool
    compression: str
    xml: str

    def with_compression(self, name: str) -> bytes:
        """The header for a stream that is stored so."""
        return self.header[:28] + struct.pack(f"{self.order}I", _FORMATS.index(name)) + self.header[32:]


def read_save_image(file: BinaryIO) -> SaveImage:
    """Reads the header; the file then stands at the stream. Raises DataError."""
    raw = _exactly(file, _SIZE)
    for order in "<>":
        version, size, running, form, _ = struct.unpack_from(f"{order}5I", raw, 16)
        if version == _VERSION:
            break
    else:
        raise DataError(f"expected a libvirt save image of version {_VERSION}, found {raw[16:20].hex()}", offset=16)
    if size > _MAX_XML:
        raise DataError(f"a libvirt save image with {size} bytes of XML, more than {_MAX_XML}", offset=20)
    data = _exactly(file, size)
    name = _FORMATS[form] if form < len(_FORMATS) else f"method {form}"
    return SaveImage(raw + data, order, bool(running), name, data.split(b"\0", 1)[0].decode(errors="replace"))


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = file.read(size - len(data))
        if not piece:
            raise DataError("the file ends inside the header of a libvirt save image", offset=len(data))
        data += piece
    return data


class LibvirtSink(FileSink):
    """Writes a stream behind the header of another save image, uncompressed. Raises DataError, OSError."""

    def __init__(self, template: str, path: str | os.PathLike[str]) -> None:
        with open(template, "rb", buffering=0) as file:
            self._image = read_save_image(file)
        super().__init__(path)
        header = self._image.with_compression("raw")
        self.begin_at = len(header)
        self.write(header)
        self.offset = 0

    def hole(self, size: int) -> None:
        """Leaves a hole, as a mapped-ram file has them and no other: the header then says that it is one."""
        super().hole(size)
        if size:
            os.pwrite(self._part.file.fileno(), self._image.with_compression("sparse")[:_SIZE], 0)
