"""Facts: what is known of the sender, and the questions that a layout asks.

Generated code asks (``facts.ask(AHCI_PORTS)``, ``facts.qemu >= (8, 2)``) and does not know who answers. An answer
comes from, first wins: an answer under trial by the layout search, what the user, the stream or its description
said, the default of the spec (a guess), the first candidate. Every question met is recorded, so that the search
knows what it may overrule and BER can carry the facts that the layout depended on. The names of questions are the
spec's: ``ahci_ports``, ``target.long_bits``, ``qemu >= 8.2``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Final

from vmsgen.runtime.answers import (
    TRUE,
    Answer,
    Release,
    answer_text,
    parse_release,
    read_answer,
    release_text,
    split_answers,
)
from vmsgen.runtime.errors import LayoutError, VmsgenError
from vmsgen.runtime.slotted import Slotted

_NEW: Final = object.__new__
#: no answers under trial
_NOTHING: Final[Mapping[str, Answer]] = {}


class Unanswered(VmsgenError):
    """An ambient fact that nobody has given; a default that needs it gives way to the candidates."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not known; give it with --prop {name}=VALUE")
        self.name = name


class Prop(Slotted, frozen=True):
    """A fact that a spec declares under ``props:``. ``low``/``high`` bound an ``A..B`` type."""

    name: str
    module: str
    kind: str
    low: int | None = None
    high: int | None = None
    candidates: tuple[Answer, ...] = ()
    default: Callable[[Facts], Answer] | None = None
    machine_wide: bool = False

    def alternatives(self) -> Iterable[Answer]:
        """Every value the prop may have, the likeliest first; empty if that is not known."""
        if self.candidates:
            return self.candidates
        if self.kind == "bool":
            return (True, False)
        if self.kind == "endian":
            return ("little", "big")
        if self.low is not None and self.high is not None:
            return range(self.low, self.high + 1)
        return ()


class Question(Slotted, frozen=True):
    """A question met while a codec ran. ``settled``: answered by knowledge, so the search leaves it alone; ``open``: an
    ``unknown`` of the spec that was guessed or tried.
    """

    name: str
    answer: Answer
    alternatives: Iterable[Answer]
    settled: bool
    machine_wide: bool
    open: bool = False


