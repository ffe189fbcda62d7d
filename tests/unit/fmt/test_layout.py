"""How specs are laid out, and that formatting never changes what they say."""

from __future__ import annotations

import random
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spec_cases import SPECS
from tests.unit.fmt.mangling import mangled, meaning
from vmsgen.diagnostics import SourceFile
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.fmt.text import format_text
from vmsgen.settings import shipped_specs
from vmsgen.spec.compile import compile_specs
from vmsgen.spec.nodes import read

LIBRARY = shipped_specs()
assert LIBRARY is not None
SHIPPED = sorted(LIBRARY.rglob("*.yaml"))
GOOD = sorted(SPECS.joinpath("good").rglob("*.yaml"))


def formatted(text: str) -> str:
    """The text in the house style, which is left alone when it is formatted once more."""
    made = format_text("acme.yaml", text)
    assert made.text is not None, made.diagnostics
    assert format_text("acme.yaml", made.text).text == made.text
    return made.text


def style(written: str) -> str:
    """A spec whose ``fields:`` are ``written``, formatted; what stands behind that key."""
    head = "vmsgen: 1\nvmstate: acme\nfields:\n"
    return formatted(head + block(written)).removeprefix(head)


def block(text: str) -> str:
    """Lines of a test with their common indentation replaced by two blanks."""
    return indent(dedent(text).lstrip("\n"), "  ")


def test_shipped_specs_are_in_the_style() -> None:
    wrong = [str(path) for path in (*SHIPPED, *GOOD) if format_text(path.name, text := path.read_text()).text != text]
    assert not wrong, "run `vmsgen fmt`"


def test_indentation() -> None:
    assert style(
        """
        - a:   uint8
        - b:
             - c: uint8
             - when c==1:
                 - d: uint8[2]
                   doc:
                     of two
        - kind:   union(a)
          cases:
              0: none
              1:
              - e: bool
        """
    ) == block(
        """
        - a: uint8
        - b:
          - c: uint8
          - when c == 1:
            - d: uint8[2]
              doc: of two
        - kind: union(a)
          cases:
            0: none
            1:
              - e: bool
        """
    )


def test_comments_keep_their_places() -> None:
    text = """\
# of the file

vmsgen: 1   # of the language
vmstate: acme
# of the fields
fields:
    # of a
    - a: uint8  # behind a
      # of its attribute
      doc: "x # y"
      # behind the attributes
    - when a==1:   # of the group
        - b: uint8
        # end of the group
    # end of the fields
structs:
  P:   # a point

    # of x
    - x: uint8
# the end
"""
    assert (
        formatted(text)
        == """\
# of the file

vmsgen: 1   # of the language
vmstate: acme
# of the fields
fields:
  # of a
  - a: uint8  # behind a
    # of its attribute
    doc: "x # y"
    # behind the attributes
  - when a == 1:   # of the group
    - b: uint8
    # end of the group
  # end of the fields
structs:
  P:   # a point

    # of x
    - x: uint8
# the end
"""
    )


def test_texts_of_several_lines_keep_their_lines() -> None:
    assert style(
        """
        -   a: uint8 when
               version == 1 and
               true
            doc: |
                  one
                    two

                  three
        -   b: uint8
            doc: >2-
                one
                  two
            unit: "x
               y"
        """
    ) == block(
        """
        - a: uint8 when
            version == 1 and
            true
          doc: |
            one
              two

            three
        - b: uint8
          doc: >2-
              one
                two
          unit: "x
            y"
        """
    )


def test_flow_collections() -> None:
    text = "vmsgen: 1\nvmstate: acme\nimport: { ./p:   [ A,B ]}\nfields: [ ]\n"
    text += "enums:\n   E: { 0: a,\n      # b\n  1: b\n }\n"
    assert formatted(text) == (
        "vmsgen: 1\nvmstate: acme\nimport: {./p: [A, B]}\nfields: []\nenums:\n  E: { 0: a,\n    # b\n    1: b\n  }\n"
    )


def test_empty_lines_and_ends_of_lines() -> None:
    assert formatted("\n\nvmsgen: 1\r\n\r\n\r\nvmstate: acme   \r\nfields:\r\n- a: uint8\n\n\n") == (
        "vmsgen: 1\n\nvmstate: acme\nfields:\n  - a: uint8\n"
    )


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("vmsgen: 1\nvmstate: [\n", "yaml/syntax"),
        ("vmsgen: 1\nvmstate: acme\nfelds: []\nfields: []\n", "spec/unknown-key"),
        ("vmsgen: 1\nvmstate: acme\nfields:\n  - a: uint8 sinc 2\n", "type/syntax"),
        ("vmsgen: 1\nvmstate: acme\nfields:\n  - a: uint8 when b &&   c\n", "expr/operator"),
        ("- a\n", "spec/shape"),
        ("", "yaml/syntax"),
    ],
)
def test_a_spec_with_errors_has_no_form(text: str, rule: str) -> None:
    made = format_text("acme.yaml", text)
    assert made.text is None
    assert [one.rule for one in made.diagnostics] == [rule]


@pytest.mark.parametrize("case", sorted(p for p in SPECS.joinpath("bad").rglob("*.yaml")), ids=lambda path: path.stem)
def test_bad_specs_are_formatted_or_refused(case: Path) -> None:
    text = case.read_bytes().decode("utf-8", "replace")
    made = format_text(case.name, text)
    if made.text is None:
        assert made.diagnostics
    else:
        assert format_text(case.name, made.text).text == made.text


@settings(max_examples=60, deadline=None)
@given(path=st.sampled_from(SHIPPED + GOOD), seed=st.integers(0, 2**32))
def test_a_mangled_spec_comes_back(path: Path, seed: int) -> None:
    text = path.read_text()
    root = read(SourceFile(path.name, text), Reporter())
    assert root is not None
    assert formatted(mangled(text, root, random.Random(seed))) == text


def models(folder: Path, seed: int | None) -> Any:
    """What the good specs mean, as they are or mangled and formatted."""
    root = folder / str(seed) / "device-specs"
    for path in GOOD:
        text = path.read_text()
        if seed is not None:
            node = read(SourceFile(path.name, text), Reporter())
            assert node is not None
            text = mangled(text, node, random.Random(seed))
        target = root / path.relative_to(SPECS / "good")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        if path.with_suffix(".py").is_file():
            target.with_suffix(".py").write_text(path.with_suffix(".py").read_text())
    for hook in SPECS.joinpath("good").rglob("*.py"):
        (root / hook.relative_to(SPECS / "good")).write_text(hook.read_text())
    compiled = compile_specs(root, library=LIBRARY, shown_root="")
    assert compiled.model is not None, compiled.diagnostics
    return meaning([module for module in compiled.model.modules if not module.external])


def test_a_spec_out_of_style_means_the_same(tmp_path: Path) -> None:
    """What the formatter takes for blanks is nothing else to the compiler."""
    assert models(tmp_path, 1) == models(tmp_path, None)
