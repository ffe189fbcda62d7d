"""The reference pages: static HTML, a page for each spec, an index, and the stream's containers.

Paths are relative to the site's folder. The pages need no network, no script and no server; they work from
``file://``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from vmsgen.emit.asn1 import FOLDER, emit_asn1
from vmsgen.emit.asn1.reach import module_name
from vmsgen.emit.docs.views import PageView, page_path, page_view, relative
from vmsgen.emit.templates import Templates, shipped
from vmsgen.spec.model import Model

INDEX = "index.html"
CONTAINER = "stream.html"
STYLE = "style.css"
_SHARED = ("Vmsgen-Stream", "Vmsgen-Types", "Vmsgen-Legacy")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the index."""

    href: str
    name: str
    module: str
    summary: str
    version: str


@dataclass(frozen=True, slots=True)
class Folder:
    name: str
    entries: tuple[Entry, ...]


def emit_docs(model: Model, templates: Templates | None = None) -> dict[str, str]:
    """``{path: text}`` of the whole site. ``model.tags`` must be filled."""
    templates = templates or shipped()
    schema = emit_asn1(model, templates)
    pages = [
        page_view(model, module, schema.get(f"{FOLDER}/{module_name(module)}.asn1", ""))
        for module in sorted(model.modules, key=lambda module: module.path)
    ]
    site = {STYLE: templates.text("docs/style.css")}
    for page in pages:
        site[page.path] = templates.render("docs/spec.html.j2", page=page, **_links(page.path))
    shared = [(name, schema[f"{FOLDER}/{name}.asn1"]) for name in _SHARED]
    site[CONTAINER] = templates.render("docs/stream.html.j2", modules=shared, **_links(CONTAINER))
    site[INDEX] = templates.render("docs/index.html.j2", folders=_index(model, pages), **_links(INDEX))
    return site


def _links(page: str) -> dict[str, str]:
    return {
        "style": relative(page, STYLE),
        "index": relative(page, INDEX),
        "container": relative(page, CONTAINER),
    }


def _index(model: Model, pages: list[PageView]) -> list[Folder]:
    """Every spec by its folder; libraries of structs after the states."""
    versions = {module.path: _version(model, module.state) for module in model.modules}
    paths = {page_path(module): module for module in model.modules}
    assert len(paths) == len(model.modules), "page paths are injective"
    entries = [
        (page.module.rpartition("/")[0], Entry(page.path, page.title, page.module, page.summary, versions[page.module]))
        for page in pages
    ]
    entries.sort(key=lambda item: (item[0], not item[1].version, item[1].name.lower(), item[1].module))
    return [
        Folder(name or "at the top", tuple(entry for _, entry in group))
        for name, group in groupby(entries, key=lambda item: item[0])
    ]


def _version(model: Model, state: str | None) -> str:
    return "" if state is None else str(model.definition(state).version)
