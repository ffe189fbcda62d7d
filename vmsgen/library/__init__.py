"""The generated library of a clone: this package *is* the top-level folder ``generated/``.

It exists in a clone and in an editable install only. A wheel holds the folder ``generated/`` itself
in this place, so that ``vmsgen.library`` means the same everywhere: the classes, the registry and
the ASN.1 modules made from the shipped ``device-specs/``. Generated code imports its own package by
relative imports alone, so it does not notice where it stands.
"""

import os as _os
from importlib.machinery import SourceFileLoader as _SourceFileLoader
from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
    from typing import Any

    def __getattr__(name: str) -> Any: ...


_clone = _os.path.dirname(_os.path.dirname(_os.path.dirname(_os.path.realpath(__file__))))
_folder = _os.path.join(_clone, "generated")
_source = _os.path.join(_folder, "__init__.py")
if not _os.path.isfile(_source):
    raise ModuleNotFoundError(f"{_folder} holds no generated library: run `vmsgen build` in {_clone}", name=__name__)

# From here on submodules are found in that folder, importlib.resources reads its files, and this
# module's namespace is the one that its __init__.py fills.
__path__ = [_folder]
__file__ = _source
__loader__ = _SourceFileLoader(__name__, __file__)
_spec = __spec__
assert _spec is not None, "a package that is imported has a spec"
_spec.loader, _spec.origin, _spec.submodule_search_locations = __loader__, __file__, __path__
_code = __loader__.get_code(__name__)
assert _code is not None, "source files have code"
exec(_code)
