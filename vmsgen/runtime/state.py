"""The base of every generated class: values in slots, equality by value, and what a stream said beyond the values.

A :class:`Struct` is one SEQUENCE of fields. A :class:`VMState` is one that a stream can name: it knows its
section's version and the facts it was read with, and is where binary and BER begin. What the wire held and no value
says (a boolean of 2, a pad that is not zero, the tail of a string, NaN bits, the order of subsections, BER elements
of a newer writer) stands in ``_kept``, keyed by field path, and goes back to the wire unless the field was set
since.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from vmsgen.runtime.errors import VmsgenError
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from vmsgen.runtime.visitor import Visitor

S = TypeVar("S", bound="Struct")
V = TypeVar("V", bound="VMState")

#: Keys of ``_kept`` that are no fields.
UNKNOWN = "<unknown>"
ORDER = "<subsections>"

#: What straight-line code meets when the data is not what it expects; the walk then says where and why.
FAST_PATH_ERRORS = (
    struct.error,
    LookupError,
    ZeroDivisionError,
    TypeError,
    ValueError,
    OverflowError,
    AttributeError,
    VmsgenError,
)


class SubsectionInfo(NamedTuple):
    """A subsection as its owner knows it: wire name, attribute, class, and its tag in the BER component."""

    wire_name: str
    name: str
    type: type[VMState]
    tag: int


class Struct:
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
    VERSION: ClassVar[int] = 1
    MINIMUM_VERSION: ClassVar[int] = 1
    SUBSECTIONS: ClassVar[tuple[SubsectionInfo, ...]] = ()
    #: structs that read the bytes of a field for people
    VIEWS: ClassVar[Mapping[str, type[Struct]]] = {}

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

    # ------------------------------------------------------------------ values

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Struct) or plain_class(type(self)) is not plain_class(type(other)):
            return NotImplemented
        return all(_same(getattr(self, name), getattr(other, name)) for name in self._values())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        inner = ", ".join(
            f"{name}={getattr(self, name)!r}" for name in self._values() if getattr(self, name) is not None
        )
        return f"{type(self).__name__}({inner})"

    @classmethod
    def _values(cls) -> tuple[str, ...]:
        return cls.FIELDS + tuple(info.name for info in cls.SUBSECTIONS)

    @classmethod
    def _blank(cls: type[S]) -> S:
        """An object with nothing read yet: every field has the value it has when the wire does not hold it."""
        self = cls.__new__(cls)
        self._kept = None
        for name in cls._values():
            setattr(self, name, cls.ABSENT.get(name))
        return self

    # ------------------------------------------------------------------ codecs, where the class has no straight line

    @classmethod
    def _load(cls: type[S], d: bytes, p: int, f: Facts, *scope: Any) -> tuple[S, int]:
        """The object at ``p`` and the position behind it."""
        from vmsgen.runtime.binary_in import BinaryIn

        self, visitor = cls._blank(), BinaryIn(d, p, f)
        visitor.run(self, cls._own_scope(self, scope))
        return self, visitor.position

    def _save(self, out: list[bytes], f: Facts, *scope: Any) -> None:
        """Appends the wire bytes."""
        from vmsgen.runtime.binary_out import BinaryOut

        visitor = BinaryOut(f)
        visitor.run(self, self._own_scope(self, scope))
        out.append(bytes(visitor.out))

    def _encode(self, f: Facts, *scope: Any) -> bytes:
        """The content octets of the SEQUENCE."""
        from vmsgen.runtime.ber_out import BerOut

        visitor = BerOut(f)
        visitor.run(self, self._own_scope(self, scope))
        return visitor.made

    @classmethod
    def _decode(cls: type[S], d: bytes, p: int, e: int, f: Facts, *scope: Any) -> S:
        """The object from the content octets ``p`` to ``e`` of its SEQUENCE."""
        from vmsgen.runtime.ber_in import BerIn

        self = cls._blank()
        BerIn(d, f).run_content(self, p, e, cls._own_scope(self, scope))
        return self

    @staticmethod
    def _own_scope(value: Struct, scope: tuple[Any, ...]) -> tuple[Any, ...]:
        """What ``visit`` takes beside the visitor."""
        return scope

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

    def identical(self, other: VMState | Struct) -> bool:
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
    def visit(self: Struct, v: Visitor, *scope: Any) -> None:
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


def _same(left: Any, right: Any) -> bool:
    """Equality of two values; a NaN equals a NaN, also in a list."""
    if isinstance(left, float) and isinstance(right, float):
        return left == right or (left != left and right != right)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)) and left and not isinstance(left[0], int):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)


def _kept_tree(value: Any) -> list[Any]:
    """Every ``_kept`` below a value, in field order."""
    if isinstance(value, Struct):
        found: list[Any] = [dict(value._kept or {})]
        for name in value._values():
            found.extend(_kept_tree(getattr(value, name)))
        return found
    if isinstance(value, (list, tuple)) and value and not isinstance(value[0], int):
        return [kept for item in value for kept in _kept_tree(item)]
    return []


@cache
def keeping(cls: type[Struct]) -> type[Struct]:
    """The class of objects that keep something: the same, but that setting a field drops what was kept of it.

    A class of its own, so that setting a field costs nothing where nothing is kept, which is the rule.
    """
    if "_PLAIN" in cls.__dict__:
        return cls

    def set_and_forget(self: Struct, name: str, value: Any) -> None:
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


class VMState(Struct):
    """A state that a stream names (a section), or a subsection: it carries the version it was read in, and its
    facts.
    """

    __slots__ = ("_facts", "_version")

    #: BER APPLICATION tag; 0 for subsections, which have none of their own
    TAG: ClassVar[int] = 0
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

    @staticmethod
    def matches(facts: Facts) -> bool:
        """Whether this is the state of its name in a stream with these facts. Raises Unanswered if they do not say."""
        return True

    @staticmethod
    def _own_scope(value: Struct, scope: tuple[Any, ...]) -> tuple[Any, ...]:
        # the straight-line code of a state takes its version first; the walk finds it in the object
        assert isinstance(value, VMState)
        value._version = scope[0]
        return scope[1:]

    @property
    def section_version(self) -> int:
        """The version this state was read in, or its newest; what it is written in."""
        return self._version

    @property
    def facts(self) -> Facts:
        """What is known of the sender: given, or found out when this state was read."""
        return self._facts

    # ------------------------------------------------------------------ binary

    @classmethod
    def from_binary(
        cls: type[V], data: bytes | bytearray | memoryview, *, version: int | None = None, facts: Facts | None = None
    ) -> V:
        """The state from all of ``data``. ``version`` is the section's. Raises DataError, also for bytes left over."""
        from vmsgen.runtime.binary_codec import load_exactly

        return load_exactly(cls, bytes(data), cls.VERSION if version is None else version, facts or Facts())

    @classmethod
    def load_at(
        cls: type[V],
        data: bytes,
        position: int,
        *,
        version: int,
        facts: Facts,
        limits: Limits = DEFAULT_LIMITS,
    ) -> tuple[V, int]:
        """The state at ``position`` and where it ends. Raises DataError with path, offset and the partial object."""
        from vmsgen.runtime.binary_codec import load

        return load(cls, data, position, version, facts, limits)

    def to_binary(self, *, version: int | None = None, facts: Facts | None = None) -> bytes:
        """The bytes of the section's payload. Raises DataError when a value does not fit the wire."""
        from vmsgen.runtime.binary_codec import save

        return save(self, self._version if version is None else version, self._facts if facts is None else facts)

    # ------------------------------------------------------------------ for a device model that lives

    @staticmethod
    def before_save(state: Any) -> None:
        """What the spec's hook does before a running device is saved."""

    @staticmethod
    def after_load(state: Any, version: int) -> None:
        """What the spec's hook does after a device was loaded, such as arming timers."""

    def save(self, *, version: int | None = None) -> bytes:
        """:meth:`to_binary` of a running device: the hook ``before_save`` runs first."""
        self.before_save(self)
        return self.to_binary(version=version)

    @classmethod
    def load(cls: type[V], data: bytes, *, version: int | None = None, facts: Facts | None = None) -> V:
        """:meth:`from_binary` for a device that is to run: the hook ``after_load`` runs last."""
        state = cls.from_binary(data, version=version, facts=facts)
        state.after_load(state, state._version)
        return state

    # ------------------------------------------------------------------ JSON

    def to_json(self) -> dict[str, Any]:
        """The values as JSON has them: bytes as hex, nested structs as objects, subsections by their wire names."""
        from vmsgen.runtime.json_out import to_json

        return to_json(self)

    @classmethod
    def from_json(cls: type[V], values: Any, *, version: int | None = None, facts: Facts | None = None) -> V:
        """The state from such values. Raises DataError with the path of the field that is wrong."""
        from vmsgen.runtime.json_in import from_json

        return from_json(cls, values, version=version, facts=facts)

    # ------------------------------------------------------------------ BER

    def to_ber(self) -> bytes:
        """The state as one definite element, with its version and the facts that its layout depends on."""
        from vmsgen.runtime.ber_codec import encode

        return encode(self, alone=True)

    @classmethod
    def from_ber(cls: type[V], data: bytes | bytearray | memoryview) -> V:
        """The state from one element in any legal form. Raises DataError."""
        from vmsgen.runtime.ber_codec import decode

        return decode(cls, bytes(data), None, None)

    def ber_state(self) -> bytes:
        """As :meth:`to_ber`, for the container, whose section record carries version and facts."""
        from vmsgen.runtime.ber_codec import encode

        return encode(self, alone=False)

    @classmethod
    def from_ber_state(cls: type[V], data: bytes | bytearray | memoryview, *, version: int, facts: Facts) -> V:
        """The state of a section record of the container. Raises DataError."""
        from vmsgen.runtime.ber_codec import decode

        return decode(cls, bytes(data), version, facts)
