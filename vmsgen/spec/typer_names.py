"""Names in expressions: bare ones, dotted ones, and members of structs, with the proof that they are there."""

from __future__ import annotations

from collections.abc import Callable

from vmsgen.diagnostics import Note, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.diagnostics.suggest import did_you_mean
from vmsgen.spec import syntax
from vmsgen.spec.ambient import AMBIENT
from vmsgen.spec.expression import Ambient, Const, Member, Mine, PropRef, Ref
from vmsgen.spec.place import Place
from vmsgen.spec.scope import Entity, Failed, Scope, Typed, capture
from vmsgen.spec.typer_members import Members
from vmsgen.spec.typer_mistakes import Mistakes
from vmsgen.spec.values import ARTICLES, definition_of, value_type

_AMBIENT_ROOTS = {name.partition(".")[0] for name in AMBIENT if "." in name}


class Names:
    """Looks names up in the order of the language: ``it`` and ``mine``, definitions, constants, ambient facts."""

    def __init__(
        self, reporter: Reporter, open_scope: Callable[[str], Scope], hints: Callable[[str], str | None]
    ) -> None:
        self.reporter = reporter
        self.members = Members(reporter, open_scope)
        self.mistakes = Mistakes(reporter, hints)
        #: gives the value of a constant; set by the resolver of modules
        self.constant: Callable[[Entity], Const] = lambda entity: _no_constants(entity)

    value_type = staticmethod(value_type)

    def _fail(
        self, rule: str, message: str, span: Span, help: str | None = None, notes: tuple[Note, ...] = ()
    ) -> Failed:
        self.reporter.error(rule, message, span, help=help, notes=notes)
        return Failed()

    def bare(self, name: str, span: Span, place: Place) -> Typed:
        """The value of a name that stands alone. Raises :class:`Failed` after a report."""
        if name == "it" and place.it is not None:
            return place.it
        if name == "mine" and place.it is not None and place.mine:
            return Typed(Mine(place.it.type, span))
        found = self._symbol(name, span, place)
        if found is not None:
            return found
        if name == "self" and place.scope is not None and place.reach == "scope":
            return self._self(span, place.scope)
        entity = place.module.find(name)
        if entity is not None and entity.kind == "const":
            constant = self.constant(entity)
            if constant.type == "list":
                raise self._fail("expr/type", f"`{name}` is a list: it can stand only after `in`", span)
            return Typed(Const(constant.value, constant.type, span))
        if entity is not None:
            help = f"name one of its members: `{name}.{_first_label(entity)}`" if entity.kind == "labels" else None
            raise self._fail("name/unknown", f"`{name}` is a type, not a value", span, help)
        if name in AMBIENT:
            return self._ambient(name, span, place)
        raise self.mistakes.unknown(name, span, place)

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
            raise self._fail(
                "name/shadow",
                f"`{name}` is a name of {owners[0].class_name} and of {owners[1].class_name} around it",
                span,
                "give one of them another name with `as:`",
                tuple(Note("here", at) for at in places),
            )
        if symbol is None and place.subject == f"{owner.class_name}.{name}":
            raise self._fail(
                "name/later", f"`{name}` is not read yet where its own type and conditions are needed", span
            )
        if symbol is None:
            raise self._fail(
                "name/later",
                f"`{name}` is read later",
                span,
                "only what was read before can be used; make the count a prop "
                "and the later field `= len(...)` (derived)",
                (Note("it stands here", owner.declared[name]),),
            )
        symbol.used = True
        if symbol.type is None:
            if symbol.why is not None:
                raise self._fail("expr/type", f"`{name}`: {symbol.why}", span)
            raise Failed
        captured = owner is not place.scope
        if captured:
            capture(place.scope, owner, name, symbol.type, symbol.span, definition_of(symbol.wire))
        ref = Ref(name, "capture" if captured else symbol.source, symbol.type, span)
        self.members.present(symbol, ("ref", owner.id, name), lambda found: found, span, place, name)
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
                raise self._fail("expr/type", f"`{name}`: {symbol.why}", span)
            raise Failed
        if symbol.source == "let":
            scope.exported.add(name)
        self.members.present(symbol, ("ref", scope.id, name), lambda found: found, span, place, name)
        base = Ref(attribute, "field", "struct", span)
        return Typed(Member(base, name, symbol.type, span), symbol.wire, symbol.origin, symbol.moved)

    def _ambient(self, name: str, span: Span, place: Place) -> Typed:
        if place.reach == "constant":
            raise self._fail("name/unknown", f"`{name}` is not known when constants are computed", span)
        if name == "version":
            return self.version(span, place)
        if name == "host_endian" and place.module.machine is not None:
            place.module.find_prop(name)
        return Typed(Ambient(name, AMBIENT[name], span))

    def version(self, span: Span, place: Place) -> Typed:
        """``version`` as it reads here: in an anonymous part it is captured from the definition around it."""
        scope = place.scope
        if scope is None or place.reach != "scope":
            help = "only the fields of a definition have a version; the sender's release is `qemu`"
            raise self._fail("name/unknown", "`version` has no meaning here", span, help)
        scope.versioned.uses_version = True
        if scope.versioned is scope:
            return Typed(Ambient("version", "int", span))
        clash = next((s for s in scope.chain() if "version" in s.symbols), None)
        if clash is not None:
            raise self._fail(
                "name/shadow",
                "the version is needed in an anonymous struct beside a field called `version`",
                span,
                "give the field another name with `as:`",
                (Note("the field", clash.symbols["version"].span),),
            )
        capture(scope, scope.versioned, "version", "int", span, None)
        return Typed(Ref("version", "capture", "int", span))

    def looking(self, what: str, span: Span, scope: Scope) -> Scope:
        """The view that `at` or `self` (``what``) in ``scope`` belongs to. Raises :class:`Failed` where none can be."""
        view = scope.versioned
        if view.kind != "struct":
            raise self._fail(
                "view/only",
                f"`{what}` belongs to a view, which {view.class_name} is not",
                span,
                "a view is a struct that bytes name under `view:`",
            )
        view.uses_bytes = view.uses_bytes or (what, span)
        return view

    def _self(self, span: Span, scope: Scope) -> Typed:
        """The bytes that a view reads."""
        view = self.looking("self", span, scope)
        if view is scope:
            return Typed(Ref("self", "view", "bytes", span))
        capture(scope, view, "self", "bytes", span, None)
        return Typed(Ref("self", "capture", "bytes", span))

    def dotted(self, expr: syntax.MemberExpr, place: Place) -> Typed | None:
        """A dotted name that is no member of a value: a label, a prop, an ambient fact. None: take it as a member."""
        parts = _parts(expr)
        if parts is None:
            self.mistakes.wire_spelling(expr, place)
            return None
        root = parts[0]
        if root == "it" and place.it is not None:
            return None
        if place.scope is not None and place.reach == "scope":
            if any(root in scope.symbols or root in scope.declared for scope in place.scope.chain()):
                return None
            self.mistakes.wire_spelling(expr, place)
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
            raise self._fail("name/unknown", f"there is no fact `{name}`", expr.span, help)
        return None

    def _label(self, entity: Entity, name: str, expr: syntax.MemberExpr) -> Typed:
        labels = entity.labels
        assert labels is not None
        for low, high, label in labels.members:
            if label == name:
                value = low if labels.kind == "enum" else ((1 << (high - low + 1)) - 1) << low
                return Typed(Const(value, "int", expr.span))
        near = did_you_mean(name, [label for _, _, label in labels.members])
        raise self._fail(
            "name/unknown",
            f"{entity.name} has no `{name}`",
            expr.name_span,
            f"did you mean `{entity.name}.{near}`?" if near else None,
        )

    def _prop(self, expr: syntax.MemberExpr, name: str, place: Place) -> Typed:
        if place.reach == "constant":
            raise self._fail("name/unknown", "props are not known when constants are computed", expr.span)
        found = place.module.find_prop(name)
        if found is None:
            known = [*place.module.props, *(n for n, t in place.module.imported.items() if n in t.target.props)]
            near = did_you_mean(name, known)
            help = f"did you mean `props.{near}`?" if near else self.mistakes.hints(name) or "declare it under `props:`"
            raise self._fail("name/unknown", f"there is no prop `{name}` here", expr.name_span, help)
        if name in AMBIENT and found.module is place.module.machine:
            return Typed(Ambient(name, AMBIENT[name], expr.span))
        return Typed(PropRef(found.module.path, name, found.declared.kind, expr.span))

    def list_constant(self, name: str, span: Span, place: Place) -> tuple[int | str, ...]:
        """The items of a constant list. Raises :class:`Failed` after a report."""
        entity = place.module.find(name)
        if entity is not None and entity.kind == "const":
            constant = self.constant(entity)
            if constant.type == "list" and isinstance(constant.value, tuple):
                return constant.value
            raise self._fail("expr/type", f"`{name}` is {ARTICLES[constant.type]}, not a list", span)
        known = place.module.visible()
        near = did_you_mean(name, known)
        help = (
            f"did you mean `{near}`?"
            if near
            else self.mistakes.hints(name) or "a set is written `in (1, 2)`, a range `in 1..2`"
        )
        raise self._fail("name/unknown", f"there is no list `{name}`", span, help)


def _parts(expr: syntax.Expr) -> list[str] | None:
    """The names of a purely dotted name."""
    if isinstance(expr, syntax.NameExpr):
        return [expr.name]
    if isinstance(expr, syntax.MemberExpr):
        before = _parts(expr.base)
        return [*before, expr.name] if before is not None else None
    return None


def _first_label(entity: Entity) -> str:
    return entity.labels.members[0][2] if entity.labels is not None and entity.labels.members else "NAME"


def _no_constants(entity: Entity) -> Const:
    raise Failed
