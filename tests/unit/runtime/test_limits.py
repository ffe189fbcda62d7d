"""Bounds on what hostile input may ask for: depth, counts, lengths; and what it costs to find out."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import pytest

from vmsgen.runtime import ber
from vmsgen.runtime.ber_codec import decode
from vmsgen.runtime.errors import DataError, LimitError, TruncatedError
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.limits import DEFAULT_LIMITS, Limits
from vmsgen.runtime.state import Struct, VMState
from vmsgen.runtime.visitor import Visitor


class Node(Struct):
    """A part that holds parts."""

    FIELDS = ("children",)
    TAGS = {"children": 0, "<kept>": 1}  # noqa: RUF012
    __slots__ = ("children",)

    children: list[Node]

    def __init__(self, *, children: list[Node] | None = None) -> None:
        super().__init__()
        self.children = children or []

    def visit(self, v: Visitor) -> None:
        self.children = v.linked_list("children", self.children, v.of(Node))


class Nothing(Struct):
    """A part of no bytes."""

    TAGS = {"<kept>": 0}  # noqa: RUF012
    __slots__ = ()

    def visit(self, v: Visitor) -> None:
        pass


class Tree(VMState):
    """Lists of every sort."""

    VMSTATE = "tree"
    TAG = 30002
    FIELDS = ("kind", "count", "root", "wide", "items", "nothing", "marked", "ended", "text", "bits", "pairs")
    TAGS = {name: tag for tag, name in enumerate((*FIELDS, "<version>", "<facts>", "<kept>"))}  # noqa: RUF012
    __slots__ = FIELDS

    kind: int
    count: int
    root: Node | None
    wide: list[list[int]] | None
    items: list[int] | None
    nothing: list[Nothing] | None
    marked: list[Nothing] | None
    ended: list[Nothing] | None
    text: str | None
    bits: int | None
    pairs: list[tuple[int, int]] | None

    def __init__(self, *, kind: int = 0, count: int = 0, root: Node | None = None) -> None:
        super().__init__()
        self.kind, self.count, self.root = kind, count, root
        self.wide = self.items = self.nothing = self.marked = self.ended = self.text = self.bits = self.pairs = None

    def visit(self, v: Visitor) -> None:
        self.kind = v.uint8("kind", self.kind)
        self.count = v.uint32("count", self.count)
        count = self.count
        match self.kind:
            case 0:
                self.root = v.struct("root", self.root, Node)
            case 1:
                self.wide = v.grid("wide", self.wide, (count, count), v.uint16)
            case 2:
                self.items = v.integers("items", self.items, count, 64, True)
            case 3:
                self.nothing = v.array("nothing", self.nothing, count, v.of(Nothing))
            case 4:
                self.marked = v.until("marked", self.marked, 8, False, "big", 7, v.of(Nothing))
            case 5:
                self.ended = v.through("ended", self.ended, lambda item: False, v.of(Nothing))
            case 6:
                self.text = v.string("text", self.text, count)
            case 7:
                self.bits = v.bitmap("bits", self.bits, count)
            case 8:
                self.pairs = v.tree("pairs", self.pairs, v.uint8, v.uint8)
            case 9:
                self.nothing = v.counted("nothing", self.nothing, 32, "big", v.of(Nothing))
            case 10:
                v.pad("pad", count)
            case _:
                self.items = v.counted_integers("items", self.items, 64, "big", 32, False)


def cheap(work: Callable[[], object]) -> None:
    """Asserts that work is done in no time and with little memory."""
    started = time.monotonic()
    tracemalloc.start()
    try:
        work()
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert time.monotonic() - started < 20


def head(kind: int, count: int = 0) -> bytes:
    return bytes((kind,)) + count.to_bytes(4, "big")


HUGE = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        (head(0) + b"\1" * 100_000, LimitError, r"nested deeper than 100"),
        (head(0) + b"\1" * 30, TruncatedError, "expected 1 bytes, 0 are left"),
        (head(1, HUGE) + bytes(64), LimitError, f"{HUGE * HUGE} elements; {1 << 24} are allowed"),
        (head(1, 1 << 12) + bytes(64), TruncatedError, "field wide.*expected 2 bytes, 0 are left"),
        (head(2, HUGE) + bytes(64), DataError, "34359738360 bytes, 64 are left|4294967295 elements"),
        (head(3, HUGE), LimitError, f"field nothing.*{HUGE} elements; {1 << 24} are allowed"),
        (head(3, 1 << 23), LimitError, "8388608 elements of no bytes"),
        (head(4) + b"\0\0", LimitError, "an element of no bytes in a list that a mark ends"),
        (head(4), TruncatedError, "the data ends before the mark 7"),
        (head(5) + b"\0\0", LimitError, "an element of no bytes in a list that an element ends"),
        (head(6, HUGE) + b"abc", TruncatedError, f"field text.*expected {HUGE} bytes, 3 are left"),
        (head(7, HUGE) + bytes(8), TruncatedError, "field bits.*expected 536870912 bytes, 8 are left"),
        (
            head(8) + b"\xff\xff\xff\xff\1\1\1",
            TruncatedError,
            f"field pairs.*{HUGE} elements announced, 3 bytes are left",
        ),
        (head(8) + b"\0\0\0\1\2\1\1\0", DataError, "expected the mark 01 before entry 0 of 1"),
        (head(8) + b"\0\0\0\1\1\1\1\1", DataError, "expected the mark 00 after 1 entries"),
        (head(9) + b"\xff\xff\xff\xff", LimitError, f"{HUGE} elements; {1 << 24} are allowed"),
        (head(10, HUGE) + bytes(8), TruncatedError, f"field pad.*expected {HUGE} bytes, 8 are left"),
        (head(11) + b"\xff" * 8, DataError, "field items"),
    ],
)
def test_announced_numbers(data: bytes, kind: type[DataError], message: str) -> None:
    def work() -> None:
        with pytest.raises(kind, match=message) as caught:
            Tree.from_binary(data)
        assert caught.value.offset is not None and 0 <= caught.value.offset <= len(data)

    cheap(work)


@pytest.mark.parametrize("count", [-1, -(1 << 40)])
def test_a_negative_count_is_none(count: int) -> None:
    class Signed(VMState):
        TAG = 30003
        FIELDS = ("count", "items")
        TAGS = {"count": 0, "items": 1}  # noqa: RUF012
        __slots__ = ("count", "items")

        def __init__(self) -> None:
            super().__init__()
            self.count, self.items = count, b""

        def visit(self, v: Visitor) -> None:
            self.count = v.int64("count", self.count)
            self.items = v.bytes("items", self.items, self.count)
            v.pad("pad", self.count)
            assert v.array("none", [], self.count, v.uint8) == []
            assert v.integers("none", [], self.count, 32, False) == []

    data = count.to_bytes(8, "big", signed=True)
    assert Signed().to_binary() == data
    assert Signed.from_binary(data).items == b""


def nested(depth: int) -> Tree:
    node = Node()
    for _ in range(depth):
        node = Node(children=[node])
    return Tree(root=node)


def test_what_may_be_written_may_be_read() -> None:
    """``root`` is one level, every list two (itself and its element), the empty one at the end one."""
    deepest = nested(49)
    assert Tree.from_binary(deepest.to_binary()) == deepest
    assert Tree.from_ber(deepest.to_ber()) == deepest
    for write in (Tree.to_binary, Tree.to_ber):
        with pytest.raises(LimitError, match="nested deeper than 100"):
            write(nested(60))


def test_the_limits_are_the_callers() -> None:
    data = nested(9).to_binary()
    assert Tree.load_at(data, 0, version=1, facts=Facts(), limits=Limits(depth=20))[1] == len(data)
    with pytest.raises(LimitError, match="nested deeper than 19"):
        Tree.load_at(data, 0, version=1, facts=Facts(), limits=Limits(depth=19))
    with pytest.raises(LimitError, match="5 elements; 4 are allowed"):
        Tree.load_at(head(3, 5), 0, version=1, facts=Facts(), limits=Limits(count=4))


def test_ber_nested_too_deep() -> None:
    deep = b""
    for _ in range(40_000):
        deep = b"\x30\x80" + deep if len(deep) > 200 else ber.tlv(b"\x30", ber.tlv(b"\xa0", deep))
    content = b"\x80\x01\x00\x81\x01\x00" + ber.tlv(b"\xa2", deep)

    def work() -> None:
        with pytest.raises(DataError) as caught:
            Tree.from_ber(ber.tlv(ber.tag_bytes(ber.APPLICATION, True, 30002), content))
        assert caught.value.offset is not None

    cheap(work)


def test_ber_of_many_levels_that_fit_each_other() -> None:
    """Definite lengths all the way down: the walk meets the limit, not Python's own."""
    inner = b""
    for _ in range(500):
        inner = ber.tlv(b"\xa0", ber.tlv(b"\x30", inner) if inner else b"")
    content = b"\x80\x01\x00\x81\x01\x00" + ber.tlv(b"\xa2", inner)
    with pytest.raises(LimitError, match="nested deeper than 100") as caught:
        Tree.from_ber(ber.tlv(ber.tag_bytes(ber.APPLICATION, True, 30002), content))
    assert caught.value.path.startswith("root.children[0].children[0]")


