"""From JSON values back to a state: the inverse of :mod:`vmsgen.runtime.json_out`.

The annotations of the generated classes say what each value becomes, so nothing of the layout is needed: derived
values may be left out, what is missing has its default. Whether the values fit the wire is seen when they are
written.
"""

from __future__ import annotations

import re
import struct
import types
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from vmsgen.runtime.errors import DataError
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.values import StateValues, Values

V = TypeVar("V", bound=StateValues)


def from_json(cls: type[V], values: Any, *, version: int | None = None, facts: Facts | None = None) -> V:
    """A state from the values that ``to_json`` gives. Raises DataError with the field's path."""
    state = _object(cls, values, "")
    assert isinstance(state, cls)
    state._version = cls.VERSION if version is None else version
    state._facts = facts or Facts()
    return state


#: resolved annotations by class: resolving them takes far longer than using them
_HINTS: dict[type[Values], dict[str, Any]] = {}


def _hints(cls: type[Values]) -> dict[str, Any]:
    found = _HINTS.get(cls)
    if found is None:
        hints = get_type_hints(cls)
        found = _HINTS[cls] = {name: hints[name] for name in cls._values()}
    return found


def _object(cls: type[Values], values: Any, path: str) -> Values:
    if not isinstance(values, Mapping):
        raise DataError(f"expected an object, found {_kind(values)}", path=path)
    made = cls._blank()
    hints = _hints(cls)
    subsections = {info.wire_name: info for info in cls.SUBSECTIONS}
    for key, value in values.items():
        here = f"{path}.{key}" if path else str(key)
        if key == "<kept>":
            for name, data in _mapping(value, here).items():
                made._keep(name, _bytes(data, f"{here}.{name}"))
        elif key == "<subsections>":
            for name, inner in _mapping(value, here).items():
                info = subsections.get(name)
                if info is None:
                    raise DataError(f"no subsection {name!r}; there are {', '.join(subsections) or 'none'}", path=here)
                fields = dict(_mapping(inner, f"{here}.{name}"))
                version = fields.pop("version", info.type.VERSION)
                state = _object(info.type, fields, f"{here}.{name}")
                assert isinstance(state, StateValues)
                state._version = _int(version, f"{here}.{name}.version")
                setattr(made, info.name, state)
        elif key in hints:
            object.__setattr__(made, key, _value(hints[key], value, here))
        elif ":" not in str(key) and key not in cls.TAGS and key != "<case>":
            # (a view's key has a colon; a derived value has a tag and no attribute)
            raise DataError(f"{cls.__name__} has no field {key!r}", path=path)
    made._seal()
    return made


def _value(hint: Any, value: Any, path: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _one_of(get_args(hint), value, path)
    if origin is list:
        (element,) = get_args(hint)
        if not isinstance(value, list):
            raise DataError(f"expected a list, found {_kind(value)}", path=path)
        return [_value(element, item, f"{path}[{index}]") for index, item in enumerate(value)]
    if origin is tuple:
        key, item = get_args(hint)
        pair = _mapping(value, path)
        if set(pair) != {"key", "value"}:
            raise DataError("expected an object with key and value", path=path)
        return _value(key, pair["key"], f"{path}.key"), _value(item, pair["value"], f"{path}.value")
    if isinstance(hint, type) and issubclass(hint, Values):
        return _object(hint, value, path)
    return _SCALARS[hint](value, path)


def _one_of(hints: tuple[Any, ...], value: Any, path: str) -> Any:
    """None, or the alternative that the value names; one without a name is what it fits first."""
    if value is None and type(None) in hints:
        return None
    case = value.get("<case>") if isinstance(value, Mapping) else None
    if case is not None:
        hints = tuple(hint for hint in hints if isinstance(hint, type) and hint.__name__ == case)
        if not hints:
            raise DataError(f"no case {case!r} here", path=path)
    problem: DataError | None = None
    for hint in hints:
        if hint is not type(None):
            try:
                return _value(hint, value, path)
            except DataError as error:
                problem = problem or error
    raise problem or DataError("expected null", path=path)


def _kind(value: Any) -> str:
    return {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}.get(
        type(value), "a number"
    )


def _mapping(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise DataError(f"expected an object, found {_kind(value)}", path=path)
    return value


_BITMAP = re.compile(r"0x[0-9a-f]+\Z")


def _int(value: Any, path: str) -> int:
    if isinstance(value, str) and _BITMAP.match(value):
        return int(value, 16)
    if not isinstance(value, int) or isinstance(value, bool):
        raise DataError(f"expected an integer, found {_kind(value)}", path=path)
    return value


def _bool(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise DataError(f"expected a boolean, found {_kind(value)}", path=path)
    return value


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"expected text, found {_kind(value)}", path=path)
    return value


def _bytes(value: Any, path: str) -> bytes:
    try:
        return bytes.fromhex(_text(value, path))
    except ValueError:
        raise DataError("expected bytes as hex digits", path=path) from None


def _float(value: Any, path: str) -> float:
    if isinstance(value, Mapping):
        text = _text(value.get("float64"), path)
        try:
            bits = bytes.fromhex(text)
        except ValueError:
            bits = b""
        if len(bits) == 8:
            number: float = struct.unpack(">d", bits)[0]
            return number
        if text in ("inf", "-inf", "nan"):
            return float(text)
        raise DataError('expected {"float64": 16 hex digits, inf, -inf or nan}', path=path)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise DataError(f"expected a number, found {_kind(value)}", path=path)
    return float(value)


_SCALARS: dict[Any, Callable[[Any, str], Any]] = {int: _int, bool: _bool, str: _text, bytes: _bytes, float: _float}
