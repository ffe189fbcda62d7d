"""What the straight-line codecs of generated classes call.

Straight-line code handles what is plain: canonical bytes, values that the wire says in full. Whatever else it meets
raises :class:`NotPlain` (or an error of Python's own), and the walk does the work again, keeping what is to be kept
and saying what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import error, pack, unpack
from typing import TYPE_CHECKING, Any, Final, TypeVar

from vmsgen.runtime.errors import VmsgenError

if TYPE_CHECKING:
    from vmsgen.runtime.ber_integers import Octets
    from vmsgen.runtime.facts import Facts
    from vmsgen.runtime.values import Values


T = TypeVar("T")

_PADDING: Final = 1 << 16


class NotPlain(VmsgenError):
    """The data or the object needs the walk."""


def need(value: T | None) -> T:
    """The value of a field that the wire has."""
    if value is None:
        raise NotPlain("no value")
    return value


#: What straight-line code meets when the data is not what it expects; the walk then says where and why.
FAST_PATH_ERRORS = (
    error,
    LookupError,
    ZeroDivisionError,
    TypeError,
    ValueError,
    OverflowError,
    AttributeError,
    VmsgenError,
)


# ---------------------------------------------------------------------------------------------- binary


#: what a byte says that is not kept
TRUTH: Final = (False, True)
#: what is written for it; None has no entry
BIT: Final[dict[bool | None, int]] = {False: 0, True: 1}


def plain_string(data: bytes) -> str:
    """Text that a NUL ends, with nothing but NULs behind it."""
    text, _, tail = data.partition(b"\0")
    if tail.strip(b"\0"):
        raise NotPlain("text with a tail")
    return text.decode("utf-8", "surrogateescape")


def string_bytes(text: str, size: int) -> bytes:
    """Text in ``size`` bytes, filled with NULs."""
    data = text.encode("utf-8", "surrogateescape")
    if len(data) > size or b"\0" in data:
        raise NotPlain("text that does not fit")
    return data + padding(size - len(data))


def padding(size: int) -> bytes:
    """Zero bytes; many of them, which a few octets of BER can ask for, are the walk's to allow."""
    if size > _PADDING:
        raise NotPlain("much padding")
    return bytes(max(size, 0))


def sized(data: bytes, size: int) -> bytes:
    """``data``, which must have ``size`` bytes."""
    if type(data) is bytes and len(data) == size:
        return data
    if len(data) != max(size, 0) or not isinstance(data, (bytes, bytearray, memoryview)):
        raise NotPlain("bytes of another size")
    return data


def count_of(items: Any, count: int) -> Any:
    """``items``, which must be ``count``."""
    if len(items) != max(count, 0):
        raise NotPlain("another number of elements")
    return items


def bounded(count: int, data: bytes) -> int:
    """A count that is no more than the bytes there are."""
    if count > len(data):
        raise NotPlain("more elements than bytes")
    return count


def load_subsections(
    owner: Values, data: bytes, position: int, facts: Facts, scopes: Mapping[str, tuple[Any, ...]]
) -> int:
    """Subsections in the order of the spec, each once; the position behind them."""
    prefix = owner.VMSTATE.encode()
    by_name = {info.wire_name.encode(): (index, info) for index, info in enumerate(owner.SUBSECTIONS)}
    last = -1
    while data[position : position + 1] == b"\x05":
        length = data[position + 1]
        name = data[position + 2 : position + 2 + length]
        if length <= len(prefix) or len(name) < length or not name.startswith(prefix):
            break
        found = by_name.get(name)
        if found is None or found[0] <= last:
            raise NotPlain("an unknown subsection, or one out of order")
        last, info = found
        position += 2 + length
        version = int.from_bytes(data[position : position + 4], "big")
        if not info.type.MINIMUM_VERSION <= version <= info.type.VERSION:
            raise NotPlain("a version out of range")
        state, position = info.type._load(data, position + 4, facts, version, *scopes.get(info.name, ()))
        setattr(owner, info.name, state)
    return position


def save_subsections(owner: Values, out: list[bytes], facts: Facts, scopes: Mapping[str, tuple[Any, ...]]) -> None:
    """The subsections that are there, in the order of the spec."""
    for info in owner.SUBSECTIONS:
        state = getattr(owner, info.name)
        if state is not None:
            name = info.wire_name.encode()
            out.append(b"\x05%c%b%b" % (len(name), name, state._version.to_bytes(4, "big")))
            state._save(out, facts, state._version, *scopes.get(info.name, ()))


# ---------------------------------------------------------------------------------------------- BER, writing


_LENGTHS: Final = tuple(bytes((size,)) for size in range(0x80))


def length(size: int) -> bytes:
    """Definite, minimal length octets."""
    if size < 0x80:
        return _LENGTHS[size]
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return b"%c%b" % (0x80 | len(octets), octets)


def octets(data: bytes, size: int | None = None) -> bytes:
    """Length and content octets of an OCTET STRING, of ``size`` octets if that is given."""
    if not isinstance(data, (bytes, bytearray, memoryview)) or (size is not None and len(data) != max(size, 0)):
        raise NotPlain("octets of another size")
    return length(len(data)) + data


