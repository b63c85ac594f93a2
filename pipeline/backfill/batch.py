"""The SQL of one batch of a move, and of its inverse.

A batch covers the ids behind the cursor up to a bound: first the bound is found, then one statement a variant changes
the rows in between and writes their line in the ledger. Each change is guarded: the row's text is still the text
decided on, the columns are still empty. All of it, and the cursor, are one transaction.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from pipeline.backfill.target import Target, Variant

_BOUND = "SELECT r.{id}::text FROM {table} r WHERE {behind} ORDER BY r.{id} OFFSET {rows} - 1 LIMIT 1"
_WAITING = "SELECT r.{id}::text FROM {table} r WHERE {behind} AND ({left}) ORDER BY r.{id} LIMIT {rows}"
_FILL = """
WITH moved AS (
    UPDATE {table} AS r SET {assignments} FROM {joins}
    WHERE {within} AND {where}{unlocked}
    RETURNING r.{id}::text AS id, r.xmin::text AS writer, ({as_meant}) IS TRUE AS as_meant
), line AS (
    INSERT INTO ojeon.batches AS b (run_id, batch, variant, filled, after, upto, writer, ids, changed)
    SELECT {run}, {number}, {variant}, {filled}::text[], {after}, {upto}, min(writer), array_agg(id), count(*)
    FROM moved HAVING count(*) > 0
    ON CONFLICT (run_id, batch, variant)
        DO UPDATE SET ids = b.ids || excluded.ids, changed = b.changed + excluded.changed,
            finished_at = excluded.finished_at
)
SELECT count(*), count(*) FILTER (WHERE NOT as_meant), count(DISTINCT writer) FROM moved
"""
# A row that somebody holds is passed over; a sweep at the end comes back for it.
_UNLOCKED = """
    AND r.{id} IN (SELECT r.{id} FROM {table} AS r WHERE {within} FOR NO KEY UPDATE SKIP LOCKED)"""
_LEFT = "EXISTS (SELECT FROM {joins} WHERE {where})"
_COUNT_LEFT = "SELECT count(*) FROM {table} r WHERE {left}"
# The row as it is now, whoever wrote to it while we waited for it.
_HOLD = """
SELECT r.{id}::text, r.xmin::text FROM {table} r
WHERE {within} AND NOT ({blank}) AND ({left}) FOR NO KEY UPDATE OF r{skip_locked}
"""
_EMPTY = """
WITH line AS MATERIALIZED (
    SELECT batch, variant, writer, ids FROM ojeon.batches
    JOIN unnest({batches}::integer[], {variants}::text[]) AS named(batch, variant) USING (batch, variant)
    WHERE run_id = {run}
), mine AS MATERIALIZED (
    SELECT batch, variant, writer, unnest(ids)::{id_type} AS id FROM line
), moved AS (
    UPDATE {table} AS r SET {nothing} FROM mine
    WHERE r.{id} = mine.id AND r.xmin::text = mine.writer{unlocked}
    RETURNING mine.batch, mine.variant, r.{id} AS id, ({as_meant}) AS as_meant
), rest AS (
    SELECT mine.batch, mine.variant, mine.id, EXISTS (
        SELECT FROM {table} r WHERE r.{id} = mine.id AND r.xmin::text = mine.writer
    ) AS waits
    FROM mine WHERE NOT EXISTS (
        SELECT FROM moved m WHERE m.batch = mine.batch AND m.variant = mine.variant AND m.id = mine.id
    )
), emptied AS (
    SELECT batch, variant, count(*) AS rows FROM moved GROUP BY batch, variant
), passed AS (
    SELECT batch, variant, array_agg(id::text) FILTER (WHERE waits) AS ids,
        array_agg(id::text) FILTER (WHERE NOT waits) AS left_alone
    FROM rest GROUP BY batch, variant
), noted AS (
    UPDATE ojeon.batches b SET ids = coalesce(passed.ids, '{{}}'), undone = b.undone + coalesce(emptied.rows, 0),
        left_alone = b.left_alone || coalesce(passed.left_alone, '{{}}'), undone_at = clock_timestamp()
    FROM line LEFT JOIN emptied USING (batch, variant) LEFT JOIN passed USING (batch, variant)
    WHERE b.run_id = {run} AND b.batch = line.batch AND b.variant = line.variant
)
SELECT count(*), count(*) FILTER (WHERE NOT as_meant) FROM moved
"""


@dataclass(frozen=True, slots=True)
class Span:
    """The ids of a batch: behind ``after`` (None: from the first) up to ``upto`` (None: to the last).

    ``ids`` names them one by one where only few of those in between are meant.
    """

    after: str | None
    upto: str | None
    ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """Rows that a statement changed, and those of them that did not come out as meant: a trigger's doing."""

    changed: int
    otherwise: int


def bound(connection: psycopg.Connection[Any], target: Target, after: str | None, rows: int) -> str | None:
    """The id that ends a batch of ``rows`` rows of the table behind ``after``; None where it goes to the end."""
    row = connection.execute(bound_query(target, after, rows)).fetchone()
    return row[0] if row else None


