"""Lowering: one module of the model becomes one :class:`SchemaModule`.

The shapes are fixed by what asn1tools, pycrate and asn1c all accept, and the BER codecs write exactly these bytes:

* a definition is a SEQUENCE with an extension marker at its end, its components under context tags in the order of
  the tags;
* a nested definition under a context tag loses its own tag (IMPLICIT); as an element of SEQUENCE OF it keeps it;
* a CHOICE under a context tag is EXPLICIT, as X.680 has it;
* all other constructed types are named, so that no judge has to invent a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from vmsgen.emit.asn1.names import comment, number_name, pieces
from vmsgen.emit.asn1.reach import alternatives, defined, module_name, module_stem
from vmsgen.emit.asn1.remarks import about, field_remark
from vmsgen.emit.asn1.schema import AliasType, ChoiceType, Component, NamedType, SchemaModule, SequenceType
from vmsgen.spec.expression import Const
from vmsgen.spec.model import Definition, Field, Model, Module
from vmsgen.spec.wire_types import (
    Array,
    Bitmap,
    Bool,
    Bytes,
    Fixed,
    Float64,
    Grid,
    Hook,
    Int,
    Labels,
    ListOf,
    Nullable,
    Pad,
    Prefixed,
    SizedInt,
    String,
    StructRef,
    Through,
    Timer,
    Tree,
    Union,
    Until,
    WireType,
)

TYPES_MODULE = "Vmsgen-Types"

#: Components that no field stands for: key in the tags -> (name, type).
SPECIAL_COMPONENTS = {
    "<version>": ("vmstate-version", "UInt32"),
    "<facts>": ("vmstate-facts", "Facts"),
    "<kept>": ("vmstate-kept", "Kept"),
}

#: asn1c's lexer refuses larger literals.
_LARGEST_LITERAL = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class _Use:
    """A type where it is used. ``choice``: a tag on it is explicit."""

    text: str
    choice: bool = False


def lower(model: Model, module: Module) -> SchemaModule | None:
    """The ASN.1 module of one spec file; None if nothing in it travels (facts, constants, labels alone)."""
    definitions = defined(model, module)
    if not definitions:
        return None
    lowering = _Lowering(model, module)
    for definition in definitions:
        lowering.add(definition)
    return SchemaModule(
        name=module_name(module),
        source=module.source_path,
        types=tuple(lowering.types),
        exports=tuple(definition.asn1_name for definition in definitions),
        imports={name: tuple(sorted(names)) for name, names in sorted(lowering.imports.items(), key=_types_first)},
        about=tuple(filter(None, [comment(module.summary or "")])),
    )


def _types_first(item: tuple[str, set[str]]) -> tuple[bool, str]:
    return item[0] != TYPES_MODULE, item[0]


@dataclass
class _Lowering:
    """Collects the named types and the imports of one module."""

    model: Model
    module: Module
    types: list[NamedType] = field(default_factory=list)
    imports: dict[str, set[str]] = field(default_factory=dict)
    _labelled: dict[tuple[str, str, int, bool], str] = field(default_factory=dict)
    _pending: list[NamedType] = field(default_factory=list)

    def add(self, definition: Definition) -> None:
        """Appends the SEQUENCE of ``definition`` and the helper types that it needs."""
        tags = self.model.tags[definition.asn1_name]
        components: list[Component] = []
        for each in definition.fields():
            if not each.never:
                components.append(self._component(definition, each, tags.components[each.name]))
        if definition.subsections:
            components.append(self._subsections(definition, tags.components["<subsections>"]))
        for key, (name, type_) in SPECIAL_COMPONENTS.items():
            if key in tags.components:
                self._from_types(type_)
                components.append(Component(name, tags.components[key], type_, optional=True))
        components.sort(key=lambda component: component.tag or 0)
        self.types.append(
            SequenceType(
                name=definition.asn1_name,
                components=tuple(components),
                application=tags.application,
                about=tuple(about(definition)),
                span=definition.span,
            )
        )
        self.types.extend(self._pending)
        self._pending.clear()

    def _component(self, definition: Definition, field_: Field, tag: int) -> Component:
        stem = f"{definition.asn1_name}-{pieces(field_.asn1_name)}"
        first = len(self._pending)
        use = self._use(field_.type, stem)
        self._pending[first:] = [replace(helper, span=field_.span) for helper in self._pending[first:]]
        return Component(
            name=field_.asn1_name,
            tag=tag,
            type=use.text,
            optional=field_.presence is not None or isinstance(field_.type, Pad),
            explicit=use.choice,
            comment=field_remark(self.model, field_),
            span=field_.span,
        )

    def _subsections(self, definition: Definition, tag: int) -> Component:
        name = f"{definition.asn1_name}-Subsections"
        tags = self.model.tags[definition.asn1_name].subsections
        components = [
            Component(
                name=each.asn1_name,
                tag=tags[each.name],
                type=self._reference(each.definition),
                optional=True,
                comment=comment(f'"{each.wire_name}"'),
                span=each.span,
            )
            for each in definition.subsections
        ]
        self._from_types("UnknownSubsections")
        components.append(Component("unknown", tags["<unknown>"], "UnknownSubsections", optional=True))
        components.sort(key=lambda component: component.tag or 0)
        self._pending.append(SequenceType(name=name, components=tuple(components), span=definition.span))
        return Component("subsections", tag, name, optional=True)

    # ------------------------------------------------------------------------------------------ types

    def _use(self, type_: WireType, stem: str, *, element: bool = False) -> _Use:
        """How ``type_`` is written; ``stem`` begins the names of helper types. An ``element`` must be a single
        name."""
        match type_:
            case Int():
                return _Use(self._integer(type_, element=element))
            case SizedInt():
                return _Use(self._from_types("UInt64"))
            case Bool():
                return _Use(self._from_types("Bool") if element else "BOOLEAN")
            case Float64():
                return _Use(self._from_types("Float64"))
            case Timer():
                return _Use(self._from_types("Int64"))
            case Bytes(count=count) | Pad(count=count):
                return self._octets(_size(_constant_size(count)), element=element)
            case String(count=count):
                # the text alone: its NUL and what follows it are not in the value
                return self._octets(_size(_constant_size(count), least=0), element=element)
            case Bitmap(count=count):
                bits = _constant_size(count)
                return self._octets(_size(None if bits is None else -(-bits // 64) * 8), element=element)
            case StructRef(definition=identifier):
                return _Use(self._reference(identifier))
            case Nullable(element=pointed):
                return self._choice(
                    f"{stem}-Or-Null",
                    [Component("null", 0, "NULL"), Component("value", 1, self._reference(pointed.definition))],
                )
            case Array(element=inner, count=count):
                size = _constant_size(count)
                if is_octets(type_):
                    return self._octets(_size(size), element=element)
                item = self._use(inner, _item_stem(inner, stem), element=True)
                return self._list(f"SEQUENCE{_size(size)} OF {item.text}", stem, element=element)
            case Grid(element=inner, sizes=sizes):
                return self._grid(inner, [_constant_size(Fixed(size)) for size in sizes], stem, element=element)
            case ListOf(element=inner):
                item = self._use(inner, _item_stem(inner, stem), element=True)
                return self._list(f"SEQUENCE OF {item.text}", stem, element=element)
            case Tree(key=key, value=value):
                return self._list(f"SEQUENCE OF {self._entry(key, value, stem)}", stem, element=element)
            case Union():
                components = [
                    Component(name, position, "NULL" if struct is None else self._reference(struct.definition))
                    for position, (name, struct) in enumerate(alternatives(type_))
                ]
                return self._choice(f"{stem}-Choice", components)
            case Hook(type=declared):
                return self._use(declared, stem, element=element)

    def _integer(self, type_: Int, *, element: bool) -> str:
        labels = type_.labels
        if labels is None or labels.kind == "flags":
            return self._from_types(_plain_integer(type_))
        key = (labels.module, labels.name, type_.bits, type_.signed)
        if key not in self._labelled:
            stem = f"{module_stem(self.model, self.module)}-{pieces(labels.name)}"
            taken = set(self._labelled.values())
            name = stem if stem not in taken else f"{stem}-{_plain_integer(type_)}"
            self._labelled[key] = name
            self._pending.append(AliasType(name, _named_integer(type_, labels)))
        return self._labelled[key]

    def _octets(self, size: str, *, element: bool) -> _Use:
        return _Use(self._from_types("Octets") if element else f"OCTET STRING{size}")

    def _list(self, text: str, stem: str, *, element: bool) -> _Use:
        if not element:
            return _Use(text)
        self._pending.append(AliasType(stem, text))
        return _Use(stem)

    def _grid(self, inner: WireType, sizes: Sequence[int | None], stem: str, *, element: bool) -> _Use:
        """Rows within rows; each level below the first has a name."""
        stems = [stem + "-Row" * level for level in range(1, len(sizes))]
        item = self._use(inner, _item_stem(inner, stem), element=True).text
        for row, size in zip(reversed(stems), reversed(sizes), strict=False):
            self._pending.append(AliasType(row, f"SEQUENCE{_size(size)} OF {item}"))
            item = row
        return self._list(f"SEQUENCE{_size(sizes[0])} OF {item}", f"{stem}-Grid", element=element)

    def _entry(self, key: WireType, value: WireType, stem: str) -> str:
        name = f"{stem}-Entry"
        parts = (("key", key), ("value", value))
        uses = [(part, self._use(type_, f"{name}-{pieces(part)}")) for part, type_ in parts]
        components = [Component(part, tag, use.text, explicit=use.choice) for tag, (part, use) in enumerate(uses)]
        self._pending.append(SequenceType(name, tuple(components), extensible=False))
        return name

    def _choice(self, name: str, components: Sequence[Component]) -> _Use:
        self._pending.append(ChoiceType(name, tuple(components)))
        return _Use(name, choice=True)

    def _reference(self, identifier: str) -> str:
        definition = self.model.definition(identifier)
        if definition.module != self.module.path:
            home = module_name(self.model.module(definition.module))
            self.imports.setdefault(home, set()).add(definition.asn1_name)
        return definition.asn1_name

    def _from_types(self, name: str) -> str:
        self.imports.setdefault(TYPES_MODULE, set()).add(name)
        return name


# ---------------------------------------------------------------------------------------------- small pieces


def _item_stem(inner: WireType, stem: str) -> str:
    """What the helper types of an element begin with; a CHOICE has an ending of its own."""
    return stem if isinstance(inner, Nullable | Union) else f"{stem}-Item"


def is_octets(type_: Array) -> bool:
    """Whether an array travels as one OCTET STRING: plain unsigned bytes whose number is known before them."""
    element = type_.element
    plain = isinstance(element, Int) and element.bits == 8 and not element.signed and element.labels is None
    return plain and isinstance(type_.count, Fixed | Prefixed)


def _constant_size(count: Fixed | Prefixed | Until | Through) -> int | None:
    if isinstance(count, Fixed) and isinstance(count.value, Const) and isinstance(count.value.value, int):
        return max(0, count.value.value)
    return None


def _size(size: int | None, *, least: int | None = None) -> str:
    if size is None or size > _LARGEST_LITERAL:
        return ""
    return f" (SIZE ({size}))" if least is None or least == size else f" (SIZE ({least}..{size}))"


def _plain_integer(type_: Int) -> str:
    return f"{'Int' if type_.signed else 'UInt'}{type_.bits}"


def _limits(type_: Int) -> tuple[int, int]:
    return (-(1 << type_.bits - 1), (1 << type_.bits - 1) - 1) if type_.signed else (0, (1 << type_.bits) - 1)


def _named_integer(type_: Int, labels: Labels) -> str:
    """``INTEGER { idle(0), run(1) } (0..255)``; a second name of a number, and numbers that asn1c cannot read, are
    left out."""
    low, high = _limits(type_)
    numbers: dict[int, str] = {}
    for value, _, label in labels.members:
        name = number_name(label)
        if low <= value <= min(high, _LARGEST_LITERAL) and name not in numbers.values():
            numbers.setdefault(value, name)
    bound = "MAX" if high > _LARGEST_LITERAL else str(high)
    named = ", ".join(f"{name}({value})" for value, name in numbers.items())
    return f"INTEGER {{ {named} }} ({low}..{bound})" if named else f"INTEGER ({low}..{bound})"
