"""What a check of the lint looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.model import Definition, Model, Module


@dataclass(frozen=True)
class Subject:
    """A model without errors, with its tags. ``library``: these are the specs that come with vmsgen."""

    model: Model
    library: bool

    @property
    def modules(self) -> Iterator[Module]:
        """The modules of this project, those that it imports from the shipped specs left out."""
        return (module for module in self.model.modules if not module.external)

    @property
    def definitions(self) -> Iterator[Definition]:
        """Every definition of the project."""
        return (definition for module in self.modules for definition in module.definitions)


Check = Callable[[Subject, Reporter], None]
