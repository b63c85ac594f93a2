"""Why rows are left at the end although nothing but they was looked for: held by others, or kept by a trigger."""

from typing import Any

import psycopg
from psycopg import sql

from pipeline.backfill import batch
from pipeline.backfill.target import Target

_FREE = "SELECT count(*) FROM (SELECT 1 FROM {table} r WHERE {waiting} FOR NO KEY UPDATE OF r SKIP LOCKED) free"
_CLAIMED = """
EXISTS (
    SELECT FROM (
        SELECT unnest(ids)::{id_type} AS id, writer FROM ojeon.batches
        WHERE run_id = {run} AND ({only}::integer IS NULL OR batch = {only})
    ) claim WHERE claim.id = r.{id} AND claim.writer = r.xmin::text
)
"""
# The table's own that may keep a row from being updated.
_TRIGGERS = """
SELECT tgname::text FROM pg_trigger
WHERE tgrelid = %s AND NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgtype & 19 = 19 ORDER BY 1
"""


def left_by_apply(connection: psycopg.Connection[Any], target: Target, run_id: str, left: int) -> str:
    """Why ``left`` rows that the plan means to fill are still empty."""
    return _why(connection, target, batch.left(target, run_id), left)


def left_by_undo(
    connection: psycopg.Connection[Any], *, target: Target, run_id: str, only: int | None, left: int
) -> str:
    """Why ``left`` rows that stand as the run (``only``: one batch of it) wrote them are not emptied."""
    claimed = sql.SQL(_CLAIMED).format(
        id=target.id, id_type=target.id_type, run=sql.Literal(run_id), only=sql.Literal(only)
    )
    return _why(connection, target, claimed, left)


def _why(connection: psycopg.Connection[Any], target: Target, waiting: sql.Composable, left: int) -> str:
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")
        row = connection.execute(sql.SQL(_FREE).format(table=target.table, waiting=waiting)).fetchone()
    triggers = [name for (name,) in connection.execute(_TRIGGERS, (target.oid,)).fetchall()]
    kept = min(int(row[0]) if row else 0, left) if triggers else 0
    why = [f"{left - kept:,} rows are held by other sessions"] if left > kept else []
    if kept:
        why.append(
            f"{kept:,} rows are held by nobody and stay as they are whenever they are written: a trigger of "
            f"{target.shown} keeps them so ({', '.join(triggers)}). Mend or disable it, then start the command again"
        )
    return "; ".join(why)
