"""Finding, reading and ordering spec files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from vmsgen.spec.compile import Compiled, compile_specs
from vmsgen.spec.model import Model

LIBRARY = {
    "machine": "props: {qemu: {type: release}}\ntypes:\n  Mac: bytes[6]\n",
    "pci/device": "import: {./capability: [Capability]}\nstructs:\n  Device:\n    - capability: Capability\n",
    "pci/capability": "structs:\n  Capability:\n    - id: uint8\n",
    "pci/never-imported": "this is: [no spec\n",
}


def test_modules_are_named_by_path_and_carry_the_digest(model: Callable[..., Model], tmp_path: Path) -> None:
    found = model({"net/nic": "vmstate: nic\nfields:\n  - a: uint8\n"})
    module = found.module("net/nic")
    data = (tmp_path / "device-specs/net/nic.yaml").read_bytes()
    assert module.digest == hashlib.sha256(data).hexdigest()
    assert module.source_path == "device-specs/net/nic.yaml"
    assert module.asn1_module == "Vmsgen-Dev-Net-Nic"
    assert module.span.file.path == "device-specs/net/nic.yaml"


def test_imported_files_come_first(model: Callable[..., Model]) -> None:
    found = model(
        {
            "a": "vmstate: a\nimport: {z: [Z]}\nfields:\n  - z: Z\n",
            "m": "import: {z: [Z]}\nstructs:\n  M:\n    - z: Z\n",
            "n": "vmstate: n\nimport: {m: [M]}\nfields:\n  - m: M\n",
            "z": "structs:\n  Z:\n    - a: uint8\n",
        }
    )
    paths = [module.path for module in found.modules]
    assert paths.index("z") < paths.index("a")
    assert paths.index("z") < paths.index("m") < paths.index("n")


def test_hidden_files_and_folders_are_no_specs(model: Callable[..., Model]) -> None:
    found = model({"a": "vmstate: a\nfields:\n  - x: uint8\n", ".b": "}", ".git/c": "}"})
    assert [module.path for module in found.modules] == ["a"]


def test_library_modules_are_loaded_as_far_as_they_are_imported(model: Callable[..., Model]) -> None:
    found = model(
        {"nic": "vmstate: nic\nimport: {qemu/pci/device: [Device]}\nfields:\n  - d: Device\n  - mac: Mac\n"},
        library=LIBRARY,
    )
    external = {module.path: module.source_path for module in found.modules if module.external}
    assert external == {
        "qemu/machine": "device-specs/machine.yaml",
        "qemu/pci/device": "device-specs/pci/device.yaml",
        "qemu/pci/capability": "device-specs/pci/capability.yaml",
    }
    assert found.module("nic").imports == {"qemu/pci/device": ("Device",)}
    assert found.module("qemu/pci/device").asn1_module == "Vmsgen-Dev-Pci-Device"


def test_a_folder_called_like_the_library_is_refused(found: Callable[..., list[str]]) -> None:
    assert found({"qemu/nic": "vmstate: nic\nfields:\n  - a: uint8\n"}) == ["spec/value 1:1"]


def test_a_root_with_its_own_machine_facts_does_not_see_those_of_the_library(
    specs: Callable[..., Compiled],
) -> None:
    files = {"machine": "types:\n  Word: uint16\n", "nic": "vmstate: nic\nfields:\n  - w: Word\n  - mac: Mac\n"}
    found = specs(files, library=LIBRARY)
    assert [(d.rule, d.message) for d in found.diagnostics] == [("name/unknown-type", "there is no type `Mac`")]


def test_the_library_itself_is_compiled_without_a_prefix(tmp_path: Path) -> None:
    root = tmp_path / "device-specs"
    root.mkdir()
    root.joinpath("machine.yaml").write_text("vmsgen: 1\nprops: {qemu: {type: release}}\n")
    compiled = compile_specs(root, library=root)
    assert compiled.model is not None
    assert [module.path for module in compiled.model.modules] == ["machine"]
    assert compiled.model.modules[0].props[0].machine_wide


def test_a_long_chain_of_imports_needs_no_deep_stack(model: Callable[..., Model]) -> None:
    files = {f"f{i}": f"import: {{f{i + 1}: [S{i + 1}]}}\nstructs:\n  S{i}:\n    - a: S{i + 1}\n" for i in range(400)}
    files["f400"] = "structs:\n  S400:\n    - a: uint8\n"
    files["top"] = "vmstate: top\nimport: {f0: [S0]}\nfields:\n  - a: S0\n"
    assert len(model(files).modules) == 402


def test_two_cycles_are_two_findings(found: Callable[..., list[str]]) -> None:
    struct = "import: {{{0}: [S{0}]}}\nstructs:\n  S{1}:\n    - a: list(S{0})\n"
    files = {a: struct.format(b, a) for a, b in [("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")]}
    assert [f for f in found(files) if f.startswith("import/cycle")] == ["import/cycle 2:10", "import/cycle 2:10"]


def test_a_file_that_is_not_text_is_reported(tmp_path: Path) -> None:
    root = tmp_path / "device-specs"
    root.mkdir()
    root.joinpath("a.yaml").write_bytes(b"vmsgen: 1\nsummary: \xff\n")
    assert [d.rule for d in compile_specs(root).diagnostics] == ["spec/unreadable"]


def test_an_import_may_not_leave_the_root(found: Callable[..., list[str]]) -> None:
    files = {"in/a": "vmstate: a\nimport: {./../../b: [B]}\nfields:\n  - b: B\n"}
    assert found(files) == ["import/missing 3:10"]


def test_a_sibling_is_imported_by_its_short_path(model: Callable[..., Model]) -> None:
    files = {
        "net/nic": "vmstate: nic\nimport: {./ring: [Ring]}\nfields:\n  - r: Ring\n",
        "net/ring": "structs:\n  Ring:\n    - head: uint16\n",
    }
    assert model(files).module("net/nic").imports == {"net/ring": ("Ring",)}
