"""What the half-days hold after a move: bookings and minutes added up by day, period and status, no row told apart.

``ojeon verify`` keeps it beside its report, for whoever sets it against the slots (``pipeline.insight.half_days``). The
server adds up; nothing of a verification hangs on it.
"""

from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql
from psycopg.rows import dict_row

from pipeline.address import Address
from pipeline.catalog import LiveTable, look_up
from pipeline.errors import DatabaseError
from pipeline.live import connected
from pipeline.selection import day, table_of
from pipeline.settings import TableNames

_LINES = pa.schema(
    [
        ("day", pa.date32()),
        ("period", pa.string()),
        ("by_run", pa.bool_()),
        ("status", pa.string()),
        ("bookings", pa.int64()),
        ("timed", pa.int64()),
        ("minutes", pa.int64()),
    ]
)
_COLUMNS = """
SELECT attname::text FROM pg_catalog.pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
    AND has_column_privilege(attrelid, attnum, 'SELECT')
"""
# A line of the trigger that names rows as left alone says nothing of columns.
_ADDED = """
WITH placed AS (
    SELECT unnest(ids || left_alone) AS id FROM ojeon.batches
    WHERE run_id = {run} AND (filled = '{{}}' OR {period_name} = ANY (filled))
    UNION SELECT id FROM ojeon.dual_writes WHERE run_id = {run} AND filled ? {period_name}
), booked AS (
    SELECT {day} AS day, r.{period}::text AS period, r.{period} IS NOT NULL AND p.id IS NOT NULL AS by_run,
        {status}::text AS status, {minutes} AS minutes
    FROM {table} r LEFT JOIN placed p ON p.id = r.{id}::text {services}
)
SELECT day, period, by_run, status, count(*) AS bookings, count(minutes) AS timed, sum(minutes)::bigint AS minutes
FROM booked GROUP BY 1, 2, 3, 4
"""


# In the server's own 4 MB the ids of a large move would be sorted in files.
_MEMORY = "SET LOCAL work_mem = '128MB'"
_SERVICES = """
LEFT JOIN (SELECT DISTINCT ON (1) code::text AS code, "durationMinutes" + "bufferMinutes" AS minutes FROM {services}) s
    ON s.code = r.{service}::text COLLATE "C"
"""
_OF_SERVICES = {"code", "durationMinutes", "bufferMinutes"}


def keep(address: Address, names: TableNames, run_id: str, path: Path) -> str | None:
    """Add up and write ``path``; a sentence where the database cannot be read, else None.

    A table without a day of the visit has no half-days: nothing is written.

    Raises:
        OSError: the file cannot be written.
    """
    try:
        with connected(address) as connection:
            connection.read_only = True
            table = look_up(connection, names)
            if "preferred_date" not in table.types:
                return None  # extract has said so
            connection.execute(_MEMORY)
            with connection.cursor(row_factory=dict_row) as cursor:
                lines = cursor.execute(_query(connection, table, run_id)).fetchall()
    except DatabaseError as error:
        return f"The half-days were not added up: {error}"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    partial = path.with_suffix(".partial")
    pq.write_table(pa.Table.from_pylist(lines, _LINES), partial)
    partial.replace(path)
    return None


def _query(connection: psycopg.Connection[Any], table: LiveTable, run_id: str) -> sql.Composed:
    names = table.names
    there = _columns(connection, table_of(names))
    services = sql.Identifier(names.table_schema, names.services)
    known = names.service in there and _columns(connection, services) >= _OF_SERVICES
    minutes: list[sql.Composable] = [sql.SQL("s.minutes")] if known else []
    if names.estimated_duration in there:
        minutes.insert(0, sql.SQL("r.{}").format(sql.Identifier(names.estimated_duration)))
    joined = sql.SQL(_SERVICES).format(services=services, service=sql.Identifier(names.service))
    return sql.SQL(_ADDED).format(
        run=sql.Literal(run_id),
        period_name=sql.Literal(names.period),
        day=day(names.preferred_date, table.types["preferred_date"]),
        id=sql.Identifier(names.id),
        period=sql.Identifier(names.period),
        status=sql.SQL("r.{}").format(sql.Identifier(names.status)) if names.status in there else sql.NULL,
        minutes=sql.SQL("coalesce({})").format(sql.SQL(", ").join(minutes)) if minutes else sql.SQL("NULL::bigint"),
        table=table_of(names),
        services=joined if known else sql.SQL(""),
    )


def _columns(connection: psycopg.Connection[Any], table: sql.Identifier) -> set[str]:
    """The columns of a table that we may read; none where it is not there."""
    return {name for (name,) in connection.execute(_COLUMNS, (table.as_string(connection),)).fetchall()}
