"""The worker waits for what really goes on in a PostgreSQL, and goes on when that is over."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_move import Move, seal
from psycopg import sql
from rich.console import Console

from pipeline.backfill import ledger
from pipeline.backfill.apply import apply
from pipeline.backfill.asking import cancel, pause, resume
from pipeline.backfill.pressure import Pressure, look, unseen
from pipeline.backfill.status import Standing, Status, as_dict, status_table
from pipeline.backfill.status import status as read_status
from pipeline.backfill.throttle import Budget, Hold, Throttle, Why
from pipeline.backfill.undo import undo
from pipeline.backfill.worker import Batch
from pipeline.embedded import Server, embedded_postgres
from pipeline.embedded_programs import account
from pipeline.settings import MoveSettings

RUN = "20261123-101500-3f2a"
EVERY = 0.05
_NOTHING = MoveSettings(max_lag_seconds=0, vacuum_patience=0)
_STREAMS = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn IS NOT NULL"
_REGISTER = """
INSERT INTO ojeon.runs (run_id, plan_sha256, target, target_oid, fills, state)
VALUES (%s, '', 'reservations', 'reservations'::regclass, '{period}', 'applying')
"""


def create(url: str) -> int:
    """A live table and a run at work on it; the table's oid."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE reservations (id text PRIMARY KEY, period text)")
        connection.execute("CREATE TABLE other (LIKE reservations)")
        connection.execute("INSERT INTO reservations SELECT n FROM generate_series(1, 20000) n")
        ledger.create(connection)
        connection.execute(_REGISTER, (RUN,))
        return int(connection.execute("SELECT 'reservations'::regclass::oid").fetchone()[0])


class Waiting:
    """A throttle that is called by a worker of its own; what it said, and when it let the worker go on."""

    def __init__(self, url: str, limits: MoveSettings, oid: int, **more: Any) -> None:
        self.url, self.told = url, []
        self.throttle = Throttle(limits, oid, RUN, self.told.append, every=more.pop("every", EVERY))
        self.connection = psycopg.connect(url, autocommit=True, **more)
        self.call = ThreadPoolExecutor(1)
        self.again()

    def again(self) -> None:
        self.going_on = self.call.submit(self.throttle, self.connection)

    def why(self) -> Why:
        """What it waits for; waits for it to say so, and sees to it that the ledger says the same."""
        wait_until(lambda: self.told and self.told[-1] is not None)
        wait_until(lambda: self.waiting_for() == self.told[-1].words)
        assert not self.going_on.done()
        return self.told[-1].why

    def ask(self, what: str | None) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("UPDATE ojeon.runs SET asked = %s", (what,))

    def waiting_for(self) -> str | None:
        with psycopg.connect(self.url) as connection:
            return connection.execute("SELECT waiting_for FROM ojeon.runs").fetchone()[0]

    def goes_on(self) -> bool:
        """What the throttle returned, after it has said that nothing is waited for."""
        asked = self.going_on.result(timeout=10)
        assert self.told == [] or self.told[-1] is None
        assert self.waiting_for() is None
        return asked

    def stays(self, seconds: float = 6 * EVERY) -> bool:
        time.sleep(seconds)
        return not self.going_on.done()


@contextmanager
def waiting(url: str, limits: MoveSettings, oid: int, **more: Any) -> Iterator[Waiting]:
    one = Waiting(url, limits, oid, **more)
    with one.call:
        try:
            yield one
        finally:  # whatever a failing test left it waiting for
            with suppress(psycopg.Error):
                one.ask("cancel")
                one.going_on.result(timeout=10)
                one.ask(None)
            one.connection.close()


