"""What a live server does to those who write to it, done to a move on purpose."""

import os
import signal
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from live_move import AT_WORK, NOBODY_AT_WORK, Move, seal

from pipeline.backfill import ledger
from pipeline.backfill.apply import apply
from pipeline.errors import DatabaseError, UsageError

ROWS = 600
TABLE = """
CREATE TABLE reservations (id integer PRIMARY KEY, "preferredTime" text, "preferredDate" date, "createdAt" timestamp(3),
    period text CHECK (period IN ('MORNING', 'AFTERNOON')), "timeSlotStart" varchar(5), note text);
INSERT INTO reservations (id, "preferredTime")
SELECT n, (ARRAY['오전 10시', '14:00', '오후', '아무때나'])[n % 4 + 1] FROM generate_series(1, {rows}) n;
"""
TO_FILL = ROWS * 3 // 4
SLEEPS = """
CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END';
CREATE TRIGGER slow AFTER UPDATE ON reservations FOR EACH {each} EXECUTE FUNCTION public.slow();
"""
NO_ROOM = """
CREATE FUNCTION public.no_room() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN IF NEW.id > 300 THEN RAISE disk_full USING MESSAGE = ''could not extend file''; END IF; RETURN NEW; END';
CREATE TRIGGER no_room BEFORE UPDATE ON reservations FOR EACH ROW EXECUTE FUNCTION public.no_room();
"""
SESSION = "SELECT pid FROM pg_stat_activity WHERE application_name = 'ojeon' AND datname = current_database()"
CUT = f"SELECT pg_terminate_backend(pid) FROM ({SESSION}) ours"


def make(url, folder, rows=ROWS):
    with psycopg.connect(url) as connection:
        connection.execute(TABLE.format(rows=rows))
    return Move(url, seal(folder / "20261123-101500-3f2a", url))


