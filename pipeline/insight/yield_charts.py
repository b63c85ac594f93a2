"""How reviewers' answers settle a run's rows, answer by answer."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from pipeline.drawing import Picture, chart_data, draw
from pipeline.figures import count, percent
from pipeline.insight.review_yield import Yield
from pipeline.visible import visible

_NAME_LENGTH = 30


def yield_chart(found: Yield, least_share: float) -> Picture:
    """Share of the rows that nobody need look at any more, over the texts answered, in the order of the answers.

    The dashed curve is what as many answers would have settled, had the most frequent texts been asked first;
    ``least_share`` is the gate that the AUTO share must pass.
    """
    curve = [_point(found, place, step.so_far) for place, step in enumerate(found.settled, start=1)]
    named = [
        point | {"by": visible(step.reviewer, _NAME_LENGTH)} for point, step in zip(curve, found.settled, strict=True)
    ]
    best = [_point(found, place, rows) for place, rows in enumerate(found.best, start=1)]
    start = _point(found, 0, 0)
    return draw(_layers([start, *curve], named, [start, *best], least_share), _says(found))


def _point(found: Yield, texts: int, rows: int) -> dict[str, Any]:
    share = (found.alone + rows) / found.rows if found.rows else 0.0
    return {"texts": texts, "share": share, "name": percent(share)}


def _layers(
    curve: Sequence[dict[str, Any]],
    named: Sequence[dict[str, Any]],
    best: Sequence[dict[str, Any]],
    least_share: float,
) -> alt.LayerChart:
    first, last = curve[0], curve[-1]
    low = least_share if 2 * first["share"] - 1 <= least_share <= first["share"] else first["share"]
    scale = alt.Scale(domain=[max(0.0, low - (1 - low) * 0.25), 1], nice=False, zero=False)
    x = alt.X("texts:Q", scale=alt.Scale(domain=[0, max(1, last["texts"] * 1.06)], nice=False))
    x = x.axis(title="texts answered, in the order of the answers", grid=False, tickMinStep=1, format="d")
    y = alt.Y("share:Q", scale=scale, axis=alt.Axis(title="rows settled", format=".1~%", grid=False))
    legend = alt.Legend(title=None, orient="none", legendX=0, legendY=-36, direction="horizontal", symbolType="circle")
    gate = [{"share": least_share, "texts": last["texts"] * 1.06, "name": f"the gate, {percent(least_share, 0)} AUTO"}]
    goal = alt.Chart(chart_data([line for line in gate if line["share"] >= low])).encode(y=y)
    wished = alt.Chart(chart_data(best)).encode(x=x, y=y)
    ends = alt.Chart(chart_data([first, last])).encode(x=x, y=y, text="name:N")
    hint = [{**best[len(best) * 2 // 3], "name": "the most frequent first"}]
    chart: alt.LayerChart = (
        goal.mark_rule(style="alarm", strokeDash=[4, 3])
        + goal.mark_text(style="alarm", align="right", dy=10, fontSize=11).encode(x=x, text="name:N")
        + wished.mark_line(style="ink", strokeDash=[3, 3], strokeWidth=1.2)
        + alt.Chart(chart_data(hint))
        .mark_text(align="right", dx=-10, dy=-6, fontSize=11)
        .encode(x=x, y=y, text="name:N")
        + alt.Chart(chart_data(curve)).mark_line(opacity=0.6).encode(x=x, y=y)
        + alt.Chart(chart_data(named))
        .mark_circle(size=36, opacity=1)
        .encode(x=x, y=y, color=alt.Color("by:N", legend=legend))
        + ends.mark_text(align="left", dx=6, dy=14, fontSize=13, fontWeight="bold")
    ).properties(width=760, height=320, padding={"left": 70, "right": 50, "top": 52, "bottom": 48})
    return chart


def _says(found: Yield) -> str:
    return (
        f"{count(len(found.settled))} answered texts took the rows that nobody need look at from "
        f"{percent(found.before)} to {percent(found.settled_share)}."
    )
