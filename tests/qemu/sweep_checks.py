"""What is asked of every stream of a sweep. Each check reads one stream and returns a :class:`Finding`.

``roundtrip``  it is read to its last byte, and comes back from BER as it was, and so does each of its other channels;
               how many bytes have no name
``shapes``     its memory is the same as one plain stream, and as a mapped-ram file (which a configuration must say)
``plain``      QEMU loads that plain stream, if it loads the original
``novmdesc``   with the description cut off its end, every section reads to the values that it has with it
``values``     every leaf is what QEMU's own analyzer prints
``accepts``    QEMU loads what came back from BER, if it loads the original

``novmdesc`` is told the sender's release, and the machine type where the stream does not say it. Where that does not do
it tries once more with what else the name of QEMU's binary says: the target (``--prop target.name=mips64el``).
"""

from __future__ import annotations

import contextlib
import filecmp
import hashlib
import re
import resource
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CalledProcessError

from tests.qemu.accepts import loaded
from tests.qemu.analyzer import analyze
from tests.qemu.leaves import differences, ours, theirs
from tests.qemu.machine import QemuError
from tests.qemu.sweep_streams import Captured
from vmsgen.library import REGISTRY
from vmsgen.qemu.described import with_described
from vmsgen.runtime.errors import DataError, VmsgenError
from vmsgen.stream.ber.writer import BerWriter
from vmsgen.stream.channels.joined import joined
from vmsgen.stream.convert import convert
from vmsgen.stream.devices import Classes
from vmsgen.stream.items import Blob, Configuration, Item, Section, SectionKind, State, Vmdesc
from vmsgen.stream.marks import CONFIGURATION
from vmsgen.stream.memory.files import extract
from vmsgen.stream.reading import StreamReader
from vmsgen.stream.text.statistics import Statistics
from vmsgen.stream.transport.sink import FileSink
from vmsgen.stream.transport.source import ByteSource

_BUS = re.compile(r".*/(?=[^/])")


@dataclass
class Finding:
    """The outcome of a check on one stream. ``ok`` is None where there was nothing to check (``reason`` says why).

    ``stopped`` names the states that are to blame, without the bus a device is on.
    """

    check: str
    label: str
    ok: bool | None
    reason: str = ""
    stopped: list[str] = field(default_factory=list)
    #: bytes of device state, and those of them that no spec names
    typed: int = 0
    opaque: int = 0
    #: states that no spec describes, but the stream's own description does
    unspecified: list[str] = field(default_factory=list)
    #: leaves that were compared
    leaves: int = 0
    #: whether it took more than release and machine type
    told: bool = False
    seconds: float = 0.0
    #: KiB that the process had at most, the library of about 80 MiB included
    peak: int = 0


def check(kind: str, stream: Captured, classes: Classes = REGISTRY) -> Finding:
    """Runs one check with these classes.

    What vmsgen says of the stream becomes the finding; so does any other exception, as a defect.
    """
    finding = Finding(kind, stream.label, None)
    began = time.monotonic()
    try:
        CHECKS[kind](stream, finding, classes)
    except VmsgenError as error:
        finding.ok, finding.reason = False, str(error)
        if isinstance(error, DataError) and error.section:
            finding.stopped = [state_name(error.section.rpartition("/")[0])]
    except Exception as error:
        finding.ok, finding.reason = False, f"defect: {type(error).__name__}: {error}"
    finding.seconds = time.monotonic() - began
    finding.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return finding


def state_name(section: str) -> str:
    """``vga`` of ``0000:00:02.0/vga``."""
    return _BUS.sub("", section)


# ---------------------------------------------------------------------- roundtrip


def _roundtrip(stream: Captured, finding: Finding, classes: Classes) -> None:
    with tempfile.TemporaryDirectory(prefix="vmsgen-sweep") as work:
        finding.ok = _same_after_ber(stream, finding, classes, Path(work) / "again.mig")


