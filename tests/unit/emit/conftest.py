"""Small models built by hand, so that emitters are tested without the front-end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from vmsgen.diagnostics import SourceFile, Span
from vmsgen.spec.expression import Ambient, Compare, Const, Expression, Ref
from vmsgen.spec.model import Definition, Field, Model, Module, Step, Subsection, Tags
from vmsgen.spec.wire_types import (
    Array,
    Bitmap,
    Bool,
    Bytes,
    Case,
    Fixed,
    Float64,
    Grid,
    Int,
    Labels,
    ListOf,
    Nullable,
    Pad,
    Prefixed,
    SizedInt,
    String,
    StructRef,
    Timer,
    Tree,
    Union,
    WireType,
)

SPAN = Span(SourceFile("device-specs/acme/nic.yaml", "vmsgen: 1\n"), 1, 1, 1, 2)

U8 = Int(8, signed=False)
U16 = Int(16, signed=False)
U32 = Int(32, signed=False)
U64 = Int(64, signed=False)
I64 = Int(64, signed=True)
STATUS = Labels(
    "Status", "enum", ((0, 0, "free"), (1, 1, "owned"), (1, 1, "alias"), (2, 2, "done_all")), "acme/nic", SPAN
)
OFFLOAD = Labels("Offload", "flags", ((0, 0, "checksum"), (4, 7, "queue")), "acme/nic", SPAN)


def number(value: int) -> Const:
    return Const(value, "int", SPAN)


def fixed(value: int) -> Fixed:
    return Fixed(number(value))


def since(version: int) -> Expression:
    return Compare((Ambient("version", "int", SPAN), number(version)), (">=",), SPAN)


def field(name: str, type_: WireType, **more: object) -> Field:
    asn1 = name.replace("_", "-")
    made = Field(name, asn1[:1].lower() + asn1[1:], (name,), type_, SPAN)
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


def definition(name: str, asn1: str, *steps: Step, kind: str = "struct", **more: object) -> Definition:
    made = Definition(
        id=f"acme/nic#{name}",
        kind=kind,  # type: ignore[arg-type]
        module="acme/nic",
        name=name,
        asn1_name=asn1,
        wire_name=name.lower() if kind != "struct" else None,
        version=2,
        minimum_version=1,
        steps=steps,
        span=SPAN,
    )
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


def tagged(*modules: Module, application: int = 30000) -> Model:
    """A model with tags by position, as the lock gives them to new specs."""
    tags = {}
    for module in modules:
        for each in module.definitions:
            keys = [f.name for f in each.fields()] + (["<subsections>"] if each.subsections else [])
            if each.kind in ("state", "section"):
                keys += ["<version>", "<facts>"]
            elif each.kind == "subsection":
                keys += ["<version>"]
            keys.append("<kept>")
            number_ = None
            if each.kind in ("state", "section"):
                number_, application = application, application + 1
            inside = {s.name: n for n, s in enumerate(each.subsections)}
            if each.subsections:
                inside["<unknown>"] = len(inside)
            tags[each.asn1_name] = Tags(number_, {key: n for n, key in enumerate(keys)}, inside)
    return Model(modules, tags)


def nic_module() -> Module:
    """One device with every kind of type in it."""
    descriptor = definition("Descriptor", "VmNic-Descriptor", field("addr", U64), field("len", U16))
    bus = definition("Bus", "VmNic-Bus", field("nr", Int(32, signed=True)))
    mit = definition(
        "NicMit", "VmNic-Mit-State", field("radv", U32), kind="subsection", wire_name="nic/mit_state", version=1
    )
    struct = StructRef(descriptor.id)
    nic = definition(
        "Nic",
        "VmNic",
        field("pad_1", Pad(fixed(4))),
        field("rx_count", U16, presence=since(2), since=2, unit="packets", doc="received -- so far\nsince reset"),
        field("mode", Int(8, signed=False, labels=STATUS)),
        field("wide_mode", Int(16, signed=False, labels=STATUS)),
        field("offload", Int(32, signed=False, labels=OFFLOAD)),
        field("enabled", Bool()),
        field("flags", Array(Bool(), fixed(2))),
        field("mac", Bytes(fixed(6))),
        field("name", String(Prefixed(U8))),
        field("names", Array(String(Prefixed(U8)), Prefixed(U32))),
        field("multicast", Bitmap(fixed(100))),
        field("cycles", U64),
        field("width", SizedInt(Ambient("target.long_bits", "int", SPAN))),
        field("offset", I64),
        field("expire", Timer()),
        field("gain", Float64()),
        field("eeprom", Array(U16, fixed(3))),
        field("raw", Array(U8, fixed(5))),
        field("statuses", Array(Int(8, signed=False, labels=STATUS), fixed(2))),
        field("ring", Array(struct, Fixed(Ref("rx_count", "field", "int", SPAN)))),
        field("grid", Grid(U8, (number(3), number(2)))),
        field("cube", Grid(U32, (number(2), number(3), number(4)))),
        field("bus", Nullable(StructRef(bus.id), proven=True)),
        field("slots", Array(Nullable(StructRef(bus.id), proven=True), fixed(2))),
        field("queue", ListOf(struct)),
        field("table", Tree(U64, struct)),
        field(
            "config",
            Union(
                Ref("mode", "field", "int", SPAN),
                (Case("pci_bus", 0, struct), Case("mmio", 1, StructRef(bus.id))),
                "none",
            ),
        ),
        field("never_sent", U8, never=True),
        kind="state",
        subsections=(Subsection("mit_state", "mit-state", "nic/mit_state", mit.id, None, SPAN),),
        summary="a network card",
    )
    return Module(
        path="acme/nic",
        asn1_module="Vmsgen-Dev-Acme-Nic",
        digest="0" * 64,
        source_path="device-specs/acme/nic.yaml",
        state=nic.id,
        definitions=(descriptor, bus, mit, nic),
        span=SPAN,
        labels=(STATUS, OFFLOAD),
        summary="A network card",
    )


@pytest.fixture
def nic() -> Model:
    return tagged(nic_module())


@pytest.fixture
def model_of() -> Callable[..., Model]:
    """Builds a model of one module from definitions; the first that is a state is the module's."""

    def build(*definitions: Definition) -> Model:
        state = next((d.id for d in definitions if d.kind in ("state", "section")), None)
        module = dataclasses.replace(nic_module(), definitions=definitions, state=state)
        return tagged(module)

    return build
