"""YAML as positioned nodes: texts, lists and mappings, each with its place, and nothing resolved.

Built from PyYAML's events, so ``on``, ``null`` or ``0777`` stay the text they are, and what the language does not have
of YAML (anchors, tags, merge keys, ...) is refused where it stands. Only three node types come out of here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import yaml

from vmsgen.diagnostics import Note, SourceFile, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.node_places import align
from vmsgen.spec.yaml_errors import refuse_characters, report_yaml_error

#: Bounds of one file: characters (a spec of QEMU's largest state has about 30 thousand) and levels of nesting.
MAX_CHARACTERS = 4 * 1024 * 1024
MAX_DEPTH = 64

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: What YAML takes for a tag: `!x` at the start of a text.
_C_NOT = re.compile(r"![A-Za-z_(]")
_CUTTING = re.compile(r" +(?P<hash>#)(?P<next>[^\n]?)")
_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\n]*")


@dataclass(frozen=True)
class Scalar:
    """A text. ``text`` is YAML's value, ``style`` one of ``""`` (plain), ``'``, ``"``, ``|``, ``>``.

    ``start`` and ``end`` are offsets into the file's text, quotes and block header included.
    """

    text: str
    span: Span
    style: str = ""
    start: int = field(default=0, repr=False, compare=False)
    end: int = field(default=0, repr=False, compare=False)

    @property
    def plain(self) -> bool:
        """Whether it stands without quotes and block header."""
        return self.style == ""

    def span_of(self, start: int, end: int) -> Span:
        """The place of ``text[start:end]`` in the file; exact in folded, quoted and block texts, too."""
        last = len(self.text)
        start = max(0, min(start, last))
        end = max(start, min(end, last))
        line, column = self._place(self._offsets[start])
        # the end is exclusive: the place after the last character, which need not be where the next one stands
        end_line, end_column = self._place(self._ends[end - 1]) if end > start else (line, column)
        return Span(self.span.file, line, column, end_line, end_column)

    @cached_property
    def _source(self) -> str:
        return self.span.file.text[self.start : self.end]

    @cached_property
    def _map(self) -> tuple[list[int], list[int]]:
        if self.style == "" and self._source == self.text:
            return list(range(len(self.text) + 1)), list(range(1, len(self.text) + 1))
        return align(self.text, self._source, self.style)

    @property
    def _offsets(self) -> list[int]:
        return self._map[0]

    @property
    def _ends(self) -> list[int]:
        return self._map[1]

    def _place(self, offset: int) -> tuple[int, int]:
        line_start = self._source.rfind("\n", 0, offset) + 1
        if line_start == 0:
            return self.span.line, self.span.column + offset
        return self.span.line + self._source.count("\n", 0, line_start), offset - line_start + 1


@dataclass(frozen=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True)
class Mapping:
    """Keys and values in the order written; keys are texts and differ."""

    entries: tuple[tuple[Scalar, Node], ...]
    span: Span

    def get(self, key: str) -> Node | None:
        """The value of ``key``, or None."""
        return next((value for name, value in self.entries if name.text == key), None)


Node: TypeAlias = Scalar | Sequence | Mapping


def read(source: SourceFile, reporter: Reporter) -> Node | None:
    """The one document of ``source``, or None after a report.

    Nothing is raised for any text: what is not YAML, not of the language, too large (:data:`MAX_CHARACTERS`) or too
    deep (:data:`MAX_DEPTH`) is reported with its place.
    """
    if len(source.text) > MAX_CHARACTERS:
        place = Span(source, 1, 1, 1, 1)
        reporter.error(
            "yaml/limit", f"a spec has at most {MAX_CHARACTERS} characters, this one {len(source.text)}", place
        )
        return None
    if refuse_characters(source, reporter):
        return None
    reader = _Reader(source, reporter)
    try:
        for event in yaml.parse(source.text, Loader=_LOADER):
            if not reader.take(event):
                return None
    except yaml.YAMLError as error:
        report_yaml_error(error, source, reporter)
        return None
    return reader.finish()


class _Reader:
    """Builds nodes from events with a stack of its own, so that no nesting can exhaust Python's."""

    def __init__(self, source: SourceFile, reporter: Reporter) -> None:
        self._source = source
        self._reporter = reporter
        self._open: list[_Open] = []
        self._root: Node | None = None
        self._documents = 0
        self._content_end = 0  # where the last scalar, bracket or start of a collection ended

    def take(self, event: Any) -> bool:
        """Use one event; False when the rest is not worth looking at."""
        if isinstance(event, yaml.DocumentStartEvent):
            return self._document(event)
        if isinstance(event, yaml.AliasEvent):
            return self._feature(event, f"the alias `*{event.anchor}`", "write the value out")
        if isinstance(event, yaml.ScalarEvent):
            return self._allowed(event) and self._scalar(event)
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            return self._allowed(event) and self._begin(event)
        if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._end(event)
        return True

    def finish(self) -> Node | None:
        """The root; an empty file is an error."""
        if self._root is None:
            self._reporter.error(
                "yaml/syntax",
                "the file is empty",
                Span(self._source, 1, 1, 1, 1),
                help="a spec begins with `vmsgen: 1`",
            )
        return self._root

    # ------------------------------------------------------------------------------------------ events

    def _document(self, event: Any) -> bool:
        self._documents += 1
        if self._documents > 1:
            return self._feature(
                event, "a second document", "one file describes one state; put the rest into a file of its own"
            )
        if event.version is not None or event.tags:
            return self._feature(event, "a `%` directive", None)
        self._content_end = event.end_mark.index
        return True

    def _allowed(self, event: Any) -> bool:
        if event.anchor is not None:
            return self._feature(event, f"the anchor `&{event.anchor}`", "write the value out where it is needed")
        if event.tag is not None:
            if hasattr(event, "value") and _C_NOT.match(self._source.text, event.start_mark.index):
                place = self._span(event.start_mark, event.start_mark.index + 1)
                self._reporter.error("expr/operator", "`!` is not an operator here", place, help="write `not`")
                return False
            shown = self._source.text[event.start_mark.index : event.end_mark.index].split(None, 1)
            return self._feature(
                event, f"the tag `{shown[0] if shown else '!'}`", "types stand in field lines, values need no tag"
            )
        return True

    def _scalar(self, event: Any) -> bool:
        start, end = event.start_mark.index, event.end_mark.index
        style = event.style or ""
        if style in "|>" and style:
            end = start + len(self._source.text[start:end].rstrip())
        scalar = Scalar(event.value, self._span(event.start_mark, end), style, start, end)
        if self._key_expected() and not self._key_allowed(scalar):
            return False
        self._content_end = end
        self._put(scalar)
        if scalar.plain:
            self._lint_comment(scalar)
        return True

    def _begin(self, event: Any) -> bool:
        if self._key_expected():
            place = self._span(event.start_mark, event.start_mark.index + 1)
            kind = "mapping" if isinstance(event, yaml.MappingStartEvent) else "list"
            self._reporter.error(
                "yaml/feature", f"a {kind} as a key is not part of the language", place, help="keys are plain texts"
            )
            return False
        if len(self._open) >= MAX_DEPTH:
            place = self._span(event.start_mark, event.start_mark.index + 1)
            self._reporter.error("yaml/limit", f"more than {MAX_DEPTH} levels of nesting", place)
            return False
        self._open.append(_Open(isinstance(event, yaml.MappingStartEvent), event.start_mark))
        self._content_end = event.end_mark.index
        return True

    def _end(self, event: Any) -> None:
        done = self._open.pop()
        # a block collection's end mark stands at the next token, so its end is that of its last member
        if event.end_mark.index > event.start_mark.index:
            self._content_end = event.end_mark.index
            span = self._span(done.mark, event.end_mark.index)
        elif done.children:
            last = done.children[-1].span
            span = Span(self._source, done.mark.line + 1, done.mark.column + 1, last.end_line, last.end_column)
        else:
            span = self._span(done.mark, done.mark.index)
        if not done.mapping:
            self._put(Sequence(tuple(done.children), span))
            return
        entries: list[tuple[Scalar, Node]] = []
        first: dict[str, Scalar] = {}
        for key, value in zip(done.children[::2], done.children[1::2], strict=True):
            assert isinstance(key, Scalar)
            if key.text in first:
                self._reporter.error(
                    "yaml/duplicate-key",
                    f"`{key.text}` stands twice in this mapping, first at line {first[key.text].span.line}",
                    key.span,
                    notes=[Note("first here", first[key.text].span)],
                )
                continue
            first[key.text] = key
            entries.append((key, value))
        self._put(Mapping(tuple(entries), span))

    # ------------------------------------------------------------------------------------------ parts of them

    def _put(self, node: Node) -> None:
        if self._open:
            self._open[-1].children.append(node)
        else:
            self._root = node

    def _key_expected(self) -> bool:
        return bool(self._open) and self._open[-1].mapping and len(self._open[-1].children) % 2 == 0

    def _key_allowed(self, key: Scalar) -> bool:
        gap = _COMMENT.sub("", self._source.text[self._content_end : key.start])
        if "?" in gap:
            at = self._source.text.rindex("?", self._content_end, key.start)
            line, column = self._place(at)
            place = Span(self._source, line, column, line, column + 1)
            self._reporter.error(
                "yaml/feature", "a `?` key is not part of the language", place, help="write `key: value`"
            )
            return False
        if key.plain and key.text == "<<":
            self._reporter.error(
                "yaml/feature", "the merge key `<<` is not part of the language", key.span, help="write the entries out"
            )
            return False
        return True

    def _lint_comment(self, scalar: Scalar) -> None:
        """A comment right behind a text may be a part of it: `doc: see #12`, `doc: the window (base # limit)`."""
        comment = _CUTTING.match(self._source.text, scalar.end)
        if comment is None:
            return
        cut = sum(scalar.text.count(c) for c in "([{") > sum(scalar.text.count(c) for c in ")]}")
        if not cut and comment.group("next") in (" ", "#", "", "\r"):
            return
        line, column = scalar.span.end_line, scalar.span.end_column + comment.start("hash") - scalar.end
        place = Span(self._source, line, column, line, column + 1)
        why = "in the middle of brackets" if cut else "without a blank behind its `#`"
        self._reporter.warning(
            "yaml/comment",
            f"a comment {why}: it may have cut the text",
            place,
            help="put the text into quotes, or write `# ` for a comment",
        )

    def _feature(self, event: Any, what: str, help: str | None) -> bool:
        start = event.start_mark.index
        word = re.compile(r"\S*").match(self._source.text, start)
        end = word.end() if word else start
        self._reporter.error(
            "yaml/feature", f"{what} is not part of the language", self._span(event.start_mark, end), help=help
        )
        return False

    def _place(self, index: int) -> tuple[int, int]:
        text = self._source.text
        return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)

    def _span(self, start: Any, end: int) -> Span:
        between = self._source.text[start.index : end]
        lines = between.count("\n")
        end_column = start.column + 1 + len(between) if not lines else len(between) - between.rfind("\n")
        return Span(self._source, start.line + 1, start.column + 1, start.line + 1 + lines, end_column)


@dataclass
class _Open:
    mapping: bool
    mark: Any
    children: list[Node] = field(default_factory=list)
