"""What an import makes of descriptions: the texts of the specs, as a person would find them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from tests.unit.qemu.descriptions import Json, column, dump, gathered, leaf, state, stream, struct, table
from vmsgen.fmt.text import format_text
from vmsgen.qemu.into_folder import FolderImport, plan_import, publish
from vmsgen.spec.compile import compile_specs

FIFO = state("fifo", [leaf("head")])
PORT = state("port", [leaf("level", "uint8")])
PCI = state(
    "PCIDevice",
    [
        leaf("version_id", "int32 le", size=4),
        leaf("config", "pci config", size=256),
        leaf("irq_state", "pci irq state", size=16),
    ],
    version=2,
)


def imported(folder: Path, *sources: tuple[str, bytes]) -> FolderImport:
    found = gathered(folder, *sources)
    assert found.failed == []
    made = plan_import(found, folder / "specs")
    assert made.left_out == []
    return made


def nulls(count: int) -> Json:
    return {"name": "ports", "type": "nullptr", "size": 1, "array_len": count}


def unsaid(count: int) -> Json:
    return {"name": "ports", "type": "struct", "size": 1, "array_len": count, "struct": {}}


ONE_FILE = {
    "what a section holds": (
        [
            (
                "7.2",
                stream(
                    state(
                        "acme-nic",
                        [
                            leaf("mac", "buffer", size=6),
                            leaf("regs", count=4),
                            leaf("on", "bool"),
                            struct("q", state("acme-queue", [leaf("head", "uint16"), leaf("t", "timer")]), count=2),
                            leaf("ram", "uint8", count=4096),
                        ],
                        [state("acme-nic/offload", [leaf("flags", "uint8")], version=2)],
                        version=3,
                    )
                ),
            )
        ],
        """\
        vmsgen: 1
        summary: VMState acme-nic of QEMU 7.2
        vmstate: acme-nic
        version: 3
        minimum_version: 3
        fields:
          - mac: bytes[6]
          - regs: uint32[4]
          - on: bool
          - q: AcmeQueue[2]
          - ram: bytes[4096]
            doc: memory of the device, as it is
        subsections:
          - acme-nic/offload:
              version: 2
              minimum_version: 2
              fields:
                - flags: uint8
        structs:
          AcmeQueue:
            vmstate: acme-queue
            fields:
              - head: uint16
              - t: timer
        """,
    ),
    "versions tell who has a field": (
        [
            ("5.2", stream(state("acme", [leaf("a"), leaf("gone", "uint8")]))),
            ("7.2", stream(state("acme", [leaf("a"), leaf("b", "uint16")], version=2))),
        ],
        """\
        vmsgen: 1
        summary: VMState acme of QEMU 5.2 and 7.2
        vmstate: acme
        version: 2
        minimum_version: 1
        fields:
          - a: uint32
          - b: uint16 since 2
          - gone: uint8 until 1
        """,
    ),
    "nothing tells who has a field": (
        [
            ("5.2", stream(state("acme", [leaf("a"), leaf("z")]))),
            ("7.2", stream(state("acme", [leaf("a"), leaf("b", "uint16"), leaf("z")]))),
        ],
        """\
        vmsgen: 1
        summary: VMState acme of QEMU 5.2 and 7.2
        vmstate: acme
        fields:
          - a: uint32
          - b: uint16 when unknown  # in 7.2, not in 5.2
          - z: uint32
        """,
    ),
    "a dump has what no stream shows": (
        [
            (
                "10.0",
                stream(state("acme", [leaf("a"), leaf("n", "uint8"), leaf("ring", "uint16", count=3)], version=3)),
            ),
            (
                "10.0",
                dump(
                    acme_pci=table(
                        "acme",
                        [
                            column("a"),
                            column("old", 1, predicate=True),
                            column("n", 1, version=2),
                            column("ring", 2),
                            column("never", 4, version=9),
                            column("fixed", 2, num=7, predicate=True),
                        ],
                        [table("acme/x", [column("v")])],
                        version=3,
                    )
                ),
            ),
        ],
        """\
        vmsgen: 1
        summary: VMState acme of QEMU 10.0 (acme-pci)
        vmstate: acme
        version: 3
        minimum_version: 1
        fields:
          - a: uint32
          - old: uint8 when unknown  # no stream has shown it: its type is by its size in memory
          - n: uint8 since 2
          - ring: uint16[unknown]
          - never: uint32 when false  # no stream has shown it: its type is by its size in memory
          - fixed: uint16[7] when unknown  # no stream has shown it: its type is by its size in memory
        subsections:
          # no stream has shown this: types are by size in memory
          - acme/x:
            - v: uint32
        """,
    ),
    "words of 4 and of 8 bytes": (
        [
            ("7.2", stream(state("cpu", [leaf("acme.pc", "uint64"), leaf("acme.x")]), machine="boston")),
            ("7.2", stream(state("cpu", [leaf("acme.pc", "uint32"), leaf("acme.x")]), machine="mipssim")),
        ],
        """\
        vmsgen: 1
        summary: VMState cpu of QEMU 7.2
        vmstate: cpu
        as: CpuMips
        match: target.arch == "mips"
        fields:
          - acme.pc: target_ulong
          - acme.x: uint32
        """,
    ),
    "names of QEMU's types that mislead, and names that need quotes": (
        [
            (
                "7.2",
                stream(
                    state(
                        "acme",
                        [
                            leaf("a", "int64 equal", size=8),
                            leaf("b", "int32 le", size=4),
                            leaf("c", "nonsense", size=7),
                            leaf("d", "bitmap", size=16),
                            leaf("e", "unused_buffer", size=4),
                            leaf("when x", "uint8"),
                            leaf("class", "uint8"),
                            leaf("a.b[0]", "uint8"),
                            leaf("a_b_0", "uint8"),
                            leaf("x: y", "uint8"),
                        ],
                    )
                ),
            )
        ],
        """\
        vmsgen: 1
        summary: VMState acme of QEMU 7.2
        vmstate: acme
        fields:
          - a: uint64
            check: it == mine
          - b: int32
            check: 0 <= it <= mine
          - c: bytes[7]
          - d: bitmap[128]
          - e: pad[4]
          - field_when_x: uint8
            name: "when x"
            as: field_when_x
          - class: uint8
          - a.b[0]: uint8
          - a_b_0: uint8
            as: a_b_0_2
          - "x: y": uint8
        """,
    ),
    "a struct in its user's place": (
        [
            (
                "7.2",
                stream(
                    state(
                        "acme",
                        [
                            {
                                "name": "t",
                                "type": "tmp",
                                "size": 4,
                                "vmsd_name": "acme_tmp",
                                "version": 1,
                                "fields": [leaf("v")],
                            },
                            leaf("x"),
                        ],
                    )
                ),
            )
        ],
        """\
        vmsgen: 1
        summary: VMState acme of QEMU 7.2
        vmstate: acme
        fields:
          - tmp acme_tmp:
            - v: uint32
          - x: uint32
        """,
    ),
    "a list, by the key that is there once per element": (
        [
            (
                "7.2",
                stream(
                    state(
                        "acme",
                        [{"name": "l", "type": "qtailq", "size": 6, **state("item", [leaf("v")])}],
                    )
                ),
            )
        ],
        """\
        vmsgen: 1
        summary: VMState acme of QEMU 7.2
        vmstate: acme
        fields:
          - l: list(Item)
        structs:
          Item:
            vmstate: item
            fields:
              - v: uint32
        """,
    ),
    "a struct that the library has": (
        [("7.2", stream(("0000:00:03.0/acme", state("acme", [struct("dev", PCI), leaf("x")]))))],
        """\
        vmsgen: 1
        summary: VMState acme of QEMU 7.2
        vmstate: acme
        import:
          qemu/pci/device: [PCIDevice]
        fields:
          - dev: PCIDevice
          - x: uint32
        """,
    ),
}

POINTERS = """\
vmsgen: 1
summary: VMState acme of QEMU {release}
vmstate: acme
fields:
  - ports: Port?[3]
