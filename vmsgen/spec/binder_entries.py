"""Binding the items of ``fields:``: fields, groups, lets, checks, and the cases of unions.

The first key of an item says what it is; the keys after it are attributes from a closed list.
"""

from __future__ import annotations

import re

from vmsgen.diagnostics import Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.declarations import CaseDecl, CheckDecl, CheckText, EntryDecl, FieldDecl, GroupDecl, LetDecl
from vmsgen.spec.expression_parser import parse_expression
from vmsgen.spec.field_line import INTEGER_TYPES, SIZED_TYPES, parse_field_line, parse_type
from vmsgen.spec.names import is_identifier, python_name
from vmsgen.spec.nodes import Mapping, Node, Scalar, Sequence
from vmsgen.spec.shapes import Shapes, integer, is_empty, short
from vmsgen.spec.syntax import Expr

#: Attributes that may follow a field.
FIELD_ATTRIBUTES = (
    "doc",
    "unit",
    "was",
    "as",
    "name",
    "default",
    "check",
    "cases",
    "view",
    "ignore",
    "stability",
    "fields",
)
#: Clauses that people write as attributes.
_CLAUSE_HELP = {
    **{word: f"a condition stands in the field line: `- NAME: type {word} N`" for word in ("since", "until")},
    "when": "a condition stands in the field line: `- NAME: type when EXPR`",
    "at": "a place stands in the field line: `- NAME: type at EXPR`",
    "endian": "a byte order stands in the field line: `- NAME: type little-endian`",
}
_BUILT_IN = (*INTEGER_TYPES, *SIZED_TYPES, "bool", "float64", "timer", "list", "tree", "uint", "union", "hook")
_FIRST_WORD = re.compile(r"[^0-9A-Za-z_]")
STABILITIES = ("stable", "experimental", "deprecated")
MAX_VERSION = 0xFFFFFFFF


