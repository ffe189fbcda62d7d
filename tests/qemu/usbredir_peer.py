"""The other side of a usb-redir device: a keyboard that speaks the usbredir protocol over a socket.

The firmware finds it, sets it up and asks for its keys. The protocol is that of usbredir 0.7,
docs/usb-redirection-protocol.md.
"""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path

HELLO, DEVICE_CONNECT, INTERFACE_INFO, ENDPOINT_INFO = 0, 1, 4, 5
SET_CONFIGURATION, CONFIGURATION_STATUS = 6, 8
START_INTERRUPT, INTERRUPT_STATUS = 15, 17
CONTROL_PACKET, INTERRUPT_PACKET = 100, 103

#: Capabilities of the protocol that a peer has to have where both say them, by their bits.
VERSION_OF_DEVICE, PACKET_SIZES, LONG_IDS = 1, 4, 5

_CONTROL = struct.Struct("<BBBBHHH")
_DEVICE = bytes.fromhex("12 01 1001 00 00 00 08 2706 0100 0001 00 00 00 01")
_CONFIGURATION = bytes.fromhex(
    "09 02 2200 01 01 00 a0 32"  # one interface
    "09 04 00 00 01 03 01 01 00"  # HID, boot protocol, keyboard
    "09 21 1101 00 01 22 3f00"
    "07 05 81 03 0800 0a"  # endpoint IN 1, interrupt, 8 bytes, 10 ms
)


class UsbRedirPeer:
    """Waits for a device on a socket at ``path`` and serves it in a thread; a context manager."""

    def __init__(self, path: Path, *, long_ids: bool) -> None:
        self.polled = threading.Event()  # the guest has asked for keys
        self._header = struct.Struct("<IIQ" if long_ids else "<III")
        self._capabilities = 1 << VERSION_OF_DEVICE | 1 << PACKET_SIZES | long_ids << LONG_IDS
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> UsbRedirPeer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        if self._connection is not None:
            self._connection.close()
        self._thread.join(10)

    def key(self, code: int) -> bytes:
        """The packet that says that a key is down."""
        report = bytes((0, 0, code, 0, 0, 0, 0, 0))
        body = struct.pack("<BBH", 0x81, 0, len(report)) + report
        return self._header.pack(INTERRUPT_PACKET, len(body), 0) + body

    def put(self, data: bytes) -> None:
        """Sends bytes as they are."""
        assert self._connection is not None, "no device has come"
        self._connection.sendall(data)

    def _send(self, kind: int, body: bytes, number: int = 0) -> None:
        self.put(self._header.pack(kind, len(body), number) + body)

    def _take(self, size: int) -> bytes:
        assert self._connection is not None
        data = b""
        while len(data) < size:
            piece = self._connection.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def _serve(self) -> None:
        try:
            self._connection, _ = self._listener.accept()
            self._introduce()
            while True:
                kind, length, number = self._header.unpack(self._take(self._header.size))
                self._answer(kind, self._take(length), number)
        except (EOFError, OSError):
            return

    def _introduce(self) -> None:
        first = struct.Struct("<III")  # ids are short until both have said hello
        _, length, _ = first.unpack(self._take(first.size))
        self._take(length)
        hello = b"a keyboard".ljust(64, b"\0") + struct.pack("<I", self._capabilities)
        self.put(first.pack(HELLO, len(hello), 0) + hello)
        self._send(INTERFACE_INFO, struct.pack("<I", 1) + b"".join(bytes((each,)) + bytes(31) for each in (0, 3, 1, 1)))
        types, intervals, sizes = bytearray(b"\xff" * 32), bytearray(32), [0] * 32
        types[0] = types[16] = 0
        sizes[0] = sizes[16] = 8
        types[17], intervals[17], sizes[17] = 3, 10, 8
        self._send(ENDPOINT_INFO, bytes(types) + bytes(intervals) + bytes(32) + struct.pack("<32H", *sizes))
        self._send(DEVICE_CONNECT, struct.pack("<BBBBHHH", 1, 0, 0, 0, 0x0627, 1, 0x0100))

    def _answer(self, kind: int, body: bytes, number: int) -> None:
        if kind == CONTROL_PACKET:
            endpoint, request, direction, _, value, index, length = _CONTROL.unpack_from(body)
            data = b""
            if direction & 0x80:
                data = {1: _DEVICE, 2: _CONFIGURATION}.get(value >> 8, b"")[:length]
                length = len(data)
            self._send(
                CONTROL_PACKET, _CONTROL.pack(endpoint, request, direction, 0, value, index, length) + data, number
            )
        elif kind == SET_CONFIGURATION:
            self._send(CONFIGURATION_STATUS, bytes((0, body[0])), number)
        elif kind == START_INTERRUPT:
            self._send(INTERRUPT_STATUS, bytes((0, body[0])), number)
            self.polled.set()
