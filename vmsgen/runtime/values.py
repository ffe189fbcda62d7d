"""Values of a description: fields in slots, equality by value, and what a stream said beyond the values.

What the wire held and no value says (a boolean of 2, a pad that is not zero, the tail of a string, NaN bits, the order
of subsections, BER elements of a newer writer) stands in ``_kept``, keyed by field path, and goes back to the wire
unless the field was set since. Visitors know these classes; the ones that users meet, which know the codecs, stand in
:mod:`vmsgen.runtime.state`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from vmsgen.runtime.facts import Facts

if TYPE_CHECKING:
    from vmsgen.runtime.visitor import Visitor

S = TypeVar("S", bound="Values")
V = TypeVar("V", bound="StateValues")

_CODECS = frozenset(("_load", "_save", "_encode", "_decode"))

#: Keys of ``_kept`` that are no fields.
UNKNOWN = "<unknown>"
ORDER = "<subsections>"


class SubsectionInfo(NamedTuple):
    """A subsection as its owner knows it: wire name, attribute, class, and its tag in the BER component."""

    wire_name: str
    name: str
    type: type[StateValues]
    tag: int


class Values:
    """Values of one description. Subclasses are generated; fields are keyword arguments, slots and part of ``==``."""

    __slots__ = ("_kept",)

    #: Python names of the fields, in wire order
    FIELDS: ClassVar[tuple[str, ...]] = ()
    #: values of fields that the wire did not hold
    ABSENT: ClassVar[Mapping[str, Any]] = {}
    #: wire names (QEMU's C expressions) of the fields whose Python name differs
    WIRE_NAMES: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    #: context tags of the BER components
    TAGS: ClassVar[Mapping[str, int]] = {}
    #: a reader looks for subsection marks after the fields
    MARKED: ClassVar[bool] = False
    #: QEMU's name of the description, which its subsections' names start with
    VMSTATE: ClassVar[str] = ""
    #: BER APPLICATION tag; 0 for structs and subsections, which have none of their own
    TAG: ClassVar[int] = 0
    VERSION: ClassVar[int] = 1
    MINIMUM_VERSION: ClassVar[int] = 1
    SUBSECTIONS: ClassVar[tuple[SubsectionInfo, ...]] = ()
    #: the codecs that the class has in straight-line code
    STRAIGHT: ClassVar[frozenset[str]] = frozenset()
    #: structs that read the bytes of a field for people
    VIEWS: ClassVar[Mapping[str, type[Values]]] = {}

    _kept: dict[str, bytes] | None

    def __init__(self) -> None:
        self._kept = None

    def visit(self, v: Visitor, *args: Any, **kwargs: Any) -> None:
        """Names every field once, in wire order; the visitor decides direction and format.

        Behind the visitor stand the values of the parameters that the description has.
        """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        walk = cls.__dict__.get("visit")
        if walk is not None:
            cls.visit = _from_its_top(walk)  # type: ignore[method-assign]
        if "_PLAIN" not in cls.__dict__:
            cls.STRAIGHT = _CODECS.intersection(cls.__dict__)

    # ------------------------------------------------------------------ values

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Values) or plain_class(type(self)) is not plain_class(type(other)):
            return NotImplemented
        return all(_same(getattr(self, name), getattr(other, name)) for name in self._values())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        inner = ", ".join(
            f"{name}={_short(getattr(self, name))}" for name in self._values() if getattr(self, name) is not None
        )
        return f"{type(self).__name__}({inner})"

    @classmethod
    def _values(cls) -> tuple[str, ...]:
        return cls.FIELDS + tuple(info.name for info in cls.SUBSECTIONS)

    @classmethod
    def _blank(cls: type[S]) -> S:
        """An object with nothing read yet: every field has the value it has when the wire does not hold it."""
        self: S = object.__new__(plain_class(cls))
        self._kept = None
        for name in cls._values():
            setattr(self, name, cls.ABSENT.get(name))
        return self

    if TYPE_CHECKING:
        # the codecs, which the classes in state.py and those generated have; named here for what calls them

        @classmethod
        def _load(cls: type[S], d: bytes, p: int, f: Facts, *scope: Any) -> tuple[S, int]: ...

        def _save(self, out: list[bytes], f: Facts, *scope: Any) -> None: ...

        def _encode(self, f: Facts, *scope: Any) -> bytes: ...

        @classmethod
        def _decode(cls: type[S], d: bytes, p: int, e: int, f: Facts, *scope: Any) -> S: ...

    # ------------------------------------------------------------------ what values do not say

    def _keep(self, key: str, data: bytes) -> None:
        """Remembers wire bytes of ``key`` (``flag``, ``flags[3]``); once sealed, setting the field forgets them."""
        if self._kept is None:
            self._kept = {}
        self._kept[key] = data

    def _seal(self) -> None:
        """From here on setting a field forgets what was kept of it."""
        if self._kept:
            self.__class__ = keeping(type(self))  # type: ignore[arg-type]

    def __reduce__(self) -> tuple[Any, ...]:
        """For ``copy`` and ``pickle``: the values, and what is kept of them in a dict of the copy's own."""
        slots = [name for cls in reversed(type(self).__mro__) for name in cls.__dict__.get("__slots__", ())]
        values = {name: getattr(self, name) for name in slots if name != "_kept"}
        return _restored, (plain_class(type(self)), values, dict(self._kept) if self._kept else None)

    def identical(self, other: Values) -> bool:
        """Whether both are the same on the wire, and not only in their values."""
        return (
            self == other
            and all(left == right for left, right in zip(_kept_tree(self), _kept_tree(other), strict=False))
            and len(_kept_tree(self)) == len(_kept_tree(other))
        )


