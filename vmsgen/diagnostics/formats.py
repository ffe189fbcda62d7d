"""Diagnostics for programs: JSON, GitHub's workflow commands, and SARIF 2.1.0."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from vmsgen.diagnostics.diagnostic import Diagnostic, Severity, Span
from vmsgen.diagnostics.reporter import ordered
from vmsgen.diagnostics.rules import RULES
from vmsgen.diagnostics.text import render_all


def to_json(diagnostics: Sequence[Diagnostic]) -> str:
    """A JSON list with one object for each diagnostic, in the order of places; lines and columns count from 1."""
    return json.dumps([_object(d) for d in ordered(diagnostics)], indent=2) + "\n"


def to_github(diagnostics: Sequence[Diagnostic]) -> str:
    """One ``::error file=...`` line for each diagnostic, which GitHub Actions and Gitea show in the change.

    Escapes are those of the toolkit of GitHub Actions: ``%``, CR and LF in the message, also ``:`` and ``,`` in the
    properties.
    """
    lines = []
    for d in ordered(diagnostics):
        kind = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}[d.severity]
        place = [f"file={_property(d.span.file.path)}", f"line={d.span.line}", f"endLine={d.span.end_line}"]
        if d.span.end_line == d.span.line:
            # columns are refused for ranges over several lines; the last one belongs to the range
            place += [f"col={d.span.column}", f"endColumn={max(d.span.end_column - 1, d.span.column)}"]
        place.append(f"title={_property(d.rule)}")
        message = d.message if d.help is None else f"{d.message}\nhelp: {d.help}"
        message += "".join(f"\nnote: {n.message}: {n.span}" for n in d.notes)
        lines.append(f"::{kind} {','.join(place)}::{_data(message)}\n")
    return "".join(lines)


def to_sarif(diagnostics: Sequence[Diagnostic]) -> str:
    """A SARIF 2.1.0 log (OASIS standard of 2020) with one run; only the rules that occur are described in it."""
    found = ordered(diagnostics)
    ids = sorted({d.rule for d in found})
    number = {rule: index for index, rule in enumerate(ids)}
    results = []
    for d in found:
        result: dict[str, Any] = {
            "ruleId": d.rule,
            "ruleIndex": number[d.rule],
            "level": d.severity.value,
            "message": {"text": d.message if d.help is None else f"{d.message}\nhelp: {d.help}"},
            "locations": [{"physicalLocation": _physical(d.span)}],
        }
        if d.notes:
            result["relatedLocations"] = [
                {"physicalLocation": _physical(n.span), "message": {"text": n.message}} for n in d.notes
            ]
        results.append(result)
    rules = [
        {
            "id": rule,
            "shortDescription": {"text": RULES[rule].summary},
            "fullDescription": {"text": RULES[rule].explanation},
            "defaultConfiguration": {"level": RULES[rule].severity.value},
        }
        for rule in ids
    ]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "vmsgen", "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }
    return json.dumps(log, indent=2) + "\n"


#: Every format by the name that a command takes.
FORMATS: dict[str, Callable[[Sequence[Diagnostic]], str]] = {
    "text": render_all,
    "json": to_json,
    "github": to_github,
    "sarif": to_sarif,
}


def _object(d: Diagnostic) -> dict[str, Any]:
    return {
        "rule": d.rule,
        "severity": d.severity.value,
        "message": d.message,
        **_place(d.span),
        "help": d.help,
        "notes": [{"message": n.message, **_place(n.span)} for n in d.notes],
    }


def _place(span: Span) -> dict[str, Any]:
    return {
        "path": span.file.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _physical(span: Span) -> dict[str, Any]:
    region = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    return {"artifactLocation": {"uri": _uri(span.file.path)}, "region": region}


def _uri(path: str) -> str:
    return quote(path.replace("\\", "/"))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
