"""Everything vmsgen has to say about a spec: one diagnostic type, its rules, and its printers."""

from vmsgen.diagnostics.diagnostic import Diagnostic, Note, Severity, SourceFile, Span

__all__ = ["Diagnostic", "Note", "Severity", "SourceFile", "Span"]
