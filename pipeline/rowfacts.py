"""Facts about all rows, counted by DuckDB: one short line of numbers for each state of the tables.

The rows are grouped by text once and the groups are joined with the texts and decisions, which counts the same rows as
joining each of them but touches each row once.
"""

from collections.abc import Mapping

import duckdb

from parsers.types import Disposition, Period
from pipeline.reviewed import RULE

Facts = Mapping[str, float | None]
"""Name of a fact → rows or texts (int), a share from 0 to 1 (float), or None for a share of nothing."""

_TELLING = 100  # AUTO rows: of fewer, all may well be of one period, and the share says nothing about the plan
_COUNTED = """
counted AS (
    SELECT raw, count(*) AS "rows", count(current_period) AS already_set FROM reservations GROUP BY raw
)
"""
_EXTRACTED = f"""
WITH {_COUNTED}, row_sums AS (
    SELECT coalesce(sum("rows"), 0)::BIGINT AS "rows", coalesce(sum(already_set), 0)::BIGINT AS already_set FROM counted
), text_sums AS (
    SELECT
        count(*) AS texts,
        coalesce(sum("rows"), 0)::BIGINT AS "rows",
        coalesce(sum(already_set), 0)::BIGINT AS already_set
    FROM texts
), miscounted AS (
    SELECT count(*) AS texts FROM counted c FULL JOIN texts t ON c.raw IS NOT DISTINCT FROM t.raw
    WHERE c."rows" IS DISTINCT FROM t."rows" OR c.already_set IS DISTINCT FROM t.already_set
)
SELECT
    r."rows" AS "rows",
    r.already_set AS already_set,
    (SELECT count(*) FROM reservations WHERE id IS NULL) AS rows_without_id,
    t.texts AS texts,
    t.texts - (SELECT count(*) FROM (SELECT DISTINCT raw FROM texts)) AS repeated_texts,
    t."rows" AS rows_of_texts,
    t.already_set AS already_set_of_texts,
    m.texts AS miscounted_texts
FROM row_sums r, text_sums t, miscounted m
"""
_PLANNED = f"""
WITH {_COUNTED}, fates AS (
    SELECT
        coalesce(sum(c."rows" - c.already_set) FILTER (d.disposition = $auto), 0)::BIGINT AS auto,
        coalesce(sum(c."rows" - c.already_set) FILTER (d.disposition = $review), 0)::BIGINT AS review,
        coalesce(sum(c."rows" - c.already_set) FILTER (d.disposition = $review AND d.rule <> $reviewed), 0)::BIGINT
            AS waiting,
        coalesce(sum(c."rows" - c.already_set) FILTER (d.disposition = $auto AND d.period = $morning), 0)::BIGINT
            AS morning,
        coalesce(sum(c."rows" - c.already_set) FILTER (d.disposition = $auto AND d.period = $afternoon), 0)::BIGINT
            AS afternoon
    FROM counted c LEFT JOIN decisions d ON c.raw IS NOT DISTINCT FROM d.raw
), lines AS (
    SELECT raw, count(*) AS decisions, count(*) FILTER (disposition = $auto) AS auto_decisions
    FROM decisions GROUP BY raw
), announced AS (
    -- Each text once, however many lines it has.
    SELECT raw, max("rows" - already_set) AS empty FROM texts GROUP BY raw
), sums AS (
    SELECT
        coalesce(sum(c."rows"), 0)::BIGINT AS "rows",
        coalesce(sum(c.already_set), 0)::BIGINT AS already_set,
        coalesce(sum(c."rows") FILTER (l.decisions IS NULL), 0)::BIGINT AS undecided,
        coalesce(sum(c."rows") FILTER (l.decisions > 1), 0)::BIGINT AS decided_repeatedly,
        -- What is announced for a text, beyond the rows of it that are still empty.
        coalesce(sum(greatest(0, t.empty - (c."rows" - c.already_set))) FILTER (l.auto_decisions > 0), 0)::BIGINT
            AS planned_already_set
    FROM counted c
    LEFT JOIN lines l ON c.raw IS NOT DISTINCT FROM l.raw
    LEFT JOIN announced t ON c.raw IS NOT DISTINCT FROM t.raw
)
SELECT
    s."rows" AS "rows",
    f.auto AS auto,
    f.review AS review,
    s.already_set AS already_set,
    f.auto + f.review + s.already_set AS accounted,
    s.undecided AS undecided,
    s.decided_repeatedly AS decided_repeatedly,
    s.planned_already_set AS planned_already_set,
    1 - f.waiting / nullif(s."rows", 0) AS settled_share,
    CASE WHEN f.auto >= $telling THEN f.morning / f.auto END AS morning_share,
    CASE WHEN f.auto >= $telling THEN f.afternoon / f.auto END AS afternoon_share
FROM fates f, sums s
"""


def extracted(workbench: duckdb.DuckDBPyConnection) -> Facts:
    """Count what extract left behind: rows, ids, and whether ``texts`` sums up ``reservations``.

    Raises:
        duckdb.Error: a table is missing or the file is damaged.
    """
    facts = _line(workbench, _EXTRACTED, {})
    return {**facts, "repeated_ids": _repeated_ids(workbench)}


def planned(workbench: duckdb.DuckDBPyConnection) -> Facts:
    """Count the fates of the rows, by joining them with the decisions, and the shares the gates look at.

    ``settled_share`` is of all rows, those that wait for no person, be they decided, set before or settled by a person;
    so a second run, after the first was applied, is not held to decide what people are still to answer. The share of a
    period is of the AUTO rows, None where these are few.

    Raises:
        duckdb.Error: a table is missing or the file is damaged.
    """
    names: dict[str, str | int] = {
        "auto": Disposition.AUTO.value,
        "review": Disposition.REVIEW.value,
        "reviewed": RULE,
        "morning": Period.MORNING.value,
        "afternoon": Period.AFTERNOON.value,
        "telling": _TELLING,
    }
    return _line(workbench, _PLANNED, names)


def _repeated_ids(workbench: duckdb.DuckDBPyConnection) -> int:
    # Distinct 64-bit hashes prove distinct ids in a third of the time; only where two are equal must ids be compared.
    hashes = workbench.sql("SELECT hash(id) AS fingerprint FROM reservations WHERE id IS NOT NULL").pl()["fingerprint"]
    if hashes.n_unique() == len(hashes):
        return 0
    return int(_line(workbench, "SELECT count(id) - count(DISTINCT id) AS repeated FROM reservations", {})["repeated"])


def _line(workbench: duckdb.DuckDBPyConnection, query: str, names: Mapping[str, str | int]) -> dict[str, float]:
    result = workbench.execute(query, names)
    columns = [column[0] for column in result.description]
    return dict(zip(columns, result.fetchall()[0], strict=True))
