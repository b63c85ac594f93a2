"""An application that hammers the table while it is moved, and a log, kept by the database, of every change of a row.

The log is written by triggers of its own: who changed a row, what they sent, and what came of it. Afterwards each
change is held against the law for it.
"""

import random
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import psycopg
import pytest
from live_move import DECIDED, UNDECIDED, Move, seal

from pipeline.address import read_address
from pipeline.backfill import dual_write
from pipeline.backfill.plan import read_plan
from pipeline.backfill.session import at_work

ROWS, WRITERS = 1_500, 3
TEXTS = [*DECIDED, *UNDECIDED]
TABLE = """
CREATE TABLE reservations (id integer PRIMARY KEY, "preferredTime" text, "preferredDate" date, "createdAt" timestamp(3),
    period text CHECK (period IN ('MORNING', 'AFTERNOON')), note integer NOT NULL DEFAULT 0)
"""
FILL = """
INSERT INTO reservations (id, "preferredTime")
SELECT n, (%(texts)s::text[])[n %% cardinality(%(texts)s) + 1] FROM generate_series(1, %(rows)s) n
"""
LOG = """
CREATE TABLE log (seq bigserial, who text, op text, id integer, old jsonb, sent jsonb, new jsonb);
CREATE FUNCTION public.aa_sent() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM set_config('log.sent', to_jsonb(NEW)::text, true); RETURN NEW; END $$;
CREATE FUNCTION public.became() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    INSERT INTO public.log (who, op, id, old, sent, new) VALUES (current_setting('application_name'), TG_OP,
        coalesce(NEW.id, OLD.id), to_jsonb(OLD), nullif(current_setting('log.sent', true), '')::jsonb, to_jsonb(NEW));
    RETURN NULL;
END $$;
CREATE TRIGGER aa_sent BEFORE INSERT OR UPDATE ON reservations FOR EACH ROW EXECUTE FUNCTION public.aa_sent();
CREATE TRIGGER became AFTER INSERT OR UPDATE OR DELETE ON reservations FOR EACH ROW EXECUTE FUNCTION public.became();
"""
# A row that the application emptied and the move filled once more has two lines; the later one holds.
STANDING = """
SELECT r.id FROM (SELECT writer, unnest(ids)::integer AS id FROM ojeon.batches) line
JOIN reservations r ON r.id = line.id AND r.xmin::text = line.writer
"""
INSERT = 'INSERT INTO reservations (id, "preferredTime", period) VALUES (%(id)s, %(text)s, {}) ON CONFLICT DO NOTHING'
WRITES = {
    INSERT.format("NULL"): 4,
    INSERT.format("%(period)s"): 2,
    'UPDATE reservations SET "preferredTime" = %(text)s WHERE id = %(id)s': 6,
    "UPDATE reservations SET period = %(period)s WHERE id = %(id)s": 6,
    'UPDATE reservations SET "preferredTime" = %(text)s, period = %(period)s WHERE id = %(id)s': 3,
    "UPDATE reservations SET note = note + 1 WHERE id = %(id)s": 6,
    "DELETE FROM reservations WHERE id = %(id)s": 2,
}


class Change(NamedTuple):
    who: str
    op: str
    old: dict[str, Any] | None
    sent: dict[str, Any] | None
    new: dict[str, Any] | None


def plan(row):
    return DECIDED.get(row["preferredTime"], (None,))[0]


@pytest.fixture
def move(database, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.backfill.apply.FIRST_BATCH", 50)
    monkeypatch.setattr("pipeline.backfill.pace.MOST", 50)
    with psycopg.connect(database) as connection:
        connection.execute(TABLE)
        connection.execute(FILL, {"texts": TEXTS, "rows": ROWS})
        connection.execute(LOG)
    return Move(database, seal(tmp_path / "20261123-101500-3f2a", database))


@contextmanager
def traffic(move):
    """Writers at work; what the database refuses them fails the test."""
    stop, refused, written = threading.Event(), [], [0] * WRITERS

    def write(number):
        chance = random.Random(number)  # noqa: S311 - invented traffic, no secret
        with psycopg.connect(move.url, autocommit=True, application_name="clinic") as connection:
            while not stop.is_set():
                try:
                    transaction(connection, chance)
                    written[number] += 1
                except psycopg.Error as error:
                    refused.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.1)
        yield
        time.sleep(0.1)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert refused == []
    assert min(written) > 50


