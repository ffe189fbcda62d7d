"""Names, types and conditions: what the model says of a spec."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vmsgen.spec.expression import Ambient, Binary, Call, Compare, Conditional, Const, Expression, Member, PropRef, Ref
from vmsgen.spec.model import Definition, Field, Group, Let, Model
from vmsgen.spec.wire_types import Array, Bytes, Fixed, Grid, Int, Nullable, Prefixed, SizedInt, StructRef, Timer, Union

Fields = Callable[..., dict[str, Field]]
OneDefinition = Callable[..., Definition]
Found = Callable[..., list[str]]


def spec(fields: str, more: str = "", head: str = "") -> str:
    """A spec from its fields (one a line) and what else its file has."""
    lines = "".join(
        f"  - {line}\n" if not line.startswith(" ") else f"  {line}\n" for line in fields.strip().split("\n")
    )
    return f"vmstate: acme\n{head}fields:\n{lines}{more}"


def text(expression: Expression | None) -> str:
    """An expression in the language, enough of it for these tests."""
    match expression:
        case None:
            return ""
        case Const():
            return str(expression.value)
        case Ref():
            return f"{expression.source}:{expression.name}"
        case Ambient() | PropRef():
            return expression.name
        case Member():
            return f"{text(expression.base)}.{expression.name}"
        case Compare():
            return f"{text(expression.operands[0])} {expression.operators[0]} {text(expression.operands[1])}"
        case Binary():
            return f"({text(expression.left)} {expression.operator} {text(expression.right)})"
        case Conditional():
            return f"{text(expression.then)} if {text(expression.test)} else {text(expression.other)}"
        case Call():
            return f"{expression.function}({', '.join(text(a) for a in expression.arguments)})"
    return type(expression).__name__


# ---------------------------------------------------------------------------------------------- types


@pytest.mark.parametrize(
    ("written", "wire"),
    [
        ("uint8", Int(8, False)),
        ("int64", Int(64, True)),
        ("timer", Timer()),
        ("uint(16 * 2)", Int(32, False)),
        ("uint32 little-endian", Int(32, False, "little")),
        ("bytes[uint16] host-endian", Bytes(Prefixed(Int(16, False, "host")))),
        ("uint16[uint8] little-endian", Array(Int(16, False, "little"), Prefixed(Int(8, False, "little")))),
    ],
)
def test_types(fields: Fields, written: str, wire: object) -> None:
    assert fields(spec(f"a: {written}"))["a"].type == wire


def test_an_alias_takes_the_byte_order_of_its_place(fields: Fields) -> None:
    more = "types:\n  Word: uint16\n  Words: uint16[SIZE]\nconst: {SIZE: 2 + 1}\n"
    found = fields(spec("a: Word little-endian\nb: Words", more))
    assert found["a"].type == Int(16, False, "little")
    words = found["b"].type
    assert isinstance(words, Array) and isinstance(words.count, Fixed)
    assert words.element == Int(16, False) and text(words.count.value) == "3"


def test_a_width_that_only_the_sender_knows(fields: Fields) -> None:
    wire = fields(spec("a: uint(target.long_bits)"))["a"].type
    assert isinstance(wire, SizedInt) and text(wire.bits) == "target.long_bits"


def test_rows_and_columns(fields: Fields) -> None:
    wire = fields(spec("a: uint64[3, 4]"))["a"].type
    assert isinstance(wire, Grid)
    assert [text(size) for size in wire.sizes] == ["3", "4"]


def test_byte_order_of_definitions(model: Callable[..., Model]) -> None:
    more = """subsections:
  - acme/sub:
    - d: uint16
structs:
  Own:
    - e: uint16
  Little:
    endian: little
    fields:
      - f: uint16
      - inner:
        - g: uint16