def text_octets(text: str, size: int | None = None) -> bytes:
    """Length and content octets of text, which must fit ``size`` bytes."""
    data = text.encode("utf-8", "surrogateescape")
    if size is not None and (len(data) > max(size, 0) or b"\0" in data):
        raise NotPlain("text that does not fit")
    return length(len(data)) + data


def double_octets(value: float) -> bytes:
    """Length and content octets of a double."""
    return b"\x08" + pack(">d", value)


def small_octets(values: Any, size: int | None = None) -> bytes:
    """Length and content octets of a list of integers from 0 to 255."""
    return octets(bytes(values), size)


def tlv(tag: bytes, content: bytes) -> bytes:
    """One element."""
    size = len(content)
    return tag + (_LENGTHS[size] if size < 0x80 else length(size)) + content


def ask_host_endian(facts: Facts) -> None:
    """Asks for the sender's byte order: no octet of BER depends on it, but the binary form does, so it travels."""
    facts.host_endian  # noqa: B018 - the question is what matters


def encode_subsections(owner: Values, facts: Facts, scopes: Mapping[str, tuple[Any, ...]]) -> bytes:
    """Content octets of the subsections component, empty if there are none."""
    pieces = []
    for info in sorted(owner.SUBSECTIONS, key=lambda each: each.tag):
        state = getattr(owner, info.name)
        if state is not None:
            tag = b"%c" % (0xA0 | info.tag) if info.tag < 31 else _high_tag(info.tag, True)
            pieces.append(tlv(tag, state._encode(facts, state._version, *scopes.get(info.name, ()))))
    return b"".join(pieces)


def _high_tag(number: int, constructed: bool) -> bytes:
    from vmsgen.runtime.ber import CONTEXT, tag_bytes

    return tag_bytes(CONTEXT, constructed, number)


# ---------------------------------------------------------------------------------------------- BER, reading


def content(data: bytes, position: int, end: int, tag: bytes) -> tuple[int, int]:
    """Where the content of the element with these identifier octets begins and ends; definite, minimal length only."""
    if not data.startswith(tag, position):
        raise NotPlain("another element")
    position += len(tag) + 1
    size = data[position - 1]
    if size >= 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[position : position + count], "big")
        position += count
        if not 0 < count < 9 or size < 0x80:
            raise NotPlain("an indefinite or odd length")
    stop = position + size
    if stop > end:
        raise NotPlain("longer than what is around it")
    return position, stop


def take_integer(data: bytes, position: int, end: int, tag: bytes, table: Octets) -> tuple[int, int]:
    """The value of an INTEGER and the position behind it."""
    start, stop = content(data, position, end, tag)
    if stop - start > 1:
        first = data[start]
        if (first == 0 and data[start + 1] < 0x80) or (first == 0xFF and data[start + 1] >= 0x80):
            raise NotPlain("not the fewest octets")
    elif stop == start:
        raise NotPlain("an empty INTEGER")
    value = int.from_bytes(data[start:stop], "big", signed=True)
    if not table.low <= value < table.high:
        raise NotPlain("a value out of range")
    return value, stop


def take_bool(data: bytes, position: int, end: int, tag: bytes) -> tuple[bool, int]:
    """The value of a BOOLEAN and the position behind it."""
    start, stop = content(data, position, end, tag)
    if stop - start != 1:
        raise NotPlain("a BOOLEAN has one octet")
    return data[start] != 0, stop


def take_octets(data: bytes, position: int, end: int, tag: bytes, size: int | None = None) -> tuple[bytes, int]:
    """The octets of a primitive string and the position behind it."""
    start, stop = content(data, position, end, tag)
    if size is not None and stop - start != max(size, 0):
        raise NotPlain("octets of another size")
    return data[start:stop], stop


def take_text(data: bytes, position: int, end: int, tag: bytes, size: int | None = None) -> tuple[str, int]:
    """Text and the position behind it."""
    start, stop = content(data, position, end, tag)
    found = data[start:stop]
    if size is not None and (len(found) > max(size, 0) or b"\0" in found):
        raise NotPlain("text that does not fit")
    return found.decode("utf-8", "surrogateescape"), stop


def take_double(data: bytes, position: int, end: int, tag: bytes) -> tuple[float, int]:
    """A double that is no NaN and the position behind it."""
    found, stop = take_octets(data, position, end, tag, 8)
    value: float = unpack(">d", found)[0]
    if value != value:
        raise NotPlain("a NaN, whose bits are kept")
    return value, stop


def decode_subsections(
    owner: Values, data: bytes, position: int, end: int, tag: bytes, facts: Facts, scopes: Mapping[str, tuple[Any, ...]]
) -> int:
    """The subsections component, if it is there; the position behind it."""
    if position >= end or not data.startswith(tag, position):
        return position
    start, stop = content(data, position, end, tag)
    for info in sorted(owner.SUBSECTIONS, key=lambda each: each.tag):
        own = b"%c" % (0xA0 | info.tag) if info.tag < 31 else _high_tag(info.tag, True)
        if start < stop and data.startswith(own, start):
            inner, inner_stop = content(data, start, stop, own)
            if not info.type.MINIMUM_VERSION <= 1 <= info.type.VERSION:
                raise NotPlain("a version that is written out")
            state = info.type._decode(data, inner, inner_stop, facts, 1, *scopes.get(info.name, ()))
            setattr(owner, info.name, state)
            start = inner_stop
    if start != stop:
        raise NotPlain("an unknown subsection")
    return stop
