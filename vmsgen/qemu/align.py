"""Which items of two descriptions are the same field.

The cheapest way to edit one list into the other, with order kept: equal names weigh most, then names that differ in a
suffix ``[k]`` alone (QEMU appends one where a name occurs more than once, so the same field may bear it in one release
and not in another). What is left between two matches on both sides, of the same shapes, is a field that was renamed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vmsgen.runtime.errors import LimitError

__all__ = ["Effort", "Label", "align", "bare_name"]

_CELLS = 4_000_000
_EXACT, _BARE, _SHAPE = 20, 6, 1


@dataclass
class Effort:
    """How many pairs of fields may still be compared: all that QEMU 5.2, 7.2 and 10.0 can send take 1.3 million."""

    pairs: int = 10_000_000

    def spend(self, pairs: int) -> None:
        """Raises LimitError when it is more than is left."""
        self.pairs -= pairs
        if self.pairs < 0:
            raise LimitError("the descriptions of one name are too many and too different to be compared")


@dataclass(frozen=True, slots=True)
class Label:
    """What an item is known by: its name as written, the name without ``[k]``, and its shape, which must be equal."""

    name: str
    bare: str
    shape: object


def bare_name(name: str) -> str:
    """``name`` without a number in brackets at its end."""
    head, bracket, tail = name.rpartition("[")
    return head if head and bracket and tail.endswith("]") and tail[:-1].isdigit() else name


Alike = Callable[[object, object], bool]


def align(
    left: Sequence[Label], right: Sequence[Label], alike: Alike, effort: Effort, *, renames: bool = True
) -> list[tuple[int | None, int | None]]:
    """Pairs of indices in an order that suits both; None where one side has nothing.

    ``alike`` tells whether two shapes may be one field. Lists too long for the exact way are matched by equal names
    alone. Raises LimitError when ``effort`` is spent.
    """
    start = 0
    while start < min(len(left), len(right)) and _score(left[start], right[start], alike) >= _EXACT:
        start += 1
    end = 0
    most = min(len(left), len(right)) - start
    while end < most and _score(left[-1 - end], right[-1 - end], alike) >= _EXACT:
        end += 1
    first, second = left[start : len(left) - end], right[start : len(right) - end]
    exactly = len(first) * len(second) <= _CELLS
    effort.spend(start + end + (len(first) * len(second) if exactly else len(first) + len(second)))
    middle = _middle(first, second, alike) if exactly else _by_names(first, second, alike)
    pairs = [(at, at) for at in range(start)]
    pairs += [(a + start, b + start) for a, b in middle]
    pairs += [(len(left) - at, len(right) - at) for at in range(end, 0, -1)]
    return _spread(pairs, left, right, alike, renames)


def _score(a: Label, b: Label, alike: Alike) -> int:
    if a.name != b.name and a.bare != b.bare:
        return 0
    if not alike(a.shape, b.shape):
        return 0
    return (_EXACT if a.name == b.name else _BARE) + (_SHAPE if a.shape == b.shape else 0)


def _middle(left: Sequence[Label], right: Sequence[Label], alike: Alike) -> list[tuple[int, int]]:
    if not left or not right:
        return []
    width = len(right) + 1
    best = [[0] * width for _ in range(len(left) + 1)]
    for i in range(len(left) - 1, -1, -1):
        row, below, a = best[i], best[i + 1], left[i]
        for j in range(len(right) - 1, -1, -1):
            value = below[j] if below[j] > row[j + 1] else row[j + 1]
            b = right[j]
            if a.bare == b.bare or a.name == b.name:
                score = _score(a, b, alike)
                if score and below[j + 1] + score > value:
                    value = below[j + 1] + score
            row[j] = value
    pairs = []
    i = j = 0
    while i < len(left) and j < len(right):
        score = _score(left[i], right[j], alike)
        if score and best[i][j] == best[i + 1][j + 1] + score:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _by_names(left: Sequence[Label], right: Sequence[Label], alike: Alike) -> list[tuple[int, int]]:
    places: dict[str, int] = {}
    for j, label in enumerate(right):
        places.setdefault(label.name, j)
    pairs, last = [], -1
    for i, label in enumerate(left):
        found = places.get(label.name, -1)
        if found > last and alike(label.shape, right[found].shape):
            pairs.append((i, found))
            last = found
    return pairs


def _spread(
    pairs: list[tuple[int, int]], left: Sequence[Label], right: Sequence[Label], alike: Alike, renames: bool
) -> list[tuple[int | None, int | None]]:
    """The pairs with what is left over between them."""
    found: list[tuple[int | None, int | None]] = []
    i = j = 0
    for a, b in [*pairs, (len(left), len(right))]:
        gap_left, gap_right = range(i, a), range(j, b)
        same = len(gap_left) == len(gap_right) and all(
            left[x].shape == right[y].shape for x, y in zip(gap_left, gap_right, strict=True)
        )
        if renames and same:
            found += list(zip(gap_left, gap_right, strict=True))
        else:
            found += [(x, None) for x in gap_left]
            found += [(None, y) for y in gap_right]
        if a < len(left):
            found.append((a, b))
        i, j = a + 1, b + 1
    return found
