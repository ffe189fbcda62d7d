"""Runs of a codec over a section's contents with one set of answers after another, each judged by where it ends."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from vmsgen.runtime.answers import Answer
from vmsgen.runtime.errors import DataError, LayoutError, VmsgenError
from vmsgen.runtime.facts import Facts, Question
from vmsgen.runtime.slotted import Slotted
from vmsgen.runtime.trace import trace
from vmsgen.stream.vmdesc.answers import answers_of, may_be_told
from vmsgen.stream.vmdesc.description import DescribedSection
from vmsgen.stream.vmdesc.match import Comparison, compare

__all__ = ["Attempt", "Attempts", "Contents"]

_RUNS = 3000  # of a codec for one section
_WORK = 32 << 20  # bytes that they may read together
_OVERHEAD = 4096  # what a run costs beside its bytes, as bytes
_SLACK = 1 << 16  # bytes behind the end that a wrong layout may look at
_ENDS = 64  # places that may be the end


#: The header of a subsection: its mark, and a name with a slash.
_SUBSECTION = re.compile(rb"\x05(.)([\x21-\x7e]{1,255})", re.DOTALL)


def _whole(found: re.Match[bytes]) -> bool:
    name = found[2][: found[1][0]]
    return len(name) == found[1][0] and b"/" in name[1:]


class Contents(Slotted):
    """Where a section's contents stand: ``data[start:]``, up to ``end`` if that is known.

    ``fits(end)`` judges an end (an offset in ``data``) by what stands there, ``ends(stop)`` lists those from ``start``
    to ``stop`` that fit; they are asked only where ``end`` is None.
    """

    data: memoryview
    start: int
    end: int | None
    fits: Callable[[int], bool]
    ends: Callable[[int], Iterator[int]]
    version: int
    described: DescribedSection | None = None


class _Key(NamedTuple):
    type: Any
    trial: frozenset[tuple[str, Answer]]
    beyond: bool


class Attempt(Slotted):
    """One run of a codec: the questions that it asked, and the state and where it ends (relative to the contents'
    start), or the error.
    """

    type: Any
    trial: dict[str, Answer]
    questions: Mapping[str, Question]
    state: Any = None
    end: int | None = None
    error: DataError | None = None
    #: what the comparison of the state with QEMU's description found, once that was asked for
    compared: Comparison | None = None

    @property
    def guessed(self) -> list[Question]:
        """Questions that were neither known nor tried: the search may answer them otherwise."""
        return [each for each in self.questions.values() if not each.settled and each.name not in self.trial]

    @property
    def open(self) -> list[Question]:
        """Questions that the spec has no answer for, however they were answered."""
        return [each for each in self.questions.values() if each.open and not each.settled]


class Attempts:
    """The attempts at one section. ``wanted`` bytes are looked at where the end is not known; with ``search`` its
    possible ends are looked up in them, which counts and two runs that are compared need.
    """

    def __init__(self, contents: Contents, facts: Facts, wanted: int, *, search: bool = True) -> None:
        self.contents = contents
        self.facts = facts
        self.exhausted = False
        self._runs = self._work = 0
        self._made: dict[_Key, Attempt] = {}
        if contents.end is not None:
            self.ends = [contents.end - contents.start]
        elif not search:
            self.ends = []
        else:
            stop = min(contents.start + wanted, len(contents.data))
            self.ends = [end - contents.start for end in itertools.islice(contents.ends(stop), _ENDS)]
        # nothing behind the last place that may be the end need be looked at
        self._window = self._bytes(self.ends[-1] if self.ends else wanted)

    def _bytes(self, wanted: int) -> bytes:
        start = self.contents.start
        return bytes(self.contents.data[start : start + wanted])

    @property
    def target(self) -> int | None:
        """Length of the contents if it is known."""
        end = self.contents.end
        return None if end is None else end - self.contents.start

    def run(self, kind: Any, trial: dict[str, Answer], *, beyond: bool = False) -> Attempt:
        """Runs a codec with these answers; the same answers give the same attempt.

        ``beyond`` lets it read on behind the end, to learn how long the section would be. Once the budget is used up
        every new attempt fails, and ``exhausted`` says so.
        """
        beyond = beyond and bool(self.ends)
        key = _Key(kind, frozenset(trial.items()), beyond)
        known = self._made.get(key)
        if known is not None:
            return known
        if self._runs >= _RUNS or self._work >= _WORK:
            self.exhausted = True
            return Attempt(kind, trial, {}, error=LayoutError("too many layouts to try"))
        data = self._bytes(self.ends[-1] + _SLACK) if beyond else self._window
        facts = self.facts.fresh(trial)
        made = self._made[key] = Attempt(kind, trial, facts.questions)
        try:
            made.state, made.end = kind.load_at(data, 0, version=self.contents.version, facts=facts, explain=False)
        except DataError as error:
            made.error = error.with_traceback(None)  # which holds all that the codec had in hand
        except VmsgenError as error:
            made.error = LayoutError(str(error))
        self._runs += 1
        reached = made.end if made.end is not None else made.error.offset if made.error is not None else None
        self._work += (reached or 0) + _OVERHEAD
        return made

    def explained(self, attempt: Attempt) -> DataError | None:
        """What is wrong with an attempt, and where."""
        if attempt.error is None:
            return None
        facts = self.facts.fresh(attempt.trial)
        try:
            attempt.type.load_at(self._window, 0, version=self.contents.version, facts=facts)
        except DataError as error:
            return error
        except VmsgenError as error:
            return LayoutError(str(error))
        return attempt.error

    def fits(self, attempt: Attempt) -> bool:
        """Whether the attempt ends where the section ends."""
        if attempt.end is None:
            return False
        if self.target is not None:
            return attempt.end == self.target
        return self.contents.fits(self.contents.start + attempt.end)

    def missed(self, attempt: Attempt) -> int:
        """How many subsections stand in the contents that the attempt takes for something else.

        A count that is too large can swallow what follows the array, and end at the right place all the same.
        """
        headers = [found.start() for found in _SUBSECTION.finditer(self._window, 0, attempt.end or 0) if _whole(found)]
        if not headers:
            return 0
        try:
            read = sum(leaf.kind == "subsection" for leaf in trace(attempt.state))
        except DataError:
            return len(headers)
        return max(0, len(headers) - read)

    def agrees(self, attempt: Attempt) -> bool:
        """Whether QEMU's description names and cuts the leaves as this attempt does, so that no other need be tried."""
        if self.contents.described is None:
            return False
        found = self.compared(attempt)
        return found.rank == (0, 0) and not found.hidden

    def is_denied(self, attempt: Attempt) -> bool:
        """Whether QEMU's description cuts the leaves otherwise, so that another layout is looked for."""
        return self.contents.described is not None and self.compared(attempt).boundaries > 0

    def compared(self, attempt: Attempt) -> Comparison:
        """The state of an attempt against QEMU's description, of a section that has one."""
        if attempt.compared is None:
            assert self.contents.described is not None
            attempt.compared = compare(self.contents.described, attempt.state)
        return attempt.compared

    def told(self, attempt: Attempt) -> dict[str, Answer]:
        """What QEMU's description answers of the spec's open questions, and of its guesses if they do not fit; none if
        there are neither.
        """
        described = self.contents.described
        fits = self.fits(attempt)
        guesses = (question.open or (not fits and may_be_told(question)) for question in attempt.guessed)
        if described is None or not any(guesses):
            return {}
        return answers_of(attempt.type, self._window, self.contents.version, self.facts, described)
