"""BER primitives: every legal form is read, everything else refused. The verdicts are X.690's, written by hand: no
judge is an oracle for "must refuse".
"""

from __future__ import annotations

import tracemalloc

import pytest

from vmsgen.runtime import ber
from vmsgen.runtime.errors import DataError, LimitError, TruncatedError
from vmsgen.runtime.limits import Limits


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


def only(text: str) -> tuple[bytes, ber.Element]:
    """The one element that the octets are."""
    data = octets(text)
    element = ber.read_element(data, 0, len(data))
    assert element.end == len(data)
    return data, element


# ---------------------------------------------------------------------------------------------- identifiers


TAGS = [
    # class, constructed, number, octets (X.690 8.1.2)
    (ber.UNIVERSAL, False, 2, "02"),
    (ber.UNIVERSAL, True, 16, "30"),
    (ber.APPLICATION, False, 0, "40"),
    (ber.CONTEXT, False, 30, "9e"),
    (ber.CONTEXT, True, 30, "be"),
    (ber.CONTEXT, False, 31, "9f1f"),
    (ber.CONTEXT, True, 127, "bf7f"),
    (ber.CONTEXT, True, 128, "bf8100"),
    (ber.APPLICATION, True, 8914, "7fc552"),
    (ber.APPLICATION, True, 20000, "7f819c20"),
    (ber.APPLICATION, False, 16383, "5fff7f"),
    (ber.APPLICATION, False, 16384, "5f818000"),
    (3, True, 2**31 - 1, "ff87ffffff7f"),
]


@pytest.mark.parametrize(("tag_class", "constructed", "number", "text"), TAGS)
def test_identifier(tag_class: int, constructed: bool, number: int, text: str) -> None:
    data = octets(text)
    assert ber.tag_bytes(tag_class, constructed, number) == data
    assert ber.read_tag(data, 0, len(data)) == (tag_class, constructed, number, len(data))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", TruncatedError, "expected an element, found the end"),
        ("1f", TruncatedError, "the tag is cut"),
        ("bf", TruncatedError, "the tag is cut"),
        ("bf81", TruncatedError, "the tag is cut"),
        ("bfffff", TruncatedError, "the tag is cut"),
        ("9f801f", DataError, "padded with a leading 80 octet"),
        ("9f8080", DataError, "padded with a leading 80 octet"),
        ("9f00", DataError, "tag 0 is written in the long form"),
        ("9f1e", DataError, "tag 30 is written in the long form"),
        ("ff8880808000", LimitError, r"above 2\^31"),
        ("ff" + "ff" * 40 + "7f", LimitError, r"above 2\^31"),
    ],
)
def test_illegal_identifier(text: str, error: type[DataError], message: str) -> None:
    data = b"\xaa" + octets(text)
    with pytest.raises(DataError, match=message) as caught:
        ber.read_tag(data, 1, len(data))
    assert type(caught.value) is error
    assert caught.value.offset == 1


@pytest.mark.parametrize(
    ("tag_class", "number", "text"),
    [
        (ber.UNIVERSAL, 2, "INTEGER"),
        (ber.UNIVERSAL, 4, "OCTET STRING"),
        (ber.UNIVERSAL, 12, "UTF8String"),
        (ber.UNIVERSAL, 9, "[UNIVERSAL 9]"),
        (ber.CONTEXT, 7, "[7]"),
        (ber.APPLICATION, 20001, "[APPLICATION 20001]"),
        (3, 1, "[PRIVATE 1]"),
    ],
)
def test_a_tag_for_people(tag_class: int, number: int, text: str) -> None:
    assert ber.describe_tag(tag_class, number) == text