def wait_until(happened: Callable[[], Any], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@contextmanager
def sleepers(url: str, count: int) -> Iterator[list[psycopg.Connection[Any]]]:
    """Sessions that are active until they are cancelled."""

    def sleep(connection: psycopg.Connection[Any]) -> None:
        with suppress(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(60)")

    with ExitStack() as stack:
        sessions = [stack.enter_context(psycopg.connect(url, autocommit=True)) for _ in range(count)]
        threads = [threading.Thread(target=sleep, args=(session,)) for session in sessions]
        for thread in threads:
            thread.start()
        try:
            yield sessions
        finally:
            for session, thread in zip(sessions, threads, strict=True):
                session.cancel_safe()
                thread.join(timeout=10)


@contextmanager
def locked(url: str, table: str = "reservations", mode: str = "SHARE") -> Iterator[psycopg.Connection[Any]]:
    """Somebody keeps ``table`` locked until they roll back."""
    with psycopg.connect(url) as other:
        other.execute(f"LOCK TABLE {table} IN {mode} MODE")
        yield other
        other.rollback()


@pytest.fixture
def oid(database: str) -> int:
    return create(database)


@pytest.fixture
def session(database: str, oid: int) -> Iterator[psycopg.Connection[Any]]:
    del oid
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def test_without_pressure_nothing_is_waited_for_or_said(database: str, oid: int) -> None:
    limits = MoveSettings(max_load=50, max_wal_mb_per_second=10_000, max_rows_per_second=1e9)
    with waiting(database, limits, oid) as worker:
        assert worker.goes_on() is False
        assert worker.told == []


def test_a_look_is_not_taken_for_every_batch(database: str, oid: int) -> None:
    statements = []

    class Counted(psycopg.Cursor[Any]):
        def execute(self, query: Any, *values: Any, **more: Any) -> Any:
            statements.append(query)
            return super().execute(query, *values, **more)

    with psycopg.connect(database, autocommit=True, cursor_factory=Counted) as connection:
        throttle = Throttle(MoveSettings(), oid, RUN, lambda _hold: None, every=0.2)
        end = time.monotonic() + 1
        while time.monotonic() < end:
            throttle(connection)
    assert 2 <= len(statements) <= 6


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[str, str, int]]:
    """A server with a live table and a real replica: the addresses of both, and the table's oid."""
    with embedded_postgres() as server:
        folder = server.folder / "replica"
        owner = account()
        identity: dict[str, Any] = {"cwd": "/"}
        if os.geteuid() == 0:
            identity |= {"user": owner.uid, "group": owner.gid, "extra_groups": []}
        backup = ["-h", str(server.folder), "-U", "postgres", "-D", str(folder), "-R", "-X", "stream", "-c", "fast"]
        subprocess.run([server.programs / "pg_basebackup", *backup, "--no-sync"], check=True, **identity)
        options = (f"unix_socket_directories={folder}", "listen_addresses=", "fsync=off")
        command = [server.programs / "postgres", "-D", folder, *(word for one in options for word in ("-c", one))]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **identity) as replica:
            try:
                oid = create(server.url)
                with psycopg.connect(server.url, autocommit=True) as primary:
                    wait_until(lambda: primary.execute(_STREAMS).fetchone()[0])
                yield server.url, f"postgresql://postgres@/postgres?host={folder}", oid
            finally:
                replica.send_signal(signal.SIGQUIT)


@pytest.mark.xdist_group("replica")
def test_a_replica_that_lags(pair: tuple[str, str, int]) -> None:
    url, replica, oid = pair
    with psycopg.connect(url, autocommit=True) as primary:
        limits = _NOTHING.model_copy(update={"max_lag_seconds": 0.4})
        with psycopg.connect(replica, autocommit=True) as standby:
            standby.execute("SELECT pg_wal_replay_pause()")
            for _ in range(7):  # lag is told with the WAL that comes after
                primary.execute("UPDATE reservations SET period = period")
                time.sleep(0.1)
            with waiting(url, limits, oid) as worker:
                assert worker.why() is Why.REPLICA_LAG
                assert "s behind (limit 0.4 s)" in worker.told[-1].words
                standby.execute("SELECT pg_wal_replay_resume()")
                assert worker.goes_on() is False


