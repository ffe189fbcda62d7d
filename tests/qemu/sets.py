"""Which streams the tests of this folder go through."""

from __future__ import annotations

import pytest

#: The machines of x86 that every release must read completely (corpus.toml has them).
NAMES = (
    "pc-7.2",
    "pc-5.2",
    "pc-2.4",
    "q35-7.2",
    "pc-smp4-max",
    "pc-slirp",
    "pc-blk-request",
    "pc-scsi-request",
    "dirty-pc",
    "kvm-pc",
)
RELEASES = ("7.2", "10.0")

#: Others: the machine types that only one release has, and 5.2 where it is installed.
MORE = (("pc-newest", "10.0"), ("q35-newest", "10.0"), ("pc-2.4", "5.2"), ("pc-5.2", "5.2"), ("q35-newest", "5.2"))

_pairs = [(name, release) for release in RELEASES for name in NAMES] + list(MORE)

every_stream = pytest.mark.parametrize(
    ("name", "release"), [pytest.param(name, release, id=f"{name}@{release}") for name, release in _pairs]
)
