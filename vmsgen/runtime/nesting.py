"""Where a walk is: the path of names from its top, the object whose fields are visited, and what was kept of a part."""

from __future__ import annotations

import builtins

from vmsgen.runtime.errors import DataError, LimitError
from vmsgen.runtime.limits import DEFAULT_LIMITS, Limits
from vmsgen.runtime.values import Values


class Nesting:
    """The place of a walk, and errors that say it."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self._path: list[str] = []
        #: the object whose fields are visited, and the path from it to the current part ("" or "flags")
        self._owners: list[tuple[Values, int]] = []

    def path(self, name: str = "") -> str:
        """The field path, as messages print it: ``timer[2].config``."""
        parts = [*self._path, name] if name else self._path
        return "".join(part if part.startswith("[") or i == 0 else f".{part}" for i, part in enumerate(parts))

    def offset(self) -> int | None:
        """The place in the source or output, where there is one."""
        return None

    def error(self, message: str, name: str = "", kind: type[DataError] = DataError) -> DataError:
        """An error of this place; the caller raises it."""
        return kind(message, path=self.path(name), offset=self.offset())

    def enter(self, name: str) -> None:
        """Goes one level down. Raises LimitError below the allowed depth."""
        if len(self._path) >= self.limits.depth:
            raise self.error(f"parts are nested deeper than {self.limits.depth}", name, LimitError)
        self._path.append(name)

    def leave(self) -> None:
        """Goes one level up."""
        self._path.pop()

    @property
    def is_nowhere(self) -> bool:
        """Whether no object is being visited."""
        return not self._owners

    @property
    def owner(self) -> Values:
        """The object whose fields are visited."""
        return self._owners[-1][0]

    def kept_key(self, name: str) -> str:
        """The key of the current part in its owner's ``_kept``: ``flag``, ``flags[3]``."""
        below = self._path[self._owners[-1][1] :]
        return "".join([*below, name]) if name.startswith("[") else ".".join([*below, name])

    def kept(self, name: str) -> builtins.bytes | None:
        """What was kept of the current part, or None."""
        kept = self.owner._kept
        return kept.get(self.kept_key(name)) if kept else None