def _from_its_top(walk: Callable[..., None]) -> Callable[..., None]:
    """A generated ``visit`` that a visitor which is nowhere yet may be given to: it then runs from this object.

    A walk sets every field, and that forgets nothing of what was kept: neither what a reader keeps on the way, nor what
    a writer has still to write.
    """

    @wraps(walk)
    def visit(self: Values, v: Visitor, *scope: Any) -> None:
        if v.is_nowhere:
            v.run(self, scope)
            return
        if self._kept is not None:
            self.__class__ = plain_class(type(self))
        try:
            walk(self, v, *scope)
        finally:
            self._seal()

    return visit


def _restored(cls: type[Values], values: dict[str, Any], kept: dict[str, bytes] | None) -> Values:
    """A copy of an object, of what :meth:`Values.__reduce__` tells of it."""
    self: Values = object.__new__(cls)
    for name, value in values.items():
        setattr(self, name, value)
    self._kept = kept
    self._seal()
    return self


def _short(value: Any) -> str:
    """A value for ``repr``: long bytes and lists by their beginning and length."""
    if isinstance(value, bytes) and len(value) > 32:
        return f"<{len(value)} bytes {value[:8].hex()}...>" if value.strip(b"\0") else f"<{len(value)} zero bytes>"
    if isinstance(value, list) and len(value) > 16:
        return f"[{', '.join(map(_short, value[:4]))}, ... {len(value)} in all]"
    if isinstance(value, int) and value.bit_length() > 64:
        return f"{value:#x}" if value.bit_length() <= 256 else f"<{value.bit_length()} bits>"
    return repr(value)


def _same(left: Any, right: Any) -> bool:
    """Equality of two values; a NaN equals a NaN, also in a list."""
    if isinstance(left, float) and isinstance(right, float):
        return left == right or (left != left and right != right)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)) and left and not isinstance(left[0], int):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)


def _kept_tree(value: Any) -> list[Any]:
    """Every ``_kept`` below a value, in field order."""
    if isinstance(value, Values):
        found: list[Any] = [dict(value._kept or {})]
        for name in value._values():
            found.extend(_kept_tree(getattr(value, name)))
        return found
    if isinstance(value, (list, tuple)) and value and not isinstance(value[0], int):
        return [kept for item in value for kept in _kept_tree(item)]
    return []


@cache
def keeping(cls: type[Values]) -> type[Values]:
    """The class of objects that keep something: the same, but that setting a field drops what was kept of it.

    A class of its own, so that setting a field costs nothing where nothing is kept, which is the rule.
    """
    if "_PLAIN" in cls.__dict__:
        return cls

    def set_and_forget(self: Values, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        kept = self._kept
        if kept and name != "_kept":
            for key in [key for key in kept if key == name or key.startswith((f"{name}[", f"{name}."))]:
                del kept[key]
            if ORDER in kept:
                for info in self.SUBSECTIONS:
                    if info.name == name:
                        kept[ORDER] = _without_copies(kept[ORDER], info.wire_name)

    body = {
        "__slots__": (),
        "__setattr__": set_and_forget,
        "_PLAIN": cls,
        "__module__": cls.__module__,
        "__doc__": cls.__doc__,
    }
    made = type(cls.__name__, (cls,), body)
    made.__qualname__ = cls.__qualname__
    return made


def _without_copies(order: bytes, wire_name: str) -> bytes:
    """A kept order of subsections without the earlier copies of one, which stand in it as hex."""
    head = f"={bytes((5, len(wire_name.encode()))).hex()}{wire_name.encode().hex()}".encode()
    return b"\0".join(token for token in order.split(b"\0") if not token.startswith(head))


def plain_class(cls: type) -> type:
    """The generated class behind a class made by :func:`keeping`."""
    plain: type = cls.__dict__.get("_PLAIN", cls)
    return plain


class StateValues(Values):
    """Values of a state or a subsection, which were read in a version and by facts."""

    __slots__ = ("_facts", "_version")

    #: the layout depends on facts; if it does not, an object has those it was read with, not a copy
    ASKS: ClassVar[bool] = True
    #: written by hand in QEMU: no subsection mark is ever looked for
    OLD_STYLE: ClassVar[bool] = False

    _version: int
    _facts: Facts

    def __init__(self) -> None:
        self._kept = None
        self._version = self.VERSION
        self._facts = Facts()

    @classmethod
    def _blank(cls: type[V]) -> V:
        self = super()._blank()
        self._version = cls.VERSION
        self._facts = Facts()
        return self

    @property
    def section_version(self) -> int:
        """The version this state was read in, or its newest; what it is written in."""
        return self._version

    @property
    def facts(self) -> Facts:
        """What is known of the sender: given, or found out when this state was read."""
        return self._facts
