"""A compressed stream inside a file, decompressed as it is read: what libraries can, and lzop by the program of that
name.
"""

from __future__ import annotations

import bz2
import io
import lzma
import os
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

from vmsgen.runtime.errors import DataError, VmsgenError

__all__ = ["decompressed"]

_PIECE = 1 << 18
_FED = 1 << 10
_LONGEST_COMPLAINT = 300


def decompressed(file: io.FileIO, compression: str) -> io.RawIOBase:
    """What stands compressed in ``file`` from its position on; owns the file. Raises VmsgenError for a compression that
    cannot be read here.
    """
    if compression == "lzop":
        return _Program(file, ["lzop", "-dc", "--ignore-warn"])
    if compression not in _LIBRARIES:
        raise VmsgenError(f"the stream in the save image is compressed by {compression}, which is not known")
    return _Inflated(file, compression, _LIBRARIES[compression]())


class _Inflated(io.RawIOBase):
    """By a library."""

    def __init__(self, file: BinaryIO, compression: str, stream: Any) -> None:
        super().__init__()
        self._file = file
        self._compression = compression
        self._stream = stream
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
                    raise DataError(f"the {self._compression} stream in the save image is cut")
            try:
                found = self._stream.decompress(self._ahead, len(buffer))
            except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
                raise DataError(f"the save image holds no {self._compression} stream: {error}") from None
            self._ahead = getattr(self._stream, "unconsumed_tail", b"")
            if found:
                buffer[: len(found)] = found
                return len(found)
        return 0

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
        super().close()


class _Zstd:
    """As the decompressors of the standard library are. A few bytes can become many, so few are taken at once."""

    def __init__(self) -> None:
        try:
            import zstandard
        except ImportError:
            raise VmsgenError(
                "save images compressed by zstd need the package zstandard: pip install zstandard"
            ) from None
        self._stream = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
        self._error = zstandard.ZstdError
        self._given = memoryview(b"")
        self._made = memoryview(b"")

    @property
    def eof(self) -> bool:
        return bool(self._stream.eof) and not self._made

    @property
    def needs_input(self) -> bool:
        return not self._given and not self._made

    def decompress(self, data: bytes, size: int) -> memoryview:
        if data:
            self._given = memoryview(data)
        while not self._made and self._given and not self._stream.eof:
            try:
                self._made = memoryview(self._stream.decompress(self._given[:_FED]))
            except self._error as error:
                raise EOFError(str(error)) from None
            self._given = self._given[_FED:]
        found, self._made = self._made[:size], self._made[size:]
        return found


_LIBRARIES: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
    "zstd": _Zstd,
}


class _Program(io.RawIOBase):
    """By a program that reads the file from where it stands, and prints what is in it."""

    def __init__(self, file: io.FileIO, command: list[str]) -> None:
        super().__init__()
        self._name = command[0]
        if shutil.which(self._name) is None:
            raise VmsgenError(f"save images compressed by {self._name} need the program {self._name}")
        self._complaint = tempfile.TemporaryFile(prefix="vmsgen-")  # noqa: SIM115 - closed by close
        self._process = subprocess.Popen(command, stdin=file, stdout=subprocess.PIPE, stderr=self._complaint, bufsize=0)
        file.close()

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Some bytes, none at the end. Raises DataError where the program failed, OSError."""
        assert self._process.stdout is not None
        found = os.readv(self._process.stdout.fileno(), [buffer])
        if not found and self._process.wait():
            self._complaint.seek(0)
            said = " ".join(self._complaint.read(_LONGEST_COMPLAINT).decode(errors="replace").split())
            raise DataError(f"{self._name} cannot read the stream in the save image: {said}")
        return found

    def close(self) -> None:
        """Ends the program."""
        if not self.closed:
            self._process.kill()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process.wait()
            self._complaint.close()
        super().close()
