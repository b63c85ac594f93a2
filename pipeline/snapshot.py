"""One consistent look at the live table: read-only, in one snapshot, streamed as Arrow."""

import re
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import psycopg
import pyarrow as pa
from psycopg import sql

from pipeline.address import Address
from pipeline.catalog import LiveTable, look_up
from pipeline.errors import DatabaseError
from pipeline.fingerprint import session_settings
from pipeline.live import WAIT_FOR_LOCKS, connected
from pipeline.refusals import refused_query
from pipeline.selection import selection, table_of, unread_columns
from pipeline.settings import TableNames

_FACTS = """
SELECT current_database()::text, current_user::text, current_setting('server_version'),
    to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    has_function_privilege('pg_control_system()', 'EXECUTE')
"""
# While it streams the driver knows no SQLSTATE, only words.
_WORDS = {
    "57014": re.compile("statement timeout"),
    "22021": re.compile("invalid byte sequence"),
    "08": re.compile("terminating connection|server closed|could not receive|SSL SYSCALL|no connection to the server"),
}


ARRIVING = pa.schema(
    {
        "id": pa.string(),
        "raw": pa.string(),
        "preferred_date": pa.date32(),
        "created_at": pa.timestamp("us"),
        "current_period": pa.string(),
        "fingerprint": pa.int64(),
        "updated_at": pa.timestamp("us"),
    }
)
"""The columns of the stream, as in the workbench's reservations."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the table held at one moment: facts about it, its number of rows, and a stream of them.

    ``batches`` can be read once. ``unique_id`` tells whether the
    database promises that no id occurs twice; ``notices`` are sentences for people.
    """

    facts: dict[str, Any]
    rows: int
    batches: Iterator[pa.RecordBatch]
    unique_id: bool
    notices: tuple[str, ...]


@contextmanager
def open_snapshot(address: Address, names: TableNames) -> Iterator[Snapshot]:
    """Open a read-only look at the table; the session is closed when the context ends.

    A first session finds the table, counts its rows and exports its snapshot; the second, which streams, joins that
    snapshot, whereupon the first is closed.

    Raises:
        DatabaseError: no session, no table, no right, or the session was lost while reading.
    """
    with connected(address) as leader:
        leader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        leader.read_only = True
        table = look_up(leader, names)
        facts = _facts(leader, table)
        rows = _one(leader, sql.SQL("SELECT count(*) FROM {}").format(table_of(names)))
        exported = _one(leader, sql.SQL("SELECT pg_export_snapshot()"))
        follower = _joined(address, sql.Literal(exported).as_string(leader))
        batches = _stream(address, follower, selection(table).as_string(leader))
    try:
        yield Snapshot(facts, rows, batches, table.unique_id, (*table.notices, *unread_columns(table)))
    finally:
        batches.close()
        follower.close()


@contextmanager
def streamed(
    address: Address, exported: str, query: str, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Iterator[pa.RecordBatch]]:
    """What ``query`` finds in a snapshot that another session has exported, in a session of its own.

    ``exported`` is the snapshot's name as a literal, ``settings`` hold for the session.

    Raises:
        DatabaseError: no session came about, the server refused the query, or the session was lost while reading.
    """
    follower = _joined(address, exported)
    try:
        with _told(address), follower.cursor() as cursor:
            for name, value in settings.items():
                cursor.execute("SELECT set_config($1, $2, true)", (name, value))
        batches = _stream(address, follower, query)
        try:
            yield batches
        finally:
            batches.close()
    finally:
        follower.close()


def _joined(address: Address, exported: str) -> adbc.Connection:
    with _told(address):
        follower = adbc.connect(address.conninfo)
        with follower.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute(f"SET TRANSACTION SNAPSHOT {exported}")
            cursor.execute(WAIT_FOR_LOCKS)
            cursor.fetchall()  # unread, it would have the driver begin another transaction in this one
            cursor.execute("SET LOCAL row_security = off")  # rather an error than rows hidden behind a view
    return follower


def _stream(address: Address, follower: adbc.Connection, query: str) -> Generator[pa.RecordBatch]:
    """Yield the batches, reading the next one while the last is being used."""
    with _told(address), follower.cursor() as cursor, ThreadPoolExecutor(1) as ahead:
        cursor.execute(query)
        reader = cursor.fetch_record_batch()
        try:
            coming = ahead.submit(next, reader, None)
            while (batch := coming.result()) is not None:
                coming = ahead.submit(next, reader, None)
                yield batch
        finally:
            cursor.adbc_cancel()


@contextmanager
def _told(address: Address) -> Iterator[None]:
    """Turn the driver's errors into sentences."""
    try:
        yield
    except (adbc.Error, OSError, pa.ArrowException) as error:
        words = re.sub(r"^.*?(failed|FATAL|ERROR): +", "", address.redact(str(error)), count=1, flags=re.DOTALL)
        said = next((state for state, pattern in _WORDS.items() if pattern.search(words)), "")
        state = getattr(error, "sqlstate", None) or said
        raise DatabaseError(refused_query(state, words, address.shown)) from error


def _facts(leader: psycopg.Connection, table: LiveTable) -> dict[str, Any]:
    found = leader.execute(_FACTS).fetchone()
    database, user, version, moment, may_identify = found or ("", "", "", "", False)
    identifier = sql.SQL("SELECT system_identifier::text FROM pg_control_system()")
    return {
        "kind": "postgresql",
        "host": leader.info.host,
        "port": leader.info.port,
        "database": database,
        "user": user,
        "server_version": version,
        "system_identifier": _one(leader, identifier) if may_identify else None,
        "database_oid": _one(leader, sql.SQL("SELECT oid::bigint FROM pg_database WHERE datname = current_database()")),
        "snapshot_at": moment,
        "table": table_of(table.names).as_string(None),
        "table_kind": table.kind,
        "types": {"period": None, **table.types},
        "target": {"writable": table.unwritable is None, "why": table.unwritable},
        "fingerprint": {"columns": table.old_columns, "settings": session_settings(leader)},
    }


def _one(leader: psycopg.Connection, query: sql.SQL | sql.Composed) -> Any:
    row = leader.execute(query).fetchone()
    return row[0] if row else None
