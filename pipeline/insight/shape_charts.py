"""The shapes of a run's texts by rows, and where these went."""

from collections.abc import Mapping, Sequence

import altair as alt

from parsers.types import Disposition
from pipeline.drawing import Picture, chart_data, draw
from pipeline.figures import count, percent
from pipeline.shapes import Shape
from pipeline.visible import visible

FATES = {"auto": "decided alone", "review": "for a person", "already_set": "had a period already"}
"""What each fate of a row is called, in the order of the dress's colours."""
_NAME_WIDTH = 200
_NAME_LENGTH = 30
_BAR_STEP = 26


def shapes_chart(shapes: Sequence[Shape], fates: Mapping[str, str] = FATES) -> Picture:
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
    bars = (
        alt.Chart(chart_data(lines)).mark_bar(height=15).encode(x=rows, y=place, color=_colours(fates), order="order:O")
    )
    named = alt.Chart(chart_data(names))
    labels = named.mark_text(align="right", dx=-10).encode(x=alt.value(0), y=place, text="name:N")
    counts = named.mark_text(align="left", dx=6).encode(x=rows, y=place, text=alt.Text("rows:Q", format=","))
    chart = (bars + labels + counts).properties(
        width=710, height=_BAR_STEP * len(shapes), padding={"left": _NAME_WIDTH, "right": 90, "top": 34, "bottom": 4}
    )
    return draw(chart, _says(shapes))


def _fates(shape: Shape) -> dict[str, int]:
    return {
        "auto": shape.claimed(Disposition.AUTO),
        "review": shape.claimed(Disposition.REVIEW),
        "already_set": shape.already_set,
    }


def _colours(fates: Mapping[str, str]) -> alt.Color:
    legend = alt.Legend(title=None, orient="none", legendX=0, legendY=-30, direction="horizontal")
    return alt.Color("fate:N", scale=alt.Scale(domain=list(fates.values())), legend=legend)


def _says(shapes: Sequence[Shape]) -> str:
    return "Rows of each shape: " + ", ".join(
        f"{visible(shape.name, _NAME_LENGTH)} {count(shape.rows)} ({percent(shape.share)})" for shape in shapes
    )