@pytest.mark.xdist_group("replica")
def test_a_replica_that_has_caught_up_shows_its_last_lag_for_a_while(pair: tuple[str, str, int]) -> None:
    url, replica, oid = pair
    behind = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn < pg_current_wal_insert_lsn()"
    shown = "SELECT replay_lag > '0.2 s' FROM pg_stat_replication"
    with psycopg.connect(url, autocommit=True) as primary, psycopg.connect(replica, autocommit=True) as standby:
        wait_until(lambda: not primary.execute(behind).fetchone()[0])
        standby.execute("SELECT pg_wal_replay_pause()")
        primary.execute("SELECT pg_logical_emit_message(false, 'test', 'test', true)")
        time.sleep(0.4)
        assert primary.execute(behind).fetchone()[0]
        standby.execute("SELECT pg_wal_replay_resume()")
        wait_until(lambda: not primary.execute(behind).fetchone()[0])
        assert primary.execute(shown).fetchone()[0]
        assert look(primary, MoveSettings(), oid, RUN).lag == 0


def test_a_lag_goes_down_to_half_before_the_worker_goes_on(database: str, oid: int) -> None:
    del database
    throttle = Throttle(MoveSettings(max_lag_seconds=10), oid, RUN, lambda _hold: None)
    over = []
    for lag in (9, 10, 11, 9, 6, 5, 9, 10.5):
        seen = look_with(lag=lag)
        gauges = [gauge for gauge in throttle._gauges(seen, 0.0) if throttle._is_over(gauge)]
        throttle._stopped_by = {gauge.hold.why for gauge in gauges}
        over.append(bool(gauges))
    assert over == [False, False, True, True, True, False, False, True]


def look_with(**figures: Any) -> Pressure:
    return Pressure(**{"lag": 0, "wal": 0, "vacuums": [], "load": 0, "locks": 0, "asked": None} | figures)


def test_load_has_to_go_down_further_than_it_may_rise(database: str, oid: int) -> None:
    limits = _NOTHING.model_copy(update={"max_load": 4})
    with psycopg.connect(database, autocommit=True) as here:
        others = look(here, limits, oid, RUN).load  # whoever else is at work on this server
    limits = _NOTHING.model_copy(update={"max_load": 4 + others})
    with sleepers(database, 4) as sessions, waiting(database, limits, oid) as worker:
        assert worker.goes_on() is False
        with sleepers(database, 1):
            time.sleep(EVERY)
            worker.again()
            assert worker.why() is Why.LOAD
        assert worker.stays()
        sessions[0].cancel_safe()
        assert worker.goes_on() is False


def test_a_lock_that_keeps_writers_out_and_one_that_is_waited_for(database: str, oid: int) -> None:
    with psycopg.connect(database) as other, waiting(database, _NOTHING, oid) as worker:
        worker.goes_on()
        other.execute("LOCK TABLE reservations IN SHARE UPDATE EXCLUSIVE MODE")  # as a vacuum does
        other.execute("LOCK TABLE other IN ACCESS EXCLUSIVE MODE")
        worker.again()
        assert worker.goes_on() is False
        other.execute("LOCK TABLE reservations IN SHARE MODE")
        time.sleep(EVERY)
        worker.again()
        assert worker.why() is Why.TABLE_LOCK
        other.rollback()
        worker.goes_on()
    with alter_in_a_queue(database), waiting(database, _NOTHING, oid) as worker:
        assert worker.why() is Why.TABLE_LOCK


@contextmanager
def alter_in_a_queue(url: str) -> Iterator[None]:
    """Somebody reads in an idle transaction, and an ALTER TABLE queues behind."""
    with psycopg.connect(url) as reader, psycopg.connect(url, autocommit=True) as altering:
        reader.execute("SELECT FROM reservations LIMIT 1")
        alter = threading.Thread(target=altering.execute, args=("ALTER TABLE reservations ADD COLUMN note text",))
        alter.start()
        try:
            yield
        finally:
            reader.rollback()
            alter.join(timeout=10)


def test_locks_on_a_partition_count(database: str, session: psycopg.Connection[Any]) -> None:
    session.execute("CREATE TABLE whole (id int) PARTITION BY RANGE (id)")
    session.execute("CREATE TABLE part PARTITION OF whole FOR VALUES FROM (0) TO (9)")
    oid = session.execute("SELECT 'whole'::regclass::oid").fetchone()[0]
    assert look(session, _NOTHING, oid, RUN).locks == 0
    with locked(database, "part"):
        assert look(session, _NOTHING, oid, RUN).locks == 1