# ---------------------------------------------------------------------------------------------- lengths


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "8180"),
        (255, "81ff"),
        (256, "820100"),
        (2**16, "83010000"),
        (2**32, "850100000000"),
    ],
)
def test_length(length: int, text: str) -> None:
    data = octets(text)
    assert ber.length_bytes(length) == data
    assert ber.read_length(data, 0, len(data), 0) == (length, len(data))


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("80", None),  # 8.1.3.6
        ("8105", 5),  # 8.1.3.5, note 2: more octets than needed are legal in BER
        ("820005", 5),
        ("88" + "00" * 7 + "05", 5),
        ("fe" + "00" * 125 + "05", 5),
        ("8100", 0),
    ],
)
def test_other_legal_lengths(text: str, length: int | None) -> None:
    data = octets(text)
    assert ber.read_length(data, 0, len(data), 0) == (length, len(data))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("04", TruncatedError, "the length is cut"),
        ("0481", TruncatedError, "the length is cut"),
        ("048400", TruncatedError, "the length is cut"),
        ("04ff00", DataError, "FF is reserved"),
        ("0401", TruncatedError, "announces 1 octets, 0 are left"),
        ("048300000261", TruncatedError, "announces 2 octets, 1 are left"),
        ("0488ffffffffffffffff61", TruncatedError, "announces 18446744073709551615 octets, 1 are left"),
        ("04fe" + "ff" * 126, TruncatedError, "announces"),
        ("0480610000", DataError, "OCTET STRING is primitive and of indefinite length"),
        ("0280", DataError, "INTEGER is primitive and of indefinite length"),
        ("3080", TruncatedError, "SEQUENCE has no end-of-contents octets"),
        ("308000", TruncatedError, "the length is cut|no end-of-contents"),
        ("30800201050000", None, ""),
        ("3080020105", TruncatedError, "no end-of-contents octets"),
        ("30803080020105 0000", TruncatedError, "no end-of-contents octets"),
        ("3080 000100 0000", DataError, "end-of-contents octets where an element is expected"),
        ("0000", DataError, "end-of-contents octets where an element is expected"),
        ("2000", DataError, "end-of-contents octets where an element is expected"),
        ("008000", DataError, "end-of-contents octets where an element is expected"),
    ],
)
def test_elements(text: str, error: type[DataError] | None, message: str) -> None:
    data = octets(text)
    if error is None:
        assert ber.read_element(data, 0, len(data)).end == len(data)
        return
    with pytest.raises(DataError, match=message) as caught:
        ber.read_element(data, 0, len(data))
    assert type(caught.value) is error
    assert caught.value.offset is not None and 0 <= caught.value.offset < len(data)


def test_an_element_ends_where_what_is_around_it_ends() -> None:
    data = octets("3005 0204 01020304")
    outer = ber.read_element(data, 0, len(data) - 1)
    with pytest.raises(TruncatedError, match="announces 4 octets, 3 are left") as caught:
        list(ber.children(data, outer))
    assert caught.value.offset == 2


def test_end_of_contents_inside_definite_contents() -> None:
    data, outer = only("3004 0500 0000")
    with pytest.raises(DataError, match="end-of-contents octets where") as caught:
        list(ber.children(data, outer))
    assert caught.value.offset == 4


def test_an_element_and_its_parts() -> None:
    data, outer = only("3080 020105 a080 0500 0000 0000")
    assert outer == (ber.UNIVERSAL, True, 16, 0, 2, 11, 13)
    integer, inner = ber.children(data, outer)
    assert integer == (ber.UNIVERSAL, False, 2, 2, 4, 5, 5)
    assert inner == (ber.CONTEXT, True, 0, 5, 7, 9, 11)
    with pytest.raises(DataError, match=r"\[0\] is primitive where a constructed one is expected"):
        list(ber.children(*only("800101")))


def test_depth_is_bounded() -> None:
    deep = octets("3080") * 100 + octets("0000") * 100
    assert ber.read_element(deep, 0, len(deep)).end == len(deep)
    deeper = octets("3080") * 101 + octets("0000") * 101
    with pytest.raises(LimitError, match="nested deeper than 100"):
        ber.read_element(deeper, 0, len(deeper))
    with pytest.raises(LimitError, match="nested deeper than 3"):
        ber.read_element(deep, 0, len(deep), Limits(depth=3))
    with pytest.raises(LimitError, match="nested deeper than 100"):
        ber.read_element(octets("3080") * 100_000, 0, 200_000)


# ---------------------------------------------------------------------------------------------- INTEGER


INTEGERS = [
    (0, "00"),
    (127, "7f"),
    (128, "0080"),
    (255, "00ff"),
    (256, "0100"),
    (2**32 - 1, "00ffffffff"),
    (2**63 - 1, "7fffffffffffffff"),
    (2**63, "008000000000000000"),
    (2**64 - 1, "00ffffffffffffffff"),
    (-1, "ff"),
    (-128, "80"),
    (-129, "ff7f"),
    (-(2**31), "80000000"),
    (-(2**63), "8000000000000000"),
]


