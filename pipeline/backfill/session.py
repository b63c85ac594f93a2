"""A worker's session: one at a time on a database, short time-outs, and a new session where one is lost."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from pipeline.address import Address
from pipeline.errors import DatabaseError, UsageError
from pipeline.live import connected
from pipeline.refusals import refused_move

TURN = int.from_bytes(b"ojeon", "big")
"""The advisory lock that everything that changes a table by a plan holds (see ``pipeline.ledger.TAKE_TURNS``)."""

# A second lock says on which run its holder is at work; it is held as long as the session lasts.
_ON_RUN = int.from_bytes(b"ojon", "big")
_MARK = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
WORKS_ON = f"""
EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = {_ON_RUN}
    AND objid = hashtext(%(run)s)::oid
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
_SERVER = """
SELECT pg_backend_pid(), pg_is_in_recovery(), setting::float8 / 1000 FROM pg_settings WHERE name = 'deadlock_timeout'
"""
_LOST = (psycopg.OperationalError, psycopg.InterfaceError)
# A lock on the whole table (55P03) is waited for as well: behind a queue of locks one statement waits in vain.
_PASSING = ("08", "57P", "53300", "40", "55P03")
_T = TypeVar("_T")


@dataclass
class Session:
    """A session that holds the turn. ``again`` does a piece of work, in a new session where the old one was lost.

    ``on_retry`` is told what made it do so. ``run_id`` is the run it is at work on, if any yet.
    """

    address: Address
    schema: str
    lock_timeout: float
    statement_timeout: float
    patience: float
    lost: int = 0
    run_id: str | None = None
    on_retry: Callable[[Exception], None] = lambda _error: None
    connection: psycopg.Connection[Any] = field(init=False)

    def open(self) -> None:
        """Connect, take the turn, set the time-outs.

        Raises:
            DatabaseError: no session came about.
            UsageError: the server is none to work on, or somebody else is at work.
        """
        self.connection = connection = psycopg.connect(self.address.conninfo, autocommit=True)
        try:
            self._refuse_server()
            for setting in self.settings():
                connection.execute(setting)
            self._take_turn()
            if self.run_id is not None:
                self.work_on(self.run_id)
        except (psycopg.Error, UsageError):
            connection.close()
            raise

    def _take_turn(self) -> None:
        row = self.connection.execute("SELECT pg_try_advisory_lock(%s)", (TURN,)).fetchone()
        if not row or not row[0]:
            raise UsageError(who_is_at_work(self.address))

    def work_on(self, run_id: str) -> None:
        """Let others see on which run this session is at work."""
        self.run_id = run_id
        self.connection.execute(_MARK, (_ON_RUN, run_id))

    def _refuse_server(self) -> None:
        """Refuse a server to which nothing can be written safely.

        Raises:
            UsageError: it is a standby, a pooler stands in front of it, or we would outwait its deadlock detector.
        """
        process, standby, detects_after = self.connection.execute(_SERVER).fetchone() or (0, False, 1.0)
        if process != self.connection.info.backend_pid:
            raise UsageError(
                f"Behind {self.address.shown} stands a pooler (PgBouncer, perhaps), which may give each transaction "
                "to another session, so that time-outs and turns are lost. Give the address of the PostgreSQL server."
            )
        if standby:
            raise UsageError(
                f"{self.address.shown} is a standby, and only its primary can be written. Give the primary's address, "
                "or all of them with target_session_attrs=read-write."
            )
        if self.lock_timeout >= detects_after:
            raise UsageError(
                f"A batch that waits {self.lock_timeout:g} s for a row outlasts this server's deadlock_timeout of "
                f"{detects_after:g} s, and then the application may be the one that is cut off. Set "
                f"OJEON_MOVE__LOCK_TIMEOUT below {detects_after:g}."
            )

    def settings(self) -> list[sql.Composed]:
        """What every session begins with."""
        path = sql.SQL("SET search_path = pg_catalog, {}, pg_temp").format(sql.Identifier(self.schema))
        values = {
            "default_transaction_isolation": "read committed",
            "lock_timeout": f"{self.lock_timeout * 1000:.0f}ms",
            "statement_timeout": f"{self.statement_timeout * 1000:.0f}ms",
            "idle_in_transaction_session_timeout": "10s",
        }
        return [path, *(sql.SQL("SET {} = {}").format(sql.SQL(name), sql.Literal(it)) for name, it in values.items())]

    def again(self, work: Callable[[psycopg.Connection[Any]], _T]) -> _T:
        """Do ``work``; where the session is lost or the table locked, wait and do it again until patience runs out.

        Raises:
            DatabaseError: the server did not come back, or the table was not free, in time.
        """
        waits = _Waits(self)
        while True:
            try:
                return work(self.connection)
            except _LOST as error:
                if not self._passes(error):
                    raise
                self.on_retry(error)
                waits.after(error)
            if self.connection.closed:
                self._reopen(waits)

    def _reopen(self, waits: "_Waits") -> None:
        while True:
            self.lost += 1
            try:
                return self.open()
            except (psycopg.Error, UsageError) as error:
                waits.after(error)

    def refusal(self, error: psycopg.Error | UsageError) -> DatabaseError:
        """What the server has said, as a sentence."""
        sqlstate = error.sqlstate if isinstance(error, psycopg.Error) else None
        return DatabaseError(refused_move(sqlstate, self.address.redact(str(error)), self.address.shown))

    def _passes(self, error: psycopg.Error) -> bool:
        """Whether waiting may help."""
        return self.connection.closed or any((error.sqlstate or "08").startswith(state) for state in _PASSING)


