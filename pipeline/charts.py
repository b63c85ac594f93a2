"""The report's charts: Altair in, SVG out, drawn here and now without a network, in a light and a dark dress.

Margins are fixed rather than measured, because the fonts of the reader's machine are not those of this one. Texts come
in as data of text marks, never as part of an expression.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor

import altair as alt
import vl_convert

from parsers.confidence import ReliabilityBin
from parsers.types import Disposition
from pipeline.report_facts import BINS, ConfidenceBin
from pipeline.shapes import Shape
from pipeline.visible import visible

FONTS = "Malgun Gothic, Apple SD Gothic Neo, Noto Sans KR, Noto Sans CJK KR, sans-serif"
_NAME_WIDTH = 200
_NAME_LENGTH = 30
_BAR_STEP = 26


@dataclass(frozen=True, slots=True)
class Dress:
    """The colours of one theme; ``fates`` are those of auto, review and already set."""

    text: str
    line: str
    fates: tuple[str, str, str]


LIGHT = Dress("#47525f", "#d9e0e7", ("#2f6f9f", "#e0973a", "#a9b4c0"))
DARK = Dress("#b9c4d0", "#34404d", ("#5fa5d6", "#e6aa5a", "#66747f"))


@dataclass(frozen=True, slots=True)
class Picture:
    """One chart as two ``data:`` addresses, for a light and for a dark page."""

    light: str
    dark: str


def shapes_chart(shapes: Sequence[Shape], fates: Mapping[str, str]) -> Picture:
    """Rows of each shape, split by where they went; ``fates`` words auto, review and already_set in this order."""
    lines = [
        {"place": place, "fate": fates[fate], "rows": rows, "order": order}
        for place, shape in enumerate(shapes)
        for order, (fate, rows) in enumerate(_fates(shape).items())
        if rows
    ]
    names = [
        {"place": place, "name": visible(shape.name, _NAME_LENGTH), "rows": shape.rows}
        for place, shape in enumerate(shapes)
    ]
    rows, place = alt.X("rows:Q", axis=None), alt.Y("place:O", axis=None)
    bars = alt.Chart(_data(lines)).mark_bar(height=15).encode(x=rows, y=place, color=_colours(fates), order="order:O")
    named = alt.Chart(_data(names))
    labels = named.mark_text(align="right", dx=-10).encode(x=alt.value(0), y=place, text="name:N")
    counts = named.mark_text(align="left", dx=6).encode(x=rows, y=place, text=alt.Text("rows:Q", format=","))
    chart = (bars + labels + counts).properties(
        width=710, height=_BAR_STEP * len(shapes), padding={"left": _NAME_WIDTH, "right": 90, "top": 34, "bottom": 4}
    )
    return _draw(chart)


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
        alt.Chart(_data(lines))
        .mark_bar(binSpacing=2, orient="vertical")
        .encode(x=alt.X("from:Q", scale=scale, axis=axis), x2="to:Q", y=rows, color=_colours(fates))
    )
    counts = (
        alt.Chart(_data(tops))
        .mark_text(dy=-7, fontSize=10)
        .encode(x=alt.X("middle:Q", scale=scale), y=rows, text=alt.Text("rows:Q", format=".3~s"))
    )
    rule = alt.Chart(_data([{"at": threshold}])).mark_rule(strokeDash=[4, 3]).encode(x=alt.X("at:Q", scale=scale))
    chart = (bars + rule + counts).properties(
        width=960, height=180, padding={"left": 20, "right": 20, "top": 34, "bottom": 46}
    )
    return _draw(chart)


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
        alt.Chart(_data([agreed])).mark_rule(strokeDash=[4, 3]).encode(x=x, y=y, x2="edge:Q", y2="edge:Q")
        + alt.Chart(_data(points)).mark_line(point={"size": 50}).encode(x=x, y=y)
    ).properties(width=900, height=220, padding={"left": 60, "right": 40, "top": 12, "bottom": 46})
    return _draw(chart)


def _data(values: Sequence[Mapping[str, object]]) -> alt.Data:
    return alt.Data(values=values)  # type: ignore[no-untyped-call] # Altair leaves this one constructor untyped


def _fates(shape: Shape) -> dict[str, int]:
    return {
        "auto": shape.claimed(Disposition.AUTO),
        "review": shape.claimed(Disposition.REVIEW),
        "already_set": shape.already_set,
    }


def _colours(fates: Mapping[str, str]) -> alt.Color:
    legend = alt.Legend(title=None, orient="none", legendX=0, legendY=-30, direction="horizontal")
    return alt.Color("fate:N", scale=alt.Scale(domain=list(fates.values())), legend=legend)


def _draw(chart: alt.LayerChart) -> Picture:
    spec = {**chart.to_dict(), "autosize": {"type": "none"}}
    light, dark = (
        vl_convert.vegalite_to_svg(spec, config=_config(dress), allowed_base_urls=[]) for dress in (LIGHT, DARK)
    )
    return Picture(_address(light), _address(dark))


def _config(dress: Dress) -> dict[str, object]:
    return {
        "aria": False,  # nothing inside an image is read aloud; the page's own alternative text is
        "background": None,
        "font": FONTS,
        "view": {"stroke": None},
        "range": {"category": list(dress.fates)},
        "text": {"color": dress.text, "fontSize": 12},
        "rule": {"color": dress.text},
        "line": {"color": dress.fates[0]},
        "point": {"color": dress.fates[0]},
        "legend": {"labelColor": dress.text, "labelFontSize": 12, "symbolType": "square", "columnPadding": 18},
        "axis": {
            "labelColor": dress.text,
            "titleColor": dress.text,
            "titleFontWeight": "normal",
            "domainColor": dress.line,
            "tickColor": dress.line,
        },
    }


def _address(svg: str) -> str:
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()
