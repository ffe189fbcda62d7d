"""Where the characters of a YAML text stand in the file: YAML folds lines, doubles quotes and resolves escapes."""

from __future__ import annotations

import re
from collections.abc import Iterator


def align(text: str, source: str, style: str) -> tuple[list[int], list[int]]:
    """Where each character of ``text`` starts and ends in ``source``, the scalar as written.

    YAML changes only blanks (folding, indentation), quotes (`''`) and, between double quotes, what a backslash escapes;
    all other characters stand in the source in the same order. Starts have one more item, the end of the text.
    """
    if style == '"':
        units = list(_escaped_units(source))
    elif style == "'":
        units = [
            (m.start(), m.end(), m.group()[0]) for m in re.finditer("''|[^']", source[1:-1] if len(source) > 1 else "")
        ]
        units = [(start + 1, end + 1, shown) for start, end, shown in units]
    else:
        body = source.find("\n") + 1 if style else 0
        units = [(i, i + 1, source[i]) for i in range(body, len(source))]
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    position = units[0][0] if units else 0
    for character in text:
        if character in " \n":
            # one blank for a fold, or as many as there were: take one from the source where one is
            if at < len(units) and units[at][2] in " \n\r":
                starts.append(units[at][0])
                position = units[at][1]
                at += 1
            else:
                starts.append(position)
            ends.append(position)
            continue
        while at < len(units) and units[at][2] != character:
            at += 1
        if at < len(units):
            starts.append(units[at][0])
            position = units[at][1]
            at += 1
        else:
            starts.append(position)
        ends.append(position)
    starts.append(position)
    return starts, ends


_ESCAPES = {"0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b"}
_ESCAPES |= {" ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029"}


def _escaped_units(source: str) -> Iterator[tuple[int, int, str]]:
    """The characters between double quotes with the places of their escapes."""
    at = 1
    while at < len(source) - 1:
        if source[at] != "\\" or at + 1 >= len(source):
            yield at, at + 1, source[at]
            at += 1
            continue
        width = {"x": 4, "u": 6, "U": 10}.get(source[at + 1], 2)
        shown = _ESCAPES.get(source[at + 1], "")
        if width > 2:
            try:
                shown = chr(int(source[at + 2 : at + width], 16))
            except (ValueError, OverflowError):
                shown = ""
        yield at, at + width, shown
        at += width
