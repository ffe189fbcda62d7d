"""Answers to the questions of a spec from QEMU's own description of the section.

A field ``when unknown`` is there if the description has a field of its name in the very place where the walk stands,
and ``[unknown]`` is the length that the description gives. A question may be asked in several places (elements of an
array) and answered differently in each; the answers are then a list in wire order. A prop that is a number is taken for
the length of what is described where it is asked first; where a spec computes with it that may be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from vmsgen.runtime.answers import Answer, join_answers
from vmsgen.runtime.binary_in import BinaryIn
from vmsgen.runtime.errors import VmsgenError
from vmsgen.runtime.facts import Facts, Prop, Question
from vmsgen.runtime.slotted import Slotted
from vmsgen.stream.vmdesc.description import DescribedField, DescribedSection, DescribedState

__all__ = ["answers_of", "may_be_told"]

_SUFFIX = re.compile(r"\[\d+\]\Z")
#: Leaves that are counted by their elements; others are counted by bytes.
_COUNTED = re.compile(r"u?int(8|16|32|64)\b|bool|timer|float64|CPU_Double_U")
_OUTSIDE = re.compile(r"[^0-9A-Za-z]+")
_LISTS = frozenset(("qtailq", "qlist"))


class _Place(Slotted):
    """A field as it is described at one offset: elements and bytes of all its parts together."""

    name: str
    type: str
    count: int
    size: int

    @property
    def length(self) -> int:
        """What its count is in a spec: elements, or bytes of a buffer."""
        return self.count if _COUNTED.match(self.type) or not self.type else self.size


def _may_be(prop: Prop, number: int) -> bool:
    """Whether a prop may have this value."""
    if prop.low is not None and prop.high is not None:
        return prop.low <= number <= prop.high
    return number in prop.candidates or not prop.candidates


class _Asked(Facts):
    """Facts that look questions up where the walk stands."""

    __slots__ = ("_nulls", "_places", "answers", "counts", "visitor")

    def __init__(self, facts: Facts, described: DescribedSection, state: DescribedState) -> None:
        super().__init__(facts.known)
        self._places: dict[int, list[_Place]] = {}
        for offset, place in _places(state, 0):
            self._places.setdefault(offset, []).append(place)
        #: where NULL pointers stand; None where QEMU does not describe them rightly
        self._nulls = frozenset(_nulls(state, 0)) if described.exact else None
        self.answers: dict[str, list[Answer]] = {}
        self.counts: dict[str, int] = {}
        self.visitor: BinaryIn | None = None

    def ask(self, prop: Prop) -> Any:
        name = prop.name
        if prop.kind != "int" or prop.machine_wide or {name, f"{prop.module}.{name}"} & self.known.keys():
            return super().ask(prop)
        if name not in self.counts and self.visitor is not None:
            # (a struct and its first field begin at the same place; the array is the longest of them)
            lengths = [place.length for place in self._places.get(self.visitor.position, ())]
            length = max(lengths, default=None)
            if length is not None and _may_be(prop, length):
                self.counts[name] = length
        return self.counts[name] if name in self.counts else super().ask(prop)

    def unknown(self, name: str, kind: str) -> Any:
        if name in self.known or kind not in ("bool", "int") or self.visitor is None:
            return super().unknown(name, kind)
        if not name.endswith("?"):
            answer = self._look_up(self.visitor, name.rpartition(".")[2], kind)
        elif self._nulls is not None:
            answer = self.visitor.position in self._nulls
        else:
            return super().unknown(name, kind)
        self.answers.setdefault(name, []).append(answer)
        return answer

    def _look_up(self, visitor: BinaryIn, field: str, kind: str) -> bool | int:
        wire = visitor.owner.WIRE_NAMES.get(field, (field,))
        names = {_SUFFIX.sub("", name) for name in wire} | {*wire, field}
        for place in self._places.get(visitor.position, ()):
            # (a pad has no attribute, so that the class does not know its wire name)
            derived = _OUTSIDE.sub("_", place.name).strip("_")
            if names & {place.name, _SUFFIX.sub("", place.name), derived}:
                if kind == "bool":
                    return True
                return place.length
        return False if kind == "bool" else 0


def may_be_told(question: Question) -> bool:
    """Whether a description may answer a question that was guessed: with all others a walk goes as it went before."""
    return question.open or (type(question.answer) is int and not question.machine_wide)


def answers_of(kind: Any, data: bytes, version: int, facts: Facts, described: DescribedSection) -> dict[str, Answer]:
    """Answers to what class ``kind`` asks when it reads ``data``, the contents that are ``described``.

    Those that it asks on a walk that comes to nothing are given all the same: whether they are right shows when they
    are tried.
    """
    if described.state is None:
        return {}
    asked = _Asked(facts, described, described.state)
    state = kind._blank()
    state._version = version
    asked.visitor = BinaryIn(data, 0, asked)
    with suppress(VmsgenError, IndexError, ZeroDivisionError, ValueError, OverflowError, TypeError, AttributeError):
        asked.visitor.run(state)
    return {**asked.counts, **{name: _joined(answers) for name, answers in asked.answers.items()}}


def _joined(answers: list[Answer]) -> Answer:
    first = answers[0]
    same = all(type(each) is type(first) and each == first for each in answers)
    return first if same else join_answers(answers)


def _places(state: DescribedState, start: int) -> Iterator[tuple[int, _Place]]:
    """Every described field with its offset, the parts of one array as one place."""
    last: _Place | None = None
    offset = start
    for field in state.fields:
        if last is not None and last.name == field.name and field.size:
            last.count += field.count
            last.size += field.total
        else:
            type_name = "" if field.states or field.type in ("struct", "nullptr") else field.type
            last = _Place(field.name, type_name, field.count, field.total)
            yield offset, last
        for inner, place in _inside(field, offset):
            yield from _places(inner, place)
        offset += field.total
    for subsection, place in _subsections(state, offset):
        yield from _places(subsection, place)


def _nulls(state: DescribedState, start: int) -> Iterator[int]:
    """The offset of every NULL pointer."""
    offset = start
    for field in state.fields:
        if field.type == "nullptr":
            yield from range(offset, offset + field.total)
        for inner, place in _inside(field, offset):
            yield from _nulls(inner, place)
        offset += field.total
    for subsection, place in _subsections(state, offset):
        yield from _nulls(subsection, place)


def _inside(field: DescribedField, offset: int) -> Iterator[tuple[DescribedState, int]]:
    """The states of a field's elements with their offsets."""
    if not field.states or not field.size:
        return
    if field.type in _LISTS:
        for state in field.states:
            yield state, offset + 1
            offset += 1 + state.size
    elif field.type != "gtree":
        for step in range(field.count):
            yield field.states[0], offset + step * field.size


def _subsections(state: DescribedState, offset: int) -> Iterator[tuple[DescribedState, int]]:
    """The subsections of a state with the offsets of their fields; the first one begins at ``offset``."""
    for subsection in state.subsections:
        offset += 6 + len(subsection.name.encode())
        yield subsection, offset
        offset += subsection.size