"""
    made = model(
        spec("a: uint16\nb: uint16 big-endian\ninner:\n  - c: uint16\no: Own\nl: Little", more, "endian: host\n")
    )
    orders = {
        field.name: field.type.order
        for module in made.modules
        for definition in module.definitions
        for field in definition.fields()
        if isinstance(field.type, Int)
    }
    # what is written inside a definition has its order, a named struct has its own
    assert orders == {"a": "host", "b": "big", "c": "host", "d": "host", "e": "big", "f": "little", "g": "little"}


def test_at_version_and_arguments(fields: Fields) -> None:
    more = "structs:\n  S:\n    version: 3\n    params: {n: int, on: bool}\n    fields:\n      - a: uint8[n] when on\n"
    wire = fields(spec("k: uint8\ns: S(on=k == 1, n=k + 1) at-version 2", more))["s"].type
    assert isinstance(wire, StructRef)
    assert (wire.definition, wire.at_version) == ("acme#S", 2)
    assert [text(argument) for argument in wire.arguments] == ["(field:k + 1)", "field:k == 1"]


@pytest.mark.parametrize(
    ("first", "proven"),
    [
        ("a: uint8", False),
        ("a: uint8\n      check: it <= 1", True),
        ("a: uint8\n      check: it >= 0x31", True),
        ("a: uint8\n      check: it in (1, 0x30)", False),
        ("a: uint16\n      check: it <= 0x2fff", True),
        ("a: uint16\n      check: it <= 0x3000", False),
        ("a: int8\n      check: it < 0", True),
        ("a: uint8 = 42", True),
        ("a: uint8 = 0x30", False),
        ("a: uint8[2]\n      check: len(it) == 2", False),
        ("a: uint16 little-endian\n      check: it <= 0x2f", True),
        ("a: uint16 little-endian\n      check: it <= 0x2ff", False),
        ("a: uint16 host-endian\n      check: it <= 1", False),
        ("a: bool", False),
        ("let one: 1\n    - a: uint8\n      check: it == 1", True),
        ("a: Inner[2]", True),
        ("a: Inner[n]", False),
    ],
)
def test_proof_that_a_struct_does_not_begin_like_null(fields: Fields, first: str, proven: bool) -> None:
    structs = f"structs:\n  P:\n    - {first}\n  Inner:\n    - x: uint8\n      check: it == 1\n"
    if "[n]" in first:
        structs = structs.replace("P:\n    - ", "P:\n    params: {n: int}\n    fields:\n    - ")
        assert not proven
    wire = fields(spec("i: Inner\np: P(1)?" if "[n]" in first else "i: Inner\np: P?", structs))["p"].type
    assert isinstance(wire, Nullable)
    assert wire.proven is proven


def test_opaque_fields(fields: Fields) -> None:
    found = fields(
        spec(
            "a: bytes[16]\nb: bytes[17]\nc: bytes[uint8]\nd: bytes[99]\n  doc: a screen\ne: bytes[4]\n  view: V\n"
            "f: pad[64]\ng: bytes[32][2]\nh: uint8[99]",
            "structs:\n  V:\n    - x: uint32\n",
        )
    )
    assert {name for name, field in found.items() if field.opaque} == {"b", "c", "f", "g"}
    assert isinstance(found["e"].type, Bytes) and found["e"].type.view == "acme#V"


# ---------------------------------------------------------------------------------------------- names


def test_names_of_definitions(model: Callable[..., Model]) -> None:
    more = """subsections:
  - acme-nic/mit_state:
    - a: uint8
  - acme-nic/64bit:
      as: wide
      fields:
        - inner:
          - b: uint8
structs:
  TxRing:
    vmstate: ring
    fields:
      - c: uint8
    subsections:
      - ring/late_part:
        - d: uint8
