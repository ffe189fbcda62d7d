"""The RFC's own vectors (worked out from its rules): version 2's by the container, version 1's by the legacy module.

The container is that of the templates; Gilbert's RFC of 2014 gives tags and types (patches 15/16 of v1, 14/16 of v2).
"""

from __future__ import annotations

from typing import Any

import asn1tools
import pytest

from vmsgen.emit.templates import shipped

PAGE = bytes(range(256)) * 16
NAME = "0c06" + b"pc.ram".hex()


@pytest.fixture(scope="module")
def schema() -> Any:
    names = ("Vmsgen-Types", "Vmsgen-Stream", "Vmsgen-Legacy", "open/Vmsgen-Devices")
    return asn1tools.compile_string("\n".join(shipped().text(f"asn1/{name}.asn1") for name in names), "ber")


@pytest.mark.parametrize(
    ("number", "octets"),
    [
        (0, "020100"),
        (127, "02017f"),
        (128, "02020080"),
        (2**32 - 1, "020500ffffffff"),
        (2**64 - 1, "020900ffffffffffffffff"),
    ],
)
def test_integers(schema: Any, number: int, octets: str) -> None:
    assert schema.encode("UInt64", number).hex() == octets
    assert schema.decode("UInt64", bytes.fromhex(octets), check_constraints=True) == number


def test_negative_integer(schema: Any) -> None:
    assert schema.encode("Int64", -1).hex() == "0201ff"


@pytest.mark.parametrize(
    ("type_name", "octets", "value"),
    [
        ("RAMPage", "40021000", ("compr", 0x1000)),
        ("RAMPage", "40050080000000", ("compr", 0x80000000)),
        ("RAMPage", "5fc84f00", ("hook", None)),
        ("RAMPage", "7fc65082100802021000" + "04821000" + PAGE.hex(), ("fullpage", {"addr": 0x1000, "data": PAGE})),
        (
            "RAMPage",
            "7fd052822010020210003082200804821000" + PAGE.hex() + "04821000" + PAGE.hex(),
            ("row", {"addr": 0x1000, "pages": [PAGE, PAGE]}),
        ),
        (
            "V1-RAMSecEntry",
            "7fc5520a02021000020122020100",
            {"addr": 0x1000, "flags": 0x22, "body": ("compr", 0)},
        ),
        (
            "V1-RAMSecEntry",
            f"7fc5521202021000020102{NAME}020100",
            {"addr": 0x1000, "flags": 2, "name": "pc.ram", "body": ("compr", 0)},
        ),
        ("V1-VMState-CPU-Common", "7f819c2006020100020100", {"halted": 0, "interrupt-request": 0}),
    ],
)
def test_definite_vectors(schema: Any, type_name: str, octets: str, value: Any) -> None:
    data = bytes.fromhex(octets)
    assert schema.decode(type_name, data, check_constraints=True) == value
    assert schema.encode(type_name, value, check_constraints=True) == data


@pytest.mark.parametrize(
    ("type_name", "octets", "value"),
    [
        (
            "RAMPage",
            "7fc65080" + "02021000" + "04821000" + PAGE.hex() + "0000",
            ("fullpage", {"addr": 0x1000, "data": PAGE}),
        ),
        (
            "RAMPage",
            "7fd0528002021000" + "3080" + ("0486000000001000" + PAGE.hex()) * 2 + "00000000",
            ("row", {"addr": 0x1000, "pages": [PAGE, PAGE]}),
        ),
        (
            "RAMBlockList",
            f"7fbe5280{'020408000000'}3080{'3080'}{NAME}{'020408000000'}0000{'0000'}0000",
            {"totalram": 128 << 20, "blocks": [{"name": "pc.ram", "len": 128 << 20}]},
        ),
        (
            "V1-RAMSecEntry",
            "7fc55280020210000201220201000000",
            {"addr": 0x1000, "flags": 0x22, "body": ("compr", 0)},
        ),
        (
            "V1-RAMSecEntry",
            f"7fc5528002021000020102{NAME}0201000000",
            {"addr": 0x1000, "flags": 2, "name": "pc.ram", "body": ("compr", 0)},
        ),
        ("V1-VMState-CPU-Common", "7f819c20800201000201000000", {"halted": 0, "interrupt-request": 0}),
    ],
)
def test_indefinite_vectors(schema: Any, type_name: str, octets: str, value: Any) -> None:
    """As the RFC writes them; the judge's own form is definite, so values are what is compared, both ways."""
    data = bytes.fromhex(octets)
    assert schema.decode(type_name, data, check_constraints=True) == value
    definite = schema.encode(type_name, value, check_constraints=True)
    assert schema.decode(type_name, definite, check_constraints=True) == value
    assert definite != data


def test_a_file_opens_with_the_magic(schema: Any) -> None:
    value = {"header": {"schema": 1, "version": 3}, "items": [("eof", None)]}
    data = schema.encode("QemuFile", value)
    assert data[:3].hex() == "7fd146"
    body = data[4:]
    assert schema.decode("QemuFile", bytes.fromhex("7fd14680") + body + b"\0\0") == value


def test_cpu_common_of_ours_is_the_rfc_s_with_context_tags() -> None:
    """APPLICATION 20000 as the RFC gives it; the fields have context tags, so that the state can grow."""
    from vmsgen.library import lookup

    cls = lookup("cpu_common")
    assert cls.TAG == 20000
    assert cls(halted=0, interrupt_request=0).ber_state().hex() == "7f819c2006800100810100"
