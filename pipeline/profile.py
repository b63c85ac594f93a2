"""Profile: sort the distinct texts into format buckets, by meaning and by pattern."""

from collections.abc import Callable

import duckdb
import polars as pl

from parsers import sketch
from pipeline.errors import RunError
from pipeline.patterns import pattern
from pipeline.shapes import ProfileReport, read_profile

_TOLD_EVERY = 1_000


def profile(
    workbench: duckdb.DuckDBPyConnection, progress: Callable[[int, int], None] = lambda _done, _planned: None
) -> ProfileReport:
    """Write ``text_shapes`` anew and read the buckets; ``progress`` is told texts done and texts there are.

    Raises:
        RunError: the workbench lacks a table or cannot be read or written.
    """
    try:
        _write(workbench, _sketched(workbench, progress))
        return read_profile(workbench)
    except duckdb.Error as error:
        raise RunError(
            f"The run's workbench could not be profiled ({type(error).__name__}): it is damaged, incomplete or its "
            "disk is full. Make room, then start a new run with `ojeon run`."
        ) from error


def _sketched(workbench: duckdb.DuckDBPyConnection, progress: Callable[[int, int], None]) -> pl.DataFrame:
    raws = [raw for (raw,) in workbench.execute("SELECT raw FROM texts").fetchall()]
    meanings, patterns = [], []
    for done, raw in enumerate(raws, start=1):
        meanings.append(sketch(raw))
        patterns.append(pattern(raw))
        if done % _TOLD_EVERY == 0 or done == len(raws):
            progress(done, len(raws))
    return pl.DataFrame(
        {"raw": raws, "meaning": meanings, "pattern": patterns},
        schema={"raw": pl.String, "meaning": pl.String, "pattern": pl.String},
    )


def _write(workbench: duckdb.DuckDBPyConnection, sketched: pl.DataFrame) -> None:
    workbench.begin()
    try:
        workbench.execute("DELETE FROM text_shapes")
        workbench.register("sketched", sketched)
        workbench.execute("INSERT INTO text_shapes SELECT raw, meaning, pattern FROM sketched")
        workbench.unregister("sketched")
        workbench.commit()
    except BaseException:
        workbench.rollback()
        raise
