"""Binding the lists of names of a file: imports, props, constants, aliases, enums, flags, hooks, accepted breaks."""

from __future__ import annotations

import re
from typing import Literal

from vmsgen.diagnostics import Note, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.binder_entries import MAX_VERSION
from vmsgen.spec.declarations import AliasDecl, BreakDecl, ConstDecl, HooksDecl, ImportDecl, LabelsDecl, PropDecl
from vmsgen.spec.expression_parser import parse_expression
from vmsgen.spec.field_line import parse_type
from vmsgen.spec.names import is_identifier, is_type_name
from vmsgen.spec.nodes import Mapping, Node, Scalar, Sequence
from vmsgen.spec.shapes import Shapes, integer
from vmsgen.spec.syntax import Expr, NamedType, TypeExpr

PROP_KEYS = ("type", "candidates", "default", "source", "doc")
PROP_TYPES = ("bool", "int", "text", "release", "endian")
HOOK_KEYS = ("module", "before_save", "after_load", "types")
BREAK_KEYS = ("rule", "where", "since", "reason")

_RANGE = re.compile(r"(\S+?)\.\.(\S+)\Z")


class FactBinder:
    """Binds everything of a file that is not a definition."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.shapes = Shapes(reporter)

    def _entries(self, node: Node, what: str) -> tuple[tuple[Scalar, Node], ...]:
        mapping = self.shapes.mapping(node, what)
        return mapping.entries if mapping is not None else ()

    def _named(self, node: Node, what: str, singular: str, *, types: bool = False) -> list[tuple[Scalar, Node]]:
        """The entries whose keys may be names."""
        found = []
        for key, value in self._entries(node, what):
            if (is_type_name if types else is_identifier)(key.text):
                found.append((key, value))
            else:
                self.reporter.error("spec/value", f"`{key.text}` is no name for {singular}", key.span)
        return found

    def imports(self, node: Node) -> tuple[ImportDecl, ...]:
        """``import:``, a list of names per file."""
        found = []
        for key, value in self._entries(node, "import"):
            names = self.shapes.sequence(value, f"import {key.text}")
            if names is None:
                found.append(ImportDecl(key, (value,) if isinstance(value, Scalar) else ()))
                continue
            taken = tuple(
                s for item in names.items if (s := self.shapes.scalar(item, f"import {key.text}")) is not None
            )
            found.append(ImportDecl(key, taken))
        return tuple(found)

    # ------------------------------------------------------------------------------------------ props, constants

    def props(self, node: Node) -> tuple[PropDecl, ...]:
        """``props:``. A prop of machine.yaml may have a dotted name."""
        found = []
        for key, value in self._entries(node, "props"):
            if not all(is_identifier(part) for part in key.text.split(".")):
                self.reporter.error("spec/value", f"`{key.text}` is no name for a prop", key.span)
                continue
            body = self.shapes.mapping(value, f"prop {key.text}")
            if body is not None:
                found.append(self._prop(key, body))
        return tuple(found)

    def _prop(self, key: Scalar, body: Mapping) -> PropDecl:
        keys = self.shapes.keys(body, PROP_KEYS, f"the prop `{key.text}`")
        kind: Literal["bool", "int", "text", "release", "endian"] = "int"
        low = high = None
        if "type" not in keys:
            self.shapes.missing("type", f"the prop `{key.text}`", key.span)
        else:
            written = self.shapes.scalar(keys["type"][1], "type")
            bounds = _RANGE.match(written.text) if written is not None else None
            if written is not None and bounds is not None:
                low, high = integer(bounds[1]), integer(bounds[2])
                if low is None or high is None or low > high:
                    self.reporter.error("spec/value", f"type: `{written.text}` is no range", written.span)
                    low = high = None
            elif written is not None:
                kind = self.shapes.word(written, "type", PROP_TYPES) or kind  # type: ignore[assignment]
        default_text = self.shapes.scalar(keys["default"][1], "default") if "default" in keys else None
        candidates: tuple[Scalar, ...] = ()
        if "candidates" in keys:
            items = self.shapes.sequence(keys["candidates"][1], "candidates")
            found = (self.shapes.scalar(item, "candidates") for item in (items.items if items is not None else ()))
            candidates = tuple(item for item in found if item is not None)
        return PropDecl(
            key.text,
            kind,
            key.span,
            low=low,
            high=high,
            candidates=candidates,
            default=parse_expression(default_text, self.reporter) if default_text is not None else None,
            default_text=default_text,
            source=self.shapes.text(keys["source"][1], "source") if "source" in keys else None,
            doc=self.shapes.text(keys["doc"][1], "doc") if "doc" in keys else None,
        )

    def consts(self, node: Node) -> tuple[ConstDecl, ...]:
        """``const:``, expressions and lists of expressions."""
        found = []
        for key, value in self._named(node, "const", "a constant"):
            if isinstance(value, Sequence):
                items = (self._expression(item, f"const {key.text}") for item in value.items)
                found.append(ConstDecl(key.text, key.span, items=tuple(item for item in items if item is not None)))
            else:
                found.append(ConstDecl(key.text, key.span, self._expression(value, f"const {key.text}")))
        return tuple(found)

    def _expression(self, node: Node, what: str) -> Expr | None:
        scalar = self.shapes.scalar(node, what, "an expression")
        return parse_expression(scalar, self.reporter) if scalar is not None else None

    # ------------------------------------------------------------------------------------------ types, labels

    def aliases(self, node: Node) -> tuple[AliasDecl, ...]:
        """``types:``."""
        found = []
        for key, value in self._named(node, "types", "a type", types=True):
            scalar = self.shapes.scalar(value, f"types: {key.text}", "a type")
            found.append(
                AliasDecl(key.text, parse_type(scalar, self.reporter) if scalar is not None else None, key.span)
            )
        return tuple(found)

    def labels(self, node: Node, kind: Literal["enum", "flags"]) -> tuple[LabelsDecl, ...]:
        """``enums:`` or ``flags:``."""
        found = []
        for key, value in self._named(node, "enums" if kind == "enum" else "flags", f"an {kind}", types=True):
            body = self.shapes.mapping(value, key.text)
            if body is not None:
                found.append(LabelsDecl(key.text, kind, self._members(body, kind), key.span))
        return tuple(found)

    def _members(self, body: Mapping, kind: str) -> tuple[tuple[int, int, str, Span], ...]:
        found: list[tuple[int, int, str, Span]] = []
        for key, value in body.entries:
            bounds = self._bounds(key, kind)
            label = self.shapes.scalar(value, f"label of {key.text}")
            if bounds is None or label is None:
                continue
            if not is_identifier(label.text):
                self.reporter.error("spec/value", f"the label `{label.text}` is not an identifier", label.span)
                continue
            low, high = bounds
            for other_low, other_high, other, span in found:
                if other == label.text:
                    self.reporter.error(
                        "spec/value", f"the label `{other}` stands twice", label.span, notes=[Note("first here", span)]
                    )
                elif low <= other_high and other_low <= high:
                    what = "number" if kind == "enum" else "bit"
                    self.reporter.error(
                        "spec/value",
                        f"{what} {max(low, other_low)} is `{other}` already",
                        key.span,
                        notes=[Note("first here", span)],
                    )
            found.append((low, high, label.text, key.span))
        return tuple(found)

    def _bounds(self, key: Scalar, kind: str) -> tuple[int, int] | None:
        number = integer(key.text)
        bounds = _RANGE.match(key.text)
        if number is not None:
            low = high = number
        elif (
            kind == "flags"
            and bounds
            and (first := integer(bounds[1])) is not None
            and (last := integer(bounds[2])) is not None
        ):
            low, high = first, last
        else:
            expected = "a number" if kind == "enum" else "a bit or `LOW..HIGH`"
            self.reporter.error("spec/value", f"expected {expected}, found `{key.text}`", key.span)
            return None
        if kind == "flags" and not 0 <= low <= high <= 63:
            self.reporter.error("spec/value", f"bits go from 0 to 63, low first: `{key.text}`", key.span)
            return None
        if kind == "enum" and not -(1 << 63) <= low < 1 << 64:
            self.reporter.error("type/width", f"{key.text} has more than 64 bits", key.span)
            return None
        return low, high

    # ------------------------------------------------------------------------------------------ hooks, breaks

    def hooks(self, key: Scalar, node: Node) -> HooksDecl | None:
        """``hooks:``."""
        body = self.shapes.mapping(node, "hooks")
        if body is None:
            return None
        keys = self.shapes.keys(body, HOOK_KEYS, "hooks")
        if "module" not in keys:
            self.shapes.missing("module", "hooks", key.span)
            return None
        module = self.shapes.scalar(keys["module"][1], "module")
        if module is None:
            return None
        functions = {}
        for name in ("before_save", "after_load"):
            function = self.shapes.scalar(keys[name][1], name) if name in keys else None
            if function is not None and not is_identifier(function.text):
                self.reporter.error("spec/value", f"{name}: `{function.text}` is not an identifier", function.span)
                function = None
            functions[name] = function
        types = self._named(keys["types"][1], "hooks: types", "a hook") if "types" in keys else []
        return HooksDecl(
            module, key.span, types=tuple((name, self._hook_type(value)) for name, value in types), **functions
        )

    def _hook_type(self, node: Node) -> TypeExpr | None:
        scalar = self.shapes.scalar(node, "hooks: types", "a type")
        if scalar is None:
            return None
        if scalar.text in ("bytes", "string"):
            # A hook's value has no count on the wire that the spec could name, so these stand without a bracket.
            return NamedType(scalar.text, None, scalar.span)
        return parse_type(scalar, self.reporter)

    def breaks(self, node: Node) -> tuple[BreakDecl, ...]:
        """``accepted-breaks:``."""
        items = self.shapes.sequence(node, "accepted-breaks")
        found = []
        for item in items.items if items is not None else ():
            body = self.shapes.mapping(item, "accepted-breaks")
            if body is None:
                continue
            keys = self.shapes.keys(body, BREAK_KEYS, "accepted-breaks")
            texts = {}
            for name in ("rule", "where", "reason"):
                if name not in keys:
                    self.shapes.missing(name, "an accepted break", body.span)
                texts[name] = (self.shapes.text(keys[name][1], name) if name in keys else None) or ""
            since = self.shapes.number(keys["since"][1], "since", 0, MAX_VERSION) if "since" in keys else None
            found.append(BreakDecl(texts["rule"], texts["where"], texts["reason"], body.span, since))
        return tuple(found)
