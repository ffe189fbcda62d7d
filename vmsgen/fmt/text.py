"""One spec in the house style, or what is wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from vmsgen.diagnostics import Diagnostic, Severity, SourceFile
from vmsgen.diagnostics.reporter import Reporter
from vmsgen.fmt.layout import lay_out
from vmsgen.fmt.lines import tidy
from vmsgen.fmt.roles import Role, roles
from vmsgen.runtime.errors import VmsgenError
from vmsgen.spec.binder import bind
from vmsgen.spec.comments import comments
from vmsgen.spec.lexer import tokens
from vmsgen.spec.nodes import Mapping, Node, Scalar, Sequence, read


class FormatError(VmsgenError):
    """The formatter would have changed what a spec says; the file is left as it was."""


@dataclass(frozen=True)
class Formatted:
    """``text`` is None for a spec with errors, which are in ``diagnostics``."""

    text: str | None
    diagnostics: tuple[Diagnostic, ...] = ()


def format_text(path: str, text: str) -> Formatted:
    """The spec ``text`` in the house style; ``path`` is how messages name it.

    Only what can be read without the other files is checked: YAML, keys, field lines and expressions. Before it is
    given out the new text is read again and compared with the old one: raises FormatError, a mistake in vmsgen, if
    anything but blanks and the order of clauses differs.
    """
    source = SourceFile(path, text.replace("\r\n", "\n"))
    reporter = Reporter()
    root = read(source, reporter)
    if root is not None:
        bind(source, root, reporter)
    if not isinstance(root, Mapping) or reporter.has_errors:
        return Formatted(None, tuple(d for d in reporter.diagnostics if d.severity is Severity.ERROR))
    known = roles(root)
    found = comments(source, root)
    made = lay_out(source, root, known, found)
    after = SourceFile(path, made)
    again = read(after, Reporter())
    if again is None or not _same(root, again, known):
        raise FormatError(f"{path}: formatting would change what it says; it was left as it is")
    if Counter(one.text for one in found) != Counter(one.text for one in comments(after, again)):
        raise FormatError(f"{path}: formatting would lose a comment; it was left as it is")
    return Formatted(made)


def _same(old: Node, new: Node, known: dict[int, Role]) -> bool:
    """Whether two documents say the same."""
    if isinstance(old, Scalar) and isinstance(new, Scalar):
        return old.text == new.text or _same_line(old, new, known)
    if isinstance(old, Sequence) and isinstance(new, Sequence):
        return len(old.items) == len(new.items) and all(
            _same(a, b, known) for a, b in zip(old.items, new.items, strict=True)
        )
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return len(old.entries) == len(new.entries) and all(
            _same(a, c, known) and _same(b, d, known) for (a, b), (c, d) in zip(old.entries, new.entries, strict=True)
        )
    return False


def _same_line(old: Scalar, new: Scalar, known: dict[int, Role]) -> bool:
    """Whether a line was only written anew: its own words, and nothing more to mend in it."""
    role = known.get(old.start)
    if role is None or not old.plain or new.text != tidy(new, role):
        return False
    return Counter(token.text for token in tokens(old)) == Counter(token.text for token in tokens(new))
