"""What is known to be true at a place: the syntactic proof that a field is there.

A *key* is an expression without its places, so that two spellings of one thing compare equal; a fact is a key of type
bool. Conditions are split at ``and``; comparisons of something with a constant are brought into one form, so that
``version >= 3`` proves ``version >= 2`` and ``not (n == 0)`` proves ``n != 0``.
"""

from __future__ import annotations

import operator as operators
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from vmsgen.spec.expression import (
    Ambient,
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
    Mine,
    PropRef,
    Ref,
    Unary,
    Unknown,
)

#: A nested tuple whose first item says what it is.
Key: TypeAlias = tuple[Any, ...]
Facts: TypeAlias = frozenset[Key]
#: Gives the key of a name: Ref and Ambient("version") depend on the scope they stand in.
Namer: TypeAlias = Callable[[Ref | Ambient], Key]

NOTHING: Facts = frozenset()
FALSE: Key = ("false",)

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
    "==": operators.eq,
    "!=": operators.ne,
}
_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


def key(expression: Expression, name: Namer) -> Key:
    """The key of an expression of any type."""
    match expression:
        case Const(type="release", value=tuple() as release):
            return ("const", "release", _release(release))
        case Const():
            return ("const", expression.type, expression.value)
        case Ref() | Ambient():
            return name(expression)
        case Member():
            return ("member", key(expression.base, name), expression.name)
        case Index():
            return ("index", key(expression.base, name), key(expression.index, name))
        case PropRef():
            return ("prop", expression.module, expression.name)
        case Unknown():
            return ("unknown", expression.question)
        case It() | Mine():
            return (type(expression).__name__.lower(),)
        case Unary(operator="not") | Compare() | InRange() | InSet():
            return _joined("and", conjuncts(expression, name))
        case Binary(operator="and" | "or" as operator):
            if operator == "and":
                return _joined("and", conjuncts(expression, name))
            return _joined(
                "or", [_joined("and", conjuncts(side, name)) for side in (expression.left, expression.right)]
            )
        case Unary():
            return ("unary", expression.operator, key(expression.operand, name))
        case Binary():
            return ("binary", expression.operator, key(expression.left, name), key(expression.right, name))
        case Conditional():
            return ("if", key(expression.test, name), key(expression.then, name), key(expression.other, name))
        case Call():
            return (expression.function, *(key(argument, name) for argument in expression.arguments))


def _release(value: tuple[int, ...]) -> tuple[int, ...]:
    """``8.2.0`` is ``8.2``."""
    while len(value) > 1 and value[-1] == 0:
        value = value[:-1]
    return value


def conjuncts(expression: Expression, name: Namer) -> list[Key]:
    """What is true when a bool expression is true."""
    match expression:
        case Const(value=True):
            return []
        case Const(value=False):
            return [FALSE]
        case Binary(operator="and"):
            return [*conjuncts(expression.left, name), *conjuncts(expression.right, name)]
        case Unary(operator="not"):
            return denied(expression.operand, name)
        case Compare():
            pairs = zip(expression.operands, expression.operators, expression.operands[1:], strict=False)
            return [_compared(key(left, name), operator, key(right, name)) for left, operator, right in pairs]
        case InRange():
            value = key(expression.value, name)
            return [
                _compared(value, ">=", key(expression.low, name)),
                _compared(value, "<=", key(expression.high, name)),
            ]
        case InSet():
            value = key(expression.value, name)
            return [_joined("or", [_compared(value, "==", key(item, name)) for item in expression.items])]
    found = key(expression, name)
    return list(found[1:]) if found[0] == "and" else [found]


def denied(expression: Expression, name: Namer) -> list[Key]:
    """What is true when a bool expression is false."""
    if isinstance(expression, Unary) and expression.operator == "not":
        return conjuncts(expression.operand, name)
    return _denied(_joined("and", conjuncts(expression, name)))


def _denied(found: Key) -> list[Key]:
    match found:
        case ("and", *items):
            return [_joined("or", [_joined("and", _denied(item)) for item in items])] if items else [FALSE]
        case ("or", *items):
            return [conjunct for item in items for conjunct in _denied(item)]
        case ("compare", left, operator, right):
            return [_compared(left, _NEGATED[operator], right)]
        case ("false",):
            return []
        case ("not", inner):
            return [inner]
    return [("not", found)]