@pytest.mark.parametrize(("value", "text"), INTEGERS)
def test_integer(value: int, text: str) -> None:
    content = octets(text)
    assert ber.integer_content(value) == content
    data, element = only("02" + f"{len(content):02x}" + text)
    assert ber.integer(data, element) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0200", "at least one octet"),
        ("2203020105", "is primitive"),
        ("22800201050000", "is primitive"),
        ("02020000", "fewest octets"),
        ("0202007f", "fewest octets"),
        ("0202ff80", "fewest octets"),
        ("0202ffff", "fewest octets"),
        ("0209000000000000000001", "fewest octets"),
        ("020a01000000000000000000", "does not fit 64 bits"),
    ],
)
def test_illegal_integer(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        ber.integer(*only(text))
    assert caught.value.offset == 0


# ---------------------------------------------------------------------------------------------- BOOLEAN, NULL, strings


@pytest.mark.parametrize(("text", "value"), [("010100", False), ("0101ff", True), ("010101", True), ("01810180", True)])
def test_boolean(text: str, value: bool) -> None:
    assert ber.boolean(*only(text)) is value


@pytest.mark.parametrize("text", ["0100", "01020000", "0102ffff", "21030101ff"])
def test_illegal_boolean(text: str) -> None:
    with pytest.raises(DataError, match="a BOOLEAN is primitive and has one octet") as caught:
        ber.boolean(*only(text))
    assert caught.value.offset == 0


def test_null() -> None:
    ber.null(only("0500")[1])
    ber.null(only("058100")[1])
    for text in ("050100", "2500", "25800000"):
        with pytest.raises(DataError, match="a NULL is primitive and empty"):
            ber.null(only(text)[1])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0400", b""),
        ("0402abcd", octets("abcd")),
        ("048102abcd", octets("abcd")),
        # 8.7.3: constructed, of pieces that are OCTET STRING in any legal form
        ("2400", b""),
        ("24800000", b""),
        ("24 06 0401ab 0401cd", octets("abcd")),
        ("2480 0401ab 0400 0402cdef 0000", octets("abcdef")),
        ("2480 2480 0401ab 0000 2403 0401cd 0000", octets("abcd")),
        ("8302abcd", octets("abcd")),
        ("a380 0401ab 0401cd 0000", octets("abcd")),
    ],
)
def test_octets(text: str, value: bytes) -> None:
    assert ber.octets(*only(text)) == value


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("2403 0201ab", "a piece of a string is OCTET STRING, not INTEGER", 2),
        ("2403 8001ab", r"a piece of a string is OCTET STRING, not \[0\]", 2),
        ("2480 0401ab 3003 0401cd 0000", "a piece of a string is OCTET STRING, not SEQUENCE", 5),
        ("2404 0403 abcd", "announces 3 octets, 2 are left", 2),
        ("2402 0000", "end-of-contents", 2),
    ],
)
def test_illegal_pieces(text: str, message: str, offset: int) -> None:
    data, element = only(text)
    with pytest.raises(DataError, match=message) as caught:
        ber.octets(data, element)
    assert caught.value.offset == offset


def test_pieces_are_nested_no_deeper_than_allowed() -> None:
    data = octets("2480") * 40 + octets("0401ab") + octets("0000") * 40
    element = ber.read_element(data, 0, len(data))
    assert ber.octets(data, element) == b"\xab"
    with pytest.raises(LimitError, match="nested deeper than"):
        ber.octets(data, element, Limits(depth=30))


def test_text() -> None:
    assert ber.text(*only("0c02c3a4")) == "ä"
    assert ber.text(*only("2c80 0401c3 0401a4 0000")) == "ä"
    with pytest.raises(DataError, match="a piece of a string is OCTET STRING, not UTF8String"):
        ber.text(*only("2c80 0c02c3a4 0000"))  # 8.23.6: as [UNIVERSAL 12] IMPLICIT OCTET STRING, so pieces are 04
    for text in ("0c01c3", "0c02c328", "0c03eda080", "0c02c080"):
        with pytest.raises(DataError, match="not UTF-8") as caught:
            ber.text(*only(text))
        assert caught.value.offset == 0


# ---------------------------------------------------------------------------------------------- cost


def test_an_announced_length_costs_nothing() -> None:
    data = octets("308800ffffffffffffff")
    tracemalloc.start()
    try:
        with pytest.raises(TruncatedError):
            ber.read_element(data, 0, len(data))
        assert tracemalloc.get_traced_memory()[1] < 1 << 16
    finally:
        tracemalloc.stop()
