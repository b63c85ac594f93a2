"""Rows that arrive while the table is moved: put the trigger on the table, take it off, tell where it is.

What the trigger fills belongs to the run: it is noted, and apply and undo turn the notes into lines of the ledger (see
``notes``).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from pipeline.backfill import ledger, trigger
from pipeline.backfill.apply import inspect, register
from pipeline.backfill.plan import Plan
from pipeline.backfill.session import Session
from pipeline.backfill.states import State
from pipeline.backfill.target import Target
from pipeline.errors import DatabaseError, UsageError

_MAY_HAVE = frozenset({State.PLANNED, State.APPLYING, State.PAUSED, State.APPLIED})
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '100ms'"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_INSTALLED = """
SELECT n.nspname::text AS table_schema, c.relname::text AS table_name, c.oid::bigint AS oid,
    convert_from(substring(t.tgargs FOR octet_length(t.tgargs) - 1), getdatabaseencoding()) AS run_id,
    t.tgenabled IN ('O', 'A') AS enabled
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE t.tgname = %s AND t.tgnargs = 1 AND t.tgparentid = 0 ORDER BY 1, 2
"""
_IS_OWNER = "SELECT pg_has_role(relowner, 'USAGE'), relowner::regrole::text FROM pg_catalog.pg_class WHERE oid = %s"
_NOTED = "SELECT run_id, count(*) FROM ojeon.dual_writes GROUP BY run_id"
_LONGEST = """
SELECT a.pid, extract(epoch FROM clock_timestamp() - a.xact_start)::float8
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
WHERE l.relation = %s AND l.granted AND a.xact_start IS NOT NULL AND a.pid <> pg_backend_pid()
ORDER BY a.xact_start LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """A trigger on a table, as the catalog has it; ``enabled`` whether it fires for the application."""

    table_schema: str
    table_name: str
    oid: int
    run_id: str
    enabled: bool

    @property
    def shown(self) -> str:
        """The table's quoted name."""
        return sql.Identifier(self.table_schema, self.table_name).as_string(None)


@dataclass(frozen=True, slots=True)
class DualWrite:
    """What there is of one run: the table its trigger is on (None: on none), whether it fires, and rows it filled.

    ``noted`` are those of them that have no line in the ledger yet.
    """

    run_id: str
    table: str | None
    enabled: bool
    noted: int


def install(session: Session, plan: Plan, fills: tuple[str, ...]) -> bool:
    """Put the run's trigger on the table, its dictionary before; False where it was there already.

    A run that the ledger knows fills what it was begun with, whatever ``fills`` says.

    Raises:
        UsageError: the plan is not this database's, the run is cancelled or undone, or another run's trigger is there.
        DatabaseError: the table lacks what is to be filled, is another's, or stays busy.
    """
    line = session.again(lambda connection: ledger.find(connection, plan.run_id))
    if line and State(line.state) not in _MAY_HAVE:
        raise UsageError(
            f"The run {plan.run_id} is {line.state}, so its dictionary is not to fill new rows. Apply it again first: "
            f"ojeon apply {plan.run_id}"
        )
    target = session.again(lambda connection: inspect(connection, plan, tuple(line.fills) if line else fills))
    session.again(lambda connection: register(connection, plan, target))
    work = partial(_install, target=target, run_id=plan.run_id)
    return session.again(lambda connection: _between_writers(connection, target.oid, session.patience, work))


def _install(connection: psycopg.Connection[Any], *, target: Target, run_id: str) -> bool:
    there = next((found for found in installed(connection) if found.oid == target.oid), None)
    if there and there.run_id != run_id:
        raise UsageError(
            f"The trigger of the run {there.run_id} is on {target.shown}, and only one can be. Take it off with: "
            f"ojeon dual-write remove {there.run_id}"
        )
    if there:
        return False
    _refuse_strangers(connection, target)
    for statement in trigger.create_statements(target, run_id):
        connection.execute(statement)
    ledger.note(connection, run_id, "dual-write installed")
    return True


def _refuse_strangers(connection: psycopg.Connection[Any], target: Target) -> None:
    """Whoever may create a trigger may not always drop it."""
    owns, owner = connection.execute(_IS_OWNER, (target.oid,)).fetchone() or (False, "")
    if not owns:
        raise DatabaseError(
            f"Only its owner, {owner}, can take a trigger off {target.shown} again. Connect as {owner}, or let it "
            f"grant that: GRANT {owner} TO {connection.info.user};"
        )


def remove(connection: psycopg.Connection[Any], run_id: str, patience: float) -> bool:
    """Take the run's trigger off its table; False where there is none.

    It needs neither the turn nor a whole ledger: it must go at any time. ``patience`` is in seconds.

    Raises:
        DatabaseError: the table stays busy.
    """
    there = next((found for found in installed(connection) if found.run_id == run_id), None)
    if there is None:
        return False
    return _between_writers(connection, there.oid, patience, partial(_remove, there=there))


def _remove(connection: psycopg.Connection[Any], there: Installed) -> bool:
    for statement in trigger.drop_statements(there.table_schema, there.table_name, there.oid):
        connection.execute(statement)
    if ledger.exists(connection):
        ledger.note(connection, there.run_id, "dual-write removed")
    return True


def _between_writers(
    connection: psycopg.Connection[Any],
    oid: int,
    patience: float,
    work: Callable[[psycopg.Connection[Any]], bool],
) -> bool:
    """Do ``work`` in a transaction that waits for the table's lock so shortly that nobody behind it notices."""
    waited, pause = 0.0, _FIRST_PAUSE
    while True:
        try:
            with connection.transaction():
                connection.execute(_LOCK_TIMEOUT)
                return work(connection)
        except psycopg.errors.LockNotAvailable as error:
            if waited >= patience:
                raise DatabaseError(_busy(connection, oid, waited)) from error
        time.sleep(pause)
        waited, pause = waited + pause, min(pause * 2, _LONGEST_PAUSE)


def _busy(connection: psycopg.Connection[Any], oid: int, waited: float) -> str:
    longest = connection.execute(_LONGEST, (oid,)).fetchone()
    who = f" The longest open has process id {longest[0]}, since {longest[1]:.0f} s." if longest else ""
    return (
        f"For {waited:.0f} s there was no moment at which no transaction on the table was open, and a trigger can only "
        f"change in such a moment.{who} Nothing was changed: end it, or try again at a quieter time."
    )


def installed(connection: psycopg.Connection[Any]) -> list[Installed]:
    """Every trigger of ours in this database."""
    with connection.cursor(row_factory=class_row(Installed)) as cursor:
        return cursor.execute(_INSTALLED, (trigger.NAME,)).fetchall()


def status(connection: psycopg.Connection[Any]) -> list[DualWrite]:
    """Each run that has a trigger on a table, or notes of what its trigger has filled."""
    there = {found.run_id: found for found in installed(connection)}
    noted = dict(connection.execute(_NOTED).fetchall()) if ledger.exists(connection) else {}
    return [
        DualWrite(
            run_id,
            there[run_id].shown if run_id in there else None,
            run_id in there and there[run_id].enabled,
            noted.get(run_id, 0),
        )
        for run_id in sorted({*there, *noted})
    ]


def refuse_while_installed(connection: psycopg.Connection[Any], run_id: str) -> None:
    """Keep undo from a table on which the run's trigger still fills rows.

    Raises:
        UsageError: it is there.
    """
    if any(found.run_id == run_id for found in installed(connection)):
        raise UsageError(
            f"The trigger of the run {run_id} would fill again what undo empties. Take it off first: "
            f"ojeon dual-write remove {run_id}"
        )
