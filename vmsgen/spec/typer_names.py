"""Names in expressions: bare ones, dotted ones, and members of structs, with the proof that they are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from vmsgen.diagnostics import Note, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.diagnostics.suggest import did_you_mean
from vmsgen.spec import syntax
from vmsgen.spec.expression import Ambient, Const, Member, Mine, PropRef, Ref, ValueType
from vmsgen.spec.facts import FALSE, Key, Namer, implied, key, translated
from vmsgen.spec.model import Nullable, StructRef, Union
from vmsgen.spec.place import Place, source_text
from vmsgen.spec.scope import Entity, Failed, Scope, Symbol, Typed, capture
from vmsgen.spec.values import ARTICLES, definition_of, value_type

#: Names that need no declaration, and their types.
AMBIENT: dict[str, ValueType] = {
    "version": "int",
    "qemu": "release",
    "host_endian": "endian",
    "target.arch": "text",
    "target.long_bits": "int",
    "target.big_endian": "bool",
    "section.bus": "text",
    "section.instance": "int",
    "machine.name": "text",
    "machine.release": "release",
}
#: What may stand for a count in brackets, for suggestions.
PREFIXES = tuple(f"{sign}int{bits}" for sign in ("u", "") for bits in (8, 16, 32, 64))
_AMBIENT_ROOTS = {name.partition(".")[0] for name in AMBIENT if "." in name}


class Names:
    """Looks names up in the order of the language: ``it`` and ``mine``, definitions, constants, ambient facts."""

    def __init__(
        self, reporter: Reporter, open_scope: Callable[[str], Scope], hints: Callable[[str], str | None]
    ) -> None:
        self.reporter = reporter
        self.open_scope = open_scope
        #: where else a name is defined, as a help text
        self.hints = hints
        #: the definition that uses a struct and has a name, with its place; set by the resolver
        self.outer: Callable[[str, Scope], tuple[Scope, Span] | None] = lambda name, scope: None
        #: gives the value of a constant; set by the resolver of modules
        self.constant: Callable[[Entity], Const] = lambda entity: _no_constants(entity)

    value_type = staticmethod(value_type)

    def _fail(
        self, rule: str, message: str, span: Span, help: str | None = None, notes: tuple[Note, ...] = ()
    ) -> NoReturn:
        self.reporter.error(rule, message, span, help=help, notes=notes)
        raise Failed

    # ------------------------------------------------------------------------------------------ bare names

    def bare(self, name: str, span: Span, place: Place) -> Typed:
        """The value of a name that stands alone. Raises :class:`Failed` after a report."""
        if name == "it" and place.it is not None:
            return place.it
        if name == "mine" and place.it is not None and place.mine:
            return Typed(Mine(place.it.type, span))
        found = self._symbol(name, span, place)
        if found is not None:
            return found
        entity = place.module.find(name)
        if entity is not None and entity.kind == "const":
            constant = self.constant(entity)
            if constant.type == "list":
                self._fail("expr/type", f"`{name}` is a list: it can stand only after `in`", span)
            return Typed(Const(constant.value, constant.type, span))
        if entity is not None:
            help = f"name one of its members: `{name}.{_first_label(entity)}`" if entity.kind == "labels" else None
            self._fail("name/unknown", f"`{name}` is a type, not a value", span, help)
        if name in AMBIENT:
            return self._ambient(name, span, place)
        self._unknown(name, span, place)

    def _symbol(self, name: str, span: Span, place: Place) -> Typed | None:
        if place.reach != "scope" or place.scope is None:
            return None
        owners = [scope for scope in place.scope.chain() if name in scope.symbols or name in scope.declared]
        if not owners:
            return self._of_subsection(name, span, place)
        owner = owners[0]
        symbol = owner.symbols.get(name)
        if len(owners) > 1:
            places = [(s.symbols[name].span if name in s.symbols else s.declared[name]) for s in owners]
            self._fail(
                "name/shadow",
                f"`{name}` is a name of {owners[0].class_name} and of {owners[1].class_name} around it",
                span,
                "give one of them another name with `as:`",
                tuple(Note("here", at) for at in places),
            )
        if symbol is None and place.subject == f"{owner.class_name}.{name}":
            self._fail("name/later", f"`{name}` is not read yet where its own type and conditions are needed", span)
        if symbol is None:
            self._fail(
                "name/later",
                f"`{name}` is read later",
                span,
                "only what was read before can be used; make the count a prop and the later field `= len(...)` (derived)",
                (Note("it stands here", owner.declared[name]),),
            )
        symbol.used = True
        if symbol.type is None:
            if symbol.why is not None:
                self._fail("expr/type", f"`{name}`: {symbol.why}", span)
            raise Failed
        captured = owner is not place.scope
        if captured:
            capture(place.scope, owner, name, symbol.type, symbol.span, definition_of(symbol.wire))
        ref = Ref(name, "capture" if captured else symbol.source, symbol.type, span)
        self._present(symbol, ("ref", owner.id, name), lambda found: found, span, place, name)
        return Typed(ref, symbol.wire, symbol.origin, symbol.moved)

    def _of_subsection(self, name: str, span: Span, place: Place) -> Typed | None:
        """A field of the subsection that `needed` is about, as a member of its owner's attribute."""
        attribute, scope = place.about if place.about is not None else ("", None)
        symbol = scope.symbols.get(name) if scope is not None else None
        if symbol is None or scope is None:
            return None
        symbol.used = True
        if symbol.type is None:
            if symbol.why is not None:
                self._fail("expr/type", f"`{name}`: {symbol.why}", span)
            raise Failed
        if symbol.source == "let":
            scope.exported.add(name)
        self._present(symbol, ("ref", scope.id, name), lambda found: found, span, place, name)
        base = Ref(attribute, "field", "struct", span)
        return Typed(Member(base, name, symbol.type, span), symbol.wire, symbol.origin, symbol.moved)

    def _ambient(self, name: str, span: Span, place: Place) -> Typed:
        if place.reach == "constant":
            self._fail("name/unknown", f"`{name}` is not known when constants are computed", span)
        if name == "version":
            return self.version(span, place)
        if name == "host_endian" and place.module.machine is not None:
            place.module.find_prop(name)
        return Typed(Ambient(name, AMBIENT[name], span))

    def version(self, span: Span, place: Place) -> Typed:
        """``version`` as it reads here: in an anonymous part it is captured from the definition around it."""
        scope = place.scope
        if scope is None or place.reach != "scope":
            self._fail("name/unknown", "`version` has no meaning here", span)
        scope.versioned.uses_version = True
        if scope.versioned is scope:
            return Typed(Ambient("version", "int", span))
        clash = next((s for s in scope.chain() if "version" in s.symbols), None)
        if clash is not None:
            self._fail(
                "name/shadow",
                "the version is needed in an anonymous struct beside a field called `version`",
                span,
                "give the field another name with `as:`",
                (Note("the field", clash.symbols["version"].span),),
            )
        capture(scope, scope.versioned, "version", "int", span, None)
        return Typed(Ref("version", "capture", "int", span))

    # ------------------------------------------------------------------------------------------ dotted names

    def dotted(self, expr: syntax.MemberExpr, place: Place) -> Typed | None:
        """A dotted name that is no member of a value: a label, a prop, an ambient fact. None: take it as a member."""
        parts = _parts(expr)
        if parts is None:
            self.wire_spelling(expr, place)
            return None
        root = parts[0]
        if root == "it" and place.it is not None:
            return None
        if place.scope is not None and place.reach == "scope":
            if any(root in scope.symbols or root in scope.declared for scope in place.scope.chain()):
                return None
            self.wire_spelling(expr, place)
        if root == "props" and len(parts) > 1:
            return self._prop(expr, ".".join(parts[1:]), place) if len(parts) == 2 else None
        entity = place.module.find(root)
        if entity is not None and entity.labels is not None and len(parts) == 2:
            return self._label(entity, parts[1], expr)
        name = ".".join(parts)
        if name in AMBIENT and place.reach != "constant":
            if place.module.machine is not None:
                place.module.find_prop(name)
            return Typed(Ambient(name, AMBIENT[name], expr.span))
        if root in _AMBIENT_ROOTS:
            near = did_you_mean(name, AMBIENT)
            help = f"did you mean `{near}`?" if near else f"facts are {', '.join(n for n in AMBIENT if '.' in n)}"
            self._fail("name/unknown", f"there is no fact `{name}`", expr.span, help)
        return None

    def _label(self, entity: Entity, name: str, expr: syntax.MemberExpr) -> Typed:
        labels = entity.labels
        assert labels is not None
        for low, high, label in labels.members:
            if label == name:
                value = low if labels.kind == "enum" else ((1 << (high - low + 1)) - 1) << low
                return Typed(Const(value, "int", expr.span))
        near = did_you_mean(name, [label for _, _, label in labels.members])
        self._fail(
            "name/unknown",
            f"{entity.name} has no `{name}`",
            expr.name_span,
            f"did you mean `{entity.name}.{near}`?" if near else None,
        )

    def _prop(self, expr: syntax.MemberExpr, name: str, place: Place) -> Typed:
        if place.reach == "constant":
            self._fail("name/unknown", "props are not known when constants are computed", expr.span)
        found = place.module.find_prop(name)
        if found is None:
            known = [*place.module.props, *(n for n, t in place.module.imported.items() if n in t.target.props)]
            near = did_you_mean(name, known)
            help = f"did you mean `props.{near}`?" if near else self.hints(name) or "declare it under `props:`"
            self._fail("name/unknown", f"there is no prop `{name}` here", expr.name_span, help)
        if name in AMBIENT and found.module is place.module.machine:
            return Typed(Ambient(name, AMBIENT[name], expr.span))
        return Typed(PropRef(found.module.path, name, found.declared.kind, expr.span))

    # ------------------------------------------------------------------------------------------ members

    def member(self, base: Typed, name: str, name_span: Span, span: Span, place: Place) -> Typed:
        """``base.name``, proven to be there. Raises :class:`Failed` after a report."""
        wire = base.wire
        if isinstance(wire, Nullable):
            self._not_null(base, place)
            wire = wire.element
        if isinstance(wire, Union):
            return self._union_member(base, wire, name, name_span, span, place)
        if not isinstance(wire, StructRef):
            help = f"an element has members: `{source_text(base.span)}[i].{name}`" if base.type == "structs" else None
            self._fail(
                "expr/type", f"`{source_text(base.span)}` is {ARTICLES[base.type]}: it has no members", base.span, help
            )
        return self._struct_member(base, wire, name, name_span, span, place)

    def _struct_member(
        self, base: Typed, wire: StructRef, name: str, name_span: Span, span: Span, place: Place
    ) -> Typed:
        scope = self.open_scope(wire.definition)
        symbol = scope.symbols.get(name)
        if symbol is None or symbol.source == "param":
            near = did_you_mean(name, [n for n, s in scope.symbols.items() if s.source != "param"])
            help = f"did you mean `{near}`?" if near else None
            if symbol is not None:
                help = "parameters belong to the inside of a struct; pass a let of the same value on"
            elif name in scope.declared:
                help = "it is read later"
            self._fail("name/unknown", f"{scope.class_name} has no `{name}`", name_span, help)
        symbol.used = True
        if symbol.type is None:
            if symbol.why is not None:
                self._fail("expr/type", f"`{name}`: {symbol.why}", name_span)
            raise Failed
        if symbol.source == "let":
            scope.exported.add(name)
        moved = self._moved(base, wire, scope, place)
        own = ("member", self.key(base, place), name)
        self._present(symbol, own, moved, span, place, source_text(span))
        member = Member(base.expression, name, symbol.type, span)
        return Typed(member, symbol.wire, symbol.origin, lambda found: moved(symbol.moved(found)))

    def _moved(self, base: Typed, wire: StructRef, scope: Scope, place: Place) -> Callable[[Key], Key]:
        """How keys of the inside of a struct read where ``base`` stands."""
        base_key = self.key(base, place)
        arguments = {param.name: argument for param, argument in zip(scope.params, wire.arguments, strict=False)}
        version = wire.at_version if wire.at_version is not None else scope.version
        inside = _origin_namer(base, place)

        def leaf(found: Key) -> Key | None:
            if found[0] == "ref":
                if found[1] != scope.id:
                    return base.moved(found)
                if found[2] in arguments:
                    return base.moved(key(arguments[found[2]], inside))
                return ("member", base_key, found[2])
            if found[0] == "version":
                return ("const", "int", version) if found[1] == scope.id else base.moved(found)
            return None

        return lambda found: translated(found, leaf)

    def _union_member(self, base: Typed, wire: Union, name: str, name_span: Span, span: Span, place: Place) -> Typed:
        selector = base.moved(key(wire.selector, _origin_namer(base, place)))
        having = []
        others = isinstance(wire.otherwise, str)
        for case in wire.cases:
            equal: Key = ("compare", selector, "==", ("const", wire.selector.type, case.value))
            if implied(place.facts, equal):
                if case.type is None:
                    self._fail("name/unknown", f"the case `{case.name}` has no `{name}`: it is empty", name_span)
                return self._struct_member(base, case.type, name, name_span, span, place)
            if case.type is not None and name in self.open_scope(case.type.definition).symbols:
                having.append(case)
            elif not implied(place.facts, ("compare", selector, "!=", ("const", wire.selector.type, case.value))):
                others = True
        if wire.otherwise is not None and not isinstance(wire.otherwise, str):
            others = others or name not in self.open_scope(wire.otherwise.definition).symbols
        if not having:
            self._fail("name/unknown", f"no case of `{source_text(base.span)}` has `{name}`", name_span)
        if others:
            chosen = ", ".join(f"`{case.name}`" for case in having)
            self._fail(
                "expr/absent",
                f"only the case {chosen} of `{source_text(base.span)}` has `{name}`",
                span,
                f"guard it with `{source_text(wire.selector.span)} == {_literal(having[0].value)}`",
            )
        found = [
            self._struct_member(base, case.type, name, name_span, span, place)
            for case in having
            if case.type is not None
        ]
        if len({one.type for one in found}) > 1:
            self._fail("expr/type", f"`{name}` has different types in the cases of `{source_text(base.span)}`", span)
        return found[0]

    def _not_null(self, base: Typed, place: Place) -> None:
        if not implied(place.facts, ("has", self.key(base, place))):
            text = source_text(base.span)
            self._fail("expr/absent", f"`{text}` may be NULL", base.span, f"guard it with `has({text})`")

    def key(self, found: Typed, place: Place) -> Key:
        """The key of a typed expression as it reads at ``place``."""
        return key(found.expression, place.namer)

    def _present(
        self, symbol: Symbol, own: Key, moved: Callable[[Key], Key], span: Span, place: Place, text: str
    ) -> None:
        if place.probing or implied(place.facts, ("has", own)):
            return
        for conjunct in symbol.presence:
            if conjunct == FALSE:
                self._fail("expr/absent", f"`{text}` is never there", span)
            if not implied(place.facts, moved(conjunct)):
                if symbol.source == "derived" and place.counting:
                    self._fail(
                        "cond/needed-by",
                        f"`{text}` counts `{place.counting}`, but is there only {symbol.guard}",
                        span,
                        f"give both the same condition, or write `{text} if ... else ...`",
                        (Note("it stands here", symbol.span),),
                    )
                notes = (Note("it stands here", symbol.span),)
                guard = f" (it is there {symbol.guard})" if symbol.guard else ""
                self._fail(
                    "expr/absent",
                    f"`{text}` may be absent{guard}",
                    span,
                    f"guard it: use it under the same condition, or write `{text} if has({text}) else ...`",
                    notes,
                )

    # ------------------------------------------------------------------------------------------ lists, mistakes

    def list_constant(self, name: str, span: Span, place: Place) -> tuple[int | str, ...]:
        """The items of a constant list. Raises :class:`Failed` after a report."""
        entity = place.module.find(name)
        if entity is not None and entity.kind == "const":
            constant = self.constant(entity)
            if constant.type == "list" and isinstance(constant.value, tuple):
                return constant.value
            self._fail("expr/type", f"`{name}` is {ARTICLES[constant.type]}, not a list", span)
        known = [n for n in place.module.visible()]
        near = did_you_mean(name, known)
        help = (
            f"did you mean `{near}`?" if near else self.hints(name) or "a set is written `in (1, 2)`, a range `in 1..2`"
        )
        self._fail("name/unknown", f"there is no list `{name}`", span, help)

    def no_labels(self, name: str, span: Span, place: Place) -> NoReturn:
        """Report a name behind `as` that is no enum and no flags."""
        near = did_you_mean(name, place.module.visible())
        help = f"did you mean `{near}`?" if near else self.hints(name) or "define it under `enums:` or `flags:`"
        self._fail("name/unknown", f"there is no enum and no flags `{name}`", span, help)

    def wire_spelling(self, expr: syntax.MemberExpr | syntax.IndexExpr, place: Place) -> None:
        """Report the wire's spelling of a name that is known by its Python name."""
        text = source_text(expr.span)
        if place.scope is None or place.reach != "scope":
            return
        root: syntax.Expr = expr
        while isinstance(root, (syntax.MemberExpr, syntax.IndexExpr)):
            root = root.base
        if isinstance(root, syntax.NameExpr) and any(
            root.name in scope.symbols or root.name in scope.declared for scope in place.scope.chain()
        ):
            return
        for scope in place.scope.chain():
            name = scope.python_name(text)
            if name in scope.declared or name in scope.symbols:
                self._fail(
                    "name/wire-spelling",
                    f"`{text}` is the name on the wire",
                    expr.span,
                    f"in expressions this is `{name}`",
                )

    def _unknown(self, name: str, span: Span, place: Place) -> NoReturn:
        if place.reach == "scope" and place.scope is not None:
            scopes = list(place.scope.chain())
            for scope in scopes:
                derived = scope.python_name(name)
                if derived != name and (derived in scope.declared or derived in scope.symbols):
                    self._fail(
                        "name/wire-spelling",
                        f"`{name}` is the name on the wire",
                        span,
                        f"in expressions this is `{derived}`",
                    )
            outer = self.outer(name, scopes[-1])
            if outer is not None:
                user, declared = outer
                used = f"{scopes[-1].class_name}({name})"
                self._fail(
                    "name/outer",
                    f"`{name}` is a name of {user.class_name}, which {scopes[-1].class_name} does not see",
                    span,
                    f"pass it as a parameter: `params: {{{name}: int}}`, and `{used}` where it is used",
                    (Note("it stands here", declared),),
                )
            known = {n for s in scopes for n in (*s.symbols, *s.declared)}
        else:
            known = set()
        known |= {*place.module.visible(), *AMBIENT}
        if place.it is not None:
            known.add("it")
        if place.counting:
            known |= set(PREFIXES)
        near = did_you_mean(name, known)
        if name in ("it", "mine", "self"):
            help: str | None = "`it` and `mine` have a meaning only in a `check:`"
        elif name in place.module.props:
            help = f"a prop is written `props.{name}`"
        else:
            help = f"did you mean `{near}`?" if near else self.hints(name)
        if help is None and place.reach == "ambient":
            help = f"only what holds for the whole section is known here: {', '.join(AMBIENT)}, props.NAME"
        self._fail("name/unknown", f"there is no `{name}` here", span, help)


def _origin_namer(base: Typed, place: Place) -> Namer:
    return base.origin.namer if base.origin is not None else place.namer


def _parts(expr: syntax.Expr) -> list[str] | None:
    """The names of a purely dotted name."""
    if isinstance(expr, syntax.NameExpr):
        return [expr.name]
    if isinstance(expr, syntax.MemberExpr):
        before = _parts(expr.base)
        return [*before, expr.name] if before is not None else None
    return None


def _literal(value: int | str) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _first_label(entity: Entity) -> str:
    return entity.labels.members[0][2] if entity.labels is not None and entity.labels.members else "NAME"


def _no_constants(entity: Entity) -> Const:
    raise Failed
