"""From nodes to declarations: every key in its place, several mistakes in one run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vmsgen.diagnostics import SourceFile
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.binder import bind
from vmsgen.spec.declarations import CheckDecl, FieldDecl, FileDecl, GroupDecl, LetDecl
from vmsgen.spec.nodes import read


def bound(text: str) -> tuple[FileDecl, list[str]]:
    """The declarations of a text, and what was found, as ``RULE LINE``."""
    reporter = Reporter()
    source = SourceFile("acme.yaml", text)
    node = read(source, reporter)
    assert node is not None
    decl = bind(source, node, reporter)
    assert decl is not None
    return decl, [f"{d.rule} {d.span.line}" for d in reporter.diagnostics]


def test_every_kind_of_entry() -> None:
    decl, findings = bound(
        """vmsgen: 1
vmstate: acme
fields:
  - a[0]: uint8 as Mode since 2
    doc: the first
    name: [a, old_a]
    was: one
    check: it   <
      3
  - inner:
    - x: uint8
  - when a_0 != 0:
    - until 3:
      - b: uint8
  - tmp acme-tmp:
    - c: uint8
  - let n: a_0 + 1
    doc: a sum
  - check n is small: n < 4
  - long: struct[2]
    fields:
      - y: uint8
  - choice: union(n)
    cases:
      1: Some
      2: none
      else:
        - z: uint8
structs:
  Some:
    - s: uint8
"""
    )
    assert findings == []
    assert decl.state is not None
    first, inner, when, tmp, let, check, long, choice = decl.state.entries
    assert isinstance(first, FieldDecl) and first.check is not None
    assert (first.key.text, first.wire_names, first.doc) == ("a[0]", ("a", "old_a"), "the first")
    assert [scalar.text for scalar in first.was] == ["one"]
    assert first.check.text == "it < 3"
    assert isinstance(inner, FieldDecl) and inner.line is None and inner.entries is not None
    assert isinstance(when, GroupDecl) and when.condition is not None
    (until,) = when.entries
    assert isinstance(until, GroupDecl) and (until.keyword, until.number) == ("until", 3)
    assert isinstance(tmp, GroupDecl) and tmp.tmp == "acme-tmp"
    assert isinstance(let, LetDecl) and (let.name, let.doc) == ("n", "a sum")
    assert isinstance(check, CheckDecl) and check.check.text == "n is small"
    assert isinstance(long, FieldDecl) and long.line is not None and long.entries is not None
    assert isinstance(choice, FieldDecl) and choice.cases is not None
    some, nothing, other = choice.cases
    assert some.type is not None and nothing.type is None and nothing.entries is None
    assert other.is_else and other.entries is not None


def test_definitions_in_short_and_in_long_form() -> None:
    decl, findings = bound(
        """vmsgen: 1
vmstate: acme
as: Acme
version: 0x3
minimum_version: 2
tag: 30001
endian: little
strip: env.
fields: []
subsections:
  - acme/one:
    - a: uint8
  - acme/two:
      version: 2
      needed: props.two
      fields:
        - b: uint8
structs:
  Short:
    - a: uint8
  Long:
    vmstate: acme_long
    version: 4
    endian: host
    params: {n: int, on: bool}
    strip: [a., b.]
    fields:
      - c: uint8
"""
    )
    assert findings == []
    state = decl.state
    assert state is not None
    assert (state.version, state.minimum_version, state.tag, state.endian, state.strip) == (
        3,
        2,
        30001,
        "little",
        ("env.",),
    )
    one, two = state.subsections
    assert (one.version, two.version, two.needed is not None) == (1, 2, True)
    short, long = decl.structs
    assert (short.version, short.wire_name, len(short.entries)) == (1, None, 1)
    assert long.wire_name is not None and long.wire_name.text == "acme_long"
    assert [(p.name, p.type) for p in long.params] == [("n", "int"), ("on", "bool")]
    assert (long.endian, long.strip) == ("host", ("a.", "b."))


def test_facts_and_names() -> None:
    decl, findings = bound(
        """vmsgen: 1
summary: names
import: {pci/device: [PCIDevice]}
props:
  ports: {type: 1..0x20, default: 6, doc: how many, source: a property}
  bus: {type: text, candidates: [pci, ccw]}
const: {MAX: 1 << 4, WRITES: [0x0a, 42]}
types:
  Mac: bytes[6]
enums:
  Mode: {0: off, -1: on}
flags:
  Bits: {0: ready, 4..7: level}
