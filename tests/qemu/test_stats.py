"""How many bytes of real streams are named and typed: all of them, but what the guests of slirp and virtio hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.qemu.conftest import Stream, Vmsgen
from tests.qemu.sets import every_stream


def vmdesc(path: Path) -> dict[str, Any]:
    """The JSON that QEMU puts at the end: found from the end, by its length (and not by vmsgen)."""
    data = path.read_bytes()
    at = len(data)
    while (at := data.rfind(b"\x06", 0, at)) >= 0:
        if int.from_bytes(data[at + 1 : at + 5], "big") == len(data) - at - 5:
            found: dict[str, Any] = json.loads(data[at + 5 :])
            return found
    raise AssertionError(f"no vmdesc in {path}")


def hand_written(node: Any, type_name: str) -> int:
    """Bytes of the fields of one type, anywhere below a part of a vmdesc."""
    if isinstance(node, list):
        return sum(hand_written(inner, type_name) for inner in node)
    if not isinstance(node, dict):
        return 0
    own = node["size"] if node.get("type") == type_name else 0
    return own + sum(hand_written(inner, type_name) for inner in node.values())


def leaf_bytes(node: Any) -> int:
    """Bytes of all leaves of a part of a vmdesc: device state, without the headers of subsections."""
    if isinstance(node, list):
        return sum(map(leaf_bytes, node))
    inner = node.get("struct")
    if "fields" in node and "size" not in node:  # a section, a nested state or a subsection
        return leaf_bytes(node["fields"]) + leaf_bytes(node.get("subsections", []))
    if "fields" in node and "type" not in node:  # a section that QEMU writes by hand
        return leaf_bytes(node["fields"])
    one: int = leaf_bytes(inner) if inner else node["size"]
    return one * int(node.get("array_len", 1))


def may_be_opaque(path: Path) -> int:
    """Bytes that QEMU writes by hand for slirp and virtio."""
    devices = vmdesc(path)["devices"]
    slirp = [device for device in devices if device["name"] == "slirp"]
    return hand_written(slirp, "buffer") + hand_written(devices, "virtio")


@every_stream
def test_every_byte_is_accounted_for(name: str, release: str, stream: Stream, vmsgen: Vmsgen) -> None:
    path = stream(name, release)
    stats = json.loads(vmsgen("show", path, "--stats", "--format", "json"))
    parts = {key: stats[key] for key in ("ram", "framing", "typed", "opaque")}
    assert stats["bytes"] == sum(parts.values()) == path.stat().st_size
    assert parts["opaque"] <= may_be_opaque(path), parts
    assert parts["typed"] + parts["opaque"] >= leaf_bytes(vmdesc(path)["devices"]), parts


@every_stream
def test_every_section_is_listed(name: str, release: str, stream: Stream, vmsgen: Vmsgen) -> None:
    path = stream(name, release)
    listed = json.loads(vmsgen("show", path, "--format", "json"))["sections"]
    expected = [(device["name"], device["instance_id"]) for device in vmdesc(path)["devices"]]
    found = [(section["name"], section["instance"]) for section in listed]
    assert [each for each in found if each[0] != "ram"] == expected