@contextmanager
def slow_vacuum(url: str, table: str) -> Iterator[None]:
    """A vacuum that goes on until it is cancelled."""
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(f"UPDATE {table} SET period = 'x'")
        session.execute("SET vacuum_cost_delay = '100ms'")
        session.execute("SET vacuum_cost_limit = 1")

        def vacuum() -> None:
            with suppress(psycopg.errors.QueryCanceled):
                session.execute(f"VACUUM {table}")

        thread = threading.Thread(target=vacuum)
        thread.start()
        with psycopg.connect(url, autocommit=True) as looking:
            query = f"SELECT FROM pg_stat_progress_vacuum WHERE relid = '{table}'::regclass"
            wait_until(lambda: looking.execute(query).rowcount)
        try:
            yield
        finally:
            session.cancel_safe()
            thread.join(timeout=10)


def test_a_vacuum_of_the_table_is_waited_for(database: str, oid: int) -> None:
    with waiting(database, MoveSettings(), oid) as worker:
        with slow_vacuum(database, "reservations"):
            time.sleep(EVERY)
            worker.again()
            assert worker.why() is Why.VACUUM
        assert worker.goes_on() is False


def test_a_vacuum_is_waited_for_once_and_not_for_ever(database: str, oid: int) -> None:
    with slow_vacuum(database, "reservations"), waiting(database, MoveSettings(vacuum_patience=0.5), oid) as worker:
        assert worker.why() is Why.VACUUM
        began = time.monotonic()
        assert worker.goes_on() is False
        assert time.monotonic() - began < 3
        time.sleep(EVERY)
        worker.again()
        assert worker.goes_on() is False
        assert [hold and hold.why for hold in worker.told] == [Why.VACUUM, None]


def test_a_vacuum_of_another_table_or_one_that_is_not_to_be_waited_for(database: str, oid: int) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("INSERT INTO other SELECT n FROM generate_series(1, 20000) n")
    with slow_vacuum(database, "other"), waiting(database, MoveSettings(), oid) as worker:
        assert worker.goes_on() is False
    with slow_vacuum(database, "reservations"), waiting(database, _NOTHING, oid) as worker:
        assert worker.goes_on() is False


def test_wal_is_written_no_faster_than_allowed(oid: int, session: psycopg.Connection[Any]) -> None:
    told: list[Hold | None] = []
    throttle = Throttle(_NOTHING.model_copy(update={"max_wal_mb_per_second": 4}), oid, RUN, told.append, every=EVERY)
    position = "SELECT (pg_current_wal_insert_lsn() - '0/0')::float8"
    before, began, batches = session.execute(position).fetchone()[0], time.monotonic(), 0
    while time.monotonic() - began < 3:
        throttle(session)
        session.execute("UPDATE reservations SET period = 'x' WHERE id < '2'")  # about 2 MB of WAL
        batches += 1
    rate = (session.execute(position).fetchone()[0] - before) / (time.monotonic() - began) / 1e6
    assert {hold.why for hold in told if hold} == {Why.WAL_RATE}
    assert 2 < rate < 6  # a second's worth was saved, and the last UPDATE may go past


@pytest.mark.parametrize("limit", [20_000, 100_000])
def test_rows_are_changed_no_faster_than_allowed(limit: float, database: str, oid: int) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        limits = _NOTHING.model_copy(update={"max_rows_per_second": limit})
        throttle = Throttle(limits, oid, RUN, lambda _hold: None)
        began, changed = time.monotonic(), 0
        while (passed := time.monotonic() - began) < 1.5:
            throttle(connection)
            time.sleep(0.002)
            changed += 1_000
            throttle.observe(Batch(1, 0, 1_000, 0.002, 1_000, skip_locked=False))
        assert 0.8 * limit < changed / passed < 1.1 * limit + 1_000 / passed


