"""What to say about a name that was not found: the wire's spelling, a name of the struct's user, a mistyped one."""

from __future__ import annotations

from collections.abc import Callable

from vmsgen.diagnostics import Note, Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.diagnostics.suggest import did_you_mean
from vmsgen.spec import syntax
from vmsgen.spec.ambient import AMBIENT
from vmsgen.spec.place import Place, source_text
from vmsgen.spec.scope import Failed, Scope

#: What may stand for a count in brackets, for suggestions.
PREFIXES = tuple(f"{sign}int{bits}" for sign in ("u", "") for bits in (8, 16, 32, 64))


class Mistakes:
    """Reports names that mean nothing where they stand."""

    def __init__(self, reporter: Reporter, hints: Callable[[str], str | None]) -> None:
        self.reporter = reporter
        #: where else a name is defined, as a help text
        self.hints = hints
        #: the definition that uses a struct and has a name, with its place; set by the resolver
        self.outer: Callable[[str, Scope], tuple[Scope, Span] | None] = lambda name, scope: None

    def _fail(
        self, rule: str, message: str, span: Span, help: str | None = None, notes: tuple[Note, ...] = ()
    ) -> Failed:
        self.reporter.error(rule, message, span, help=help, notes=notes)
        return Failed()

    def no_labels(self, name: str, span: Span, place: Place) -> Failed:
        """Report a name behind `as` that is no enum and no flags; the exception to raise."""
        near = did_you_mean(name, place.module.visible())
        help = f"did you mean `{near}`?" if near else self.hints(name) or "define it under `enums:` or `flags:`"
        return self._fail("name/unknown", f"there is no enum and no flags `{name}`", span, help)

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
                raise self._fail(
                    "name/wire-spelling",
                    f"`{text}` is the name on the wire",
                    expr.span,
                    f"in expressions this is `{name}`",
                )

    def unknown(self, name: str, span: Span, place: Place) -> Failed:
        """Report a name that means nothing; the exception to raise."""
        if place.reach == "scope" and place.scope is not None:
            scopes = list(place.scope.chain())
            for scope in scopes:
                derived = scope.python_name(name)
                if derived != name and (derived in scope.declared or derived in scope.symbols):
                    return self._fail(
                        "name/wire-spelling",
                        f"`{name}` is the name on the wire",
                        span,
                        f"in expressions this is `{derived}`",
                    )
            outer = self.outer(name, scopes[-1])
            if outer is not None:
                user, declared = outer
                used = f"{scopes[-1].class_name}({name})"
                return self._fail(
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
        if name in ("it", "mine"):
            help: str | None = "`it` and `mine` have a meaning only in a `check:`"
        elif name in place.module.props:
            help = f"a prop is written `props.{name}`"
        else:
            help = f"did you mean `{near}`?" if near else self.hints(name)
        if help is None and place.reach == "ambient":
            facts = ", ".join(fact for fact in AMBIENT if fact != "version")
            help = f"only what holds for the whole section is known here: {facts}, props.NAME"
        return self._fail("name/unknown", f"there is no `{name}` here", span, help)
