"""Save images of libvirt (``virsh save``): a header, the guest's XML, and the migration stream, maybe compressed.

Numbers of the header are in the byte order of the host that wrote it (src/qemu/qemu_saveimage.h, libvirt 8 to 11).
"""

from __future__ import annotations

import bz2
import io
import lzma
import os
import struct
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO

from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.stream.transport.sink import FileSink

__all__ = ["MAGICS", "Inflated", "LibvirtSink", "SaveImage", "read_save_image"]

#: A complete image, and one that libvirt has not finished.
MAGICS = (b"LibvirtQemudSave", b"LibvirtQemudPart")
_SIZE = 16 + 5 * 4 + 14 * 4
_VERSION = 2
_MAX_XML = 64 << 20
_FORMATS = ("raw", "gzip", "bzip2", "xz", "lzop", "zstd")
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class SaveImage:
    """``header`` is everything before the stream as it stands there; ``xml`` is the guest's description."""

    header: bytes
    order: str  # of the numbers in the header, as struct says it
    running: bool
    compression: str
    xml: str

    def uncompressed(self) -> bytes:
        """The header for a stream that is not compressed."""
        return self.header[:28] + struct.pack(f"{self.order}I", 0) + self.header[32:]


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


class Inflated(io.RawIOBase):
    """The stream behind a header, decompressed as it is read. Owns ``file``. Raises VmsgenError for a compression that
    is not known here.
    """

    def __init__(self, file: BinaryIO, compression: str) -> None:
        super().__init__()
        made: dict[str, Any] = {
            "gzip": lambda: zlib.decompressobj(31),
            "bzip2": bz2.BZ2Decompressor,
            "xz": lzma.LZMADecompressor,
        }
        if compression not in made:
            raise VmsgenError(
                f"the stream in the libvirt save image is compressed by {compression}, which vmsgen does not open: "
                "cut the header off, decompress it, and give what comes out"
            )
        self._file = file
        self._compression = compression
        self._stream = made[compression]()
        self._ahead = b""

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Some bytes, none at the end. Raises DataError, OSError."""
        while not self._stream.eof:
            if not self._ahead and getattr(self._stream, "needs_input", True):
                self._ahead = self._file.read(_PIECE) or b""
                if not self._ahead:
                    raise DataError(f"the {self._compression} stream in the libvirt save image is cut")
            try:
                found = self._stream.decompress(self._ahead, len(buffer))
            except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
                raise DataError(f"the libvirt save image holds no {self._compression} stream: {error}") from None
            self._ahead = getattr(self._stream, "unconsumed_tail", b"")
            if found:
                buffer[: len(found)] = found
                return len(found)
        return 0

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
        super().close()


class LibvirtSink(FileSink):
    """Writes a stream behind the header of another save image, uncompressed. Raises DataError, OSError."""

    def __init__(self, template: str, path: str | os.PathLike[str]) -> None:
        with open(template, "rb", buffering=0) as file:
            header = read_save_image(file).uncompressed()
        super().__init__(path)
        self.write(header)
        self.offset = 0
