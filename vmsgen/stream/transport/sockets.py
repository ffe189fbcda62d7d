"""Streams over sockets, whose addresses are written as QEMU writes them: ``unix:PATH``, ``tcp:HOST:PORT``.

The roles are QEMU's too: what is read listens, as ``-incoming`` does, and what is written connects, as ``migrate``
does (``qapi/migration.json`` and ``docs/devel/migration``, QEMU 5.2 to 10.0).
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from vmsgen.runtime.errors import VmsgenError
from vmsgen.stream.transport.part import named

__all__ = ["Address", "AddressError", "accepted", "connected", "parse_address"]


#: Seconds in which a receiver that was sent everything is expected to close.
_FAREWELL = 5.0


class AddressError(VmsgenError, ValueError):
    """An address that cannot be used; the text says what would be right."""


@dataclass(frozen=True, slots=True)
class Address:
    """A place to listen at or to connect to. ``host`` is empty for a path; ``port`` 0 lets the system choose one."""

    text: str
    path: str = ""
    host: str = ""
    port: int = 0


def parse_address(text: str) -> Address | None:
    """The address that ``text`` is, None if it is the name of a file. Raises AddressError for a malformed one.

    A file whose name begins so is reached as ``./unix:NAME``.
    """
    kind, colon, rest = text.partition(":")
    if not colon or kind not in ("unix", "tcp"):
        return None
    if kind == "unix":
        if not rest or "\0" in rest:
            raise AddressError(f"{text!r}: expected unix:PATH")
        return Address(text, path=rest)
    host, colon, port = rest.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 0xFFFF or "\0" in host:
        raise AddressError(f"{text!r}: expected tcp:HOST:PORT, such as tcp:127.0.0.1:4444")
    return Address(text, host=host or "localhost", port=int(port))


@contextlib.contextmanager
def accepted(address: Address, *, remote: bool = False) -> Iterator[socket.SocketIO]:
    """Listens, takes the first who connects, and gives what is read from him; nobody else is heard.

    ``remote``: also addresses that other machines reach. Raises AddressError, OSError (with the address as its file).
    """
    with _resolved(address), named(address.text), _bound(address, remote) as server:
        server.listen(1)
        connection, _ = server.accept()
    with connection, connection.makefile("rb", buffering=0) as raw:
        yield raw


@contextlib.contextmanager
def connected(address: Address, *, remote: bool = False, answers: bool = False) -> Iterator[socket.SocketIO]:
    """Connects, and gives what is written to the other side. ``answers``: somebody else reads what comes back. Raises
    as :func:`accepted`.
    """
    with _resolved(address), named(address.text):
        if address.path:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(address.path)
            except BaseException:
                connection.close()
                raise
        else:
            _check(address, remote)
            connection = socket.create_connection((address.host, address.port))
    with connection, connection.makefile("wb", buffering=0) as raw:
        yield raw
        with named(address.text):
            connection.shutdown(socket.SHUT_WR)
            if not answers:
                _see_off(connection)


def _see_off(connection: socket.socket) -> None:
    """Waits a while for the other side to close. Raises OSError if it does so before it has read everything."""
    connection.settimeout(_FAREWELL)
    with contextlib.suppress(TimeoutError):  # it may have reasons to keep the connection
        while connection.recv(1 << 16):
            pass


@contextlib.contextmanager
def _bound(address: Address, remote: bool) -> Iterator[socket.socket]:
    if not address.path:
        _check(address, remote)
        family, _, _, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(place)
            yield server
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        mask = os.umask(0o177)  # whoever may connect may give us a guest: nobody but this user
        try:
            server.bind(address.path)
        finally:
            os.umask(mask)
        try:
            yield server
        finally:
            with contextlib.suppress(OSError):
                os.unlink(address.path)


def _check(address: Address, remote: bool) -> None:
    """Refuses what other machines could reach, or what is on one: a migration stream is a guest's whole memory."""
    if remote:
        return
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    for _, _, _, _, place in found:
        if not ipaddress.ip_address(str(place[0]).partition("%")[0]).is_loopback:
            raise AddressError(f"{address.text} is not of this machine alone; --remote allows that")


@contextlib.contextmanager
def _resolved(address: Address) -> Iterator[None]:
    """A name that no machine has is an error of the address."""
    try:
        yield
    except socket.gaierror as error:
        raise AddressError(f"{address.text}: {error.strerror}") from error
