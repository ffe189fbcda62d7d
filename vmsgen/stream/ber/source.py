"""Reading BER from a :class:`ByteSource`, element by element, without knowing where a container ends before it is
there.

Containers of definite and indefinite length are entered and left alike; what must not be (an end-of-contents mark in a
definite container, an inner element that runs past its container, a cut) is refused with its offset in the input.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vmsgen.runtime import ber
from vmsgen.runtime.errors import DataError, LimitError, TruncatedError
from vmsgen.runtime.limits import DEFAULT_LIMITS, Limits
from vmsgen.stream.transport.source import ByteSource

__all__ = ["BerSource", "Head"]


class Head(NamedTuple):
    """Identifier and length of an element whose contents come next. ``length`` is None for the indefinite form."""

    tag_class: int
    constructed: bool
    number: int
    length: int | None
    start: int  # offset in the input
    octets: bytes  # identifier and length as they stand there

    def describe(self) -> str:
        """The tag as a person reads it."""
        return ber.describe_tag(self.tag_class, self.number)


class BerSource:
    """The elements of an input. ``section`` names the section in errors once it is known."""

    def __init__(self, source: ByteSource, limits: Limits = DEFAULT_LIMITS) -> None:
        self.source = source
        self.limits = limits
        self.section: str | None = None
        # per open container: the offset where it ends (None: indefinite), and the nearest definite end around it
        self._frames: list[tuple[int | None, int | None]] = []

    # ------------------------------------------------------------------ errors

    def fail(self, message: str, offset: int) -> DataError:
        """An error at an offset of the input."""
        return DataError(message, offset=offset, section=self.section)

    # ------------------------------------------------------------------ containers

    @property
    def bound(self) -> int | None:
        """Offset that nothing here may run past: the end of the nearest definite container."""
        return self._frames[-1][1] if self._frames else None

    def enter(self, head: Head) -> None:
        """Goes into a constructed element. Raises DataError."""
        if not head.constructed:
            raise self.fail(f"{head.describe()} is primitive where a constructed one is expected", head.start)
        if len(self._frames) >= self.limits.depth:
            raise LimitError(f"elements are nested deeper than {self.limits.depth}", offset=head.start)
        end = None if head.length is None else self.source.offset + head.length
        self._frames.append((end, self.bound if end is None else end))

    def enter_open(self, count: int) -> bool:
        """Goes into ``count`` elements of indefinite length whose beginnings were read from the buffer itself; False if
        they are nested too deep.
        """
        if len(self._frames) + count > self.limits.depth:
            return False
        self._frames += [(None, self.bound)] * count
        return True

    def leave_open(self, count: int) -> bool:
        """Leaves ``count`` elements whose ends were read from the buffer itself; False if one has a definite length."""
        if any(end is not None for end, _ in self._frames[-count:]):
            return False
        del self._frames[-count:]
        return True

    def more(self) -> bool:
        """True if the current container holds another element; at its end leaves it. Raises DataError."""
        end, _ = self._frames[-1]
        source = self.source
        if end is not None:
            if source.offset < end:
                return True
            self._frames.pop()
            return False
        self._check_bound(2, source.offset)
        if not source.ensure(2):
            raise TruncatedError(
                "the stream ends inside an element of indefinite length", offset=source.offset, section=self.section
            )
        if source.view[source.pos] == 0 and source.view[source.pos + 1] == 0:
            source.pos += 2
            self._frames.pop()
            return False
        return True

    def leave(self, what: str) -> None:
        """Leaves the current container, which must be at its end. Raises DataError."""
        if self.more():
            head = self.head()
            raise self.fail(f"{head.describe()} after the last element of {what}", head.start)

    def _check_bound(self, size: int, start: int) -> None:
        bound = self.bound
        if bound is not None and self.source.offset + size > bound:
            raise self.fail("an element runs past the end of the one around it", start)

    # ------------------------------------------------------------------ elements

    def head(self) -> Head:
        """Identifier and length of the next element. Raises DataError."""
        source = self.source
        wanted = 2
        while True:
            enough = source.ensure(wanted)
            base = source.offset_of(0)
            try:
                tag_class, constructed, number, after = ber.read_tag(source.view, source.pos, source.end)
                length, content = ber.read_length(source.view, after, source.end, source.pos)
                break
            except TruncatedError as error:
                if not enough:
                    raise error.located(section=self.section, base=base) from None
                wanted = source.available() + 1
            except DataError as error:
                raise error.located(section=self.section, base=base) from None
        start = source.offset
        if tag_class == ber.UNIVERSAL and number == 0:
            raise self.fail("end-of-contents octets where an element is expected", start)
        if length is None and not constructed:
            raise self.fail(f"{ber.describe_tag(tag_class, number)} is primitive and of indefinite length", start)
        octets = bytes(source.view[source.pos : content])
        self._check_bound(len(octets) + (length or 0), start)
        source.pos = content
        return Head(tag_class, constructed, number, length, start, octets)

    def expect(self, tag_class: int, number: int, what: str) -> Head:
        """The next element, which must have this tag. Raises DataError."""
        if not self._frames or self.more():
            head = self.head()
            if (head.tag_class, head.number) == (tag_class, number):
                return head
            found, start = head.describe(), head.start
        else:
            found, start = "the end of the element around it", self.source.offset
        raise self.fail(f"expected {what} ({ber.describe_tag(tag_class, number)}), found {found}", start)

    def integer(self, head: Head, high: int, what: str) -> int:
        """The value of an INTEGER from 0 to ``high``. Raises DataError."""
        content = self._content(head, 9, what)
        try:
            value = ber.integer(content, _element(head, len(content)))
        except DataError as error:
            raise self.fail(error.message, head.start) from None
        if not 0 <= value <= high:
            raise self.fail(f"expected {what} from 0 to {high}, found {value}", head.start)
        return value

    def boolean(self, head: Head, what: str) -> bool:
        """The value of a BOOLEAN. Raises DataError."""
        content = self._content(head, 1, what)
        try:
            return ber.boolean(content, _element(head, len(content)))
        except DataError as error:
            raise self.fail(error.message, head.start) from None

    def null(self, head: Head) -> None:
        """Checks a NULL. Raises DataError."""
        if head.constructed or head.length:
            raise self.fail("a NULL is primitive and empty", head.start)

    def text(self, head: Head, what: str) -> str:
        """A UTF8String of 1 to 255 octets. Raises DataError."""
        data = self.octets(head, what, limit=255)
        try:
            found = data.decode()
        except UnicodeDecodeError:
            raise self.fail(f"{what} is not UTF-8", head.start) from None
        if not found:
            raise self.fail(f"{what} is empty", head.start)
        return found

    def octets(self, head: Head, what: str, *, limit: int | None = None) -> bytes:
        """The octets of a string, primitive or constructed. Raises DataError, LimitError above ``limit`` (else
        Limits.length).
        """
        most = self.limits.length if limit is None else limit
        size = 0
        parts = []
        for piece in self.pieces(head, what):
            size += len(piece)
            if size > most:
                raise LimitError(f"{what} is longer than {most} octets", offset=head.start, section=self.section)
            parts.append(bytes(piece))
        return b"".join(parts)

    def pieces(self, head: Head, what: str) -> Iterator[memoryview]:
        """The octets of a string as they come, each piece good until the next one is asked for. Raises DataError."""
        if not head.constructed:
            try:
                yield from self.source.pieces(head.length or 0, what)
            except TruncatedError as error:
                raise error.located(section=self.section) from None
            return
        self.enter(head)
        while self.more():
            piece = self.head()
            if piece.tag_class != ber.UNIVERSAL or piece.number not in (ber.OCTET_STRING, ber.UTF8_STRING):
                raise self.fail(f"a piece of a string is OCTET STRING, not {piece.describe()}", piece.start)
            yield from self.pieces(piece, what)

    def whole(self, head: Head, what: str) -> bytes:
        """The complete element, identifier and length included. Raises DataError, LimitError above Limits.length."""
        parts: list[bytes] = []
        self._collect(head, what, parts, [self.limits.length])
        return b"".join(parts)

    def _collect(self, head: Head, what: str, parts: list[bytes], left: list[int]) -> None:
        parts.append(head.octets)
        left[0] -= len(head.octets) + (head.length or 0)
        if left[0] < 0:
            raise LimitError(
                f"{what} is longer than {self.limits.length} octets", offset=head.start, section=self.section
            )
        if head.length is not None:
            try:
                parts.append(self.source.read(head.length, what))
            except TruncatedError as error:
                raise error.located(section=self.section) from None
            return
        self.enter(head)
        while self.more():
            self._collect(self.head(), what, parts, left)
        parts.append(ber.EOC)

    def _content(self, head: Head, most: int, what: str) -> bytes:
        if head.constructed or head.length is None or head.length > most:
            raise self.fail(f"expected {what} in at most {most} octets", head.start)
        try:
            return self.source.read(head.length, what)
        except TruncatedError as error:
            raise error.located(section=self.section) from None


def _element(head: Head, size: int) -> ber.Element:
    """The element whose content stands alone in a buffer."""
    return ber.Element(head.tag_class, head.constructed, head.number, 0, 0, size, size)