structs:
  Port:
    vmstate: port
    fields:
      - level: uint8
"""


@pytest.mark.parametrize("title", ONE_FILE)
def test_one_file(tmp_path: Path, title: str) -> None:
    sources, text = ONE_FILE[title]
    made = imported(tmp_path, *sources)
    assert list(made.texts.values()) == [dedent(text)]
    assert format_text("acme.yaml", dedent(text)).text == dedent(text)
    assert sum(made.open.values()) == text.count("unknown")


@pytest.mark.parametrize(
    ("release", "fields"),
    [
        ("10.0", [[struct("ports", PORT, count=3), nulls(2)]]),
        ("10.0", [[struct("ports", PORT, count=3)], [nulls(3)]]),
        ("7.2", [[struct("ports", PORT, count=3)], [unsaid(3)]]),
        ("7.2", [[struct("ports", PORT, index=0), struct("ports", PORT, index=1), unsaid(1)]]),
    ],
)
def test_null_pointers_as_each_release_describes_them(tmp_path: Path, release: str, fields: list[list[Json]]) -> None:
    made = imported(tmp_path, *((release, stream(state("acme", each))) for each in fields))
    assert made.texts == {"acme.yaml": POINTERS.format(release=release)}


def test_a_struct_of_several_states_has_a_file_of_its_own(tmp_path: Path) -> None:
    made = imported(
        tmp_path, ("7.2", stream(state("one", [struct("f", FIFO)]), state("two", [struct("f", FIFO), leaf("x")])))
    )
    assert sorted(made.texts) == ["fifo.yaml", "one.yaml", "two.yaml"]
    assert "import:\n  fifo: [Fifo]\nfields:\n  - f: Fifo\n" in made.texts["two.yaml"]
    assert made.texts["fifo.yaml"].startswith("vmsgen: 1\nsummary: VMState fifo of QEMU 7.2\nstructs:\n  Fifo:\n")


def test_one_name_of_two_things_is_two_variants(tmp_path: Path) -> None:
    made = imported(
        tmp_path,
        (
            "7.2",
            stream(("0000:00:03.0/acme", state("acme", [leaf("p"), leaf("x")])), state("acme", [leaf("isa", "uint8")])),
        ),
    )
    assert sorted(made.texts) == ["acme-pci.yaml", "acme.yaml"]
    assert 'as: AcmePci\nmatch: section.bus == "pci"\n' in made.texts["acme-pci.yaml"]
    assert "vmstate: acme\nmatch: unknown\n" in made.texts["acme.yaml"]


def test_names_that_give_one_file_name(tmp_path: Path) -> None:
    made = imported(tmp_path, ("7.2", stream(state("a,b", [leaf("x")]), state("a.b", [leaf("y")]))))
    assert sorted(made.texts) == ["a-b-2.yaml", "a-b.yaml"]
    assert 'vmstate: "a,b"\n' in made.texts["a-b.yaml"]
    assert "vmstate: a.b\nas: AB2\n" in made.texts["a-b-2.yaml"]


def test_files_that_would_be_one_module_in_asn1(tmp_path: Path) -> None:
    found = gathered(tmp_path, ("7.2", stream(state("one", [leaf("x")]), state("net-one", [leaf("x")]))))
    made = plan_import(found, tmp_path / "specs", places={"one": "net/one"})
    assert made.left_out == []
    assert sorted(made.texts) == ["net-one-2.yaml", "net/one.yaml"]


def test_places_and_the_whole_folder(tmp_path: Path) -> None:
    found = gathered(tmp_path, ("7.2", stream(state("one", [leaf("x")]), state("two", [leaf("x")]))))
    folder = tmp_path / "specs"
    publish(plan_import(found, folder, places={"one": "net/one"}), folder)
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.yaml")) == [
        "net/one.yaml",
        "two.yaml",
    ]
    compiled = compile_specs(folder)
    assert compiled.model is not None and compiled.diagnostics == []


def test_a_source_that_breaks_off_tells_nothing(tmp_path: Path) -> None:
    good = stream(state("one", [leaf("x")]))
    found = gathered(tmp_path, ("7.2", good), ("7.2", good[:-5]), ("7.2", b"QEVM\0\0\0\3"), ("7.2", b'{"a": '))
    reasons = [reason for _, reason in found.failed]
    assert reasons[0] == "the stream has no vmdesc"
    assert reasons[1] == "the stream has no vmdesc"
    assert reasons[2].startswith("expected the JSON of -dump-vmstate")
    assert list(plan_import(found, tmp_path / "specs").texts) == ["one.yaml"]


def test_a_struct_of_the_library_that_is_a_state_as_well(tmp_path: Path) -> None:
    found = gathered(tmp_path, ("7.2", stream(PCI, state("acme", [struct("dev", PCI), leaf("x")]))))
    made = plan_import(found, tmp_path / "specs", everything=True)
    assert made.left_out == []
    assert "import:\n  qemu/pci/device: [PCIDevice]\n" in made.texts["acme.yaml"]
    assert "vmstate: PCIDevice\nas: PCIDevice2\n" in made.texts["pcidevice.yaml"]
