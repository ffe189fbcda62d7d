"""An ASN.1 module as data: what lowering makes of the model and the templates print.

A :class:`SchemaModule` holds named types only; nothing constructed is anonymous but ``SEQUENCE OF`` a name, since
asn1c and pycrate each stumble over one of the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from vmsgen.diagnostics import Span


@dataclass(frozen=True, slots=True)
class Component:
    """A component of a SEQUENCE or an alternative of a CHOICE; ``tag`` None is a reference that brings its own
    tag."""

    name: str
    tag: int | None
    type: str
    optional: bool = False
    explicit: bool = False
    comment: str = ""
    #: the field it stands for
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class SequenceType:
    name: str
    components: tuple[Component, ...]
    #: number of its own [APPLICATION n] tag
    application: int | None = None
    extensible: bool = True
    about: tuple[str, ...] = ()
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class ChoiceType:
    name: str
    alternatives: tuple[Component, ...]
    about: tuple[str, ...] = ()
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class AliasType:
    """A name for a type written on one line: a row of a grid, an INTEGER with named numbers."""

    name: str
    type: str
    about: tuple[str, ...] = ()
    span: Span | None = None


NamedType: TypeAlias = SequenceType | ChoiceType | AliasType


@dataclass(frozen=True, slots=True)
class SchemaModule:
    name: str
    #: what the header says it was made from
    source: str
    types: tuple[NamedType, ...]
    exports: tuple[str, ...] = ()
    #: module -> names taken from it
    imports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    about: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        """Its file: the module's name, which Erlang wants and all others accept."""
        return f"{self.name}.asn1"
