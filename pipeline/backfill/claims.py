"""Rows that a run writes a second time: what it had filled in them before stays its own.

A line of the ledger holds good for a row while the line's transaction is the last that wrote it. Where the run itself
writes the row again (its service was filled while its text still waited), the earlier line would no longer hold; so the
row leaves both lines for one of their columns together, and undo takes all of it back.
"""

from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from pipeline.backfill.target import Target

_EARLIER = """
WITH held AS MATERIALIZED (
    SELECT r.{id}::text AS id, r.xmin::text AS writer FROM {table} r
    WHERE r.{id} = ANY ({ids}::text[]::{id_type}[]) FOR NO KEY UPDATE{skip_locked}
), lines AS (
    SELECT batch, variant, writer, unnest(ids) AS id FROM ojeon.batches
    WHERE run_id = {run} AND writer IN (SELECT writer FROM held)
)
SELECT id, batch, variant FROM lines JOIN held USING (id, writer)
"""
_TAKE_OVER = """
WITH earlier AS (
    SELECT e.id, e.batch, e.variant, b.filled
    FROM unnest(%(ids)s::text[], %(batches)s::integer[], %(variants)s::text[]) AS e(id, batch, variant)
    JOIN ojeon.batches b USING (batch, variant) WHERE b.run_id = %(run)s
), now AS (
    SELECT variant, filled, writer, unnest(ids) AS id FROM ojeon.batches
    WHERE run_id = %(run)s AND batch = %(number)s
), shared AS MATERIALIZED (
    SELECT id, e.batch, e.variant AS before, n.variant AS now, n.filled || e.filled AS filled, n.writer
    FROM now n JOIN earlier e USING (id)
), leaving AS (
    SELECT batch, before AS variant, array_agg(id) AS ids FROM shared GROUP BY 1, 2
    UNION ALL SELECT %(number)s, now, array_agg(id) FROM shared GROUP BY 2
), left_behind AS (
    UPDATE ojeon.batches b SET
        ids = ARRAY(SELECT unnest(b.ids) EXCEPT SELECT unnest(l.ids)), changed = b.changed - cardinality(l.ids)
    FROM leaving l WHERE b.run_id = %(run)s AND b.batch = l.batch AND b.variant = l.variant
)
INSERT INTO ojeon.batches (run_id, batch, variant, filled, writer, ids, changed)
SELECT %(run)s, %(number)s, array_to_string(filled, '+'), filled, writer, array_agg(id), count(*)
FROM shared GROUP BY filled, writer
"""


class Claim(NamedTuple):
    """A row that a line of the ledger holds good for."""

    id: str
    batch: int
    variant: str


def earlier_claims(
    connection: psycopg.Connection[Any], target: Target, run_id: str, ids: tuple[str, ...], *, skip_locked: bool
) -> list[Claim]:
    """Hold the rows ``ids`` until the transaction ends, and find which of them the run has filled before.

    Raises:
        psycopg.errors.LockNotAvailable: somebody else holds one, and ``skip_locked`` is not set.
    """
    query = sql.SQL(_EARLIER).format(
        id=target.id,
        id_type=target.id_type,
        table=target.table,
        ids=sql.Literal(list(ids)),
        run=sql.Literal(run_id),
        skip_locked=sql.SQL(" SKIP LOCKED" if skip_locked else ""),
    )
    return [Claim(*row) for row in connection.execute(query).fetchall()]


def take_over(connection: psycopg.Connection[Any], run_id: str, number: int, claims: list[Claim]) -> None:
    """Let the batch ``number``, just written in this transaction, take over the rows that it shares with ``claims``."""
    ids, batches, variants = (list(column) for column in zip(*claims, strict=True))
    values = {"run": run_id, "number": number, "ids": ids, "batches": batches, "variants": variants}
    connection.execute(_TAKE_OVER, values)
