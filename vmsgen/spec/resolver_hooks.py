"""`hooks:` of a file: the module is there, and defines what the spec names."""

from __future__ import annotations

import ast
import posixpath

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.diagnostics.suggest import did_you_mean
from vmsgen.spec import syntax
from vmsgen.spec.declarations import HooksDecl
from vmsgen.spec.loader import LIBRARY_PREFIX, SpecFile
from vmsgen.spec.model import Hooks
from vmsgen.spec.place import Place
from vmsgen.spec.scope import Failed, ModuleScope
from vmsgen.spec.types import TypePlace, Types


class HookModules:
    """The hooks of all files, by module path."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.hooks: dict[str, Hooks] = {}

    def resolve(self, module: ModuleScope, types: Types) -> None:
        """What needs the types: the hooks of a file."""
        declared = module.file.decl.hooks
        if declared is None:
            return
        visits = {}
        for name, found in declared.types:
            if found is None:
                continue
            try:
                hook = syntax.NamedType(
                    "hook", (syntax.Argument(None, syntax.NameExpr(name.text, name.span), name.span),), name.span
                )
                wire = types.resolve(hook, TypePlace(Place(module, reach="ambient"), "big"))
                visits[name.text] = wire.type  # type: ignore[union-attr]
            except Failed:
                continue
        text, path = self._hook_text(declared, module.file)
        if text is None:
            return
        self._functions(declared, text, path)
        before = declared.before_save.text if declared.before_save is not None else None
        after = declared.after_load.text if declared.after_load is not None else None
        self.hooks[module.path] = Hooks(path, text, before, after, visits)

    def _hook_text(self, declared: HooksDecl, file: SpecFile) -> tuple[str | None, str]:
        written = declared.module
        below = file.path.removeprefix(LIBRARY_PREFIX) if file.external else file.path
        folder = posixpath.dirname(below) if written.text.startswith("./") else ""
        path = posixpath.normpath(posixpath.join(folder, written.text))
        if path.startswith(("/", "..")) or not path.endswith(".py"):
            self.reporter.error("hook/missing", f"`{written.text}` is no Python file beside the specs", written.span)
            return None, path
        try:
            return (file.root / path).read_text("utf-8"), path
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            self.reporter.error("hook/missing", f"{path} cannot be read: {reason}", written.span)
            return None, path

    def _functions(self, declared: HooksDecl, text: str, path: str) -> None:
        """Every function that the spec names must be defined at the top of the module."""
        try:
            defined = {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self.reporter.error("hook/missing", f"{path} is not Python: {error}", declared.module.span)
            return
        wanted = [(f"visit_{name.text}", name.span) for name, _ in declared.types]
        wanted += [
            (found.text, found.span) for found in (declared.before_save, declared.after_load) if found is not None
        ]
        for name, span in wanted:
            if name not in defined:
                near = did_you_mean(name, defined)
                help = f"did you mean `{near}`?" if near else None
                self.reporter.error("hook/missing", f"{path} defines no function `{name}`", span, help=help)
