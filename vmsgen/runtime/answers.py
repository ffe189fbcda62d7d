"""Answers to the questions of layouts, as values and as the text that BER, ``--prop`` and messages have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from vmsgen.runtime.errors import VmsgenError

__all__ = [
    "FALSE",
    "TRUE",
    "Answer",
    "Release",
    "answer_text",
    "join_answers",
    "parse_release",
    "read_answer",
    "release_text",
    "split_answers",
]

Release: TypeAlias = tuple[int, ...]
Answer: TypeAlias = "bool | int | str | Release"

TRUE: Final = "true"
FALSE: Final = "false"


def release_text(release: Release) -> str:
    """``(8, 2)`` as ``8.2``."""
    return ".".join(map(str, release))


def parse_release(text: str) -> Release:
    """``8.2`` or ``10.0.1`` as a tuple. Raises VmsgenError."""
    parts = text.split(".")
    if not 2 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
        raise VmsgenError(f"{text!r} is not a release such as 8.2 or 10.0.1")
    return tuple(map(int, parts))


def answer_text(answer: Answer) -> str:
    """An answer as BER, ``--prop`` and messages spell it."""
    if isinstance(answer, bool):
        return TRUE if answer else FALSE
    return release_text(answer) if isinstance(answer, tuple) else str(answer)


def join_answers(answers: Sequence[Answer]) -> str:
    """Answers to a question that is asked in several places, in wire order: ``true,false*3``; one if they are alike."""
    runs: list[tuple[str, int]] = []
    for text in map(answer_text, answers):
        if runs and runs[-1][0] == text:
            runs[-1] = (text, runs[-1][1] + 1)
        else:
            runs.append((text, 1))
    if len(runs) == 1:
        return runs[0][0]
    # the last one holds for the rest
    return ",".join(
        text if count == 1 or at == len(runs) - 1 else f"{text}*{count}" for at, (text, count) in enumerate(runs)
    )


def split_answers(text: str, name: str) -> list[tuple[str, int]]:
    """What :func:`join_answers` joined: answers, and for how many places each holds. Raises VmsgenError."""
    found: list[tuple[str, int]] = []
    for part in text.split(","):
        answer, star, count = part.partition("*")
        if star and not (count.isascii() and count.isdigit() and len(count) < 10):
            raise VmsgenError(f"{name}: {part!r} is not ANSWER*COUNT")
        found.append((answer, int(count) if star else 1))
    return found


def read_answer(value: Answer, kind: str, name: str) -> Answer:
    """A value as the kind of its question wants it, from its text where need be. Raises VmsgenError."""
    if kind == "release":
        return value if isinstance(value, tuple) else parse_release(str(value))
    if kind == "bool":
        if value in (TRUE, FALSE):
            return value == TRUE
        if isinstance(value, bool):
            return value
    elif kind == "int":
        if isinstance(value, int):
            return int(value)
        if isinstance(value, str):
            try:
                return int(value, 0)
            except ValueError:
                pass
    elif kind == "endian":
        if value in ("little", "big"):
            return value
    elif isinstance(value, str):
        return value
    wanted = {"bool": "true or false", "int": "a number", "endian": "little or big"}.get(kind, "text")
    raise VmsgenError(f"{name}: {value!r} is not {wanted}")
