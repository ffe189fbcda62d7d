"""Members of struct-valued expressions, with the proof that they are there.

Conditions of a struct's inside are written over its own names; to prove them where the struct is used, their keys are
moved: a field becomes a member of the struct, a parameter its argument, ``version`` the version it is read at.
"""

from __future__ import annotations

from collections.abc import Callable

from vmsgen.diagnostics import Note, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.diagnostics.suggest import did_you_mean
from vmsgen.spec.expression import Member
from vmsgen.spec.facts import FALSE, Key, Namer, bounded, implied, key, translated
from vmsgen.spec.place import Place, source_text
from vmsgen.spec.scope import Failed, Scope, Symbol, Typed
from vmsgen.spec.values import ARTICLES
from vmsgen.spec.wire_types import Nullable, StructRef, Union


class Members:
    """``open_scope`` gives the scope of a definition, resolved as far as it can be."""

    def __init__(self, reporter: Reporter, open_scope: Callable[[str], Scope]) -> None:
        self.reporter = reporter
        self.open_scope = open_scope

    def _fail(
        self, rule: str, message: str, span: Span, help: str | None = None, notes: tuple[Note, ...] = ()
    ) -> Failed:
        self.reporter.error(rule, message, span, help=help, notes=notes)
        return Failed()

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
            raise self._fail(
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
            raise self._fail("name/unknown", f"{scope.class_name} has no `{name}`", name_span, help)
        symbol.used = True
        if symbol.type is None:
            if symbol.why is not None:
                raise self._fail("expr/type", f"`{name}`: {symbol.why}", name_span)
            raise Failed
        if symbol.source == "let":
            scope.exported.add(name)
            if place.module is not scope.module:
                place.module.asked.add(("export", scope.id, name))
        moved = self._moved(base, wire, scope, place)
        own = ("member", self.key(base, place), name)
        self.present(symbol, own, moved, span, place, source_text(span))
        member = Member(base.expression, name, symbol.type, span)
        return Typed(member, symbol.wire, symbol.origin, lambda found: moved(symbol.moved(found)))

    def _moved(self, base: Typed, wire: StructRef, scope: Scope, place: Place) -> Callable[[Key], Key]:
        """How keys of the inside of a struct read where ``base`` stands."""
        base_key = self.key(base, place)
        arguments = {param.name: argument for param, argument in zip(scope.params, wire.arguments, strict=False)}
        version = wire.at_version if wire.at_version is not None else scope.version
        inside = _origin_namer(base, place)

        # An argument may stand in a key many times, and be made of arguments itself: each is moved once.
        moved: dict[str, Key] = {}

        def leaf(found: Key) -> Key | None:
            if found[0] == "ref":
                if found[1] != scope.id:
                    return base.moved(found)
                if found[2] in arguments:
                    if found[2] not in moved:
                        moved[found[2]] = base.moved(key(arguments[found[2]], inside))
                    return moved[found[2]]
                return ("member", base_key, found[2])
            if found[0] == "version":
                return ("const", "int", version) if found[1] == scope.id else base.moved(found)
            return None

        return lambda found: bounded(translated(found, leaf))

    def _union_member(self, base: Typed, wire: Union, name: str, name_span: Span, span: Span, place: Place) -> Typed:
        selector = base.moved(key(wire.selector, _origin_namer(base, place)))
        having = []
        others = isinstance(wire.otherwise, str)
        for case in wire.cases:
            equal: Key = ("compare", selector, "==", ("const", wire.selector.type, case.value))
            if implied(place.facts, equal):
                if case.type is None:
                    raise self._fail("name/unknown", f"the case `{case.name}` has no `{name}`: it is empty", name_span)
                return self._struct_member(base, case.type, name, name_span, span, place)
            if case.type is not None and name in self.open_scope(case.type.definition).symbols:
                having.append(case)
            elif not implied(place.facts, ("compare", selector, "!=", ("const", wire.selector.type, case.value))):
                others = True
        if wire.otherwise is not None and not isinstance(wire.otherwise, str):
            others = others or name not in self.open_scope(wire.otherwise.definition).symbols
        if not having:
            raise self._fail("name/unknown", f"no case of `{source_text(base.span)}` has `{name}`", name_span)
        if others:
            chosen = ", ".join(f"`{case.name}`" for case in having)
            raise self._fail(
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
            raise self._fail(
                "expr/type", f"`{name}` has different types in the cases of `{source_text(base.span)}`", span
            )
        return found[0]

    def _not_null(self, base: Typed, place: Place) -> None:
        if not implied(place.facts, ("has", self.key(base, place))):
            text = source_text(base.span)
            raise self._fail("expr/absent", f"`{text}` may be NULL", base.span, f"guard it with `has({text})`")

    def key(self, found: Typed, place: Place) -> Key:
        """The key of a typed expression as it reads at ``place``."""
        return key(found.expression, place.namer)

    def present(
        self, symbol: Symbol, own: Key, moved: Callable[[Key], Key], span: Span, place: Place, text: str
    ) -> None:
        if place.probing or implied(place.facts, ("has", own)):
            return
        for conjunct in symbol.presence:
            if conjunct == FALSE:
                raise self._fail("expr/absent", f"`{text}` is never there", span)
            if not implied(place.facts, moved(conjunct)):
                if symbol.source == "derived" and place.counting:
                    raise self._fail(
                        "cond/needed-by",
                        f"`{text}` counts `{place.counting}`, but is there only {symbol.guard}",
                        span,
                        f"give both the same condition, or write `{text} if ... else ...`",
                        (Note("it stands here", symbol.span),),
                    )
                notes = (Note("it stands here", symbol.span),)
                guard = f" (it is there {symbol.guard})" if symbol.guard else ""
                raise self._fail(
                    "expr/absent",
                    f"`{text}` may be absent{guard}",
                    span,
                    f"guard it: use it under the same condition, or write `{text} if has({text}) else ...`",
                    notes,
                )


def _origin_namer(base: Typed, place: Place) -> Namer:
    return base.origin.namer if base.origin is not None else place.namer


def _literal(value: int | str) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
