"""The search for the layout of a section: which answers to open questions make its fields end where it ends.

What a section does not hold (a property of the machine, the sender's release) is a question that its codec asks;
defaults answer it first. If the fields then do not end where they must, one answer is overruled at a time, then two, up
to three; the first number of overruled answers with a layout that fits wins. A count is solved by division: one more
element makes the section longer by a fixed length. Where several layouts fit, QEMU's own description decides, if the
stream has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vmsgen.runtime.errors import DataError, LayoutError, TruncatedError, VmsgenError
from vmsgen.runtime.facts import Answer, Facts, Question, answer_text
from vmsgen.stream.vmdesc import DescribedSection
from vmsgen.stream.vmdesc_match import compare

__all__ = ["AmbiguousLayout", "Contents", "Solved", "solve"]

_LEVELS = 3
_BUDGET = 3000  # runs of a codec for one section
_ENUMERATED = 1024  # alternatives of one question that are tried one by one
_DIVIDED = 8  # from so many on, division is tried first
_SLACK = 1 << 16  # bytes behind the end that a wrong layout may look at
_WINDOW = 1 << 20  # bytes looked at where the end is not known


@dataclass(slots=True)
class Contents:
    """Where a section's contents stand: ``data[start:]``, up to ``end`` if that is known.

    ``fits(end)`` judges an end (an offset in ``data``) by what stands there; it is asked only where ``end`` is None.
    """

    data: memoryview
    start: int
    end: int | None
    fits: Callable[[int], bool]
    version: int
    described: DescribedSection | None = None


@dataclass(slots=True)
class Solved:
    """A layout that fits: the state, where it ends in ``data``, the questions it asked, and the answers found by
    search.
    """

    state: Any
    end: int
    questions: Mapping[str, Question]
    overruled: Mapping[str, Answer]


class AmbiguousLayout(LayoutError):
    """Several layouts fit, with different values; all end at ``end``."""

    end: int


@dataclass(slots=True)
class _Attempt:
    """One run of a codec."""

    type: Any
    trial: dict[str, Answer]
    questions: Mapping[str, Question]
    state: Any = None
    end: int | None = None  # relative to the contents' start
    error: DataError | None = None


@dataclass(slots=True)
class _Search:
    contents: Contents
    facts: Facts
    runs: int = 0
    window: bytes = b""
    seen: dict[tuple[Any, frozenset[tuple[str, Answer]]], _Attempt] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wanted = _WINDOW if self.contents.end is None else self.contents.end - self.contents.start + _SLACK
        self._look(wanted)

    def _look(self, wanted: int) -> None:
        start = self.contents.start
        self.window = bytes(self.contents.data[start : start + wanted])

    @property
    def target(self) -> int | None:
        """Length of the contents if it is known."""
        end = self.contents.end
        return None if end is None else end - self.contents.start

    def attempt(self, kind: Any, trial: dict[str, Answer]) -> _Attempt:
        """Runs a codec once with these answers; the same answers give the same attempt."""
        key = (kind, frozenset(trial.items()))
        known = self.seen.get(key)
        if known is not None:
            return known
        self.runs += 1
        while True:
            facts = self.facts.fresh(trial)
            made = _Attempt(kind, trial, facts.questions)
            try:
                made.state, made.end = kind.load_at(self.window, 0, version=self.contents.version, facts=facts)
            except TruncatedError as error:
                held = len(self.contents.data) - self.contents.start
                if self.contents.end is None and len(self.window) < held:
                    self._look(len(self.window) * 8)
                    continue
                made.error = error
            except DataError as error:
                made.error = error
            except VmsgenError as error:
                made.error = LayoutError(str(error))
            break
        self.seen[key] = made
        return made

    def cut(self, attempt: _Attempt) -> DataError | None:
        """The error of the same run when nothing stands behind the section's end."""
        facts = self.facts.fresh(attempt.trial)
        try:
            attempt.type.load_at(self.window[: self.target], 0, version=self.contents.version, facts=facts)
        except DataError as error:
            return error
        except VmsgenError as error:
            return LayoutError(str(error))
        return None

    def fits(self, attempt: _Attempt) -> bool:
        """Whether the attempt ends where the section ends."""
        if attempt.end is None:
            return False
        if self.target is not None:
            return attempt.end == self.target
        return self.contents.fits(self.contents.start + attempt.end)

    def neighbours(self, attempt: _Attempt) -> Iterator[_Attempt]:
        """Attempts with one more answer overruled, among the questions that this one met and guessed."""
        for question in list(attempt.questions.values()):
            if question.settled or question.name in attempt.trial:
                continue
            for answer, counted in self._answers(attempt, question):
                if self.runs >= _BUDGET:
                    return
                other = self.attempt(attempt.type, {**attempt.trial, question.name: answer})
                yield other
                if counted and self.fits(other):
                    break  # every other count gives another length

    def _answers(self, attempt: _Attempt, question: Question) -> Iterator[tuple[Answer, bool]]:
        """Other answers to a question: by division where they are many (then with True), then one by one."""
        tried = {question.answer}
        many = _first(question.alternatives, _ENUMERATED + 1)
        numbers = isinstance(question.answer, int) and not isinstance(question.answer, bool)
        if numbers and len(many) >= _DIVIDED:
            for answer in self._divided(attempt, question):
                if answer not in tried:
                    tried.add(answer)
                    yield answer, True
        if len(many) <= _ENUMERATED:
            for answer in many:
                if answer not in tried:
                    yield answer, False

    def _divided(self, attempt: _Attempt, question: Question) -> Iterator[Answer]:
        """The count that makes the lengths come out, from the lengths with two neighbouring counts."""
        assert isinstance(question.answer, int)
        guess = question.answer
        for step in (1, -1):
            if self.runs >= _BUDGET:
                return
            other = self.attempt(attempt.type, {**attempt.trial, question.name: guess + step})
            yield guess + step
            if attempt.end is None or other.end is None or other.end == attempt.end:
                continue
            each = (other.end - attempt.end) * step
            for target in self._targets():
                count, rest = divmod(target - attempt.end, each)
                if not rest and (guess + count) in _bounds(question):
                    yield guess + count
            return

    def _targets(self) -> Iterator[int]:
        """Lengths that the contents may have."""
        if self.target is not None:
            yield self.target
            return
        start = self.contents.start
        found = 0
        for at, mark in enumerate(self.window):
            if mark == 0x7E and self.contents.fits(start + at):
                yield at
                found += 1
                if found == 8:
                    return


