"""One generated class: docstring, constants, tables, slots, typed fields, constructor, the walk, the codecs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from vmsgen.emit.python.asking import asks
from vmsgen.emit.python.ber_decode import BerDecode
from vmsgen.emit.python.ber_encode import BerEncode
from vmsgen.emit.python.binary_load import BinaryLoad
from vmsgen.emit.python.binary_save import BinarySave
from vmsgen.emit.python.expressions import Compiler, parts
from vmsgen.emit.python.layout import Call, Lines, one_line, quote, wrap_comment
from vmsgen.emit.python.plan import ClassPlan
from vmsgen.emit.python.straight_line import NoStraightLine, StraightLine
from vmsgen.emit.python.walk import Walk
from vmsgen.spec.expression import Ref
from vmsgen.spec.model import Definition, Field, Model, Tags
from vmsgen.spec.wire_types import Bytes, Labels


@dataclass
class Needs:
    """What the classes of a module need from elsewhere."""

    functions: set[str] = field(default_factory=set)
    props: set[tuple[str, str]] = field(default_factory=set)
    labels: set[Labels] = field(default_factory=set)
    hooks: set[str] = field(default_factory=set)
    #: functions and tables of the runtime that straight-line code uses
    straight: set[str] = field(default_factory=set)
    #: struct formats and the module constants of their Struct; "" when the struct module itself is used
    formats: dict[str, str] = field(default_factory=dict)
    #: module constants of runs of BER, with the codes and the first tag of each
    runs: dict[str, tuple[str, int]] = field(default_factory=dict)
    builtins: bool = False
    facts: bool = False
    any: bool = False
    structs: bool = False
    states: bool = False
    views: bool = False
    subsections: bool = False

    def take(self, compiler: Compiler) -> None:
        """What compiled expressions used."""
        self.functions |= compiler.functions
        self.props |= compiler.props


def class_lines(model: Model, definition: Definition, needs: Needs) -> Lines:
    """The class of one definition."""
    plan = ClassPlan(model, definition)
    tags = model.tags.get(definition.asn1_name, Tags(None, {}))
    lines = Lines()
    base = "VMState" if plan.is_state else "View" if plan.is_view else "Struct"
    needs.states |= base == "VMState"
    needs.structs |= base == "Struct"
    needs.views |= base == "View"
    lines.add(f"class {definition.name}({base}):")
    lines.indent()
    _docstring(lines, definition)
    _constants(lines, plan, tags, needs)
    _slots(lines, plan)
    _annotations(lines, plan, needs)
    _constructor(lines, plan)
    _match(lines, plan, needs)
    _derived(lines, plan, needs)
    _hooks(lines, plan, needs)
    walk = Walk(plan)
    lines.add()
    lines.extend(walk.method())
    needs.take(walk.compile)
    needs.labels |= walk.labels
    needs.hooks |= walk.hooks
    needs.any |= any(kind == "Any" for _, kind in plan.arguments())
    if not plan.is_view:
        _codecs(lines, plan, needs)
    _spell_out_types(lines, {*_attributes(plan)} & _TYPE_NAMES, needs)
    return lines


_TYPE_NAMES = {"int", "bool", "float", "str", "bytes", "list", "tuple", "type"}


def _spell_out_types(lines: Lines, hidden: set[str], needs: Needs) -> None:
    """Annotations of a class with fields called like types: ``list`` there is the field, ``builtins.list`` the type."""
    if not hidden:
        return
    needs.builtins = True
    used = re.compile(rf"([:|>,] |\[)({'|'.join(sorted(hidden))})\b(?!\s*:)")
    in_signature = False
    for index, line in enumerate(lines.lines):
        in_signature = in_signature or line.startswith("    def ")
        if in_signature or re.match(r"    \w+: ", line):
            lines.lines[index] = used.sub(r"\1builtins.\2", line)
        in_signature = in_signature and not line.endswith(":")


def _codecs(lines: Lines, plan: ClassPlan, needs: Needs) -> None:
    """Straight-line code for both wire formats, where the class has it: each format both ways or not at all."""
    formats: tuple[tuple[type[StraightLine], ...], ...] = ((BinaryLoad, BinarySave), (BerEncode, BerDecode))
    for kinds in formats:
        try:
            printers = [kind(plan) for kind in kinds]
            methods = [printer.method() for printer in printers]
        except NoStraightLine:
            continue
        for printer, method in zip(printers, methods, strict=True):
            needs.take(printer.compile)
            needs.straight |= printer.helpers
            needs.formats |= printer.formats
            needs.runs |= printer.runs
            lines.add()
            lines.extend(method)
    needs.facts = True


def _docstring(lines: Lines, definition: Definition) -> None:
    wire = f"``{one_line(definition.wire_name)}``" if definition.wire_name else ""
    summary = one_line(definition.summary or (definition.doc or "").strip().partition("\n")[0])
    text = f"{summary} ({wire})" if summary and wire else summary or wire or f"Part of {definition.module}"
    text = text[0].upper() + text[1:] if text[0].isalpha() else text
    text = text.rstrip(".") + "."
    if text.endswith('".'):
        text += " "
    if len(text) <= 78:
        lines.add(f'"""{text}"""')
    else:
        import textwrap

        wrapped = textwrap.wrap(text, 76, break_long_words=False, break_on_hyphens=False)
        lines.add(f'"""{wrapped[0]}')
        for line in wrapped[1:]:
            lines.add(line)
        lines.add('"""')


