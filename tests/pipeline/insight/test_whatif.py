from dataclasses import replace

import pytest

from parsers import Policy, decide
from parsers.policy import Slot
from pipeline.insight.open_texts import OpenText
from pipeline.insight.whatif import changes, opening, outcome, thresholds

POLICY = Policy()
TEXTS = [
    OpenText("오후 3시", 100, reviewed=False),
    OpenText("9:30", 10, reviewed=False),
    OpenText("8시", 5, reviewed=False),
    OpenText("정오", 3, reviewed=False),
    OpenText("12:30", 4, reviewed=False),
    OpenText("아무때나", 2, reviewed=False),
    OpenText("미정", 1_000, reviewed=True),
]


def confidence(text: str) -> float:
    return decide(text, POLICY).confidence


def test_what_is_decided_alone_and_what_may_be_wrong_of_it():
    found = outcome(TEXTS, POLICY)
    assert (found.rows, found.auto) == (124, 117)
    assert found.auto_share == pytest.approx(117 / 124)
    expected = 100 * (1 - confidence("오후 3시")) + 10 * (1 - confidence("9:30")) + 3 * (1 - confidence("정오"))
    expected += 4 * (1 - confidence("12:30"))
    assert found.wrong == pytest.approx(expected)


def test_nothing_to_decide():
    assert outcome([], POLICY).auto_share == 0
    assert thresholds([], POLICY) == ()


def test_every_threshold_lets_pass_what_is_as_sure():
    found = thresholds(TEXTS, POLICY)
    assert [(one.rules, one.outcome.auto) for one in found] == [
        (("noon",), 117),
        (("padded_clock",), 114),
        (("bare_hour",), 110),
        (("halfday_clock",), 100),
    ]
    assert [one.confidence for one in found] == [confidence(text) for text in ("정오", "12:30", "9:30", "오후 3시")]
    for one in found:
        assert outcome(TEXTS, replace(POLICY, auto_threshold=one.confidence)) == one.outcome


def test_a_stricter_policy_than_the_default_hides_no_threshold():
    assert thresholds(TEXTS, replace(POLICY, auto_threshold=0.9999)) == thresholds(TEXTS, POLICY)


def test_what_other_hours_would_gain_lose_and_turn():
    others = {
        "opens at 8": opening(POLICY, start=8 * 60),
        "opens at 10": opening(POLICY, start=10 * 60),
        "noon at 13:00": replace(POLICY, noon=13 * 60),
        "the same": POLICY,
    }
    found = {change.name: change for change in changes(TEXTS, POLICY, others)}
    told = {name: (change.gained, change.lost, change.turned) for name, change in found.items()}
    assert told["opens at 8"] == (5, 0, 0)
    assert told["opens at 10"] == (0, 10, 0)
    assert told["the same"] == (0, 0, 0)
    # 12:30 is the morning then, and 정오 contradicts the setting.
    assert told["noon at 13:00"] == (0, 3, 4)
    for name, change in found.items():
        assert change.outcome == outcome(TEXTS, others[name])
        assert change.outcome.auto == 117 + change.gained - change.lost


def test_opening_moves_the_first_and_the_last_slots_alone():
    slots = (Slot(1, 540, 720), Slot(1, 840, 1080), Slot(6, 540, 780), Slot(7, 600, 1080))
    policy = replace(POLICY, slots=slots)
    moved = opening(policy, start=480, end=1200)
    assert moved.slots == (Slot(1, 480, 720), Slot(1, 840, 1200), Slot(6, 480, 780), Slot(7, 600, 1200))
    assert opening(policy) == policy
    with pytest.raises(ValueError, match="start before end"):
        opening(policy, start=800)
