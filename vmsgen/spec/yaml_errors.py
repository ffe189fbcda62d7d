"""What cannot be read as YAML, in the words of the language: what was probably meant, where reading stopped."""

from __future__ import annotations

import re

import yaml

from vmsgen.diagnostics import SourceFile, Span
from vmsgen.diagnostics.reporter import Reporter

_QUOTES = "a text with `: ` in it needs quotes, or `>-` and the text on the next, deeper line"


#: What no spec may hold: tabs, byte order marks, other systems' line ends, control characters, halves of pairs.
_REFUSED = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]|\r(?!\n)")


def refuse_characters(source: SourceFile, reporter: Reporter) -> bool:
    """Report the first character that no spec may hold; whether there was one."""
    found = _REFUSED.search(source.text)
    if found is None:
        return False
    line = source.text.count("\n", 0, found.start()) + 1
    column = found.start() - source.text.rfind("\n", 0, found.start())
    place = Span(source, line, column, line, column + 1)
    character = found.group()
    if character == "\t":
        reporter.error("yaml/feature", "a tab is not part of the language", place, help="indent and align with spaces")
    elif character == "\ufeff":
        reporter.error(
            "yaml/feature",
            "a byte order mark is not part of the language",
            place,
            help="save the file as UTF-8 without it",
        )
    else:
        reporter.error("yaml/syntax", f"the character U+{ord(character):04X} cannot stand in a spec", place)
    return True


def report_yaml_error(error: yaml.YAMLError, source: SourceFile, reporter: Reporter) -> None:
    """Report what PyYAML raised, with its place. Never raises."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    index = min(mark.index, len(source.text)) if mark is not None else 0
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    context = str(getattr(error, "context", None) or "")
    opened = getattr(error, "context_mark", None)

    if "flow" in context and opened is not None:
        _report_flow(source, index, min(opened.index, len(source.text)), reporter)
        return
    here = _span(source, index, index + 1)
    character = source.text[index : index + 1]
    if "mapping values are not allowed" in problem:
        line_start = source.text.rfind("\n", 0, index) + 1
        question = source.text.find(" ? ", line_start, index)
        if question >= 0:  # C's conditional; YAML stumbles over its colon
            reporter.error(
                "expr/operator",
                "`? :` is not an operator here",
                _span(source, question + 1, question + 2),
                help="write `b if a else c` for `a ? b : c`",
            )
            return
        key = source.text[line_start:index]
        if ":" not in key and line_start:  # a key that YAML took for the next line of the text before it
            place = _span(source, index - len(key.lstrip(" -")), index)
            message = "this belongs to the text before it: it stands deeper than that"
            reporter.error("yaml/syntax", message, place, help="check the indentation")
            return
        reporter.error("yaml/syntax", "a `:` that starts no value here", here, help=_QUOTES)
    elif character and _behind_quote(source.text, index):
        help = 'an expression does not start with a quote: write `x == "text"`, not `"text" == x`'
        reporter.error("yaml/syntax", "this text ends at its closing quote", here, help=help)
    elif "unknown escape" in problem:
        reporter.error(
            "yaml/syntax", "an unknown `\\` escape between double quotes", here, help="single quotes take `\\` as it is"
        )
    elif "quoted scalar" in context and opened is not None:
        start = min(opened.index, len(source.text))
        reporter.error("yaml/syntax", "this quote is never closed", _span(source, start, start + 1))
    elif "cannot start any token" in problem and character:
        reporter.error("yaml/syntax", f"`{character}` cannot start a text", here, help="put the text into quotes")
    elif "block collection" in context:
        reporter.error(
            "yaml/syntax", "expected `- ` here: the list goes on at this depth", here, help="check the indentation"
        )
    elif "block mapping" in context:
        reporter.error(
            "yaml/syntax", "expected `key:` here: the mapping goes on at this depth", here, help="check the indentation"
        )
    elif "<document start>" in problem:
        reporter.error("yaml/syntax", "this belongs to nothing before it", here, help="check the indentation")
    elif "could not find expected ':'" in problem and opened is not None:
        start = min(opened.index, len(source.text))
        end = source.text.find("\n", start)
        place = _span(source, start, end if end >= 0 else len(source.text))
        reporter.error("yaml/syntax", "this line has no `:` after its key", place)
    elif "expected node content" in problem and character in ("]", "}"):
        reporter.error("yaml/syntax", f"`{character}` closes nothing", here)
    elif ("alias" in context or "anchor" in context) and opened is not None:
        start = min(opened.index, len(source.text))
        place = _span(source, start, start + 1)
        character = source.text[start : start + 1]
        reporter.error("yaml/syntax", f"`{character}` cannot start a text", place, help="put the text into quotes")
    else:
        reporter.error("yaml/syntax", f"not YAML: {problem}", here)


def _behind_quote(text: str, index: int) -> bool:
    """Whether what stands before ``index`` in its line ends with a quote."""
    line = text[text.rfind("\n", 0, index) + 1 : index]
    return line.endswith(" ") and line.rstrip().endswith(('"', "'"))


def _report_flow(source: SourceFile, index: int, opened: int, reporter: Reporter) -> None:
    """An error inside `{ }` or `[ ]`: as a rule brackets of a type, which end a text there."""
    bracket = source.text[opened : opened + 1]
    character = source.text[index : index + 1]
    if character in ("[", "]", "{", "}"):
        reporter.error(
            "yaml/flow-brackets",
            "brackets in flow style: write this entry over several lines",
            _span(source, index, index + 1),
        )
    elif character == "" or source.text[opened:index].count("\n"):
        reporter.error("yaml/syntax", f"this `{bracket}` is never closed", _span(source, opened, opened + 1))
    else:
        closing = "]" if bracket == "[" else "}"
        reporter.error("yaml/syntax", f"expected `,` or `{closing}` here", _span(source, index, index + 1))


def _span(source: SourceFile, start: int, end: int) -> Span:
    text = source.text
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    return Span(source, line, column, line, column + max(end - start, 0))
