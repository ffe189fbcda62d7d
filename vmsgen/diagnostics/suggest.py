"""What was probably meant by a mistyped word."""

from __future__ import annotations

from collections.abc import Iterable

#: Longer words are not compared: they come from broken files, and the distance costs the product of both lengths.
_LONGEST = 80


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that ``word`` probably stands for, or None.

    Letter case counts for less than a letter, and two letters swapped count once. Of several equally near candidates
    the first in the alphabet is taken, so that the answer does not depend on the order of a set.
    """
    if not word or len(word) > _LONGEST:
        return None
    allowed = 1 if len(word) <= 5 else 2 if len(word) <= 9 else 3
    best: tuple[float, str] | None = None
    for candidate in candidates:
        if not candidate or candidate == word or len(candidate) > _LONGEST:
            continue
        missing = len(candidate) - len(word)
        if len(word) >= 4 and 0 < missing <= 3 and candidate.startswith(word):
            distance = 1.0  # a word that was not written to its end
        elif abs(missing) > allowed:
            continue
        else:
            distance = _distance(word, candidate)
        # a word of which more than half would change is another word
        if distance > allowed or distance * 2 > max(len(word), len(candidate)):
            continue
        if best is None or (distance, candidate) < best:
            best = (distance, candidate)
    return None if best is None else best[1]


def _distance(a: str, b: str) -> float:
    """Edits between two words: insert, delete, replace, swap neighbours; another letter case costs a tenth."""
    before: list[float] = []
    previous = [float(j) for j in range(len(b) + 1)]
    for i, x in enumerate(a, 1):
        row = [float(i)]
        for j, y in enumerate(b, 1):
            change = 0.0 if x == y else 0.1 if x.lower() == y.lower() else 1.0
            cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + change)
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, previous = previous, row
    return previous[-1]
