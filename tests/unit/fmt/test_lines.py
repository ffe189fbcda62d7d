"""How field lines and expressions are written."""

from __future__ import annotations

import pytest

from vmsgen.diagnostics import SourceFile, Span
from vmsgen.fmt.lines import tidy
from vmsgen.fmt.roles import Role
from vmsgen.spec.nodes import Scalar


def tidied(text: str, role: Role) -> str:
    place = Span(SourceFile("acme.yaml", text), 1, 1, 1, len(text) + 1)
    return tidy(Scalar(text, place, "", 0, len(text)), role)


@pytest.mark.parametrize(
    ("written", "style"),
    [
        ("uint8", "uint8"),
        ("uint8   since 2", "uint8 since 2"),
        ("uint8[ 4 ]", "uint8[4]"),
        ("uint8 [4]", "uint8[4]"),
        ("uint8[2,3]", "uint8[2, 3]"),
        ("bytes [uint16] [ uint8 ]", "bytes[uint16][uint8]"),
        ("Port ?", "Port?"),
        ("Port?[3]", "Port?[3]"),
        ("list( Port )", "list(Port)"),
        ("tree(uint8,bool)", "tree(uint8, bool)"),
        ("Msix( vectors = 4,wide=true )", "Msix(vectors=4, wide=true)"),
        ("int8[until int8 - 1]", "int8[until int8 -1]"),
        ("uint8[ through it&0x80!=0 ]", "uint8[through it & 0x80 != 0]"),
        ("uint8[(a+b)*2]", "uint8[(a + b) * 2]"),
        ("uint(target . long_bits)", "uint(target.long_bits)"),
        ("uint8 =len(x)", "uint8 = len(x)"),
        ("uint8 when a==1 since 2 as Mode", "uint8 as Mode since 2 when a == 1"),
        ("Kcs when a == 1 at-version 1", "Kcs at-version 1 when a == 1"),
        ("uint16 = len(x) little-endian", "uint16 little-endian = len(x)"),
        ("uint8 until 3 since 2", "uint8 since 2 until 3"),
        ("uint8 at self[0]+1", "uint8 at self[0] + 1"),
        ("uint16 big-endian when not(a)", "uint16 big-endian when not (a)"),
        ("struct[ 3 ] host-endian", "struct[3] host-endian"),
    ],
)
def test_field_lines(written: str, style: str) -> None:
    assert tidied(written, "line") == style
    assert tidied(style, "line") == style


@pytest.mark.parametrize(
    ("written", "style"),
    [
        ("1+1", "1 + 1"),
        ("a  -  1", "a - 1"),
        ("a-little", "a - little"),
        ("-1", "-1"),
        ("- 1", "-1"),
        ("a - -1", "a - -1"),
        ("(-1)*- 2", "(-1) * -2"),
        ("~ a&0xff", "~a & 0xff"),
        ("x if-1<a else-2", "x if -1 < a else -2"),
        ("it in 1 .. 3", "it in 1..3"),
        ("it in - 1..1", "it in -1..1"),
        ("it in(1,2)", "it in (1, 2)"),
        ("not(a)and(b)", "not (a) and (b)"),
        ("a [ 0 ] . b(c)", "a[0].b(c)"),
        ("qemu>=10.0.1", "qemu >= 10.0.1"),
        ('bus=="p  ci"', 'bus == "p  ci"'),
        ("0x1_0000//2%3", "0x1_0000 // 2 % 3"),
        ("1<<n>>2|3^4", "1 << n >> 2 | 3 ^ 4"),
        ("min(a,b)+len( c )", "min(a, b) + len(c)"),
    ],
)
def test_expressions(written: str, style: str) -> None:
    assert tidied(written, "expression") == style
    assert tidied(style, "expression") == style


def test_the_key_of_a_group() -> None:
    assert tidied("when  a&1!=0", "group") == "when a & 1 != 0"
