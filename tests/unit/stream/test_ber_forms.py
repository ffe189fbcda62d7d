"""BER in every legal form is read alike; what X.690 forbids is refused; the RFC's second golden vectors fit the
container.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.stream.synthetic import HEADER, frozen, ordinary, to_ber, to_binary
from vmsgen.runtime import ber
from vmsgen.runtime.ber import length_bytes
from vmsgen.runtime.errors import DataError
from vmsgen.stream import items
from vmsgen.stream.ber.ram import read_ram_body, write_ram_body
from vmsgen.stream.ber.source import BerSource
from vmsgen.stream.items import BlockList, RamBlock, Record
from vmsgen.stream.transport.sink import MemorySink
from vmsgen.stream.transport.source import MemorySource

Node = tuple[bytes, Any]  # identifier octets; content octets, or nodes


def tree(data: bytes, start: int = 0, end: int | None = None) -> list[Node]:
    nodes: list[Node] = []
    position, end = start, len(data) if end is None else end
    while position < end:
        element = ber.read_element(data, position, end)
        _, constructed, _, after = ber.read_tag(data, position, end)
        identifier = data[position:after]
        if constructed:
            nodes.append((identifier, tree(data, element.content, element.content_end)))
        else:
            nodes.append((identifier, data[element.content : element.content_end]))
        position = element.end
    return nodes


Wrap = Callable[[bytes, bytes, bool], bytes]


def written(nodes: list[Node], wrap: Wrap) -> bytes:
    """The nodes with each element written by ``wrap(identifier, content, constructed)``."""
    return b"".join(
        wrap(identifier, written(content, wrap), True)
        if isinstance(content, list)
        else wrap(identifier, content, False)
        for identifier, content in nodes
    )


def definite(identifier: bytes, content: bytes, constructed: bool) -> bytes:
    return identifier + length_bytes(len(content)) + content


def indefinite(identifier: bytes, content: bytes, constructed: bool) -> bytes:
    if constructed:
        return identifier + b"\x80" + content + b"\0\0"
    return definite(identifier, content, constructed)


def long_lengths(identifier: bytes, content: bytes, constructed: bool) -> bytes:
    return identifier + b"\x89\0" + len(content).to_bytes(8, "big") + content


def mixed(seed: int) -> Wrap:
    rng = random.Random(seed)

    def wrap(identifier: bytes, content: bytes, constructed: bool) -> bytes:
        return rng.choice((definite, indefinite, long_lengths))(identifier, content, constructed)

    return wrap


FORMS = [definite, indefinite, long_lengths, *map(mixed, range(6))]


@pytest.mark.parametrize("form", FORMS)
def test_every_length_form(form: Wrap) -> None:
    data = ordinary()
    assert to_binary(written(tree(to_ber(data)), form)) == data


def test_strings_in_pieces() -> None:
    data = ordinary()
    strings = {b"\x04", b"\x0c", ber.tag_bytes(ber.APPLICATION, False, 11076)}

    def pieces(identifier: bytes, content: bytes, constructed: bool) -> bytes:
        if constructed or identifier not in strings:
            return indefinite(identifier, content, constructed)
        half = len(content) // 2
        nested = b"\x24\x80\x04\x00" + b"\x04" + length_bytes(len(content) - half) + content[half:] + b"\0\0"
        first = b"\x04" + length_bytes(half) + content[:half]
        return bytes((identifier[0] | 0x20,)) + identifier[1:] + b"\x80" + first + nested + b"\0\0"

    changed = written(tree(to_ber(data)), pieces)
    assert to_binary(changed) == data
    assert len(changed) > len(to_ber(data)) + 100


def test_chunks_are_a_body() -> None:
    data = ordinary()
    blob = b"\xa4\x80\x80\x18" + bytes(range(24))
    chunks = b"\xa4\x80\xa1\x80\x04\x10" + bytes(range(16)) + b"\x04\x00\x04\x08" + bytes(range(16, 24)) + b"\0\0"
    assert to_ber(data).count(blob) == 1
    assert to_binary(to_ber(data).replace(blob, chunks)) == data


def test_an_unknown_item_is_left_out_of_binary() -> None:
    stream = to_ber(ordinary())
    unknown = bytes.fromhex("7f8a0106020101020102")
    at = stream.index(ber.tag_bytes(ber.APPLICATION, True, 10708))
    assert to_binary(stream[:at] + unknown + stream[at:]) == ordinary()


OPENING = "7fd14680 a006 800101 810103 a180"
ZERO_PAGE = bytes.fromhex("40021000")


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        ("7fd14680 a006 800101 810103 a180 0000 0000 00", "octets after the end"),
        ("7fd14680 a006 800101 810103 a102 0000 0000", "end-of-contents octets where an element is expected"),
        ("7fd14680 a006 800101 810103 a180 0001", "end-of-contents octets where"),
        ("7fd14680 a006 800101 820103", "expected the version of the file"),
        ("7fd14680 a007 800101 810103", "found the end"),
        ("7fd14680 a006 80020001 8101", "fewest octets"),
        ("7fd14680 a006 8000 810103 00", "an INTEGER"),
        ("7fd14680 a006 8001ff 810103", "from 0 to 4294967295, found -1"),
        ("7fd14680 a005 800101 810103", "runs past the end of the one around it"),
        ("7fd14680 8006 800101 810103", "primitive where a constructed"),
        ("7fd146ff", "FF is reserved"),
        (f"{OPENING} 5fc546 80", "primitive and of indefinite length"),
        (f"{OPENING} 5fc546 0100", "a NULL is primitive and empty"),
        (f"{OPENING} 7fd350 80 800109 a480 8000 0000 0000", "none of that id was started"),
        (f"{OPENING} 7fd346 80 800101 8100", "name is empty"),
        (f"{OPENING} 7fd346 80 800101 8102ffff", "is not UTF-8"),
        (f"{OPENING} 7fd346 80 800101 810161 820100 830101 a480 0000", "a section without contents"),
        (f"{OPENING} 7fd346 80 800101 810161 820100 830101 a480 8a00", "expected the section's contents"),
        (f"{OPENING} 7fd346 80 800101 810161 820100 830101 a480 8000 8000", "after the last element"),
        (f"{OPENING} 7fd346 80 800101 810161 820100 830101 a404 800161 00 00", "after the last|end-of-contents"),
        ("7f80d14680", "padded"),
    ],
)
def test_illegal(octets: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        to_binary(bytes.fromhex(octets))
    assert caught.value.offset is not None


# ---------------------------------------------------------------------------------------------- RFC, second version


def read(octets: bytes) -> list[Record]:
    source = BerSource(MemorySource(b"\xa3\x80" + octets + b"\0\0"))
    source.enter(source.head())
    return [frozen(record) for batch in read_ram_body(source) for record in batch]


def write(records: list[Record]) -> bytes:
    sink = MemorySink()
    write_ram_body(sink, iter([records]))
    return sink.getvalue()


def group(pages: bytes) -> bytes:
    return bytes.fromhex("7fd342 80 0c06 70632e72616d 30 80") + pages + b"\0\0\0\0"


NAMED: Record = (items.GROUP, b"pc.ram", False)
CONTENT = bytes(range(256)) * 16


@pytest.mark.parametrize(
    ("octets", "record"),
    [
        (bytes.fromhex("40021000"), (items.ZERO, 0x1000, 1)),
        (bytes.fromhex("40050080000000"), (items.ZERO, 0x80000000, 1)),
        (bytes.fromhex("5fc84f00"), (items.HOOK,)),
        (bytes.fromhex("7fc650 821008 02021000 04821000") + CONTENT, (items.PAGE, 0x1000, CONTENT)),
        (bytes.fromhex("7fd842 07 02021000 0401ff"), (items.XBZRLE, 0x1000, b"\xff")),
    ],
)
def test_golden_pages(octets: bytes, record: Record) -> None:
    assert read(group(octets)) == [NAMED, record]
    assert write([NAMED, record]) == group(octets)


def test_golden_full_page_of_indefinite_length() -> None:
    octets = bytes.fromhex("7fc650 80 02021000 04821000") + CONTENT + b"\0\0"
    assert read(group(octets)) == [NAMED, (items.PAGE, 0x1000, CONTENT)]


def test_golden_block_list() -> None:
    octets = bytes.fromhex("7fbe5280 020408000000 3080 3080 0c0670632e72616d 020408000000 0000 0000 0000")
    listed = (items.LIST, BlockList(1 << 27, (RamBlock(b"pc.ram", 1 << 27),)))
    assert read(octets) == [listed]
    assert write([listed]) == octets


def test_the_page_size_travels_if_it_is_not_4096() -> None:
    listed = (items.LIST, BlockList(1 << 14, (RamBlock(b"r", 1 << 14),), 256))
    assert read(write([listed])) == [listed]
    assert len(write([listed])) == len(write([(items.LIST, BlockList(1 << 14, listed[1].blocks))])) + 4


def test_a_stream_of_nothing() -> None:
    assert to_ber(HEADER + b"\0") == bytes.fromhex(f"{OPENING} 5fc54600 0000 0000")
