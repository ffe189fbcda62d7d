"""The reference pages: complete, linked, and safe whatever the specs say."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmsgen.building.publish import check_paths
from vmsgen.emit.docs import emit_docs
from vmsgen.emit.docs.sizes import fixed_size, offsets
from vmsgen.emit.docs.views import safe_name
from vmsgen.spec.model import Definition, Field, Model, Prop
from vmsgen.spec.wire_types import Labels, Pad, StructRef

HOSTILE = "<script>alert(1)</script>\"'&{{ 7007 * 7 }}</pre><img src=x onerror=y>"
PAGE = "specs/acme/nic.html"


class Reader(HTMLParser):
    """Tags, links and ids of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.text: list[str] = []
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        self.attributes |= found.keys()
        self.links += [value for name in ("href", "src") if (value := found.get(name)) is not None]
        if (anchor := found.get("id")) is not None:
            assert anchor not in self.ids, f"id {anchor} twice"
            self.ids.add(anchor)
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def read(site: dict[str, str]) -> dict[str, Reader]:
    return {path: Reader(text) for path, text in site.items() if path.endswith(".html")}


def check_links(site: dict[str, str]) -> None:
    pages = read(site)
    for path, page in pages.items():
        assert page.open == []
        for link in page.links:
            parts = urlsplit(link)
            assert not parts.scheme and not parts.netloc and not link.startswith("/"), link
            target = (
                posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(parts.path))) if parts.path else path
            )
            assert target in site, f"{path} links to {link}"
            if parts.fragment:
                assert unquote(parts.fragment) in pages[target].ids, f"{path} links to {link}"


def test_every_link_leads_somewhere(nic: Model) -> None:
    site = emit_docs(nic)
    assert set(site) == {"index.html", "stream.html", "style.css", PAGE}
    check_links(site)


def test_wire_table(nic: Model) -> None:
    text = emit_docs(nic)[PAGE]
    page = Reader(text).words
    assert "rx_count" in page and "since 2" in page and "unit: packets" in page
    assert "union(mode)" in page and "tree(uint64, Descriptor)" in page and "uint32[2, 3, 4]" in page
    assert "nic/mit_state" in page
    assert "VmNic ::= [APPLICATION 30000] SEQUENCE {" in page
    assert '<tr class="never">' in text and '<tr class="pad">' in text
    assert "0 checksum" in page and "0=checksum" in page and "4..7 queue" in page


def test_offsets_end_at_the_first_field_that_may_be_absent(nic: Model) -> None:
    module = nic.modules[0]
    state = nic.definition("acme/nic#Nic")
    assert offsets(nic, state) == {0: 0}
    descriptor = next(d for d in module.definitions if d.name == "Descriptor")
    assert offsets(nic, descriptor) == {0: 0, 1: 8}
    assert fixed_size(nic, StructRef(descriptor.id)) == 10
    assert fixed_size(nic, StructRef(state.id)) is None
    sizes = {f.name: fixed_size(nic, f.type) for f in state.fields()}
    assert sizes["multicast"] == 16 and sizes["cube"] == 96 and sizes["eeprom"] == 6 and sizes["gain"] == 8
    assert sizes["name"] is None and sizes["ring"] is None and sizes["width"] is None and sizes["bus"] is None


def test_version_table(nic: Model) -> None:
    page = Reader(emit_docs(nic)[PAGE]).words
    assert "Versions Version Added Removed 2 rx_count" in page


def hostile(nic: Model) -> Model:
    module = nic.modules[0]
    definition = next(d for d in module.definitions if d.name == "Bus")
    field = next(definition.fields())
    bad_field: Field = dataclasses.replace(
        field, wire_names=(HOSTILE, HOSTILE), doc=HOSTILE, unit=HOSTILE, default=HOSTILE, was=(HOSTILE,)
    )
    padding = dataclasses.replace(
        bad_field, name="x", asn1_name="x", type=next(nic.definition(module.state or "").fields()).type
    )
    assert isinstance(padding.type, Pad)
    bad = dataclasses.replace(
        definition, steps=(bad_field, padding), name=HOSTILE, wire_name=HOSTILE, doc=HOSTILE, summary=HOSTILE
    )
    prop = Prop("p", HOSTILE, "text", module.span, candidates=(HOSTILE,), source=HOSTILE, doc=HOSTILE)
    labels = Labels(HOSTILE, "enum", ((0, 0, HOSTILE),), module.path, module.span)
    path = f"..\\../<b>/{HOSTILE}"
    bad = dataclasses.replace(bad, module=path)
    tags = dict(nic.tags)
    tags[bad.asn1_name] = dataclasses.replace(tags[bad.asn1_name], components={field.name: 0, "x": 1, "<kept>": 2})
    changed = dataclasses.replace(
        module,
        path=path,
        state=None,
        definitions=(bad,),
        summary=HOSTILE,
        doc=HOSTILE,
        source_path=HOSTILE,
        props=(prop,),
        labels=(labels,),
    )
    return Model((changed,), tags)


def test_hostile_specs_stay_text(nic: Model) -> None:
    site = emit_docs(hostile(nic))
    check_paths(site)
    check_links(site)
    for path, page in read(site).items():
        assert not {"script", "img", "b"} & set(page.tags), path
        assert "onerror" not in page.attributes
    assert "{{ 7007 * 7 }}" in Reader(next(t for p, t in site.items() if p.startswith("specs/"))).words
    assert not any("49049" in page.words for page in read(site).values())


@given(st.lists(st.text(), unique=True, max_size=8))
def test_safe_names_are_plain_and_different(names: list[str]) -> None:
    made = [safe_name(name) for name in names]
    assert len(set(made)) == len(names)
    for name in made:
        if len(name) <= 240:
            check_paths([name])


@pytest.mark.parametrize("name", ["..", ".", "", "-x", "con/..", "a b"])
def test_safe_name_of_awkward_names(name: str) -> None:
    check_paths([safe_name(name)])


def test_no_time_no_place_no_network(nic: Model, model_of: Callable[..., Model]) -> None:
    first, second = emit_docs(nic), emit_docs(nic)
    assert first == second
    assert not any("http" in text for text in first.values())
    assert isinstance(nic.modules[0].definitions[0], Definition)
