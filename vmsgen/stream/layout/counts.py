"""Counts that are not in a section: found by division, since one element more makes it longer by a fixed length."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from vmsgen.runtime.answers import Answer
from vmsgen.runtime.facts import Question
from vmsgen.runtime.slotted import Slotted
from vmsgen.stream.layout.attempts import Attempt, Attempts

__all__ = ["counted", "divided", "is_count", "paired", "rivals"]


_ENUMERATED = 1024  # answers to one of two counts
_PAIRS = 16  # pairs of answers that are tried


def is_count(question: Question) -> bool:
    """Whether the answer is a number out of a range, and not one of a few candidates."""
    return isinstance(question.alternatives, range)


class _Slope(Slotted):
    """How the length depends on one answer: bytes for each step from ``answer``."""

    question: Question
    answer: int  # of a yes, 1
    each: int

    def answered(self, step: int) -> Answer | None:
        """The answer that many steps away, None if there is none."""
        other = self.answer + step
        if is_count(self.question):
            return other if other in self.question.alternatives else None
        return bool(other) if isinstance(self.question.answer, bool) and other in (0, 1) else None


def _slope(attempts: Attempts, attempt: Attempt, question: Question) -> _Slope | None:
    """The slope of an attempt's length at one of its answers; None where it has no fixed one."""
    base = attempts.run(attempt.type, attempt.trial, beyond=True)
    if base.end is None or not isinstance(question.answer, int):
        return None
    guess = int(question.answer)
    found: list[float] = []
    for step in (1, -1, 2):
        answer = _Slope(question, guess, 0).answered(step)
        if answer is None or len(found) == 2:
            continue
        other = attempts.run(attempt.type, {**attempt.trial, question.name: answer}, beyond=True)
        if other.end is not None:
            found.append((other.end - base.end) / step)
    if not found or found[0] != found[-1] or not found[0] or found[0] != int(found[0]):
        return None
    return _Slope(question, guess, int(found[0]))


def divided(attempts: Attempts, attempt: Attempt, question: Question) -> list[Answer] | None:
    """The counts that make the length come out, by what one more or less changes; None where that is not fixed."""
    base = attempts.run(attempt.type, attempt.trial, beyond=True)
    slope = _slope(attempts, attempt, question)
    if slope is None or base.end is None:
        return None
    found = []
    for end in attempts.ends:
        count, rest = divmod(end - base.end, slope.each)
        answer = slope.answered(count)
        if not rest and answer is not None:
            found.append(answer)
    return found


def counted(attempts: Attempts, attempt: Attempt, question: Question) -> Iterator[int]:
    """All counts that do not make the contents too long, the largest first.

    For what division misses: where the count is too low, what comes behind is read at the wrong place, so that
    subsections there do not show, and the right count makes the section longer than one would think.
    """
    base = attempts.run(attempt.type, attempt.trial, beyond=True)
    slope = _slope(attempts, attempt, question)
    if slope is None or slope.each < 0 or base.end is None or not attempts.ends:
        return
    most = slope.answer + (attempts.ends[-1] - base.end) // slope.each
    for count in range(most, max(-1, most - _ENUMERATED), -1):
        if count in question.alternatives:
            yield count


def paired(attempts: Attempts, attempt: Attempt) -> Iterator[dict[str, Answer]]:
    """Answers to two counts at once that make the length come out: those of one are tried, that of the other follows.

    Many such pairs are many layouts that fit, so that a few are enough to tell.
    """
    base = attempts.run(attempt.type, attempt.trial, beyond=True)
    counts = [question for question in base.guessed if is_count(question)]
    slopes = [slope for question in counts if (slope := _slope(attempts, attempt, question)) is not None]
    if base.end is None:
        return
    for left, right in itertools.combinations(sorted(slopes, key=lambda slope: -abs(slope.each)), 2):
        found = 0
        for end in attempts.ends:
            for away in range(-_ENUMERATED, _ENUMERATED):
                count = left.answered(away)
                step, rest = divmod(end - base.end - away * left.each, right.each)
                other = right.answered(step)
                if not rest and step and away and count is not None and other is not None and found < _PAIRS:
                    found += 1
                    yield {**attempt.trial, left.question.name: count, right.question.name: other}


def rivals(attempts: Attempts, fitting: Attempt) -> Iterator[Attempt]:
    """Attempts of the same length as one that fits, with two of the spec's open questions answered otherwise: what one
    has more the other has less.
    """
    slopes = [slope for question in fitting.open if (slope := _slope(attempts, fitting, question)) is not None]
    for at, left in enumerate(slopes):
        for right in slopes[at + 1 :]:
            common = math.gcd(left.each, right.each)
            for sign in (1, -1):
                answers = left.answered(sign * right.each // common), right.answered(-sign * left.each // common)
                if answers[0] is not None and answers[1] is not None:
                    trial = {**fitting.trial, left.question.name: answers[0], right.question.name: answers[1]}
                    yield attempts.run(fitting.type, trial)