hooks: {module: ./h.py, before_save: flush, types: {raw: bytes, n: uint32}}
"""
    )
    assert findings == []
    ports, bus = decl.props
    assert (ports.kind, ports.low, ports.high, ports.source) == ("int", 1, 32, "a property")
    assert [c.text for c in bus.candidates] == ["pci", "ccw"]
    maximum, writes = decl.consts
    assert maximum.items is None and writes.items is not None and len(writes.items) == 2
    mode, bits = decl.labels
    # `on` and `off` are no booleans of YAML
    assert [member[:3] for member in mode.members] == [(0, 0, "off"), (-1, -1, "on")]
    assert [member[:3] for member in bits.members] == [(0, 0, "ready"), (4, 7, "level")]
    assert decl.hooks is not None and [key.text for key, _ in decl.hooks.types] == ["raw", "n"]
    assert decl.imports[0].target.text == "pci/device"


def test_all_mistakes_of_a_file_are_reported_in_one_run() -> None:
    _, findings = bound(
        """vmsgen: 1
vmstate: acme
verison: 2
minimum_version: two
fields:
  - a:
  - b: uint8
    dco: text
  - c: uint8 sicne 2
  - since x:
    - d: uint8
  - let 1n: 3
props:
  p: {type: 9..1}
  q: {}
flags:
  F: {64: high}
structs:
  S: 12
"""
    )
    assert findings == [
        "spec/unknown-key 3",
        "spec/value 4",
        "spec/no-type 6",
        "spec/unknown-key 8",
        "type/syntax 9",
        "spec/value 10",
        "spec/value 12",
        "spec/value 14",
        "spec/missing-key 15",
        "spec/value 17",
        "spec/shape 19",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vmstate: x\nfields: []\n", ["spec/missing-key 1"]),
        ("vmsgen: 1\nvmstate: x\nsection: y\nfields: []\n", ["spec/two-states 3"]),
        ("vmsgen: 1\nvmstate: x\n", ["spec/missing-key 2"]),
        ("vmsgen: 1\nversion: 3\n", ["spec/missing-key 2"]),
        ("vmsgen: 1\nsection: x\nfields: []\nsubsections: []\n", ["spec/unknown-key 4"]),
        ("vmsgen: 1\nvmstate: x\ntag: 0x10000000\nfields: []\n", ["spec/value 3"]),
        ("vmsgen: 1\nsection: x\nparts: {strat: []}\n", ["spec/unknown-key 3"]),
        ("vmsgen: 1\nsection: x\ntag: 1\nparts: {start: []}\n", ["spec/shape 3"]),
        ("vmsgen: 1\nvmstate: " + "x" * 256 + "\nfields: []\n", ["spec/value 2"]),
        ("vmsgen: 1\nvmstate: x\nfields:\n  - {}\n", ["spec/shape 4"]),
        ("vmsgen: 1\nvmstate: x\nfields:\n  -\n", ["spec/shape 4"]),
        ("vmsgen: 1\nvmstate: x\nfields:\n  - a: {type: uint8}\n", ["spec/shape 4"]),
        ("vmsgen: 1\nvmstate: x\nfields:\n  - tmp t: uint8\n", ["spec/shape 4"]),
        ("vmsgen: 1\nvmstate: x\nfields: []\nsubsections:\n  - x/a\n", ["spec/shape 5"]),
        ("vmsgen: 1\nhooks: {module: ./h.py, after_load: re-arm}\n", ["spec/value 2"]),
        ("vmsgen: 1\nenums:\n  E: {one: a}\n", ["spec/value 3"]),
        ("vmsgen: 1\nprops:\n  a-b: {type: int}\n", ["spec/value 3"]),
    ],
)
def test_what_a_file_may_not_say(text: str, expected: list[str]) -> None:
    assert bound(text)[1] == expected


def test_mistakes_of_names_and_of_shape_come_together(found: Callable[..., list[str]]) -> None:
    text = """
        vmstate: acme
        fields:
          - a: uint31
          - b: uint8[nunm]
            dco: x
          - c: uint8 when b
          - d: uint8 when b_0
          - e: uint8
          - f: uint8 when e
        """
    # `b` is known, its type is not: using it is no mistake of its own
    assert found(text) == [
        "name/unknown-type 4:8",
        "name/unknown 5:14",
        "spec/unknown-key 6:5",
        "name/unknown 8:19",
        "expr/type 10:19",
    ]
