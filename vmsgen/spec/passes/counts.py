"""Counts without a bound of their own."""

from __future__ import annotations

from collections.abc import Iterator

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.expression import (
    Binary,
    Call,
    Compare,
    Conditional,
    Const,
    Expression,
    Index,
    InRange,
    InSet,
    It,
    Member,
    PropRef,
    Ref,
    Unknown,
)
from vmsgen.spec.first_item import allowed
from vmsgen.spec.integers import limits
from vmsgen.spec.model import Field, Let, Step
from vmsgen.spec.passes.walking import check_steps, fields, own_scopes, wire_types
from vmsgen.spec.resolver import Resolved
from vmsgen.spec.scope import Scope
from vmsgen.spec.wire_types import Array, Bitmap, Bytes, Fixed, Int, Pad, Prefixed, String, StructRef, WireType

#: The bound that holds where the spec gives none.
DEFAULT_BOUND = 1 << 24
#: Beyond this a bound is none, and its exact value does not matter.
FAR = 1 << 128


def check_counts(resolved: Resolved, reporter: Reporter) -> None:
    """Lint ``count/unbounded``."""
    uppers = _Uppers(resolved)
    for scope in own_scopes(resolved):
        upper = uppers.of(scope)
        for field in fields(scope.steps):
            for count in _counts(field.type):
                high = limits(count.type)[1] if isinstance(count, Prefixed) else upper.of(count.value)
                if (high is None or high > DEFAULT_BOUND) and not _checked_length(field):
                    reporter.warning(
                        "count/unbounded",
                        f"the count of `{field.name}` has no bound of its own, so {DEFAULT_BOUND} holds",
                        field.span,
                        help="give the count a `check:`, or check `len(it)`",
                    )


def _counts(wire: WireType) -> list[Fixed | Prefixed]:
    match wire:
        case Bytes() | String() | Pad() | Bitmap():
            return [wire.count]
        case Array():
            own = [wire.count] if isinstance(wire.count, (Fixed, Prefixed)) else []
            return [*own, *_counts(wire.element)]
    return []


def _checked_length(field: Field) -> bool:
    """Whether the field's check bounds `len(it)`."""
    check = field.check.expression if field.check is not None else None
    match check:
        case Compare():
            operators = zip(check.operands, check.operators, check.operands[1:], strict=False)
            return any(
                (_is_length(left) and operator in ("<", "<=", "=="))
                or (_is_length(right) and operator in (">", ">=", "=="))
                for left, operator, right in operators
            )
        case InRange() | InSet():
            return _is_length(check.value)
    return False


def _is_length(expression: Expression) -> bool:
    return isinstance(expression, Call) and expression.function == "len" and isinstance(expression.arguments[0], It)


class _Uppers:
    """What is known of every definition, each looked at once and after those that it looks into."""

    def __init__(self, resolved: Resolved) -> None:
        self.resolved = resolved
        self.made: dict[str, _Upper] = {}
        for module in resolved.modules.values():
            for scope in module.scopes:
                self.of(scope)

    def of(self, scope: Scope) -> _Upper:
        """What is known of ``scope``."""
        if scope.id not in self.made:
            self.made[scope.id] = _Upper(scope, self)
            self.made[scope.id].compute()
        return self.made[scope.id]

    def by_id(self, identifier: str) -> _Upper:
        """What is known of the definition with this id."""
        return self.of(self.resolved.scopes[identifier])


