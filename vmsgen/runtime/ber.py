"""BER primitives (X.690): writing definite, minimal encodings; reading every legal one and refusing the rest.

Nothing here knows a VMState. Offsets in errors count from the start of the buffer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from vmsgen.runtime.errors import DataError, LimitError, TruncatedError
from vmsgen.runtime.limits import DEFAULT_LIMITS, Limits

Buffer: TypeAlias = "bytes | bytearray | memoryview"

UNIVERSAL: Final = 0
APPLICATION: Final = 1
CONTEXT: Final = 2

BOOLEAN: Final = 1
INTEGER: Final = 2
OCTET_STRING: Final = 4
NULL: Final = 5
UTF8_STRING: Final = 12
SEQUENCE: Final = 16

EOC: Final = b"\x00\x00"
INDEFINITE: Final = b"\x80"

_CLASS_NAMES = ("universal ", "application ", "", "private ")
_UNIVERSAL_NAMES = {1: "BOOLEAN", 2: "INTEGER", 4: "OCTET STRING", 5: "NULL", 12: "UTF8String", 16: "SEQUENCE"}


# ---------------------------------------------------------------------------------------------- writing


def tag_bytes(tag_class: int, constructed: bool, number: int) -> bytes:
    """Identifier octets."""
    first = tag_class << 6 | (0x20 if constructed else 0)
    if number < 31:
        return bytes((first | number,))
    octets = [number & 0x7F]
    number >>= 7
    while number:
        octets.append(0x80 | number & 0x7F)
        number >>= 7
    return bytes((first | 0x1F, *reversed(octets)))


def length_bytes(length: int) -> bytes:
    """Definite, minimal length octets."""
    if length < 0x80:
        return bytes((length,))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def integer_content(value: int) -> bytes:
    """Shortest two's complement content octets."""
    return value.to_bytes(((value if value >= 0 else ~value).bit_length() // 8) + 1, "big", signed=True)


def tlv(tag: bytes, content: bytes) -> bytes:
    """One definite element from its identifier octets and content."""
    return b"%b%b%b" % (tag, length_bytes(len(content)), content)


# ---------------------------------------------------------------------------------------------- reading


class Element(NamedTuple):
    """One element of a buffer: identifier, and where its content and the element itself end.

    ``content_end`` excludes the end-of-contents octets of the indefinite form, ``end`` includes them.
    """

    tag_class: int
    constructed: bool
    number: int
    start: int
    content: int
    content_end: int
    end: int

    def describe(self) -> str:
        """The tag as a person reads it: ``[3]``, ``[APPLICATION 20001]``, ``INTEGER``."""
        return describe_tag(self.tag_class, self.number)


def describe_tag(tag_class: int, number: int) -> str:
    """A tag as ASN.1 writes it."""
    if tag_class == UNIVERSAL:
        return _UNIVERSAL_NAMES.get(number, f"[UNIVERSAL {number}]")
    return f"[{_CLASS_NAMES[tag_class].upper()}{number}]"


def read_tag(data: Buffer, position: int, end: int) -> tuple[int, bool, int, int]:
    """Identifier octets at ``position``: class, constructed, number, position after them."""
    start = position
    if position >= end:
        raise TruncatedError("expected an element, found the end", offset=position)
    first = data[position]
    position += 1
    number = first & 0x1F
    if number == 0x1F:
        number = 0
        while True:
            if position >= end:
                raise TruncatedError("the tag is cut", offset=start)
            octet = data[position]
            if number == 0 and octet == 0x80:
                raise DataError("the tag is padded with a leading 80 octet (X.690 8.1.2.4.2)", offset=start)
            number = number << 7 | octet & 0x7F
            position += 1
            if number >= 1 << 31:
                raise LimitError("the tag number is above 2^31", offset=start)
            if octet < 0x80:
                break
        if number < 31:
            raise DataError(f"tag {number} is written in the long form", offset=start)
    return first >> 6, bool(first & 0x20), number, position


def read_length(data: Buffer, position: int, end: int, start: int) -> tuple[int | None, int]:
    """Length octets: the length (None: indefinite) and the position after them."""
    if position >= end:
        raise TruncatedError("the length is cut", offset=start)
    first = data[position]
    position += 1
    if first < 0x80:
        return first, position
    if first == 0x80:
        return None, position
    if first == 0xFF:
        raise DataError("length octet FF is reserved (X.690 8.1.3.5)", offset=start)
    count = first & 0x7F
    if position + count > end:
        raise TruncatedError("the length is cut", offset=start)
    return int.from_bytes(data[position : position + count], "big"), position + count


def read_element(data: Buffer, position: int, end: int, limits: Limits = DEFAULT_LIMITS, depth: int = 0) -> Element:
    """The element at ``position``, which must end at ``end`` or before. Raises DataError."""
    tag_class, constructed, number, after_tag = read_tag(data, position, end)
    length, content = read_length(data, after_tag, end, position)
    if tag_class == UNIVERSAL and number == 0:
        raise DataError("end-of-contents octets where an element is expected", offset=position)
    if length is not None:
        if content + length > end:
            raise TruncatedError(
                f"{describe_tag(tag_class, number)} announces {length} octets, {end - content} are left",
                offset=position,
            )
        return Element(tag_class, constructed, number, position, content, content + length, content + length)
    if not constructed:
        raise DataError(f"{describe_tag(tag_class, number)} is primitive and of indefinite length", offset=position)
    if depth >= limits.depth:
        raise LimitError(f"elements are nested deeper than {limits.depth}", offset=position)
    scan = content
    while True:
        if scan + 2 <= end and data[scan] == 0 and data[scan + 1] == 0:
            return Element(tag_class, constructed, number, position, content, scan, scan + 2)
        if scan >= end:
            raise TruncatedError(f"{describe_tag(tag_class, number)} has no end-of-contents octets", offset=position)
        scan = read_element(data, scan, end, limits, depth + 1).end


def children(data: Buffer, element: Element, limits: Limits = DEFAULT_LIMITS, depth: int = 0) -> Iterator[Element]:
    """The elements inside a constructed one, in order. Raises DataError."""
    if not element.constructed:
        raise DataError(f"{element.describe()} is primitive where a constructed one is expected", offset=element.start)
    position = element.content
    while position < element.content_end:
        child = read_element(data, position, element.content_end, limits, depth)
        yield child
        position = child.end


def integer(data: Buffer, element: Element) -> int:
    """The value of an INTEGER. Raises DataError for an empty, constructed or non-minimal one."""
    length = element.content_end - element.content
    if element.constructed or length == 0:
        raise DataError("an INTEGER is primitive and has at least one octet", offset=element.start)
    if length > 9:
        raise DataError(f"an INTEGER of {length} octets does not fit 64 bits", offset=element.start)
    if length > 1:
        first, second = data[element.content], data[element.content + 1]
        if (first == 0 and second < 0x80) or (first == 0xFF and second >= 0x80):
            raise DataError("an INTEGER is written with the fewest octets (X.690 8.3.2)", offset=element.start)
    return int.from_bytes(data[element.content : element.content_end], "big", signed=True)


def boolean(data: Buffer, element: Element) -> bool:
    """The value of a BOOLEAN; any octet but 00 is true."""
    if element.constructed or element.content_end - element.content != 1:
        raise DataError("a BOOLEAN is primitive and has one octet", offset=element.start)
    return data[element.content] != 0


def null(element: Element) -> None:
    """Checks a NULL."""
    if element.constructed or element.content_end != element.content:
        raise DataError("a NULL is primitive and empty", offset=element.start)


def octets(data: Buffer, element: Element, limits: Limits = DEFAULT_LIMITS, depth: int = 0) -> bytes:
    """The octets of a string, primitive or constructed.

    Pieces are OCTET STRING, of any legal form (X.690 8.7.3), those of a UTF8String too (8.23.6).
    """
    if not element.constructed:
        return bytes(data[element.content : element.content_end])
    if depth >= limits.depth:
        raise LimitError(f"string pieces are nested deeper than {limits.depth}", offset=element.start)
    pieces = []
    for piece in children(data, element, limits, depth):
        if piece.tag_class != UNIVERSAL or piece.number != OCTET_STRING:
            raise DataError(f"a piece of a string is OCTET STRING, not {piece.describe()}", offset=piece.start)
        pieces.append(octets(data, piece, limits, depth + 1))
    return b"".join(pieces)


def text(data: Buffer, element: Element, limits: Limits = DEFAULT_LIMITS) -> str:
    """The text of a UTF8String. Raises DataError for octets that are not UTF-8."""
    try:
        return octets(data, element, limits).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError("the octets of a UTF8String are not UTF-8", offset=element.start) from error
