"""Whether costs grow as the work does: a quarter, a half and all of the specs; streams of few and many devices."""

from __future__ import annotations

import itertools
import lzma
import random
import re
import struct
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.build import BUILD, copied, emptied
from benchmarks.measure import Row, by_turns, command, row

_CLONE = Path(__file__).parents[1]
_SAMPLE = _CLONE / "examples" / "sample.mig.xz"


def rows() -> Iterator[Row]:
    """Each size against the next smaller one."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _specs(Path(folder))
        yield from _streams(Path(folder))


def _specs(folder: Path) -> Iterator[Row]:
    contestants = {}
    for parts in (4, 2, 1):
        clone = copied(folder / f"part-{parts}")
        number = thinned(clone / "device-specs", parts)
        contestants[f"build of {number} specs"] = command(BUILD, folder=clone, before=partial(emptied, clone))
    runs = by_turns(contestants, rounds=5)
    names = list(contestants)
    yield row(names[0], runs, names[0])
    for smaller, larger in itertools.pairwise(names):
        yield row(larger, runs, larger, smaller, aim=2.2)


def thinned(specs: Path, parts: int) -> int:
    """Leaves a drawn one of so many parts of the specs there, with what they import; the number of those left."""
    names = sorted(path.relative_to(specs).as_posix().removesuffix(".yaml") for path in specs.rglob("*.yaml"))
    imports = {name: _imports((specs / f"{name}.yaml").read_text(), set(names)) for name in names}
    left = {"machine"}
    for name in random.Random(1).sample(names, len(names)):
        if len(left) * parts >= len(names):
            break
        waiting = [name]
        while waiting:
            needed = waiting.pop()
            if needed not in left:
                left.add(needed)
                waiting += imports[needed]
    for name in set(names) - left:
        (specs / f"{name}.yaml").unlink()
    return len(left)


def _imports(text: str, names: set[str]) -> set[str]:
    """The specs that one may import: those whose path stands as a key in it."""
    return {found for found in re.findall(r"^\s+([\w/-]+):", text, flags=re.MULTILINE) if found in names}


def _streams(folder: Path) -> Iterator[Row]:
    sections = list(devices(lzma.decompress(_SAMPLE.read_bytes())))
    contestants = {}
    for times in (0, 8, 32, 128):
        path = folder / f"{times}.mig"
        path.write_bytes(repeated(sections, times))
        words = [sys.executable, "-c", "import sys, vmsgen; vmsgen.open(sys.argv[1])", str(path)]
        contestants[f"stream of {times * len(sections)} devices"] = command(words, folder=_CLONE)
    runs = by_turns(contestants, rounds=5)
    empty, *names = contestants
    yield row(names[0], runs, names[0], empty)
    for smaller, larger in itertools.pairwise(names):
        yield row(larger, runs, larger, smaller, aim=4.4)


def devices(stream: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Name, version and contents of the devices of a stream that can be read without its description."""
    import vmsgen

    for section in vmsgen.open(stream).sections:
        if section.kind == "full" and section.state is not None:
            yield section.name, section.version, section.data or b""


def repeated(sections: list[tuple[str, int, bytes]], times: int) -> bytes:
    """A stream with so many instances of each device, and no description."""
    out = [b"QEVM\0\0\0\3"]
    number = 0
    for instance in range(times):
        for name, version, contents in sections:
            head = struct.pack(">BIB", 4, number, len(name)) + name.encode() + struct.pack(">II", instance, version)
            out += [head, contents, struct.pack(">BI", 0x7E, number)]
            number += 1
    return b"".join([*out, b"\0"])