class _Upper:
    """The highest value that an expression over one definition can have; None: not known."""

    def __init__(self, scope: Scope, others: _Uppers) -> None:
        self.scope = scope
        self.others = others
        self.lets = dict(_lets(scope.steps))
        self.fields = {field.name: field for field in fields(scope.steps)}
        self.highest: dict[str, int | None] = {}

    def compute(self) -> None:
        """The bounds of the lets: each needs only those before it, so each is computed once."""
        for name, let in self.lets.items():
            high = self.of(let.expression)
            self.highest[name] = high if high is None or high <= FAR else None

    def of(self, expression: Expression) -> int | None:
        match expression:
            case Const(value=int() as value):
                return value
            case Ref(source="let"):
                return self.highest.get(expression.name)
            case Ref(source="field" | "derived"):
                return self._field(expression.name)
            case Ref(source="param"):
                # its bound is a matter of the places that give it
                return DEFAULT_BOUND
            case Ref(source="capture"):
                return self._captured(expression.name)
            case Unknown():
                return DEFAULT_BOUND  # it has a finding of its own
            case Member():
                return self._member(expression)
            case PropRef():
                return self._prop(expression)
            case Conditional():
                then, other = self.of(expression.then), self.of(expression.other)
                return max(then, other) if then is not None and other is not None else None
            case Call(function="min"):
                known = [high for argument in expression.arguments if (high := self.of(argument)) is not None]
                return min(known) if known else None
            case Call(function="max" | "align"):
                highs = [self.of(argument) for argument in expression.arguments]
                known = [high for high in highs if high is not None]
                if len(known) < len(highs):
                    return None
                if expression.function == "align":
                    return -(-known[0] // max(known[1], 1)) * known[1]
                return max(known)
            case Call(function="len", arguments=(Ref(source="view"),)):
                return DEFAULT_BOUND  # the bytes are there before the view reads them
            case Call(function="le16" | "be16"):
                return 0xFFFF
            case Call(function="pci_capability"):
                return 0xFF
            case Binary():
                return self._binary(expression)
        return None

    def _member(self, expression: Member) -> int | None:
        """A field of a struct: by its type and check, as inside of that struct; of a union, of any case that has it."""
        highs: list[int | None] = []
        for identifier in self._definitions(expression.base):
            inside = self.others.by_id(identifier)
            if expression.name in inside.lets:
                highs.append(inside.highest.get(expression.name))
            elif expression.name in inside.fields:
                highs.append(inside._field(expression.name))
        known = [high for high in highs if high is not None]
        return max(known) if known and len(known) == len(highs) else None

    def _definitions(self, base: Expression) -> list[str]:
        """The definitions that a struct-valued expression can be of."""
        match base:
            case Ref():
                owner = self._owner(base.name) if base.source == "capture" else self
                field = owner.fields.get(base.name)
                return list(_structs(field.type)) if field is not None else []
            case Member():
                inner = [self.others.by_id(found) for found in self._definitions(base.base)]
                types = [upper.fields[base.name].type for upper in inner if base.name in upper.fields]
                return [identifier for wire in types for identifier in _structs(wire)]
            case Index():
                return self._definitions(base.base)
        return []

    def _owner(self, name: str) -> _Upper:
        """The definition around this one that a captured name belongs to."""
        outer = (self.others.of(scope) for scope in self.scope.chain() if scope is not self.scope)
        return next((upper for upper in outer if name in upper.fields or name in upper.lets), self)

    def _captured(self, name: str) -> int | None:
        owner = self._owner(name)
        if name in owner.lets:
            return owner.highest.get(name)
        return owner._field(name) if name in owner.fields else DEFAULT_BOUND  # else it is a parameter

    def _prop(self, expression: PropRef) -> int | None:
        module = self.others.resolved.modules.get(expression.module)
        prop = module.props.get(expression.name) if module is not None else None
        return prop.declared.high if prop is not None else None

    def _field(self, name: str) -> int | None:
        field = self.fields.get(name)
        if field is None or not isinstance(field.type, Int):
            return None
        high = limits(field.type)[1]
        ranges = allowed(field.check.expression) if field.check is not None else None
        for step in check_steps(self.scope.steps):
            match step.check.expression:
                case InRange(value=Ref(name=checked), high=Const(value=int() as top)) if checked == name:
                    high = min(high, top)
                case Compare(operands=(Ref(name=checked), Const(value=int() as top)), operators=("<=" | "<",)) if (
                    checked == name
                ):
                    high = min(high, top)
        return min(high, max((top for _, top in ranges), default=high)) if ranges is not None else high

    def _binary(self, expression: Binary) -> int | None:
        left, right = self.of(expression.left), self.of(expression.right)
        match expression.operator:
            case "&":
                return min((side for side in (left, right) if side is not None and side >= 0), default=None)
            case "%":
                return right
            case "//" if left is not None and isinstance(expression.right, Const):
                return left // max(int(right or 1), 1)
            case "-" | ">>" | "//":
                return left
            case "+" if left is not None and right is not None:
                return left + right
            case "*" if left is not None and right is not None:
                return left * right
            case "<<" if left is not None and right is not None and right <= 64:
                return left << right
            case "|" | "^" if left is not None and right is not None:
                return int((1 << max(left.bit_length(), right.bit_length())) - 1)
        return None


def _structs(wire: WireType) -> Iterator[str]:
    for inner in wire_types(wire):
        if isinstance(inner, StructRef):
            yield inner.definition


def _lets(steps: list[Step] | tuple[Step, ...]) -> list[tuple[str, Let]]:
    found: list[tuple[str, Let]] = []
    for step in steps:
        if isinstance(step, Let):
            found.append((step.name, step))
        else:
            found.extend(_lets(getattr(step, "steps", ())))
    return found
