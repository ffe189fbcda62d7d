"""The lock of the tags."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.compile import compile_specs
from vmsgen.spec.lock import HEADER, Lock, assign, read_lock
from vmsgen.spec.model import Model

NIC = """
vmstate: nic
version: 2
fields:
  - mac: bytes[6]
  - unused: pad[2]
  - ring: Slot[uint8]
  - when false:
    - gone: uint8
subsections:
  - nic/extra:
    - x: uint8
structs:
  Slot:
    - address: uint64
"""


def given(model: Model, lock: Lock | None = None, **more: int) -> tuple[Model, Lock]:
    """Tags without findings."""
    reporter = Reporter()
    found = assign(model, lock or Lock(), reporter, **more)
    assert reporter.diagnostics == []
    return found


def findings(model: Model, lock: str) -> list[tuple[str, str]]:
    reporter = Reporter()
    assign(model, read_lock(lock, reporter), reporter)
    return [(d.rule, d.message) for d in reporter.diagnostics]


def test_new_tags_are_given_in_wire_order(model: Callable[..., Model]) -> None:
    tagged, lock = given(model(NIC))
    state = tagged.tags["VmNic"]
    assert state.application == 30000
    assert dict(state.components) == {
        "mac": 0,
        "unused": 1,
        "ring": 2,
        "<subsections>": 3,
        "<version>": 4,
        "<facts>": 5,
        "<kept>": 6,
    }
    assert dict(state.subsections) == {"extra": 0, "<unknown>": 1}
    assert tagged.tags["VmNic-Slot"].application is None
    assert dict(tagged.tags["VmNic-Slot"].components) == {"address": 0, "<kept>": 1}
    assert dict(tagged.tags["VmNic-Extra"].components) == {"x": 0, "<version>": 1, "<kept>": 2}
    assert lock.numbers["VmNic-Subsections.extra"] == 0


def test_text_and_lock_are_the_same(model: Callable[..., Model]) -> None:
    compiled = model(NIC)
    _, lock = given(compiled)
    text = lock.render()
    assert text.startswith(HEADER + "\nVmNic 30000\n")
    assert text.endswith("\n")
    assert text.split("\n")[1:-1] == sorted(text.split("\n")[1:-1])
    reporter = Reporter()
    again = read_lock(text, reporter)
    assert reporter.diagnostics == []
    assert again == lock
    tagged, unchanged = given(compiled, again)
    assert unchanged == lock
    assert tagged.tags["VmNic"].application == 30000


def test_a_field_put_in_between_gets_a_new_number(model: Callable[..., Model]) -> None:
    lock = Lock({"VmNic": 30007, "VmNic.mac": 0, "VmNic.ring": 2, "VmNic.<kept>": 3, "VmNic.removed": 9})
    tagged, new = given(model(NIC), lock)
    assert tagged.tags["VmNic"].application == 30007
    assert tagged.tags["VmNic"].components["unused"] == 10
    assert tagged.tags["VmNic"].components["ring"] == 2
    assert new.numbers["VmNic.removed"] == 9


def test_a_renamed_field_keeps_its_number(model: Callable[..., Model]) -> None:
    text = "vmstate: nic\nfields:\n  - address: bytes[6]\n    was: mac\n"
    tagged, lock = given(model(text), Lock({"VmNic": 30000, "VmNic.mac": 5}))
    assert tagged.tags["VmNic"].components["address"] == 5
    assert "VmNic.mac" not in lock.numbers


def test_a_renamed_state_keeps_its_numbers(model: Callable[..., Model]) -> None:
    text = "vmstate: nic-2\nwas: nic\nfields:\n  - mac: bytes[6]\n  - s: Slot\nstructs:\n  Slot:\n    - a: uint8\n"
    old = Lock({"VmNic": 30003, "VmNic.mac": 4, "VmNic-Slot.a": 6, "VmNickel": 30004})
    tagged, lock = given(model(text), old)
    assert tagged.tags["VmNic-2"].application == 30003
    assert tagged.tags["VmNic-2"].components["mac"] == 4
    assert tagged.tags["VmNic-2-Slot"].components["a"] == 6
    assert lock.numbers["VmNickel"] == 30004
    assert "VmNic" not in lock.numbers


def test_renamed_structs_and_subsections_keep_their_numbers(model: Callable[..., Model]) -> None:
    text = """
        vmstate: nic
        fields:
          - s: Slot
        subsections:
          - nic/later:
              was: nic/extra
              fields:
                - x: uint8
        structs:
          Slot:
            was: Entry
            fields:
              - a: uint8
        """
    old = {"VmNic-Entry.a": 3, "VmNic-Extra.x": 5, "VmNic-Subsections.extra": 7}
    tagged, lock = given(model(text), Lock(old))
    assert tagged.tags["VmNic-Slot"].components["a"] == 3
    assert tagged.tags["VmNic-Later"].components["x"] == 5
    assert tagged.tags["VmNic"].subsections["later"] == 7
    assert not set(old) & set(lock.numbers)


def test_states_take_the_first_free_number(model: Callable[..., Model]) -> None:
    files = {name: f"vmstate: {name}\nfields:\n  - a: uint8\n" for name in ("a", "b", "c")}
    files["b"] += "tag: 20001\n"
    tagged, _ = given(model(files), first=20001)
    assert [tagged.tags[f"Vm{name}"].application for name in "ABC"] == [20002, 20001, 20003]


def test_a_removed_state_keeps_its_number_to_itself(model: Callable[..., Model]) -> None:
    tagged, _ = given(model(NIC), Lock({"VmOld": 30000}))
    assert tagged.tags["VmNic"].application == 30001


def test_a_nested_struct_has_the_tag_that_the_lock_gives(model: Callable[..., Model]) -> None:
    tagged, _ = given(model(NIC), Lock({"VmNic-Slot": 30100}))
    assert tagged.tags["VmNic-Slot"].application == 30100


def test_tag_of_the_spec_against_the_lock(model: Callable[..., Model]) -> None:
    text = "vmstate: nic\ntag: 30001\nfields:\n  - a: uint8\n"
    assert findings(model(text), f"{HEADER}\nVmNic 30002\n") == [
        ("tag/changed", "the tag of `nic` is 30001 here, the lock says 30002")
    ]


def test_tag_of_a_removed_state_is_taken(model: Callable[..., Model]) -> None:
    text = "vmstate: nic\ntag: 30001\nfields:\n  - a: uint8\n"
    assert findings(model(text), f"{HEADER}\nVmOld 30001\n") == [
        ("tag/taken", "the tag 30001 of `VmNic` belongs to `VmOld`")
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VmNic 1\n", "lock/syntax 1:1"),
        ("# vmsgen tags.lock 2: \n", "lock/syntax 1:1"),
        (f"{HEADER}\nVmNic\n", "lock/syntax 2:1"),
        (f"{HEADER}\nVmNic -1\n", "lock/syntax 2:1"),
        (f"{HEADER}\nVmNic 999999999\n", "lock/syntax 2:1"),
        (f"{HEADER}\nVmNic 1\nVmNic 2\n", "lock/syntax 3:1"),
        (f"{HEADER}\n<<<<<<< HEAD\n", "lock/syntax 2:1"),
        (f"{HEADER}\nVmA 1\nVmB 1\n", "tag/taken 3:1"),
        (f"{HEADER}\nVmA.x 1\nVmA.y 1\n", "tag/taken 3:1"),
    ],
)
def test_what_is_no_lock_is_reported_with_its_line(text: str, expected: str) -> None:
    reporter = Reporter()
    read_lock(text, reporter)
    assert [f"{d.rule} {d.span.line}:{d.span.column}" for d in reporter.diagnostics] == [expected]


def test_equal_numbers_of_different_definitions_are_fine() -> None:
    reporter = Reporter()
    lock = read_lock(f"{HEADER}\nVmA 7\nVmA.x 1\nVmB.x 1\n\n", reporter)
    assert reporter.diagnostics == []
    assert dict(lock.numbers) == {"VmA": 7, "VmA.x": 1, "VmB.x": 1}


def test_files(tmp_path: Path) -> None:
    reporter = Reporter()
    assert read_lock(tmp_path / "tags.lock", reporter) == Lock()
    tmp_path.joinpath("tags.lock").write_bytes(b"\xff")
    read_lock(tmp_path / "tags.lock", reporter)
    assert [d.rule for d in reporter.diagnostics] == ["lock/syntax"]


def test_library_classes_keep_the_tags_of_the_library(tmp_path: Path) -> None:
    library = tmp_path / "library"
    (library / "pci").mkdir(parents=True)
    library.joinpath("pci/device.yaml").write_text("vmsgen: 1\nstructs:\n  Device:\n    - a: uint8\n    - b: uint8\n")
    library.joinpath("tags.lock").write_text(f"{HEADER}\nVmDevice.a 1\nVmDevice.b 0\nVmDevice.<kept> 2\n")
    root = tmp_path / "device-specs"
    root.mkdir()
    root.joinpath("nic.yaml").write_text(
        "vmsgen: 1\nvmstate: nic\nimport: {qemu/pci/device: [Device]}\nfields:\n  - d: Device\n"
    )
    compiled = compile_specs(root, library=library)
    assert compiled.model is not None
    tagged, lock = given(compiled.model)
    assert dict(tagged.tags["VmDevice"].components) == {"a": 1, "b": 0, "<kept>": 2}
    assert set(lock.numbers) == {"VmNic", "VmNic.d", "VmNic.<version>", "VmNic.<facts>", "VmNic.<kept>"}
