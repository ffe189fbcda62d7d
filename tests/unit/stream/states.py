"""Device states written by hand in the way that generated ones are, and a registry of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from vmsgen.runtime.facts import Facts, Prop
from vmsgen.runtime.state import VMState
from vmsgen.runtime.visitor import Visitor

PORTS = Prop("ports", "test/switch", "int", low=0, high=4000, default=lambda f: 2)
FANCY = Prop("fancy", "test/switch", "bool", default=lambda f: False)
STRICT = Prop("strict", "test/switch", "bool", default=lambda f: False, machine_wide=True)


class Clock(VMState):
    """Two counters; since version 2 a flag."""

    VMSTATE = "clock"
    VERSION = 2
    TAG = 31000
    FIELDS = ("ticks", "offset", "running")
    TAGS: ClassVar[Mapping[str, int]] = {
        "ticks": 0,
        "offset": 1,
        "running": 2,
        "<version>": 3,
        "<facts>": 4,
        "<kept>": 5,
    }
    __slots__ = ("offset", "running", "ticks")

    ticks: int
    offset: int
    running: bool | None

    def __init__(self, *, ticks: int = 0, offset: int = 0, running: bool = False) -> None:
        super().__init__()
        self.ticks = ticks
        self.offset = offset
        self.running = running

    def visit(self, v: Visitor, *args: Any, **kwargs: Any) -> None:
        self.ticks = v.uint64("ticks", self.ticks)
        self.offset = v.int32("offset", self.offset)
        if self._version >= 2:
            self.running = v.bool("running", self.running)


class Switch(VMState):
    """A register for each port, whose number is a property of the machine; maybe an index; maybe a guard."""

    VMSTATE = "switch"
    TAG = 31001
    FIELDS = ("ports", "index", "guard")
    TAGS: ClassVar[Mapping[str, int]] = {"ports": 0, "index": 1, "guard": 2, "<version>": 3, "<facts>": 4, "<kept>": 5}
    __slots__ = ("guard", "index", "ports")

    ports: list[int]
    index: int | None
    guard: int | None

    def __init__(self, *, ports: Sequence[int] = (0, 0), index: int | None = None, guard: int | None = None) -> None:
        super().__init__()
        self.ports = list(ports)
        self.index = index
        self.guard = guard

    def visit(self, v: Visitor, *args: Any, **kwargs: Any) -> None:
        self.ports = v.integers("ports", self.ports, v.facts.ask(PORTS), 32, False)
        if v.facts.ask(FANCY):
            self.index = v.uint16("index", self.index)
        if v.facts.ask(STRICT):
            self.guard = v.uint16("guard", self.guard)


class OtherSwitch(VMState):
    """Another state of the same name."""

    VMSTATE = "switch"
    TAG = 31002
    FIELDS = ("first", "second")
    TAGS: ClassVar[Mapping[str, int]] = {"first": 0, "second": 1, "<version>": 2, "<facts>": 3, "<kept>": 4}
    __slots__ = ("first", "second")

    first: int
    second: int

    def visit(self, v: Visitor, *args: Any, **kwargs: Any) -> None:
        self.first = v.uint64("first", self.first)
        self.second = v.uint64("second", self.second)


class Forgetful(VMState):
    """A description that is wrong: what it reads is not what it writes."""

    VMSTATE = "forgetful"
    TAG = 31003
    FIELDS = ("value",)
    TAGS: ClassVar[Mapping[str, int]] = {"value": 0, "<version>": 1, "<facts>": 2, "<kept>": 3}
    __slots__ = ("value",)

    value: int

    def visit(self, v: Visitor, *args: Any, **kwargs: Any) -> None:
        self.value = v.uint32("value", self.value)
        if v.reading:
            self.value &= 0xFFFF


class Registry:
    """Classes by name and by tag."""

    def __init__(self, *classes: type[VMState]) -> None:
        self._classes = classes

    def candidates(self, idstr: str, facts: Facts | None = None, part: str = "full") -> list[Any]:
        return [one for one in self._classes if idstr == one.VMSTATE or idstr.endswith(f"/{one.VMSTATE}")]

    def by_tag(self, tag: int) -> Any | None:
        return next((one for one in self._classes if tag == one.TAG), None)


REGISTRY = Registry(Clock, Switch, Forgetful)