@pytest.fixture
def move(database, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.backfill.apply.FIRST_BATCH", 50)
    monkeypatch.setattr("pipeline.backfill.pace.MOST", 50)
    return make(database, tmp_path)


def is_applied(move):
    wanted = {"오전 10시": "MORNING", "14:00": "AFTERNOON", "오후": "AFTERNOON", "아무때나": None}
    rows = move.execute('SELECT id, "preferredTime", period FROM reservations')
    assert len(rows) == ROWS
    assert all(period == wanted[text] for _, text, period in rows)
    assert {row_id for row_id, _ in move.claimed()} == {str(row_id) for row_id, _, period in rows if period}
    assert len(move.claimed()) == TO_FILL
    assert move.not_as_left() == []
    assert move.state() == "applied"


def comes_back(move):
    move.undo()
    assert move.execute("SELECT sum(undone) FROM ojeon.batches") == [(TO_FILL,)]
    assert move.execute("SELECT count(period), count(*) FROM reservations") == [(0, ROWS)]


@contextmanager
def meanwhile(work):
    """Run ``work`` in a thread; what it raises is raised here."""
    raised = []

    def run():
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed on
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join(60)
    if raised:
        raise raised[0]


def test_a_session_cut_before_any_batch_is_replaced(move):
    cuts = []

    def throttle(_connection):
        if len(cuts) < 4:
            cuts.append(move.execute(CUT))

    with move.worker(throttle=throttle) as worker:
        report = apply(worker)
        assert worker.session.lost == 4
    assert (report.state, report.changed) == ("applied", TO_FILL)
    is_applied(move)


def test_a_session_cut_in_the_middle_of_a_batch_is_replaced(move):
    move.execute(SLEEPS.format(seconds=0.1, each="STATEMENT"))
    cuts = 0

    def cut():
        nonlocal cuts
        for _ in range(3):
            move.wait_until(f"SELECT count(*) > 0 FROM ({SESSION} AND wait_event = 'PgSleep') asleep")
            cuts += len(move.execute(CUT))

    with meanwhile(cut):
        assert move.apply().state == "applied"
    assert cuts == 3
    is_applied(move)
    move.execute("DROP TRIGGER slow ON reservations")
    comes_back(move)


@pytest.mark.parametrize(("verb", "other", "state"), [("apply", "undo", "undone"), ("undo", "apply", "applied")])
def test_who_lost_the_turn_to_another_leaves_the_run_to_them(move, verb, other, state):
    if verb == "undo":
        move.apply()
    batches = []

    def throttle(_connection):
        batches.append(move.execute("SELECT count(period) FROM reservations"))
        if len(batches) == 3:
            move.execute(CUT)
            getattr(move, other)()

    with pytest.raises(UsageError, match=f"became {state} meanwhile; this process leaves it to the other one"):
        getattr(move, verb)(throttle=throttle)
    assert move.state() == state
    assert move.execute("SELECT count(period) FROM reservations") == [(TO_FILL if state == "applied" else 0,)]


def test_a_server_that_stays_away_longer_than_patience_is_told(restartable, tmp_path):
    move = make(restartable.server.url, tmp_path)
    stopped = []

    def throttle(_connection):
        if not stopped:
            stopped.append(restartable.stop_at_once())

    try:
        with pytest.raises(DatabaseError, match="What was done stays done: start the same command again to go on"):
            move.apply(throttle=throttle, patience=0.5)
    finally:
        restartable.start()
    assert move.state() == "applying"
    assert move.apply().state == "applied"
    is_applied(move)


@pytest.mark.parametrize(("verb", "state"), [("apply", "applied"), ("undo", "undone")])
def test_a_session_lost_with_the_last_commit_made_ends_well(move, monkeypatch, verb, state):
    if verb == "undo":
        move.apply()
    make_the_move, lost = ledger.move, []

    def lose_the_answer(connection, run_id, to, note=""):
        make_the_move(connection, run_id, to, note)
        if to == state and not lost:
            lost.append(to)
            connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(ledger, "move", lose_the_answer)
    assert getattr(move, verb)().state == state
    assert lost == [state]
    assert move.execute("SELECT count(*) FROM ojeon.events WHERE state = %s", state) == [(1,)]


@pytest.mark.parametrize("way", ["immediate shutdown", "a crashed backend"])
def test_a_server_that_goes_down_in_the_middle_of_a_batch_is_waited_for(restartable, tmp_path, monkeypatch, way):
    monkeypatch.setattr("pipeline.backfill.apply.FIRST_BATCH", 50)
    move = make(restartable.server.url, tmp_path)
    move.execute(SLEEPS.format(seconds=0.05, each="STATEMENT"))

    def break_down():
        move.wait_until(f"SELECT count(*) > 0 FROM ({SESSION} AND wait_event = 'PgSleep') asleep")
        if way == "immediate shutdown":
            restartable.stop_at_once()
            restartable.start()
        else:  # the server ends every session and recovers from its log
            ((pid,),) = move.execute(SESSION)
            os.kill(pid, signal.SIGKILL)

    with meanwhile(break_down):
        assert move.apply().state == "applied"
    is_applied(move)
    with meanwhile(break_down):
        assert move.undo().state == "undone"
    assert move.execute("SELECT count(period), count(*) FROM reservations") == [(0, ROWS)]


@contextmanager
def held(move, ids, release_after=None):
    """The application holds rows, for ever or for some seconds."""
    with psycopg.connect(move.url) as connection:
        connection.execute("SELECT FROM reservations WHERE id = ANY (%s) FOR UPDATE", (ids,))
        if release_after is None:
            yield
            connection.rollback()
            return

        def release():
            time.sleep(release_after)
            connection.rollback()

        with meanwhile(release):
            yield


@pytest.mark.parametrize("verb", ["apply", "undo"])
def test_rows_held_for_seconds_are_passed_over_and_come_last(move, verb):
    if verb == "undo":
        move.apply()
    seen = []
    with held(move, [9, 10, 11, 301], release_after=1.0):
        started = time.monotonic()
        report = getattr(move, verb)(observe=lambda batch: seen.append((time.monotonic() - started, batch)))
    assert report.state == {"apply": "applied", "undo": "undone"}[verb]
    assert any(batch.skip_locked for _, batch in seen)
    in_time = sum(batch.changed for when, batch in seen if when < 0.9)
    assert in_time == TO_FILL - 3  # 11 has a text that nobody decided
    assert sum(batch.changed for _, batch in seen) == TO_FILL
    if verb == "apply":
        is_applied(move)
        comes_back(move)


def test_rows_held_for_ever_are_told_and_left_for_the_next_start(move, monkeypatch):
    monkeypatch.setattr("pipeline.backfill.apply._FRUITLESS_SWEEPS", 2)
    monkeypatch.setattr("pipeline.backfill.undo._FRUITLESS_ROUNDS", 2)
    with held(move, [1, 2]):
        report = move.apply()
        assert (report.state, report.changed, report.left) == ("paused", TO_FILL - 2, 2)
        assert move.execute("SELECT note FROM ojeon.events WHERE state = 'paused'") == [
            ("2 rows are held by other sessions",)
        ]
    assert (move.apply().changed, move.state()) == (2, "applied")
    is_applied(move)
    with held(move, [1, 2]):
        undone = move.undo()
        assert (undone.state, undone.undone, undone.left_alone, undone.left) == ("undo_paused", TO_FILL - 2, 0, 2)
    comes_back(move)


@pytest.mark.parametrize("verb", ["apply", "undo"])
def test_a_table_locked_for_a_moment_is_waited_for(move, verb):
    if verb == "undo":
        move.apply()
    locked = threading.Event()

    def alter():
        # An idle transaction has read the table; ALTER TABLE queues behind it, and everybody else behind that.
        with psycopg.connect(move.url) as idle, psycopg.connect(move.url) as changing:
            idle.execute("SELECT count(*) FROM reservations")
            release = threading.Timer(0.8, idle.rollback)
            release.start()
            locked.set()
            changing.execute("ALTER TABLE reservations ADD another integer")
            release.join()

    def throttle(_connection):
        if not locked.is_set():
            begin.set()
            move.wait_until("SELECT count(*) > 0 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted")

    begin = threading.Event()
    with meanwhile(lambda: (begin.wait(30), alter())):
        report = getattr(move, verb)(throttle=throttle)
    assert report.state == {"apply": "applied", "undo": "undone"}[verb]
    assert move.execute("SELECT count(period), count(*) FROM reservations") == [
        (TO_FILL if verb == "apply" else 0, ROWS)
    ]


def test_a_table_locked_for_longer_than_patience_is_told(move):
    with psycopg.connect(move.url) as locking:
        locking.execute("LOCK TABLE reservations IN SHARE MODE")
        with pytest.raises(DatabaseError, match=r"another session keeps the table locked .* What was done stays done"):
            move.apply(patience=0.5)
    assert move.apply().state == "applied"
    is_applied(move)


def test_a_batch_that_outlasts_its_time_out_is_halved(move, monkeypatch):
    monkeypatch.setattr("pipeline.backfill.apply.FIRST_BATCH", 400)
    monkeypatch.setattr("pipeline.backfill.pace.MOST", 400)
    move.execute(SLEEPS.format(seconds=0.001, each="ROW"))
    sizes = []
    report = move.apply(statement_timeout=0.25, seconds=0.15, observe=lambda batch: sizes.append(batch.rows))
    assert report.state == "applied"
    assert sizes[0] <= 200
    is_applied(move)


def test_a_table_too_slow_for_the_smallest_batch_is_told(move):
    move.execute(SLEEPS.format(seconds=0.02, each="ROW"))
    with pytest.raises(DatabaseError, match=r"Even 50 rows take longer .* What was done stays done: apply again later"):
        move.apply(statement_timeout=0.2)
    move.execute("DROP TRIGGER slow ON reservations")
    assert move.apply().state == "applied"
    is_applied(move)


def test_a_full_disk_is_told_and_the_next_start_goes_on(move):
    move.execute(NO_ROOM)
    with pytest.raises(DatabaseError, match="run out of room"):
        move.apply()
    ((done,),) = move.execute("SELECT count(period) FROM reservations")
    assert 150 < done <= 225
    assert len(move.claimed()) == done
    move.execute("DROP TRIGGER no_room ON reservations")
    assert move.apply().changed == TO_FILL - done
    is_applied(move)


def test_a_server_that_turned_read_only_is_told_and_the_next_start_goes_on(move):
    name = move.execute("SELECT current_database()")[0][0]
    batches = []

    def throttle(connection):
        batches.append(1)
        if len(batches) == 4:
            connection.execute("SET default_transaction_read_only = on")

    with pytest.raises(DatabaseError, match="read-only transaction") as caught:
        move.apply(throttle=throttle)
    assert name in str(caught.value)
    assert "Nothing was" not in str(caught.value)
    assert move.execute("SELECT count(period) > 100 FROM reservations") == [(True,)]
    assert move.apply().state == "applied"
    is_applied(move)


def test_of_several_started_at_once_one_works_and_the_others_say_so(move):
    processes = [move.start("apply", "--yes") for _ in range(3)]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in processes]
    codes = sorted(code for _, code in ended)
    assert codes[0] == 0
    assert set(codes) <= {0, 2}
    assert all("Somebody else is at work" in said for said, code in ended if code == 2)
    is_applied(move)


def test_a_second_one_is_refused_while_one_is_at_work(move):
    refused = []

    def throttle(_connection):
        if not refused:
            with move.start("apply", "--yes") as second:
                refused.append((second.communicate(timeout=30)[1], second.returncode))
            with pytest.raises(UsageError, match="Somebody else is at work"):
                move.undo()

    assert move.apply(throttle=throttle).state == "applied"
    ((said, code),) = refused
    assert code == 2
    assert "another ojeon, or psql with a plan's file" in said
    is_applied(move)


def test_a_clock_that_is_a_little_ahead_does_no_harm(database, tmp_path):
    make(database, tmp_path)
    ahead = (datetime.now(UTC) + timedelta(minutes=5)).isoformat(timespec="seconds")
    move = Move(database, seal(tmp_path / "ahead", database, written_at=ahead))
    assert move.apply().state == "applied"
    is_applied(move)


def test_a_killed_client_leaves_the_turn_to_the_next(move):
    with move.start("apply", "--yes") as process:
        move.wait_until(AT_WORK, process)
        process.kill()
    assert move.wait_until(NOBODY_AT_WORK)
    assert move.apply().state == "applied"
    is_applied(move)
