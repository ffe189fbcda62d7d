"""The never-list: what a schema must not hold because one of the judges fails on it.

Each rule names a judge (asn1tools 0.169, pycrate 0.8, asn1c 0.9.28) that stops, loses data or writes C that does
not compile. The lint reads the emitted text and not the data it was printed from, so that a replaced template is
checked as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypedDict

from vmsgen.emit.asn1.names import LONGEST_NAME

_LARGEST_LITERAL = (1 << 63) - 1
_SMALLEST_LITERAL = -(1 << 63)
_LARGEST_TAG = (1 << 30) - 1

_TOKEN = re.compile(r'::=|\.\.\.|\.\.|\[\[|\]\]|"[^"]*"|-?\d+|[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*|[^\s]')
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*\Z")

_FORBIDDEN_WORDS = {
    "ENUMERATED": "every judge but pycrate refuses or loses a value without a name",
    "DEFAULT": "judges disagree on whether a default is filled in on decoding",
    "SET": "order is not kept",
    "REAL": "X.690 REAL cannot carry every NaN",
    "AUTOMATIC": "tags come from the lock, never from positions",
    "CONTAINING": "only pycrate looks inside, and re-encodes what it finds",
    "CLASS": "asn1tools has no open types",
}

#: The one module that may say ANY: the list of devices, in its open body or when there is no device.
_DEVICES = re.compile(r"(?:^|/)Vmsgen-Devices\.asn1\Z")


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule, by file and line."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    line: int


class Linted(TypedDict):
    """One file, looked at by itself: what was found, and what is to be compared with other files. It is JSON."""

    path: str
    module: str
    #: line and message
    findings: list[tuple[int, str]]
    #: line and name of each type
    types: list[tuple[int, str]]
    #: line and name of each import, and the module that it comes from
    imports: list[tuple[int, str, str]]


def lint(texts: Mapping[str, str]) -> list[Finding]:
    """Every finding over the modules ``{path: text}``, in the order of the files; empty for a schema that judges
    accept.

    Of two files that define one module (the typed and the open list of devices) only names within each are compared.
    """
    return lint_together([lint_text(path, text) for path, text in texts.items()])


def lint_text(path: str, text: str) -> Linted:
    """What can be said of one file alone."""
    tokens = list(_tokens(text))
    findings = [*_bytes(path, text), *_words(path, tokens), *_shapes(path, tokens)]
    module = tokens[0].text if tokens else ""
    if not path.endswith(f"{module}.asn1"):
        findings.append(Finding(path, 1, f"module {module} must stand in {module}.asn1 (Erlang)"))
    return Linted(
        path=path,
        module=module,
        findings=[(finding.line, finding.message) for finding in findings],
        types=[(name.line, name.text) for name in _assigned(tokens)],
        imports=[(token.line, token.text, origin) for token, origin in _imported(tokens)],
    )


def lint_together(files: Iterable[Linted]) -> list[Finding]:
    """The findings of each file, and what they say differently of each other."""
    findings: list[Finding] = []
    known: dict[str, tuple[str, str]] = {}
    exported: dict[str, set[str]] = {}
    wanted: list[tuple[str, int, str, str]] = []
    for file in files:
        path, module = file["path"], file["module"]
        findings.extend(Finding(path, line, message) for line, message in file["findings"])
        for line, name in file["types"]:
            first = known.setdefault(name.lower(), (name, module))
            if first != (name, module):
                findings.append(Finding(path, line, f"type {name} is {first[0]} of module {first[1]} again"))
            exported.setdefault(module, set()).add(name)
        wanted.extend((path, line, name, origin) for line, name, origin in file["imports"])
    for path, line, name, origin in wanted:
        if name not in exported.get(origin, ()):
            findings.append(Finding(path, line, f"{name} is imported from {origin}, which does not define it"))
    return findings


def _tokens(text: str) -> Iterator[_Token]:
    for number, line in enumerate(text.split("\n"), 1):
        for match in _TOKEN.finditer(_uncommented(line)):
            yield _Token(match.group(), number)


def _uncommented(line: str) -> str:
    """A comment runs from ``--`` to the next ``--`` or the end of the line."""
    parts = line.split("--")
    return " ".join(parts[::2])


def _bytes(path: str, text: str) -> Iterator[Finding]:
    if text.startswith("\ufeff"):
        yield Finding(path, 1, "byte order mark: breaks every judge")
    for number, line in enumerate(text.split("\n"), 1):
        if "/*" in line.split("--")[0]:
            yield Finding(path, number, "block comment: pycrate breaks on `--` inside")
        if line.count("--") > 1:
            yield Finding(path, number, "second `--` in a line ends the comment")
        if not line.isprintable():
            yield Finding(path, number, "control character or tab")


def _words(path: str, tokens: list[_Token]) -> Iterator[Finding]:
    for token in tokens:
        text = token.text
        if text in _FORBIDDEN_WORDS:
            yield Finding(path, token.line, f"{text}: {_FORBIDDEN_WORDS[text]}")
        elif text == "ANY" and not _DEVICES.search(path):
            yield Finding(path, token.line, "ANY outside the open list of devices")
        elif text == "[[":
            yield Finding(path, token.line, "`[[`: asn1tools and Erlang fail on absent groups")
        elif text.lstrip("-").isdigit() and not _SMALLEST_LITERAL <= int(text) <= _LARGEST_LITERAL:
            yield Finding(path, token.line, f"number {text}: asn1c reads 64 bits with sign only")
        elif _IDENTIFIER.match(text) and len(text) > LONGEST_NAME:
            yield Finding(path, token.line, f"name of {len(text)} characters: asn1c makes a file name of it")
        elif text == "_":
            yield Finding(path, token.line, "`_` is no character of a name")


def _shapes(path: str, tokens: list[_Token]) -> Iterator[Finding]:
    """Rules on how tokens follow each other."""
    for position, token in enumerate(tokens):
        following = [t.text for t in tokens[position + 1 : position + 6]]
        text = token.text
        if text == "..." and following[:1] != ["}"]:
            yield Finding(path, token.line, "addition after the extension marker: asn1tools fails on its absence")
        elif text == "OF" and following[:1] and following[0] in {"SEQUENCE", "CHOICE"}:
            yield Finding(path, token.line, f"SEQUENCE OF {following[0]}: the element needs a name")
        elif text == "OF" and following[:2] in (["INTEGER", "("], ["INTEGER", "{"]):
            yield Finding(
                path, token.line, "constrained INTEGER inside SEQUENCE OF: asn1c writes C that does not compile"
            )
        elif text in {"SEQUENCE", "CHOICE"} and following[:1] == ["{"] and not _named(tokens, position):
            yield Finding(path, token.line, f"{text} without a name")
        elif text == "]" and following[:1] == ["["]:
            yield Finding(path, token.line, "two tags in a row")
        elif text == "[" and (number := _tag_number(following)) is not None and number > _LARGEST_TAG:
            yield Finding(path, token.line, f"tag {number}: asn1c reads 30 bits")
        elif text == "INTEGER" and following[:1] == ["{"]:
            yield from _named_numbers(path, tokens[position + 2 :])
        elif text == "{" and _opens_components(tokens, position):
            yield from _components(path, tokens, position)


def _tag_number(following: list[str]) -> int | None:
    number = following[1] if following[:1] == ["APPLICATION"] else following[0] if following else ""
    return int(number) if number.isdigit() else None


def _named(tokens: list[_Token], position: int) -> bool:
    """Whether the SEQUENCE or CHOICE at ``position`` is the right side of an assignment, perhaps behind its tag."""
    before = position - 1
    if tokens[before].text == "]":
        while before > 0 and tokens[before].text != "[":
            before -= 1
        before -= 1
    return before > 0 and tokens[before].text == "::="


def _named_numbers(path: str, tokens: Iterable[_Token]) -> Iterator[Finding]:
    seen_names: set[str] = set()
    seen_numbers: set[str] = set()
    for token in tokens:
        if token.text == "}":
            return
        if token.text.lstrip("-").isdigit():
            if token.text in seen_numbers:
                yield Finding(path, token.line, f"two names for the number {token.text}: asn1c and Erlang refuse that")
            seen_numbers.add(token.text)
        elif _IDENTIFIER.match(token.text):
            if token.text in seen_names:
                yield Finding(path, token.line, f"two numbers are called {token.text}")
            seen_names.add(token.text)


def _opens_components(tokens: list[_Token], position: int) -> bool:
    return position > 0 and tokens[position - 1].text in {"SEQUENCE", "CHOICE"}


def _components(path: str, tokens: list[_Token], position: int) -> Iterator[Finding]:
    """Names and context tags within one SEQUENCE or CHOICE, each once."""
    names: dict[str, str] = {}
    tags: set[str] = set()
    depth, start = 0, True
    for at in range(position, len(tokens)):
        token = tokens[at]
        depth += (token.text in "{(") - (token.text in "})")
        if depth == 0:
            return
        if token.text == "[" and depth == 1 and tokens[at + 1].text.isdigit():
            tag = tokens[at + 1].text
            if tag in tags:
                yield Finding(path, token.line, f"tag [{tag}] twice")
            tags.add(tag)
        elif start and depth == 1 and _IDENTIFIER.match(token.text):
            folded = token.text.lower()
            if folded in names:
                yield Finding(path, token.line, f"component {token.text} is called like {names[folded]}")
            if token.text[0].isupper():
                yield Finding(path, token.line, f"component {token.text} begins with a capital")
            names[folded] = token.text
        start = depth == 1 and token.text in "{,"


def _assigned(tokens: list[_Token]) -> Iterator[_Token]:
    """The types that a module defines: what stands before ``::=``, but for the module's own."""
    for position, token in enumerate(tokens):
        if token.text == "::=" and position > 0 and tokens[position - 1].text != "TAGS":
            yield tokens[position - 1]


def _imported(tokens: list[_Token]) -> Iterator[tuple[_Token, str]]:
    """Each imported name, and the module it comes from."""
    start = next((position for position, token in enumerate(tokens) if token.text == "IMPORTS"), None)
    if start is None:
        return
    names: list[_Token] = []
    position = start + 1
    while position < len(tokens) and tokens[position].text != ";":
        token = tokens[position]
        if token.text == "FROM":
            yield from ((name, tokens[position + 1].text) for name in names)
            names = []
            position += 1
        elif token.text != ",":
            names.append(token)
        position += 1
