"""The errors of the runtime: one line each that says where, what was expected, and what was found.

Only these leave the codecs and the stream layer, whatever the input holds. A codec raises with the field path and
the offset inside the data that it was given; the stream layer adds the section and moves the offset to the file
with :meth:`DataError.located`.
"""

from __future__ import annotations


class VmsgenError(Exception):
    """Base of everything vmsgen raises on purpose."""


class DataError(VmsgenError):
    """The data is not what the description says.

    ``path`` is the field (``timer[2].config``), ``offset`` counts bytes from the start of the data at hand (of the
    file, once
    located), ``section`` is ``NAME/INSTANCE``, ``partial`` the object as far as it was read.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str = "",
        offset: int | None = None,
        section: str | None = None,
        partial: object = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.offset = offset
        self.section = section
        self.partial = partial

    def __str__(self) -> str:
        where = []
        if self.section is not None:
            where.append(f"section {self.section}")
        if self.path:
            where.append(f"field {self.path}")
        if self.offset is not None:
            where.append(f"offset {self.offset:#x}")
        return f"{', '.join(where)}: {self.message}" if where else self.message

    def located(self, *, section: str | None = None, base: int = 0, path: str = "") -> DataError:
        """A copy for the place around it: the section's name, ``base`` added to the offset, ``path`` put before the
        path.
        """
        inner = self.path
        if path:
            inner = f"{path}.{inner}" if inner and not inner.startswith("[") else path + inner
        copy = type(self)(
            self.message,
            path=inner,
            offset=None if self.offset is None else self.offset + base,
            section=section if section is not None else self.section,
            partial=self.partial,
        )
        copy.__cause__ = self.__cause__
        return copy


class TruncatedError(DataError):
    """The data ends before the value does."""


class CheckError(DataError):
    """A check of the spec does not hold: ``check`` is its text, ``found`` the value of the field that it is of."""

    check: str = ""
    found: object = None


class LimitError(DataError):
    """A count, length or depth is above what :class:`vmsgen.runtime.limits.Limits` allows."""


class LayoutError(DataError):
    """Facts that the data does not hold leave its layout open, or no answer to them fits."""


class ValueOutOfRange(DataError):
    """A value of an object cannot be written: wrong type, out of range, or against a check or a count."""
