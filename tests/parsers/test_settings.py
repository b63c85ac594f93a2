"""The clinic's settings change decisions as the policy's definitions say."""

import pytest

from parsers import Policy, Slot, decide

EVENING_CLINIC = Policy(slots=(Slot(1, 13 * 60, 21 * 60),))
HALF_PAST_NOON = Policy(noon=12 * 60 + 30)
NO_GRACE = Policy(grace=0)
TOKYO_LUNCH = Policy(noon=13 * 60)
NEW_YORK = Policy(timezone="America/New_York")


@pytest.mark.parametrize(
    ("policy", "text", "period", "reason", "start"),
    [
        (EVENING_CLINIC, "7시", "AFTERNOON", None, "19:00"),
        (EVENING_CLINIC, "10시", "AFTERNOON", "ambiguous_hour", None),
        (EVENING_CLINIC, "22:00", "AFTERNOON", None, "22:00"),
        (EVENING_CLINIC, "09:00", "AFTERNOON", "outside_hours", "09:00"),
        (EVENING_CLINIC, "8시 이후", "AFTERNOON", None, "20:00"),
        (HALF_PAST_NOON, "12:15", "MORNING", None, "12:15"),
        (HALF_PAST_NOON, "12시~12시 30분", "MORNING", None, "12:00"),
        (NO_GRACE, "08:00", None, "outside_hours", "08:00"),
        (NO_GRACE, "오후 6시", "AFTERNOON", "outside_hours", "18:00"),
        (TOKYO_LUNCH, "점심", None, "spans_noon", None),
        (NEW_YORK, "2025-07-01T15:00:00Z", "MORNING", None, "11:00"),
        (NEW_YORK, "2025-12-01T15:00:00Z", "MORNING", None, "10:00"),
    ],
)
def test_decision_under_other_settings(policy, text, period, reason, start):
    decision = decide(text, policy)
    assert (decision.period, decision.reason, decision.start) == (period, reason, start)


@pytest.mark.parametrize(
    "settings",
    [
        {"slots": ()},
        {"noon": 0},
        {"grace": -1},
        {"auto_threshold": 1.5},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError, match=r"noon|slot|grace|threshold"):
        Policy(**settings)


@pytest.mark.parametrize(("weekday", "start", "end"), [(0, 60, 120), (8, 60, 120), (1, 120, 60), (1, 0, 1500)])
def test_impossible_slots_are_refused(weekday, start, end):
    with pytest.raises(ValueError, match="slot"):
        Slot(weekday, start, end)
