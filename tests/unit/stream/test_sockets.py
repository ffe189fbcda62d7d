"""Streams over sockets: addresses, roles, and who may reach them."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.processes import started
from vmsgen.cli import run
from vmsgen.stream.transport.sockets import Address, AddressError, accepted, connected, parse_address

SAMPLE = Path(__file__).parents[3] / "examples/sample.mig.xz"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("unix:/run/guest", Address("unix:/run/guest", path="/run/guest")),
        ("unix:guest:1", Address("unix:guest:1", path="guest:1")),
        ("tcp:127.0.0.1:4444", Address("tcp:127.0.0.1:4444", host="127.0.0.1", port=4444)),
        ("tcp:[::1]:0", Address("tcp:[::1]:0", host="::1", port=0)),
        ("tcp::4444", Address("tcp::4444", host="localhost", port=4444)),
        ("guest.mig", None),
        ("./unix:guest", None),
        ("-", None),
        ("exec:cat", None),
        ("C:guest", None),
    ],
)
def test_addresses(text: str, address: Address | None) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["unix:", "tcp:", "tcp:4444", "tcp:host:", "tcp:host:x", "tcp:host:65536", "tcp:h:²"])
def test_malformed_addresses(text: str) -> None:
    with pytest.raises(AddressError, match=r"expected (unix|tcp):"):
        parse_address(text)


@pytest.mark.parametrize("text", ["tcp:192.0.2.1:4444", "tcp:0.0.0.0:4444", "tcp:[::]:4444"])
def test_other_machines_must_be_asked_for(text: str) -> None:
    address = parse_address(text)
    assert address is not None
    for role in (accepted, connected):
        with pytest.raises(AddressError, match="--remote"), role(address):
            raise AssertionError("it was opened")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_what_is_written_is_read(kind: str, tmp_path: Path) -> None:
    address = parse_address(f"unix:{tmp_path}/s" if kind == "unix" else f"tcp:127.0.0.1:{_free_port()}")
    assert address is not None
    got = bytearray()

    def listen() -> None:
        with accepted(address) as raw:
            while piece := raw.read(7):
                got.extend(piece)

    listener = threading.Thread(target=listen)
    listener.start()
    _send(address, b"a migration stream")
    listener.join(10)
    assert got == b"a migration stream"
    assert not list(tmp_path.iterdir()), "the socket goes with who listened"


def _send(address: Address, data: bytes) -> None:
    for _ in range(200):
        try:
            with connected(address) as raw:
                raw.write(data)
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"nobody listened at {address.text}")


def test_only_this_user_may_connect_to_a_path(tmp_path: Path) -> None:
    address = Address("unix", path=str(tmp_path / "s"))

    def listen() -> None:
        with accepted(address) as raw:
            raw.read(1)

    listener = threading.Thread(target=listen)
    listener.start()
    while not (tmp_path / "s").exists():
        time.sleep(0.01)
    assert (tmp_path / "s").stat().st_mode & 0o077 == 0
    _send(address, b"x")
    listener.join(10)


def test_nobody_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["convert", "-", f"unix:{tmp_path}/none"]) == 2
    assert f"vmsgen: unix:{tmp_path}/none: No such file" in capsys.readouterr().err
    (tmp_path / "taken").write_text("mine")
    assert run(["convert", f"unix:{tmp_path}/taken", str(tmp_path / "out")]) == 2
    assert "Address already in use" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken"], "nothing half-written stays"
    assert run(["convert", "tcp:nowhere:x", str(tmp_path / "out")]) == 2
    assert "expected tcp:HOST:PORT" in capsys.readouterr().err


def test_a_stream_through_two_converters(tmp_path: Path) -> None:
    """Binary to BER over a path, BER to binary over a port."""
    import lzma

    stream = lzma.decompress(SAMPLE.read_bytes())
    (tmp_path / "in.mig").write_bytes(stream)
    middle = f"tcp:127.0.0.1:{_free_port()}"
    convert = [sys.executable, "-m", "vmsgen", "convert"]
    with started([*convert, middle, str(tmp_path / "out.mig"), "--to", "binary"]) as second:
        for _ in range(100):
            first = subprocess.run(
                [*convert, str(tmp_path / "in.mig"), middle, "--to", "ber"], capture_output=True, check=False
            )
            if b"refused" not in first.stderr:
                break
            time.sleep(0.1)
        assert first.returncode == 0, first.stderr
        assert second.wait(60) == 0
    assert (tmp_path / "out.mig").read_bytes() == stream
