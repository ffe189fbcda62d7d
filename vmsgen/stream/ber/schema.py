"""The generated ASN.1 as asn1tools reads it: only the modules that a stream needs, their parsed form cached by digest.

asn1tools spends nearly all its time on parsing text, so the parsed form of each module is kept as JSON in the user's
cache folder.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from vmsgen.stream.transport.sink import FileSink

__all__ = ["Schema", "cache_folder"]

_STREAM, _DEVICES = "Vmsgen-Stream", "Vmsgen-Devices"


def cache_folder() -> Path:
    """Where parsed modules are kept: ``vmsgen/asn1`` in XDG_CACHE_HOME (``~/.cache``)."""
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(base if base else Path.home() / ".cache") / "vmsgen" / "asn1"


class Schema:
    """The modules of folders (``generated/asn1``), the first that has one of a name. ``cache`` None keeps nothing."""

    def __init__(self, *folders: Traversable, cache: Path | None = None) -> None:
        self._texts: dict[str, str] = {
            file.name.removesuffix(".asn1"): file.read_text(encoding="utf-8")
            for folder in reversed(folders)
            for file in folder.iterdir()
            if file.name.endswith(".asn1")
        }
        self._cache = cache
        self._parsed: dict[str, dict[str, Any]] = {}

    def __bool__(self) -> bool:
        return _STREAM in self._texts

    def type_of(self, tag: int) -> tuple[str, str] | None:
        """Module and type of the device state with an APPLICATION tag, None if there is none."""
        pattern = re.compile(rf"^(\S+)\s+::=\s+\[APPLICATION {tag}\]", re.MULTILINE)
        for name, text in self._texts.items():
            found = pattern.search(text) if f"[APPLICATION {tag}]" in text and name.startswith("Vmsgen-Dev-") else None
            if found is not None:
                return name, found[1]
        return None

    def compiled(self, tags: Iterable[int]) -> Any:
        """An asn1tools specification of the stream with just these device states (the CHOICE of them; without any,
        ANY).

        Raises asn1tools' own errors for a schema that is none.
        """
        import asn1tools

        types = [found for tag in sorted(set(tags)) if (found := self.type_of(tag)) is not None]
        modules: dict[str, dict[str, Any]] = {}
        wanted = [_STREAM]
        while wanted:
            name = wanted.pop()
            if name not in modules:
                modules[name] = self._devices(types) if name == _DEVICES else self._module(name)
                wanted += modules[name]["imports"]
        # compile_dict changes what it is given
        return asn1tools.compile_dict(copy.deepcopy(modules), "ber")

    def _devices(self, types: list[tuple[str, str]]) -> dict[str, Any]:
        """``Vmsgen-Devices`` with only the states that occur."""
        imports = "".join(f" {name} FROM {module}" for module, name in types)
        members = ", ".join(f"state-{number} {name}" for number, (_, name) in enumerate(types))
        body = f"CHOICE {{ {members} }}" if types else "ANY"
        head = f"{_DEVICES} DEFINITIONS IMPLICIT TAGS ::= BEGIN EXPORTS DeviceState;"
        text = f"{head}{f' IMPORTS{imports};' if types else ''} DeviceState ::= {body} END"
        return _parse(text)[_DEVICES]

    def _module(self, name: str) -> dict[str, Any]:
        if name not in self._parsed:
            text = self._texts.get(name)
            if text is None:
                raise KeyError(f"the schema lacks module {name}")
            self._parsed[name] = self._cached(text)[name]
        return self._parsed[name]

    def _cached(self, text: str) -> dict[str, dict[str, Any]]:
        import asn1tools

        if self._cache is None:
            return _parse(text)
        digest = hashlib.sha256(f"{asn1tools.__version__}\n{text}".encode()).hexdigest()
        path = self._cache / f"{digest}.json"
        try:
            found: dict[str, dict[str, Any]] = _with_tuples(json.loads(path.read_text(encoding="utf-8")))
            return found
        except (OSError, ValueError):
            parsed = _parse(text)
            _keep(path, parsed)
            return parsed


def _parse(text: str) -> dict[str, dict[str, Any]]:
    import asn1tools

    parsed: dict[str, dict[str, Any]] = asn1tools.parse_string(text)
    return parsed


_TUPLE = "(tuple)"


def _marked(value: Any) -> Any:
    """The value with its tuples (ranges) marked, which JSON cannot tell from lists."""
    if isinstance(value, tuple):
        return {_TUPLE: [_marked(item) for item in value]}
    if isinstance(value, list):
        return [_marked(item) for item in value]
    if isinstance(value, dict):
        return {key: _marked(item) for key, item in value.items()}
    return value


def _with_tuples(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_tuples(item) for item in value]
    if isinstance(value, dict):
        if value.keys() == {_TUPLE}:
            return tuple(_with_tuples(item) for item in value[_TUPLE])
        return {key: _with_tuples(item) for key, item in value.items()}
    return value


def _keep(path: Path, parsed: Mapping[str, Any]) -> None:
    """Writes a cache file whole or not at all; a cache that cannot be written is only slow."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileSink(path) as sink:
            sink.write(json.dumps(_marked(parsed)).encode())
    except OSError:
        return
