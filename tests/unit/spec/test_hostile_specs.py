"""Whatever a spec says, the compiler answers with diagnostics and never with an exception of Python."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmsgen.spec.compile import compile_specs

SPECS = Path(__file__).resolve().parents[2] / "specs"
LIBRARY = Path(__file__).resolve().parents[3] / "device-specs"
SOURCES = sorted(p.read_text() for p in SPECS.joinpath("good").rglob("*.yaml"))

#: What is put into a line: pieces of the language in the wrong places, and what YAML reads in a way of its own.
_PIECES_TEXT = r"""
uint32 string[4] [ ] ( ) , ? ?? = == when since 2 until 1 as Mode unknown it mine version qemu >= 8.0 len(
has(a) props.x list( tree( union( hook( .. . 0 -1 99999999999999999999 1_0 0x " ' # : - & * ! | > { } << let
check tmp else none struct [uint8] [until uint8 0] [through it.a == 1] Point Node Table at-version 9 é
"""
_PIECES = _PIECES_TEXT.split()


@st.composite
def _broken(draw: st.DrawFn) -> str:
    """A good spec with some lines dropped, doubled, moved, indented otherwise or written over."""
    lines = draw(st.sampled_from(SOURCES)).split("\n")
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        match draw(st.integers(0, 6)):
            case 0:
                del lines[at]
                lines = lines or [""]
            case 1:
                lines.insert(draw(st.integers(0, len(lines))), line)
            case 2:
                lines[at] = " " * draw(st.integers(0, 8)) + line.lstrip()
            case 3:
                words = line.split(" ")
                words[draw(st.integers(0, len(words) - 1))] = draw(st.sampled_from(_PIECES))
                lines[at] = " ".join(words)
            case 4:
                column = draw(st.integers(0, len(line)))
                lines[at] = line[:column] + draw(st.sampled_from(_PIECES)) + line[column:]
            case 5:
                column = draw(st.integers(0, len(line)))
                lines[at] = line[:column] + line[column + draw(st.integers(1, 5)) :]
            case _:
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], line
    return "\n".join(lines)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=_broken())
def test_broken_specs_give_diagnostics(text: str, tmp_path: Path) -> None:
    tmp_path.joinpath("broken.yaml").write_text(text)
    found = compile_specs(tmp_path, library=LIBRARY, shown_root="")
    lines = text.count("\n") + 1
    for diagnostic in found.diagnostics:
        assert 1 <= diagnostic.span.line <= lines + 1
        assert diagnostic.message
    assert found.model is not None or found.diagnostics


@pytest.mark.parametrize(
    "body",
    [
        "fields:\n  - a: uint8[" + "(" * 3000 + "\n",
        "fields:\n  - a: " + "list(" * 200 + "uint8" + ")" * 200 + "\n",
        "fields:\n" + "".join(f"{'  ' * i}- when unknown:\n" for i in range(1, 60)),
        "const: {A: " + " + ".join(["1"] * 3000) + "}\nfields:\n  - a: uint8[A]\n",
        "const: {A: 1 << 64 << 64 << 64 << 64}\nfields:\n  - a: uint8[A]\n",
        "const:\n" + "".join(f"  A{i}: A{i + 1}\n" for i in range(3000)) + "fields:\n  - a: uint8[A0]\n",
        "fields:\n" + "".join(f"  - let a{i + 1}: a{i} + a{i}\n" for i in range(2000)),
        "fields:\n  - let a0: 1\n" + "".join(f"  - let a{i + 1}: a{i} + a{i}\n" for i in range(2000)),
        "fields:\n  - a: S0\nstructs:\n" + "".join(f"  S{i}:\n    - a: S{i + 1}\n" for i in range(1500)),
        "types:\n" + "".join(f"  T{i}: T{i + 1}\n" for i in range(3000)) + "fields:\n  - a: T0\n",
        "fields:\n  - a: uint8[0xffffffffffffffff, 0xffffffffffffffff]\n",
        "fields:\n" + "".join(f"  - a{i}: uint8 when a{i - 1} == 1 or a{i - 1} == 2\n" for i in range(1, 800)),
    ],
    ids=(
        "brackets",
        "lists",
        "groups",
        "sum",
        "shifts",
        "consts",
        "lets-up",
        "lets-down",
        "structs",
        "aliases",
        "sizes",
        "presence",
    ),
)
def test_deep_and_large_specs_are_refused_or_read(body: str, tmp_path: Path) -> None:
    tmp_path.joinpath("deep.yaml").write_text("vmsgen: 1\nvmstate: deep\n" + body)
    found = compile_specs(tmp_path, library=LIBRARY, shown_root="")
    assert found.model is not None or found.diagnostics


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(st.binary(max_size=80), st.text(max_size=80).map(lambda t: t.encode("utf-8", "replace"))))
def test_any_bytes_give_diagnostics(data: bytes, tmp_path: Path) -> None:
    tmp_path.joinpath("any.yaml").write_bytes(data)
    assert compile_specs(tmp_path, library=LIBRARY, shown_root="").diagnostics
