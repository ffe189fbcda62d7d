"""The model as JSON."""

from __future__ import annotations

import json
from typing import Any

from vmsgen.emit.model_json import emit_model_json
from vmsgen.spec.model import Model


def loaded(model: Model) -> dict[str, Any]:
    (text,) = emit_model_json(model).values()
    made = json.loads(text)
    assert isinstance(made, dict)
    return made


def definition(model: Model, name: str) -> dict[str, Any]:
    (module,) = loaded(model)["modules"]
    return next(each for each in module["definitions"] if each["name"] == name)


def test_one_document_with_a_format(nic: Model) -> None:
    made = loaded(nic)
    assert made["format"] == 1
    (module,) = made["modules"]
    assert module["path"] == "acme/nic"
    assert module["state"] == "acme/nic#Nic"
    assert module["labels"][1] == {"name": "Offload", "kind": "flags", "members": [[0, 0, "checksum"], [4, 7, "queue"]]}
    assert "external" not in module


def test_tags_names_and_presence(nic: Model) -> None:
    nic_ = definition(nic, "Nic")
    assert nic_["tag"] == 30000
    assert nic_["components"] == {"<subsections>": 28, "<version>": 29, "<facts>": 30, "<kept>": 31}
    fields = {step["field"]: step for step in nic_["steps"]}
    assert fields["rx_count"]["presence"] == "since 2"
    assert fields["rx_count"]["asn1_name"] == "rx-count"
    assert fields["rx_count"]["tag"] == 1
    assert fields["pad_1"]["tag"] == 0, "a tag of 0 is a value"
    assert fields["never_sent"]["presence"] == "never"
    assert nic_["subsections"][0]["tag"] == 0


def test_types(nic: Model) -> None:
    types = {step["field"]: step["type"] for step in definition(nic, "Nic")["steps"]}
    assert types["mode"] == {"kind": "int", "bits": 8, "signed": False, "order": "big", "labels": "acme/nic:Status"}
    assert types["names"] == {
        "kind": "array",
        "element": {
            "kind": "string",
            "count": {"prefixed": {"kind": "int", "bits": 8, "signed": False, "order": "big"}},
        },
        "count": {"prefixed": {"kind": "int", "bits": 32, "signed": False, "order": "big"}},
    }
    assert types["ring"]["count"] == {"fixed": "rx_count"}
    assert types["cube"]["sizes"] == ["2", "3", "4"]
    assert types["config"]["cases"] == {
        "pci_bus": [0, {"kind": "struct", "definition": "acme/nic#Descriptor"}],
        "mmio": [1, {"kind": "struct", "definition": "acme/nic#Bus"}],
    }
    assert types["config"]["else"] is None
    assert types["slots"]["element"]["kind"] == "nullable"
    assert types["table"]["key"]["bits"] == 64


def test_a_line_holds_one_field(nic: Model) -> None:
    (text,) = emit_model_json(nic).values()
    lines = [line for line in text.splitlines() if '"field": "mac"' in line]
    assert len(lines) == 1
    assert json.loads(lines[0].rstrip(","))["type"]["kind"] == "bytes"
    assert text.isascii() or "\u2028" not in text
