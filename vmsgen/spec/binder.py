"""Binding a spec file: top-level keys, definitions and subsections, from positioned nodes to declarations.

Every unknown key, wrong shape and missing part is reported where it stands; binding goes on with the rest of the file.
"""

from __future__ import annotations

from typing import Literal

from vmsgen.diagnostics import SourceFile, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.binder_entries import MAX_VERSION, STABILITIES, EntryBinder
from vmsgen.spec.binder_facts import FactBinder
from vmsgen.spec.declarations import DefinitionDecl, EntryDecl, FileDecl, LabelsDecl, ParamDecl
from vmsgen.spec.expression_parser import parse_expression
from vmsgen.spec.names import is_identifier, is_type_name
from vmsgen.spec.nodes import Mapping, Node, Scalar, Sequence
from vmsgen.spec.shapes import Endian, Shapes, integer, is_empty
from vmsgen.spec.syntax import Expr

TOP_KEYS = [
    "vmsgen",
    "summary",
    "doc",
    "vmstate",
    "section",
    "as",
    "match",
    "version",
    "minimum_version",
    "tag",
    "stability",
    "was",
    "import",
    "props",
    "const",
    "types",
    "strip",
    "endian",
    "hooks",
    "fields",
    "subsections",
    "parts",
    "structs",
    "enums",
    "flags",
    "accepted-breaks",
]
STRUCT_KEYS = [
    "vmstate",
    "version",
    "minimum_version",
    "params",
    "endian",
    "strip",
    "summary",
    "doc",
    "stability",
    "was",
    "fields",
    "subsections",
]
SUBSECTION_KEYS = [
    "as",
    "version",
    "minimum_version",
    "endian",
    "strip",
    "needed",
    "summary",
    "doc",
    "stability",
    "was",
    "fields",
    "subsections",
]
PARTS = ("start", "part", "end", "full")
PARAM_TYPES = ("int", "bool", "text", "bytes", "release")
LANGUAGE = 1
MAX_TAG = (1 << 28) - 1  # four base-128 digits after the leading byte, what every BER library takes

Keys = dict[str, tuple[Scalar, Node]]


def bind(source: SourceFile, node: Node, reporter: Reporter) -> FileDecl | None:
    """The declarations of one file; None when it is not even a mapping."""
    return _FileBinder(source, reporter).file(node)