def _same_after_ber(stream: Captured, finding: Finding, classes: Classes, again: Path) -> bool:
    """Converts there and back, to ``again``, and counts on the way."""
    ber = again.with_suffix(".ber")
    counted = Statistics()
    bare: dict[str, str] = {}
    unspecified: dict[str, None] = {}
    with ByteSource.open(stream.path) as source, FileSink(ber) as sink:
        writer = BerWriter(sink)
        for item in StreamReader(source, with_described(classes)).items():
            writer.item(item)
            if isinstance(item, Section) and isinstance(item.body, State) and item.body.value.TAG == 0:
                unspecified[state_name(item.name)] = None
            if isinstance(item, Section) and counted.count(item):
                why = item.body.warning if isinstance(item.body, Blob) else "some of its fields are bytes"
                bare.setdefault(state_name(item.name), why or "no spec describes it")
        writer.finish()
    finding.typed, finding.opaque = counted.typed, counted.opaque
    finding.stopped, finding.unspecified = list(bare), list(unspecified)
    finding.reason = "; ".join(f"{name}: {why}" for name, why in bare.items())
    with ByteSource.open(ber) as source, FileSink(again) as sink:
        convert(source, sink, "binary", with_described(classes))
    if not filecmp.cmp(stream.path, again, shallow=False):
        finding.reason = "comes back from BER with other bytes; " + finding.reason
        return False
    for channel in stream.channels:
        if not _same_channel(channel, again.with_suffix(".channel")):
            finding.reason = f"channel {channel.name} comes back from BER with other bytes; " + finding.reason
            return False
    return True


def _same_channel(channel: Path, again: Path) -> bool:
    """Whether a channel comes back from BER, to ``again``, as it was."""
    ber = again.with_suffix(".ber")
    for origin, target, to in ((channel, ber, "ber"), (ber, again, "binary")):
        with ByteSource.open(origin) as source, FileSink(target) as sink:
            convert(source, sink, to)
    return filecmp.cmp(channel, again, shallow=False)


# ---------------------------------------------------------------------- other shapes


def _shapes(stream: Captured, finding: Finding, classes: Classes) -> None:
    with tempfile.TemporaryDirectory(prefix="vmsgen-sweep") as work:
        own = _memory(stream.path, stream.channels, Path(work) / "own")
        with stream.path.open("rb") as file:
            configured = file.read(9)[8:] == bytes((CONFIGURATION,))
        for shape in ("plain", "mapped-ram") if configured else ("plain",):
            changed = Path(work) / shape
            _write_as(shape, stream, changed, classes)
            if _memory(changed, [], Path(work) / f"memory-{shape}") != own:
                finding.ok, finding.reason = False, f"other memory as {shape}"
                return
    finding.ok, finding.leaves = True, len(own)


def _write_as(shape: str, stream: Captured, path: Path, classes: Classes) -> None:
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(ByteSource.open(stream.path))
        others = [stack.enter_context(ByteSource.open(each)) for each in stream.channels]
        sink = stack.enter_context(FileSink(path))
        convert(source, sink, "binary", with_described(classes), channels=others, shape=shape)


def _plain(stream: Captured, finding: Finding, classes: Classes) -> None:
    with tempfile.TemporaryDirectory(prefix="vmsgen-sweep") as work:
        path = Path(work) / "plain.mig"
        _write_as("plain", stream, path, classes)
        refused = _refused(stream, path)
    if refused is not None and (original := _refused(stream, stream.path)) is not None:
        finding.reason = f"QEMU refuses the original: {original}"
        return
    finding.ok, finding.reason = refused is None, refused or ""


def _memory(path: Path, channels: Sequence[Path], folder: Path) -> dict[str, str]:
    """Digests of the RAM blocks by name."""
    with contextlib.ExitStack() as stack:
        main, *others = [stack.enter_context(ByteSource.open(each)) for each in (path, *channels)]
        lengths = extract(joined(StreamReader(main), others), str(folder))  # (RAM stands before any device)
    found = {}
    for name in lengths:
        with (folder / name).open("rb") as file:
            found[name] = hashlib.file_digest(file, "blake2b").hexdigest()
    return found


def _accepts(stream: Captured, finding: Finding, classes: Classes) -> None:
    with tempfile.TemporaryDirectory(prefix="vmsgen-sweep") as work:
        again = Path(work) / "again.mig"
        if _same_after_ber(stream, finding, classes, again):
            finding.ok, finding.reason = True, "the same bytes: no QEMU need be asked"
            return
        refused = _refused(stream, stream.path)
        if refused is not None:
            finding.reason = f"QEMU refuses the original: {refused}"
            return
        refused = _refused(stream, again)
        finding.ok = refused is None
        finding.reason = f"QEMU refuses what came back: {refused}" if refused else "other bytes, which QEMU accepts"


def _refused(stream: Captured, path: Path) -> str | None:
    try:
        with loaded(path, stream.argv):
            return None
    except (QemuError, OSError) as error:
        return str(error)