class EntryBinder:
    """Binds lists of entries."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.shapes = Shapes(reporter)

    def entries(self, node: Node, what: str) -> tuple[EntryDecl, ...]:
        """Every entry of a list; those that cannot be read are reported and left out."""
        items = self.shapes.sequence(node, what)
        if items is None:
            return ()
        found = (self._entry(item) for item in items.items)
        return tuple(entry for entry in found if entry is not None)

    def _entry(self, node: Node) -> EntryDecl | None:
        if isinstance(node, Scalar) and not is_empty(node):
            typed = _FIRST_WORD.split(node.text)[0] in _BUILT_IN
            self.reporter.error(
                "spec/no-type",
                f"`{short(node.text)}` is a type without a field" if typed else f"`{short(node.text)}` has no type",
                node.span,
                help=f"write `- NAME: {short(node.text)}`" if typed else f"write `- {short(node.text)}: TYPE`",
            )
            return None
        if not isinstance(node, Mapping):
            self.shapes.wrong(node, "`NAME: type` or a group", "entry")
            return None
        if not node.entries:
            self.shapes.wrong(node, "`NAME: type` or a group", "entry")
            return None
        key, value = node.entries[0]
        keyword, _, rest = key.text.partition(" ")
        if rest and keyword in ("when", "since", "until", "tmp"):
            return self._group(node, keyword, rest.strip(), key, value)
        if rest and keyword == "let":
            return self._let(node, rest.strip(), key, value)
        if rest and keyword == "check":
            self._only(node, (), "a check")
            expression = self._expression(value, "check")
            if expression is None:
                return None
            return CheckDecl(CheckText(rest.strip(), expression, value.span), key.span)
        return self._field(node, key, value)

    def _only(self, node: Mapping, known: tuple[str, ...], what: str) -> dict[str, tuple[Scalar, Node]]:
        return self.shapes.keys(node, known, what, first=1)

    def _expression(self, node: Node, what: str) -> Expr | None:
        scalar = self.shapes.scalar(node, what, "an expression")
        return parse_expression(scalar, self.reporter) if scalar is not None else None

    # ------------------------------------------------------------------------------------------ groups, lets

    def _group(self, node: Mapping, keyword: str, rest: str, key: Scalar, value: Node) -> EntryDecl | None:
        self._only(node, (), f"a `{keyword}` group")
        if isinstance(value, Scalar):
            self.reporter.error(
                "spec/shape",
                f"`{keyword}` group: expected a list of entries, found {'nothing' if is_empty(value) else 'a text'}",
                key.span if is_empty(value) else value.span,
                help=f"a condition on one field stands in its line: `- NAME: type {key.text}`",
            )
            return None
        entries = self.entries(value, f"`{key.text}`")
        if keyword == "tmp":
            return GroupDecl("tmp", entries, key.span, tmp=rest)
        if keyword == "when":
            offset = len(key.text) - len(key.text[4:].lstrip())
            condition = parse_expression(key, self.reporter, offset)
            # Without its condition the group is still walked, so that mistakes inside it are found.
            return GroupDecl("when", entries, key.span, condition=condition)
        number = integer(rest)
        if number is None or not 0 <= number <= MAX_VERSION:
            self.reporter.error("spec/value", f"`{keyword}` needs a version number, found `{rest}`", key.span)
            return GroupDecl("when", entries, key.span)
        return GroupDecl("since" if keyword == "since" else "until", entries, key.span, number=number)

    def _let(self, node: Mapping, name: str, key: Scalar, value: Node) -> EntryDecl | None:
        keys = self._only(node, ("doc",), "a let")
        if not is_identifier(name):
            self.reporter.error("spec/value", f"`{name}` is no name for a let", key.span)
            return None
        doc = self.shapes.text(keys["doc"][1], "doc") if "doc" in keys else None
        return LetDecl(name, key.span, self._expression(value, f"let {name}"), key.span, doc)

    # ------------------------------------------------------------------------------------------ fields

    def _field(self, node: Mapping, key: Scalar, value: Node) -> FieldDecl | None:
        if not python_name(key.text):
            self.reporter.error("spec/value", f"`{key.text}` has no letter or digit to make a name of", key.span)
            return None
        keys = self.shapes.keys(node, FIELD_ATTRIBUTES, f"the field `{key.text}`", first=1, hints=_CLAUSE_HELP)
        line, entries, broken = None, None, False
        if isinstance(value, Sequence):
            entries = self.entries(value, f"`{key.text}`")
        elif isinstance(value, Mapping):
            self.reporter.error(
                "spec/shape",
                f"`{key.text}`: expected a type or a list of entries, found a mapping",
                value.span,
                help="the type stands after the name, attributes below it: `- NAME: type`",
            )
            broken = True
        elif is_empty(value):
            self.reporter.error("spec/no-type", f"field `{key.text}` has no type", key.span)
            broken = True
        else:
            line = parse_field_line(value, self.reporter)
            broken = line is None
        if "fields" in keys:
            if entries is not None:
                self.reporter.error("spec/shape", f"`{key.text}` has its fields twice", keys["fields"][0].span)
            else:
                entries = self.entries(keys["fields"][1], "fields")
        return self._with_attributes(FieldDecl(key, (key.text,), key.span, line, entries, broken=broken), keys)

    def _with_attributes(self, bare: FieldDecl, keys: dict[str, tuple[Scalar, Node]]) -> FieldDecl:
        shapes = self.shapes
        names = tuple(scalar.text for scalar in shapes.scalars(keys["name"][1], "name")) if "name" in keys else ()
        as_name = shapes.scalar(keys["as"][1], "as") if "as" in keys else None
        if as_name is not None and not is_identifier(as_name.text):
            self.reporter.error("spec/value", f"as: `{as_name.text}` is not an identifier", as_name.span)
            as_name = None
        check = None
        if "check" in keys:
            node = keys["check"][1]
            expression = self._expression(node, "check")
            if expression is not None and isinstance(node, Scalar):
                check = CheckText(" ".join(node.text.split()), expression, node.span)
        stability = shapes.word(keys["stability"][1], "stability", STABILITIES) if "stability" in keys else None
        return FieldDecl(
            key=bare.key,
            wire_names=names or bare.wire_names,
            span=bare.span,
            line=bare.line,
            entries=bare.entries,
            cases=self._cases(keys["cases"][1]) if "cases" in keys else None,
            cases_span=keys["cases"][0].span if "cases" in keys else None,
            as_name=as_name,
            check=check,
            default=shapes.scalar(keys["default"][1], "default") if "default" in keys else None,
            view=shapes.scalar(keys["view"][1], "view") if "view" in keys else None,
            unit=self._text(keys, "unit"),
            doc=self._text(keys, "doc"),
            was=shapes.scalars(keys["was"][1], "was") if "was" in keys else (),
            ignore=self._text(keys, "ignore"),
            stability=stability or "stable",
            broken=bare.broken,
        )

    def _text(self, keys: dict[str, tuple[Scalar, Node]], name: str) -> str | None:
        return self.shapes.text(keys[name][1], name) if name in keys else None

    def _cases(self, node: Node) -> tuple[CaseDecl, ...]:
        mapping = self.shapes.mapping(node, "cases")
        if mapping is None:
            return ()
        return tuple(self._case(key, value) for key, value in mapping.entries)

    def _case(self, key: Scalar, value: Node) -> CaseDecl:
        span: Span = key.span
        if isinstance(value, Sequence):
            return CaseDecl(key, None, self.entries(value, f"case {key.text}"), span)
        scalar = self.shapes.scalar(value, f"case {key.text}", "a type, `none` or a list of entries")
        if scalar is None or scalar.text == "none":
            return CaseDecl(key, None, None, span)
        return CaseDecl(key, parse_type(scalar, self.reporter), None, span)
