"""Where every extracted row went, counted by joining rows with decisions and never assumed."""

from dataclasses import dataclass

import duckdb

from parsers.types import Disposition
from pipeline.errors import RunError

# The rows are grouped before the join: the same count in half the time, and a doubled decision still shows.
_ROWS = """
WITH grouped AS (
    SELECT raw, count(*) - count(current_period) AS unset, count(current_period) AS already_set
    FROM reservations GROUP BY raw
)
SELECT
    (SELECT count(*) FROM reservations),
    coalesce(sum(r.unset) FILTER (d.disposition = $auto), 0)::BIGINT,
    coalesce(sum(r.unset) FILTER (d.disposition = $review), 0)::BIGINT,
    coalesce(sum(r.already_set), 0)::BIGINT,
    coalesce(sum(r.unset) FILTER (d.disposition IS NULL), 0)::BIGINT
FROM grouped r LEFT JOIN decisions d ON r.raw IS NOT DISTINCT FROM d.raw
"""
_TEXTS = """
SELECT
    (SELECT count(*) FROM texts), (SELECT count(*) FROM text_shapes), count(*),
    count(*) FILTER (disposition = $auto), count(*) FILTER (disposition = $review)
FROM decisions
"""


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Rows of one run: each extracted row is in exactly one of the other three."""

    extracted: int
    auto: int
    review: int
    already_set: int

    @property
    def equation(self) -> str:
        """The sum, spelled out.

        >>> RowCounts(6, 3, 2, 1).equation
        'extracted 6 = auto 3 + review 2 + already_set 1'
        """
        return f"extracted {self.extracted} = auto {self.auto} + review {self.review} + already_set {self.already_set}"


@dataclass(frozen=True, slots=True)
class TextCounts:
    """Distinct texts that each step left behind."""

    extracted: int
    profiled: int
    decided: int
    auto: int
    review: int


def count_rows(workbench: duckdb.DuckDBPyConnection) -> RowCounts:
    """Count the rows of each fate.

    Raises:
        RunError: a row has no decision or more than one, so the fates do not add up to the rows extracted.
    """
    extracted, auto, review, already_set, undecided = _one(workbench, _ROWS)
    if undecided:
        raise RunError(
            f"{undecided} of {extracted} rows have a text without a decision, so no plan was written. "
            "The workbench is incomplete: start a new run with `ojeon run`."
        )
    if auto + review + already_set != extracted:
        raise RunError(
            f"{extracted} rows were extracted but {auto} auto + {review} review + {already_set} already set make "
            f"{auto + review + already_set}, so no plan was written. Some text has two decisions or an unknown "
            "disposition: start a new run with `ojeon run`."
        )
    return RowCounts(extracted, auto, review, already_set)


def count_texts(workbench: duckdb.DuckDBPyConnection) -> TextCounts:
    """Count the distinct texts of each step."""
    return TextCounts(*_one(workbench, _TEXTS))


def _one(workbench: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    names = {"auto": Disposition.AUTO.value, "review": Disposition.REVIEW.value}
    row = workbench.execute(query, names).fetchone()
    assert row is not None  # noqa: S101 - an aggregate without GROUP BY always has one row; this tells mypy
    return row