# ---------------------------------------------------------------------- without the description


def _without_vmdesc(stream: Captured, finding: Finding, classes: Classes) -> None:
    whole, described = _sections(stream.path.read_bytes(), {}, None, classes)
    if described is None:  # so it is without already, and was told nothing
        _compare(whole, whole, finding)
        return
    cut = stream.path.read_bytes()[:described]
    machine = None if any(isinstance(item, Configuration) for item in whole) else stream.machine or None
    given = {"qemu": stream.release}
    with contextlib.suppress(VmsgenError):  # which is raised again if the target does not help
        _compare(whole, _sections(cut, given, machine, classes)[0], finding)
    if not finding.ok:
        finding.told = True
        _compare(whole, _sections(cut, {**given, "target.name": stream.target}, machine, classes)[0], finding)


def _sections(
    data: bytes, props: Mapping[str, str], machine: str | None, classes: Classes
) -> tuple[list[Item], int | None]:
    """The configuration and the device sections of a stream, and where its vmdesc begins."""
    kept: list[Item] = []
    described = None
    with ByteSource(_Bytes(data)) as source:
        for item in StreamReader(source, classes, props=props, machine=machine).items():
            if isinstance(item, Section):
                item.exhaust()
                if item.kind is SectionKind.FULL:
                    kept.append(item)
            elif isinstance(item, Configuration):
                kept.append(item)
            elif isinstance(item, Vmdesc):
                described = item.offset
    return kept, described


class _Bytes:
    """Bytes to be read as a pipe is."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)

    def read(self, n: int = -1, /) -> bytes:
        piece = self._data[:n] if n >= 0 else self._data
        self._data = self._data[len(piece) :]
        return bytes(piece)


def _compare(left: list[Item], right: list[Item], finding: Finding) -> None:
    """Whether both have the same sections with the same values."""
    finding.stopped = []
    pairs = [(a, b) for a, b in zip(left, right, strict=True) if isinstance(a, Section) and isinstance(b, Section)]
    reasons = []
    for section, other in pairs:
        assert section.label == other.label
        one, two = section.body, other.body
        if isinstance(one, State) and isinstance(two, State):
            same = type(one.value) is type(two.value) and bool(one.value.identical(two.value))
            why = "other values"
        else:
            same = type(one) is type(two) and not isinstance(one, Blob)
            why = next((body.warning for body in (two, one) if isinstance(body, Blob) and body.warning), "only bytes")
        if not same:
            finding.stopped.append(state_name(section.name))
            reasons.append(f"section {section.label}: {why}")
    finding.ok, finding.reason = not reasons, "; ".join(reasons)


# ---------------------------------------------------------------------- QEMU's analyzer


def _values(stream: Captured, finding: Finding, classes: Classes) -> None:
    try:
        printed = analyze(stream.path, stream.release)
    except CalledProcessError as error:
        said = [line for line in str(error.stderr).splitlines() if line.strip()] or [str(error)]
        finding.reason = f"the analyzer cannot read it: {said[-1]:.60}"
        return
    named = {int(key.rpartition("(")[2][:-1]): tree for key, tree in printed.items() if key.endswith(")")}
    items, _ = _sections(stream.path.read_bytes(), {}, None, with_described(classes))
    sections = [item for item in items if isinstance(item, Section)]
    if len({(section.name, section.instance) for section in sections}) != len(sections):
        finding.reason = "the analyzer reads two sections of one name and number by the description of the last"
        return
    reasons = []
    for section in sections:
        tree = named.get(section.id)
        if not isinstance(section.body, State) or tree is None:
            continue
        right = theirs(tree)
        finding.leaves += len(right)
        # what QEMU writes by hand for virtio is one leaf to the analyzer, headers of subsections included
        found = differences(ours(section.body.value, headers="virtio" in tree), right)
        if found:
            finding.stopped.append(state_name(section.name))
            reasons.append(f"section {section.label}: {found[0]}" + (f" (and {len(found) - 1})" if found[1:] else ""))
    finding.ok, finding.reason = not reasons, "; ".join(reasons)


CHECKS: Mapping[str, Callable[[Captured, Finding, Classes], None]] = {
    "roundtrip": _roundtrip,
    "novmdesc": _without_vmdesc,
    "values": _values,
    "shapes": _shapes,
    "plain": _plain,
    "accepts": _accepts,
}
