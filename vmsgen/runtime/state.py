"""The bases of generated classes: values that know their codecs.

A :class:`Struct` is one SEQUENCE of fields. A :class:`VMState` is one that a stream can name: it is where binary, BER
and JSON begin. Both have codecs by the walk, which straight-line code of the generated classes overrides. A
:class:`View` reads the bytes of a field of another object and is never written.
"""

from __future__ import annotations

from typing import Any, TypeVar

from vmsgen.runtime import ber_codec, binary_codec
from vmsgen.runtime.ber_in import BerIn
from vmsgen.runtime.ber_out import BerOut
from vmsgen.runtime.binary_in import BinaryIn
from vmsgen.runtime.binary_out import BinaryOut
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.limits import DEFAULT_LIMITS, Limits
from vmsgen.runtime.values import StateValues, SubsectionInfo, Values

__all__ = ["Struct", "SubsectionInfo", "VMState", "View"]

S = TypeVar("S", bound="WalkCodecs")
V = TypeVar("V", bound="VMState")
W = TypeVar("W", bound="View")


class WalkCodecs(Values):
    """The codecs of a class that has no straight line of its own.

    ``scope`` is what ``visit`` takes behind the visitor; the version of a state stands before it.
    """

    __slots__ = ()

    @classmethod
    def _load(cls: type[S], d: bytes, p: int, f: Facts, *scope: Any) -> tuple[S, int]:
        """The object at ``p`` and the position behind it."""
        self, visitor = cls._blank(), BinaryIn(d, p, f)
        visitor.run(self, self._without_version(scope))
        return self, visitor.position

    def _save(self, out: list[bytes], f: Facts, *scope: Any) -> None:
        """Appends the wire bytes."""
        visitor = BinaryOut(f)
        visitor.run(self, self._without_version(scope))
        out.append(bytes(visitor.out))

    def _encode(self, f: Facts, *scope: Any) -> bytes:
        """The content octets of the SEQUENCE."""
        visitor = BerOut(f)
        visitor.run(self, self._without_version(scope))
        return visitor.made

    @classmethod
    def _decode(cls: type[S], d: bytes, p: int, e: int, f: Facts, *scope: Any) -> S:
        """The object from the content octets ``p`` to ``e`` of its SEQUENCE."""
        self = cls._blank()
        BerIn(d, f).run_content(self, p, e, self._without_version(scope))
        return self

    def _without_version(self, scope: tuple[Any, ...]) -> tuple[Any, ...]:
        """The scope of the walk, which finds the version of a state in the object."""
        return scope


class Struct(WalkCodecs):
    """Values of one description. Subclasses are generated; fields are keyword arguments, slots and part of ``==``."""

    __slots__ = ()


class View(WalkCodecs):
    """Values that were read in the bytes of a field, for people; the bytes are what is stored and sent."""

    __slots__ = ("_bytes",)

    #: what it was read in, ``self`` in the spec
    _bytes: bytes

    def __init__(self) -> None:
        super().__init__()
        self._bytes = b""

    @classmethod
    def _blank(cls: type[W]) -> W:
        self = super()._blank()
        self._bytes = b""
        return self

    @classmethod
    def _load(cls: type[W], d: bytes, p: int, f: Facts, *scope: Any) -> tuple[W, int]:
        self, visitor = cls._blank(), BinaryIn(d[p:], 0, f)
        self._bytes = visitor.data
        visitor.run(self, scope)
        return self, p + visitor.position


class VMState(StateValues, WalkCodecs):
    """A state that a stream names (a section), or a subsection: it carries the version it was read in, and its
    facts.
    """

    __slots__ = ()

    @staticmethod
    def matches(facts: Facts) -> bool:
        """Whether this is the state of its name in a stream with these facts. Raises Unanswered if they do not say."""
        return True

    def _without_version(self, scope: tuple[Any, ...]) -> tuple[Any, ...]:
        self._version = scope[0]
        return scope[1:]

    # ------------------------------------------------------------------ binary

    @classmethod
    def from_binary(
        cls: type[V], data: bytes | bytearray | memoryview, *, version: int | None = None, facts: Facts | None = None
    ) -> V:
        """The state from all of ``data``. ``version`` is the section's. Raises DataError, also for bytes left over."""
        return binary_codec.load_exactly(cls, data, version, facts)

    @classmethod
    def load_at(
        cls: type[V],
        data: bytes,
        position: int,
        *,
        version: int,
        facts: Facts,
        limits: Limits = DEFAULT_LIMITS,
        explain: bool = True,
    ) -> tuple[V, int]:
        """The state at ``position`` and where it ends. Raises DataError with path, offset and the partial object;
        without ``explain`` the data may be too short without a word of where.
        """
        return binary_codec.load(cls, data, position, version, facts, limits, explain)

    def to_binary(self, *, version: int | None = None, facts: Facts | None = None) -> bytes:
        """The bytes of the section's payload. Raises DataError when a value does not fit the wire."""
        return binary_codec.save(self, version, facts)

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
        from vmsgen.runtime.json_out import to_json  # here: streams are read and written without

        return to_json(self)

    @classmethod
    def from_json(cls: type[V], values: Any, *, version: int | None = None, facts: Facts | None = None) -> V:
        """The state from such values. Raises DataError with the path of the field that is wrong."""
        from vmsgen.runtime.json_in import from_json

        return from_json(cls, values, version=version, facts=facts)

    # ------------------------------------------------------------------ BER

    def to_ber(self) -> bytes:
        """The state as one definite element, with its version and the facts that its layout depends on."""
        return ber_codec.encode(self, alone=True)

    @classmethod
    def from_ber(cls: type[V], data: bytes | bytearray | memoryview) -> V:
        """The state from one element in any legal form. Raises DataError."""
        return ber_codec.decode(cls, data if type(data) is bytes else bytes(data), None, None)

    def ber_state(self) -> bytes:
        """As :meth:`to_ber`, for the container, whose section record carries version and facts."""
        return ber_codec.encode(self, alone=False)

    @classmethod
    def from_ber_state(cls: type[V], data: bytes | bytearray | memoryview, *, version: int, facts: Facts) -> V:
        """The state of a section record of the container. Raises DataError."""
        return ber_codec.decode(cls, bytes(data), version, facts)
