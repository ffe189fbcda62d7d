"""SEQUENCE OF INTEGER in straight-line BER, many at a time.

Short lists go element by element, or as a run of neighbours. Long ones are a few operations of numpy over all of them,
for writing and for reading: how many octets a number takes follows from comparing it with the least that takes so many;
where elements stand is found by looking for whatever could be one, and proven by each one ending where the next begins.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from struct import pack
from typing import TYPE_CHECKING, Any, Final

from vmsgen.runtime.ber_integers import LEAST, Octets, TlvRun, means
from vmsgen.runtime.straight import NotPlain, length
from vmsgen.runtime.straight import content as content_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["grid", "integers", "take_booleans", "take_grid", "take_integers"]

#: numbers from which on numpy does it, and octets of content that may be so many
_MANY, _MANY_OCTETS = 512, 1536
#: elements from which on it pays to read a list as a run, and from which on its plan takes too much memory
_FEW, _RUN = 8, 128
#: octets of long lists after which numpy is imported: that takes as long as these do one by one
_PAYS = 1 << 19
#: numbers, and octets, that are worked on at once: what the arrays of one step take in memory is a few MiB
_BLOCK, _WINDOW = 1 << 16, 1 << 19
#: how often places that only look like an element are sorted out
_SIFTINGS: Final = 4


def integers(values: Sequence[int], table: Octets, count: int | None = None) -> bytes:
    """Length and content octets of a SEQUENCE OF INTEGER, of ``count`` elements if that is given. Raises NotPlain,
    struct.error or TypeError for what is no number of its type.
    """
    if count is not None and len(values) != max(count, 0):
        raise NotPlain("another number of elements")
    if len(values) < _MANY or not _numpy_pays(3 * len(values)):
        content = b"".join([b"\x02" + table[value] for value in values])
    else:
        content = b"".join([_written(values[at : at + _BLOCK], table) for at in range(0, len(values), _BLOCK)])
    return length(len(content)) + content


def take_integers(
    data: bytes, position: int, end: int, tag: bytes, table: Octets, count: int | None = None
) -> tuple[list[int], int]:
    """A SEQUENCE OF INTEGER, of ``count`` elements if that is given, and the position behind it. Raises NotPlain or a
    LookupError.
    """
    start, stop = content_of(data, position, end, tag)
    if count is not None and _FEW <= count < _RUN:
        run = table.runs.get(count) or table.runs.setdefault(count, TlvRun.of_elements(table, count))
        values = run.take(data, start, stop)
        if values.pop() != stop:
            raise NotPlain("an element more")
        return values, stop
    if stop - start < _MANY_OCTETS or not _numpy_pays(stop - start):
        values, start = _few(data, start, stop, table, stop - start)
    else:
        values, start = _many(data, start, stop, table)
    if start != stop:
        raise NotPlain("cut")
    if count is not None and len(values) != max(count, 0):
        raise NotPlain("another number of elements")
    return values, stop


_seen = 0  # octets of long lists, before numpy was there


def _numpy_pays(octets: int) -> bool:
    """Whether a list of so many octets is one for numpy: at once if that is there, or else when many have come."""
    global _seen
    if "numpy" in sys.modules:
        return True
    _seen += octets
    return _seen >= _PAYS


def grid(values: Sequence[Sequence[int]], table: Octets, rows: int, columns: int) -> bytes:
    """Length and content octets of a SEQUENCE OF SEQUENCE OF INTEGER. Raises as :func:`integers`."""
    if len(values) != max(rows, 0):
        raise NotPlain("another number of rows")
    content = b"".join([b"\x30" + integers(row, table, columns) for row in values])
    return length(len(content)) + content


def take_grid(
    data: bytes, position: int, end: int, tag: bytes, table: Octets, rows: int, columns: int
) -> tuple[list[list[int]], int]:
    """A SEQUENCE OF SEQUENCE OF INTEGER and the position behind it. Raises as :func:`take_integers`."""
    start, stop = content_of(data, position, end, tag)
    values: list[list[int]] = []
    while start < stop:
        row, start = take_integers(data, start, stop, b"\x30", table, columns)
        values.append(row)
    if len(values) != max(rows, 0):
        raise NotPlain("another number of rows")
    return values, stop


def take_booleans(data: bytes, position: int, end: int, tag: bytes, count: int) -> tuple[list[bool], int]:
    """A SEQUENCE OF BOOLEAN and the position behind it. Raises NotPlain or a LookupError."""
    start, stop = content_of(data, position, end, tag)
    octets = data[start:stop]
    if len(octets) != 3 * max(count, 0) or octets[::3].strip(b"\x01") or octets[1::3].strip(b"\x01"):
        raise NotPlain("another element, or another number of them")
    return [each != 0 for each in octets[2::3]], stop


def _few(data: bytes, position: int, stop: int, table: Octets, most: int = _MANY_OCTETS) -> tuple[list[int], int]:
    """The elements between two positions one by one, no more than ``most``, and the position behind them."""
    meaning, low, high = means(table), table.low, table.high
    values: list[int] = []
    while position < stop and len(values) < most:
        size = data[position + 1]
        if data[position] != 2 or not size:
            raise NotPlain("another element")
        begin = position + 2
        position = begin + size
        if size == 1:
            values.append(meaning[data[begin]])
            continue
        value = int.from_bytes(data[begin:position], "big", signed=True)
        if not (LEAST[size] <= value < high or low <= value < -LEAST[size]):
            raise NotPlain("not the fewest octets, or out of range")
        values.append(value)
    return values, position


# ---------------------------------------------------------------------------------------------- numpy


def _written(values: Sequence[int], table: Octets) -> bytes:
    """The elements of some numbers: a row for each with the octets it could have, of which those it needs are taken."""
    import numpy as np

    signed = table.low < 0
    width = (table.high.bit_length() + 6) // 8
    code = {1: "B", 2: "H", 4: "I", 8: "Q"}[width]
    # in the host's byte order, which struct packs soonest
    packed = pack(f"{len(values)}{code.lower() if signed else code}", *values)
    numbers = np.frombuffer(packed, f"{'i' if signed else 'u'}{width}")
    contents = numbers.astype(f">u{width}").view(np.uint8).reshape(-1, width)
    if signed:
        # a negative number takes as many octets as its complement
        numbers = (numbers ^ (numbers >> (8 * width - 1))).view(f"u{width}")
    octets = (int(numbers.max()).bit_length() >> 3) + 1
    least = np.array([1 << 8 * more - 1 for more in range(octets - 1, 0, -1)], numbers.dtype)
    needed = numbers >= least[:, None]
    sizes = needed.sum(axis=0, dtype=np.uint8) + 1
    rows = np.zeros((len(values), 2 + octets), np.uint8)
    rows[:, 0] = 2
    rows[:, 1] = sizes
    # of an unsigned number the first octet may be one that it does not have
    own = min(octets, width)
    rows[:, -own:] = contents[:, -own:]
    if sizes.min() == octets:
        return rows.tobytes()
    taken = np.ones(rows.shape, np.bool_)
    taken[:, 2:-1] = needed.T
    return rows[taken].tobytes()


def _many(data: bytes, position: int, stop: int, table: Octets) -> tuple[list[int], int]:
    """The elements between two positions, a window at a time, and the position behind them."""
    import numpy as np

    values: list[int] = []
    while position < stop:
        window = np.frombuffer(data, np.uint8, min(stop - position, _WINDOW), position)
        starts, ends = _places(window)
        if len(starts) < _MANY:
            few, position = _few(data, position, stop, table, _BLOCK)
            values += few
            continue
        values += _numbers(window, starts, ends, table)
        position += int(ends[-1])
    return values, position


def _places(window: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Where elements begin that follow each other from the first octet on, and where they end: as far as that is seen
    at a glance, which may be nowhere.
    """
    import numpy as np

    size = int(window[1])
    step = size + 2
    if 0 < size < 10 and window[step : step + 2].tobytes() == window[:2].tobytes():
        even = window[: len(window) // step * step].reshape(-1, step)
        if (even[:, 1] == size).all() and (even[:, 0] == 2).all():
            starts = np.arange(0, even.size, step)
            return starts, starts + step
    # whatever looks like an INTEGER of 1 to 9 octets
    starts = np.flatnonzero((window[:-1] == 2) & (window[1:] - np.uint8(1) < 9))
    ends = window.take(starts + 1) + (starts + 2)
    inside = ends <= len(window)
    if not inside.all():
        starts, ends = starts[inside], ends[inside]
    wrong = np.flatnonzero(starts[1:] != ends[:-1])
    for _ in range(_SIFTINGS):
        if not len(wrong):
            break
        # what begins where nothing ends is inside of another element
        begins = np.zeros(len(window) + 1, np.bool_)
        begins[ends] = begins[0] = True
        real = begins.take(starts)
        starts, ends = starts[real], ends[real]
        wrong = np.flatnonzero(starts[1:] != ends[:-1])
    if not len(starts) or starts[0] != 0:
        return starts[:0], ends[:0]
    count = int(wrong[0]) + 1 if len(wrong) else len(starts)
    return starts[:count], ends[:count]


@cache
def _by_size() -> tuple[NDArray[Any], NDArray[Any]]:
    """By the size of an INTEGER: the bits of eight octets that are not its own, and the least number that takes it."""
    import numpy as np

    shifts = np.array([64, 56, 48, 40, 32, 24, 16, 8, 0, 0], np.uint64)
    return shifts, np.array([0, 0, *LEAST[2:]], np.uint64)


def _numbers(window: NDArray[Any], starts: NDArray[Any], ends: NDArray[Any], table: Octets) -> list[int]:
    """The values of elements: the eight octets before the end of each, without those that are not its own."""
    import numpy as np

    padded = np.zeros(8 + len(window), np.uint8)
    padded[8:] = window
    words = np.ndarray((len(window) + 1,), ">u8", padded.data, strides=(1,))
    shifts, smallest = _by_size()
    sizes = ends - starts - 2
    foreign, least = shifts.take(sizes), smallest.take(sizes)
    raised = words.take(ends).astype(np.uint64) << foreign
    nine = sizes == 9
    if table.low < 0:
        signed = raised.view(np.int64) >> foreign.view(np.int64)
        plain = not nine.any() and bool(((signed ^ (signed >> 63)).view(np.uint64) >= least).all())
        if not plain or signed.min() < table.low or signed.max() >= table.high:
            raise NotPlain("not the fewest octets, or out of range")
        return signed.tolist()  # type: ignore[no-any-return]
    unsigned = raised >> foreign
    # only a ninth octet, which is 0, may stand before a bit that would be the sign
    plain = bool((((raised.view(np.int64) < 0) == nine) & (unsigned >= least)).all())
    if not plain or window[starts[nine] + 2].any() or (table.high < 1 << 64 and int(unsigned.max()) >= table.high):
        raise NotPlain("not the fewest octets, or out of range")
    return unsigned.tolist()  # type: ignore[no-any-return]
