"""Facts: who answers a question, what an answer decides, and what is written down about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vmsgen.runtime.answers import Answer, answer_text, join_answers, parse_release, read_answer, release_text
from vmsgen.runtime.errors import LayoutError, VmsgenError
from vmsgen.runtime.facts import Facts, Prop, Unanswered

PORTS = Prop("ports", "ide/ahci", "int", low=1, high=32, default=lambda facts: 6)
BUS = Prop(
    "bus", "virtio/core", "text", candidates=("pci", "ccw"), default=lambda facts: facts.ambient("section.bus", "text")
)
FAST = Prop("fast", "net/nic", "bool", default=lambda facts: facts.qemu >= (8, 2))
ORDER = Prop("order", "net/nic", "endian")
NAME = Prop("name", "net/nic", "text")


# ---------------------------------------------------------------------------------------------- who answers


@pytest.mark.parametrize(
    ("facts", "answer", "settled"),
    [
        (Facts(), 6, False),
        (Facts({"ports": 4}), 4, True),
        (Facts({"ports": "0x10"}), 16, True),
        (Facts({"ports": 4, "ide/ahci.ports": 5}), 5, True),
        (Facts({"ide/other.ports": 5}), 6, False),
        (Facts({"ports": 4}, trial={"ports": 2}), 2, False),
    ],
)
def test_a_trial_then_knowledge_then_the_default(facts: Facts, answer: int, settled: bool) -> None:
    assert facts.ask(PORTS) == answer
    question = facts.questions["ports"]
    assert (question.answer, question.settled, question.machine_wide) == (answer, settled, False)
    assert list(question.alternatives) == ([] if settled else list(range(1, 33)))


def test_without_a_default_the_first_alternative() -> None:
    facts = Facts()
    assert facts.ask(BUS) == "pci", "its default has no value here"
    assert facts.ask(ORDER) == "little"
    assert facts.ask(Prop("flag", "m", "bool")) is True
    with pytest.raises(LayoutError, match=r"depends on name, which nothing answers; give it with --prop name=VALUE"):
        facts.ask(NAME)
    assert Facts({"section.bus": "ccw"}).ask(BUS) == "ccw"


def test_a_default_may_ask_itself() -> None:
    facts = Facts({"machine.release": "9.0"})
    assert facts.ask(FAST) is True
    assert facts.asked == {"qemu >= 8.2": True, "fast": True}
    assert Facts({"qemu": "7.2"}).ask(FAST) is False


def test_ambient_facts() -> None:
    facts = Facts({"section.instance": "3", "target.arch": "x86"})
    assert facts.ambient("section.instance", "int") == 3
    assert facts.ambient("target.arch", "text") == "x86"
    assert facts.pairs() == (("section.instance", "3"), ("target.arch", "x86")), "BER must carry them"
    with pytest.raises(Unanswered, match=r"^machine.name is not known; give it with --prop machine.name=VALUE$"):
        facts.ambient("machine.name", "text")


def test_the_target_and_the_host() -> None:
    facts = Facts()
    assert (facts.long_bits, facts.host_endian) == (64, "little")
    assert [(q.name, q.settled, q.machine_wide, list(q.alternatives)) for q in facts.questions.values()] == [
        ("target.long_bits", False, True, [64, 32]),
        ("host_endian", False, True, ["little", "big"]),
    ]
    facts = Facts({"target.long_bits": "32", "host_endian": "big"})
    assert (facts.long_bits, facts.host_endian) == (32, "big")
    assert all(question.settled for question in facts.questions.values())
    assert Facts(trial={"host_endian": "big"}).host_endian == "big"


def test_what_a_spec_leaves_unknown() -> None:
    facts = Facts()
    assert facts.unknown("card.late", "bool") is True and facts.unknown("card.size", "int") == 0
    assert not facts.questions["card.late"].settled
    assert Facts({"card.late": "false"}).unknown("card.late", "bool") is False
    assert Facts(trial={"card.size": 7}).unknown("card.size", "int") == 7


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ([True], "true"),
        ([True, True, True], "true"),
        ([True, False], "true,false"),
        ([True, False, False, False], "true,false"),  # the last one holds for the rest
        ([True, True, True, False], "true*3,false"),
        ([1, 2, 2, 3, 3, 3], "1,2*2,3"),
    ],
)
def test_answers_that_differ_from_place_to_place(answers: list[Answer], text: str) -> None:
    assert join_answers(answers) == text
    kind = "bool" if isinstance(answers[0], bool) else "int"
    facts = Facts({"card.late": text})
    assert [facts.unknown("card.late", kind) for _ in answers] == answers
    assert facts.unknown("card.late", kind) == answers[-1]
    facts.restart()
    assert [facts.unknown("card.late", kind) for _ in answers] == answers
    assert facts.pairs() == (("card.late", text),)
    assert [facts.settled().unknown("card.late", kind) for _ in range(1)] == answers[:1]


@pytest.mark.parametrize("text", ["true*x,false", "true*-1,false", "true,perhaps", ",", "1*99999999999,2", "*2,*3"])
def test_lists_of_answers_that_are_none(text: str) -> None:
    facts = Facts({"card.late": text})
    with pytest.raises(VmsgenError):
        for _ in range(3):
            facts.unknown("card.late", "bool")


# ---------------------------------------------------------------------------------------------- releases


@pytest.mark.parametrize(
    ("known", "release", "at_least", "above"),
    [
        ({"qemu": (7, 2)}, (7, 2), True, False),
        ({"qemu": "7.2"}, (7, 2, 1), False, False),
        ({"qemu": "7.2.1"}, (7, 2), True, True),
        ({"qemu": "10.0"}, (9, 2), True, True),
        # a machine type is at least as old as its release
        ({"machine.release": "8.2"}, (8, 2), True, None),
        ({"machine.release": "8.2"}, (8, 1), True, True),
        ({"machine.release": "8.2"}, (9, 0), None, None),
        # what other answers leave
        ({"qemu >= 8.2": True}, (8, 0), True, True),
        ({"qemu >= 8.2": "true"}, (8, 2), True, None),
        ({"qemu > 8.2": True}, (8, 2), True, True),
        ({"qemu >= 8.2": False}, (8, 2), False, False),
        ({"qemu >= 8.2": False}, (9, 0), False, False),
        ({"qemu >= 8.2": False}, (8, 1), None, None),
        ({"qemu > 8.2": False}, (8, 2), None, False),
        ({"qemu > 8.2": "false"}, (8, 2, 1), False, False),
        ({"qemu >= 9.0": False, "qemu >= 8.2": False, "qemu > 8.2": False}, (8, 2), False, False),
        ({"qemu >= 7.0": True, "qemu >= 8.0": True}, (8, 0), True, None),
        ({"machine.release": "6.0", "qemu >= 7.1": False}, (7, 1), False, False),
        ({"machine.release": "6.0", "qemu >= 7.1": False}, (6, 0), True, None),
        ({}, (7, 2), None, None),
    ],
)
def test_the_senders_release(
    known: dict[str, Answer], release: tuple[int, ...], at_least: bool | None, above: bool | None
) -> None:
    """None: nothing decides, so that it is a question of its own."""
    for strictly, expected in ((False, at_least), (True, above)):
        facts = Facts(known)
        answer = facts.at_least(release, strictly=strictly)
        (question,) = facts.questions.values()
        assert question.machine_wide
        if expected is None:
            assert not question.settled
            assert question.name == f"qemu {'>' if strictly else '>='} {release_text(release)}"
        else:
            assert question.settled and answer is expected


def test_the_likeliest_release() -> None:
    assert Facts().at_least((8, 2)) is True, "most streams are of a new QEMU"
    assert Facts({"machine.release": "6.0"}).at_least((8, 2)) is False, "and most machine types of their own"


def test_an_answer_under_trial() -> None:
    facts = Facts({"machine.release": "6.0"}, trial={"qemu >= 8.2": True})
    assert facts.qemu >= (8, 2)
    assert facts.qemu >= (8, 0), "follows from the trial"
    assert facts.asked == {"qemu >= 8.2": True, "qemu >= 8.0": True}


def test_releases_compare_as_releases() -> None:
    qemu = Facts({"qemu": "7.2"}).qemu
    assert qemu == (7, 2) and qemu != (7, 1) and qemu == (7, 2, 0)
    assert qemu >= (7, 2) and qemu <= (7, 2) and not qemu > (7, 2) and not qemu < (7, 2)
    assert qemu > (6, 9) and qemu < (10, 0)
    assert qemu != "7.2"
    with pytest.raises(TypeError):
        hash(qemu)


# ---------------------------------------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("kind", "text", "answer"),
    [
        ("bool", "true", True),
        ("bool", "false", False),
        ("int", "12", 12),
        ("int", "0x1f", 31),
        ("int", "-3", -3),
        ("endian", "big", "big"),
        ("text", "pci", "pci"),
        ("text", "", ""),
        ("release", "8.2", (8, 2)),
        ("release", "10.0.1", (10, 0, 1)),
    ],
)
def test_answers_as_text(kind: str, text: str, answer: Answer) -> None:
    assert read_answer(text, kind, "x") == answer
    assert read_answer(answer, kind, "x") == answer
    assert read_answer(answer_text(answer), kind, "x") == answer


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("bool", "yes", "x: 'yes' is not true or false"),
        ("bool", 1, "x: 1 is not true or false"),
        ("int", "many", "x: 'many' is not a number"),
        ("int", "", "x: '' is not a number"),
        ("int", (1, 2), "is not a number"),
        ("endian", "middle", "x: 'middle' is not little or big"),
        ("text", 5, "x: 5 is not text"),
        ("release", "8", "'8' is not a release such as 8.2 or 10.0.1"),
        ("release", "8.2.1.0", "is not a release"),
        ("release", "8.x", "is not a release"),
        ("release", "8.²", "is not a release"),
        ("release", "99999.0", "is not a release"),
        ("release", "-1.0", "is not a release"),
    ],
)
def test_answers_that_are_none(kind: str, value: Any, message: str) -> None:
    with pytest.raises(VmsgenError, match=message.replace(".", r"\.").replace("(", r"\(")) as caught:
        read_answer(value, kind, "x")
    assert "\n" not in str(caught.value)


def test_releases() -> None:
    assert parse_release("10.0") == (10, 0)
    assert release_text((10, 0, 1)) == "10.0.1"


# ---------------------------------------------------------------------------------------------- what is written down


def asked() -> Facts:
    facts = Facts({"ports": "4", "unused": "x", "qemu": (7, 2)})
    facts.ask(PORTS)
    facts.ask(BUS)
    facts.at_least((8, 2))
    facts.ask(PORTS)
    return facts


def test_what_was_asked_in_the_order_it_was_asked() -> None:
    facts = asked()
    assert facts.asked == {"ports": 4, "bus": "pci", "qemu": (7, 2, 0)}
    assert facts.pairs() == (("ports", "4"), ("bus", "pci"), ("qemu", "7.2.0"))


def test_pairs_answer_the_same_again() -> None:
    facts = Facts.from_pairs(asked().pairs())
    assert (facts.ask(PORTS), facts.ask(BUS), facts.at_least((8, 2))) == (4, "pci", False)
    assert facts.pairs() == asked().pairs()


def test_pairs_that_nothing_asks_for_travel_on() -> None:
    facts = Facts.from_pairs([("newer", "1"), ("ports", "4")])
    assert facts.ask(PORTS) == 4
    assert facts.pairs() == (("ports", "4"), ("newer", "1"))
    for other in (facts.fresh(), facts.settled(), facts.derive({})):
        assert ("newer", "1") in other.pairs()


@pytest.mark.parametrize(
    ("make", "known"),
    [
        (lambda facts: facts.fresh(), {"ports": "4", "unused": "x", "qemu": (7, 2)}),
        (lambda facts: facts.settled(), {"ports": 4, "unused": "x", "qemu": (7, 2, 0), "bus": "pci"}),
        (
            lambda facts: facts.derive({"ports": 9, "more": 1}),
            {"ports": 9, "unused": "x", "qemu": (7, 2), "more": 1},
        ),
    ],
)
def test_others_are_made_of_them(make: Callable[[Facts], Facts], known: dict[str, Answer]) -> None:
    facts = asked()
    made = make(facts)
    assert made.known == known and not made.questions
    made.known["other"] = 1
    assert "other" not in facts.known and len(facts.questions) == 3, "the first ones stay as they are"
