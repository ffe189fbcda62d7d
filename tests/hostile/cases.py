"""The jobs: each runs many cases in this process and tells what happened as JSON."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from types import FrameType

import vmsgen
from tests.hostile.sample import Part, binary, converted, parts
from vmsgen.library import REGISTRY
from vmsgen.runtime.debug_out import debug_text
from vmsgen.runtime.errors import DataError
from vmsgen.runtime.state import VMState
from vmsgen.stream.text.summary import summarize
from vmsgen.stream.transport.source import MemorySource

#: Seconds that one case may take, on a slow machine that does other things.
TIME = 30.0
#: Mark of what may follow the end of a binary stream, and may be missing.
VMDESC = b"\6"
_STATUS = Path("/proc/self/status")


class TooLong(BaseException):
    """A case takes longer than it may."""


@dataclass
class Outcome:
    """What happened: outcomes by name, failures, the longest case in seconds, bytes of memory above the start."""

    cases: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    longest: float = 0.0
    memory: int | None = None

    def run(self, what: str, work: Callable[[], object], size: int, place: Part | None = None) -> bool:
        """Runs a case on an input of ``size`` bytes. ``place``: the section that an error must be in. Whether it went
        well, and not into a documented error."""
        self.cases += 1
        started = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, TIME)
        fine = False
        try:
            work()
            fine = True
            self.outcomes["read"] += 1
        except DataError as error:
            self.outcomes[type(error).__name__] += 1
            if error.offset is None or not 0 <= error.offset <= size:
                self.fail(what, f"no place in {size} bytes: {error!r} {error}")
            elif place is not None and (error.section != place.label or not (error.path or whole(place, error))):
                self.fail(what, f"not located in {place.label}: {error!r} {error}")
            elif not str(error).strip() or "\n" in str(error):
                self.fail(what, f"not one line: {error!r}")
        except TooLong:
            self.fail(what, f"longer than {TIME} s: {traceback.format_exc(limit=-4)}")
        except Exception:
            self.fail(what, traceback.format_exc(limit=-6))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self.longest = max(self.longest, time.monotonic() - started)
        return fine

    def fail(self, what: str, message: str) -> None:
        """Notes a failure, unless there are plenty."""
        if len(self.failures) < 20:
            self.failures.append(f"{what}: {message}")


def whole(place: Part, error: DataError) -> bool:
    """Whether an error is of a section as a whole, not of a field of it."""
    return place.state is None or "no section ends there" in error.message


def peak() -> int | None:
    """The highest memory of this process so far, in bytes; None where the system does not tell."""
    if not _STATUS.exists():
        return None
    return next(int(line.split()[1]) << 10 for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))


def flipped(data: bytes, random: Random, low: int = 0, high: int | None = None) -> bytes:
    """A few bytes of ``data`` changed between two offsets: bits, or values that mean something in either format."""
    broken = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        at = random.randrange(low, len(broken) if high is None else high)
        broken[at] = random.choice(
            (broken[at] ^ (1 << random.randrange(8)), random.randrange(256), 0, 1, 5, 0x30, 0x7E, 0x7F, 0x80, 0xFF)
        )
    return bytes(broken)


# ---------------------------------------------------------------------------------------------- sections alone


def use_binary(cls: type[VMState], data: bytes, version: int, known: VMState) -> None:
    """Everything that is done with a section: read, written back, as BER, as text."""
    value = cls.from_binary(data, version=version, facts=known.facts)
    assert value.to_binary() == data, "is not written back as it was read"
    again = cls.from_ber(value.to_ber())
    assert again == value and again.identical(value), "does not survive BER"
    debug_text(value)
    value.to_json()


def use_ber(cls: type[VMState], data: bytes) -> None:
    value = cls.from_ber(data)
    again = cls.from_ber(value.to_ber())
    assert again == value and again.identical(value), "does not survive its own BER"
    value.to_binary()
    debug_text(value)
    value.to_json()


def offsets(size: int, wanted: int | None) -> Iterator[int]:
    """Every offset, or about ``wanted`` of them, the first and last among them."""
    step = 1 if wanted is None else max(1, size // wanted)
    yield from range(0, size, step)
    if size % step != 1 and size:
        yield size - 1


def sections_cut(outcome: Outcome, random: Random, cases: int | None) -> None:
    """One section of each kind, cut: ``cases`` for each, else at every offset."""
    seen = set()
    for part in parts(binary()):
        value = part.state
        if value is None or part.kind in seen:
            continue
        seen.add(part.kind)
        cls, version, data, alone = type(value), value.section_version, value.to_binary(), value.to_ber()
        for at in offsets(len(data), cases):
            # in front of a subsection it may be whole, and is then what it says
            outcome.run(f"{part.label} cut at {at}", partial(use_binary, cls, data[:at], version, value), at)
        for at in offsets(len(alone), cases):
            what = f"{part.label} in BER cut at {at}"
            if outcome.run(what, partial(use_ber, cls, alone[:at]), at):
                outcome.fail(what, "read as a whole")


def sections_flipped(outcome: Outcome, random: Random, cases: int | None) -> None:
    """Sections with a few bytes changed, in both formats."""
    states = [part.state for part in parts(binary()) if part.state is not None]
    # the larger, the longer: a case of a section of 200 KB takes as long as hundreds of a small one
    weights = [1 / (1 + len(state.to_binary()) / 4096) for state in states]
    for number in range(cases if cases is not None else 100_000):
        (value,) = random.choices(states, weights)
        cls, version = type(value), value.section_version
        if number % 2:
            data = flipped(value.to_binary(), random)
            outcome.run(f"{cls.__name__} {number}", partial(use_binary, cls, data, version, value), len(data))
        else:
            data = flipped(value.to_ber(), random)
            outcome.run(f"{cls.__name__} in BER {number}", partial(use_ber, cls, data), len(data))


# ---------------------------------------------------------------------------------------------- whole streams


def use_stream(data: bytes, *, show: bool) -> None:
    """Opens, shows and converts a stream; what comes back from BER is what was read."""
    binary_input = data[:4] == b"QEVM"
    with vmsgen.open(data) as migration:
        for section in migration.devices:
            section.state  # noqa: B018 (the property reads it)
    if show:
        summary = summarize(MemorySource(data), REGISTRY)
        json.dumps(summary.values())
        if summary.error is not None:
            raise summary.error
        converted(data, "json")
        converted(data, "debug")
    made = converted(data, "ber" if binary_input else "binary")
    if binary_input:
        assert converted(made, "binary") == data, "does not come back from BER"


def framing(data: bytes) -> list[tuple[int, int, Part | None]]:
    """Stretches of a stream: (begin, end, the section whose contents they are, or None for framing)."""
    found: list[tuple[int, int, Part | None]] = []
    at = 0
    for part in parts(data):
        found += [(at, part.body, None), (part.body, part.end, part)]
        at = part.end
    return [*found, (at, len(data), None)]


def stream_cut(data: bytes, outcome: Outcome, random: Random, cases: int | None) -> None:
    """A stream cut: ``cases`` offsets, else every offset of the framing and of one section of each kind, and every 64th
    elsewhere."""
    places: list[tuple[int, Part | None]] = []
    seen = set()
    for begin, end, part in framing(data):
        whole = part is None and end - begin < 1000
        if part is not None and part.kind not in seen:
            whole = True
            seen.add(part.kind)
        places += [(at, part) for at in range(begin, end, 1 if whole else 64)]
    if cases is not None:
        small = [place for place in places if place[1] is None or place[1].end - place[1].body < 1000]
        places = random.sample(small, min(cases * 2 // 3, len(small))) + random.sample(places, cases // 3)
    for at, part in places:
        cut = data[:at]
        expected = part if part is not None and at > part.body and data[:4] == b"QEVM" else None
        good = outcome.run(f"cut at {at}", partial(use_stream, cut, show=False), at, expected)
        if good and not (cut.endswith(b"\0") and data[at : at + 1] == VMDESC):
            outcome.fail(f"cut at {at}", "read as a whole")


def stream_flipped(data: bytes, outcome: Outcome, random: Random, cases: int | None) -> None:
    """A stream with a few bytes changed, two times of three in its framing or a small section."""
    small = [(begin, end) for begin, end, part in framing(data) if 0 < end - begin < 5000]
    for number in range(cases if cases is not None else 10_000):
        low, high = (0, len(data)) if number % 3 == 0 else random.choice(small)
        broken = flipped(data, random, low, high)
        show = number % 8 == 0
        outcome.run(f"flip {number}", partial(use_stream, broken, show=show), len(broken))


JOBS: dict[str, Callable[[Outcome, Random, int | None], None]] = {
    "sections-cut": sections_cut,
    "sections-flipped": sections_flipped,
    "binary-cut": lambda *job: stream_cut(binary(), *job),
    "binary-flipped": lambda *job: stream_flipped(binary(), *job),
    "ber-cut": lambda *job: stream_cut(converted(binary(), "ber"), *job),
    "ber-flipped": lambda *job: stream_flipped(converted(binary(), "ber"), *job),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("--seed", default="")
    parser.add_argument("--cases", type=int)
    chosen = parser.parse_args()

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TooLong

    signal.signal(signal.SIGALRM, stop)
    outcome = Outcome()
    start = peak()
    JOBS[chosen.job](outcome, Random(f"{chosen.job}/{chosen.seed}"), chosen.cases)
    end = peak()
    outcome.memory = None if start is None or end is None else end - start
    json.dump(vars(outcome), sys.stdout, indent=2)


if __name__ == "__main__":
    main()
