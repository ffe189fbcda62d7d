"""Conditions on entries: `since`, `until` and `when`, in lines and of groups."""

from __future__ import annotations

from dataclasses import dataclass, field

from vmsgen.diagnostics import Span
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec import syntax
from vmsgen.spec.expression import Binary, Compare, Const, Expression
from vmsgen.spec.facts import FALSE, Key, bounds, conjuncts
from vmsgen.spec.place import Place, source_text
from vmsgen.spec.scope import Failed, Scope
from vmsgen.spec.typer import Expressions


@dataclass(frozen=True)
class Surroundings:
    """What the groups around an entry say: their facts, their conditions, and those as written."""

    place: Place
    conditions: tuple[Expression, ...] = ()
    presence: tuple[Key, ...] = ()
    guard: tuple[str, ...] = ()
    never: bool = False


@dataclass
class Gate:
    """The conditions of one entry itself."""

    expressions: list[Expression] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    never: bool = False


class Gates:
    """Resolves conditions and reports those that say nothing or can never be."""

    def __init__(self, reporter: Reporter, expressions: Expressions) -> None:
        self.reporter = reporter
        self.expressions = expressions

    def behind(self, around: Surroundings, gate: Gate) -> Surroundings:
        """What holds for an entry with these conditions of its own."""
        keys = [k for expression in gate.expressions for k in conjuncts(expression, around.place.namer)]
        if gate.never:
            keys.append(FALSE)
        return Surroundings(
            around.place.knowing(keys),
            (*around.conditions, *gate.expressions),
            (*around.presence, *keys),
            (*around.guard, *gate.texts),
            around.never or gate.never,
        )

    def version(self, keyword: str, number: int, span: Span, scope: Scope, place: Place, gate: Gate) -> None:
        version = self.expressions.names.version(span, place).expression
        operator = ">=" if keyword == "since" else "<="
        gate.texts.append(f"{keyword} {number}")
        owner = scope.versioned
        known = place.facts | {k for one in gate.expressions for k in conjuncts(one, place.namer)}
        low, high = bounds(known, ("version", owner.id))
        if number > high if keyword == "since" else number < low:
            if keyword == "since":
                limit = f"version {owner.version}" if number > owner.version else f"`until {high}` around it"
            else:
                limit = f"minimum version {owner.minimum}" if number < owner.minimum else f"`since {low}` around it"
            self.reporter.error(
                "cond/version", f"`{keyword} {number}` can never be: {owner.class_name} has {limit}", span
            )
            raise Failed
        if number <= low if keyword == "since" else number >= high:
            self.reporter.warning(
                "expr/constant",
                f"`{keyword} {number}` is always true: {owner.class_name} has versions {low} to {high} here",
                span,
            )
        gate.expressions.append(Compare((version, Const(number, "int", span)), (operator,), span))

    def when(self, condition: syntax.Expr, place: Place, gate: Gate) -> None:
        found = self.expressions.typed(condition, place, "bool").expression
        gate.texts.append(f"when {source_text(condition.span)}")
        if isinstance(found, Const):
            written = isinstance(condition, syntax.BoolLiteral) and condition.value is False
            if not written:
                self.reporter.warning(
                    "expr/constant", f"the condition is always {str(found.value).lower()}", condition.span
                )
            gate.never = gate.never or found.value is False
            return
        gate.expressions.append(found)

    def of_line(self, line: syntax.FieldLine | None, place: Place, scope: Scope) -> Gate:
        gate = Gate()
        for keyword in ("since", "until"):
            clause = line.clause(keyword) if line is not None else None
            if clause is not None and clause.number is not None:
                self.version(keyword, clause.number, clause.span, scope, place, gate)
        when = line.clause("when") if line is not None else None
        if when is not None and when.expr is not None:
            keys = [k for expression in gate.expressions for k in conjuncts(expression, place.namer)]
            self.when(when.expr, place.knowing(keys), gate)
        return gate


def both(conditions: list[Expression]) -> Expression | None:
    """The conjunction of conditions, None for none."""
    found: Expression | None = None
    for condition in conditions:
        found = condition if found is None else Binary("and", found, condition, "bool", condition.span)
    return found
