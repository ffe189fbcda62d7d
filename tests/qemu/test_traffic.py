"""What only traffic puts into a stream: connections of slirp, and packets of a redirected USB device."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.qemu.capture import migrate
from tests.qemu.conftest import QemuBinary, Vmsgen
from tests.qemu.ethernet_guest import EthernetGuest
from tests.qemu.machine import QUIET, Qemu
from tests.qemu.sets import RELEASES
from tests.qemu.test_roundtrip import same
from tests.qemu.usbredir_peer import UsbRedirPeer
from vmsgen.library import REGISTRY
from vmsgen.stream.items import Section, State
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.text.statistics import opaque_leaves
from vmsgen.stream.transport.source import ByteSource

ESTABLISHED = 4  # state of a connection
INTERRUPT = 3  # type of an endpoint

SERVER, PORT = bytes((10, 0, 2, 100)), 1234
GUEST_SAID, SERVER_SAID = b"a question of the guest", b"an answer that nobody acknowledges"


def state_of(stream: Path, name: str) -> Any:
    """The object of the one section of this state; fails if some of its bytes have no name."""
    found = []
    with ByteSource.open(stream) as source:
        for item in StreamReader(source, REGISTRY).items():
            if isinstance(item, Section):
                item.exhaust()
                if item.name.rpartition("/")[2] == name:
                    assert isinstance(item.body, State), item.body
                    assert opaque_leaves(item) == []
                    found.append(item.body.value)
    (value,) = found
    return value


def round_trip(stream: Path, vmsgen: Vmsgen) -> None:
    """Fails if the stream comes back from BER with other bytes."""
    ber, again = stream.with_suffix(".ber"), stream.with_suffix(".again")
    vmsgen("convert", stream, ber, "--to", "ber")
    vmsgen("convert", ber, again, "--to", "binary")
    same(stream, again)


@pytest.mark.parametrize("release", ["5.2", *RELEASES])
def test_connections_of_slirp(release: str, qemu: QemuBinary, vmsgen: Vmsgen, tmp_path: Path) -> None:
    binary, stream, forwarded = qemu(release), tmp_path / "slirp.mig", tmp_path / "server"
    with socket.socket() as network, socket.socket(socket.AF_UNIX) as server:
        network.bind(("127.0.0.1", 0))
        network.listen(1)
        server.bind(str(forwarded))
        server.listen(1)
        hub = [
            *("-netdev", f"user,id=slirp,guestfwd=tcp:10.0.2.100:{PORT}-unix:{forwarded}"),
            *("-netdev", f"socket,id=wire,connect=127.0.0.1:{network.getsockname()[1]}"),
            *("-netdev", "hubport,id=one,hubid=0,netdev=slirp", "-netdev", "hubport,id=two,hubid=0,netdev=wire"),
        ]
        with Qemu([binary, "-m", "16", "-nodefaults", *QUIET, *hub], tmp_path) as machine:
            wire, _ = network.accept()
            far_end, _ = server.accept()
            with wire, far_end:
                far_end.settimeout(20)
                guest = EthernetGuest(wire)
                guest.find_gateway()
                guest.open(1111, SERVER, PORT).send(GUEST_SAID)
                assert far_end.recv(100) == GUEST_SAID
                far_end.sendall(SERVER_SAID)
                guest.segment(1111)  # an acknowledgement, or the answer: slirp has it by now or soon
                time.sleep(0.5)
                migrate(machine, stream)
    (connection,) = state_of(stream, "slirp").sockets
    assert connection.so_tcpcb.t_state == ESTABLISHED
    assert connection.so_tcpcb.rcv_nxt == 1001 + len(GUEST_SAID)
    assert connection.so_tcpcb.snd_nxt - connection.so_tcpcb.snd_una == len(SERVER_SAID)
    assert connection.so_snd.sb_cc == len(SERVER_SAID)
    assert connection.so_snd.sb_data.startswith(SERVER_SAID)
    assert connection.so_snd.woff == len(SERVER_SAID)
    assert connection.lhost.sin_sin_port == int.from_bytes((1111).to_bytes(2, "big"), "little")
    round_trip(stream, vmsgen)


@pytest.mark.parametrize("long_ids", [True, False], ids=["ids of 64 bits", "ids of 32 bits"])
@pytest.mark.parametrize("release", ["5.2", *RELEASES])
def test_a_redirected_keyboard(release: str, long_ids: bool, qemu: QemuBinary, vmsgen: Vmsgen, tmp_path: Path) -> None:
    binary, stream, path = qemu(release), tmp_path / "redir.mig", tmp_path / "peer"
    device = ["-chardev", f"socket,id=peer,path={path}", "-device", "usb-redir,chardev=peer"]
    with (
        UsbRedirPeer(path, long_ids=long_ids) as peer,
        Qemu([binary, "-m", "24", "-nodefaults", *QUIET, "-device", "piix3-usb-uhci", *device], tmp_path) as machine,
    ):
        assert peer.polled.wait(60), "the firmware has not asked for keys"
        time.sleep(0.3)
        cut = peer.key(0x1D)[:-5]
        peer.put(b"".join(map(peer.key, range(4, 28))) + cut)  # more than the guest takes at once
        time.sleep(0.01)
        machine.qmp("stop")
        migrate(machine, stream)
    redirected = state_of(stream, "usb-redir")
    assert redirected.device_info.vendor_id == 0x0627
    assert redirected.interface_info.interface_class[:2] == [3, 0]
    endpoint = redirected.endpoint[17]
    assert endpoint.type == INTERRUPT
    assert endpoint.interrupt_started == 1
    assert endpoint.bufpq
    assert [packet.data[2] for packet in endpoint.bufpq] == list(range(28 - len(endpoint.bufpq), 28))
    parser = redirected.parser
    assert len(parser.header) == (16 if long_ids else 12)
    assert parser.header + parser.type_header + parser.data == cut
    round_trip(stream, vmsgen)
