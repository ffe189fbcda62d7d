"""A spec file as it will be printed: decided, named, nothing left to find out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["Definition", "Entry", "Field", "Plan", "TmpGroup"]


@dataclass
class Field:
    """An entry of ``fields:``. ``line`` is the field line; ``attributes`` are in the order of the house style."""

    names: list[str]  # wire names, the current spelling first
    line: str
    as_name: str | None = None
    check: str | None = None
    doc: str | None = None
    view: str | None = None
    comment: str | None = None
    pad: bool = False  # has no attribute in Python, so its name need not be unique


@dataclass
class TmpGroup:
    """What QEMU sends through a temporary struct."""

    name: str
    entries: list[Entry]


Entry: TypeAlias = Field | TmpGroup


@dataclass
class Definition:
    """A state, struct or subsection. ``name`` is the type's name, None for a subsection."""

    name: str | None
    wire_name: str | None
    entries: list[Entry]
    version: int = 1
    minimum: int = 1
    subsections: list[Definition] = field(default_factory=list)
    as_name: str | None = None
    doc: str | None = None
    comment: str | None = None
    asn1: str = ""  # its type in the schema

    def fields(self) -> list[Field]:
        """Its fields, groups flattened."""
        found: list[Field] = []
        stack: list[Entry] = list(reversed(self.entries))
        while stack:
            entry = stack.pop()
            if isinstance(entry, TmpGroup):
                stack.extend(reversed(entry.entries))
            else:
                found.append(entry)
        return found


@dataclass
class Plan:
    """A file: ``path`` below the specs, without ending; the state that a stream can name, if it has one."""

    path: str
    summary: str
    state: Definition | None
    structs: list[Definition] = field(default_factory=list)
    section: bool = False
    match: str | None = None
    imports: dict[str, list[str]] = field(default_factory=dict)
