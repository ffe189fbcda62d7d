"""The rules as a table: id, severity, a short phrase, and why it is wrong and what to write instead."""

from __future__ import annotations

from vmsgen.diagnostics.diagnostic import Severity

__all__ = ["TABLE"]

_ERROR = Severity.ERROR
_LINT = Severity.WARNING
_NOTE = Severity.NOTE

TABLE: tuple[tuple[str, Severity, str, str], ...] = (
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
    (
        "name/unused",
        _LINT,
        "never used",
        "A parameter, prop, constant, import, type, let or hook that nothing uses: left over, or meant elsewhere.",
    ),
    # --- imports
    (
        "import/cycle",
        _ERROR,
        "files that import each other",
        "Every file must be readable after those that it imports.",
    ),
    ("import/missing", _ERROR, "an import that is not there", "The file was not found, or does not define the name."),
    # --- types
    (
        "type/syntax",
        _ERROR,
        "not a field line",
        "A field line is a type and clauses behind it, see The field line and Types in the language reference.",
    ),
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
        "type/pad",
        _ERROR,
        "a pad with a length of its own",
        "A pad has no attribute, so nothing would keep a length that stands before it on the wire; `bytes` does.",
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
    (
        "expr/syntax",
        _ERROR,
        "not an expression",
        "What an expression may hold is under Expressions in the language reference.",
    ),
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
    (
        "sub/ambiguous",
        _LINT,
        "a subsection that the one before it takes",
        "A subsection is a description, too: behind its fields a reader takes whatever begins with its name, and fails "
        "if it is none of its own. `acme/rx` must not stand right before `acme/rx-queue`; with another one between "
        "them, or the longer name first, it is read.",
    ),
    (
        "sub/guest-bytes",
        _LINT,
        "bytes behind a place where a reader looks for a subsection",
        "Behind each nested struct that has a `vmstate:` QEMU looks for the byte 5 and a name. Bytes there that a "
        "guest chooses can be made to look like one; QEMU's format has no way out, so it is only to be known.",
    ),
    (
        "version/nested",
        _LINT,
        "a version that gates nothing",
        "A nested struct has no version on the wire: it is always read at its newest, and its `since` and `until` "
        "never decide anything. `at-version N`, a parameter, or the release of the sender does.",
    ),
    ("version/order", _ERROR, "minimum version above version", "The minimum version is the oldest that can be read."),
    ("tag/taken", _ERROR, "a tag given twice", "An APPLICATION tag belongs to one state for ever."),
    ("tag/changed", _ERROR, "a tag that changed", "BER written before carries the number that the lock records."),
    (
        "tag/range",
        _LINT,
        "a tag of somebody else's range",
        "The tags from 20001 to 29999 belong to the states that come with vmsgen, those from 30000 to everybody else; "
        "a later release may give a number of the wrong range to another state.",
    ),
    (
        "tag/order",
        _LINT,
        "tags that are not in the order of the wire",
        "Fields that were inserted or moved have higher numbers than those behind them. That is right once BER with "
        "them exists; before it, delete the definition's lines from tags.lock and build again.",
    ),
    ("lock/syntax", _ERROR, "not a lock file", "The lock is written by the tool; restore it from version control."),
    # --- evolution and hooks
    (
        "compat/stale",
        _ERROR,
        "an entry that matches nothing",
        "An accepted break without a break, or an old name that is alive.",
    ),
    (
        "unknown/open",
        _NOTE,
        "an open question",
        "`unknown` is answered per stream by an option, the vmdesc or search. `vmsgen lint` counts them by file, and "
        "shows each one if the rule is selected by its name.",
    ),
    (
        "match/same",
        _LINT,
        "two specs that nothing tells apart",
        "Specs of one state name need different `match:` expressions.",
    ),
    ("hook/missing", _ERROR, "a hook that is not there", "The module or one of its functions was not found."),
    # --- what people are told
    (
        "doc/missing",
        _LINT,
        "a field without `doc:`",
        "The class, the ASN.1 and the pages would say what it is. Structs are explained where they are defined; pads "
        "and derived fields need no words.",
    ),
    (
        "doc/opaque",
        _LINT,
        "bytes that nothing explains",
        "More than 16 bytes of `bytes` or `pad` count as opaque unless `doc:` or `view:` says what they are.",
    ),
    (
        "doc/source",
        _LINT,
        "a prop without `source:`",
        "A prop is not in the stream, so a reader must be told where its value comes from: a property of the device, a "
        "part of QEMU with its file and release.",
    ),
    (
        "doc/summary",
        _LINT,
        "a state without `summary:`",
        "One line says what device it is, in the index of the pages and in messages.",
    ),
    (
        "count/stored",
        _LINT,
        "a count that could be derived",
        "A plain integer that is only the count of one array has to be kept in step by hand. `= len(x)` behind its "
        "type computes it, and a wrong one is found when it is read.",
    ),
    # --- comments that ignore a finding
    (
        "ignore/unused",
        _LINT,
        "an ignore that ignores nothing",
        "The finding is gone, or stands elsewhere. Errors cannot be ignored.",
    ),
    (
        "ignore/reason",
        _LINT,
        "an ignore without a reason",
        "Whoever reads it next must know why the finding does not matter: `# vmsgen: ignore[RULE] reason`.",
    ),
    (
        "ignore/unknown",
        _LINT,
        "an ignore of no rule",
        "It is written `# vmsgen: ignore[RULE] reason`, with the id of a rule, or several with commas between.",
    ),
)
