"""Everything that is generated from a model: the maps of all emitters, put together."""

from __future__ import annotations

from vmsgen.emit.asn1 import emit_asn1
from vmsgen.emit.model_json import emit_model_json
from vmsgen.emit.python import emit_python
from vmsgen.emit.templates import Templates, shipped
from vmsgen.spec.model import Model


def emit(model: Model, templates: Templates | None = None) -> dict[str, str]:
    """``{path: text}`` relative to the output folder, without the manifest. ``model.tags`` must be filled."""
    templates = templates or shipped()
    parts = (emit_python(model, templates), emit_asn1(model, templates), emit_model_json(model))
    texts: dict[str, str] = {}
    for part in parts:
        if both := texts.keys() & part.keys():
            raise ValueError(f"two emitters make {min(both)}")
        texts.update(part)
    return dict(sorted(texts.items()))