def _first(values: Iterable[Answer], most: int) -> list[Answer]:
    found: list[Answer] = []
    for value in values:
        found.append(value)
        if len(found) == most:
            break
    return found


class _AnyCount:
    """Bounds of a question that does not say them."""

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int) and 0 <= value < 1 << 24


def _bounds(question: Question) -> Any:
    return question.alternatives if isinstance(question.alternatives, range) else _AnyCount()


def solve(candidates: Sequence[Any], contents: Contents, facts: Facts) -> Solved:
    """The layout of a section. ``candidates`` are the classes it may be of, the likeliest first.

    Raises LayoutError naming the open questions if no layout fits, AmbiguousLayout if several do, and the DataError of
    the first candidate where no question is open.
    """
    if not candidates:
        raise LayoutError("no class can hold this section")
    search = _Search(contents, facts)
    level = [search.attempt(kind, {}) for kind in candidates]
    first = level[0]
    for number in range(_LEVELS + 1):
        fitting = [attempt for attempt in level if search.fits(attempt)]
        if fitting:
            return _choose(fitting, contents)
        if number < _LEVELS:
            level = [other for attempt in level for other in search.neighbours(attempt)]
    raise _failure(first, search)


def _choose(fitting: list[_Attempt], contents: Contents) -> Solved:
    """The one layout among those that fit. Raises AmbiguousLayout."""
    best = fitting
    if len(best) > 1 and contents.described is not None:
        ranked = [(compare(contents.described, attempt.state).rank, attempt) for attempt in best]
        lowest = min(rank for rank, _ in ranked)
        best = [attempt for rank, attempt in ranked if rank == lowest]
    chosen = best[0]
    assert chosen.end is not None
    end = contents.start + chosen.end
    if any(not _same(chosen, other) for other in best[1:]):
        names = sorted({name for attempt in best for name in attempt.trial})
        kinds = sorted({attempt.type.__name__ for attempt in best})
        told = f"{', '.join(kinds)}: " if len(kinds) > 1 else ""
        error = AmbiguousLayout(
            f"{told}{len(best)} layouts fit, and their values differ" + (f"; {_help(names)}" if names else "")
        )
        error.end = end
        raise error
    return Solved(chosen.state, end, chosen.questions, dict(chosen.trial))


def _same(left: _Attempt, right: _Attempt) -> bool:
    return left.type is right.type and left.end == right.end and bool(left.state == right.state)


def _failure(first: _Attempt, search: _Search) -> DataError:
    """Why nothing fits, as the first candidate with its guesses sees it."""
    start, target = search.contents.start, search.target
    open_questions = [question for question in first.questions.values() if not question.settled]
    error = first.error
    if target is not None and (first.end is None or first.end > target):
        # the codec may have gone on behind the end: say which field the end cuts
        error = search.cut(first) or error
    if error is None:
        must = "no section ends there" if target is None else f"the section has {target}"
        error = DataError(f"the fields of {first.type.__name__} take {first.end} bytes, but {must}", offset=first.end)
    if not open_questions:
        return error.located(base=start)
    guesses = ", ".join(f"{question.name} = {answer_text(question.answer)}" for question in open_questions)
    return LayoutError(
        f"no layout fits: with {guesses}: {error.message}; {_help([question.name for question in open_questions])}",
        path=error.path,
        offset=None if error.offset is None else error.offset + start,
        partial=error.partial,
    )


def _help(names: list[str]) -> str:
    return "give " + " or ".join(f"--prop {name}=VALUE" for name in names)
