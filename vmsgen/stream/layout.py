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

from vmsgen.runtime.errors import DataError, LayoutError, VmsgenError
from vmsgen.runtime.facts import Answer, Facts, Question, answer_text
from vmsgen.stream import binary_marks as marks
from vmsgen.stream.vmdesc import DescribedSection
from vmsgen.stream.vmdesc_answers import answers_of
from vmsgen.stream.vmdesc_match import compare

__all__ = ["AmbiguousLayout", "Contents", "Solved", "solve"]

_LEVELS = 3
_BUDGET = 3000  # runs of a codec for one section
_ENUMERATED = 1024  # alternatives of one question that are tried one by one
_DIVIDED = 8  # from so many on, division is tried first
_SLACK = 1 << 16  # bytes behind the end that a wrong layout may look at
_WINDOW = 1 << 20  # bytes looked at where the end is not known, at first
_ENDS = 64  # places that may be the end
_FOOTER = bytes((marks.FOOTER,))


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
    wanted: int = _WINDOW  # bytes to look at where the end is not known
    runs: int = 0
    window: bytes = b""  # what a codec sees; nothing behind the section's end if that is known
    ends: list[int] = field(default_factory=list)  # lengths that the contents may have, if that can be told
    seen: dict[tuple[Any, frozenset[tuple[str, Answer]], bool], _Attempt] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.target is not None:
            self.ends = [self.target]
        else:
            self.window = self._bytes(self.wanted)
            self.ends = list(self._footers())
        # nothing behind the last place that may be the end need be looked at
        if self.ends:
            self.window = self._bytes(self.ends[-1])

    def _bytes(self, wanted: int) -> bytes:
        start = self.contents.start
        return bytes(self.contents.data[start : start + wanted])

    @property
    def target(self) -> int | None:
        """Length of the contents if it is known."""
        end = self.contents.end
        return None if end is None else end - self.contents.start

    def attempt(self, kind: Any, trial: dict[str, Answer], *, beyond: bool = False) -> _Attempt:
        """Runs a codec once with these answers; the same answers give the same attempt.

        ``beyond`` lets it read on behind the end, to learn how long the section would be.
        """
        beyond = beyond and bool(self.ends)
        key = (kind, frozenset(trial.items()), beyond)
        known = self.seen.get(key)
        if known is not None:
            return known
        self.runs += 1
        data = self._bytes(self.ends[-1] + _SLACK) if beyond else self.window
        facts = self.facts.fresh(trial)
        made = _Attempt(kind, trial, facts.questions)
        try:
            made.state, made.end = kind.load_at(data, 0, version=self.contents.version, facts=facts)
        except DataError as error:
            made.error = error
        except VmsgenError as error:
            made.error = LayoutError(str(error))
        self.seen[key] = made
        return made

    def fits(self, attempt: _Attempt) -> bool:
        """Whether the attempt ends where the section ends."""
        if attempt.end is None:
            return False
        if self.target is not None:
            return attempt.end == self.target
        return self.contents.fits(self.contents.start + attempt.end)

    def agrees(self, attempt: _Attempt) -> bool:
        """Whether QEMU's description names and cuts the leaves as this attempt does, so that no other need be tried."""
        described = self.contents.described
        if described is None:
            return False
        found = compare(described, attempt.state)
        return found.rank == (0, 0) and not found.hidden

    def told(self, attempt: _Attempt) -> dict[str, Answer]:
        """What QEMU's description answers of the spec's open questions that were asked, none if they were not."""
        described = self.contents.described
        if described is None or not any(question.open for question in attempt.questions.values()):
            return {}
        return answers_of(attempt.type, self.window, self.contents.version, self.facts, described)

    def neighbours(self, attempt: _Attempt) -> Iterator[_Attempt]:
        """Attempts with one more answer overruled, among the questions that this one met and guessed."""
        questions = [
            (question, _first(question.alternatives, _ENUMERATED + 1))
            for question in attempt.questions.values()
            if not question.settled and question.name not in attempt.trial
        ]
        # few alternatives first: they are tried quickly, and one that fits may end the search
        for question, many in sorted(questions, key=lambda pair: len(pair[1])):
            for answer, counted in self._answers(attempt, question, many):
                if self.runs >= _BUDGET:
                    return
                other = self.attempt(attempt.type, {**attempt.trial, question.name: answer})
                yield other
                if counted and self.fits(other):
                    break  # every other count gives another length

    def _answers(self, attempt: _Attempt, question: Question, many: Sequence[Answer]) -> Iterator[tuple[Answer, bool]]:
        """Other answers to a question: by division where they are many (then with True), then one by one."""
        tried = {question.answer}
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
        base = self.attempt(attempt.type, attempt.trial, beyond=True)
        if base.end is None:
            return
        for step in (1, -1):
            if self.runs >= _BUDGET:
                return
            other = self.attempt(attempt.type, {**attempt.trial, question.name: guess + step}, beyond=True)
            if other.end is None or other.end == base.end:
                continue
            each = (other.end - base.end) * step
            for target in self.ends:
                count, rest = divmod(target - base.end, each)
                if not rest and (guess + count) in _bounds(question):
                    yield guess + count
            return

    def _footers(self) -> Iterator[int]:
        """Where in the window a footer stands that may be this section's."""
        start = self.contents.start
        at = -1
        for _ in range(_ENDS):
            at = self.window.find(_FOOTER, at + 1)
            while at >= 0 and not self.contents.fits(start + at):
                at = self.window.find(_FOOTER, at + 1)
            if at < 0:
                return
            yield at


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
    wanted = _WINDOW
    while True:
        search = _Search(contents, facts, wanted)
        fitting = _fitting(candidates, search)
        if fitting:
            return _choose(fitting, contents)
        if contents.end is not None or contents.start + wanted >= len(contents.data):
            raise _failure(search.attempt(candidates[0], {}), search)
        wanted *= 8


def _fitting(candidates: Sequence[Any], search: _Search) -> list[_Attempt]:
    """The layouts that fit with the fewest overruled answers; just the one that QEMU's description confirms, if it
    does.
    """
    level = [search.attempt(kind, {}) for kind in candidates]
    level += [search.attempt(attempt.type, trial) for attempt in level if (trial := search.told(attempt))]
    fitting = [attempt for attempt in level if search.fits(attempt)]
    for _ in range(_LEVELS):
        if fitting:
            break
        following = []
        for attempt in level:
            for other in search.neighbours(attempt):
                following.append(other)
                if search.fits(other):
                    if search.agrees(other):
                        return [other]
                    fitting.append(other)
        level = following
    return fitting


def _choose(fitting: list[_Attempt], contents: Contents) -> Solved:
    """The one layout among those that fit. Raises AmbiguousLayout."""
    best = fitting
    if len(best) > 1 and contents.described is not None:
        ranked = [(compare(contents.described, attempt.state).closeness, attempt) for attempt in best]
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