class _Waits:
    """Waits longer each time, and all in all as long as the session is patient."""

    def __init__(self, session: Session) -> None:
        self._session, self._waited, self._pause = session, 0.0, 0.1

    def after(self, error: psycopg.Error | UsageError) -> None:
        """Wait.

        Raises:
            DatabaseError: patience has run out; the message tells what the server has said.
        """
        if self._waited >= self._session.patience:
            raise self._session.refusal(error) from error
        time.sleep(self._pause)
        self._waited, self._pause = self._waited + self._pause, min(self._pause * 2, 5.0)


@contextmanager
def at_work(
    address: Address, schema: str, *, lock_timeout: float, statement_timeout: float, patience: float
) -> Iterator[Session]:
    """A session that holds the turn until the context ends; what the server refuses becomes a sentence.

    Times are in seconds.

    Raises:
        DatabaseError: no session came about, or the server refused a statement.
        UsageError: somebody else is at work on this database, or it is none to work on (see ``Session.open``).
    """
    with connected(address):
        pass  # what keeps us from connecting is told in its own words
    session = Session(address, schema, lock_timeout, statement_timeout, patience)
    session.open()
    try:
        yield session
    except psycopg.Error as error:
        raise session.refusal(error) from error
    finally:
        with suppress(psycopg.Error):
            # Closing alone would leave it held until the server notices, a moment too long for the next command.
            session.connection.execute("SELECT pg_advisory_unlock_all()")
        session.connection.close()


def somebody_works(connection: psycopg.Connection[Any]) -> bool:
    """Whether a worker holds the turn on this database."""
    query = """
        SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND (classid::bigint << 32) + objid::bigint = %s)
    """
    row = connection.execute(query, (TURN,)).fetchone()
    return bool(row and row[0])


def works_on(connection: psycopg.Connection[Any], run_id: str) -> bool:
    """Whether a process is at work on this very run."""
    row = connection.execute(f"SELECT {WORKS_ON}", {"run": run_id}).fetchone()
    return bool(row and row[0])


def who_is_at_work(address: Address) -> str:
    """The sentence for the one who comes second."""
    return (
        f"Somebody else is at work on {address.shown} (another ojeon, or psql with a plan's file), and only one may be "
        "at a time. `ojeon status` shows which run it is; wait for it, or stop it with `ojeon pause`."
    )
