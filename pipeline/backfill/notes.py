"""What the trigger has filled: its notes in ``ojeon.dual_writes`` become lines of the ledger.

A row is filled in the application's own statement, which must not wait for a line of the ledger, so at first there is
only a note. A value counts as the trigger's while it stands and the transaction in which it was filled is the last that
wrote the row. Where the application filled the row inside a savepoint, or wrote to it since, the row is named as left
alone; that the application itself wrote the same value in the same transaction nobody could tell.
"""

from typing import Any

import psycopg
from psycopg import sql

from pipeline.backfill.target import Target

# Column by column: a later statement of the same transaction may have written over one of them.
_SETTLE = """
WITH notes AS (
    DELETE FROM ojeon.dual_writes WHERE run_id = {run}{among} RETURNING id, filled, writer
), said AS (
    SELECT DISTINCT n.id, n.writer, f.key, f.value FROM notes n, jsonb_each(n.filled) f
), standing AS (
    SELECT s.id, s.writer, array_agg(DISTINCT s.key ORDER BY s.key) AS columns
    FROM said s JOIN {table} r
        ON r.{id} = s.id::{id_type} AND r.xmin::text = s.writer AND to_jsonb(r.*) -> s.key = s.value
    GROUP BY s.id, s.writer
), grouped AS (
    SELECT array_to_string(columns, '+') AS variant, columns, writer, array_agg(id) AS ids, '{{}}'::text[] AS left_alone
    FROM standing GROUP BY columns, writer
    UNION ALL
    SELECT 'dual_write', '{{}}', '', '{{}}', array_agg(DISTINCT id)
    FROM notes WHERE id NOT IN (SELECT id FROM standing) HAVING count(*) > 0
), numbered AS (
    SELECT *, row_number() OVER (ORDER BY writer, variant) AS number FROM grouped
), advanced AS (
    UPDATE ojeon.runs SET batches = batches + (SELECT count(*) FROM numbered) WHERE run_id = {run}
)
INSERT INTO ojeon.batches (run_id, batch, variant, filled, writer, by_trigger, ids, changed, left_alone)
SELECT run.run_id, run.batches + number, variant, columns, writer, true, ids,
    cardinality(ids) + cardinality(left_alone), left_alone
FROM numbered, ojeon.runs run WHERE run.run_id = {run}
"""


_AMONG = " AND id = ANY ({}::text[])"


def settle(connection: psycopg.Connection[Any], target: Target, run_id: str) -> None:
    """Turn the run's notes into lines of the ledger, one for each transaction; all or nothing.

    Whoever calls holds the turn, for the lines are numbered like batches.
    """
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute(_statement(target, run_id, sql.SQL("")))


def settle_held(connection: psycopg.Connection[Any], target: Target, run_id: str, ids: list[str]) -> int:
    """The same for the notes about the rows ``ids`` alone, which the caller's transaction holds; how many lines."""
    return connection.execute(_statement(target, run_id, sql.SQL(_AMONG).format(sql.Literal(ids)))).rowcount


def _statement(target: Target, run_id: str, among: sql.Composable) -> sql.Composed:
    values = {"run": sql.Literal(run_id), "table": target.table, "id": target.id, "id_type": target.id_type}
    return sql.SQL(_SETTLE).format(**values, among=among)
