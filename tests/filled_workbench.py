"""Workbenches for tests: a few lines say which texts there are and what was decided about them."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import duckdb
import polars as pl


class Line(NamedTuple):
    """One distinct text, its rows, and its decision (None: not decided yet)."""

    raw: str | None
    rows: int = 1
    already_set: int = 0
    disposition: str | None = "REVIEW"
    period: str | None = None
    start: str | None = None
    confidence: float = 0.0
    rule: str = "leftover"
    reason: str | None = "unexplained_text"
    date: str = "2025-10-30"  # a Thursday


def auto(raw: str, rows: int, period: str, start: str | None = None, **more: object) -> Line:
    """An AUTO decision."""
    return Line(raw, rows, 0, "AUTO", period, start, 0.99, "clock", None)._replace(**more)


def fill(workbench: duckdb.DuckDBPyConnection, lines: Iterable[Line]) -> None:
    """Write ``reservations``, ``texts`` and ``decisions``, as extract and normalize would."""
    lines = list(lines)
    schema = dict.fromkeys(Line._fields, pl.String) | {
        "rows": pl.Int64,
        "already_set": pl.Int64,
        "confidence": pl.Float64,
    }
    workbench.register("lines", pl.DataFrame(lines, schema=schema, orient="row"))
    seen = datetime.fromisoformat("2024-01-31T09:00"), datetime.fromisoformat("2025-12-01T18:00")
    workbench.execute(
        """INSERT INTO reservations (id, raw, preferred_date, created_at, current_period)
        SELECT 'r' || row_number() OVER (), raw, date::DATE, $first,
        CASE WHEN number < already_set THEN 'MORNING' END FROM lines, range(rows) r(number)""",
        {"first": seen[0]},
    )
    workbench.execute("INSERT INTO texts SELECT raw, rows, already_set, $1, $2 FROM lines", seen)
    workbench.execute(
        """INSERT INTO decisions SELECT raw, disposition, period, start, NULL, confidence, rule, reason, ''
        FROM lines WHERE disposition IS NOT NULL"""
    )
    workbench.unregister("lines")
