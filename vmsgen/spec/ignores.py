"""``# vmsgen: ignore[RULE] reason``: findings that an author has looked at and accepts.

Behind a line it is about the findings of that line; alone on a line, about those of the next line that is not a
comment; above the first key of the file, about the whole file. A text that YAML folds over several lines counts as one.
Errors cannot be ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from vmsgen.diagnostics import Diagnostic, Severity, SourceFile, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.diagnostics.rules import RULES
from vmsgen.diagnostics.suggest import did_you_mean
from vmsgen.spec.comments import Comment, comments, scalars
from vmsgen.spec.nodes import read

_MARK = re.compile(r"#+ *vmsgen: *ignore\b")
_WHOLE = re.compile(r"#+ *vmsgen: *ignore\[(?P<rules>[^\]]*)\](?P<reason>.*)\Z")


@dataclass
class Ignore:
    """One rule that one comment names. ``first`` and ``last`` are the lines it is about; 0 and 0: the whole file."""

    rule: str
    span: Span
    first: int
    last: int
    used: bool = False

    def covers(self, found: Diagnostic) -> bool:
        """Whether it is about this finding."""
        if found.rule != self.rule or found.severity is Severity.ERROR or found.span.file is not self.span.file:
            return False
        return self.last == 0 or self.first <= found.span.line <= self.last


@dataclass
class Ignores:
    """The ignores of any number of files, read when they are asked for first."""

    #: what is wrong with the comments themselves
    reporter: Reporter = field(default_factory=Reporter)
    _files: dict[int, tuple[SourceFile, list[Ignore]]] = field(default_factory=dict)

    def of(self, source: SourceFile) -> list[Ignore]:
        """The ignores of one file."""
        known = self._files.get(id(source))
        if known is None:
            known = self._files[id(source)] = (source, list(_read(source, self.reporter)))
        return known[1]

    def without(self, found: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The findings that no comment ignores; the comments that do are marked as used."""
        left = []
        for one in found:
            covering = [ignore for ignore in self.of(one.span.file) if ignore.covers(one)]
            for ignore in covering:
                ignore.used = True
            if not covering:
                left.append(one)
        return left


def _read(source: SourceFile, reporter: Reporter) -> Iterable[Ignore]:
    if _MARK.search(source.text) is None:
        return
    root = read(source, Reporter())  # what is wrong with the file was reported when it was compiled
    if root is None:
        return
    first_key = next(scalars(root), None)
    texts = [(s.span.line, s.span.end_line) for s in scalars(root) if s.span.end_line > s.span.line]
    found = comments(source, root)
    only = {comment.span.line for comment in found if comment.alone}
    for comment in found:
        if _MARK.match(comment.text) is None:
            continue
        if first_key is not None and comment.start < first_key.start:
            place = (0, 0)
        else:
            place = _lines(comment, only, source, texts)
        for rule, span in _rules(comment, reporter):
            yield Ignore(rule, span, *place)


def _lines(comment: Comment, only: set[int], source: SourceFile, texts: list[tuple[int, int]]) -> tuple[int, int]:
    """The first and the last line that a comment is about."""
    line = comment.span.line
    while comment.alone and line <= len(source.lines) and (line in only or not source.lines[line - 1].strip()):
        line += 1
    return next(((first, last) for first, last in texts if first <= line <= last), (line, line))


def _rules(comment: Comment, reporter: Reporter) -> Iterable[tuple[str, Span]]:
    """The rules of a comment with the places of their names; what is wrong with it is reported."""
    whole = _WHOLE.match(comment.text)
    names = whole["rules"].split(",") if whole is not None else []
    if whole is None or not all(name.strip() for name in names):
        reporter.warning(
            "ignore/unknown",
            "this ignore names no rule",
            comment.span,
            help="write `# vmsgen: ignore[RULE] reason`; `vmsgen rule` lists the rules",
        )
        return
    if not whole["reason"].strip(" :-"):
        reporter.warning(
            "ignore/reason", "this ignore has no reason", comment.span, help="say behind it why it does not matter"
        )
    at = whole.start("rules")
    for name in names:
        place = comment.span.column + at + len(name) - len(name.lstrip())
        at += len(name) + 1
        rule, line = name.strip(), comment.span.line
        span = Span(comment.span.file, line, place, line, place + len(rule))
        if rule in RULES:
            yield rule, span
            continue
        near = did_you_mean(rule, RULES)
        reporter.warning(
            "ignore/unknown",
            f"there is no rule `{rule}`",
            span,
            help=f"did you mean `{near}`?" if near else "`vmsgen rule` lists them",
        )
