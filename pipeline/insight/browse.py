"""Looking around among the distinct texts of a run: by a piece of the text, by shape, by rule.

What comes back is masked and fit to be shown; the raw texts stay in the workbench.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from parsers.types import Disposition
from pipeline.figures import count
from pipeline.insight.listing import readable
from pipeline.shapes import By

_READ = 200
_TEXTS = f"""
SELECT left(t.raw, {_READ}), t."rows", d.disposition, d.period, d.start_time, d.confidence, d.rule, d.reason
FROM texts t
JOIN decisions d ON d.raw IS NOT DISTINCT FROM t.raw
JOIN text_shapes s ON s.raw IS NOT DISTINCT FROM t.raw
WHERE {{where}} ORDER BY t."rows" DESC, t.raw LIMIT $limit
"""
_STYLE = {Disposition.AUTO: "green", Disposition.REVIEW: "yellow"}


@dataclass(frozen=True, slots=True)
class FoundText:
    """One distinct text, masked, its rows, and what was decided about it."""

    text: str
    rows: int
    disposition: Disposition
    period: str | None
    start: str | None
    confidence: float
    rule: str
    reason: str | None


def search(workbench: duckdb.DuckDBPyConnection, piece: str, limit: int = 20) -> tuple[FoundText, ...]:
    """The most frequent texts that hold ``piece``, in whatever case and composed in whatever way."""
    where = "contains(nfc_normalize(lower(t.raw)), nfc_normalize(lower($sought)))"
    return _find(workbench, where, piece, limit)


def texts_of_shape(
    workbench: duckdb.DuckDBPyConnection, shape: str, by: By = By.MEANING, limit: int = 20
) -> tuple[FoundText, ...]:
    """The most frequent texts of one shape."""
    return _find(workbench, f"s.{by} = $sought", shape, limit)


def texts_of_rule(workbench: duckdb.DuckDBPyConnection, rule: str, limit: int = 20) -> tuple[FoundText, ...]:
    """The most frequent texts that one rule claimed."""
    return _find(workbench, "d.rule = $sought", rule, limit)


def _find(workbench: duckdb.DuckDBPyConnection, where: str, sought: str, limit: int) -> tuple[FoundText, ...]:
    found = workbench.execute(_TEXTS.format(where=where), {"sought": sought, "limit": limit}).fetchall()
    return tuple(_found(*line) for line in found)


def _found(raw: str | None, rows: int, disposition: str, *decided: Any) -> FoundText:
    return FoundText(readable(raw), rows, Disposition(disposition), *decided)


def found_table(found: Sequence[FoundText]) -> RenderableType:
    """What was found, one line a text."""
    if not found:
        return Text("No text of this run is like that.")
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("text", "rows", "decision", "period", "start", "confidence", "rule", "reason"):
        table.add_column(heading, justify="right" if heading == "rows" else "left", no_wrap=heading != "text")
    for line in found:
        table.add_row(
            Text(line.text),
            count(line.rows),
            Text(line.disposition, _STYLE[line.disposition]),
            _half(line),
            line.start or "",
            f"{line.confidence:.3f}" if line.period else "",
            line.rule,
            line.reason or "",
        )
    return table


def _half(line: FoundText) -> str:
    """The period; with a question mark where it is only suggested."""
    if line.period is None:
        return ""
    return line.period if line.disposition is Disposition.AUTO else f"{line.period}?"