def test_a_ber_value_is_no_longer_than_allowed() -> None:
    limits = Limits(length=10)
    element = ber.tlv(b"\x88", b"a" * 8)
    content = b"\x80\x01\x06\x81\x01\x08"
    made = ber.tlv(ber.tag_bytes(ber.APPLICATION, True, 30002), content + element)
    assert decode(Tree, made, None, None).text == "a" * 8
    assert decode(Tree, made, None, None, limits).text == "a" * 8
    longer = made.replace(b"\x81\x01\x08", b"\x81\x01\x0a").replace(element, ber.tlv(b"\x88", b"a" * 10))
    longer = ber.tlv(ber.tag_bytes(ber.APPLICATION, True, 30002), longer[5:])
    with pytest.raises(LimitError, match=r"field text.*12 octets; 10 are allowed"):
        decode(Tree, longer, None, None, limits)


def test_a_list_in_ber_has_no_more_elements_than_allowed() -> None:
    content = b"\x80\x01\x09\x81\x01\x00" + ber.tlv(b"\xa5", b"\x30\x00" * 20)
    made = ber.tlv(ber.tag_bytes(ber.APPLICATION, True, 30002), content)
    found = decode(Tree, made, None, None)
    assert found.nothing is not None and len(found.nothing) == 20
    with pytest.raises(LimitError, match=r"field nothing.*20 elements; 19 are allowed"):
        decode(Tree, made, None, None, Limits(count=19))


@pytest.mark.parametrize("kind", [6, 10])
def test_padding_that_no_value_says_is_bounded(kind: int) -> None:
    """A few octets of BER ask for gigabytes: the string's NULs, the pad."""
    value = Tree(kind=kind, count=1 << 24)
    value.text = ""
    assert len(value.to_binary()) == 5 + (1 << 24)
    assert len(Tree.to_ber(plain_of(kind))) < 40
    octets = Tree.to_ber(plain_of(kind)).replace(b"\x81\x01\x05", b"\x81\x05\x00" + HUGE.to_bytes(4, "big"))
    back = Tree.from_ber(ber.tlv(octets[:4], octets[5:]))
    assert back.count == HUGE

    def work() -> None:
        with pytest.raises(LimitError, match=rf"bytes of padding; {1 << 24} are allowed"):
            back.to_binary()

    cheap(work)


def plain_of(kind: int) -> Tree:
    value = Tree(kind=kind, count=5)
    value.text = ""
    return value


def test_the_defaults() -> None:
    assert (DEFAULT_LIMITS.depth, DEFAULT_LIMITS.count) == (100, 1 << 24)
