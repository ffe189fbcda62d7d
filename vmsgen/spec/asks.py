"""What files want of each other against the direction of their imports.

An import makes a file depend on what it names. A few things go the other way: a let is carried by objects when
somebody outside reads it, a struct is a view when nobody holds it, a name is unused when nobody takes it. Each of
these is an :data:`Ask` of the file that imports, so that a part of the specs can be compiled as if all were there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

#: Kind, target, name. ``use``: module and the name taken from it; ``export``: id of a definition and its let that is
#: read; ``view`` and ``hold``: id of a definition that is named as a view, or whose bytes are held.
Ask = tuple[str, str, str]


def home(target: str) -> str:
    """The module that an ask is about, from its target."""
    return target.partition("#")[0]


@dataclass(frozen=True, slots=True)
class Rest:
    """What is to be known of the files that are not compiled, when only some (``only``, by module) are.

    ``targets``: the modules that each file imports, the machine's facts included; ``asks``: what each wants.
    """

    only: Collection[str]
    targets: Mapping[str, Sequence[str]]
    asks: Mapping[str, Sequence[Ask]]

    def asked(self, loaded: Collection[str]) -> list[tuple[str, Ask]]:
        """What the files want that were not loaded, each with the module that wants it."""
        return [(path, ask) for path, asks in self.asks.items() if path not in loaded for ask in asks]
