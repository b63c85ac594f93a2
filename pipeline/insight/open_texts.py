"""The distinct texts of a run that stand in rows without a period: what there is to decide."""

from typing import NamedTuple

import duckdb

from pipeline.errors import RunError

_OPEN = """
SELECT t.raw, t."rows" - t.already_set, d.rule = 'reviewed'
FROM texts t JOIN decisions d ON d.raw IS NOT DISTINCT FROM t.raw
WHERE t."rows" > t.already_set ORDER BY 2 DESC, 1 NULLS FIRST
"""


class OpenText(NamedTuple):
    """A raw text (None: the NULL), its rows without a period, and whether a person's answer decided it in this run."""

    raw: str | None
    rows: int
    reviewed: bool


def open_texts(workbench: duckdb.DuckDBPyConnection) -> tuple[OpenText, ...]:
    """Every text that has such rows, most rows first.

    Raises:
        RunError: the workbench lacks a table or cannot be read.
    """
    try:
        return tuple(OpenText(*line) for line in workbench.execute(_OPEN).fetchall())
    except duckdb.Error as error:
        raise RunError(
            f"The run's workbench cannot be read ({type(error).__name__}). Name the folder of a finished run."
        ) from error
