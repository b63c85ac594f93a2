"""Where every extracted row went, counted by joining rows with decisions and never assumed."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from parsers.types import Disposition
from pipeline.errors import RunError
from pipeline.reviewed import RULE

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
    coalesce(sum(r.unset) FILTER (d.disposition IS NULL), 0)::BIGINT,
    coalesce(sum(r.unset) FILTER (d.disposition = $review AND d.rule = $reviewed), 0)::BIGINT
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
    """Rows of one run: each extracted row is in exactly one of ``auto``, ``review`` and ``already_set``.

    ``neither`` of the review rows are settled: people said that their texts name no half of the day.
    """

    extracted: int
    auto: int
    review: int
    already_set: int
    neither: int = 0

    @property
    def waiting(self) -> int:
        """Rows that wait for a person."""
        return self.review - self.neither

    @property
    def auto_share(self) -> float:
        """AUTO rows among those without a period, 0 to 1 (0 where there are none)."""
        unset = self.extracted - self.already_set
        return self.auto / unset if unset else 0.0

    @property
    def equation(self) -> str:
        """The sum, spelled out.

        >>> RowCounts(6, 3, 2, 1).equation
        'extracted 6 = auto 3 + review 2 + already_set 1'
        >>> RowCounts(6, 3, 2, 1, 2).equation
        'extracted 6 = auto 3 + review 2 (2 settled as neither half) + already_set 1'
        """
        settled = f" ({self.neither} settled as neither half)" if self.neither else ""
        fates = f"auto {self.auto} + review {self.review}{settled} + already_set {self.already_set}"
        return f"extracted {self.extracted} = {fates}"


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
    extracted, auto, review, already_set, undecided, neither = _one(workbench, _ROWS, {"reviewed": RULE})
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
    return RowCounts(extracted, auto, review, already_set, neither)


def count_texts(workbench: duckdb.DuckDBPyConnection) -> TextCounts:
    """Count the distinct texts of each step."""
    return TextCounts(*_one(workbench, _TEXTS))


def _one(workbench: duckdb.DuckDBPyConnection, query: str, more: Mapping[str, str] | None = None) -> tuple[int, ...]:
    names = {"auto": Disposition.AUTO.value, "review": Disposition.REVIEW.value, **(more or {})}
    row = workbench.execute(query, names).fetchone()
    assert row is not None  # noqa: S101 - an aggregate without GROUP BY always has one row; this tells mypy
    return row
