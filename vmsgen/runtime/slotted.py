"""Classes of named values in slots, cheap to import.

They are declared as dataclasses are, and type checkers know them as such; what differs is the cost of the class. A
dataclass has five or six functions written as text, compiled and run, 0.2 to 0.5 ms in all, so that the forty classes
around a stream took a fifth of the time before the first byte is read. Here the base has all of them but ``__init__``,
which a class gets with its first object: a tenth to a quarter of that. Whatever every run needs is made so; what few
runs need may be a dataclass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast, dataclass_transform

__all__ = ["Slotted", "field", "replaced"]

S = TypeVar("S", bound="Slotted")
T = TypeVar("T")

_Factory = Callable[[], Any]


class _Made:
    """The default of a field, made anew for each object."""

    __slots__ = ("factory",)

    def __init__(self, factory: _Factory) -> None:
        self.factory = factory


def field(*, default_factory: Callable[[], T]) -> T:
    """A default that is made for each object: ``names: list[str] = field(default_factory=list)``."""
    return cast(T, _Made(default_factory))


@dataclass_transform(field_specifiers=(field,))
class SlottedType(type):
    """Gives a class slots for its annotated fields, in their order."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], body: dict[str, Any], *, frozen: bool = False, eq: bool = True
    ) -> SlottedType:
        """The class. ``frozen``: nothing is set later, and objects can be hashed; without ``eq`` they equal themselves
        alone. Raises TypeError for one that inherits fields.
        """
        if bases:
            if bases != (Slotted,):
                raise TypeError(f"{name}: the fields of a Slotted class cannot be inherited")
            fields = tuple(body.get("__annotations__", ()))
            body["__slots__"] = body["__match_args__"] = fields
            body["_DEFAULTS"] = {each: body.pop(each) for each in fields if each in body}
            if frozen:
                body |= {"__setattr__": _refuse, "__delattr__": _refuse, "__hash__": _hash}
            if not eq:
                body |= {"__eq__": object.__eq__, "__hash__": object.__hash__}
        return super().__new__(mcs, name, bases, body)


class Slotted(metaclass=SlottedType):
    """A class of named values: ``class Place(Slotted, frozen=True)`` with an annotation for each field.

    Objects of one class are equal if their values are.
    """

    __slots__: ClassVar[tuple[str, ...]] = ()
    _DEFAULTS: ClassVar[dict[str, Any]] = {}

    if not TYPE_CHECKING:  # (checkers know what a class takes)

        def __init__(self, *values: Any, **named: Any) -> None:
            """What the first object of a class is made with: it makes the ``__init__`` of all others."""
            cls = type(self)
            cls.__init__ = _init(cls)
            cls.__init__(self, *values, **named)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return _values(self) == _values(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__qualname__}({inner})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), _values(self)


def replaced(value: S, **changes: Any) -> S:
    """A copy with other values for some fields, as ``dataclasses.replace``."""
    return type(value)(**{name: getattr(value, name) for name in value.__slots__} | changes)


def _values(value: Any) -> tuple[Any, ...]:
    return tuple([getattr(value, name) for name in value.__slots__])


def _hash(self: Slotted) -> int:
    return hash(_values(self))


def _refuse(self: Slotted, name: str, *value: Any) -> None:
    raise AttributeError(f"{type(self).__name__}.{name} cannot be changed")


def _init(cls: type[Slotted]) -> Callable[..., None]:
    """``__init__``, as one would write it: the names are identifiers, for they were annotated in a class."""
    defaults = cls._DEFAULTS
    frozen = cls.__setattr__ is _refuse
    parameters, lines = ["self"], []
    for name in cls.__slots__:
        value = name
        if name in defaults:
            parameters.append(f"{name}=_defaults[{name!r}]")
            if isinstance(defaults[name], _Made):
                value = f"_defaults[{name!r}].factory() if {name} is _defaults[{name!r}] else {name}"
        else:
            parameters.append(name)
        lines.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    made: dict[str, Any] = {"_defaults": defaults, "_set": object.__setattr__}
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines or ["pass"]), made)
    init: Callable[..., None] = made["__init__"]
    return init
