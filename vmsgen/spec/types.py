"""Types of field lines with their names looked up: from :mod:`vmsgen.spec.syntax` to the wire types of the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from vmsgen.diagnostics import Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.diagnostics.suggest import did_you_mean
from vmsgen.spec import syntax
from vmsgen.spec.declarations import AliasDecl, DefinitionDecl, FieldDecl
from vmsgen.spec.expression import Const, Expression, It
from vmsgen.spec.integers import INTEGERS, fits
from vmsgen.spec.place import Place
from vmsgen.spec.scope import Entity, Failed, Scope, Typed
from vmsgen.spec.typer import Expressions
from vmsgen.spec.values import value_type
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
    ListOf,
    Nullable,
    Order,
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

SIZED = ("bytes", "string", "pad", "bitmap")
BUILT_IN = (*INTEGERS, "bool", "float64", "timer", "uint", *SIZED, "list", "tree", "union", "hook", "struct")
WIDTHS = (8, 16, 32, 64)
#: How many aliases may stand between a name and its type.
MAX_ALIASES = 16


@dataclass(frozen=True)
class TypePlace:
    """Where a type stands: the place of its expressions, the byte order, and the field whose parts it may need."""

    place: Place
    order: Order
    field: FieldDecl | None = None
    #: Python name of the field, for the classes of anonymous parts
    name: str = ""
    #: names of the aliases that are being replaced
    aliases: tuple[str, ...] = ()


class Types:
    """Resolves types. The two callables make what stands inside a field: an anonymous struct, the cases of a union."""

    def __init__(
        self,
        reporter: Reporter,
        expressions: Expressions,
        scope_of: Callable[[Entity], Scope],
        anonymous: Callable[[TypePlace, Span], StructRef],
        union: Callable[[TypePlace, Expression, Span], Union],
        hint: Callable[[str], str | None],
    ) -> None:
        self.reporter = reporter
        self.expressions = expressions
        self.scope_of = scope_of
        self.anonymous = anonymous
        self.union = union
        self.hint = hint

    def resolve(self, found: syntax.TypeExpr, at: TypePlace) -> WireType:
        """The wire type. Raises :class:`Failed` after a report."""
        match found:
            case syntax.NamedType():
                return self._named(found, at)
            case syntax.SizedType():
                return self._sized(found, at)
            case syntax.ListType():
                return ListOf(self._inside(found.element, at, "list"))
            case syntax.TreeType():
                return Tree(self._inside(found.key, at, "tree"), self._inside(found.value, at, "tree"))
            case syntax.NullableType():
                element = self.resolve(found.element, at)
                if not isinstance(element, StructRef):
                    raise self._fail(
                        "type/null",
                        "only a struct can be NULL",
                        found.span,
                        "`?` stands right behind the name of a struct",
                    )
                return Nullable(element, proven=False)
            case syntax.ArrayType():
                return self._array(found, at)

    def _fail(self, rule: str, message: str, span: Span, help: str | None = None) -> Failed:
        self.reporter.error(rule, message, span, help=help)
        return Failed()

    def _inside(self, found: syntax.TypeExpr, at: TypePlace, what: str) -> WireType:
        element = self.resolve(found, at)
        if isinstance(element, Nullable):
            raise self._fail("type/null", f"what a {what} holds cannot be NULL", found.span, "leave the `?` out")
        if isinstance(element, Pad):
            raise self._fail("type/syntax", f"a {what} of pads holds nothing", found.span)
        return element

    def _named(self, found: syntax.NamedType, at: TypePlace) -> WireType:
        name = found.name
        if name in INTEGERS:
            self._no_arguments(found)
            bits, signed = INTEGERS[name]
            return Int(bits, signed, at.order)
        match name:
            case "bool":
                self._no_arguments(found)
                return Bool()
            case "float64":
                self._no_arguments(found)
                return Float64(at.order)
            case "timer":
                self._no_arguments(found)
                return Timer(at.order)
            case "uint":
                return self._uint(found, at)
            case "union":
                return self.union(at, self._selector(found, at), found.span)
            case "hook":
                return self._hook(found, at)
            case "struct":
                self._no_arguments(found)
                return self.anonymous(at, found.span)
            case "bytes" | "string" | "pad" | "bitmap":
                raise self._fail("type/syntax", f"`{name}` needs a size: `{name}[6]` or `{name}[uint32]`", found.span)
        entity = at.place.module.find(name)
        if entity is None:
            raise self._unknown(name, found.span, at)
        match entity.kind:
            case "alias":
                self._no_arguments(found)
                return self._alias(entity, found.span, at)
            case "struct" | "state":
                return self._struct(entity, found, at)
            case "labels":
                raise self._fail(
                    "name/unknown-type",
                    f"`{name}` names numbers, it is no type",
                    found.span,
                    f"write `uint8 as {name}`",
                )
        raise self._fail("name/unknown-type", f"`{name}` is no type", found.span)

    def _no_arguments(self, found: syntax.NamedType) -> None:
        if found.arguments is not None:
            raise self._fail("type/arguments", f"`{found.name}` takes no arguments", found.span)

    def _unknown(self, name: str, span: Span, at: TypePlace) -> Failed:
        near = did_you_mean(name, [*BUILT_IN, *at.place.module.visible()])
        help = f"did you mean `{near}`?" if near else self.hint(name)
        return self._fail("name/unknown-type", f"there is no type `{name}`", span, help)

    def _alias(self, entity: Entity, span: Span, at: TypePlace) -> WireType:
        declared = entity.declared
        assert isinstance(declared, AliasDecl)
        if entity.name in at.aliases:
            raise self._fail("type/recursion", f"the alias `{entity.name}` stands for itself", declared.span)
        if len(at.aliases) >= MAX_ALIASES:
            raise self._fail(
                "type/recursion", f"aliases stand for each other more than {MAX_ALIASES} deep", declared.span
            )
        if declared.type is None:
            raise Failed
        # An alias means the same everywhere: its expressions see the file that declares it, and ambient facts.
        place = Place(entity.module, reach="ambient", subject=at.place.subject)
        return self.resolve(declared.type, TypePlace(place, at.order, aliases=(*at.aliases, entity.name)))

    def _uint(self, found: syntax.NamedType, at: TypePlace) -> WireType:
        bits = self.expressions.typed(self._one_argument(found), at.place, "int").expression
        if not isinstance(bits, Const):
            return SizedInt(bits, at.order)
        width = next((width for width in WIDTHS if width == bits.value), None)
        if width is None:
            raise self._fail("type/width", f"an integer has 8, 16, 32 or 64 bits, not {bits.value}", bits.span)
        return Int(width, False, at.order)

    def _one_argument(self, found: syntax.NamedType) -> syntax.Expr:
        arguments = found.arguments or ()
        if len(arguments) != 1 or arguments[0].name is not None:
            raise self._fail("type/arguments", f"`{found.name}` takes one argument", found.span)
        return arguments[0].value

    def _selector(self, found: syntax.NamedType, at: TypePlace) -> Expression:
        argument = self._one_argument(found)
        selector = self.expressions.typed(argument, at.place).expression
        if selector.type not in ("int", "text"):
            raise self._fail("expr/type", "a union is chosen by an int or a text", argument.span)
        return selector

    def _hook(self, found: syntax.NamedType, at: TypePlace) -> WireType:
        argument = self._one_argument(found)
        hooks = at.place.module.file.decl.hooks
        if not isinstance(argument, syntax.NameExpr):
            raise self._fail("type/arguments", "`hook` takes the name of a hook", argument.span)
        if hooks is None:
            raise self._fail(
                "hook/missing", "the file has no `hooks:`", found.span, "`hooks: {module: ./NAME.py, types: ...}`"
            )
        for key, declared in hooks.types:
            if key.text == argument.name:
                if declared is None:
                    raise Failed
                if isinstance(declared, syntax.NamedType) and declared.name in ("bytes", "string"):
                    count = Prefixed(Int(32, False))
                    return Hook(argument.name, Bytes(count) if declared.name == "bytes" else String(count))
                place = Place(at.place.module, reach="ambient", subject=at.place.subject)
                return Hook(argument.name, self.resolve(declared, TypePlace(place, at.order)))
        raise self._fail(
            "hook/missing",
            f"`hooks: types:` has no `{argument.name}`",
            argument.span,
            "declare the type of its value there",
        )

    def _struct(self, entity: Entity, found: syntax.NamedType, at: TypePlace) -> StructRef:
        scope = self.scope_of(entity)
        if scope.kind == "section":
            raise self._fail(
                "type/syntax", f"`{found.name}` is a section: only a `vmstate:` can be a part of another", found.span
            )
        return StructRef(scope.id, self._arguments(entity, found, at))

    def _arguments(self, entity: Entity, found: syntax.NamedType, at: TypePlace) -> tuple[Expression, ...]:
        declared = entity.declared
        assert isinstance(declared, DefinitionDecl)
        wanted = {param.name: param for param in declared.params}
        signature = ", ".join(f"{param.name}: {param.type}" for param in declared.params)
        given: dict[str, syntax.Expr] = {}
        for position, argument in enumerate(found.arguments or ()):
            name = argument.name
            if name is None and position < len(declared.params):
                name = declared.params[position].name
            if name is None:
                takes = f"takes {signature}" if signature else "takes no arguments"
                raise self._fail("type/arguments", f"too many arguments: `{found.name}` {takes}", argument.span)
            if name not in wanted:
                near = did_you_mean(name, wanted)
                help = f"did you mean `{near}`?" if near else f"it takes {signature}" if signature else None
                raise self._fail("type/arguments", f"`{found.name}` has no parameter `{name}`", argument.span, help)
            if name in given:
                raise self._fail("type/arguments", f"`{name}` is given twice", argument.span)
            given[name] = argument.value
        missing = [f"{param.name}: {param.type}" for param in declared.params if param.name not in given]
        if missing:
            example = f"{found.name}({', '.join(param.name for param in declared.params)})"
            raise self._fail(
                "type/arguments", f"`{found.name}` needs {', '.join(missing)}", found.span, f"write `{example}`"
            )
        found_arguments = []
        for param in declared.params:
            typed = self.expressions.typed(given[param.name], at.place, param.type)  # type: ignore[arg-type]
            found_arguments.append(typed.expression)
        return tuple(found_arguments)

    def _sized(self, found: syntax.SizedType, at: TypePlace) -> WireType:
        count = self._count(found.size, at)
        if isinstance(count, tuple):
            raise self._fail("type/syntax", f"`{found.name}` has one size", found.size.span)
        match found.name:
            case "bytes":
                return Bytes(count)
            case "string":
                return String(count)
            case "pad":
                if isinstance(count, Prefixed):
                    raise self._fail(
                        "type/pad",
                        "a pad has no length of its own: nothing would keep it",
                        found.size.span,
                        f"write `bytes[{found.size.int_type}]`" if isinstance(found.size, syntax.PrefixDim) else None,
                    )
                return Pad(count)
        return Bitmap(count, at.order)

    def _count(self, dim: syntax.Dim, at: TypePlace) -> Fixed | Prefixed | tuple[Expression, ...]:
        if isinstance(dim, syntax.PrefixDim):
            bits, signed = INTEGERS[dim.int_type]
            return Prefixed(Int(bits, signed, at.order))
        if not isinstance(dim, syntax.ExprDim):
            raise self._fail("type/syntax", "only arrays have an end mark", dim.span, "write `[n]` or `[uint32]`")
        place = replace(at.place, counting=at.name)
        sizes = tuple(self.expressions.typed(size, place, "int").expression for size in dim.sizes)
        for size in sizes:
            if isinstance(size, Const) and int(size.value) < 0:  # type: ignore[arg-type]
                raise self._fail("spec/value", f"a count cannot be {size.value}", size.span)
        return Fixed(sizes[0]) if len(sizes) == 1 else sizes

    def _array(self, found: syntax.ArrayType, at: TypePlace) -> WireType:
        element = self.resolve(found.element, at)
        if isinstance(element, (Array, Grid, ListOf, Tree)):
            raise self._fail(
                "type/double-bracket",
                "an element cannot be an array itself",
                found.dim.span,
                "rows and columns stand in one bracket, `uint8[2, 3]`; or put the inner array into a struct",
            )
        if isinstance(element, Pad):
            raise self._fail("type/syntax", "an array of pads is one pad: multiply the sizes", found.dim.span)
        match found.dim:
            case syntax.UntilDim() as dim:
                bits, signed = INTEGERS[dim.int_type]
                value = self.expressions.typed(dim.value, at.place, "int").expression
                mark = Int(bits, signed, at.order)
                if isinstance(value, Const) and not fits(int(value.value), mark):  # type: ignore[arg-type]
                    raise self._fail("type/width", f"{value.value} does not fit into {dim.int_type}", dim.value.span)
                return Array(element, Until(mark, value))
            case syntax.ThroughDim() as dim:
                return Array(element, Through(self._through(dim, element, at)))
        count = self._count(found.dim, at)
        return Grid(element, count) if isinstance(count, tuple) else Array(element, count)

    def _through(self, dim: syntax.ThroughDim, element: WireType, at: TypePlace) -> Expression:
        kind = value_type(element)
        if kind is None:
            raise self._fail("expr/type", "its elements have no value that could be asked", dim.span)
        it = Typed(It(kind, dim.span), element, at.place.scope)
        return self.expressions.typed(dim.condition, replace(at.place, it=it), "bool").expression
