"""The search for the layout of a section: which answers to open questions make its fields end where it ends.

What a section does not hold (a property of the machine, the sender's release) is a question that its codec asks;
defaults answer it first. If the fields then do not end where they must, one answer is overruled at a time, then two, up
to three; the first number of overruled answers with a layout that fits wins. A count is solved by division. Where
several layouts fit, QEMU's own description decides, if the stream has it. For a question that the spec leaves open no
answer is likelier than another: there also a layout that needs more of them overruled is a rival.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from vmsgen.runtime.answers import Answer, answer_text
from vmsgen.runtime.errors import CheckError, DataError, LayoutError
from vmsgen.runtime.facts import Facts, Question
from vmsgen.runtime.slotted import Slotted
from vmsgen.runtime.trace import trace
from vmsgen.stream.layout.attempts import Attempt, Attempts, Contents
from vmsgen.stream.layout.counts import counted, divided, is_count, paired, rivals
from vmsgen.stream.vmdesc.match import Comparison

__all__ = ["AmbiguousLayout", "Contents", "Solved", "solve"]

_LEVELS = 3
_ENUMERATED = 1024  # alternatives of one question that are tried one by one
_DIVIDED = 8  # from so many on, division is tried first
_QUICK = 1 << 16  # bytes looked at where the end is not known and the guesses are tried, before any search
_WINDOW = 1 << 20  # bytes looked at where the end is not known, at first


class Solved(Slotted):
    """A layout that fits: the state, where it ends in ``data``, the questions it asked, the answers found by search."""

    state: Any
    end: int
    questions: Mapping[str, Question]
    overruled: Mapping[str, Answer]
    compared: Comparison | None  # with QEMU's description, if that was needed to choose it


class AmbiguousLayout(LayoutError):
    """Several layouts fit, with different values. ``end`` is where they end, None if they differ in that, too."""

    end: int | None = None


def solve(candidates: Sequence[Any], contents: Contents, facts: Facts) -> Solved:
    """The layout of a section. ``candidates`` are the classes it may be of, the likeliest first.

    Raises LayoutError naming the open questions if no layout fits, AmbiguousLayout if several do, and the DataError of
    the first candidate where no question is open.
    """
    if not candidates:
        raise LayoutError("no class can hold this section")
    attempts: Attempts | None = None
    if len(candidates) == 1 and (contents.end is None or contents.described is not None):
        # as a rule the guesses are right
        quick = Attempts(contents, facts, _QUICK, search=False)
        first = quick.run(candidates[0], {})
        if quick.fits(first) and not first.open and (contents.end is not None or not quick.missed(first)):
            return _chosen([first], quick)
        attempts = None if contents.end is None else quick
    wanted = _WINDOW
    while True:
        attempts = attempts or Attempts(contents, facts, wanted)
        fitting = _fitting(candidates, attempts)
        if fitting:
            return _chosen(fitting, attempts)
        if contents.end is not None or attempts.exhausted or contents.start + wanted >= len(contents.data):
            raise _failure(attempts.run(candidates[0], {}), attempts)
        attempts = None
        wanted *= 8


def _fitting(candidates: Sequence[Any], attempts: Attempts) -> list[Attempt]:
    """The layouts that fit with the fewest overruled answers, and their rivals; just the one that QEMU's description
    confirms, if it does.
    """
    level = [attempts.run(kind, {}) for kind in candidates]
    level += [attempts.run(attempt.type, trial) for attempt in level if (trial := attempts.told(attempt))]
    fitting = [attempt for attempt in level if attempts.fits(attempt)]
    before: list[Attempt] = []
    for _ in range(_LEVELS):
        if not all(map(attempts.is_denied, fitting)):
            break
        following: dict[int, Attempt] = {}
        for other in itertools.chain(
            (other for attempt in level for other in _neighbours(attempts, attempt)),
            (attempts.run(attempt.type, trial) for attempt in before for trial in paired(attempts, attempt)),
        ):
            if id(other) in following:
                continue
            following[id(other)] = other
            if attempts.fits(other):
                if attempts.agrees(other):
                    return [other]
                fitting.append(other)
        before, level = level, list(following.values())
    if attempts.contents.described is None:
        fitting = _whole(fitting, candidates, attempts)
    if attempts.contents.described is None:
        fitting += [rival for attempt in fitting for rival in rivals(attempts, attempt) if attempts.fits(rival)]
    return fitting


def _neighbours(attempts: Attempts, attempt: Attempt) -> Iterator[Attempt]:
    """Attempts with one more answer overruled, among the questions that this one met and guessed."""
    # one that runs out of bytes has more to ask, which shows where it may read on
    met = attempt if attempt.end is not None else attempts.run(attempt.type, attempt.trial, beyond=True)
    questions = [(question, _first(question.alternatives, _ENUMERATED + 1)) for question in met.guessed]
    # few alternatives first: they are tried quickly, and one that fits may end the search
    for question, many in sorted(questions, key=lambda pair: len(pair[1])):
        last: DataError | None = None
        wanted: object = None  # the only answer that a check lets pass
        for answer in _answers(attempts, attempt, question, many):
            if attempts.exhausted:
                return
            if answer != question.answer and wanted in (None, answer):
                other = attempts.run(attempt.type, {**attempt.trial, question.name: answer})
                yield other
                wanted = wanted or _demanded(question, last, other.error)
                last = other.error


def _demanded(question: Question, left: DataError | None, right: DataError | None) -> object:
    """The value that a spec compares with the answer to a question, where two answers failed there and both found it
    at the same place. None where that was not so.
    """
    if not isinstance(left, CheckError) or not isinstance(right, CheckError):
        return None
    at_one_place = left.offset == right.offset and left.check == right.check == f"it == props.{question.name}"
    return left.found if at_one_place and left.found == right.found else None


def _whole(fitting: list[Attempt], candidates: Sequence[Any], attempts: Attempts) -> list[Attempt]:
    """Of layouts that fit those that miss fewest subsections, among them the longer ones if any is missed."""
    missed = [attempts.missed(attempt) for attempt in fitting]
    if not all(missed):
        return [attempt for attempt, count in zip(fitting, missed, strict=True) if not count]
    known = {id(attempt) for attempt in fitting}
    longer = [each for each in _longer(candidates, attempts) if id(each) not in known and attempts.fits(each)]
    both = [*fitting, *longer]
    missed += [attempts.missed(attempt) for attempt in longer]
    return [attempt for attempt, count in zip(both, missed, strict=True) if count == min(missed)]


def _longer(candidates: Sequence[Any], attempts: Attempts) -> Iterator[Attempt]:
    """Attempts with one count that makes the section longer than division says."""
    for kind in candidates:
        first = attempts.run(kind, {}, beyond=True)
        for question in filter(is_count, first.guessed):
            for count in counted(attempts, first, question):
                yield attempts.run(kind, {question.name: count})


def _answers(attempts: Attempts, attempt: Attempt, question: Question, many: Sequence[Answer]) -> Sequence[Answer]:
    """Answers to a question: by division where they are many, and else one by one."""
    if is_count(question) and len(many) >= _DIVIDED:
        found = divided(attempts, attempt, question)
        if found is not None:
            return found
    return many if len(many) <= _ENUMERATED else ()


def _first(values: Iterable[Answer], most: int) -> list[Answer]:
    found: list[Answer] = []
    for value in values:
        found.append(value)
        if len(found) == most:
            break
    return found


def _chosen(fitting: list[Attempt], attempts: Attempts) -> Solved:
    """The one layout among those that fit. Raises AmbiguousLayout, LayoutError."""
    contents = attempts.contents
    best = fitting
    if len(best) > 1 and contents.described is not None:
        ranked = [(attempts.compared(attempt).closeness, attempt) for attempt in best]
        lowest = min(rank for rank, _ in ranked)
        best = [attempt for rank, attempt in ranked if rank == lowest]
    elif len(best) > 1:
        # QEMU writes no truth value but 0 and 1, and zeros where it has nothing: what must keep such is no layout of it
        best = [attempt for attempt in best if not _odd(attempt)] or best
    chosen = best[0]
    assert chosen.end is not None
    if any(not _same(chosen, other) for other in best[1:]):
        raise _ambiguous(best, contents)
    if attempts.exhausted and contents.described is None and chosen.trial:
        names = [question.name for question in chosen.questions.values() if not question.settled]
        raise LayoutError(f"a layout fits, but there are too many to try them all; {_help(names)}")
    return Solved(chosen.state, contents.start + chosen.end, chosen.questions, dict(chosen.trial), chosen.compared)


def _odd(attempt: Attempt) -> bool:
    """Whether a truth value is neither 0 nor 1, or what is unused is not zero."""
    try:
        leaves = trace(attempt.state)
        data = attempt.state.to_binary()
    except DataError:
        return True
    pieces = ((leaf.kind, data[leaf.offset : leaf.offset + leaf.size]) for leaf in leaves)
    return any(
        (kind == "bool" and piece not in (b"\0", b"\1")) or (kind == "pad" and any(piece)) for kind, piece in pieces
    )


def _same(left: Attempt, right: Attempt) -> bool:
    return left.type is right.type and left.end == right.end and bool(left.state == right.state)


def _ambiguous(fitting: list[Attempt], contents: Contents) -> AmbiguousLayout:
    names = sorted({name for attempt in fitting for name in attempt.trial})
    kinds = sorted({attempt.type.__name__ for attempt in fitting})
    told = f"{', '.join(kinds)}: " if len(kinds) > 1 else ""
    error = AmbiguousLayout(
        f"{told}{len(fitting)} layouts fit, and their values differ" + (f"; {_help(names)}" if names else "")
    )
    ends = {attempt.end for attempt in fitting}
    end = ends.pop()
    if not ends and end is not None:
        error.end = contents.start + end
    return error


def _failure(first: Attempt, attempts: Attempts) -> DataError:
    """Why nothing fits, as the first candidate with its guesses sees it."""
    start, target = attempts.contents.start, attempts.target
    unsettled = [question for question in first.questions.values() if not question.settled]
    error = attempts.explained(first)
    if error is None:
        must = "no section ends there" if target is None else f"the section has {target}"
        error = DataError(f"the fields of {first.type.__name__} take {first.end} bytes, but {must}", offset=first.end)
    if not unsettled:
        return error.located(base=start)
    guesses = ", ".join(f"{question.name} = {answer_text(question.answer)}" for question in unsettled)
    tried = "no layout that was tried fits" if attempts.exhausted else "no layout fits"
    return LayoutError(
        f"{tried}: with {guesses}: {error.message}; {_help([question.name for question in unsettled])}",
        path=error.path,
        offset=None if error.offset is None else error.offset + start,
        partial=error.partial,
    )


def _help(names: list[str]) -> str:
    return "give " + " or ".join(f"--prop {name}=VALUE" for name in names)
