"""Device sections as typed objects: finds the class, the layout and the end of a section, and proves that it is right.

A state is taken only if it goes back to the bytes it came from. Where no spec does that, the stream's own description
may (``described``, if the registry makes classes of it): without a word where no spec describes the section, with a
warning where one does and does not fit. What is left travels as a blob with a warning, if its end is known; where it is
not, that is an error.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from vmsgen.runtime.answers import Answer, answer_text
from vmsgen.runtime.errors import DataError, LayoutError, VmsgenError
from vmsgen.runtime.facts import Facts, Unanswered
from vmsgen.runtime.state import VMState
from vmsgen.stream.items import Blob, Body, Configuration, Section, State
from vmsgen.stream.layout.search import AmbiguousLayout, Contents, Solved, solve
from vmsgen.stream.machine.facts import TARGET_PROP, facts_of_configuration
from vmsgen.stream.machine.targets import ARCHITECTURES
from vmsgen.stream.vmdesc.match import compare, is_of

if TYPE_CHECKING:
    from vmsgen.stream.binary.decoder import Undecoded
    from vmsgen.stream.vmdesc.description import DescribedSection

__all__ = ["Classes", "DescribedClasses", "DeviceDecoder", "section_facts"]

_FARTHEST = 16 << 20  # bytes in which the end of an unknown section is looked for
_LOOKED = 4 << 30  # bytes that are looked through for all of them
_PCI = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]/")
_CCW = re.compile(r"/?[0-9a-f]+\.\d\.[0-9a-f]{4}/")
_MMIO = re.compile(r"virtio-mmio@[0-9a-f]+/")


class Classes(Protocol):
    """What is asked of a registry of generated classes."""

    def candidates(self, idstr: str, facts: Facts | None = None, part: str = "full") -> list[Any]:
        """Classes that a section of this name may be of, or a part of it (``start``, ``part``, ``end``), those that the
        facts exclude left out.
        """

    def by_tag(self, tag: int) -> Any | None:
        """The class with this APPLICATION tag."""


@runtime_checkable
class DescribedClasses(Protocol):
    """What else a registry may have: classes of the stream's own description."""

    def described(self, section: DescribedSection, version: int) -> Any | None:
        """A class for just these contents, None if the description says nothing of them. Raises VmsgenError if none can
        be made.
        """


def section_facts(name: str, instance: int) -> dict[str, Answer]:
    """What a section's header tells: ``section.instance``, and ``section.bus`` where the name has a path on a bus."""
    facts: dict[str, Answer] = {"section.instance": instance}
    if "/" not in name:
        return facts
    if _PCI.match(name):
        facts["section.bus"] = "pci"
    elif _CCW.match(name):
        facts["section.bus"] = "ccw"
    elif _MMIO.match(name):
        facts["section.bus"] = "mmio"
    return facts