def test_a_long_wait_for_the_rate_of_rows_is_told(database: str, oid: int) -> None:
    limits = _NOTHING.model_copy(update={"max_rows_per_second": 10_000})
    with waiting(database, limits, oid) as worker:
        worker.goes_on()
        worker.throttle.observe(Batch(1, 0, 5_000, 0.05, 5_000, skip_locked=False))
        worker.again()
        assert worker.why() is Why.ROW_RATE
        assert worker.told[-1].words == "the limit of 10,000 rows per second"
        assert worker.goes_on() is False


def test_after_a_batch_the_worker_rests_so_that_it_is_at_work_for_its_share(database: str, oid: int) -> None:
    def share_at_work(limit: float) -> float:
        throttle = Throttle(_NOTHING.model_copy(update={"max_busy": limit}), oid, RUN, lambda _hold: None)
        began, at_work = time.monotonic(), 0.0
        with psycopg.connect(database, autocommit=True) as connection:
            for number in range(10):
                throttle(connection)
                went_on = time.monotonic()
                time.sleep(0.05)
                at_work += time.monotonic() - went_on
                throttle.observe(Batch(number, 0, 1, 0.05, 1, skip_locked=False))
            throttle(connection)
            return at_work / (time.monotonic() - began)

    assert share_at_work(0.5) <= 0.5
    assert share_at_work(1.0) > 0.6


@given(st.lists(st.tuples(st.floats(0.001, 100), st.floats(0, 5000)), min_size=1, max_size=30))
def test_a_budget_never_lets_more_pass_than_its_rate_and_what_was_saved(steps: list[tuple[float, float]]) -> None:
    budget, now, spent = Budget(per_second=100, at=0.0), 0.0, 0.0
    for passed, amount in steps:
        now += passed
        now += max(budget.owed(now), 0)
        assert spent <= 100 * now + 1e-6 * now
        budget.spend(amount, now)
        spent += amount


@pytest.mark.parametrize("asked", ["pause", "cancel"])
def test_who_asks_is_heard_while_the_worker_waits(asked: str, database: str, oid: int) -> None:
    with locked(database), waiting(database, _NOTHING, oid) as worker:
        assert worker.why() is Why.TABLE_LOCK
        worker.ask(asked)
        assert worker.goes_on() is True


def test_what_was_asked_is_not_remembered(database: str, oid: int, session: psycopg.Connection[Any]) -> None:
    del database
    throttle = Throttle(MoveSettings(), oid, RUN, lambda _hold: None, every=60)
    session.execute("UPDATE ojeon.runs SET asked = 'pause'")
    assert throttle(session) is True
    session.execute("UPDATE ojeon.runs SET asked = NULL")
    assert throttle(session) is False


