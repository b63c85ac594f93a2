"""The ledger in the clinic's database, schema ``ojeon``: runs, their plans, and one line for each batch that wrote.

A batch, its line and the cursor are one transaction. ``ids`` of a line are the rows it wrote and nobody has undone;
``writer`` is that transaction, which PostgreSQL keeps in each row as ``xmin``: a row that still has it is as the batch
left it (``pipeline.ledger`` says what that rests on). Where ``by_trigger`` is true, the transaction was the
application's own, in which the trigger filled the rows. ``cursor`` is the id up to which the present sweep has come.
``waiting_for`` says what holds the worker back right now (see ``throttle``). ``increment`` of a planned text is 0 where
the run decided it, else the number of the sync that did. ``dual_writes`` names the rows that the trigger filled, with
the values and the application's transaction (see ``dual_write``); it has neither key nor index, for the application
pays for each line. ``ledger`` holds the version of all of this.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from pipeline.backfill.states import State, before
from pipeline.errors import RunError, UsageError

VERSION = 1
TABLES = ("runs", "plan", "batches", "dual_writes", "events")
_STATES = ", ".join(f"'{state}'" for state in State)
# Ids and texts are compared byte by byte, whatever the database's own collation.
SCHEMA = f"""
CREATE SCHEMA IF NOT EXISTS ojeon;
CREATE TABLE IF NOT EXISTS ojeon.ledger (version integer NOT NULL);
INSERT INTO ojeon.ledger SELECT {VERSION} WHERE NOT EXISTS (SELECT FROM ojeon.ledger);
CREATE TABLE IF NOT EXISTS ojeon.runs (
    run_id text PRIMARY KEY,
    plan_sha256 text NOT NULL,
    target text NOT NULL,
    target_oid oid NOT NULL,
    fills text[] NOT NULL,
    state text NOT NULL DEFAULT 'planned' CHECK (state IN ({_STATES})),
    asked text CHECK (asked IN ('pause', 'cancel')),
    waiting_for text,
    sweep integer NOT NULL DEFAULT 0,
    cursor text,
    batches integer NOT NULL DEFAULT 0,
    to_do bigint,
    made_by text NOT NULL DEFAULT session_user,
    made_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS ojeon.plan (
    run_id text NOT NULL REFERENCES ojeon.runs,
    raw text COLLATE "C" NOT NULL,
    period text NOT NULL,
    slot_start text,
    increment integer NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, raw)
);
CREATE TABLE IF NOT EXISTS ojeon.batches (
    run_id text NOT NULL REFERENCES ojeon.runs,
    batch integer NOT NULL,
    variant text NOT NULL,
    filled text[] NOT NULL,
    after text,
    upto text,
    writer text NOT NULL,
    by_trigger boolean NOT NULL DEFAULT false,
    ids text[] NOT NULL,
    changed integer NOT NULL,
    undone integer NOT NULL DEFAULT 0,
    left_alone text[] NOT NULL DEFAULT '{{}}',
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    undone_at timestamptz,
    PRIMARY KEY (run_id, batch, variant)
);
CREATE TABLE IF NOT EXISTS ojeon.dual_writes (
    run_id text NOT NULL,
    id text NOT NULL,
    filled jsonb NOT NULL,
    writer text NOT NULL
);
CREATE TABLE IF NOT EXISTS ojeon.events (
    run_id text NOT NULL REFERENCES ojeon.runs,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL DEFAULT session_user,
    state text NOT NULL,
    note text NOT NULL DEFAULT ''
);
"""
_THERE = "SELECT count(*) FROM unnest(%s::text[]) AS name WHERE to_regclass('ojeon.' || name) IS NOT NULL"
_GUARD = """
SELECT has_table_privilege('public', 'ojeon.' || name, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
FROM unnest(%s::text[]) AS name
"""
_MOVE = """
UPDATE ojeon.runs SET state = %(state)s, asked = NULL, waiting_for = NULL
WHERE run_id = %(run)s AND state = ANY (%(before)s) RETURNING 1
"""
_EVENT = "INSERT INTO ojeon.events (run_id, state, note) VALUES (%s, %s, %s)"
_NOTE = "INSERT INTO ojeon.events (run_id, state, note) SELECT run_id, state, %s FROM ojeon.runs WHERE run_id = %s"


@dataclass(frozen=True, slots=True)
class Line:
    """A run's line in the ledger."""

    run_id: str
    plan_sha256: str
    target: str
    target_oid: int
    fills: list[str]
    state: str
    asked: str | None
    sweep: int
    cursor: str | None
    batches: int
    to_do: int | None


def create(connection: psycopg.Connection[Any]) -> None:
    """Create what of the ledger is not there yet; one without a version is as version 1, and gets its number.

    Raises:
        RunError: everybody may write the ledger, so it cannot be trusted.
        UsageError: it is of another version.
    """
    if not exists(connection) or version(connection) is None:
        with connection.transaction():
            connection.execute(SCHEMA)
            connection.execute("REVOKE ALL ON SCHEMA ojeon FROM PUBLIC")
    open_to_all = connection.execute(_GUARD, (list(TABLES),)).fetchall()
    if any(writable for (writable,) in open_to_all):
        raise RunError(
            "Everybody may write the ledger in the schema ojeon, so it cannot be trusted. REVOKE ALL ON ALL TABLES IN "
            "SCHEMA ojeon FROM PUBLIC, then look through it."
        )


def exists(connection: psycopg.Connection[Any]) -> bool:
    """Whether the whole ledger is in this database."""
    row = connection.execute(_THERE, (list(TABLES),)).fetchone()
    return bool(row and row[0] == len(TABLES))


def version(connection: psycopg.Connection[Any]) -> int | None:
    """The version of the ledger; None where there is none, or where it does not say.

    Raises:
        UsageError: it is another than ours.
    """
    there = connection.execute("SELECT to_regclass('ojeon.ledger') IS NOT NULL").fetchone()
    if not (there and there[0]):
        return None
    found = {number for (number,) in connection.execute("SELECT version FROM ojeon.ledger").fetchall()}
    if found - {VERSION}:
        raise UsageError(
            f"The ledger in the schema ojeon is of version {max(found - {VERSION})}, and this ojeon knows version "
            f"{VERSION} only. Go on with the ojeon that wrote it, or a newer one."
        )
    return VERSION if found else None


def find(connection: psycopg.Connection[Any], run_id: str) -> Line | None:
    """The run's line, or None where this database knows no such run.

    Raises:
        UsageError: the ledger is of another version.
    """
    version(connection)
    if not exists(connection):
        return None
    columns = ", ".join(Line.__slots__)
    with connection.cursor(row_factory=class_row(Line)) as cursor:
        return cursor.execute(f"SELECT {columns} FROM ojeon.runs WHERE run_id = %s", (run_id,)).fetchone()


def read(connection: psycopg.Connection[Any], run_id: str) -> Line:
    """The run's line.

    Raises:
        UsageError: this database knows no such run.
    """
    line = find(connection, run_id)
    if line is None:
        raise UsageError(
            f"This database knows nothing of the run {run_id}: it was never applied here. "
            f"Check the database URL, or start with `ojeon apply` on the run's folder."
        )
    return line


def still(connection: psycopg.Connection[Any], run_id: str, state: State) -> Line:
    """The run's line, where the run is in the ``state`` that this process has brought it into.

    Raises:
        UsageError: while this process had lost its turn, another brought the run into another state.
    """
    line = read(connection, run_id)
    if line.state != state:
        raise UsageError(f"The run {run_id} became {line.state} meanwhile; this process leaves it to the other one.")
    return line


def refuse(connection: psycopg.Connection[Any], run_id: str, state: State) -> None:
    """Refuse a move to ``state`` that the run's present state does not allow; nothing is written.

    Raises:
        UsageError: it does not.
    """
    line = read(connection, run_id)
    if line.state not in before(state):
        raise _not_after(line, state)


def _not_after(line: Line, state: State) -> UsageError:
    return UsageError(
        f"The run {line.run_id} is {line.state}; {state} can follow {', '.join(sorted(before(state)))} only. "
        f"See `ojeon status {line.run_id}`."
    )


def move(connection: psycopg.Connection[Any], run_id: str, state: State, note: str = "") -> None:
    """Move the run to ``state`` and note who did it, in one transaction.

    Raises:
        UsageError: the run's present state does not allow it.
    """
    with connection.transaction():
        allowed = {"state": state, "run": run_id, "before": sorted(before(state))}
        if connection.execute(_MOVE, allowed).fetchone() is None:
            raise _not_after(read(connection, run_id), state)
        connection.execute(_EVENT, (run_id, state, note))


def reach(connection: psycopg.Connection[Any], run_id: str, state: State, note: str = "") -> None:
    """Move the run to ``state`` once, called again or not: a lost session leaves open whether its commit came through.

    Raises:
        UsageError: the run's present state does not allow it.
    """
    if state in before(state) or read(connection, run_id).state != state:
        move(connection, run_id, state, note)


def note(connection: psycopg.Connection[Any], run_id: str, what: str) -> None:
    """Note that something was done to the run without a change of its state."""
    connection.execute(_NOTE, (what, run_id))
