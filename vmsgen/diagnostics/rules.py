"""Every rule that a diagnostic can name: its id, how bad it is, and what it is about.

The ids are part of the interface (``accepted-breaks``, SARIF, editors), so one that was published keeps its meaning.
The table follows section 1.15 of the language reference; findings of severity WARNING are the lint and never stop a
build.
"""

from __future__ import annotations

from dataclasses import dataclass

from vmsgen.diagnostics.diagnostic import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``summary`` is a short phrase, ``explanation`` says why it is wrong and what to write instead."""

    id: str
    severity: Severity
    summary: str
    explanation: str


_ERROR = Severity.ERROR
_LINT = Severity.WARNING

_TABLE: tuple[tuple[str, Severity, str, str], ...] = (
    # --- the file as YAML
    ("yaml/syntax", _ERROR, "not YAML", "The text cannot be read as YAML at all; nothing of the file was looked at."),
    (
        "yaml/duplicate-key",
        _ERROR,
        "a key stands twice",
        "YAML would silently keep one of the two, so neither is taken.",
    ),
    (
        "yaml/flow-brackets",
        _ERROR,
        "brackets in flow style",
        "Inside { } and [ ] YAML ends a text at , [ ] { and }. Write an entry with brackets over several lines.",
    ),
    (
        "yaml/feature",
        _ERROR,
        "a feature of YAML that the language does not have",
        "Anchors, aliases, merge keys, tags, `?` keys, several documents, directives, tabs and byte order marks are "
        "refused: each gives a text a second meaning that no reader of a spec expects.",
    ),
    ("yaml/limit", _ERROR, "too large", "A spec has at most 4 MiB and nests at most 64 levels deep."),
    (
        "yaml/comment",
        _LINT,
        "a text that a comment seems to have cut",
        "` #` starts a comment also in the middle of a text; quote the text or use `>-`.",
    ),
    # --- the shape of a spec
    ("spec/unreadable", _ERROR, "the file cannot be read", "The file is missing, not readable, or not UTF-8."),
    (
        "spec/unknown-key",
        _ERROR,
        "a key that nothing reads",
        "Keys come from a closed list; a mistyped one must not be ignored.",
    ),
    ("spec/shape", _ERROR, "a mapping, list or text in the wrong place", "Each key says which of the three it takes."),
    ("spec/value", _ERROR, "a value that its key does not take", "For example a text where a whole number belongs."),
    ("spec/no-type", _ERROR, "a field without a type", "The value of a field's first key is its type."),
    (
        "spec/two-states",
        _ERROR,
        "two states in one file",
        "A file describes at most one state that a stream can name, so that its tag and its module are clear.",
    ),
    ("spec/missing-key", _ERROR, "a key is missing", "Without it the definition says nothing that could be built."),
    # --- names
    (
        "name/unknown-type",
        _ERROR,
        "no type of this name",
        "Types are the built-in ones, this file's, and what it imports.",
    ),
    (
        "name/unknown",
        _ERROR,
        "nothing of this name",
        "Names are fields and lets of the definition and those around it, parameters, constants, and ambient facts.",
    ),
    (
        "name/collision",
        _ERROR,
        "two things with one name",
        "Names for Python and ASN.1 are derived from the wire's; where two become equal, `as:` renames one.",
    ),
    (
        "name/shadow",
        _ERROR,
        "a name that means two things",
        "A name that is used must be found in one place only; nothing hides anything else.",
    ),
    (
        "name/later",
        _ERROR,
        "a field used before it is read",
        "When this part is read the field is not known yet. Make the count a prop and prove it by a derived field.",
    ),
    (
        "name/outer",
        _ERROR,
        "a field of the struct's user",
        "A named struct sees only its own names; hand the value in as a parameter.",
    ),
    (
        "name/wire-spelling",
        _ERROR,
        "the wire's spelling in an expression",
        "Expressions use Python names, derived from the wire's by turning what is no letter or digit into `_`.",
    ),
    ("name/unused", _LINT, "never used", "A parameter, prop, constant, import or struct that nothing uses."),
    # --- imports
    (
        "import/cycle",
        _ERROR,
        "files that import each other",
        "Every file must be readable after those that it imports.",
    ),
    ("import/missing", _ERROR, "an import that is not there", "The file was not found, or does not define the name."),
    # --- types
    ("type/syntax", _ERROR, "not a field line", "The grammar is in the language reference, sections 1.4 and 1.5."),
    (
        "type/double-bracket",
        _ERROR,
        "an array of arrays",
        "Rows and columns stand in one pair of brackets: `uint8[2, 3]`.",
    ),
    ("type/arguments", _ERROR, "arguments that do not fit", "A struct with parameters takes one argument for each."),
    ("type/recursion", _ERROR, "a struct that holds itself", "Only a list, an array or `?` can end the recursion."),
    ("type/width", _ERROR, "a width or number that does not fit", "Integers have 8, 16, 32 or 64 bits."),
    (
        "type/null",
        _ERROR,
        "`?` where nothing can be NULL",
        "Only structs, alone or as elements of an array, can be NULL.",
    ),
    ("type/union", _ERROR, "a union whose cases do not work", "A union lists its cases, each value once."),
    (
        "type/ends",
        _ERROR,
        "a terminator that cannot be told from an element",
        "`until T value` looks at the first bytes of an element, which must be as wide as T and never the value.",
    ),
    (
        "type/order",
        _ERROR,
        "a byte order on something without one",
        "Only integers, floats, timers and bitmaps have a byte order.",
    ),
    (
        "view/only",
        _ERROR,
        "what only a view can do",
        "`at` and `self` are about the bytes that a view reads; a struct that has them cannot stand on the wire.",
    ),
    # --- expressions
    ("expr/syntax", _ERROR, "not an expression", "The grammar is in the language reference, section 1.8."),
    (
        "expr/operator",
        _ERROR,
        "an operator of another language",
        "The operators are Python's: `and or not // % == if else`.",
    ),
    ("expr/type", _ERROR, "types that do not go together", "Nothing is converted silently: write the comparison."),
    (
        "expr/absent",
        _ERROR,
        "a field that may be absent",
        "It can be used only where its presence is certain: under the same condition, or after `has(x) and`.",
    ),
    ("expr/constant", _LINT, "always true or always false", "The condition says nothing."),
    # --- conditions and checks
    (
        "cond/version",
        _ERROR,
        "a version that cannot be",
        "`since` and `until` name versions between the minimum and the current one.",
    ),
    ("check/impossible", _ERROR, "a check that nothing passes", "No value is in the range or set."),
    ("cond/needed-by", _ERROR, "a count that is absent where its array is not", "Give both the same condition."),
    (
        "count/unbounded",
        _LINT,
        "a count without a bound",
        "The default bound of 2^24 elements holds; a `check` gives a better one.",
    ),
    # --- subsections, versions, tags
    (
        "sub/prefix",
        _ERROR,
        "a subsection of another name",
        "A reader finds a subsection by its owner's name at its start.",
    ),
    ("sub/duplicate", _ERROR, "a subsection that stands twice", "Subsections are told apart by their names."),
    ("sub/length", _ERROR, "a name that is too long", "The wire has one byte for the length of a name."),
    ("version/order", _ERROR, "minimum version above version", "The minimum version is the oldest that can be read."),
    ("tag/taken", _ERROR, "a tag given twice", "An APPLICATION tag belongs to one state for ever."),
    ("tag/changed", _ERROR, "a tag that changed", "BER written before carries the number that the lock records."),
    ("lock/syntax", _ERROR, "not a lock file", "The lock is written by the tool; restore it from version control."),
    # --- evolution and hooks
    (
        "compat/stale",
        _ERROR,
        "an entry that matches nothing",
        "An accepted break without a break, or an old name that is alive.",
    ),
    ("unknown/open", _LINT, "an open question", "`unknown` is answered per stream by an option, the vmdesc or search."),
    (
        "match/same",
        _LINT,
        "two specs that nothing tells apart",
        "Specs of one state name need different `match:` expressions.",
    ),
    ("hook/missing", _ERROR, "a hook that is not there", "The module or one of its functions was not found."),
)

#: Every rule by its id.
RULES: dict[str, Rule] = {row[0]: Rule(*row) for row in _TABLE}