def _joined(operator: str, keys: list[Key]) -> Key:
    if len(keys) == 1:
        return keys[0]
    flat: list[Key] = []
    for item in keys:
        flat.extend(item[1:] if item[0] == operator else [item])
    return (operator, *sorted(flat, key=repr))


def _compared(left: Key, operator: str, right: Key) -> Key:
    """A comparison with a constant at the right; over whole numbers only ``>=``, ``<=``, ``==`` and ``!=`` are left."""
    if left[0] == "const" and right[0] != "const":
        left, operator, right = right, _MIRRORED[operator], left
    if right[:2] == ("const", "int"):
        if operator == ">":
            operator, right = ">=", ("const", "int", right[2] + 1)
        elif operator == "<":
            operator, right = "<=", ("const", "int", right[2] - 1)
    elif operator in ("==", "!=") and right[0] != "const" and repr(right) < repr(left):
        left, right = right, left
    return ("compare", left, operator, right)


# ---------------------------------------------------------------------------------------------- proofs


def implied(facts: Facts, wanted: Key) -> bool:
    """Whether ``wanted`` follows from ``facts``. False may also mean: not seen."""
    if wanted in facts or FALSE in facts:
        return True
    match wanted:
        case ("and", *items):
            return all(implied(facts, item) for item in items)
        case ("or", *items):
            return any(implied(facts, item) for item in items) or any(
                fact[0] == "or" and all(implied(frozenset([branch]), wanted) for branch in fact[1:]) for fact in facts
            )
        case ("const", "bool", value):
            return value is True
        case ("not", ("const", "bool", value)):
            return value is False
        case ("not", ("compare" | "and" | "or", *_) as inner):
            return all(implied(facts, item) for item in _denied(inner))
        case ("compare", ("const", kind, one), operator, ("const", other_kind, other)) if kind == other_kind:
            return _HOLDS[operator](one, other)
        case ("compare", left, operator, ("const", kind, value)):
            return _compare_implied(facts, left, operator, kind, value)
    return False


def _compare_implied(facts: Facts, left: Key, operator: str, kind: str, value: Any) -> bool:
    if left[0] == "const":
        return False
    equal = [
        f[3][2] for f in facts if f[0] == "compare" and f[1] == left and f[2] == "==" and f[3][:2] == ("const", kind)
    ]
    if kind not in ("int", "release"):
        return operator == "!=" and any(other != value for other in equal)
    low, high = bounds(facts, left, kind)
    if operator == ">=":
        return low is not None and low >= value
    if operator == ">":
        return low is not None and low > value
    if operator == "<=":
        return high is not None and high <= value
    if operator == "<":
        return high is not None and high < value
    if operator == "==":
        return bool(low == high == value)
    return (low is not None and low > value) or (high is not None and high < value)


def bounds(facts: Facts, left: Key, kind: str = "int") -> tuple[Any, Any]:
    """The lowest and the highest value that ``left`` can have by ``facts`` (None: not bounded)."""
    low = high = None
    for fact in facts:
        if fact[0] != "compare" or fact[1] != left or fact[3][:2] != ("const", kind):
            continue
        operator, value = fact[2], fact[3][2]
        if operator in (">=", "==", ">") and (low is None or value > low):
            low = value
        if operator in ("<=", "==", "<") and (high is None or value < high):
            high = value
    return low, high


def with_facts(facts: Facts, more: Iterable[Key]) -> Facts:
    """``facts`` and what ``more`` adds."""
    return facts | frozenset(more)


#: Keys with more parts are given up: nothing is proven about them.
MAX_PARTS = 500


def bounded(found: Key) -> Key:
    """``found``, or a key that nothing proves where it is too large to be compared."""
    left = MAX_PARTS
    waiting: list[Any] = [found]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tuple):
            waiting.extend(part)
        left -= 1
        if left < 0:
            return ("unproven",)
    return found


def translated(found: Key, leaf: Callable[[Key], Key | None]) -> Key:
    """``found`` with every part for which ``leaf`` has an answer put in its place."""
    answer = leaf(found)
    if answer is not None:
        return answer
    return tuple(
        translated(item, leaf) if isinstance(item, tuple) and item and isinstance(item[0], str) else item
        for item in found
    )
