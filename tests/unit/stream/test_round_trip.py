"""Binary to BER and back, byte for byte: every combination of framing, and RAM records in every order."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.stream.synthetic import (
    COMPRESS,
    EOS_RECORD,
    FLUSH,
    HEADER,
    HOOK,
    XBZRLE,
    be16,
    be32,
    be64,
    block_list,
    command,
    configuration,
    end,
    full,
    full_page,
    items,
    ordinary,
    part,
    records,
    start,
    str8,
    subsection,
    to_ber,
    to_binary,
    vmdesc,
    word,
    zero_page,
)
from vmsgen.runtime.errors import DataError
from vmsgen.stream import items as kinds
from vmsgen.stream.items import Command, Configuration, Section

BLOCKS = block_list([("pc.ram", 1 << 20), ("vga.vram", 1 << 16)])


def back(data: bytes) -> bytes:
    return to_binary(to_ber(data))


@pytest.mark.parametrize(("foot", "config"), list(itertools.product((True, False), repeat=2)))
def test_ordinary(foot: bool, config: bool) -> None:
    data = ordinary(foot=foot, config=config)
    assert back(data) == data


def test_ber_begins_with_the_tag_of_the_file() -> None:
    assert to_ber(ordinary())[:4] == bytes.fromhex("7fd14680")


def test_without_vmdesc_the_section_is_named() -> None:
    with pytest.raises(DataError, match=r"^section timer/0, offset 0x[0-9a-f]+: no description tells where"):
        to_ber(ordinary(described=False))


def test_no_device_sections() -> None:
    data = HEADER + configuration() + start(2, "ram", BLOCKS) + end(2, EOS_RECORD) + b"\0"
    assert back(data) == data


def test_only_device_sections() -> None:
    data = HEADER + full(1, "a", b"xyz") + full(2, "b", b"") + b"\0" + vmdesc([("a", 0, 3), ("b", 0, 0)])
    assert back(data) == data


@pytest.mark.parametrize(
    "subsections",
    [
        (subsection("configuration/target-page-bits", be32(12)),),
        (subsection("configuration/capabilities", be32(1) + str8("x-ignore-shared-not")),),
        (subsection("configuration/capabilities", be32(0)),),
        (subsection("configuration/uuid", bytes(range(16))),),
        (
            subsection("configuration/target-page-bits", be32(12)),
            subsection("configuration/capabilities", be32(2) + str8("a") + str8("b")),
            subsection("configuration/uuid", bytes(16)),
        ),
    ],
)
def test_configuration_subsections(subsections: tuple[bytes, ...]) -> None:
    data = HEADER + configuration("virt-7.2", *subsections) + start(2, "ram", BLOCKS) + b"\0"
    assert back(data) == data


def test_configuration_is_read() -> None:
    uuid = bytes(range(16))
    data = HEADER + configuration("virt-7.2", subsection("configuration/uuid", uuid)) + b"\0"
    assert Configuration(b"virt-7.2", uuid=uuid) in items(data)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (subsection("configuration/other", b"1234"), "of an unknown length"),
        (subsection("configuration/uuid", bytes(16), version=2), "version 2, expected 1"),
        (
            subsection("configuration/uuid", bytes(16)) + subsection("configuration/target-page-bits", be32(12)),
            "in another order",
        ),
        (subsection("configuration/target-page-bits", be32(77)), "from 8 to 20, found 77"),
    ],
)
def test_bad_configuration(bad: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        items(HEADER + configuration("virt-7.2", bad) + b"\0")


def test_page_size_of_the_configuration() -> None:
    bits = subsection("configuration/target-page-bits", be32(14))
    ram = block_list([("r", 1 << 16)])
    pages = full_page(0, "r", size=1 << 14) + zero_page(1 << 14, None) + zero_page(2 << 14, None) + EOS_RECORD
    data = HEADER + configuration("any", bits) + start(2, "ram", ram) + part(2, pages) + b"\0"
    assert back(data) == data
    assert (kinds.ZERO, 1 << 14, 2) in records(data)[1]


def test_page_size_by_the_machine() -> None:
    ram = block_list([("r", 1 << 14)])
    data = HEADER + configuration("uno") + start(2, "ram", ram) + part(2, full_page(0x300, "r", size=256) + EOS_RECORD)
    data += b"\0"
    assert back(data) == data


def test_commands() -> None:
    package = command(4) + command(5)
    data = (
        HEADER
        + command(1)
        + command(2, be32(1))
        + command(7, be32(len(package)))
        + package
        + command(6, b"\0" + str8("r") + b"\0" + be64(0) + be64(4096))
        + b"\0"
    )
    assert back(data) == data
    found = items(data)
    assert [item.code for item in found if isinstance(item, Command)] == [1, 2, 4, 5, 6]
    assert [type(item).__name__ for item in found[3:7]] == ["Package", "Command", "Command", "PackageEnd"]


def test_early_section_between_ram_sections() -> None:
    data = (
        HEADER
        + start(2, "ram", BLOCKS)
        + full(38, "virtio-mem-device-early", b"12345678")
        + part(2, full_page(0, "pc.ram") + EOS_RECORD)
        + end(2, EOS_RECORD)
        + full(39, "x", b"y")
        + b"\0"
        + vmdesc([("virtio-mem-device-early", 0, 8), ("x", 0, 1)])
    )
    assert back(data) == data


def test_section_ids_and_instances_are_kept() -> None:
    sections = [item for item in items(ordinary()) if isinstance(item, Section)]
    assert [(one.id, one.name, one.instance, one.version, one.footer) for one in sections[-3:]] == [
        (5, "timer", 0, 2, 5),
        (9, "0000:00:02.0/vga", 0, 1, 9),
        (3, "cpu", 0x80000000, 12, 3),
    ]


# ---------------------------------------------------------------------------------------------- RAM


def ram_stream(*payloads: bytes, config: bytes = b"", before: bytes = b"", blocks: bytes = BLOCKS) -> bytes:
    data = HEADER + config + before + start(2, "ram", blocks)
    return data + b"".join(part(2, payload + EOS_RECORD) for payload in payloads) + b"\0"


PAGES = {
    "page": lambda addr, block: full_page(addr, block, addr >> 12),
    "zero": lambda addr, block: zero_page(addr, block),
    "fill": lambda addr, block: zero_page(addr, block, 0x11),
    "xbzrle": lambda addr, block: word(addr, XBZRLE, block) + b"\1" + be16(3) + b"abc",
    "compressed": lambda addr, block: word(addr, COMPRESS, block) + be32(4) + b"zlib",
}


@pytest.mark.parametrize("kind", PAGES)
@pytest.mark.parametrize("other", PAGES)
def test_pages_of_every_kind(kind: str, other: str) -> None:
    payload = PAGES[kind](0x1000, "pc.ram") + PAGES[other](0x2000, None) + PAGES[kind](0x3000, "vga.vram")
    data = ram_stream(payload, PAGES[other](0x4000, None))
    assert back(data) == data


def test_a_name_that_was_not_needed_is_kept() -> None:
    data = ram_stream(
        full_page(0, "pc.ram") + full_page(0x1000, "pc.ram") + zero_page(0x2000, "pc.ram"), zero_page(0x3000, "pc.ram")
    )
    assert back(data) == data
    assert [record[1:] for record in records(data)[1] if record[0] == kinds.GROUP] == [(b"pc.ram", False)] * 3


def test_a_block_that_goes_on_in_the_next_section() -> None:
    data = ram_stream(full_page(0, "pc.ram"), b"", zero_page(0x1000, None))
    assert records(data)[3] == [(kinds.GROUP, b"pc.ram", True), (kinds.ZERO, 0x1000, 1), (kinds.EOS,)]
    assert back(data) == data


def test_zero_runs() -> None:
    addresses = [0, 0x1000, 0x2000, 0x5000, 0x6000, 0x6000, 0x5000]
    payload = zero_page(0, "pc.ram") + b"".join(zero_page(addr, None) for addr in addresses[1:])
    data = ram_stream(payload)
    found = [record[1:] for record in records(data)[1] if record[0] == kinds.ZERO]
    assert found == [(0, 3), (0x5000, 2), (0x6000, 1), (0x5000, 1)]
    assert back(data) == data


def test_zero_pages_behind_the_end_of_their_block() -> None:
    places = (0x7000_0000, 0x7000_1000, (1 << 64) - 0x1000)
    data = ram_stream(zero_page(0, "pc.ram") + b"".join(zero_page(addr, None) for addr in places))
    assert back(data) == data


def test_how_the_input_comes_does_not_show() -> None:
    payload = zero_page(0, "pc.ram") + b"".join(zero_page(page << 12, None) for page in range(1, 250))
    data = ram_stream(payload)
    assert len(records(data)[1]) == 3
    assert to_ber(data).count(bytes.fromhex("7fda52")) == 1


def test_marks_between_pages() -> None:
    payload = (
        be64(HOOK)
        + full_page(0, "pc.ram")
        + be64(HOOK)
        + zero_page(0x1000, None)
        + be64(FLUSH)
        + full_page(0x2000, None)
        + be64(FLUSH)
    )
    data = ram_stream(payload)
    assert back(data) == data


def test_ignore_shared_adds_addresses() -> None:
    config = configuration("pc", subsection("configuration/capabilities", be32(1) + str8("x-ignore-shared")))
    blocks = be64(0x3000 | 4) + str8("a") + be64(0x1000) + be64(1 << 40) + str8("b") + be64(0x2000) + be64(0)
    data = ram_stream(config=config, blocks=blocks + EOS_RECORD)
    assert back(data) == data


def test_postcopy_may_add_page_sizes() -> None:
    advise = command(3, be64(0x1000) + be64(0x1000))
    blocks = be64(0x403000 | 4) + str8("a") + be64(0x1000) + str8("huge") + be64(0x400000) + be64(0x200000)
    data = ram_stream(before=advise, blocks=blocks + str8("b") + be64(0x2000) + EOS_RECORD)
    assert back(data) == data
    (listed,) = [record[1] for record in records(data)[0] if record[0] == kinds.LIST]
    assert [block.page_size for block in listed.blocks] == [None, 0x200000, None]


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (zero_page(0, None), "no block was named before"),
        (word(0, 0x0A, "pc.ram") + b"\0", "with flags 0xa"),
        (be64(0x1000 | 0x10), "with an address"),
        (be64(0x400), "with flags 0x400"),
        (word(0, XBZRLE, "pc.ram") + b"\2" + be16(1) + b"a", "encoding 1, found 2"),
        (word(0, XBZRLE, "pc.ram") + b"\1" + be16(5000), "an encoded page of 5000 bytes"),
        (word(0, COMPRESS, "pc.ram") + be32(1 << 30), "an encoded page of"),
        (zero_page(0, ""), "an empty name"),
        (word(0, 2, None)[:7] + b"\x02" + b"\2\xff\xfe\0", "UTF-8"),
    ],
)
def test_bad_records(payload: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        to_ber(ram_stream(payload))
    assert caught.value.section == "ram/0" and caught.value.offset is not None


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (be64(0x2000 | 4) + str8("a") + be64(0x3000), "only 8192 of the announced 8192 are left"),
        (be64(0x2000 | 4) + str8("a") + be64(0x1000) + str8("") + be64(0x1000), "an empty name"),
    ],
)
def test_bad_block_lists(blocks: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        to_ber(ram_stream(blocks=blocks + EOS_RECORD))


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    """A RAM section's pages: any kinds, blocks and addresses, with and without names."""
    made = b""
    named = False
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(["zero", "zero", "fill", "page", "xbzrle", "compressed", "flush", "hook"]))
        if kind in ("flush", "hook"):
            made += be64(FLUSH if kind == "flush" else HOOK)
            continue
        block = draw(st.sampled_from(["pc.ram", "vga.vram", None])) if named else "pc.ram"
        made += PAGES[kind](draw(st.integers(0, 6)) << 12, block)
        named = True
    return made


@settings(max_examples=60, deadline=None)
@given(st.lists(payloads(), max_size=3))
def test_any_ram(parts: list[bytes]) -> None:
    data = ram_stream(*parts)
    assert back(data) == data
