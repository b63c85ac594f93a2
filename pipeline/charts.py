"""The report's charts."""

from collections.abc import Mapping, Sequence
from math import floor

import altair as alt

from parsers.confidence import ReliabilityBin
from pipeline.drawing import Picture, chart_data, draw
from pipeline.report_facts import BINS, ConfidenceBin

# About as wide as a telephone's page, so that the words stay legible there.
_WIDTH = 470


def confidence_chart(bins: Sequence[ConfidenceBin], threshold: float, fates: Mapping[str, str], title: str) -> Picture:
    """Rows by confidence, with the threshold under which no text is decided without a person."""
    lines = [
        {
            "from": line.number / BINS,
            "to": (line.number + 1) / BINS,
            "fate": fates[line.disposition.lower()],
            "rows": line.rows,
        }
        for line in bins
    ]
    sums: dict[int, int] = {}
    for line in bins:
        sums[line.number] = sums.get(line.number, 0) + line.rows
    tops = [{"middle": (number + 0.5) / BINS, "rows": rows} for number, rows in sums.items()]
    scale = alt.Scale(domain=[0, 1], nice=False, padding=0)
    axis = alt.Axis(format=".1f", tickCount=10, title=title, grid=False)
    rows = alt.Y("rows:Q", axis=None)
    bars = (
        alt.Chart(chart_data(lines))
        .mark_bar(binSpacing=2, orient="vertical")
        .encode(x=alt.X("from:Q", scale=scale, axis=axis), x2="to:Q", y=rows, color=_colours(fates))
    )
    counts = (
        alt.Chart(chart_data(tops))
        .mark_text(dy=-7, fontSize=10)
        .encode(x=alt.X("middle:Q", scale=scale), y=rows, text=alt.Text("rows:Q", format=".3~s"))
    )
    rule = alt.Chart(chart_data([{"at": threshold}])).mark_rule(strokeDash=[4, 3]).encode(x=alt.X("at:Q", scale=scale))
    chart = (bars + rule + counts).properties(
        width=_WIDTH, height=180, padding={"left": 12, "right": 12, "top": 34, "bottom": 46}
    )
    return draw(chart)


def reliability_chart(bins: Sequence[ReliabilityBin], confidence: str, right: str) -> Picture:
    """Share that was right by confidence, over the dashed line on which both are equal; the words title the axes."""
    points = [{"sure": cut.confidence, "right": cut.right} for cut in bins]
    # Decisions are mostly sure and right: cut the square to the corner they lie in, at a tenth.
    low = floor(10 * min(value for point in points for value in point.values())) / 10
    scale = alt.Scale(domain=[low, 1], nice=False, zero=False)
    x = alt.X("sure:Q", scale=scale, axis=alt.Axis(format=".2f", tickCount=5, title=confidence, grid=False))
    y = alt.Y("right:Q", scale=scale, axis=alt.Axis(format=".2f", tickCount=5, title=right, grid=False))
    agreed = {"sure": low, "right": low, "edge": 1}
    chart = (
        alt.Chart(chart_data([agreed])).mark_rule(strokeDash=[4, 3]).encode(x=x, y=y, x2="edge:Q", y2="edge:Q")
        + alt.Chart(chart_data(points)).mark_line(point={"size": 50}).encode(x=x, y=y)
    ).properties(width=_WIDTH - 56, height=200, padding={"left": 60, "right": 20, "top": 14, "bottom": 46})
    return draw(chart)


def _colours(fates: Mapping[str, str]) -> alt.Color:
    legend = alt.Legend(title=None, orient="none", legendX=0, legendY=-30, direction="horizontal")
    return alt.Color("fate:N", scale=alt.Scale(domain=list(fates.values())), legend=legend)