def bound_query(target: Target, after: str | None, rows: int) -> sql.Composed:
    """The query of ``bound``."""
    behind = _within(target, Span(after, None))
    return sql.SQL(_BOUND).format(id=target.id, table=target.table, behind=behind, rows=sql.Literal(rows))


def waiting(
    connection: psycopg.Connection[Any], target: Target, run_id: str, after: str | None, rows: int
) -> tuple[str, ...]:
    """The first ``rows`` ids behind ``after`` of rows that are still to be filled."""
    query = sql.SQL(_WAITING).format(
        id=target.id,
        table=target.table,
        behind=_within(target, Span(after, None)),
        left=left(target, run_id),
        rows=sql.Literal(rows),
    )
    return tuple(row_id for (row_id,) in connection.execute(query).fetchall())


def count_left(connection: psycopg.Connection[Any], target: Target, run_id: str) -> int:
    """Rows of the whole table that are still to be filled."""
    row = connection.execute(sql.SQL(_COUNT_LEFT).format(table=target.table, left=left(target, run_id))).fetchone()
    return int(row[0]) if row else 0


def left(target: Target, run_id: str) -> sql.Composable:
    """The condition on a row ``r`` that something of it is still to be filled."""
    each = [sql.SQL(_LEFT).format(joins=variant.joins, where=variant.where) for variant in target.variants(run_id)]
    return sql.SQL(" OR ").join(each)


def fill_statement(  # noqa: PLR0913 - a statement has as many parts
    target: Target,
    variant: Variant,
    run_id: str,
    number: int,
    span: Span,
    *,
    skip_locked: bool,
    before: Collection[str] | None = None,
) -> sql.Composed:
    """Fill one variant's columns within ``span`` and write the ledger's line.

    ``before`` are columns that the run has filled earlier in these rows, which this transaction holds: the line names
    them too. Without it only rows are filled in which nothing of the run's can stand.
    """
    within = _within(target, span)
    blank = sql.SQL(" AND {}").format(target.blank) if before is None and target.in_steps else sql.SQL("")
    filled = [column for column in target.columns if column in {*variant.columns, *(before or ())}]
    return sql.SQL(_FILL).format(
        table=target.table,
        assignments=variant.assignments,
        joins=variant.joins,
        within=within,
        where=sql.SQL("{}{}").format(variant.where, blank),
        unlocked=_unlocked(target, within) if skip_locked else sql.SQL(""),
        id=target.id,
        as_meant=variant.as_meant,
        run=sql.Literal(run_id),
        number=sql.Literal(number),
        variant=sql.Literal("+".join(filled)),
        filled=sql.Literal(filled),
        after=sql.Literal(span.after),
        upto=sql.Literal(span.upto),
    )


def hold_query(target: Target, run_id: str, span: Span, *, skip_locked: bool) -> sql.Composed:
    """Hold the rows within ``span`` that wait and are not blank, and tell each one's last writer."""
    return sql.SQL(_HOLD).format(
        id=target.id,
        table=target.table,
        within=_within(target, span),
        blank=target.blank,
        left=left(target, run_id),
        skip_locked=sql.SQL(" SKIP LOCKED" if skip_locked else ""),
    )


def empty_statement(  # noqa: PLR0913 - a statement has as many parts
    target: Target,
    run_id: str,
    batches: list[int],
    variants: list[str],
    filled: list[str],
    *,
    skip_locked: bool,
) -> sql.Composed:
    """Empty the columns ``filled``, the same in all these lines, in the rows that are as a line left them.

    ``batches`` and ``variants`` name the lines; what became of their rows is noted in them.
    """
    mine = sql.SQL("r.{} IN (SELECT id FROM mine)").format(target.id)
    columns = [sql.Identifier(column) for column in filled]
    return sql.SQL(_EMPTY).format(
        id_type=target.id_type,
        run=sql.Literal(run_id),
        batches=sql.Literal(batches),
        variants=sql.Literal(variants),
        table=target.table,
        nothing=sql.SQL(", ").join(sql.SQL("{} = NULL").format(column) for column in columns),
        id=target.id,
        unlocked=_unlocked(target, mine) if skip_locked else sql.SQL(""),
        as_meant=sql.SQL(" AND ").join(sql.SQL("r.{} IS NULL").format(column) for column in columns),
    )


def _within(target: Target, span: Span) -> sql.Composable:
    if span.ids is not None:
        named = "r.{} = ANY ({}::text[]::{}[])"
        return sql.SQL(named).format(target.id, sql.Literal(list(span.ids)), target.id_type)
    sides = [
        sql.SQL("r.{} {} {}::{}").format(target.id, sql.SQL(sign), sql.Literal(value), target.id_type)
        for sign, value in ((">", span.after), ("<=", span.upto))
        if value is not None
    ]
    return sql.SQL(" AND ").join(sides) if sides else sql.SQL("true")


def _unlocked(target: Target, within: sql.Composable) -> sql.Composed:
    return sql.SQL(_UNLOCKED).format(id=target.id, table=target.table, within=within)
