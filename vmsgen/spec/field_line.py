"""Field lines (The field line in docs/language.md): ``type { clause }`` on one scalar."""

from __future__ import annotations

from vmsgen.diagnostics.reporter import Reporter
from vmsgen.diagnostics.suggest import did_you_mean
from vmsgen.spec.lexer import SpecSyntaxError, Token, describe
from vmsgen.spec.nodes import Scalar
from vmsgen.spec.syntax import Clause, FieldLine
from vmsgen.spec.type_parser import INTEGER_TYPES, SIZED_TYPES, TypeParser, parse_type

__all__ = ["CLAUSES", "INTEGER_TYPES", "SIZED_TYPES", "parse_field_line", "parse_type"]

#: The words that begin a clause, in the order of the formatter.
CLAUSES = ("little-endian", "big-endian", "host-endian", "as", "=", "at", "at-version", "since", "until", "when")

_RULE = "type/syntax"


def parse_field_line(scalar: Scalar, reporter: Reporter) -> FieldLine | None:
    """The field line that ``scalar`` is, or None after one report."""
    if not scalar.text.strip():
        reporter.error("spec/no-type", "this field has no type", scalar.span, help="write its type behind the `:`")
        return None
    try:
        parser = _LineParser(scalar, rule=_RULE)
        type_ = parser.type()
        clauses = parser.clauses()
        return FieldLine(type_, clauses, scalar.span)
    except SpecSyntaxError as error:
        error.report(reporter)
        return None


class _LineParser(TypeParser):
    """The parser of types with clauses behind them."""

    def clauses(self) -> tuple[Clause, ...]:
        """The rest of the line."""
        found: list[Clause] = []
        while self.token.kind != "end":
            clause = self._clause()
            for other in found:
                if other.keyword == clause.keyword:
                    raise SpecSyntaxError(
                        _RULE, f"`{clause.keyword}` stands twice", clause.span, _twice_help(clause.keyword)
                    )
                if other.keyword.endswith("-endian") and clause.keyword.endswith("-endian"):
                    raise SpecSyntaxError(_RULE, f"both `{other.keyword}` and `{clause.keyword}`", clause.span)
            found.append(clause)
        return tuple(found)

    def _clause(self) -> Clause:
        first = self.token
        keyword = self._keyword()
        if keyword == "as":
            name = self.token
            if name.kind != "name":
                raise self.error(f"expected the name of an enum or flags, found {describe(name)}", name)
            self.next()
            return Clause("as", self.span_from(first), name=name.text)
        if keyword in ("at-version", "since", "until"):
            number = self.token
            if number.kind != "int" or not isinstance(number.value, int):
                raise self.error(f"`{keyword}` takes a version, a number; found {describe(number)}", number)
            self.next()
            return Clause(keyword, self.span_from(first), number=number.value)
        if keyword in ("=", "at", "when"):
            value = self.expression()
            return Clause(keyword, self.span_from(first), expr=value)
        return Clause(keyword, self.span_from(first))

    def _keyword(self) -> str:
        token = self.token
        if token.kind == "op" and token.text == "=":
            self.next()
            return "="
        if token.kind == "name":
            hyphen, rest = self.ahead(), self.ahead(2)
            joined = token.text
            if hyphen.text == "-" and rest.kind == "name" and hyphen.start == token.end and rest.start == hyphen.end:
                joined = f"{token.text}-{rest.text}"
            if joined in CLAUSES:
                for _ in range(1 if joined == token.text else 3):
                    self.next()
                return joined
            raise self._unknown_clause(token, joined)
        self.refuse_foreign()
        if token.kind == "op" and token.text == "==":
            raise self.error(
                "`==` is no clause", token, help="write `= expr` for a derived field, `when a == b` for a condition"
            )
        if token.kind == "op" and token.text in (")", "]", "}"):
            raise self.error(f"`{token.text}` closes nothing", token)
        if token.kind == "op" and token.text in ("(", "["):
            raise self.error(f"`{token.text}` does not belong behind this", token)
        raise self.error(f"expected a clause, found {describe(token)}", token, help=_CLAUSE_HELP)

    def _unknown_clause(self, token: Token, joined: str) -> SpecSyntaxError:
        place = self.scalar.span_of(token.start, token.start + len(joined))
        meant = did_you_mean(joined, CLAUSES)
        if joined in ("if", "unless"):
            help: str | None = "a condition is `when expr`"
        elif joined in ("little", "big", "host", "le", "be", "littleendian", "bigendian"):
            help = f"write `{'little' if joined[0] == 'l' else 'host' if joined[0] == 'h' else 'big'}-endian`"
        elif joined in ("and", "or"):
            help = "put the whole condition behind one `when`"
        elif meant:
            help = f"did you mean `{meant}`?"
        else:
            help = _CLAUSE_HELP
        return SpecSyntaxError(_RULE, f"`{joined}` is no clause of a field line", place, help)


_CLAUSE_HELP = (
    "clauses are `little-endian`, `big-endian`, `host-endian`, `as Enum`, `= expr`, `at expr`, `at-version N`, "
    "`since N`, `until N`, `when expr`"
)


def _twice_help(keyword: str) -> str | None:
    return "join the conditions with `and`" if keyword == "when" else None