class Facts:
    """Answers to the questions of layouts. ``known`` maps names to values (or to their text)."""

    __slots__ = ("_runs", "carried", "known", "questions", "trial")

    def __init__(self, known: Mapping[str, Answer] | None = None, *, trial: Mapping[str, Answer] | None = None) -> None:
        self.known: dict[str, Answer] = dict(known) if known else {}
        self.trial: Mapping[str, Answer] = dict(trial) if trial else _NOTHING
        self.questions: dict[str, Question] = {}
        #: answers by place that were not given yet
        self._runs: dict[str, list[tuple[str, int]]] | None = None
        #: names that a BER record carried; they are written back also where this layout does not ask for them
        self.carried: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Facts({self.known!r})"

    # ------------------------------------------------------------------ making others

    def fresh(self, trial: Mapping[str, Answer] | None = None) -> Facts:
        """The same knowledge with no question recorded; ``trial`` holds the answers to try."""
        facts = _NEW(Facts)
        facts.known = self.known.copy()
        facts.trial = dict(trial) if trial else _NOTHING
        facts.questions = {}
        facts._runs = None
        facts.carried = self.carried
        return facts

    def derive(self, more: Mapping[str, Answer]) -> Facts:
        """The same knowledge and ``more``, which wins."""
        return self._like_this(Facts({**self.known, **more}))

    def settled(self) -> Facts:
        """What is known together with every answer that was given so far, now as knowledge."""
        return self._like_this(Facts({**self.known, **self.asked} if self.questions else self.known))

    def carrying(self, pairs: Iterable[tuple[str, str]]) -> Facts:
        """The same knowledge and the pairs of a BER record, which win."""
        found = dict(pairs)
        facts = Facts({**self.known, **found})
        facts.carried = tuple(found)
        return facts

    def _like_this(self, facts: Facts) -> Facts:
        facts.carried = self.carried
        return facts

    @property
    def asked(self) -> dict[str, Answer]:
        """Name and answer of each question met, in the order they were first asked."""
        return {question.name: question.answer for question in self.questions.values()}

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The questions met and their answers as text, as BER carries them; then what came so and was not asked."""
        if not self.questions and not self.carried:
            return ()
        asked = self.asked
        unasked = {name: self.known[name] for name in self.carried if name not in asked}
        return tuple((name, answer_text(answer)) for name, answer in {**asked, **unasked}.items())

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[str, str]]) -> Facts:
        """Facts of the pairs that a BER record carries; each text is read when its question is asked."""
        return cls().carrying(pairs)

    # ------------------------------------------------------------------ questions of generated code

    def ask(self, prop: Prop) -> Any:
        """The answer to a prop. Raises LayoutError when nothing answers it."""
        name = prop.name
        if name in self.trial:
            return self._record(name, self.trial[name], prop.alternatives(), False, prop.machine_wide)
        for key in (f"{prop.module}.{name}", name):
            if key in self.known:
                answer = read_answer(self.known[key], prop.kind, name)
                return self._record(name, answer, (), True, prop.machine_wide)
        if prop.default is not None:
            # a machine of which no name is known is none of those that a default names
            for facts in (self, self.derive({"machine.name": ""})):
                with suppress(Unanswered):
                    guess = prop.default(facts)
                    return self._record(name, guess, prop.alternatives(), False, prop.machine_wide)
                if "machine.name" in self.known:
                    break
        for guess in prop.alternatives():
            return self._record(name, guess, prop.alternatives(), False, prop.machine_wide)
        raise LayoutError(f"the layout depends on {name}, which nothing answers; give it with --prop {name}=VALUE")

    def unknown(self, name: str, kind: str) -> Any:
        """The answer to an explicit ``unknown`` of a spec, asked as ``STATE.FIELD``.

        It is asked once for every place on the wire, and the places may differ (elements of an array): an answer may
        list them in wire order (see :func:`join_answers`), the last one holding for the rest.
        """
        alternatives: Iterable[Answer] = (True, False) if kind == "bool" else range(1 << 24)
        settled = name not in self.trial and name in self.known
        given = self.trial.get(name, self.known.get(name))
        if given is None:
            return self._record(name, True if kind == "bool" else 0, alternatives, False, False, is_open=True)
        listed = isinstance(given, str) and "," in given and kind in ("bool", "int")
        answer = read_answer(self._next(name, str(given)) if listed else given, kind, name)
        shown = given if listed else answer
        self._record(name, shown, () if settled else alternatives, settled, False, is_open=not settled)
        return answer

    def _next(self, name: str, text: str) -> str:
        """The answer for the place that is at hand."""
        if self._runs is None:
            self._runs = {}
        runs = self._runs.get(name)
        if runs is None:
            runs = self._runs[name] = split_answers(text, name)
        answer, count = runs[0]
        if len(runs) > 1:
            runs[0] = (answer, count - 1)
            if count <= 1:
                del runs[0]
        return answer

    def restart(self) -> None:
        """The walk begins again: answers that differ from place to place are given from the first one on."""
        self._runs = None

    @property
    def qemu(self) -> ReleaseFact:
        """The release of the sender; comparing it asks as little as is needed (``qemu >= 8.2``)."""
        return ReleaseFact(self)

    @property
    def long_bits(self) -> int:
        """Width of target_ulong in bits: 64 or 32."""
        return int(self._ambient("target.long_bits", "int", (64, 32)))

    @property
    def host_endian(self) -> str:
        """Byte order of the sending host: ``little`` or ``big``."""
        return str(self._ambient("host_endian", "endian", ("little", "big")))

    def ambient(self, name: str, kind: str) -> Any:
        """A fact of the stream or the section (``target.arch``, ``section.bus`` ...). Raises Unanswered."""
        if name in self.trial:
            return self._record(name, self.trial[name], (), False, False)
        if name in self.known:
            return self._record(name, read_answer(self.known[name], kind, name), (), True, False)
        raise Unanswered(name)

    def _ambient(self, name: str, kind: str, alternatives: tuple[Answer, ...]) -> Any:
        met = self.questions.get(name)
        if met is not None:
            return met.answer
        if name in self.trial:
            return self._record(name, self.trial[name], alternatives, False, True)
        if name in self.known:
            return self._record(name, read_answer(self.known[name], kind, name), (), True, True)
        return self._record(name, alternatives[0], alternatives, False, True)

    def _record(
        self,
        name: str,
        answer: Answer,
        alternatives: Iterable[Answer],
        settled: bool,
        machine_wide: bool,
        is_open: bool = False,
    ) -> Answer:
        if name not in self.questions:
            self.questions[name] = Question(name, answer, alternatives, settled, machine_wide, is_open)
        return answer

    # ------------------------------------------------------------------ the sender's release

    def at_least(self, release: Release, *, strictly: bool = False) -> bool:
        """Whether the sender's release is ``release`` or later (later, if ``strictly``).

        Decided by the exact release if it is known, by the interval that earlier answers and the machine's release (a
        lower bound) leave, and else a question of its own.
        """
        wanted = _padded(release)
        exact = self.known.get("qemu")
        if exact is not None:
            own = _release(exact, "qemu")
            return bool(self._record("qemu", own, (), True, True)) and (own > wanted if strictly else own >= wanted)
        name = _release_question(release, strictly)
        met = self.questions.get(name)
        if met is not None:
            return bool(met.answer)
        if name in self.trial:
            return bool(self._record(name, self.trial[name], (True, False), False, True))
        if name in self.known:
            return bool(self._record(name, read_answer(self.known[name], "bool", name), (), True, True))
        verdict = self._by_interval(wanted, strictly)
        if verdict is not None:
            return bool(self._record(name, verdict, (), True, True))
        # nothing decides: a machine type says that the sender is that release or later, and that release is the
        # likeliest
        guess = "machine.release" not in self.known
        return bool(self._record(name, guess, (True, False), False, True))

    def _by_interval(self, wanted: Release, strictly: bool) -> bool | None:
        """The answer as far as the lower and upper bounds decide it. A bound is (release, whether it is itself
        excluded).
        """
        low: tuple[Release, bool] = ((0, 0, 0), False)
        high: tuple[Release, bool] | None = None  # the sender is below it (True) or at most it (False)
        if "machine.release" in self.known:
            with suppress(VmsgenError):
                low = (_release(self.known["machine.release"], "machine.release"), False)
        for source in (self.known, self.trial):
            for name, value in source.items():
                if not name.startswith("qemu >"):
                    continue
                bound = _padded(parse_release(name.rpartition(" ")[2]))
                strict = not name.startswith("qemu >=")
                if value in (True, TRUE):
                    low = max(low, (bound, strict))
                else:
                    candidate = (bound, not strict)
                    high = candidate if high is None or (bound, strict) < (high[0], not high[1]) else high
        if (wanted, strictly) <= low:
            return True
        if high is not None and (high[0] < wanted or (high[0] == wanted and (high[1] or strictly))):
            return False
        return None


class ReleaseFact:
    """``facts.qemu``: compares with a release as a tuple of ints."""

    __slots__ = ("_facts",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def __ge__(self, other: Release) -> bool:
        return self._facts.at_least(other)

    def __gt__(self, other: Release) -> bool:
        return self._facts.at_least(other, strictly=True)

    def __lt__(self, other: Release) -> bool:
        return not self._facts.at_least(other)

    def __le__(self, other: Release) -> bool:
        return not self._facts.at_least(other, strictly=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, tuple) and self >= other and not self > other

    def __ne__(self, other: object) -> bool:
        return not self == other


@cache
def _release_question(release: Release, strictly: bool) -> str:
    """The name of a question of generated code, of which there are some dozens."""
    return f"qemu {'>' if strictly else '>='} {release_text(release)}"


def _release(value: Answer, name: str) -> Release:
    release = read_answer(value, "release", name)
    assert isinstance(release, tuple)
    return _padded(release)


def _padded(release: Release) -> Release:
    return (*release, 0, 0, 0)[:3]


#: of states whose layout asks for nothing, where nobody says anything; whoever may ask takes a fresh copy
NOBODYS: Final = Facts()
