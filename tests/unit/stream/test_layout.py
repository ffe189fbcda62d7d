"""The search for a layout: defaults, one and two overruled answers, division, descriptions, and what stays open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from tests.unit.stream.states import Clock, OtherSwitch, Switch
from tests.unit.stream.synthetic import be16, be32
from vmsgen.runtime.binary_in import BinaryIn
from vmsgen.runtime.errors import DataError, LayoutError
from vmsgen.runtime.facts import Facts, Prop
from vmsgen.runtime.state import VMState
from vmsgen.runtime.trace import Trace
from vmsgen.runtime.visitor import Visitor
from vmsgen.stream.binary.section_end import SectionEnd
from vmsgen.stream.layout.search import AmbiguousLayout, Contents, Solved, solve
from vmsgen.stream.transport.source import MemorySource
from vmsgen.stream.vmdesc.description import DescribedSection
from vmsgen.stream.vmdesc.parsing import parse_vmdesc

PADDING = b"\xee" * 64


def solved(
    content: bytes,
    *kinds: Any,
    facts: Facts | None = None,
    known: bool = True,
    described: DescribedSection | None = None,
) -> Solved:
    """Solves ``content`` in the middle of other bytes, its end known or judged by a footer."""
    data = b"????" + content + b"\x7e\0\0\0\5" + PADDING
    end = 4 + len(content)
    contents = Contents(
        memoryview(data),
        4,
        end if known else None,
        lambda at: data[at : at + 5] == b"\x7e\0\0\0\5",
        lambda stop: iter((end,)),
        1,
        described,
    )
    return solve(kinds or (Switch,), contents, facts or Facts())


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("ports", [0, 1, 2, 3, 9, 700, 2900])
def test_counts_by_division(ports: int, known: bool) -> None:
    found = solved(b"".join(be32(0x01010101 + port) for port in range(ports)), known=known)
    assert found.state.ports == [0x01010101 + port for port in range(ports)]
    assert found.end == 4 + 4 * ports
    assert dict(found.overruled) == ({} if ports == 2 else {"ports": ports})


def test_defaults_come_first() -> None:
    assert not solved(be32(1) + be32(2)).overruled


def test_two_overruled_answers() -> None:
    # 4 * ports + 2 is reached with one more field; which of the two is only told by the description
    with pytest.raises(AmbiguousLayout, match="2 layouts fit, and their values differ; give --prop fancy=VALUE or"):
        solved(be32(1) + be32(2) + be16(3))
    found = solved(be32(1) + be32(2) + be16(3), facts=Facts({"fancy": "false"}))
    assert (found.state.index, found.state.guard) == (None, 3)
    found = solved(be32(1) * 7 + be16(3), facts=Facts({"strict": "false"}))
    assert found.overruled == {"ports": 7, "fancy": True}


def description(*fields: tuple[str, str, int]) -> DescribedSection:
    listed = [{"name": name, "type": kind, "size": size} for name, kind, size in fields]
    device = {"name": "switch", "instance_id": 0, "vmsd_name": "switch", "version": 1, "fields": listed}
    return parse_vmdesc(json.dumps({"devices": [device]}).encode()).sections[0]


@pytest.mark.parametrize("name", ["index", "guard"])
def test_the_description_decides(name: str) -> None:
    described = description(("ports", "uint32", 4), ("ports", "uint32", 4), (name, "uint16", 2))
    found = solved(be32(1) + be32(2) + be16(3), described=described)
    assert getattr(found.state, name) == 3


def test_what_the_description_denies_does_not_end_the_search() -> None:
    described = description(
        ("ports", "uint32", 4), ("ports", "uint32", 4), ("index", "uint16", 2), ("guard", "uint16", 2)
    )
    content = be32(1) + be32(2) + be16(3) + be16(4)
    assert solved(content, facts=Facts({"fancy": "false", "strict": "false"})).state.ports == [1, 2, 0x30004]
    assert solved(content, described=described).overruled == {"fancy": True, "strict": True}


def test_known_answers_are_not_overruled() -> None:
    with pytest.raises(DataError, match="take 8 bytes, but the section has 12"):
        solved(be32(1) * 3, facts=Facts({"ports": "2", "fancy": "false", "strict": "false"}))


def test_nothing_fits() -> None:
    with pytest.raises(
        LayoutError, match=r"no layout fits: with ports = 2: expected 4 bytes, 3 are left; give --prop"
    ) as caught:
        solved(b"123")
    assert caught.value.offset is not None


def test_a_state_without_questions_says_its_own_error() -> None:
    with pytest.raises(DataError, match=r"field offset, offset 0xc: ") as caught:
        solved(b"12345678", Clock)
    assert caught.value.path == "offset"


def test_states_of_one_name() -> None:
    assert isinstance(solved(bytes(16), OtherSwitch, Clock).state, OtherSwitch)
    with pytest.raises(AmbiguousLayout, match="OtherSwitch, Switch"):
        solved(bytes(16), OtherSwitch, Switch, facts=Facts({"ports": "4"}))
    described = description(("first", "uint64", 8), ("second", "uint64", 8))
    found = solved(bytes(16), Switch, OtherSwitch, facts=Facts({"ports": "4"}), described=described)
    assert isinstance(found.state, OtherSwitch)


def test_the_search_gives_up() -> None:
    runs = 0

    class Endless(Switch):
        @classmethod
        def load_at(cls, *arguments: Any, **options: Any) -> Any:
            nonlocal runs
            runs += 1
            super().load_at(*arguments, **options)
            raise DataError("never")

    with pytest.raises(LayoutError):
        solved(b"1234", Endless)
    assert runs <= 3001


class Vague(VMState):
    """A spec that leaves open whether it has a register, and how many ports."""

    VMSTATE = "vague"
    FIELDS = ("register", "ports", "on")
    TAGS: ClassVar[Mapping[str, int]] = {"register": 0, "ports": 1, "on": 2, "<version>": 3, "<facts>": 4, "<kept>": 5}
    __slots__ = ("on", "ports", "register")

    def __init__(self) -> None:
        super().__init__()
        self.register: int | None = None
        self.ports: list[int] = []
        self.on = False

    def visit(self, v: Visitor, *args: Any, **kwargs: Any) -> None:
        if v.facts.unknown("vague.register", "bool"):
            self.register = v.uint32("register", self.register)
        self.ports = v.integers("ports", self.ports, v.facts.unknown("vague.ports", "int"), 32, False)
        self.on = v.bool("on", self.on)


@pytest.mark.parametrize("words", [1, 3])
def test_an_open_question_has_no_likelier_answer(words: int) -> None:
    # a register and so many ports, or no register and one port more
    with pytest.raises(
        AmbiguousLayout, match=r"give --prop vague.ports=VALUE or --prop vague.register=VALUE"
    ) as caught:
        solved(be32(1) * words + b"\1", Vague, known=False)
    assert caught.value.end == 4 + 4 * words + 1
    found = solved(be32(1) * words + b"\1", Vague, facts=Facts({"vague.register": "false"}))
    assert found.state.ports == [1] * words


def test_the_only_layout_is_taken() -> None:
    found = solved(b"\1", Vague)
    assert (found.state.register, found.state.ports, found.state.on) == (None, [], True)


@pytest.mark.parametrize("version", [1, 20061113])
@pytest.mark.parametrize("footers", [True, False, None])
def test_ends_of_a_section(footers: bool | None, version: int) -> None:
    header = b"\x04" + be32(7) + b"\4gpio" + be32(0) + be32(version)
    tail = b"\x7e" + be32(5) if footers is not False else b""
    wrong = (
        b"\x7e"
        + be32(5)
        + b"?"
        + b"\x7e"
        + be32(6)
        + header[:3]
        + b"\x04"
        + be32(7)
        + b"\4gpio"
        + be32(0)
        + be32(0xFFFFFFFF)
    )
    data = b"content" + wrong + b"more" + tail + header + b"x" * 20 + b"\0"
    source = MemorySource(data)
    judge = SectionEnd(source, 5, footers, {})
    real = len(b"content" + wrong + b"more")
    assert real in list(judge.among(0, len(data)))
    assert all(judge.fits(end) for end in judge.among(0, len(data)))
    assert [end for end in range(len(data)) if judge.fits(end)] == list(judge.among(0, len(data)))
    assert list(judge.among(0, real - 1)) == []


class Twice(VMState):
    """Two counts with defaults, of elements of 4 and of 3 bytes."""

    VMSTATE = "twice"
    FIELDS = ("ports", "data")
    TAGS: ClassVar[Mapping[str, int]] = {"ports": 0, "data": 1, "<version>": 2, "<facts>": 3, "<kept>": 4}
    __slots__ = ("data", "ports")

    def __init__(self) -> None:
        super().__init__()
        self.ports: list[int] = []
        self.data: list[int] = []

    def visit(self, v: Visitor, *args: Any, **kwargs: Any) -> None:
        self.ports = v.integers("ports", self.ports, v.facts.ask(FEW), 32, False)
        self.data = v.integers("data", self.data, 3 * v.facts.ask(LESS), 8, False)


FEW = Prop("few", "test", "int", low=0, high=9, default=lambda f: 2)
LESS = Prop("less", "test", "int", low=0, high=9, default=lambda f: 2)


@pytest.mark.parametrize("known", [True, False])
def test_two_counts_at_once(known: bool) -> None:
    # (or 8 * 4 + 5 * 3)
    with pytest.raises(AmbiguousLayout, match="give --prop few=VALUE or --prop less=VALUE"):
        solved(bytes(5 * 4 + 9 * 3), Twice, known=known)
    found = solved(bytes(9 * 4 + 8 * 3), Twice, known=known)
    assert (len(found.state.ports), len(found.state.data)) == (9, 24)


class Tail(VMState):
    """Bytes, so many as a property says, and maybe a subsection behind them."""

    VMSTATE = "tail"
    FIELDS = ("data", "subsections")
    TAGS: ClassVar[Mapping[str, int]] = {"data": 0, "subsections": 1, "<version>": 2, "<facts>": 3, "<kept>": 4}
    __slots__ = ("data", "subsections")

    def __init__(self) -> None:
        super().__init__()
        self.data: list[int] = []
        self.subsections: list[Any] = []

    def visit(self, v: Visitor, *args: Any, **kwargs: Any) -> None:
        self.data = v.integers("data", self.data, v.facts.ask(MANY), 8, False)
        if isinstance(v, BinaryIn) and v.data[v.position : v.position + 1] == b"\5":
            v.take(len(HEADER_OF_MORE), "more")
        elif isinstance(v, Trace) and v.facts.ask(MANY) == 12:
            v.put(HEADER_OF_MORE, "more", "subsection", None)


HEADER_OF_MORE = b"\5\x09tail/more" + be32(1)
MANY = Prop("many", "test", "int", low=0, high=99, default=lambda f: 4)


@pytest.mark.parametrize("known", [True, False])
def test_a_count_does_not_swallow_a_subsection(known: bool) -> None:
    # 12 and the subsection, or 12 and its 15 bytes, which division finds first
    found = solved(bytes(12) + HEADER_OF_MORE, Tail, known=known)
    assert found.state.data == [0] * 12


class Words(Tail):
    """Words, so many as a property says, and a subsection of an odd length that is seen only behind the last one."""

    __slots__ = ()
    prop: ClassVar[Prop] = MANY

    def visit(self, v: Visitor, *args: Any, **kwargs: Any) -> None:
        self.data = v.integers("data", self.data, v.facts.ask(self.prop), 16, False)
        if isinstance(v, BinaryIn) and v.data[v.position : v.position + 1] == b"\5":
            v.take(len(HEADER_OF_MORE), "more")


class ManyWords(Words):
    """The same with more possible counts than are tried one by one."""

    __slots__ = ()
    prop: ClassVar[Prop] = Prop("very_many", "test", "int", low=0, high=9999, default=lambda f: 4)


def test_a_count_that_division_misses() -> None:
    assert solved(bytes(24) + HEADER_OF_MORE, Words).overruled == {"many": 12}


def test_the_description_has_the_count() -> None:
    described = description(*[("data", "uint16", 2)] * 12)
    assert solved(bytes(24) + HEADER_OF_MORE, ManyWords, described=described).overruled == {"very_many": 12}


class Announced(Words):
    """Says itself how many words it has, unless it has the usual four, and which number its property must be."""

    __slots__ = ("said",)
    runs: ClassVar[int] = 0

    def visit(self, v: Visitor, *args: Any, **kwargs: Any) -> None:
        Announced.runs += 1
        count = v.facts.ask(self.prop)
        self.said = None
        if count != 4:
            self.said = v.uint16("said", None)
            v.check("it == props.many", self.said == count, "said")
        self.data = v.integers("data", self.data, count, 16, False)


@pytest.mark.parametrize("many", [0, 1, 9, 39])
def test_a_check_tells_the_only_answer(many: int) -> None:
    Announced.runs = 0
    found = solved(be16(many) + bytes(2 * many), Announced)
    assert found.overruled == {"many": many}
    assert Announced.runs < 10