class DeviceDecoder:
    """Decodes the device sections of one stream. ``props`` are the user's answers, as text; they win over everything.

    Answers that hold for the whole machine are kept from section to section once a layout confirmed them.
    """

    def __init__(self, classes: Classes, *, props: Mapping[str, str] | None = None, machine: str | None = None) -> None:
        self._classes = classes
        self._given = dict(props or {})
        self._props: dict[str, Answer] = {name: told for name, told in self._given.items() if name != TARGET_PROP}
        self._machine = machine
        self._known = Facts(self._props)
        self._learnt: dict[str, Answer] = {}
        self._looked = 0  # bytes that were looked through for the ends of unknown sections
        self.configure(None)

    def configure(self, configuration: Configuration | None) -> None:
        """Takes what the stream says about its machine; the ``machine`` given by the user wins."""
        if self._machine is not None:
            configuration = Configuration(self._machine.encode())
        self._known = Facts({**facts_of_configuration(configuration, self._given), **self._props})

    def knows(self, section: Section) -> bool:
        """Whether a spec describes this part of a section that comes in pieces."""
        return bool(self._classes.candidates(section.name, self._known, section.part))

    def decode(self, job: Undecoded) -> tuple[Body, int]:
        """The contents of a section and where they end. Raises DataError if that cannot be told."""
        tried: list[Any] = []
        body, end = self._by_specs(job, tried)
        described = job.described if end == job.end else None
        if isinstance(body, Blob) and described is not None:
            meant = any(is_of(described, job.section.version, kind) for kind in tried)
            body = self._by_description(job, described, body, body.warning if meant else None)
        return body, end

    def _by_specs(self, job: Undecoded, tried: list[Any]) -> tuple[Body, int]:
        """The contents by the classes that the section may be of, which are put into ``tried``."""
        section = job.section
        extra = section_facts(section.name, section.instance)
        failed: DataError | None = None
        # What other sections taught is a guess too: if it does not do, then without it
        for learnt in (self._learnt, {}) if self._learnt else ({},):
            facts = self._known.derive({**learnt, **extra, **self._props})
            candidates = self._classes.candidates(section.name, facts, section.part)
            if not candidates:
                continue
            tried += candidates
            try:
                solved = solve(candidates, _contents(job), facts)
                _agree(job, solved)
            except DataError as error:
                failed = error
                continue
            self._learn(solved, facts)
            return self._proved(job, solved), solved.end
        return self._opaque(job, failed)

    def _by_description(self, job: Undecoded, described: DescribedSection, blob: Blob, warning: str | None) -> Body:
        """The contents as a class made of the section's own description has them, ``blob`` if there is none.
        ``warning``: what is wrong with them by the spec that they should fit.
        """
        if not isinstance(self._classes, DescribedClasses):
            return blob
        try:
            made = self._classes.described(described, job.section.version)
            body = blob if made is None else self._proved(job, solve([made], _contents(job), self._known))
        except VmsgenError as error:
            return blob if warning else Blob(blob.data, f"its vmdesc cannot be used: {error}")
        if isinstance(body, State):
            body.warning = warning
        return body if isinstance(body, State) or warning is None else blob

    def _opaque(self, job: Undecoded, error: DataError | None) -> tuple[Body, int]:
        """The bytes of a section that no layout fits. Raises DataError if their end is not known."""
        section, end = job.section, job.end
        if isinstance(error, AmbiguousLayout):
            end = error.end
        if end is not None:
            return Blob(job.data[job.start : end], None if error is None else error.message), end
        if error is not None:
            raise error.located(section=section.label, base=job.base)
        # nothing is known of its contents, but what follows may show
        stop = min(job.start + _FARTHEST, len(job.data))
        self._looked += stop - job.start
        ends = list(itertools.islice(job.ends(stop), 2)) if self._looked <= _LOOKED else []
        if len(ends) == 1:
            told = "no spec describes it, and no vmdesc; it ends at the only place where the stream can go on"
            return Blob(job.data[job.start : ends[0]], told), ends[0]
        raise DataError(
            "no spec describes this section and no vmdesc tells where it ends, "
            "so the rest of the stream cannot be read",
            section=section.label,
            offset=section.body_offset,
        )

    def _learn(self, solved: Solved, facts: Facts) -> None:
        for question in solved.questions.values():
            if question.machine_wide and not question.settled:
                self._learnt[question.name] = question.answer
        # (only of some devices there are several states for one name)
        if "target.arch" not in facts.known and type(solved.state).matches is not VMState.matches:
            possible = [arch for arch in ARCHITECTURES if _may_be(solved.state, facts.derive({"target.arch": arch}))]
            if len(possible) == 1:
                self._learnt["target.arch"] = possible[0]

    def _proved(self, job: Undecoded, solved: Solved) -> Body:
        """The state, if it is written as it was read; else the bytes."""
        data = job.data[job.start : solved.end]
        section = job.section
        try:
            again = solved.state.to_binary(version=section.version)
        except DataError as error:
            return Blob(data, f"cannot be written back: {error}")
        if again != bytes(data):  # (views are compared item by item)
            at = _first_difference(again, data)
            return Blob(data, f"is not written back as it was read: the first difference is at byte {at:#x}")
        section.facts = fact_pairs(solved.questions.values())
        return State(solved.state)


def _contents(job: Undecoded) -> Contents:
    return Contents(job.data, job.start, job.end, job.fits, job.ends, job.section.version, job.described)


def _agree(job: Undecoded, solved: Solved) -> None:
    """Raises LayoutError if a layout that was searched for is not what QEMU's description says that was sent: then it
    fits by chance.
    """
    described = job.described
    guessed = solved.overruled or any(each.open and not each.settled for each in solved.questions.values())
    if guessed and described is not None and described.exact:
        found = solved.compared or compare(described, solved.state)
        if found.boundaries:
            raise LayoutError(f"the vmdesc has other fields: {found.first}")


def _may_be(state: Any, facts: Facts) -> bool:
    """Whether a stream with these facts may have this state."""
    try:
        return bool(state.matches(facts))
    except Unanswered:
        return True


def fact_pairs(questions: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    """Questions that a layout asked, and their answers, as BER carries them."""
    return tuple((question.name, answer_text(question.answer)) for question in questions)


def _first_difference(left: bytes, right: bytes | memoryview) -> int:
    """Place of the first byte that differs (or where one of them ends)."""
    common = min(len(left), len(right))
    return next((at for at in range(common) if left[at] != right[at]), common)
