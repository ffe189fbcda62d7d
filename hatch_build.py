"""Build hook: puts the clone's top-level data folders inside the wheel's package.

The folders stand at the top of a clone, where people read and edit them; an installed vmsgen finds
them below its package. An editable install uses the clone's own and gets no copies: that is why
this is a hook and not a ``force-include`` table, which hatchling copies for editable installs too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: Folder of the clone -> where it stands in the wheel. ``generated`` is the library package itself.
PLACES = {
    "templates": "vmsgen/templates",
    "device-specs": "vmsgen/device_specs",
    "generated": "vmsgen/library",
}


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds PLACES to every wheel that is not editable."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds; ``version`` is ``standard`` or ``editable``."""
        if version == "editable":
            return
        root = Path(self.root)
        missing = [folder for folder in PLACES if not (root / folder).is_dir()]
        if missing:
            raise RuntimeError(f"the wheel needs {', '.join(missing)} beside pyproject.toml; run `vmsgen build` first")
        for folder, place in PLACES.items():
            build_data["force_include"][str(root / folder)] = place
