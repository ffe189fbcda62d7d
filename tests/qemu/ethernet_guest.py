"""A guest without a processor: Ethernet frames over a socket, enough TCP to open connections and to leave them open."""

from __future__ import annotations

import socket
import struct

MAC = bytes.fromhex("525400123456")
ADDRESS, GATEWAY = bytes((10, 0, 2, 15)), bytes((10, 0, 2, 2))
_ARP, _IPV4 = b"\x08\x06", b"\x08\x00"
_ARP_HEAD = struct.Struct("!HHBBH")
_TCP = struct.Struct("!HHIIBBHHH")
SYN, PUSH, ACK = 2, 8, 16


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


class EthernetGuest:
    """Frames to and from QEMU's ``-netdev socket``, which puts their length in 32 bits before them."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        connection.settimeout(20)
        self._gateway = b""

    def find_gateway(self) -> None:
        """Asks for the gateway's address and takes the answer."""
        self._send(b"\xff" * 6, _ARP, _ARP_HEAD.pack(1, 0x800, 6, 4, 1) + MAC + ADDRESS + bytes(6) + GATEWAY)
        while not self._gateway:
            self._frame()

    def open(self, port: int, server: bytes, server_port: int) -> Connection:
        """Opens a TCP connection."""
        connection = Connection(self, port, server, server_port)
        connection.open()
        return connection

    def send_segment(self, server: bytes, segment: bytes) -> None:
        """Sends a TCP segment whose checksum is zero yet."""
        pseudo = ADDRESS + server + struct.pack("!HH", 6, len(segment))
        segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 1, 0, 64, 6, 0) + ADDRESS + server
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        self._send(self._gateway, _IPV4, head + segment)

    def segment(self, port: int) -> tuple[int, int]:
        """Sequence number and flags of the next segment for a port."""
        while True:
            packet = self._frame()
            if packet is not None:
                head = _TCP.unpack_from(packet, (packet[0] & 15) * 4)
                if head[1] == port:
                    return head[2], head[5]

    def _send(self, to: bytes, kind: bytes, data: bytes) -> None:
        frame = (to + MAC + kind + data).ljust(60, b"\0")
        self._connection.sendall(struct.pack("!I", len(frame)) + frame)

    def _take(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._connection.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def _frame(self) -> bytes | None:
        """The next frame's IPv4 packet with TCP in it; questions for our address are answered."""
        (length,) = struct.unpack("!I", self._take(4))
        frame = self._take(length)
        kind, data = frame[12:14], frame[14:]
        if kind == _ARP and data[7] == 1 and data[24:28] == ADDRESS:
            answer = _ARP_HEAD.pack(1, 0x800, 6, 4, 2) + MAC + ADDRESS + data[8:18]
            self._send(frame[6:12], _ARP, answer)
        elif kind == _ARP and data[7] == 2:
            self._gateway = data[8:14]
        elif kind == _IPV4 and data[9] == 6:
            return data
        return None


class Connection:
    """A TCP connection whose segments are acknowledged only when it is opened."""

    def __init__(self, guest: EthernetGuest, port: int, server: bytes, server_port: int) -> None:
        self._guest, self._server = guest, server
        self._ports = port, server_port
        self.sequence, self.acknowledged = 1000, 0

    def open(self) -> None:
        """The three segments with which a connection begins."""
        self._send(SYN, options=bytes((2, 4, 0x05, 0xB4)))
        sequence, flags = self._guest.segment(self._ports[0])
        if flags & (SYN | ACK) != SYN | ACK:
            raise ConnectionError(f"flags {flags:#x} instead of an open connection")
        self.sequence, self.acknowledged = self.sequence + 1, sequence + 1
        self._send(ACK)

    def send(self, data: bytes) -> None:
        """Sends data."""
        self._send(PUSH | ACK, data)
        self.sequence += len(data)

    def _send(self, flags: int, data: bytes = b"", options: bytes = b"") -> None:
        offset = (20 + len(options)) // 4 << 4
        head = _TCP.pack(*self._ports, self.sequence, self.acknowledged, offset, flags, 8192, 0, 0)
        self._guest.send_segment(self._server, head + options + data)
