"""``# vmsgen: ignore[RULE] reason``: findings that an author has looked at and accepts.

Behind a line it is about the findings of that line; alone on a line, about those of the next line that is not a
comment; above the first key of the file, about the whole file. A text that YAML folds over several lines counts as one.
Errors cannot be ignored.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
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
    """One rule that one comment names, with the place of the name."""

    rule: str
    span: Span
    used: bool = False


class _File:
    """The ignores of one file, by rule and by the line that they are about; line 0 is the whole file."""

    def __init__(self, source: SourceFile, reporter: Reporter) -> None:
        self.source = source  # (kept, so that its id stays its own)
        self.all: list[Ignore] = []
        self._at: dict[tuple[str, int], list[Ignore]] = defaultdict(list)
        self._texts: list[tuple[int, int]] = []
        # what is wrong with the file was reported when it was compiled
        root = read(source, Reporter()) if _MARK.search(source.text) is not None else None
        if root is None:
            return
        self._texts = [(s.span.line, s.span.end_line) for s in scalars(root) if s.span.end_line > s.span.line]
        first_key = next(scalars(root), None)
        found = comments(source, root)
        following = _following(source, {comment.span.line for comment in found if comment.alone})
        for comment in found:
            if _MARK.match(comment.text) is None:
                continue
            line = comment.span.line
            if first_key is not None and comment.start < first_key.start:
                about = 0
            else:
                about = self._text(following[line] if comment.alone else line)
            for rule, span in _rules(comment, reporter):
                ignore = Ignore(rule, span)
                self.all.append(ignore)
                self._at[rule, about].append(ignore)

    def covering(self, found: Diagnostic) -> list[Ignore]:
        """The ignores that are about a finding of this file."""
        if found.severity is Severity.ERROR or not self.all:
            return []
        return [*self._at.get((found.rule, 0), ()), *self._at.get((found.rule, self._text(found.span.line)), ())]

    def _text(self, line: int) -> int:
        """The first line of the text that ``line`` belongs to."""
        at = bisect_right(self._texts, (line, len(self.source.lines) + 1)) - 1
        return self._texts[at][0] if at >= 0 and line <= self._texts[at][1] else line


@dataclass
class Ignores:
    """The ignores of any number of files, read when they are asked for first."""

    #: what is wrong with the comments themselves
    reporter: Reporter = field(default_factory=Reporter)
    _files: dict[int, _File] = field(default_factory=dict)

    def of(self, source: SourceFile) -> list[Ignore]:
        """The ignores of one file."""
        return self._file(source).all

    def _file(self, source: SourceFile) -> _File:
        known = self._files.get(id(source))
        if known is None:
            known = self._files[id(source)] = _File(source, self.reporter)
        return known

    def without(self, found: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The findings that no comment ignores; the comments that do are marked as used."""
        left = []
        for one in found:
            covering = self._file(one.span.file).covering(one)
            for ignore in covering:
                ignore.used = True
            if not covering:
                left.append(one)
        return left


def _following(source: SourceFile, only: set[int]) -> list[int]:
    """For each line the next one below it that is neither empty nor a comment (``only``)."""
    found = [len(source.lines) + 1] * (len(source.lines) + 2)
    for line in range(len(source.lines) - 1, 0, -1):
        below = line + 1
        found[line] = found[below] if below in only or not source.lines[below - 1].strip() else below
    return found


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
