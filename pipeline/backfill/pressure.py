"""What the database bears right now, read in one cheap statement: replicas, WAL, vacuums, sessions, locks."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from pipeline.settings import MoveSettings

# Without pg_partition_tree, which would wait for locks on partitions.
_TABLES = """
WITH RECURSIVE tables (oid) AS (
    SELECT %(table)s::oid UNION ALL SELECT inhrelid FROM pg_inherits JOIN tables ON inhparent = tables.oid
)
"""
# A replica that has replayed everything keeps showing its last lag for a while.
_LAG = """
SELECT max(extract(epoch FROM replay_lag))::float8 FROM pg_stat_replication
WHERE replay_lsn < pg_current_wal_insert_lsn()
"""
_WAL = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8"
_VACUUMS = "SELECT array_agg(pid) FROM pg_stat_progress_vacuum WHERE relid IN (SELECT oid FROM tables)"
_LOAD = """
SELECT count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND state = 'active' AND pid <> pg_backend_pid()
"""
# The modes that a row's UPDATE has to wait for.
_LOCKS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND relation IN (SELECT oid FROM tables)
AND pid <> pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
"""
_ASKED = "SELECT asked FROM ojeon.runs WHERE run_id = %(run)s"
_SEES_ALL = "SELECT current_user::text, pg_has_role('pg_read_all_stats', 'USAGE')"


@dataclass(frozen=True, slots=True)
class Pressure:
    """One look at the database; what is not looked at, or hidden from this role, counts as nothing.

    ``lag``: seconds the slowest replica is behind. ``wal``: bytes of WAL ever written. ``vacuums``: the processes that
    vacuum the table. ``load``: sessions of others that are active, whatever they wait for. ``locks``: sessions that
    hold or wait for a lock on the table that keeps writers out. ``asked``: what somebody asks of the worker.
    """

    lag: float
    wal: float
    vacuums: list[int]
    load: int
    locks: int
    asked: str | None


def look(connection: psycopg.Connection[Any], limits: MoveSettings, table: int, run_id: str) -> Pressure:
    """Read what ``limits`` are about, for the table with the oid ``table``; a millisecond or two."""
    parts = {
        "lag": (_LAG if limits.max_lag_seconds else "", "0"),
        "wal": (_WAL if limits.max_wal_mb_per_second else "", "0"),
        "vacuums": (_VACUUMS if limits.vacuum_patience else "", "'{}'::integer[]"),
        "load": (_LOAD if limits.max_load else "", "0"),
        "locks": (_LOCKS, "0"),
    }
    columns = [f"coalesce(({query or 'NULL'}), {nothing}) AS {name}" for name, (query, nothing) in parts.items()]
    statement = f"{_TABLES} SELECT {', '.join(columns)}, ({_ASKED}) AS asked"
    with connection.cursor(row_factory=class_row(Pressure)) as cursor:
        [seen] = cursor.execute(statement, {"table": table, "run": run_id}).fetchall()
    return seen


def unseen(connection: psycopg.Connection[Any], limits: MoveSettings) -> str | None:
    """A sentence about limits that cannot hold anything back because this role may not look; None where it may."""
    wanted = {
        "the lag of replicas": limits.max_lag_seconds,
        "vacuums of the table": limits.vacuum_patience,
        "the sessions of other roles": limits.max_load,
    }
    hidden = [what for what, limit in wanted.items() if limit]
    role, sees_all = connection.execute(_SEES_ALL).fetchone() or ("", True)
    if sees_all or not hidden:
        return None
    grant = sql.SQL("GRANT pg_monitor TO {}").format(sql.Identifier(role)).as_string(connection)
    return f"This role may not see {', '.join(hidden)}, so nothing of that holds the move back. Let it: {grant}"
