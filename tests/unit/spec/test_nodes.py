"""YAML as positioned nodes: what is kept, what is refused and where, and columns in texts that YAML changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmsgen.diagnostics import SourceFile
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec import nodes
from vmsgen.spec.nodes import Mapping, Node, Scalar, Sequence, read


def load(text: str) -> tuple[Node | None, list[str]]:
    """The root and the findings as ``rule line:column message``."""
    reporter = Reporter()
    root = read(SourceFile("a.yaml", text), reporter)
    return root, [f"{d.rule} {d.span.line}:{d.span.column} {d.message}" for d in reporter.diagnostics]


def value_of(text: str) -> Scalar:
    """The scalar behind the first key."""
    root, found = load(text)
    assert not found
    assert isinstance(root, Mapping)
    value = root.entries[0][1]
    assert isinstance(value, Scalar)
    return value


def scalars(node: Node) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    if isinstance(node, Sequence):
        return [s for item in node.items for s in scalars(item)]
    return [s for key, value in node.entries for s in (key, *scalars(value))]


def test_nothing_is_resolved() -> None:
    root, found = load("on: null\nno: 0777\ny: 1e3\n~: 1:30\n")
    assert not found
    assert isinstance(root, Mapping)
    assert [(k.text, v.text) for k, v in root.entries if isinstance(v, Scalar)] == [
        ("on", "null"),
        ("no", "0777"),
        ("y", "1e3"),
        ("~", "1:30"),
    ]


def test_key_order_and_get() -> None:
    root, _ = load("z: 1\na: [b, c]\n")
    assert isinstance(root, Mapping)
    assert [key.text for key, _ in root.entries] == ["z", "a"]
    assert isinstance(root.get("a"), Sequence)
    assert root.get("missing") is None


def test_spans() -> None:
    root, _ = load("fields:\n  - mac: bytes[6]\n    doc: >-\n      two\n      lines\n  - b: c\n")
    assert isinstance(root, Mapping)
    fields = root.get("fields")
    assert isinstance(fields, Sequence)
    assert (fields.span.line, fields.span.column, fields.span.end_line, fields.span.end_column) == (2, 3, 6, 9)
    entry = fields.items[0]
    assert isinstance(entry, Mapping)
    assert (entry.span.line, entry.span.column, entry.span.end_line, entry.span.end_column) == (2, 5, 5, 12)
    line = entry.entries[0][1]
    assert (line.span.line, line.span.column, line.span.end_column) == (2, 10, 18)


def test_empty_value_has_the_place_behind_its_colon() -> None:
    value = value_of("abc:\n")
    assert value.text == ""
    assert (value.span.line, value.span.column) == (1, 5)


@pytest.mark.parametrize(
    ("text", "find", "line", "column"),
    [
        ("a: uint8[n]", "n]", 1, 10),
        ("a: bytes[x\n    + yy\n      * zz]", "zz", 3, 9),
        ("a: bytes[x\n\n    + yy]", "yy", 3, 7),
        ("a: 'it''s a b'", "b", 1, 13),
        ('a: "x\\ty\\u0041 b"', "b", 1, 16),
        ('a: "one\n    two"', "two", 2, 5),
        ('a: "one\\\n    two"', "two", 2, 5),
        ("a: |\n  one\n   two\n", "two", 3, 4),
        ("a: >-\n  one\n  two\n\n  three\n", "three", 5, 3),
        ("a: >2-\n    one\n", "one", 2, 5),
        ("é: ü + b", "b", 1, 8),
    ],
)
def test_places_inside_a_text(text: str, find: str, line: int, column: int) -> None:
    value = value_of(text)
    at = value.text.index(find)
    place = value.span_of(at, at + len(find))
    assert (place.line, place.column, place.end_line, place.end_column) == (line, column, line, column + len(find))


def test_a_place_over_a_fold_ends_on_its_last_line() -> None:
    value = value_of("a: one two\n   three four\n")
    place = value.span_of(value.text.index("two"), value.text.index(" four"))
    assert (place.line, place.column, place.end_line, place.end_column) == (1, 8, 2, 9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x 1\n", "yaml/feature 1:4 the anchor `&x` is not part of the language"),
        ("a: &x\n  b: 1\n", "yaml/feature 1:4 the anchor `&x` is not part of the language"),
        ("a: *x\n", "yaml/feature 1:4 the alias `*x` is not part of the language"),
        ("a: !!int 1\n", "yaml/feature 1:4 the tag `!!int` is not part of the language"),
        ("a: !x [1]\n", "yaml/feature 1:4 the tag `!x` is not part of the language"),
        ("a: 1\nb:\n  <<: {c: 1}\n", "yaml/feature 3:3 the merge key `<<` is not part of the language"),
        ("? a\n: 1\n", "yaml/feature 1:1 a `?` key is not part of the language"),
        ("x:\n  ?\n    a\n  : 1\n", "yaml/feature 2:3 a `?` key is not part of the language"),
        ("a: {? b : 1}\n", "yaml/feature 1:5 a `?` key is not part of the language"),
        ("[a]: 1\n", "yaml/feature 1:1 a list as a key is not part of the language"),
        ("{a: b}: 1\n", "yaml/feature 1:1 a mapping as a key is not part of the language"),
        ("a: 1\n---\nb: 1\n", "yaml/feature 2:1 a second document is not part of the language"),
        ("%YAML 1.1\n---\na: 1\n", "yaml/feature 1:1 a `%` directive is not part of the language"),
        ("a:\n\t- b\n", "yaml/feature 2:1 a tab is not part of the language"),
        ("\ufeffa: 1\n", "yaml/feature 1:1 a byte order mark is not part of the language"),
        ("a: b\x1b[2J\n", "yaml/syntax 1:5 the character U+001B cannot stand in a spec"),
        ("a: b\rc: d\n", "yaml/syntax 1:5 the character U+000D cannot stand in a spec"),
        ("a: b\u2028c\n", "yaml/syntax 1:5 the character U+2028 cannot stand in a spec"),
        ("a: \ud800\n", "yaml/syntax 1:4 the character U+D800 cannot stand in a spec"),
        ("a: {b: uint8[4]}\n", "yaml/flow-brackets 1:13 brackets in flow style: write this entry over several lines"),
        ("a: [b[0]]\n", "yaml/flow-brackets 1:6 brackets in flow style: write this entry over several lines"),
        ("a: {b: c\n", "yaml/syntax 1:4 this `{` is never closed"),
        ("a: [b, c\nd: 1\n", "yaml/syntax 1:4 this `[` is never closed"),
        ("a: b: c\n", "yaml/syntax 1:5 a `:` that starts no value here"),
        ("a: uint8 when b ? c : d\n", "expr/operator 1:17 `? :` is not an operator here"),
        ("a: !b.c and d\n", "expr/operator 1:4 `!` is not an operator here"),
        ('a: "b" == c\n', "yaml/syntax 1:8 this text ends at its closing quote"),
        ("- 'b' c\n", "yaml/syntax 1:7 this text ends at its closing quote"),
        ("- a: b\n   c: d\n", "yaml/syntax 2:4 this belongs to the text before it: it stands deeper than that"),
        ("a: 'b\n", "yaml/syntax 1:4 this quote is never closed"),
        ('a: "\\q"\n', "yaml/syntax 1:5 an unknown `\\` escape between double quotes"),
        ("a: @b\n", "yaml/syntax 1:4 `@` cannot start a text"),
        ("a: %b\n", "yaml/syntax 1:4 `%` cannot start a text"),
        ("a: * b\n", "yaml/syntax 1:4 `*` cannot start a text"),
        ("a: ]\n", "yaml/syntax 1:4 `]` closes nothing"),
        ("- a\nb: c\n", "yaml/syntax 2:1 expected `- ` here: the list goes on at this depth"),
        ("a: 1\nb\n", "yaml/syntax 2:1 this line has no `:` after its key"),
        ("a: 1\nb\nc: 1\n", "yaml/syntax 2:1 this line has no `:` after its key"),
        ("a: |\n  b\n c\nd: 1\n", "yaml/syntax 3:2 expected `key:` here: the mapping goes on at this depth"),
        ("  a: 1\n b: 1\n", "yaml/syntax 2:2 this belongs to nothing before it"),
        ("", "yaml/syntax 1:1 the file is empty"),
        ("# nothing\n", "yaml/syntax 1:1 the file is empty"),
    ],
)
def test_refused(text: str, expected: str) -> None:
    root, found = load(text)
    assert root is None
    assert found == [expected]


def test_question_mark_inside_texts_and_comments_is_no_key() -> None:
    root, found = load("a: b ?\nc: d  # why ?\n# ? x\ne: [f?, g]\nh: T?[3]\n")
    assert not found
    assert isinstance(root, Mapping)
    assert [key.text for key, _ in root.entries] == ["a", "c", "e", "h"]


def test_duplicate_keys_name_both_lines_and_reading_goes_on() -> None:
    reporter = Reporter()
    root = read(SourceFile("a.yaml", "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n"), reporter)
    assert isinstance(root, Mapping)
    assert [(str(d.span), d.message, str(d.notes[0].span)) for d in reporter.diagnostics] == [
        ("a.yaml:4:3", "`c` stands twice in this mapping, first at line 3", "a.yaml:3:3"),
        ("a.yaml:5:1", "`a` stands twice in this mapping, first at line 1", "a.yaml:1:1"),
    ]
    assert len(root.entries) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: see #12\n", ["yaml/comment 1:8 a comment without a blank behind its `#`: it may have cut the text"]),
        ("a: one (two # three)\n", ["yaml/comment 1:13 a comment in the middle of brackets: it may have cut the text"]),
        ("a: one (two) # three\n", []),
        ("a: 'see #12' # x\n", []),
        ("a: b # see #12\n", []),
        ("a: b ## c\n", []),
        ("a: b #\n", []),
    ],
)
def test_comment_that_cuts_a_text(text: str, expected: list[str]) -> None:
    root, found = load(text)
    assert root is not None
    assert found == expected


def test_windows_line_ends() -> None:
    root, found = load("a: 1\r\nb: x\r\n   y\r\n")
    assert not found
    assert isinstance(root, Mapping)
    value = root.get("b")
    assert isinstance(value, Scalar)
    assert value.text == "x y"
    assert value.span_of(2, 3).line == 3


def test_depth_and_size_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    _, found = load("a: " + "[" * 100_000)
    assert found == ["yaml/limit 1:67 more than 64 levels of nesting"]
    _, found = load("- " * 5000 + "a")
    assert found == ["yaml/limit 1:129 more than 64 levels of nesting"]
    monkeypatch.setattr(nodes, "MAX_CHARACTERS", 10)
    _, found = load("a: 345678901")
    assert found == ["yaml/limit 1:1 a spec has at most 10 characters, this one 12"]


_SOUP = st.text(alphabet="ab: -[]{},?#|>'\"\\&*!%@\n\r\t.0~<é\ufeff\x00", max_size=60)


@given(st.one_of(st.text(max_size=60), _SOUP))
def test_any_text_gives_nodes_or_findings(text: str) -> None:
    reporter = Reporter()
    source = SourceFile("a.yaml", text)
    root = read(source, reporter)
    assert (root is not None) or reporter.has_errors
    for diagnostic in reporter.diagnostics:
        assert 1 <= diagnostic.span.line <= len(source.lines) + 1
        assert diagnostic.span.column >= 1
    if root is None:
        return
    for scalar in scalars(root):
        for at, character in enumerate(scalar.text):
            place = scalar.span_of(at, at + 1)
            if character.isalnum() and scalar.style != '"':
                line = source.lines[place.line - 1]
                assert line[place.column - 1 : place.end_column - 1] == character


def test_pure_python_loader_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    text = "a: uint8[4]\nb: {c: d, e: [f, g]}\nh: >-\n  one\n  two\ni: one\n   two # x\n"
    expected = load(text)
    monkeypatch.setattr(nodes, "_LOADER", yaml.SafeLoader)
    assert load(text) == expected
    assert load("a: {b: uint8[4]}\n")[1] == [
        "yaml/flow-brackets 1:13 brackets in flow style: write this entry over several lines"
    ]