def test_a_lost_session_is_the_callers_and_the_next_one_goes_on_waiting(database: str, oid: int) -> None:
    with locked(database) as other, waiting(database, _NOTHING, oid) as worker:
        assert worker.why() is Why.TABLE_LOCK
        with psycopg.connect(database, autocommit=True) as killer:
            killer.execute("SELECT pg_terminate_backend(%s)", (worker.connection.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            worker.going_on.result(timeout=10)
        worker.connection = psycopg.connect(database, autocommit=True)
        worker.again()
        assert worker.stays()
        assert worker.why() is Why.TABLE_LOCK
        other.rollback()
        assert worker.goes_on() is False


def test_a_server_that_does_not_answer_in_time(database: str, oid: int) -> None:
    hasty = {"options": "-c lock_timeout=50ms"}
    with (
        locked(database, "ojeon.runs", "ACCESS EXCLUSIVE") as other,
        waiting(database, _NOTHING, oid, **hasty) as worker,
    ):
        wait_until(lambda: worker.told)
        assert worker.told[0].why is Why.NO_ANSWER
        assert worker.stays()
        other.rollback()
        assert worker.goes_on() is False


@pytest.fixture
def role(server: Server, database: str, oid: int) -> Iterator[str]:
    """The address as a role that may move the table, and see nothing of others."""
    del oid
    name = sql.Identifier(f'mover "{os.getpid()}"')
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
        owner.execute(sql.SQL("GRANT USAGE ON SCHEMA ojeon TO {}").format(name))
        owner.execute(sql.SQL("GRANT SELECT, UPDATE ON ojeon.runs TO {}").format(name))
        yield server.database_url(Path(psycopg.conninfo.conninfo_to_dict(database)["dbname"]).name, name._obj[0])
        owner.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(name))


def test_a_role_that_may_not_look_is_told_once_and_goes_on(database: str, role: str, oid: int) -> None:
    limits = MoveSettings(max_load=1)
    with sleepers(database, 3), slow_vacuum(database, "reservations"):
        with psycopg.connect(role, autocommit=True) as connection:
            told = unseen(connection, limits)
            seen = look(connection, limits, oid, RUN)
        assert told is not None
        assert told.startswith("This role may not see the lag of replicas, vacuums of the table, the sessions of other")
        assert (seen.load, seen.vacuums, seen.lag) == (0, [], 0)
        with waiting(role, limits, oid) as worker:
            assert worker.goes_on() is False
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(told[told.index("GRANT") :])
    with psycopg.connect(role, autocommit=True) as connection:
        assert unseen(connection, limits) is None


def test_what_is_not_limited_need_not_be_seen(role: str) -> None:
    with psycopg.connect(role, autocommit=True) as connection:
        assert unseen(connection, _NOTHING) is None
        assert "vacuums" not in (unseen(connection, MoveSettings(vacuum_patience=0)) or "")


@pytest.mark.parametrize("verb", ["apply", "undo"])
@pytest.mark.parametrize("asked", ["pause", "cancel"])
def test_a_held_worker_does_what_is_asked_without_another_batch(
    asked: str, verb: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.backfill.worker._POLL_SECONDS", 0.05)
    with psycopg.connect(database) as connection:
        connection.execute('CREATE TABLE reservations (id text PRIMARY KEY, "preferredTime" text, period text)')
        connection.execute("INSERT INTO reservations SELECT n, '오후' FROM generate_series(1, 10) n")
    move = Move(database, seal(tmp_path / RUN, database))
    if verb == "undo":
        move.apply()
    state = "undo_paused" if verb == "undo" else {"pause": "paused", "cancel": "cancelled"}[asked]
    table, moves = move.snapshot(), []
    with ThreadPoolExecutor(1) as other_thread, move.worker() as worker:
        throttle = Throttle(_NOTHING, worker.target.oid, RUN, lambda _hold: None, every=EVERY)
        with locked(database):
            work = {"apply": apply, "undo": undo}[verb]
            working = other_thread.submit(work, replace(worker, throttle=throttle, moved=moves.append))
            wait_until(lambda: "a lock on" in (status(move).waiting_for or ""))
            with psycopg.connect(database) as connection:
                {"pause": pause, "cancel": cancel}[asked](connection, RUN)
            wait_until(lambda: status(move).state == state)
            assert status(move).waiting_for is None
        assert move.snapshot() == table
        if asked == "pause":
            assert not working.done()
            with psycopg.connect(database) as connection:
                resume(connection, RUN)
            assert working.result(timeout=10).state == {"apply": "applied", "undo": "undone"}[verb]
            assert moves == [state, {"apply": "applying", "undo": "undoing"}[verb]]
        else:
            report = working.result(timeout=10)
            assert (report.state, report.left) == (state, 10 if verb == "undo" else None)


def status(move: Move) -> Status:
    with psycopg.connect(move.url) as connection:
        return read_status(connection, RUN).runs[0]


def test_the_status_tells_what_is_waited_for_in_a_line_of_its_own(database: str, oid: int) -> None:
    with locked(database), waiting(database, _NOTHING, oid) as worker:
        worker.why()
        with psycopg.connect(database) as connection:
            standing = read_status(connection, RUN)
    assert as_dict(standing)["runs"][0]["waiting_for"] == "a lock on the table that somebody holds or waits for"
    for at_work in (True, False):  # the word of a worker that is gone counts no more
        screen = Console(width=100, file=StringIO())
        screen.print(status_table(Standing([replace(standing.runs[0], at_work=at_work)], at_work=at_work)))
        waits = f"{RUN} waits for a lock on the table that somebody holds" in screen.file.getvalue()
        assert waits is at_work
