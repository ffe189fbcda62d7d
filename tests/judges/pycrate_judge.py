"""pycrate as a judge. It keeps its types in modules, so there is one schema for a process."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any


def compile_schema(texts: Mapping[str, str], folder: Path) -> ModuleType:
    """The modules ``{name: text}`` as Python classes, from a file in ``folder``."""
    from pycrate_asn1c.asnproc import PycrateGenerator, compile_text, generate_modules

    path = folder / "judge_schema.py"
    with contextlib.redirect_stdout(io.StringIO()):
        compile_text(list(texts.values()))
        generate_modules(PycrateGenerator, str(path))
    spec = importlib.util.spec_from_file_location("judge_schema", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def decode(schema: ModuleType, module: str, type_name: str, data: bytes) -> tuple[Any, bytes]:
    """A value as asn1tools would have it, and its encoding; whatever pycrate raises goes through."""
    type_ = getattr(getattr(schema, module.replace("-", "_")), type_name.replace("-", "_"))
    assert type_._SAFE_BND, "range checks are on"
    type_.from_ber(bytes(data))
    value = type_.get_val()
    return value, type_.to_ber()


def same(found: Any, value: Any, path: str = "") -> str | None:
    """Where pycrate's value differs from that of asn1tools; None if it does not. NULL is 0 for pycrate."""
    if isinstance(value, dict):
        if found.keys() != value.keys():
            return f"{path}: {sorted(found)} against {sorted(value)}"
        return next((x for key in value if (x := same(found[key], value[key], f"{path}.{key}"))), None)
    if isinstance(value, list):
        if len(found) != len(value):
            return f"{path}: {len(found)} elements against {len(value)}"
        return next((x for i, item in enumerate(value) if (x := same(found[i], item, f"{path}[{i}]"))), None)
    if isinstance(value, tuple):
        if found[0] != value[0]:
            return f"{path}: alternative {found[0]} against {value[0]}"
        return None if value[1] is None else same(found[1], value[1], f"{path}.{value[0]}")
    return None if found == value else f"{path}: {found!r} against {value!r}"
