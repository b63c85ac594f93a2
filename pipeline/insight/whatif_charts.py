"""The AUTO share against the risk, when the threshold or the clinic's hours were others."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypedDict

import altair as alt

from pipeline.drawing import Picture, chart_data, draw
from pipeline.figures import count, percent
from pipeline.insight.whatif import Change, Outcome, Threshold
from pipeline.visible import visible

_PER = 10_000
_COLUMNS = ("decided besides", "no longer decided", "turned to the other half")
_TURNED = 2
_NAME_LENGTH = 30
_LONGEST = 0.75  # of a column's width
_STEP, _WIDTH, _NAMES, _SHARES = 28, 620, 150, 110
# Of neighbours on the curve that lie closer than this share of it only one is named.
_CLOSE = 0.05


class Point(TypedDict):
    """One outcome in the plane of risk and share."""

    wrong: float
    share: float
    name: str


def threshold_chart(thresholds: Sequence[Threshold], now: Outcome, least_share: float) -> Picture:
    """AUTO share over expected wrong rows, one point a threshold; what the run has now, and the share it must reach."""
    points = [_point(one.outcome, f"≥ {one.confidence:.4f}  {', '.join(one.rules)}") for one in thresholds]
    points = points or [_point(now, "")]
    right = max(point["wrong"] for point in points) * 1.12 or 1.0
    low = max(0.0, min(point["share"] for point in points) - 0.08)
    scale = alt.Scale(domain=[low, 1], nice=False, zero=False)
    x = alt.X(
        "wrong:Q",
        scale=alt.Scale(domain=[0, right], nice=False),
        axis=alt.Axis(title=f"rows expected wrong, of {_PER:,} without a period", grid=False, tickCount=8),
    )
    y = alt.Y("share:Q", scale=scale, axis=alt.Axis(title="decided without a person", format=".0%", grid=False))
    curve = alt.Chart(chart_data(points)).encode(x=x, y=y)
    named = alt.Chart(chart_data(_apart(points, _point(now, ""), right))).encode(x=x, y=y)
    here = alt.Chart(chart_data([_point(now, f"now {percent(now.auto_share)}")])).encode(x=x, y=y)
    gate = [{"share": least_share, "name": f"the gate, {percent(least_share, 0)}", "wrong": 0}] * (least_share > low)
    goal = alt.Chart(chart_data(gate)).encode(y=y)
    chart = (
        goal.mark_rule(strokeDash=[4, 3])
        + goal.mark_text(align="left", dx=6, dy=-8, fontSize=11).encode(x=x, text="name:N")
        + curve.mark_line(opacity=0.5)
        + curve.mark_point(filled=True, size=45)
        + named.mark_text(align="left", dx=8, dy=12, fontSize=11).encode(text="name:N")
        + here.mark_point(style="alarm", filled=True, size=130)
        + here.mark_text(style="alarm", align="right", dx=-12, dy=-10, fontWeight="bold").encode(text="name:N")
    ).properties(width=760, height=320, padding={"left": 64, "right": 60, "top": 16, "bottom": 48})
    return draw(chart, _says(points, now))


def _point(outcome: Outcome, name: str) -> Point:
    wrong = outcome.wrong * _PER / outcome.rows if outcome.rows else 0.0
    return Point(wrong=wrong, share=outcome.auto_share, name=name)


def _apart(points: Sequence[Point], now: Point, right: float) -> list[Point]:
    """Those that can be named without writing over one another or ``now``, first those that lift the share most."""
    lower = {one["share"]: other["share"] for one, other in pairwise(sorted(points, key=_by_share, reverse=True))}
    apart = [now]
    for point in sorted(points, key=lambda point: lower.get(point["share"], 0.0) - point["share"]):
        if all(
            abs(point["wrong"] - other["wrong"]) > _CLOSE * right or abs(point["share"] - other["share"]) > _CLOSE
            for other in apart
        ):
            apart.append(point)
    return apart[1:]


def _by_share(point: Point) -> float:
    return point["share"]


def _says(points: Sequence[Point], now: Outcome) -> str:
    least = min(points, key=lambda point: point["wrong"])
    return (
        f"AUTO share over rows expected wrong, for {len(points)} thresholds: now {percent(now.auto_share)} with "
        f"{now.wrong:.0f} rows expected wrong; at the strictest {percent(least['share'])} with {least['wrong']:.1f} of "
        f"{_PER:,} rows."
    )


def changes_chart(now: Outcome, changes: Sequence[Change]) -> Picture:
    """A line a policy: rows decided besides, no longer, and for the other half of the day; and the AUTO share then."""
    widest = max((max(_counted(change)) for change in changes), default=0) or 1
    bars = [
        {"place": place, "column": column, "from": column, "to": column + rows / widest * _LONGEST, "rows": f"{rows:,}"}
        for place, change in enumerate(changes)
        for column, rows in enumerate(_counted(change))
    ]
    sides = [
        {"place": place, "name": visible(change.name, _NAME_LENGTH), "share": _share(change.outcome, now)}
        for place, change in enumerate(changes)
    ]
    x = alt.X("from:Q", axis=None, scale=alt.Scale(domain=[0, len(_COLUMNS)], nice=False))
    y = alt.Y("place:O", axis=None)
    drawn, side = alt.Chart(chart_data(bars)).encode(y=y), alt.Chart(chart_data(sides)).encode(y=y)
    heads = [{"from": column, "head": head} for column, head in enumerate((*_COLUMNS, "AUTO share"))]
    head = alt.Chart(chart_data(heads))
    chart = (
        alt.layer(*(_column(drawn, x, column) for column in range(len(_COLUMNS))))
        + drawn.mark_text(align="left", dx=5).encode(x=alt.X("to:Q", axis=None), text="rows:N")
        + head.mark_text(align="left", fontWeight="bold").encode(x=x, y=alt.value(-14), text="head:N")
        + side.mark_text(align="right", dx=-14).encode(x=alt.value(0), text="name:N")
        + side.mark_text(align="left").encode(x=alt.value(_WIDTH), text="share:N")
    ).properties(
        width=_WIDTH,
        height=_STEP * len(changes),
        padding={"left": _NAMES, "right": _SHARES, "top": 40, "bottom": 6},
    )
    return draw(chart, _told(changes))


def _column(drawn: alt.Chart, x: alt.X, column: int) -> alt.Chart:
    """The bars of one column; those of rows that would turn wear the alarm's colour."""
    dress = {"style": "alarm"} if column == _TURNED else {"opacity": 1 - 0.45 * column}
    bars: alt.Chart = drawn.transform_filter(f"datum.column == {column}").mark_bar(height=14, **dress)
    return bars.encode(x=x, x2="to:Q")


def _counted(change: Change) -> tuple[int, int, int]:
    """In the order of the columns."""
    return change.gained, change.lost, change.turned


def _share(outcome: Outcome, now: Outcome) -> str:
    points = round((outcome.auto_share - now.auto_share) * 100, 1) + 0.0  # no minus before a zero
    return f"{percent(outcome.auto_share)} ({points:+.1f})"


def _told(changes: Sequence[Change]) -> str:
    return "; ".join(
        f"{visible(change.name, _NAME_LENGTH)}: {count(change.gained)} rows decided besides, "
        f"{count(change.lost)} no longer, {count(change.turned)} for the other half"
        for change in changes
    )
