"""Classes of values in slots: what one knows of dataclasses holds for them."""

from __future__ import annotations

import copy
import pickle

import pytest

from vmsgen.runtime.slotted import Slotted, field, replaced


class Place(Slotted, frozen=True):
    """Two numbers, one of them with a default."""

    x: int
    y: int = 7

    @property
    def sum(self) -> int:
        """Of both."""
        return self.x + self.y


class Other(Slotted, frozen=True):
    """The same fields."""

    x: int
    y: int = 7


class Seen(Slotted):
    """What can be set."""

    what: str
    names: list[str] = field(default_factory=list)
    number: int = 0


class One(Slotted, eq=False):
    """Equal to itself."""

    what: str


def test_fields_and_defaults() -> None:
    assert (Place(1).x, Place(1).y, Place(1, 2).y, Place(y=3, x=1).sum) == (1, 7, 2, 4)
    first, second = Seen("a"), Seen("a")
    first.names.append("n")
    assert second.names == [] and Seen("a", ["m"], number=4).names == ["m"]
    assert Seen("a", None).names is None  # type: ignore[arg-type]
    match Place(1, 2):
        case Place(x, y):
            assert (x, y) == (1, 2)


def test_arguments_are_checked() -> None:
    for wrong in (lambda: Place(), lambda: Place(1, 2, 3), lambda: Place(1, z=3)):  # type: ignore[call-arg]
        with pytest.raises(TypeError, match=r"__init__\(\)"):
            wrong()


def test_slots_alone() -> None:
    seen = Seen("a")
    with pytest.raises(AttributeError):
        seen.other = 1  # type: ignore[attr-defined]
    seen.number = 5
    assert seen == Seen("a", [], 5) and not hasattr(seen, "__dict__")


def test_equality_and_hash() -> None:
    assert Place(1) == Place(1, 7) and Place(1) != Place(2)
    assert Place(1) != Other(1) and Place(1) != (1, 7)
    assert len({Place(1), Place(1), Place(2)}) == 2
    assert One("a") != One("a") and len({One("a"), One("a")}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(Seen("a"))


def test_what_is_frozen_stays() -> None:
    place = Place(1)
    with pytest.raises(AttributeError, match=r"^Place\.x cannot be changed$"):
        place.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError, match=r"^Place\.x cannot be changed$"):
        del place.x
    assert place.x == 1


@pytest.mark.parametrize("value", [Place(1, 2), Seen("a", ["b"], 3)])
def test_copies(value: Slotted) -> None:
    for again in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value)), replaced(value)):
        assert again == value and again is not value and type(again) is type(value)


def test_replaced() -> None:
    assert replaced(Place(1, 2), y=3) == Place(1, 3)
    with pytest.raises(TypeError):
        replaced(Place(1), z=3)


def test_repr_is_how_it_is_made() -> None:
    assert repr(Place(1)) == "Place(x=1, y=7)"
    assert eval(repr(Seen("a", ["b"]))) == Seen("a", ["b"])


def test_fields_are_not_inherited() -> None:
    with pytest.raises(TypeError, match=r"^More: the fields of a Slotted class cannot be inherited$"):
        type(Place)("More", (Place,), {"__annotations__": {"z": "int"}})
