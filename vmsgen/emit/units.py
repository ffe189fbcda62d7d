"""What is generated, in units: what one module of the model gives, and what is put together of all of them.

A :class:`Unit` is JSON and says all that the common files need, so a build can use the units of an earlier one for
modules that have not changed. :func:`assemble` is the only way to the common files, whichever units they come from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from vmsgen.emit.asn1 import SchemaPart, reached, schema_files, schema_part
from vmsgen.emit.model_json import model_file, module_json
from vmsgen.emit.python import Listed, has_code, listed, module_files, package_files
from vmsgen.emit.python.layout import Split, used_splits
from vmsgen.emit.templates import Templates
from vmsgen.spec.model import Model, Module


class Unit(TypedDict):
    """What one module gives to the output, as JSON."""

    path: str
    #: a module of the shipped library
    external: bool
    #: the spec that it was made from, and its sha256
    source: str
    digest: str
    #: its own files, by path, with their sha256
    files: dict[str, str]
    #: what the common files of the package say of it; None if it has no code
    listed: Listed | None
    schema: SchemaPart
    #: its part of the model as JSON
    json: str
    #: statements that black split
    splits: list[Split]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A unit, and the texts of its files."""

    unit: Unit
    texts: Mapping[str, str]


def render(model: Model, module: Module, templates: Templates) -> Rendered:
    """The unit of one module. ``model.tags`` must be filled. Raises TemplateError."""
    used_splits()
    texts = module_files(model, module, templates) if has_code(module) else {}
    schema, files = schema_part(model, module, templates)
    texts = templates.finished(texts | files)
    unit = Unit(
        path=module.path,
        external=module.external,
        source=module.source_path,
        digest=module.digest,
        files={path: text_digest(text) for path, text in texts.items()},
        listed=listed(model, module) if has_code(module) else None,
        schema=schema,
        json=module_json(model, module),
        splits=used_splits(),
    )
    return Rendered(unit, texts)


def assemble(units: Sequence[Unit], templates: Templates) -> dict[str, str]:
    """The files that are not of one module, by path, from the units in the order of the model.

    Raises TemplateError, and SchemaError as :func:`vmsgen.emit.asn1.emit_asn1`.
    """
    package = {unit["path"]: unit["listed"] for unit in units if unit["listed"] is not None}
    schema = schema_files([unit["schema"] for unit in emitted(units)], templates)
    model = model_file({unit["path"]: unit["json"] for unit in units})
    return templates.finished(package_files(package, templates) | schema | model)


def emitted(units: Sequence[Unit]) -> list[Unit]:
    """The units whose files are written: those of this build's own specs, and what they refer to of the library."""
    homes = {unit["path"]: unit["schema"]["homes"] for unit in units}
    wanted = reached((unit["path"] for unit in units if not unit["external"]), homes.__getitem__)
    return [unit for unit in units if unit["path"] in wanted]


def text_digest(text: str) -> str:
    """sha256 of a text as it is written, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()
