"""Every value of every section of real streams against what QEMU's own analyzer prints.

None of these x86 streams meets a fault that the analyzer is known for (it drops elements of arrays of
pointers, gives up at commands, and has signed instance numbers): nothing is excepted.
"""

from __future__ import annotations

import re

import vmsgen as library
from tests.qemu.conftest import Analyzer, Stream
from tests.qemu.leaves import differences, ours, theirs
from tests.qemu.sets import every_stream


@every_stream
def test_values_are_those_of_the_analyzer(name: str, release: str, stream: Stream, analyzer: Analyzer) -> None:
    path = stream(name, release)
    printed = analyzer(path, release)
    named = {int(match[2]): (match[1], tree) for match, tree in ((_key(k), v) for k, v in printed.items())}
    found: list[str] = []
    compared = 0
    with library.open(path) as migration:
        for section in migration.devices:
            title, tree = named.pop(section.id)
            assert title == section.name
            if section.state is None:
                found.append(f"{title}: only bytes ({section.warning or 'no spec'})")
                continue
            right = theirs(tree)
            compared += len(right)
            # What QEMU writes by hand for virtio is one leaf to the analyzer, headers of subsections included.
            found += [f"{title}: {line}" for line in differences(ours(section.state, headers="virtio" in tree), right)]
    assert found == [], "\n".join(found)
    assert [title for title, _ in named.values()] == ["ram"]
    assert compared > 1000


def _key(printed: str) -> re.Match[str]:
    """Name and section number of a key of the analyzer: ``cpu (6)``."""
    match = re.fullmatch(r"(.*) \((\d+)\)", printed)
    assert match is not None, printed
    return match
