"""Generated packages: the shipped library, one that a user names, and both as one registry for streams."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from vmsgen.runtime.errors import VmsgenError
from vmsgen.runtime.facts import Facts
from vmsgen.runtime.registry import Registry

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from vmsgen.stream.devices import Classes

__all__ = ["Layers", "asn1_folder", "generated_package", "layered", "shipped_library"]

_LIBRARY = "vmsgen.library"


class Layers:
    """Registries one behind the other: the first that has a state for a section is the one that is asked."""

    def __init__(self, registries: Sequence[Classes]) -> None:
        self._registries = tuple(registries)

    def candidates(self, idstr: str, facts: Facts | None = None, part: str = "full") -> list[Any]:
        """The states that a section of this name may be, of the first registry that has any."""
        return next((found for each in self._registries if (found := each.candidates(idstr, facts, part))), [])

    def by_tag(self, tag: int) -> Any | None:
        """The state with this APPLICATION tag, of the first registry that has one."""
        return next((found for each in self._registries if (found := each.by_tag(tag)) is not None), None)


def layered(*packages: ModuleType | None) -> Layers:
    """The registries of the packages that are there as one, the earlier before the later."""
    return Layers([package.REGISTRY for package in packages if package is not None])


def shipped_library() -> ModuleType | None:
    """The library that comes with vmsgen; None in a clone where it was not built yet."""
    try:
        return importlib.import_module(_LIBRARY)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith(_LIBRARY):
            raise
        return None


def generated_package(place: str) -> ModuleType:
    """The package that ``vmsgen build`` wrote into the folder ``place``, or the installed one of that name.

    Its code is run, as by any import. Raises VmsgenError if there is none or it cannot be imported.
    """
    from pathlib import Path  # here, as is what else streams that the shipped library reads do not need

    folder = Path(place)
    try:
        package = _of_folder(folder.resolve()) if folder.is_dir() else importlib.import_module(place)
    except Exception as error:  # whatever the code of the package raises
        raise VmsgenError(f"{place} cannot be imported: {type(error).__name__}: {error}") from error
    if not isinstance(getattr(package, "REGISTRY", None), Registry):
        raise VmsgenError(f"{place} is no package that `vmsgen build` made: it has no REGISTRY")
    return package


def _of_folder(folder: Path) -> ModuleType:
    """The package of a folder, which need not be on the path; it is known by a name of its own."""
    name = f"vmsgen_package_{folder.as_posix().encode().hex()}"
    if name in sys.modules:
        return sys.modules[name]
    source = folder / "__init__.py"
    if not source.is_file():
        raise ModuleNotFoundError(f"there is no {source.name} in it")
    import importlib.util

    spec = importlib.util.spec_from_file_location(name, source, submodule_search_locations=[str(folder)])
    assert spec is not None and spec.loader is not None, "a file of Python has a loader"
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    try:
        spec.loader.exec_module(package)
    except BaseException:
        del sys.modules[name]
        raise
    return package


def asn1_folder(package: ModuleType) -> Traversable:
    """The ASN.1 modules of a generated package."""
    import importlib.resources

    return importlib.resources.files(package).joinpath("asn1")