def _sentence(doc: str) -> str:
    """A doc text as the docstring of one line, cut where it is longer than that."""
    import textwrap

    text = textwrap.shorten(one_line(doc), 66, placeholder=" ...").rstrip(".")
    return f"{text[0].upper()}{text[1:]}." if text and not text.endswith('"') else "Computed."


def _constants(lines: Lines, plan: ClassPlan, tags: Tags, needs: Needs) -> None:
    definition = plan.definition
    lines.add()
    if definition.wire_name is not None:
        lines.add(f"VMSTATE = {quote(definition.wire_name)}")
    if definition.version != 1 or plan.is_state:
        lines.add(f"VERSION = {definition.version}")
    if definition.minimum_version != 1 or plan.is_state:
        lines.add(f"MINIMUM_VERSION = {definition.minimum_version}")
    if definition.kind in ("state", "section") and tags.application is not None:
        lines.add(f"TAG = {tags.application}")
    if definition.kind == "section":
        lines.add("OLD_STYLE = True")
    if definition.marked:
        lines.add("MARKED = True")
    if plan.is_state and not asks(plan.model, definition):
        lines.add("ASKS = False")
    names = [quote(f.name) for f in plan.stored]
    if names:
        lines.statement("FIELDS = (", names if len(names) > 1 else [f"{names[0]},"], ")")
    absent = [(f.name, plan.default(f)) for f in plan.stored if f.presence is not None and f.default is not None]
    if absent:
        lines.statement("ABSENT = {", [f"{quote(name)}: {value}" for name, value in absent], "}")
    renamed = [f for f in plan.fields if f.wire_names and f.wire_names != (f.name,)]
    if renamed:
        entries = [
            f"{quote(f.name)}: ({', '.join(map(quote, f.wire_names))},)"
            if len(f.wire_names) == 1
            else f"{quote(f.name)}: ({', '.join(map(quote, f.wire_names))})"
            for f in renamed
        ]
        lines.statement("WIRE_NAMES = {", entries, "}")
    if tags.components:
        wanted = [n for n in tags.components if not n.startswith("<") or _has_component(plan, n)]
        lines.statement("TAGS = {", [f"{quote(name)}: {tags.components[name]}" for name in wanted], "}")
    views = [f for f in plan.fields if isinstance(f.type, Bytes) and f.type.view is not None]
    if views:
        entries = [
            f"{quote(f.name)}: {plan.class_name(f.type.view)}"
            for f in views
            if isinstance(f.type, Bytes) and f.type.view
        ]
        lines.statement("VIEWS = {", entries, "}")
    if definition.subsections:
        needs.subsections = True
        infos = []
        for subsection in definition.subsections:
            items = [
                quote(subsection.wire_name),
                quote(subsection.name),
                plan.class_name(subsection.definition),
                str(tags.subsections.get(subsection.name, 0)),
            ]
            infos.append(Call("SubsectionInfo(", items, ")"))
        if len(infos) == 1:
            only = Call("SubsectionInfo(", infos[0].items, "),")
            lines.statement("SUBSECTIONS = (", [only], ")")
        else:
            lines.statement("SUBSECTIONS = (", infos, ")")


def _has_component(plan: ClassPlan, name: str) -> bool:
    if name == "<subsections>":
        return bool(plan.definition.subsections)
    if name == "<facts>":
        return plan.definition.kind in ("state", "section")
    if name == "<version>":
        return plan.is_state
    return True


def _attributes(plan: ClassPlan) -> list[str]:
    return [*(f.name for f in plan.stored), *sorted(plan.exported), *(s.name for s in plan.definition.subsections)]


def _slots(lines: Lines, plan: ClassPlan) -> None:
    names = [quote(name) for name in _attributes(plan)]
    lines.statement("__slots__ = (", names if len(names) != 1 else [f"{names[0]},"], ")")


