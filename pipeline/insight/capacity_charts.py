"""The load of the clinic's half-days as it could be seen before a move, and as it can be seen after it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import altair as alt

from parsers.types import Period
from pipeline.drawing import Picture, chart_data, draw
from pipeline.figures import percent
from pipeline.insight.half_days import HalfDay

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HALVES = {Period.MORNING: "am", Period.AFTERNOON: "pm"}
_KNOWN, _FILLED = "known before", "made known by the run"
_COLUMN, _CELL_WIDTH, _CELL_HEIGHT, _MAP_WIDTH = 74, 31, 18, 810
_BETWEEN = 2  # empty rows between the two maps


def mean_week_chart(week: Sequence[HalfDay]) -> Picture:
    """Minutes booked in each half-day of a mean week, split by what made them known, under the minutes of its slots."""
    most = max((max(half.known + half.filled, half.offered) for half in week), default=1) * 1.25
    days = alt.Axis(title=None, labelAngle=0, ticks=False, labelPadding=8, labelFontSize=12)
    x = alt.X("half:N", sort=None, axis=days)
    y = alt.Y("minutes:Q", scale=alt.Scale(domain=[0, most], nice=False), axis=alt.Axis(title="minutes", grid=False))
    bars = [line for half in week for line in _parts(half)]
    tops = [_top(half) for half in week]
    kinds = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=[_FILLED, " ", _KNOWN]),
        legend=_legend(values=[_KNOWN, _FILLED]),
    )
    top = alt.Chart(chart_data(tops)).encode(x=x)
    loads = top.encode(y=y, text="load:N")
    chart = (
        alt.Chart(chart_data(bars)).mark_bar(size=44).encode(x=x, y=y, y2="to:Q", color=kinds)
        + top.mark_tick(style="ink", size=66, thickness=2.5).encode(y=alt.Y("offered:Q"))
        + loads.transform_filter("!datum.over").mark_text(dy=-24, fontSize=13, fontWeight="bold")
        + loads.transform_filter("datum.over").mark_text(dy=-24, fontSize=13, fontWeight="bold", style="alarm")
        + top.mark_text(dy=-9, fontSize=10).encode(y=y, text="was:N")
        + alt.Chart(chart_data([{"key": "——  what the slots offer"}]))
        .mark_text(align="left", fontWeight="bold")
        .encode(x=alt.value(300), y=alt.value(-30), text="key:N")
    ).properties(width=_COLUMN * len(week), height=300, padding={"left": 66, "right": 30, "top": 56, "bottom": 34})
    return draw(chart, _says(week))


def _legend(**more: Any) -> alt.Legend:
    return alt.Legend(title=None, orient="none", legendX=0, legendY=-36, direction="horizontal", **more)


def _parts(half: HalfDay) -> list[dict[str, object]]:
    known, filled = round(half.known), round(half.filled)
    return [
        {"half": _name(half), "kind": _KNOWN, "minutes": 0, "to": known},
        {"half": _name(half), "kind": _FILLED, "minutes": known, "to": known + filled},
    ]


def _top(half: HalfDay) -> dict[str, object]:
    return {
        "half": _name(half),
        "minutes": max(half.known + half.filled, half.offered),
        "offered": half.offered,
        "load": percent(half.after, 0),
        "was": f"was {percent(half.before, 0)}",
        "over": half.after > 1,
    }


def _name(half: HalfDay) -> str:
    return f"{_DAYS[half.weekday - 1]} {_HALVES[half.period]}"


def _says(week: Sequence[HalfDay]) -> str:
    loads = ", ".join(
        f"{_name(half)} {percent(half.after, 0)} (seen before: {percent(half.before, 0)})" for half in week
    )
    return f"Minutes booked over minutes offered in a mean week: {loads}."


def load_map(half_days: Sequence[HalfDay]) -> Picture:
    """The load of every half-day, week by week: above as it could be seen before the run, below as it can be now."""
    weeks = sorted({half.week for half in half_days if half.week})
    names = list(dict.fromkeys(_name(half) for half in sorted(half_days, key=_place)))
    cells = [
        {
            "week": weeks.index(half.week),
            "row": names.index(_name(half)) + below * (len(names) + _BETWEEN),
            "load": load,
        }
        for half in half_days
        if half.week
        for below, load in enumerate((half.before, half.after))
    ]
    chart = _map_layers(cells, names, weeks)
    return draw(chart, f"The load of {len(half_days)} half-days in {len(weeks)} weeks, before the run and after it.")


def _map_layers(cells: list[dict[str, Any]], names: list[str], weeks: list[date]) -> alt.LayerChart:
    lower = len(names) + _BETWEEN
    rows = lower + len(names)
    x = alt.X("week:Q", axis=None, scale=alt.Scale(domain=[0, len(weeks)], nice=False))
    y = alt.Y("row:Q", axis=None, scale=alt.Scale(domain=[rows, 0], nice=False))
    words = _words(names, lower)
    words += [{"week": place, "row": rows + 0.8, "name": f"{week:%Y-%m}"} for place, week in _first_weeks(weeks)]
    written = alt.Chart(chart_data(words)).encode(x=x, y=y, text="name:N")
    placed = alt.Chart(chart_data(cells)).transform_calculate(right="datum.week + 0.94", bottom="datum.row + 0.9")
    shaded = placed.encode(x=x, x2="right:Q", y=y, y2="bottom:Q")
    shade = alt.Color("load:Q", scale=alt.Scale(domain=[0, 1]), legend=None)
    chart: alt.LayerChart = (
        shaded.transform_filter("datum.load <= 1").mark_rect().encode(color=shade)
        + shaded.transform_filter("datum.load > 1").mark_rect(style="alarm")
        + written.transform_filter("datum.side").mark_text(align="right", dx=-8, fontSize=11)
        + written.transform_filter("datum.head").mark_text(align="left", fontWeight="bold")
        + written.transform_filter("!datum.side && !datum.head").mark_text(align="left", fontSize=11)
    ).properties(
        width=min(_MAP_WIDTH, _CELL_WIDTH * len(weeks)),
        height=_CELL_HEIGHT * rows,
        padding={"left": 66, "right": 20, "top": 28, "bottom": 26},
    )
    return chart


def _words(names: Sequence[str], lower: int) -> list[dict[str, object]]:
    """What stands beside and over the two maps."""
    heads = {-0.6: "as it could be seen before", lower - 0.6: "as it can be seen now; red: more is booked than offered"}
    words: list[dict[str, object]] = [
        {"week": 0, "row": row, "name": head, "head": True} for row, head in heads.items()
    ]
    words += [
        {"week": 0, "row": first + row + 0.5, "name": name, "side": True}
        for first in (0, lower)
        for row, name in enumerate(names)
    ]
    return words


def _first_weeks(weeks: Sequence[date]) -> list[tuple[int, date]]:
    """The first week of each month."""
    return [(place, week) for place, week in enumerate(weeks) if week.day <= 7]


def _place(half: HalfDay) -> tuple[int, bool]:
    return half.weekday, half.period is Period.AFTERNOON
