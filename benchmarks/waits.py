"""What the application waited, condition beside condition: a table and a picture."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from statistics import median

import altair as alt
import vl_convert
from rich.table import Table

from benchmarks.traffic import KINDS, Observed, Operation
from pipeline.drawing import FONTS, LIGHT

_STEP = 0.5


def table(observed: Mapping[str, Observed]) -> Table:
    """One line a condition: p50, p99 and the longest wait of each kind of operation."""
    shown = Table(box=None, header_style="dim")
    shown.add_column("meanwhile")
    for heading in ("s", "operations", *(f"{kind} {of}, ms" for kind in KINDS for of in ("p50", "p99", "max"))):
        shown.add_column(heading, justify="right")
    for name, seen in observed.items():
        waits = (f"{wait:,.1f}" for kind in KINDS for wait in seen.waits(kind))
        shown.add_row(name, f"{seen.seconds:.0f}", f"{len(seen.operations):,}", *waits)
    return shown


def draw(observed: Mapping[str, Observed], path: Path) -> None:
    """Write ``path`` (.svg or .png): a row a condition, the slowest and the median wait of each half second."""
    lines = [line for name, seen in observed.items() for line in _lines(name, seen)]
    wait = alt.Y("wait:Q", scale=alt.Scale(type="log"), title="ms", axis=alt.Axis(tickCount=5, format="~r"))
    chart = (
        alt.Chart(alt.Data(values=lines))  # type: ignore[no-untyped-call] # Altair leaves this one constructor untyped
        .mark_line(strokeWidth=1.5)
        .encode(
            x=alt.X("second:Q", title="seconds since the beginning"),
            y=wait,
            color=alt.Color("kind:N", scale=alt.Scale(range=list(LIGHT.fates[:2])), title=None),
            strokeDash=alt.StrokeDash("of:N", sort=["slowest", "median"], title=None),
        )
        .properties(width=860, height=140)
        .facet(row=alt.Row("condition:N", sort=list(observed), title=None, header=alt.Header(labelFontSize=13)))
    )
    spec, config = chart.to_dict(), {"font": FONTS, "background": "white"}
    if path.suffix == ".png":
        path.write_bytes(vl_convert.vegalite_to_png(spec, config=config, scale=2, allowed_base_urls=[]))
    else:
        path.write_text(vl_convert.vegalite_to_svg(spec, config=config, allowed_base_urls=[]), encoding="utf-8")


def _lines(condition: str, seen: Observed) -> Iterator[dict[str, object]]:
    def place(operation: Operation) -> tuple[str, int]:
        return operation.kind, int(operation.due / _STEP)

    for (kind, step), operations in groupby(sorted(seen.operations, key=place), key=place):
        waited = [operation.milliseconds for operation in operations]
        for of, wait in (("slowest", max(waited)), ("median", median(waited))):
            yield {"condition": condition, "kind": kind, "second": step * _STEP, "of": of, "wait": wait}
