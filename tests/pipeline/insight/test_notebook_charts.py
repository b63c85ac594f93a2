"""The notebooks' charts: what they write, in both dresses, and that hostile names stay text."""

from base64 import b64decode
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from parsers.types import Period
from pipeline.answers import Verdict
from pipeline.drawing import DARK, LIGHT, Picture
from pipeline.insight.capacity_charts import load_map, mean_week_chart
from pipeline.insight.half_days import HalfDay
from pipeline.insight.open_texts import OpenText
from pipeline.insight.review_yield import Settling, Yield
from pipeline.insight.whatif import Change, Outcome, Threshold
from pipeline.insight.whatif_charts import changes_chart, threshold_chart
from pipeline.insight.yield_charts import yield_chart

SVG = "{http://www.w3.org/2000/svg}"
MONDAY = date(2026, 1, 5)
WEEK = (
    HalfDay(1, Period.MORNING, 100, 20, 30),
    HalfDay(1, Period.AFTERNOON, 200, 0, 250),
    HalfDay(6, Period.MORNING, 100, 0, 0),
)
NOW = Outcome(1_000, 900, 5)
HOSTILE = "<i>\x1b\u202e</i>"
SHOWN = "<i>⟨U+001B⟩⟨U+202E⟩</i>"


def svg(address: str) -> ET.Element:
    return ET.fromstring(b64decode(address.split(",", 1)[1]))  # noqa: S314 - drawn by the code under test


def texts(picture: Picture) -> list[str]:
    return ["".join(element.itertext()) for element in svg(picture.light).iter(f"{SVG}text")]


def fills(address: str) -> list[str | None]:
    return [element.get("fill") for element in svg(address).iter(f"{SVG}path")]


def settling(place: int, reviewer: str = "reviewer-1") -> Settling:
    at = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(minutes=place)
    return Settling(f"text {place}", reviewer, at, Verdict.MORNING, 10, 10 * place)


def found(settled: int, reviewer: str = "reviewer-1") -> Yield:
    steps = tuple(settling(place, reviewer) for place in range(1, settled + 1))
    return Yield(1_000, 900, steps, (), (OpenText("x", 100 - 10 * settled, reviewed=False),))


def test_the_mean_week_sets_bookings_against_slots():
    said = texts(mean_week_chart(WEEK))
    assert {"Mon am", "Mon pm", "Sat am", "50%", "was 20%", "125%", "was 0%", "0%", "known before"} <= set(said)


@pytest.mark.parametrize(("side", "dress", "other"), [("light", LIGHT, DARK), ("dark", DARK, LIGHT)])
def test_what_is_too_much_wears_the_alarm(side, dress, other):
    half_days = [HalfDay(1, Period.MORNING, 100, 0, minutes, MONDAY) for minutes in (50, 150)]
    for picture, alarms in ((load_map(half_days), 1), (load_map(half_days[:1]), 0)):
        drawn = fills(getattr(picture, side))
        assert drawn.count(dress.alarm) == alarms
        assert other.alarm not in drawn


def test_the_map_names_half_days_months_and_both_moments():
    half_days = [
        HalfDay(day, period, 100, 10, 20, MONDAY + timedelta(weeks=week))
        for day, period in ((2, Period.AFTERNOON), (1, Period.MORNING))
        for week in range(6)
    ]
    said = texts(load_map(half_days))
    assert said.count("Mon am") == said.count("Tue pm") == 2
    assert {"2026-01", "2026-02", "as it could be seen before"} <= set(said)


def test_thresholds_name_the_rule_now_and_the_gate():
    points = [Threshold(0.98, NOW, ("noon",)), Threshold(0.999, Outcome(1_000, 400, 1), ("halfday_clock",))]
    said = texts(threshold_chart(points, NOW, 0.7))
    assert {"now 90.0%", "≥ 0.9990  halfday_clock", "the gate, 70%"} <= set(said)
    assert "the gate, 10%" not in texts(threshold_chart(points, NOW, 0.1))
    assert "now 0.0%" in texts(threshold_chart((), Outcome(0, 0, 0), 0.95))


def test_changes_count_rows_and_shares():
    changes = [Change("opens at 8", Outcome(1_000, 910, 5), 10, 0, 0), Change(HOSTILE, NOW, 1_234, 1_234, 77)]
    said = texts(changes_chart(NOW, changes))
    assert {
        "opens at 8",
        SHOWN,
        "10",
        "77",
        "1,234",
        "91.0% (+1.0)",
        "90.0% (+0.0)",
        "decided besides",
    } <= set(said)
    assert "i" not in {element.tag.removeprefix(SVG) for element in svg(changes_chart(NOW, changes).light).iter()}
    assert texts(changes_chart(NOW, ()))


def test_the_yield_names_reviewers_and_both_ends():
    picture = yield_chart(found(5, HOSTILE), 0.95)
    said = texts(picture)
    assert {"90.0%", "95.0%", SHOWN} <= set(said)
    assert "5 answered texts" in picture.says
    assert "<i>" not in picture._repr_html_()
    assert "90.0%" in texts(yield_chart(found(0), 0.95))


def test_a_gate_far_below_the_curve_is_left_out():
    assert "the gate, 85% AUTO" in texts(yield_chart(found(3), 0.85))
    assert "the gate, 10% AUTO" not in texts(yield_chart(found(3), 0.1))


def test_a_notebook_gets_both_dresses_and_the_alternative_text():
    shown = Picture("data:light", "data:dark", 'what "it" <says>')._repr_html_()
    assert 'srcset="data:dark"' in shown
    assert 'src="data:light"' in shown
    assert 'alt="what &quot;it&quot; &lt;says&gt;"' in shown
    for picture in (
        mean_week_chart(WEEK),
        changes_chart(NOW, [Change("a", NOW, 1, 2, 3)]),
        yield_chart(found(2), 0.95),
    ):
        assert picture.says
        assert picture.light != picture.dark
