"""The ``visit`` of a class: every field named once, in wire order."""

from __future__ import annotations

from vmsgen.emit.python.expressions import Compiler, local_name, uses_mine
from vmsgen.emit.python.layout import Lines, joined, quote
from vmsgen.emit.python.plan import ClassPlan
from vmsgen.spec.expression import Const, Expression
from vmsgen.spec.model import CheckStep, Field, Group, Let, Step
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


class Walk:
    """Prints ``visit`` for one class."""

    def __init__(self, plan: ClassPlan) -> None:
        self.plan = plan
        self.compile: Compiler = plan.compiler()
        self.body = Lines(2)
        self.labels: set[Labels] = set()
        self.hooks: set[str] = set()

    def method(self) -> Lines:
        """The whole method."""
        plan = self.plan
        self.steps(plan.definition.steps)
        for field in plan.fields:
            self.proof(field)
        self.subsections()
        lines = Lines(1)
        arguments = ["self", "v: Visitor", *(f"{name}: {kind}" for name, kind in plan.arguments())]
        lines.statement("def visit(", arguments, ") -> None:")
        lines.indent()
        if self.compile.uses_facts:
            lines.add("f = v.facts")
        if self.compile.uses_version and plan.is_state:
            lines.add("version = self._version")
        lines.extend(self.body.without_unused())
        if not lines.lines[1:]:
            lines.add("pass")
        return lines

    # ------------------------------------------------------------------ steps

    def steps(self, steps: tuple[Step, ...]) -> None:
        """Steps in order; neighbours under one condition share one ``if``."""
        open_condition: str | None = None
        for step in steps:
            if isinstance(step, Field) and step.never:
                continue
            condition = self.condition_of(step)
            if condition != open_condition:
                if open_condition is not None:
                    self.body.dedent()
                if condition is not None:
                    self.body.add(f"if {condition}:")
                    self.body.indent()
                open_condition = condition
            self.step(step)
            if isinstance(step, (Let, Group)) and open_condition is not None:
                # what follows may depend on what was just computed, so its condition is asked anew
                self.body.dedent()
                open_condition = None
        if open_condition is not None:
            self.body.dedent()

    def condition_of(self, step: Step) -> str | None:
        """The step's own condition as code."""
        if isinstance(step, (Field, Group)) and step.condition is not None:
            return self.compile.condition(step.condition)
        return None

    def step(self, step: Step) -> None:
        """One step, its condition already open."""
        match step:
            case Field():
                self.field(step)
            case Let(name=name, expression=expression):
                if name in self.plan.exported:
                    self.body.add(f"self.{name} = {self.compile(expression)}")
                else:
                    self.body.assign_local(local_name(name), self.compile(expression))
            case CheckStep(check=check):
                if not uses_mine(check.expression):
                    self.body.statement("v.check(", [quote(check.text), self.compile(check.expression)], ")")
            case Group(steps=inner):
                before = len(self.body.lines)
                self.steps(inner)
                if len(self.body.lines) == before and step.condition is not None:
                    self.body.add("pass")

    def field(self, field: Field) -> None:
        """One field, where it stands, and its check."""
        if field.at is not None:
            self.body.statement("with v.placed(", [quote(field.name), self.compile(field.at)], "):")
            self.body.indent()
        self.value(field)
        if field.at is not None:
            self.body.dedent()

    def value(self, field: Field) -> None:
        """The visitor's method for the field, and the check behind it."""
        if isinstance(field.type, Pad):
            self.body.statement("v.pad(", [quote(field.name), self.size(field.type.count), *self.opaque(field)], ")")
            return
        if field.derived is not None:
            target = local_name(field.name)
            value = self.derived_value(field.derived)
        else:
            target = value = f"self.{field.name}"
        method, arguments = self.call(field.type, quote(field.name), value)
        arguments += self.opaque(field)
        fallback = self.plan.fallback(field)
        if fallback is not None and field.derived is None and not isinstance(field.type, (StructRef, Nullable, Array)):
            arguments.append(f"default={fallback}")
        self.body.statement(f"{target} = v.{method}(", arguments, ")")
        if field.check is not None and not uses_mine(field.check.expression):
            self.compile.it = self.plan.checked_value(field, target)
            self.body.statement(
                "v.check(", [quote(field.check.text), self.compile(field.check.expression), quote(field.name)], ")"
            )

    def derived_value(self, derived: Expression) -> str:
        """What is written; a reader does not know it yet, unless it is a constant."""
        code = self.compile(derived)
        return code if isinstance(derived, Const) else f"None if v.reading else {code}"

    def proof(self, field: Field) -> None:
        """After the last field: a derived value against what it is derived from."""
        if field.derived is None:
            return
        arguments = [quote(field.name), local_name(field.name), self.compile(field.derived)]
        if field.presence is not None:
            self.body.add(f"if {self.compile.condition(field.presence)}:")
            self.body.indent()
        self.body.statement("v.equal(", arguments, ")")
        if field.presence is not None:
            self.body.dedent()

    def subsections(self) -> None:
        """The subsections, or that a mark is looked for."""
        definition = self.plan.definition
        if not definition.marked and not definition.subsections:
            return
        scopes = []
        for subsection in definition.subsections:
            target = self.plan.model.definition(subsection.definition)
            given = [self.plan.captured(param, self.compile) for param in target.captures]
            if given:
                scopes.append(f"{quote(subsection.name)}: ({joined(given)})")
        items = ["self", "self.SUBSECTIONS"]
        if scopes:
            items.append("{" + ", ".join(scopes) + "}")
        self.body.statement("v.subsections(", items, ")")

    # ------------------------------------------------------------------ types

    def opaque(self, field: Field) -> list[str]:
        return ["opaque=True"] if field.opaque and isinstance(field.type, (Bytes, Pad)) else []

    def size(self, count: Fixed | Prefixed) -> str:
        assert isinstance(count, Fixed)
        return self.compile(count.value)

    def order(self, order: Order, keyword: bool = True) -> list[str]:
        """The byte order as an argument, if it is not big."""
        if order == "host":
            self.compile.uses_facts = True
            code = "f.host_endian"
        else:
            code = quote(order)
        if not keyword:
            return [code]
        return [] if order == "big" else [f"order={code}"]

    def labelled(self, labels: Labels | None) -> list[str]:
        if labels is None:
            return []
        self.labels.add(labels)
        return [f"labels={labels.name}"]

    def call(self, wire: WireType, name: str, value: str) -> tuple[str, list[str]]:
        """The visitor's method for a type, and its arguments."""
        match wire:
            case Int(bits=bits, signed=signed, order=order, labels=labels):
                method = f"{'' if signed else 'u'}int{bits}"
                extra = self.order(order) if bits > 8 else []
                return method, [name, value, *extra, *self.labelled(labels)]
            case SizedInt(bits=width, order=order, labels=labels):
                return "uint", [name, value, self.compile(width), *self.order(order), *self.labelled(labels)]
            case Bool():
                return "bool", [name, value]
            case Float64(order=order):
                return "float64", [name, value, *self.order(order)]
            case Timer(order=order):
                return "timer", [name, value, *self.order(order)]
            case Bytes(count=Fixed(value=size)):
                return "bytes", [name, value, self.compile(size)]
            case Bytes(count=Prefixed(type=prefix)):
                return "counted_bytes", [name, value, str(prefix.bits), *self.prefix_order(prefix)]
            case String(count=Fixed(value=size)):
                return "string", [name, value, self.compile(size)]
            case String(count=Prefixed(type=prefix)):
                return "counted_string", [name, value, str(prefix.bits), *self.prefix_order(prefix)]
            case Bitmap(count=count, order=order):
                return "bitmap", [name, value, self.size(count), *self.order(order)]
            case StructRef(definition=identifier):
                return "struct", [name, value, self.plan.class_name(identifier), *self.plan.scope(wire, self.compile)]
            case Nullable(element=element, proven=proven):
                scope = self.plan.scope(element, self.compile)
                method = "nullable" if proven else "doubtful"
                return method, [name, value, self.plan.class_name(element.definition), *scope]
            case Array():
                return self.array(wire, name, value)
            case Grid(element=element, sizes=sizes):
                listed = ", ".join(self.compile(size) for size in sizes)
                return "grid", [name, value, f"({listed})", self.element(element)]
            case ListOf(element=element):
                return "linked_list", [name, value, self.element(element)]
            case Tree(key=key, value=item):
                return "tree", [name, value, self.element(key), self.element(item)]
            case Union():
                return self.union(wire, name, value)
            case Hook(name=hook):
                self.hooks.add(hook)
                return "hook", [name, value, f"hooks.visit_{hook}"]
            case Pad():
                raise AssertionError("a pad is a field of its own")
        raise AssertionError(f"no visitor method for {type(wire).__name__}")

    def prefix_order(self, prefix: Int) -> list[str]:
        return [] if prefix.order == "big" or prefix.bits == 8 else self.order(prefix.order, keyword=False)

    def array(self, wire: Array, name: str, value: str) -> tuple[str, list[str]]:
        """An array, by how its length is known."""
        element, count = wire.element, wire.count
        plain = element if isinstance(element, Int) and element.labels is None else None
        match count:
            case Fixed(value=size):
                if plain is not None:
                    sign = "True" if plain.signed else "False"
                    return "integers", [
                        name,
                        value,
                        self.compile(size),
                        str(plain.bits),
                        sign,
                        *self.order(plain.order),
                    ]
                return "array", [name, value, self.compile(size), self.element(element)]
            case Prefixed(type=prefix):
                head = [name, value, str(prefix.bits), *self.order(prefix.order, keyword=False)]
                if plain is not None:
                    sign = "True" if plain.signed else "False"
                    return "counted_integers", [*head, str(plain.bits), sign, *self.order(plain.order)]
                return "counted", [*head, self.element(element)]
            case Until(type=mark, value=end):
                sign = "True" if mark.signed else "False"
                order = self.order(mark.order, keyword=False)
                return "until", [name, value, str(mark.bits), sign, *order, self.compile(end), self.element(element)]
            case Through(condition=condition):
                self.compile.it = "item"
                return "through", [name, value, f"lambda item: {self.compile(condition)}", self.element(element)]

    def element(self, wire: WireType) -> str:
        """The function that visits one element."""
        match wire:
            case StructRef(definition=identifier):
                return f"v.of({', '.join([self.plan.class_name(identifier), *self.plan.scope(wire, self.compile)])})"
            case Nullable(element=inner, proven=proven):
                scope = self.plan.scope(inner, self.compile)
                method = "of_nullable" if proven else "of_doubtful"
                return f"v.{method}({', '.join([self.plan.class_name(inner.definition), *scope])})"
            case _:
                method, arguments = self.call(wire, "n", "x")
                if len(arguments) == 2:
                    return f"v.{method}"
                return f"lambda n, x: v.{method}({', '.join(arguments)})"

    def union(self, wire: Union, name: str, value: str) -> tuple[str, list[str]]:
        """A union: the selector and a case for each of its values."""
        cases = ", ".join(
            f"{quote(c.value) if isinstance(c.value, str) else c.value}: {self.case(c.name, c.type)}"
            for c in wire.cases
        )
        arguments = [name, value, self.compile(wire.selector), "{" + cases + "}"]
        if wire.otherwise is not None:
            otherwise = wire.otherwise if isinstance(wire.otherwise, StructRef) else None
            arguments.append(self.case("else", otherwise))
        return "union", arguments

    def case(self, name: str, reference: StructRef | None) -> str:
        if reference is None:
            return f"({quote(name)}, None, ())"
        scope = self.plan.scope(reference, self.compile)
        inner = f"({joined(scope)})" if scope else "()"
        return f"({quote(name)}, {self.plan.class_name(reference.definition)}, {inner})"