"""
    made = model(spec("r: TxRing\ntx.props:\n  - e: uint8", more).replace("vmstate: acme", "vmstate: acme-nic", 1))
    names = {d.name: (d.kind, d.asn1_name, d.wire_name, d.marked) for d in made.module("acme").definitions}
    assert names == {
        "AcmeNic": ("state", "VmAcme-Nic", "acme-nic", True),
        "AcmeNicTxProps": ("anonymous", "VmAcme-Nic-Tx-Props", None, False),
        "AcmeNicMitState": ("subsection", "VmAcme-Nic-Mit-State", "acme-nic/mit_state", True),
        "AcmeNicWide": ("subsection", "VmAcme-Nic-Wide", "acme-nic/64bit", True),
        "AcmeNicWideInner": ("anonymous", "VmAcme-Nic-Wide-Inner", None, False),
        "TxRing": ("struct", "VmAcme-Nic-TxRing", "ring", True),
        "TxRingLatePart": ("subsection", "VmAcme-Nic-TxRing-Late-Part", "ring/late_part", True),
    }
    state = made.definition("acme#AcmeNic")
    assert [(s.name, s.asn1_name, s.definition) for s in state.subsections] == [
        ("mit_state", "mit-state", "acme#AcmeNicMitState"),
        ("wide", "wide", "acme#AcmeNicWide"),
    ]


def test_names_of_pads_are_made_unique(fields: Fields) -> None:
    found = fields(spec("unused: pad[1]\nunused_2: uint8\nunused: pad[2]\nunused: pad[3]\nunused: uint8"))
    assert list(found) == ["unused_3", "unused_2", "unused_4", "unused_5", "unused"]
    assert {name for name in found if found[name].wire_names == ("unused",)} == set(found) - {"unused_2"}


def test_definitions_stand_before_what_uses_them(model: Callable[..., Model]) -> None:
    made = model(spec("a: A", "structs:\n  A:\n    - b: B[2]\n  C:\n    - x: uint8\n  B:\n    - c: list(C)\n"))
    assert [d.name for d in made.module("acme").definitions] == ["C", "B", "A", "Acme"]


def test_a_state_is_a_type_too(model: Callable[..., Model]) -> None:
    made = model(
        {
            "vga": "vmstate: vga\nversion: 2\nfields:\n  - latch: uint32\n",
            "card": "vmstate: card\nimport: {vga: [Vga]}\nfields:\n  - vga: Vga\n",
        }
    )
    (field,) = made.definition("card#Card").fields()
    assert field.type == StructRef("vga#Vga")


def test_fields_hide_ambient_names_and_nothing_else(fields: Fields) -> None:
    found = fields(spec("version: uint8\na: uint8[version]\nb: uint8 since 2", head="version: 2\n"))
    wire = found["a"].type
    assert isinstance(wire, Array) and isinstance(wire.count, Fixed)
    assert text(wire.count.value) == "field:version"
    assert text(found["b"].condition) == "version >= 2"


def test_constants_and_labels_are_folded(fields: Fields) -> None:
    more = """const: {A: 2, B: A + 1, C: "1 << B", LIST: [A, 7]}
enums:
  E: {5: five}
flags:
  F: {4..6: level, 0: on}