def _annotations(lines: Lines, plan: ClassPlan, needs: Needs) -> None:
    if _attributes(plan):
        lines.add()
    for stored in plan.stored:
        comment = _comment(stored)
        if comment:
            lines.lines.extend(wrap_comment(comment, lines.depth))
        lines.add(f"{stored.name}: {plan.field_type(stored)}")
    for let in plan.lets:
        if let.exported:
            if let.doc:
                lines.lines.extend(wrap_comment(let.doc, lines.depth))
            kind = {"int": "int", "bool": "bool", "text": "str", "bytes": "bytes"}.get(let.type, "Any")
            needs.any |= kind == "Any"
            lines.add(f"{let.name}: {kind}")
    for subsection in plan.definition.subsections:
        lines.add(f"{subsection.name}: {plan.class_name(subsection.definition)} | None")


def _comment(stored: Field) -> str:
    parts = [part for part in (stored.doc, stored.unit and f"in {stored.unit}") if part]
    return "; ".join(one_line(part) for part in parts)


#: what an exported let is until a walk has computed it
_LET_ZEROS = {"int": "0", "bool": "False", "text": '""', "bytes": 'b""'}


def _constructor(lines: Lines, plan: ClassPlan) -> None:
    parameters: list[str] = []
    body: list[str] = []
    for stored in plan.stored:
        name, kind = stored.name, plan.field_type(stored)
        default = plan.default(stored)
        if default is None and stored.presence is not None:
            default = plan.fallback(stored)
        elif default is None:
            default = plan.zero(stored.type)
        if default is None:
            parameters.append(f"{name}: {kind if kind.endswith('None') else kind + ' | None'} = None")
            body.append(f"self.{name} = {name}")
        elif default.endswith("()") or default.startswith("["):
            parameters.append(f"{name}: {kind if kind.endswith('None') else kind + ' | None'} = None")
            body.append(f"self.{name} = {default} if {name} is None else {name}")
        else:
            parameters.append(f"{name}: {kind} = {default}")
            body.append(f"self.{name} = {name}")
    for subsection in plan.definition.subsections:
        parameters.append(f"{subsection.name}: {plan.class_name(subsection.definition)} | None = None")
        body.append(f"self.{subsection.name} = {subsection.name}")
    lines.add()
    if parameters:
        lines.statement("def __init__(", ["self", "*", *parameters], ") -> None:")
    else:
        lines.add("def __init__(self) -> None:")
    lines.indent()
    lines.add("super().__init__()")
    for line in body:
        lines.add(line)
    for let in plan.lets:
        if let.exported:
            lines.add(f"self.{let.name} = {_LET_ZEROS.get(let.type, 'None')}")
    lines.dedent()


def _derived(lines: Lines, plan: ClassPlan, needs: Needs) -> None:
    """Properties for what is not stored but computed from the fields."""
    for each in plan.fields:
        if each.derived is None or not each.derived_property:
            continue
        if any(isinstance(part, Ref) and part.source != "field" for part in parts(each.derived)):
            continue
        compiler = plan.compiler()
        code = compiler(each.derived)
        if compiler.uses_facts or compiler.uses_version:
            continue
        needs.take(compiler)
        lines.add()
        lines.add("@property")
        lines.add(f"def {each.name}(self) -> {plan.python_type(each.type)}:")
        lines.indent()
        if each.doc:
            lines.add(f'"""{_sentence(each.doc)}"""')
        lines.statement("return ", [code], "")
        lines.dedent()


def _hooks(lines: Lines, plan: ClassPlan, needs: Needs) -> None:
    """The hooks of a state's life: functions of the module beside the spec."""
    module = plan.model.module(plan.definition.module)
    if module.hooks is None or module.state != plan.definition.id:
        return
    for method, function in (("before_save", module.hooks.before_save), ("after_load", module.hooks.after_load)):
        if function is not None:
            needs.hooks.add(function)
            lines.add()
            lines.add(f"{method} = staticmethod(hooks.{function})")


def _match(lines: Lines, plan: ClassPlan, needs: Needs) -> None:
    module = plan.model.module(plan.definition.module)
    if module.match is None or module.state != plan.definition.id:
        return
    compiler = plan.compiler()
    code = compiler(module.match)
    needs.take(compiler)
    needs.facts = True
    lines.add()
    lines.add("@staticmethod")
    lines.add("def matches(facts: Facts) -> bool:")
    lines.indent()
    if compiler.uses_facts:
        lines.add("f = facts")
    lines.statement("return bool(", [code], ")")
    lines.dedent()
