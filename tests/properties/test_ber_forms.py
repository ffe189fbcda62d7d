"""Every state in BER of any legal form, and in no illegal one."""

from __future__ import annotations

from random import Random

import pytest

from tests.properties.agreement import same
from tests.properties.conftest import Kit
from tests.properties.forms import in_another_form
from vmsgen.library import REGISTRY
from vmsgen.runtime import ber
from vmsgen.runtime.errors import DataError
from vmsgen.runtime.state import VMState
from vmsgen.runtime.values import plain_class

STATES = [entry.type_name for entry in REGISTRY.entries]
#: small states of the language's tests, with components of every type
SMALL = ["AcmeEverything", "Arrays", "Buffers", "Card", "Lists", "Nullable", "Scalars", "Unions"]


def check_forms(value: VMState) -> None:
    cls = plain_class(type(value))
    ours = value.to_ber()
    for number in range(3):
        other = in_another_form(value, Random(f"{number}/{len(ours)}"))
        found = cls.from_ber(other)
        same(found, value)
        assert found.to_ber() == ours


@pytest.mark.parametrize("name", STATES)
def test_a_library_state_in_other_forms(library: Kit, name: str) -> None:
    library.each(library.registry.lookup(name), check_forms, 2)


@pytest.mark.parametrize("name", SMALL)
def test_a_small_state_in_other_forms(small: Kit, name: str) -> None:
    small.each(small.registry.lookup(name), check_forms, 30)


# ---------------------------------------------------------------------------------------------- illegal ones


def split(value: VMState) -> list[bytes]:
    """The components of a state that stands alone."""
    data = value.to_ber()
    outer = ber.read_element(data, 0, len(data))
    return [data[each.start : each.end] for each in ber.children(data, outer)]


def joined(cls: type[VMState], components: list[bytes]) -> tuple[bytes, int]:
    """They as a state again, and where its content begins."""
    content = b"".join(components)
    data = ber.tlv(ber.tag_bytes(ber.APPLICATION, True, cls.TAG), content)
    return data, len(data) - len(content)


def refused(cls: type[VMState], components: list[bytes]) -> DataError:
    data, _ = joined(cls, components)
    with pytest.raises(DataError) as caught:
        cls.from_ber(data)
    assert caught.value.offset is not None and 0 <= caught.value.offset < len(data)
    return caught.value


def check_illegal(value: VMState) -> None:
    cls = plain_class(type(value))
    names = {tag: name for name, tag in cls.TAGS.items()}
    components = split(value)
    random = Random(len(components))
    if not components:
        return
    assert cls.from_ber(joined(cls, components)[0]) == value
    at = random.randrange(len(components))
    tags = [ber.read_tag(each, 0, len(each))[2] for each in components]
    start = joined(cls, components)[1]

    error = refused(cls, [*components[: at + 1], *components[at:]])
    assert "stands twice" in error.message and error.path == names[tags[at]]

    if names[tags[at]] in cls.FIELDS:
        error = refused(cls, components[:at] + components[at + 1 :])
        assert error.message == "missing" and error.path == names[tags[at]]
        # the right tag, another type under it
        tag = ber.tag_bytes(ber.CONTEXT, True, tags[at])
        error = refused(cls, [*components[:at], ber.tlv(tag, b"\x1f\x81\x00\x00"), *components[at + 1 :]])
        assert error.path.startswith(names[tags[at]])

    if len(components) > 1:
        at = random.randrange(len(components) - 1)
        swapped = [*components[:at], components[at + 1], components[at], *components[at + 2 :]]
        error = refused(cls, swapped)
        assert "out of order" in error.message and error.path == names[tags[at]]
        expected = len(b"".join(components[:at])) + len(components[at + 1])
        assert error.offset is not None and abs(error.offset - start - expected) <= 4

    absent = [name for name in cls.FIELDS if name in cls.TAGS and cls.TAGS[name] not in tags]
    if absent:
        tag_number = cls.TAGS[random.choice(absent)]
        place = sum(tag < tag_number for tag in tags)
        foreign = ber.tlv(ber.tag_bytes(ber.CONTEXT, False, tag_number), b"\0")
        error = refused(cls, [*components[:place], foreign, *components[place:]])
        assert error.path == names[tag_number]
        assert "the layout has no place for it" in error.message


def check_cut(value: VMState) -> None:
    cls = plain_class(type(value))
    data = value.to_ber()
    for length in range(0, len(data), max(1, len(data) // 200)):
        with pytest.raises(DataError) as caught:
            cls.from_ber(data[:length])
        assert caught.value.offset is not None and 0 <= caught.value.offset <= length
    with pytest.raises(DataError, match="1 octets are left over") as caught:
        cls.from_ber(data + b"\0")
    assert caught.value.offset == len(data)


@pytest.mark.parametrize("name", STATES)
def test_an_illegal_library_state(library: Kit, name: str) -> None:
    library.each(library.registry.lookup(name), check_illegal, 4)
    library.each(library.registry.lookup(name), check_cut, 1)


@pytest.mark.parametrize("name", SMALL)
def test_an_illegal_small_state(small: Kit, name: str) -> None:
    small.each(small.registry.lookup(name), check_illegal, 40)
    small.each(small.registry.lookup(name), check_cut, 2)