"""
    found = fields(
        spec("a: uint8[B * 256 + 4]\nb: uint8 when a[0] & F.level != E.five\nc: uint8 when a[1] in LIST", more)
    )
    wire = found["a"].type
    assert isinstance(wire, Array) and isinstance(wire.count, Fixed)
    assert text(wire.count.value) == "772"
    assert text(found["b"].condition) == "(Index & 112) != 5"


# ---------------------------------------------------------------------------------------------- conditions


def test_conditions_of_groups_and_lines(definition: OneDefinition) -> None:
    made = definition(
        spec(
            "mode: uint8\nsince 2:\n  - when mode == 1:\n    - a: uint8 until 3\n"
            "  - let n: mode + 1\ntmp temp:\n  - b: uint8",
            head="version: 4\n",
        ),
        "Acme",
    )
    _, since, tmp = made.steps
    assert isinstance(since, Group) and isinstance(tmp, Group)
    assert text(since.condition) == "version >= 2"
    when, let = since.steps
    assert isinstance(when, Group) and isinstance(let, Let)
    (field,) = when.steps
    assert isinstance(field, Field)
    assert text(field.condition) == "version <= 3"
    assert text(field.presence) == "((version >= 2 and field:mode == 1) and version <= 3)"
    assert (field.since, field.until) == (None, 3)
    assert (tmp.tmp, tmp.condition) == ("temp", None)
    assert made.uses_version


def test_fields_that_are_never_sent(fields: Fields) -> None:
    found = fields(spec("a: uint8\nwhen false:\n  - b: uint8[4]\n  - c: uint8 when a == 1"))
    assert [name for name, field in found.items() if field.never] == ["b", "c"]


@pytest.mark.parametrize(
    "use",
    [
        "use: uint8[n] since 2",
        "use: uint8[n] since 3",
        "use: uint8[n] when version >= 2 and mode == 1",
        "use: uint8 when version > 1 and n == 3",
        "use: uint8 when version < 2 or n == 3",
        "use: uint8 when not (version < 2) and n == 3",
        "let use: n if version >= 2 else 0",
        "let use: 0 if version <= 1 else n",
        "use: uint8[n if has(n) else 4]",
        "use: uint8 when not has(n) or n != 0",
        "since 2:\n  - use:\n    - inner: uint8[n]",
    ],
)
def test_presence_is_proven(found: Found, use: str) -> None:
    assert [f for f in found(spec(f"mode: uint8\nn: uint8 since 2\n{use}", head="version: 3\n")) if "absent" in f] == []


@pytest.mark.parametrize(
    "use",
    [
        "use: uint8[n]",
        "use: uint8[n] until 1",
        "use: uint8[n] when version != 2",
        "use: uint8 when version >= 2 or n == 3",
        "let use: 0 if version >= 2 else n",
        "let use: n if mode == 2 else 0",
        "use:\n  - inner: uint8[n]",
        "check use: n == 3",
    ],
)
def test_presence_is_not_proven(found: Found, use: str) -> None:
    findings = found(spec(f"mode: uint8\nn: uint8 since 2\n{use}", head="version: 3\n"))
    assert [f.split()[0] for f in findings] == ["expr/absent"]


def test_presence_of_members_is_proven_with_arguments(found: Found) -> None:
    structs = (
        "structs:\n  S:\n    params: {on: bool, k: int}\n    fields:\n"
        "      - a: uint8 when on\n      - b: uint8 when k == 2\n"
    )
    good = (
        "mode: uint8\ns: S(mode == 1, mode)\nx: uint8[s.a] when mode == 1\n"
        "y: uint8[s.b] when mode == 2\nt: S(true, 3)\nz: uint8[t.a]"
    )
    assert found(spec(good, structs)) == []


def test_presence_of_members_needs_the_argument(found: Found) -> None:
    structs = "structs:\n  S:\n    params: {on: bool}\n    fields:\n      - a: uint8 when on\n"
    bad = "mode: uint8\ns: S(mode == 1)\nx: uint8[s.a]\ny: uint8[s.a] when mode == 2"
    assert found(spec(bad, structs)) == ["expr/absent 6:14", "expr/absent 7:14"]


UNION = """kind: uint8
u: union(kind)
  cases:
    1: One
    2:
      - b: uint8
    3: none
"""


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("x: uint8[u.a] when kind == 1", []),
        ("x: uint8 when kind == 1 and u.a == 3", []),
        ("x: uint8[u.b] when kind == 2", []),
        ("x: uint8[u.a]", ["expr/absent"]),
        ("x: uint8[u.a] when kind == 2", ["name/unknown"]),
        ("x: uint8[u.c] when kind == 1", ["name/unknown"]),
        ("x: uint8[u.b] when kind == 3", ["name/unknown"]),
    ],
)
def test_members_of_unions(found: Found, use: str, expected: list[str]) -> None:
    findings = found(spec(UNION + use, "structs:\n  One:\n    - a: uint8\n"))
    assert [f.split()[0] for f in findings] == expected


def test_cases_of_unions(fields: Fields) -> None:
    more = """const: {BIG: 9}
