"""The ASN.1 emitter on models built by hand; what judges make of real specs is in tests/judges."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import asn1tools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmsgen.emit.asn1 import emit_asn1
from vmsgen.emit.asn1.check import check_asn1, check_definitions
from vmsgen.emit.asn1.lint import lint
from vmsgen.emit.asn1.names import comment, component_name, pieces
from vmsgen.spec.model import Definition, Field, Model, Tags
from vmsgen.spec.wire_types import Array, Bytes, Int, ListOf, String, StructRef

NIC = "asn1/Vmsgen-Dev-Acme-Nic.asn1"


def typed(texts: dict[str, str]) -> list[str]:
    return [text for path, text in texts.items() if "/open/" not in path]


def opened(texts: dict[str, str]) -> list[str]:
    return [t for path, t in texts.items() if path != "asn1/Vmsgen-Devices.asn1"]


def compiled(parts: list[str]) -> asn1tools.compiler.Specification:
    return asn1tools.compile_string("\n".join(parts), "ber")


def rows(text: str, type_name: str) -> dict[str, str]:
    """Components of one type: name -> what follows it, without comments."""
    body = re.search(rf"^{type_name} ::= .*?\{{\n(.*?)^\}}", text, re.DOTALL | re.MULTILINE)
    assert body is not None, type_name
    found = {}
    for line in body[1].splitlines():
        words = line.split("--")[0].strip().rstrip(",").split(None, 1)
        if len(words) == 2:
            found[words[0]] = re.sub(r"\s+", " ", words[1])
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pad-1", "[0] OCTET STRING (SIZE (4)) OPTIONAL"),
        ("rx-count", "[1] UInt16 OPTIONAL"),
        ("mode", "[2] VmNic-Status"),
        ("wide-mode", "[3] VmNic-Status-UInt16"),
        ("offload", "[4] UInt32"),
        ("enabled", "[5] BOOLEAN"),
        ("flags", "[6] SEQUENCE (SIZE (2)) OF Bool"),
        ("mac", "[7] OCTET STRING (SIZE (6))"),
        ("name", "[8] OCTET STRING"),
        ("names", "[9] SEQUENCE OF Octets"),
        ("multicast", "[10] OCTET STRING (SIZE (16))"),
        ("width", "[12] UInt64"),
        ("expire", "[14] Int64"),
        ("gain", "[15] Float64"),
        ("eeprom", "[16] SEQUENCE (SIZE (3)) OF UInt16"),
        ("raw", "[17] OCTET STRING (SIZE (5))"),
        ("statuses", "[18] SEQUENCE (SIZE (2)) OF VmNic-Status"),
        ("ring", "[19] SEQUENCE OF VmNic-Descriptor"),
        ("grid", "[20] SEQUENCE (SIZE (3)) OF VmNic-Grid-Row"),
        ("bus", "[22] EXPLICIT VmNic-Bus-Or-Null"),
        ("slots", "[23] SEQUENCE (SIZE (2)) OF VmNic-Slots-Or-Null"),
        ("queue", "[24] SEQUENCE OF VmNic-Descriptor"),
        ("table", "[25] SEQUENCE OF VmNic-Table-Entry"),
        ("config", "[26] EXPLICIT VmNic-Config-Choice"),
        ("subsections", "[28] VmNic-Subsections OPTIONAL"),
        ("vmstate-version", "[29] UInt32 OPTIONAL"),
        ("vmstate-facts", "[30] Facts OPTIONAL"),
        ("vmstate-kept", "[31] Kept OPTIONAL"),
    ],
)
def test_component_of_every_type(nic: Model, name: str, expected: str) -> None:
    assert rows(emit_asn1(nic)[NIC], "VmNic")[name] == expected


def test_helper_types(nic: Model) -> None:
    text = emit_asn1(nic)[NIC]
    assert "VmNic ::= [APPLICATION 30000] SEQUENCE {" in text
    assert "VmNic-Descriptor ::= SEQUENCE {" in text, "a nested struct has no tag of its own"
    assert "VmNic-Mit-State ::= SEQUENCE {" in text, "nor has a subsection"
    assert "VmNic-Status ::= INTEGER { free-value(0), owned(1), done-all(2) } (0..255)" in text
    assert "VmNic-Grid-Row ::= SEQUENCE (SIZE (2)) OF UInt8" in text
    assert "VmNic-Cube-Row ::= SEQUENCE (SIZE (3)) OF VmNic-Cube-Row-Row" in text
    assert rows(text, "VmNic-Config-Choice") == {
        "pci-bus": "[0] VmNic-Descriptor",
        "mmio": "[1] VmNic-Bus",
        "else": "[2] NULL",
    }
    assert rows(text, "VmNic-Subsections") == {
        "mit-state": "[0] VmNic-Mit-State OPTIONAL",
        "unknown": "[1] UnknownSubsections OPTIONAL",
    }


def test_never_sent_field_has_no_component(nic: Model) -> None:
    text = emit_asn1(nic)[NIC]
    assert "never-sent" not in text
    assert '-- "never_sent" is declared and never sent' in text


def test_components_stand_in_tag_order_not_wire_order(nic: Model) -> None:
    tags = dict(nic.tags)
    components = dict(tags["VmNic-Descriptor"].components)
    components["addr"], components["len"] = 5, 1
    tags["VmNic-Descriptor"] = Tags(None, components)
    text = emit_asn1(Model(nic.modules, tags))[NIC]
    assert list(rows(text, "VmNic-Descriptor")) == ["len", "vmstate-kept", "addr"]


def test_both_bodies_of_the_device_list_compile_and_agree(nic: Model) -> None:
    texts = emit_asn1(nic)
    with_types, with_any = compiled(typed(texts)), compiled(opened(texts))
    value = nic_value()
    device = with_types.encode("VmNic", value, check_constraints=True)
    assert device[:4].hex() == "7f81ea30"  # [APPLICATION 30000]
    section = {"id": 4, "name": "nic", "instance": 0, "version": 2, "footer": 4}
    data = with_types.encode("SecFull", {**section, "body": ("state", ("nic", value))})
    assert with_any.encode("SecFull", {**section, "body": ("state", device)}) == data
    assert with_types.decode("SecFull", data)["body"] == ("state", ("nic", value))
    assert with_any.decode("SecFull", data)["body"] == ("state", device)


def nic_value() -> dict[str, object]:
    return {
        "mode": 1,
        "wide-mode": 65535,
        "offload": 0x11,
        "enabled": True,
        "flags": [True, False],
        "mac": b"\x52\x54\0\1\2\3",
        "name": b"acme\xff",
        "names": [b"", b"x"],
        "multicast": bytes(16),
        "cycles": 2**64 - 1,
        "width": 2**63,
        "offset": -(2**63),
        "expire": -1,
        "gain": bytes.fromhex("7ff8dead00000000"),
        "eeprom": [0, 1, 65535],
        "raw": b"\0\1\2\3\4",
        "statuses": [2, 77],
        "ring": [{"addr": 1, "len": 2}],
        "grid": [[1, 2], [3, 4], [5, 6]],
        "cube": [[[0] * 4] * 3] * 2,
        "bus": ("null", None),
        "slots": [("value", {"nr": -7}), ("null", None)],
        "queue": [],
        "table": [{"key": 9, "value": {"addr": 0, "len": 0}}],
        "config": ("else", None),
        "subsections": {"mit-state": {"radv": 4294967295}, "unknown": []},
        "vmstate-facts": [{"name": "qemu", "value": "7.2"}],
    }


def test_no_state_at_all_still_makes_a_schema_that_compiles(model_of: Callable[..., Model], nic: Model) -> None:
    bus = next(d for d in nic.modules[0].definitions if d.name == "Bus")
    texts = emit_asn1(model_of(bus))
    assert "DeviceState ::= ANY" in texts["asn1/Vmsgen-Devices.asn1"]
    assert "VmNic-Bus" in compiled(typed(texts)).types


def struct(nic: Model, name: str, *fields: Field) -> Definition:
    like = next(d for d in nic.modules[0].definitions if d.name == "Bus")
    return dataclasses.replace(like, id=f"acme/nic#{name}", name=name, asn1_name=f"Vm{name}", steps=fields)


def a_field(nic: Model, name: str, **more: object) -> Field:
    first = next(nic.modules[0].definitions[1].fields())
    changed = {"asn1_name": name, "name": name, "wire_names": (name,), **more}
    return dataclasses.replace(first, **changed)  # type: ignore[arg-type]


def test_recursive_type(model_of: Callable[..., Model], nic: Model) -> None:
    node = struct(nic, "Node", a_field(nic, "below", type=ListOf(StructRef("acme/nic#Node"))))
    schema = compiled(typed(emit_asn1(model_of(node))))
    value = {"below": [{"below": []}, {"below": [{"below": []}]}]}
    assert schema.decode("VmNode", schema.encode("VmNode", value)) == value


def test_string_of_fixed_size_may_be_shorter(model_of: Callable[..., Model], nic: Model) -> None:
    """The text ends at its NUL; an array of bytes never does."""
    mac = next(f for f in nic.modules[0].definitions[3].fields() if f.name == "mac").type
    assert isinstance(mac, Bytes)
    count = mac.count
    fields = (
        a_field(nic, "text", type=String(count)),
        a_field(nic, "texts", type=Array(String(count), count)),
        a_field(nic, "rows", type=Array(Array(Int(8, signed=False), count), count)),
        a_field(nic, "words", type=Array(Array(Int(16, signed=True), count), count)),
    )
    text = emit_asn1(model_of(struct(nic, "Text", *fields)))[NIC]
    assert rows(text, "VmText") == {
        "text": "[0] OCTET STRING (SIZE (0..6))",
        "texts": "[1] SEQUENCE (SIZE (6)) OF Octets",
        "rows": "[2] SEQUENCE (SIZE (6)) OF Octets",
        "words": "[3] SEQUENCE (SIZE (6)) OF VmText-Words-Item",
        "vmstate-kept": "[4] Kept OPTIONAL",
    }
    assert "VmText-Words-Item ::= SEQUENCE (SIZE (6)) OF Int16" in text


def test_collisions_are_reported_with_both_places(model_of: Callable[..., Model], nic: Model) -> None:
    clash = struct(nic, "A", a_field(nic, "x-b"), a_field(nic, "x-B"))
    (found,) = check_asn1(model_of(clash))
    assert found.rule == "name/collision"
    assert "x-B" in found.message and "x-b" in found.message
    assert found.notes[0].message == "first here"
    assert check_asn1(nic) == []


def test_types_that_differ_in_case_only_are_reported(model_of: Callable[..., Model], nic: Model) -> None:
    model = model_of(struct(nic, "Mac"), struct(nic, "MAC"))
    (found,) = check_definitions(model)
    assert "ASN.1 type VmMAC is made twice (spelt VmMac there; ASN.1 files fold case)" in found.message
    assert check_asn1(model)[0].rule == "name/collision"
    assert check_definitions(nic) == []


def test_name_too_long_is_reported(model_of: Callable[..., Model], nic: Model) -> None:
    (found,) = check_asn1(model_of(struct(nic, "N" * 199)))
    assert "201 characters" in found.message


@given(st.text())
def test_comments_never_end_early_nor_break_the_line(text: str) -> None:
    made = comment(text)
    assert "--" not in made
    assert len(f"x{made}x".splitlines()) == 1
    assert made.isprintable()
    assert not made.startswith("-") and not made.endswith("-")


@given(st.text(min_size=1))
def test_names_are_asn1_or_empty(text: str) -> None:
    assert re.fullmatch(r"([a-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*)?", component_name(text))
    assert re.fullmatch(r"([A-Z0-9][A-Za-z0-9]*(-[A-Z0-9][A-Za-z0-9]*)*)?", pieces(text))


def test_hostile_doc_cannot_leave_its_comment(model_of: Callable[..., Model], nic: Model) -> None:
    doc = 'x --\nEvil ::= INTEGER\r\v\f\x85\u2028Evil2 ::= INTEGER -- /* \0 "q" END'
    schema = compiled(typed(emit_asn1(model_of(struct(nic, "Doc", a_field(nic, "a", doc=doc, unit=doc))))))
    assert not any(name.startswith("Evil") for name in schema.types)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("T ::= ENUMERATED { a(0) }", "ENUMERATED"),
        ("T ::= SEQUENCE { a [0] INTEGER DEFAULT 1 }", "DEFAULT"),
        ("T ::= SEQUENCE { a [0] INTEGER, [[ b [1] INTEGER ]] }", "`[[`"),
        ("T ::= SEQUENCE { a [0] INTEGER, ..., b [1] INTEGER }", "after the extension marker"),
        ("T ::= SEQUENCE OF SEQUENCE { a [0] INTEGER }", "needs a name"),
        ("T ::= SEQUENCE { a [0] SEQUENCE { b [0] INTEGER } }", "SEQUENCE without a name"),
        ("T ::= SEQUENCE { a [0] CHOICE { b [0] INTEGER } }", "CHOICE without a name"),
        ("T ::= SEQUENCE OF INTEGER (0..4294967295)", "constrained INTEGER"),
        ("T ::= INTEGER (0..18446744073709551615)", "64 bits"),
        ("T ::= INTEGER { a(0), b(0) } (0..1)", "two names for the number 0"),
        ("T ::= SEQUENCE { a [0] [5] INTEGER }", "two tags"),
        ("T ::= SEQUENCE { b [0] INTEGER, a [0] INTEGER }", "tag [0] twice"),
        ("T ::= SEQUENCE { a [0] INTEGER, A [1] INTEGER }", "begins with a capital"),
        ("T ::= SEQUENCE { aB [0] INTEGER, ab [1] INTEGER }", "called like aB"),
        ("T ::= [APPLICATION 1073741824] SEQUENCE { a [0] INTEGER }", "30 bits"),
        ("T ::= ANY", "ANY outside"),
        ("T ::= INTEGER /* x */", "block comment"),
        ("T ::= INTEGER -- x -- U ::= INTEGER", "ends the comment"),
        ("T ::= INTEGER\t", "control character"),
        ("T ::= INTEGER\nt ::= INTEGER", "again"),
        ("IMPORTS X FROM Other; T ::= X", "does not define it"),
        ("T ::= SEQUENCE { a_b [0] INTEGER }", "`_`"),
        ("T" + "x" * 200 + " ::= INTEGER", "201 characters"),
    ],
)
def test_lint_finds(body: str, message: str) -> None:
    text = f"M DEFINITIONS IMPLICIT TAGS ::=\nBEGIN\n{body}\nEND\n"
    findings = lint({"asn1/M.asn1": text})
    assert any(message in finding.message for finding in findings), findings
    assert findings[0].line >= 3


def test_lint_passes_what_it_should() -> None:
    text = (
        "M DEFINITIONS IMPLICIT TAGS ::=\nBEGIN\nEXPORTS T;\n"
        "T ::= [APPLICATION 5] SEQUENCE { a [0] INTEGER { x(0), y(1) } (0..9), b [3] EXPLICIT C OPTIONAL, ... } -- x\n"
        "C ::= CHOICE { null [0] NULL, value [1] T }\nEND\n"
    )
    assert lint({"asn1/M.asn1": text}) == []
    assert "M.asn1" in lint({"asn1/N.asn1": text})[0].message
