"""INTEGERs and BOOLEANs in straight-line BER: tables of ready octets for writing, runs of neighbours for reading.

A run is read in one loop over its octets: tag, length and first content octet of each component come from one ``zip``
over a single iterator, so that nothing is indexed or sliced for a small value, and a table by type says what the octet
means and that it is in range. What is not minimal, definite, in order and in range raises
:class:`~vmsgen.runtime.straight.NotPlain` or a LookupError, and is the walk's to judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby, repeat
from typing import Any, Final, TypeAlias

from vmsgen.runtime import ber
from vmsgen.runtime.straight import NotPlain
from vmsgen.runtime.straight import content as content_of

__all__ = [
    "BOOL",
    "INT8",
    "LEAST",
    "OCTETS",
    "S8",
    "S16",
    "S32",
    "S64",
    "U8",
    "U16",
    "U32",
    "U64",
    "UINT8",
    "UNSIGNED",
    "Octets",
    "TlvRun",
    "means",
]

#: the length octet of one octet, of two, of three ... as a number before so many octets
_LENGTHS: Final = tuple(size << 8 * size for size in range(1, 10))
#: length and content octets of small integers, from -128 to 255
_FIRST: Final = -128
_READY: Final = (*[b"\1%c" % (value & 0xFF) for value in range(-128, 128)], *[b"\2\0%c" % v for v in range(128, 256)])
#: entries that a table may have
_ENTRIES: Final = 1 << 14


class Octets(dict[int, bytes]):
    """Length and content octets of the INTEGERs of one type, by value. Small ones are ready made; those of 16 bits stay
    when they were met. Raises NotPlain for a value out of range.
    """

    __slots__ = ("high", "low", "runs")

    def __init__(self, bits: int, signed: bool) -> None:
        #: for reading: what takes so many elements of a SEQUENCE OF INTEGER
        self.runs: dict[int, TlvRun] = {}
        self.low, self.high = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
        first, end = max(self.low, _FIRST), min(self.high, _FIRST + len(_READY))
        super().__init__(zip(range(first, end), _READY[first - _FIRST : end - _FIRST], strict=True))

    def __missing__(self, value: int) -> bytes:
        if 0 <= value < self.high:
            more = value.bit_length() >> 3
            made = (value + _LENGTHS[more]).to_bytes(more + 2, "big")
        elif self.low <= value < 0:
            more = (~value).bit_length() >> 3
            made = (value + (1 << 8 * more + 8) + _LENGTHS[more]).to_bytes(more + 2, "big")
        else:
            raise NotPlain("a value out of range")
        if more < 3 and -32769 < value < 65536 and len(self) < _ENTRIES:
            self[value] = made
        return made


S8: Final = Octets(8, True)
S16: Final = Octets(16, True)
S32: Final = Octets(32, True)
S64: Final = Octets(64, True)
U8: Final = Octets(8, False)
U16: Final = Octets(16, False)
U32: Final = Octets(32, False)
U64: Final = Octets(64, False)
#: all values of eight bits; a dict itself is quicker than what is derived from it
UINT8: Final = dict(U8)
INT8: Final = dict(S8)
#: octets of an integer whose width in bits a fact tells
OCTETS: Final = {8: 1, 16: 2, 32: 4, 64: 8}
#: tables of unsigned integers by their width
UNSIGNED: Final = {8: U8, 16: U16, 32: U32, 64: U64}
BOOL: Final = {False: b"\x01\x00", True: b"\x01\xff"}

#: what a single octet means, and what a number is below
_Type: TypeAlias = tuple[tuple[int, ...], int]

#: what a single content octet means, as far as it may stand
_UNSIGNED: Final = tuple(range(128))
_SIGNED: Final = (*range(128), *range(-128, 0))
_TRUTH: Final = (False, *[True] * 255)

#: by struct code: the meanings of a single octet, and what longer ones must be below; a BOOLEAN has one
_TYPES: Final[dict[str, _Type]] = {
    **{code: (_UNSIGNED, table.high) for code, table in zip("BHIQ", (U8, U16, U32, U64), strict=True)},
    **{code: (_SIGNED, table.high) for code, table in zip("bhiq", (S8, S16, S32, S64), strict=True)},
    "?": (_TRUTH, 0),
}

#: what stands before a tag of one octet
_NO_LEAD: Final = repeat(0x9F)
#: the tag of an INTEGER that has no other
_INTEGER: Final = 2

_from_bytes = int.from_bytes
#: what the first of two octets stands for
_HIGH: Final = tuple(first - (first >> 7 << 8) << 8 for first in range(256))
#: the least number that takes so many octets, where they can be more than one
LEAST: Final = (1 << 64, 1 << 64, *(1 << 8 * size - 9 for size in range(2, 10)))
#: the same for all lengths of one octet: no number is so long
_LEAST: Final = (*LEAST, *[1 << 64] * (0x80 - len(LEAST)))


def means(table: Octets) -> tuple[int, ...]:
    """What a single content octet means, as far as it may stand, for the integers of a table."""
    return _SIGNED if table.low < 0 else _UNSIGNED


#: neighbours whose tags differ in the last octet only: how many octets there are before that and which they are, and of
#: each that last octet and the type. In front of it the identifier octets of what has these inside, or nothing
_Part: TypeAlias = tuple[bytes | None, int, bytes, tuple[tuple[int, tuple[int, ...], int], ...]]
#: where such a component must have ended
_END: Final[_Part] = (None, 0, b"", ())


class TlvRun:
    """Components under context tags in a row, beginning with the number ``first``: INTEGERs and BOOLEANs (``codes`` are
    those of ``struct``, with ``?`` for a BOOLEAN), OCTET STRINGs of a constant 4 to 127 octets (``6s``), and between
    brackets what a component has inside: ``(I?H)`` a SEQUENCE whose components begin with the number 0, ``[4H]`` a
    SEQUENCE OF four INTEGERs.
    """

    __slots__ = ("_count", "_parts")

    def __init__(self, codes: str, first: int = 0) -> None:
        parts: list[_Part] = []
        for opens, inside, plain in re.findall(r"([(\[])(.*?)[)\]]|([^(\[]+)", codes):
            if plain:
                more = _components(plain, first)
                first += sum(len(part[3]) for part in more)
            else:
                # (31 components that one octet is enough for are more than there are in brackets)
                part = _elements(*_types(inside)) if opens == "[" else _components(inside, 0)[0]
                more = [(ber.tag_bytes(ber.CONTEXT, True, first), *part[1:]), _END]
                first += 1
            parts += more
        self._count = sum(len(part[3]) for part in parts)
        self._parts = tuple(parts)

    @classmethod
    def of_elements(cls, table: Octets, count: int) -> TlvRun:
        """The elements of a SEQUENCE OF INTEGER."""
        run = cls("")
        run._count = count
        run._parts = (_elements(*[(means(table), table.high)] * count),)
        return run

    def take(self, data: bytes, position: int, end: int) -> list[Any]:
        """The values of the components at ``position``, and behind them the position after the last, which is at
        ``end`` or before it. Raises NotPlain and LookupError.
        """
        rest = iter(data)
        left, seek = rest.__length_hint__, rest.__setstate__  # type: ignore[attr-defined] # of iterators over bytes
        seek(position)
        behind = len(data)
        values: list[Any] = []
        inner = end
        try:
            for head, leads, lead, plan in self._parts:
                if head:
                    begin = behind - left()
                    if not data.startswith(head, begin):
                        raise NotPlain("another element")
                    begin += len(head) + 1
                    inner = data[begin - 1]
                    if inner < 0x80:
                        inner += begin
                    else:
                        begin, inner = content_of(data, begin - len(head) - 1, end, head)
                    seek(begin)
                elif head is None:
                    if behind - left() != inner:
                        raise NotPlain("cut, or a component more")
                    continue
                # of numbers from 31 to 127 it is 0x9F; others are made so
                befores = rest if leads == 1 else _leads(lead, rest) if leads else _NO_LEAD
                for (wanted, meaning, high), before, tag, size, first in zip(  # noqa: B905 - ends with the part
                    plan, befores, rest, rest, rest
                ):
                    if tag != wanted or before != 0x9F:
                        raise NotPlain("another element")
                    if size == 1:
                        values.append(meaning[first])
                    elif size == 2:
                        value = _HIGH[first] + next(rest)
                        # a negative number has a meaning only where numbers may be
                        if (value > 127 and value < high) or (-high <= value < -128 and meaning[first]):
                            values.append(value)
                        else:
                            raise NotPlain("not the fewest octets, or out of range")
                    elif size == 3 and not first:
                        value = next(rest) << 8 | next(rest)
                        if not 32767 < value < high:
                            raise NotPlain("not the fewest octets, or out of range")
                        values.append(value)
                    else:
                        begin = behind - left() - 1
                        after = begin + size
                        if after > end:
                            raise NotPlain("cut")
                        seek(after)
                        content = data[begin:after]
                        value = _from_bytes(content)
                        if _LEAST[size] <= value < high and first < 128:
                            values.append(value)
                        elif meaning:
                            value -= 1 << 8 * size
                            # a negative number has a meaning only where numbers may be
                            if -high <= value < -_LEAST[size] and meaning[first]:
                                values.append(value)
                            else:
                                raise NotPlain("not the fewest octets, or out of range")
                        elif size == -high:
                            values.append(content)
                        else:
                            raise NotPlain("octets of another size")
        except StopIteration:
            raise NotPlain("cut") from None
        position = behind - left()
        if position > end or len(values) != self._count:
            raise NotPlain("cut")
        values.append(position)
        return values


def _types(codes: str) -> list[_Type]:
    """What codes without brackets mean."""
    types: list[_Type] = []
    for times, code in re.findall(r"(\d*)(\D)", codes):
        # no other octets have a meaning in a string, and none are below its size as it stands here
        types += [((), -int(times))] if code == "s" else [_TYPES[code]] * int(times or 1)
    return types


def _components(codes: str, first: int) -> list[_Part]:
    """Parts for components under context tags."""
    types = _types(codes)
    tags = [ber.tag_bytes(ber.CONTEXT, False, first + index) for index in range(len(types))]
    plan = [(tag[:-1], (tag[-1], *each)) for tag, each in zip(tags, types, strict=True)]
    return [
        (b"", len(lead), lead, tuple(each for _, each in part))
        for lead, part in groupby(plan, key=lambda each: each[0])
    ]


def _elements(*types: _Type) -> _Part:
    """A part for INTEGERs under their own tag."""
    return b"", 0, b"", tuple((_INTEGER, *each) for each in types)


def _leads(lead: bytes, rest: Iterator[int]) -> Iterator[int | None]:
    """What stands before the last octet of each tag: 0x9F where that is ``lead``."""
    return map({tuple(lead): 0x9F}.get, zip(*[rest] * len(lead), strict=False))
