"""States written by hand as the emitter prints them, but without straight-line codecs, so that the walk serves them."""

# ruff: noqa: RUF012 (generated classes declare their tables without ClassVar, which their base has)

from __future__ import annotations

from vmsgen.runtime.facts import Prop
from vmsgen.runtime.state import Struct, SubsectionInfo, VMState
from vmsgen.runtime.visitor import Visitor

PORTS = Prop("ports", "acme/card", "int", low=1, high=4, default=lambda facts: 2)


class Power(VMState):
    """A subsection with versions."""

    VMSTATE = "card/power"
    VERSION = 3
    MINIMUM_VERSION = 2
    MARKED = True
    FIELDS = ("level", "limit")
    TAGS = {"level": 0, "limit": 1, "<version>": 2, "<kept>": 3}
    __slots__ = ("level", "limit")

    level: int
    limit: int | None

    def __init__(self, *, level: int = 0, limit: int | None = 0) -> None:
        super().__init__()
        self.level = level
        self.limit = limit

    def visit(self, v: Visitor) -> None:
        self.level = v.uint8("level", self.level)
        if self._version >= 3:
            self.limit = v.uint16("limit", self.limit, default=0)
        v.subsections(self, self.SUBSECTIONS)


class Errors(VMState):
    """A subsection."""

    VMSTATE = "card/errors"
    MARKED = True
    FIELDS = ("count",)
    TAGS = {"count": 0, "<version>": 1, "<kept>": 2}
    __slots__ = ("count",)

    count: int

    def __init__(self, *, count: int = 0) -> None:
        super().__init__()
        self.count = count

    def visit(self, v: Visitor) -> None:
        self.count = v.uint32("count", self.count)
        v.subsections(self, self.SUBSECTIONS)


class Slot(Struct):
    """A nested struct."""

    FIELDS = ("used", "value")
    TAGS = {"used": 0, "value": 1, "<kept>": 2}
    __slots__ = ("used", "value")

    used: bool
    value: int

    def __init__(self, *, used: bool = False, value: int = 0) -> None:
        super().__init__()
        self.used = used
        self.value = value

    def visit(self, v: Visitor) -> None:
        self.used = v.bool("used", self.used)
        self.value = v.int16("value", self.value)


class Card(VMState):
    """Something of everything that a stream may say beyond values."""

    VMSTATE = "card"
    VERSION = 2
    MINIMUM_VERSION = 1
    TAG = 30001
    MARKED = True
    FIELDS = ("flag", "flags", "gain", "label", "slot", "slots", "maybe", "ports", "late")
    WIRE_NAMES = {"label": ("env.label",)}
    TAGS = {
        "flag": 0,
        "flags": 1,
        "gain": 2,
        "label": 3,
        "unused": 4,
        "slot": 5,
        "slots": 6,
        "maybe": 7,
        "ports": 8,
        "late": 9,
        "<subsections>": 10,
        "<version>": 11,
        "<facts>": 12,
        "<kept>": 13,
    }
    SUBSECTIONS = (
        SubsectionInfo("card/power", "power", Power, 0),
        SubsectionInfo("card/errors", "errors", Errors, 1),
    )
    __slots__ = (
        "errors",
        "flag",
        "flags",
        "gain",
        "label",
        "late",
        "maybe",
        "ports",
        "power",
        "slot",
        "slots",
    )

    flag: bool
    flags: list[bool]
    gain: float
    label: str
    slot: Slot
    slots: list[Slot]
    maybe: Slot | None
    ports: list[int]
    late: int | None
    power: Power | None
    errors: Errors | None

    def __init__(
        self,
        *,
        flag: bool = False,
        flags: list[bool] | None = None,
        gain: float = 0.0,
        label: str = "",
        slot: Slot | None = None,
        slots: list[Slot] | None = None,
        maybe: Slot | None = None,
        ports: list[int] | None = None,
        late: int | None = 0,
        power: Power | None = None,
        errors: Errors | None = None,
    ) -> None:
        super().__init__()
        self.flag = flag
        self.flags = [False] * 3 if flags is None else flags
        self.gain = gain
        self.label = label
        self.slot = Slot() if slot is None else slot
        self.slots = [] if slots is None else slots
        self.maybe = maybe
        self.ports = [0, 0] if ports is None else ports
        self.late = late
        self.power = power
        self.errors = errors

    def visit(self, v: Visitor) -> None:
        f = v.facts
        self.flag = v.bool("flag", self.flag)
        self.flags = v.array("flags", self.flags, 3, v.bool)
        self.gain = v.float64("gain", self.gain)
        self.label = v.string("label", self.label, 8)
        v.pad("unused", 4)
        self.slot = v.struct("slot", self.slot, Slot)
        self.slots = v.counted("slots", self.slots, 8, "big", v.of(Slot))
        self.maybe = v.nullable("maybe", self.maybe, Slot)
        self.ports = v.integers("ports", self.ports, f.ask(PORTS), 16, False)
        if self._version >= 2:
            self.late = v.uint16("late", self.late, default=0)
        v.subsections(self, self.SUBSECTIONS)


PLAIN = bytes.fromhex(
    "01 000100 3ff8000000000000 6162000000000000 00000000 01fffe 02 000001 010002 30 0007 0008 0009".replace(" ", "")
)
"""The payload of :func:`plain`."""


def plain() -> Card:
    """A card that keeps nothing."""
    return Card(
        flag=True,
        flags=[False, True, False],
        gain=1.5,
        label="ab",
        slot=Slot(used=True, value=-2),
        slots=[Slot(value=1), Slot(used=True, value=2)],
        ports=[7, 8],
        late=9,
    )


POWER = b"\x05\x0acard/power\x00\x00\x00\x03\x07\x00\x09"
OLD_POWER = b"\x05\x0acard/power\x00\x00\x00\x02\x07"
ERRORS = b"\x05\x0bcard/errors\x00\x00\x00\x01\x00\x00\x00\x03"

ODD = bytes.fromhex(
    "02 000300 7ff8000000000001 6100fefe00000000 00000005 ff0001 01 040002 800003 0007 0008 0009".replace(" ", "")
)
"""A payload that says more than values: booleans of 2, 3, 255, 4 and 128, a NaN, the tail of a string, a pad."""