class _FileBinder:
    def __init__(self, source: SourceFile, reporter: Reporter) -> None:
        self.source = source
        self.reporter = reporter
        self.shapes = Shapes(reporter)
        self.entries = EntryBinder(reporter)
        self.facts = FactBinder(reporter)

    def file(self, node: Node) -> FileDecl | None:
        mapping = self.shapes.mapping(node, "a spec")
        if mapping is None:
            return None
        if not mapping.entries:
            self.shapes.wrong(node, "a spec", "file")
            return None
        keys = self.shapes.keys(mapping, TOP_KEYS, "a spec")
        self._language(mapping, keys)
        facts = self.facts
        return FileDecl(
            source=self.source,
            span=self._state_span(keys) or mapping.entries[0][0].span,
            summary=self._text(keys, "summary"),
            doc=self._text(keys, "doc"),
            match=self._expression(keys, "match"),
            state=self._state(keys),
            imports=facts.imports(keys["import"][1]) if "import" in keys else (),
            props=facts.props(keys["props"][1]) if "props" in keys else (),
            consts=facts.consts(keys["const"][1]) if "const" in keys else (),
            aliases=facts.aliases(keys["types"][1]) if "types" in keys else (),
            labels=(*self._labels(keys, "enums"), *self._labels(keys, "flags")),
            structs=self._structs(keys["structs"][1]) if "structs" in keys else (),
            hooks=facts.hooks(keys["hooks"][0], keys["hooks"][1]) if "hooks" in keys else None,
            accepted_breaks=facts.breaks(keys["accepted-breaks"][1]) if "accepted-breaks" in keys else (),
            strip=self._strip(keys),
            endian=self._endian(keys),
            places={key: scalar.span for key, (scalar, _) in keys.items()},
        )

    def _language(self, mapping: Mapping, keys: Keys) -> None:
        first = mapping.entries[0][0]
        if "vmsgen" not in keys:
            self.reporter.error("spec/missing-key", "a spec begins with `vmsgen: 1`", first.span)
            return
        key, value = keys["vmsgen"]
        if key is not first:
            self.reporter.error("spec/shape", "`vmsgen:` is the first key of a spec", key.span)
        found = self.shapes.scalar(value, "vmsgen", "a number")
        if found is not None and integer(found.text) != LANGUAGE:
            self.reporter.error(
                "spec/value",
                f"language version `{found.text}` is not known",
                found.span,
                help=f"this vmsgen reads {LANGUAGE}",
            )

    @staticmethod
    def _state_span(keys: Keys) -> Span | None:
        for key in ("vmstate", "section"):
            if key in keys:
                return keys[key][0].span
        return None

    # ------------------------------------------------------------------------------------------ definitions

    def _state(self, keys: Keys) -> DefinitionDecl | None:
        if "vmstate" in keys and "section" in keys:
            self.reporter.error(
                "spec/two-states", "`vmstate` and `section`: one state per file", keys["section"][0].span
            )
        name_key = "vmstate" if "vmstate" in keys else "section"
        if name_key not in keys:
            for key in ("as", "match", "version", "minimum_version", "tag", "was", "fields", "subsections", "parts"):
                if key in keys:
                    self.reporter.error(
                        "spec/missing-key",
                        f"`{key}:` belongs to a state: `vmstate:` or `section:` is missing",
                        keys[key][0].span,
                    )
                    break
            return None
        name = self.shapes.scalar(keys[name_key][1], name_key)
        if name is None:
            return None
        if len(name.text.encode()) > 255:
            self.reporter.error("spec/value", "a name on the wire has at most 255 bytes", name.span)
        if name_key == "section" and "subsections" in keys:
            self.reporter.error(
                "spec/unknown-key",
                "a section has no subsections: QEMU looks for none behind it",
                keys["subsections"][0].span,
                help="write `vmstate:` if QEMU describes this state with a VMStateDescription",
            )
        if "parts" in keys and name_key == "vmstate":
            self.reporter.error("spec/shape", "only a `section:` comes in parts", keys["parts"][0].span)
        if "parts" in keys and "tag" in keys:
            self.reporter.error(
                "spec/shape", "each part has a tag of its own, which the lock gives", keys["tag"][0].span
            )
        if "parts" in keys and "fields" in keys:
            self.reporter.error("spec/shape", "`parts:` replaces `fields:`", keys["parts"][0].span)
        if not {"fields", "subsections", "parts"} & keys.keys():
            self.reporter.error("spec/missing-key", f"the state `{name.text}` needs the key `fields`", name.span)
        kind: Literal["state", "section"] = "state" if name_key == "vmstate" else "section"
        return self._definition(kind, name, keys, name)

    def _structs(self, node: Node) -> tuple[DefinitionDecl, ...]:
        mapping = self.shapes.mapping(node, "structs")
        found: list[DefinitionDecl] = []
        for key, value in mapping.entries if mapping is not None else ():
            if not is_type_name(key.text):
                self.reporter.error("spec/value", f"`{key.text}` is no name for a struct", key.span)
            if isinstance(value, Sequence):
                found.append(DefinitionDecl("struct", key, key.span, entries=self.entries.entries(value, key.text)))
                continue
            body = self.shapes.mapping(value, f"struct {key.text}")
            if body is None:
                continue
            keys = self.shapes.keys(body, STRUCT_KEYS, f"the struct `{key.text}`")
            wire = self.shapes.scalar(keys["vmstate"][1], "vmstate") if "vmstate" in keys else None
            found.append(self._definition("struct", key, keys, wire))
        return tuple(found)

    def _subsections(self, node: Node) -> tuple[DefinitionDecl, ...]:
        items = self.shapes.sequence(node, "subsections")
        found: list[DefinitionDecl] = []
        for item in items.items if items is not None else ():
            if not isinstance(item, Mapping) or not item.entries:
                self.shapes.wrong(item, "`NAME:` with its fields", "subsection")
                continue
            key, value = item.entries[0]
            self._subsection_name(key)
            if len(item.entries) > 1:
                self.reporter.error(
                    "spec/shape",
                    f"`{item.entries[1][0].text}:` stands beside the subsection `{key.text}`",
                    item.entries[1][0].span,
                    help="what belongs to a subsection is indented deeper than its name",
                )
            if isinstance(value, Sequence):
                entries = self.entries.entries(value, key.text)
                found.append(DefinitionDecl("subsection", key, key.span, wire_name=key, entries=entries))
                continue
            if is_empty(value) and len(item.entries) > 1:
                continue
            if is_empty(value):
                self.reporter.error(
                    "spec/shape", f"subsection `{key.text}`: expected a list of fields, found nothing", key.span
                )
                continue
            body = self.shapes.mapping(value, f"subsection {key.text}")
            if body is not None:
                keys = self.shapes.keys(body, SUBSECTION_KEYS, f"the subsection `{key.text}`")
                found.append(self._definition("subsection", key, keys, key))
        return tuple(found)

    def _subsection_name(self, key: Scalar) -> None:
        if len(key.text.encode()) > 255:
            self.reporter.error("sub/length", "the name of a subsection has at most 255 bytes", key.span)

    def _definition(
        self, kind: Literal["state", "section", "struct", "subsection"], key: Scalar, keys: Keys, wire: Scalar | None
    ) -> DefinitionDecl:
        as_name = self.shapes.scalar(keys["as"][1], "as") if "as" in keys else None
        if as_name is not None and not (is_identifier if kind == "subsection" else is_type_name)(as_name.text):
            self.reporter.error("spec/value", f"as: `{as_name.text}` is not an identifier", as_name.span)
            as_name = None
        version = self._number(keys, "version", 0, MAX_VERSION)
        return DefinitionDecl(
            kind,
            key,
            key.span,
            wire_name=wire,
            as_name=as_name,
            version=1 if version is None else version,
            minimum_version=self._number(keys, "minimum_version", 0, MAX_VERSION),
            version_span=keys["version"][1].span if "version" in keys else None,
            minimum_span=keys["minimum_version"][1].span if "minimum_version" in keys else None,
            params=self._params(keys["params"][1]) if "params" in keys else (),
            endian=self._endian(keys),
            strip=self._strip(keys),
            needed=self._expression(keys, "needed"),
            entries=self.entries.entries(keys["fields"][1], "fields") if "fields" in keys else (),
            subsections=self._subsections(keys["subsections"][1]) if "subsections" in keys else (),
            tag=self._number(keys, "tag", 0, MAX_TAG),
            tag_span=keys["tag"][1].span if "tag" in keys else None,
            summary=self._text(keys, "summary"),
            doc=self._text(keys, "doc"),
            was=self.shapes.scalars(keys["was"][1], "was") if "was" in keys else (),
            stability=self._stability(keys),
            parts=self._parts(keys["parts"][1]) if "parts" in keys else (),
        )

    def _parts(self, node: Node) -> tuple[tuple[Scalar, tuple[EntryDecl, ...]], ...]:
        mapping = self.shapes.mapping(node, "parts")
        if mapping is None:
            return ()
        keys = self.shapes.keys(mapping, PARTS, "parts")
        return tuple((key, self.entries.entries(value, f"part {key.text}")) for key, value in keys.values())

    def _params(self, node: Node) -> tuple[ParamDecl, ...]:
        mapping = self.shapes.mapping(node, "params")
        found: list[ParamDecl] = []
        for key, value in mapping.entries if mapping is not None else ():
            if not is_identifier(key.text):
                self.reporter.error("spec/value", f"`{key.text}` is no name for a parameter", key.span)
                continue
            kind = self.shapes.word(value, f"params: {key.text}", PARAM_TYPES)
            found.append(ParamDecl(key.text, kind or "int", key.span))
        return tuple(found)

    # ------------------------------------------------------------------------------------------ single keys

    def _text(self, keys: Keys, name: str) -> str | None:
        return self.shapes.text(keys[name][1], name) if name in keys else None

    def _number(self, keys: Keys, name: str, low: int, high: int) -> int | None:
        return self.shapes.number(keys[name][1], name, low, high) if name in keys else None

    def _endian(self, keys: Keys) -> Endian | None:
        return self.shapes.endian(keys["endian"][1], "endian") if "endian" in keys else None

    def _stability(self, keys: Keys) -> str:
        if "stability" not in keys:
            return "stable"
        return self.shapes.word(keys["stability"][1], "stability", STABILITIES) or "stable"

    def _strip(self, keys: Keys) -> tuple[str, ...]:
        if "strip" not in keys:
            return ()
        return tuple(scalar.text for scalar in self.shapes.scalars(keys["strip"][1], "strip"))

    def _expression(self, keys: Keys, name: str) -> Expr | None:
        if name not in keys:
            return None
        scalar = self.shapes.scalar(keys[name][1], name, "an expression")
        return parse_expression(scalar, self.reporter) if scalar is not None else None

    def _labels(self, keys: Keys, name: Literal["enums", "flags"]) -> tuple[LabelsDecl, ...]:
        return self.facts.labels(keys[name][1], "enum" if name == "enums" else "flags") if name in keys else ()