enums:
  Kind: {1: one}
structs:
  S:
    params: {k: int}
    fields:
      - a: uint8[k & 3]
"""
    cases = "u: union(kind)\n  cases:\n    Kind.one: S(kind)\n    BIG: none\n    0x20: none\n    else: none"
    wire = fields(spec(f"kind: uint8 as Kind\n{cases}", more))["u"].type
    assert isinstance(wire, Union)
    assert [(case.name, case.value) for case in wire.cases] == [("one", 1), ("BIG", 9), ("case_0x20", 32)]
    assert wire.otherwise == "none"


# ---------------------------------------------------------------------------------------------- lets, captures, derived


def test_captures_go_through_every_definition_between(model: Callable[..., Model]) -> None:
    made = model(
        spec(
            "n: uint8\nlet m: n + 1\nouter:\n  - inner:\n    - a: uint8[n] since 2\n    - b: uint8[m]",
            "subsections:\n  - acme/s:\n    - c: uint8[n]\n    - deep:\n      - d: uint8 when version == 1\n",
            "version: 2\n",
        )
    )
    captures = {d.name: [(c.name, c.type) for c in d.captures] for d in made.module("acme").definitions}
    assert captures["AcmeOuterInner"] == [("version", "int"), ("n", "int"), ("m", "int")]
    assert sorted(captures["AcmeOuter"]) == sorted(captures["AcmeOuterInner"])
    assert captures["AcmeS"] == [("n", "int")]
    assert captures["AcmeSDeep"] == [("version", "int")]  # that of the subsection
    assert captures["Acme"] == []
    assert made.definition("acme#Acme").uses_version and made.definition("acme#AcmeS").uses_version


def test_a_captured_struct_names_its_definition(definition: OneDefinition) -> None:
    more = "structs:\n  P:\n    - x: uint8\n    - let twice: x * 2\n"
    made = definition(spec("p: P\ninner:\n  - a: uint8[p.twice]", more), "AcmeInner")
    assert [(c.name, c.type, c.definition) for c in made.captures] == [("p", "struct", "acme#P")]


def test_lets_used_from_outside_are_exported(definition: OneDefinition) -> None:
    more = "structs:\n  P:\n    - x: uint8\n    - let used: x + 1\n    - let own: x + 2\n    - y: uint8[own]\n"
    made = definition(spec("p: P\na: uint8[p.used]", more), "P")
    assert {step.name: step.exported for step in made.steps if isinstance(step, Let)} == {"used": True, "own": False}


def test_derived_values_look_forward(fields: Fields) -> None:
    found = fields(
        spec(
            "n: uint8 = len(rows)\nlet m: n + 1\nrows: uint8[n]\nsum: uint16 = m * 2\nv: uint8 = version\nc: uint8 = 42"
        )
    )
    assert text(found["n"].derived) == "len(field:rows)"
    assert {name: field.derived_property for name, field in found.items() if field.derived} == {
        "n": True,
        "sum": True,
        "v": False,
        "c": True,
    }
    rows = found["rows"].type
    assert isinstance(rows, Array) and isinstance(rows.count, Fixed)
    assert text(rows.count.value) == "derived:n"
    # a property needs nothing but the object, so the let is put in its place
    assert text(found["sum"].derived) == "((derived:n + 1) * 2)"


def test_needed_is_over_the_owner(definition: OneDefinition) -> None:
    more = "subsections:\n  - acme/s:\n      needed: a != 0 and b == 1\n      fields:\n        - b: uint8\n"
    (subsection,) = definition(spec("a: uint8", more), "Acme").subsections
    assert text(subsection.needed) == "(field:a != 0 and field:s.b == 1)"


def test_props_of_other_files(model: Callable[..., Model]) -> None:
    made = model(
        {
            "core": "props:\n  ports: {type: 1..4, default: 2}\n",
            "a": "vmstate: a\nimport: {core: [ports]}\nprops: {on: {type: bool, default: false}}\n"
            "fields:\n  - x: uint8[props.ports] when props.on\n",
        }
    )
    (field,) = made.definition("a#A").fields()
    assert isinstance(field.type, Array) and isinstance(field.type.count, Fixed)
    count = field.type.count.value
    assert isinstance(count, PropRef) and (count.module, count.name, count.type) == ("core", "ports", "int")
    assert [(p.name, p.low, p.high) for p in made.module("core").props] == [("ports", 1, 4)]


def test_sections_in_parts(model: Callable[..., Model]) -> None:
    made = model({"log": "section: log\nparts:\n  start:\n    - a: uint8\n  end:\n    - b: uint8 when version == 1\n"})
    module = made.module("log")
    assert module.state is None
    assert module.parts == {"start": "log#LogStart", "end": "log#LogEnd"}
    assert [(d.name, d.kind, d.wire_name, d.marked) for d in module.definitions] == [
        ("LogStart", "section", "log", False),
        ("LogEnd", "section", "log", False),
    ]


@pytest.mark.parametrize(
    ("expression", "rule"),
    [
        ("n + on", "expr/type"),
        ("n and on", "expr/type"),
        ("-on", "expr/type"),
        ("qemu >= 8", "expr/type"),
        ("qemu == n", "expr/type"),
        ("t < t", "expr/type"),
        ("t == n", "expr/type"),
        ("host_endian == 3", "expr/type"),
        ("len(n)", "expr/type"),
        ("f == f", "expr/type"),
        ("p + 1", "expr/type"),
        ("rows.x", "expr/type"),
        ("sum(rows.y)", "name/unknown"),
        ("has(n + 1)", "expr/type"),
        ("le16(n, 0)", "expr/type"),
        ("max(n)", "expr/type"),
        ("n in nothing", "name/unknown"),
        ("1 // 0", "spec/value"),
        ("1 << 65", "spec/value"),
        ("Kind", "name/unknown"),
        ("Kind.two", "name/unknown"),
        ("props.none", "name/unknown"),
        ("target.bits", "name/unknown"),
        ("it == 3", "name/unknown"),
    ],
)
def test_types_of_expressions(found: Found, expression: str, rule: str) -> None:
    base = "n: uint8\non: bool\nt: string[4]\nf: float64\np: Row\nrows: Row[n]"
    more = "structs:\n  Row:\n    - x: uint8\nenums:\n  Kind: {1: one}\n"
    findings = found(spec(f"{base}\nlet r: {expression}", more))
    assert [f.split()[0] for f in findings] == [rule]


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("sum(rows.x) + len(rows)", "int"),
        ("rows[1].x", "int"),
        ("data[2] << 8 | data[3]", "int"),
        ("be32(data, 4)", "int"),
        ('t == "q35" if n == 1 else false', "bool"),
        ("3 <= n <= 32 and n in (4, 5)", "bool"),
        ('host_endian == "little"', "bool"),
        ("qemu in 8.0..9.2.1", "bool"),
        ("machine.release", "release"),
        ("min(n, 3, 4) - ~n", "int"),
    ],
)
def test_expressions(definition: OneDefinition, expression: str, kind: str) -> None:
    base = "n: uint8\nt: string[4]\ndata: bytes[8]\nrows: Row[n]"
    made = definition(spec(f"{base}\nlet r: {expression}", "structs:\n  Row:\n    - x: uint8\n"), "Acme")
    assert [step.type for step in made.steps if isinstance(step, Let)] == [kind]
