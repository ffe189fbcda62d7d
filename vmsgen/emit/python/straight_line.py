"""What the four printers of straight-line code share: the order of steps, conditions, scopes, checks.

Straight-line code does what is plain and leaves the rest to the walk (see :mod:`vmsgen.runtime.straight`). A type that
has no straight line makes the class go without; the walk then serves it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Self

from vmsgen.emit.python.expressions import Compiler, local_name, uses_mine
from vmsgen.emit.python.layout import Lines, joined, quote
from vmsgen.emit.python.plan import ClassPlan
from vmsgen.spec.model import CheckStep, Definition, Field, Group, Let, Step
from vmsgen.spec.wire_types import Array, Fixed, Grid, Pad, StructRef, Union, WireType


class NoStraightLine(Exception):
    """The class has a part that only the walk serves."""


class StraightLine(ABC):
    """Prints one codec method of one class. Raises NoStraightLine."""

    #: whether the method fills an object, and so sets what the wire does not have
    reads: bool

    def __init__(self, plan: ClassPlan, owner: str = "self") -> None:
        self.plan = plan
        #: what the object is called whose fields these are
        self.owner = owner
        self.compile: Compiler = plan.compiler()
        #: the body of the method
        self.out = Lines(2)
        #: functions and tables of the runtime that the method uses
        self.helpers: set[str] = set()
        #: struct formats and their module constants; "" when the struct module itself is used
        self.formats: dict[str, str] = {}
        #: module constants of the runs of BER, with the codes and the first tag of each
        self.runs: dict[str, tuple[str, int]] = {}
        self._locals: Counter[str] = Counter()

    @abstractmethod
    def method(self) -> Lines:
        """The whole method."""

    @abstractmethod
    def fields(self, block: Sequence[Field]) -> None:
        """Neighbouring fields under one condition."""

    def flush(self) -> None:  # noqa: B027 - most printers collect nothing
        """Prints what was collected and not yet printed; called before anything that may depend on it."""

    def within(self, definition: Definition, owner: str) -> Self:
        """A printer for the fields of a nested struct that a local holds; what it prints follows what was printed."""
        inner = type(self)(ClassPlan(self.plan.model, definition), owner)
        inner.out, inner.helpers, inner.formats, inner._locals = self.out, self.helpers, self.formats, self._locals
        return inner

    def nested(self, fields: Sequence[Field]) -> dict[str, Self]:
        """Printers for the structs whose fields are part of a run of ``fields``, by the field that holds each."""
        found = {}
        for each in fields:
            if isinstance(each.type, StructRef):
                # (numbers at the end of a local tell it from others)
                name = self.local(f"{each.name}_" if each.name[-1].isdigit() else each.name)
                found[each.name] = self.within(self.plan.model.definition(each.type.definition), name)
        return found

    def new_nested(self, nested: Mapping[str, StraightLine]) -> None:
        """Objects without values for such structs."""
        for name, inner in nested.items():
            made = inner.plan.definition.name
            self.out.statement(f"{inner.owner} = {self.owner}.{name} = {made}.__new__(", [made], ")")
            self.out.add(f"{inner.owner}._kept = None")

    # ------------------------------------------------------------------ scopes

    def parameters(self) -> list[str]:
        """Parameters of the method behind the data and the facts."""
        version = ["version: int"] if self.plan.is_state else []
        return [*version, *(f"{name}: {kind}" for name, kind in self.plan.arguments())]

    def arguments(self) -> list[str]:
        """The same, as arguments."""
        return [*(["version"] if self.plan.is_state else []), *(name for name, _ in self.plan.arguments())]

    def scopes(self) -> str:
        """The scopes of the subsections that capture something, as a dict."""
        found = []
        for subsection in self.plan.definition.subsections:
            target = self.plan.model.definition(subsection.definition)
            given = [self.plan.captured(param, self.compile) for param in target.captures]
            if given:
                found.append(f"{quote(subsection.name)}: ({joined(given)})")
        return "{" + ", ".join(found) + "}"

    def local(self, stem: str) -> str:
        """A new local name; a leading underscore keeps it apart from names of the spec."""
        self._locals[stem] += 1
        return f"_{stem}" if self._locals[stem] == 1 else f"_{stem}{self._locals[stem]}"

    # ------------------------------------------------------------------ steps

    def steps(self, steps: Sequence[Step]) -> None:
        """Steps in order; neighbouring fields under one condition are printed together."""
        index = 0
        while index < len(steps):
            step = steps[index]
            index += 1
            if isinstance(step, Field):
                block = [step]
                while index < len(steps):
                    following = steps[index]
                    if not isinstance(following, Field) or self.test(following) != self.test(step):
                        break
                    block.append(following)
                    index += 1
                present = [field for field in block if not field.never]
                if present:
                    self.under(self.test(step), partial(self.fields, present), present)
            elif isinstance(step, Group):
                self.under(self.test(step), partial(self.steps, step.steps), stored_below(step))
            elif isinstance(step, Let):
                self.flush()
                if step.name in self.plan.exported:
                    self.out.add(f"self.{step.name} = {self.compile(step.expression)}")
                else:
                    self.out.assign_local(local_name(step.name), self.compile(step.expression))
            elif isinstance(step, CheckStep) and not uses_mine(step.check.expression):
                self.flush()
                self.refuse_unless(self.compile(step.check.expression))
        self.flush()

    def test(self, step: Field | Group) -> str | None:
        """The step's own condition as code."""
        return None if step.condition is None else self.compile.condition(step.condition)

    def under(self, condition: str | None, then: Callable[[], None], fields: Sequence[Field]) -> None:
        """What is printed under a condition; a reader sets what is absent else."""
        if condition is None:
            then()
            return
        self.flush()
        self.out.add(f"if {condition}:")
        self.out.indent()
        before = len(self.out.lines)
        then()
        self.flush()
        if len(self.out.lines) == before:
            self.out.add("pass")
        self.out.dedent()
        absent = [f for f in fields if not f.never and f.derived is None and not isinstance(f.type, Pad)]
        if self.reads and absent:
            self.out.add("else:")
            self.out.indent()
            for field in absent:
                self.out.add(f"self.{field.name} = {self.plan.default(field)}")
            self.out.dedent()

    # ------------------------------------------------------------------ fields

    def target(self, field: Field) -> str:
        """Where the value of a field stands."""
        return f"{self.owner}.{field.name}" if field.derived is None else local_name(field.name)

    def needed(self, field: Field, value: str) -> str:
        """A value that the wire has, of a field that may be None."""
        if field.derived is not None or not self.plan.is_optional(field):
            return value
        self.helpers.add("need")
        return f"need({value})"

    def checked(self, field: Field) -> None:
        """The check of a field."""
        if field.check is not None and not uses_mine(field.check.expression):
            self.flush()
            self.compile.it = self.plan.checked_value(field, self.target(field))
            self.refuse_unless(self.compile(field.check.expression))

    def proofs(self) -> None:
        """After the last field of a reader: derived values against what they are derived from."""
        for field in self.plan.fields:
            if field.derived is None:
                continue
            if field.presence is not None:
                self.out.add(f"if {self.compile.condition(field.presence)}:")
                self.out.indent()
            self.refuse_if(f"{local_name(field.name)} != {self.compile(field.derived)}", "a derived value")
            if field.presence is not None:
                self.out.dedent()

    def union(self, wire: Union, alternative: Callable[[StructRef | None], None]) -> None:
        """Statements for the case that the selector chooses; ``alternative`` prints those of one (None: no bytes)."""
        selector = self.local("case")
        self.out.add(f"{selector} = {self.compile(wire.selector)}")
        for number, case in enumerate(wire.cases):
            value = quote(case.value) if isinstance(case.value, str) else case.value
            self.out.add(f"{'el' if number else ''}if {selector} == {value}:")
            self.out.indent()
            alternative(case.type)
            self.out.dedent()
        self.out.add("else:")
        self.out.indent()
        if wire.otherwise is None:
            self.helpers.add("NotPlain")
            self.out.add('raise NotPlain("no case")')
        else:
            alternative(wire.otherwise if isinstance(wire.otherwise, StructRef) else None)
        self.out.dedent()

    def refuse_unless(self, condition: str) -> None:
        """Leaves what does not hold to the walk, which says what is wrong."""
        self.refuse_if(f"not ({condition})", "a check")

    def refuse_if(self, condition: str, what: str) -> None:
        """Leaves what is not plain to the walk."""
        self.helpers.add("NotPlain")
        self.out.add(f"if {condition}:")
        self.out.indent()
        self.out.add(f"raise NotPlain({quote(what)})")
        self.out.dedent()

    # ------------------------------------------------------------------ readers

    def new_object(self, lines: Lines) -> None:
        """The first lines of a reader: an object without values."""
        lines.add("self = cls.__new__(cls)")
        lines.add("self._kept = None")
        if self.plan.is_state:
            lines.add("self._version = version")
            lines.add("self._facts = f")
        for subsection in self.plan.definition.subsections:
            lines.add(f"self.{subsection.name} = None")


def rows(wire: Grid) -> Array:
    """A grid as the array of rows that it is on the wire."""
    first, *others = wire.sizes
    return Array(Grid(wire.element, tuple(others)) if others else wire.element, Fixed(first))


def stored_below(group: Group) -> list[Field]:
    """Every field of a group, groups inside it included."""
    found: list[Field] = []
    for step in group.steps:
        if isinstance(step, Field):
            found.append(step)
        elif isinstance(step, Group):
            found += stored_below(step)
    return found


def in_host_order(wire: WireType) -> bool:
    """Whether the wire form of a value depends on the byte order of the sending host."""
    count = getattr(wire, "count", None)
    if getattr(wire, "order", "big") == "host" or getattr(getattr(count, "type", None), "order", "big") == "host":
        return True
    return any(in_host_order(inner) for inner in (getattr(wire, "element", None), getattr(wire, "key", None)) if inner)
