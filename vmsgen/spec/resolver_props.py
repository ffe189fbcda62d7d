"""Props: their defaults and candidates as values of their types."""

from __future__ import annotations

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.spec.declarations import PropDecl
from vmsgen.spec.expression import Const, Expression
from vmsgen.spec.model import Prop
from vmsgen.spec.nodes import Scalar
from vmsgen.spec.place import Place
from vmsgen.spec.scope import ModuleScope
from vmsgen.spec.shapes import integer
from vmsgen.spec.typer import Expressions


class Props:
    """Resolves props. ``machines`` are the modules whose props hold for the whole stream."""

    def __init__(self, reporter: Reporter, expressions: Expressions, machines: set[str]) -> None:
        self.reporter = reporter
        self.expressions = expressions
        self.machines = machines

    def resolve(self, decl: PropDecl, module: ModuleScope) -> Prop:
        default = None
        if decl.default is not None:
            default = self._default(decl, module)
        found = Prop(
            module.path,
            decl.name,
            decl.kind,
            decl.span,
            low=decl.low,
            high=decl.high,
            candidates=tuple(
                value for scalar in decl.candidates if (value := self._candidate(scalar, decl)) is not None
            ),
            default=default,
            source=decl.source,
            doc=decl.doc,
            machine_wide=module.path in self.machines,
        )
        module.props[decl.name].resolved = found
        return found

    def _default(self, decl: PropDecl, module: ModuleScope) -> Expression | None:
        written = decl.default_text
        assert decl.default is not None and written is not None
        if decl.kind == "endian" and written.text in ("big", "little"):
            return Const(written.text, "endian", written.span)
        place = Place(module, reach="ambient", subject=f"{module.path}.{decl.name}")
        found = self.expressions.resolve(decl.default, place, decl.kind)
        if isinstance(found, Const) and decl.kind == "int":
            self._bounded(int(found.value), decl, written)  # type: ignore[arg-type]
        return found

    def _bounded(self, value: int, decl: PropDecl, written: Scalar) -> bool:
        low = decl.low if decl.low is not None else value
        high = decl.high if decl.high is not None else value
        if low <= value <= high:
            return True
        self.reporter.error("spec/value", f"{value} is not in {low}..{high}", written.span)
        return False

    def _candidate(self, written: Scalar, decl: PropDecl) -> int | str | bool | None:
        if decl.kind == "text":
            return written.text
        if decl.kind == "bool" and written.text in ("true", "false"):
            return written.text == "true"
        if decl.kind == "endian" and written.text in ("big", "little"):
            return written.text
        if decl.kind == "int" and (value := integer(written.text)) is not None:
            return value if self._bounded(value, decl, written) else None
        self.reporter.error("spec/value", f"candidates: `{written.text}` is no {decl.kind}", written.span)
        return None