def transaction(connection, chance):
    """One statement, or two that stay or are taken back together."""
    statements = chance.choices(list(WRITES), weights=WRITES.values(), k=chance.choice((1, 1, 1, 2)))
    first = chance.randint(1, ROWS * 11 // 10)
    with connection.transaction(force_rollback=chance.random() < 0.1):
        for place, statement in enumerate(statements):
            period = chance.choice(("MORNING", "AFTERNOON", None))
            connection.execute(statement, {"id": first + place, "text": chance.choice(TEXTS), "period": period})


def changes_of(move):
    """Every row's changes, in their order."""
    changes = defaultdict(list)
    for row_id, *change in move.execute("SELECT id, who, op, old, sent, new FROM log ORDER BY seq"):
        changes[row_id].append(Change(*change))
    return changes


def expected(change, *, with_trigger):
    """The period that must come of what the application sent."""
    old, sent = change.old, change.sent
    filled = plan(sent) if with_trigger else None
    if change.op == "INSERT":
        return sent["period"] or filled
    told = sent["period"] != old["period"]
    if told or sent["preferredTime"] == old["preferredTime"] or not with_trigger:
        return sent["period"]
    return filled if old["period"] in (None, plan(old)) else old["period"]


def is_lawful(changes, *, with_trigger):
    for history in changes.values():
        for before, change in zip([None, *history], history, strict=False):
            if before is not None:
                assert before.new == change.old  # nothing happened to the row that the log does not know
            if change.who == "ojeon":
                assert change.op == "UPDATE"
                assert change.old["period"] is None
                assert change.new == change.old | {"period": plan(change.old)}
                assert change.new["period"] is not None
            elif change.op != "DELETE":
                assert change.new == change.sent | {"period": expected(change, with_trigger=with_trigger)}


def table_is_as_logged(move, changes):
    rows = {row["id"]: row for (row,) in move.execute("SELECT to_jsonb(r) FROM reservations r")}
    last = {row_id: history[-1].new for row_id, history in changes.items()}
    assert rows == {row_id: row for row_id, row in rows.items() if row_id not in last} | {
        row_id: row for row_id, row in last.items() if row is not None
    }
    return rows


def test_rows_that_arrive_behind_the_cursor_are_found_by_a_sweep(move):
    arrivals, sweeps = iter(["14:00", "아무때나", "오후"]), []

    def throttle(_connection):
        if sweeps and (text := next(arrivals, None)):
            move.execute('INSERT INTO reservations (id, "preferredTime") VALUES (-%s, %s)', len(sweeps), text)

    report = move.apply(throttle=throttle, observe=lambda batch: sweeps.append((batch.sweep, batch.changed)))
    assert (report.state, report.left) == ("applied", 0)
    assert sweeps[-1] == (1, 2)
    assert move.execute("SELECT id, period FROM reservations WHERE id < 0 ORDER BY id") == [
        (-3, "AFTERNOON"),
        (-2, None),
        (-1, "AFTERNOON"),
    ]


@pytest.mark.parametrize("with_trigger", [False, True])
def test_nothing_the_application_writes_is_lost_or_written_over(move, with_trigger):
    if with_trigger:
        times = {"lock_timeout": 0.1, "statement_timeout": 10, "patience": 10}
        with at_work(read_address(move.url), "public", **times) as session:
            dual_write.install(session, read_plan(move.folder, max_age=timedelta(days=7)), move.fills)
    with traffic(move):
        assert move.apply(throttle=lambda _connection: time.sleep(0.02)).state == "applied"
    assert move.apply().state == "applied"
    changes = changes_of(move)
    is_lawful(changes, with_trigger=with_trigger)
    rows = table_is_as_logged(move, changes)
    assert not [row for row in rows.values() if row["period"] is None and plan(row) is not None]
    assert sum(change.who == "ojeon" for history in changes.values() for change in history) > ROWS / 3
    if with_trigger:
        present_or_own(rows, changes)
        with psycopg.connect(move.url, autocommit=True) as connection:
            assert dual_write.remove(connection, move.run_id, 10)
    undone_is_exactly_what_stood(move)


def present_or_own(rows, changes):
    """Every period is the plan's for the text that is there now, or the one that the application wrote last."""
    for row_id, row in rows.items():
        wrote = [
            change.sent["period"]
            for change in changes[row_id]
            if change.who == "clinic" and change.sent and change.sent["period"] != (change.old or {}).get("period")
        ]
        assert row["period"] in (plan(row), *wrote[-1:])


def undone_is_exactly_what_stood(move):
    move.execute("TRUNCATE log")
    before = {row["id"]: row for (row,) in move.execute("SELECT to_jsonb(r) FROM reservations r")}
    standing = {row_id for (row_id,) in move.execute(STANDING)}
    with traffic(move):
        report = move.undo(throttle=lambda _connection: time.sleep(0.01))
    assert report.state == "undone"
    changes = changes_of(move)
    for row_id, history in changes.items():
        for number, change in enumerate(history):
            if change.who == "ojeon":
                assert number == 0  # the application had not touched the row since
                assert row_id in standing
                assert change.old == before[row_id]
                assert change.new == change.old | {"period": None}
    emptied = {row_id for row_id, history in changes.items() if history[0].who == "ojeon"}
    assert report.undone == len(emptied) > 0
    assert standing <= set(changes)  # emptied, or the application was there first
    assert report.left_alone > 0
    assert move.claimed() == []
    table_is_as_logged(move, changes)
