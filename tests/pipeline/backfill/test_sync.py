"""Rows that arrive after a run was applied: sync decides their texts, plans those that are certain, and fills them."""

import csv
import itertools
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from live_move import DECIDED, Move, reseal, seal

from fixtures.clinic.load import create
from parsers import Policy, decide
from parsers.types import Disposition
from pipeline import arrived, manifest
from pipeline.backfill import arrivals, dual_write
from pipeline.backfill.plan import find_plan, read_plan
from pipeline.backfill.sync import sync
from pipeline.errors import UsageError
from pipeline.review_file import COLUMNS, FILE_NAME, key

RUN = "20261123-101500-3f2a"
KNOWN, NEW_MORNING, NEW_AFTERNOON, UNDECIDED, ANOTHER = "오전 10시", "오전 11시쯤", "15:30", "아무때나", "8시"
INSERT = """
INSERT INTO reservations (
    id, "patientName", phone, "birthDate", gender, "treatmentType", "preferredDate", "preferredTime", "updatedAt",
    service, period
) VALUES (%s, 'n', '0', '2000-01-01', 'F', 't', '2026-01-01', %s, now(), 'SKIN_CARE', %s)
"""


@pytest.fixture
def move(database, tmp_path):
    create(database)
    made = Move(database, seal(tmp_path / RUN, database))
    insert(made, "before", KNOWN)
    made.apply()
    return made


def insert(move, row_id, text, period=None):
    move.execute(INSERT, row_id, text, period)


def synced(move, **more):
    with move.worker(**more) as worker:
        return sync(worker, find_plan(move.folder))


def periods(move):
    return dict(move.execute("SELECT id, period FROM reservations"))


def plan(move):
    query = "SELECT raw, period, slot_start, increment FROM ojeon.plan WHERE increment > 0 ORDER BY increment, raw"
    return move.execute(query)


def events(move):
    return [note for (note,) in move.execute("SELECT note FROM ojeon.events WHERE note ~ '^sync' ORDER BY at")]


def review_lines(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_rows_that_arrived_are_settled_until_none_is_left_but_reviews(move):
    insert(move, "known", KNOWN)
    insert(move, "morning", NEW_MORNING)
    insert(move, "afternoon", NEW_AFTERNOON)
    insert(move, "own", NEW_AFTERNOON, "MORNING")
    insert(move, "own text", "16:30", "AFTERNOON")
    insert(move, "waits", UNDECIDED)
    insert(move, "waits too", UNDECIDED)
    report = synced(move)
    assert (report.state, report.texts, report.changed, report.left) == ("applied", 2, 3, 0)
    assert (report.waiting_texts, report.waiting_rows, report.broken_laws) == (1, 2, ())
    assert periods(move) == {
        "before": "MORNING",
        "known": "MORNING",
        "morning": "MORNING",
        "afternoon": "AFTERNOON",
        "own": "MORNING",
        "own text": "AFTERNOON",
        "waits": None,
        "waits too": None,
    }
    assert plan(move) == [(NEW_AFTERNOON, "AFTERNOON", "15:30", 1), (NEW_MORNING, "MORNING", "11:00", 1)]
    assert events(move) == ["sync 1: 2 texts joined the plan"]
    assert move.not_as_left() == []


def test_what_arrives_during_a_sync_is_settled_by_it(move):
    arriving = iter([("second", NEW_AFTERNOON), ("third", "16:30")])

    def observe(_batch):
        for row_id, text in itertools.islice(arriving, 1):
            insert(move, row_id, text)

    insert(move, "first", NEW_MORNING)
    report = synced(move, observe=observe)
    assert (report.texts, report.changed, report.state) == (3, 3, "applied")
    assert None not in periods(move).values()
    assert [increment for *_, increment in plan(move)] == [1, 2, 3]


def test_a_sync_with_nothing_to_do_leaves_no_trace(move):
    insert(move, "morning", NEW_MORNING)
    insert(move, "waits", UNDECIDED)
    synced(move)
    everything = (
        "SELECT (SELECT count(*) FROM ojeon.events), (SELECT count(*) FROM ojeon.batches), r.* FROM ojeon.runs r"
    )
    before, files = move.execute(everything), sorted(move.folder.rglob("*"))
    report = synced(move)
    assert (report.texts, report.changed, report.waiting_rows, report.written_down) == (0, 0, 1, ())
    assert (move.execute(everything), sorted(move.folder.rglob("*"))) == (before, files)


def test_each_text_that_waits_is_written_down_once_and_the_plan_stays_sealed(move):
    insert(move, "waits", UNDECIDED)
    first = synced(move)
    insert(move, "waits too", ANOTHER)
    insert(move, "waits thrice", ANOTHER)
    second = synced(move)
    paths = [*first.written_down, *second.written_down]
    assert [path.relative_to(move.folder).as_posix() for path in paths] == [
        "moves/review_0001.csv",
        "moves/review_0002.csv",
    ]
    (one,), (two,) = map(review_lines, paths)
    assert tuple(one) == COLUMNS
    assert (one["key"], one["text"], one["rows"], one["decision"]) == (key(RUN, UNDECIDED), UNDECIDED, "1", "")
    assert (two["key"], two["rows"], two["reason"]) == (key(RUN, ANOTHER), "2", "ambiguous_hour")
    assert set(arrived.read(move.folder)) == {(UNDECIDED, 1), (ANOTHER, 2)}
    assert manifest.verify_files(move.folder) == []
    assert read_plan(move.folder, max_age=timedelta(days=1)).run_id == RUN


def test_texts_in_the_runs_own_review_file_are_not_written_down_again(database, tmp_path):
    create(database)
    folder = seal(tmp_path / RUN, database)
    (folder / FILE_NAME).write_text(f"key,text\r\n{key(RUN, UNDECIDED)},x\r\n", encoding="utf-8-sig")
    reseal(folder)
    move = Move(database, folder)
    insert(move, "waits", UNDECIDED)
    insert(move, "new", ANOTHER)
    move.apply()
    (path,) = synced(move).written_down
    assert [line["key"] for line in review_lines(path)] == [key(RUN, ANOTHER)]


def test_the_runs_own_settings_decide(database, tmp_path, monkeypatch):
    monkeypatch.setenv("OJEON_NOON", "13:00")
    create(database)
    text = "12:30"
    assert decide(text, Policy()).period == "AFTERNOON"
    move = Move(database, seal(tmp_path / RUN, database))
    monkeypatch.setenv("OJEON_NOON", "11:00")
    move.apply()
    insert(move, "r", text)
    assert synced(move).texts == 1
    assert periods(move)["r"] == "MORNING"


def test_the_trigger_knows_at_once_what_sync_added_and_undo_takes_all_of_it_back(move):
    with move.worker() as worker:
        dual_write.install(worker.session, find_plan(move.folder), move.fills)
    insert(move, "first", NEW_MORNING)
    assert periods(move)["first"] is None
    assert synced(move).changed == 1
    insert(move, "second", NEW_MORNING)
    assert periods(move)["second"] == "MORNING"
    assert synced(move).changed == 0
    move.execute("""UPDATE reservations SET "preferredTime" = %s WHERE id = 'second'""", UNDECIDED)
    insert(move, "third", KNOWN)
    assert synced(move).waiting_rows == 1
    with psycopg.connect(move.url, autocommit=True) as connection:
        dual_write.remove(connection, move.run_id, 5)
    assert (move.undo().left_alone, set(periods(move).values())) == (1, {None})
    assert move.apply().changed == 3


def test_only_rows_that_wait_are_looked_for(move):
    for number in range(50):
        insert(move, f"r{number}", KNOWN)
    move.apply()
    insert(move, "new", NEW_MORNING)
    batches = []
    synced(move, observe=batches.append)
    assert [(batch.sweep, batch.changed) for batch in batches] == [(1, 1)]


def test_what_breaks_a_law_does_not_join_the_plan_but_known_texts_are_filled(move, monkeypatch):
    def careless(raw, policy, _words):
        decision = decide(raw, policy)
        return replace(decision, confidence=0.5) if raw == NEW_MORNING else decision

    monkeypatch.setattr(arrivals.reviewed, "decide", careless)
    insert(move, "known", KNOWN)
    insert(move, "morning", NEW_MORNING)
    report = synced(move)
    assert (report.broken_laws, report.texts, report.changed) == (("auto_confident",), 0, 1)
    assert plan(move) == []
    assert (periods(move)["known"], periods(move)["morning"]) == ("MORNING", None)


def test_a_period_that_its_start_contradicts_breaks_a_law(move):
    decision = replace(decide(NEW_MORNING, Policy()), start="15:00")
    assert decision.disposition is Disposition.AUTO
    plan_read = find_plan(move.folder)
    assert arrivals.broken_laws([arrivals.Arrival("x", 1, decision)], plan_read) == ("auto_period_fits_start",)


@pytest.mark.parametrize("state", ["planned", "cancelled", "undoing", "undo_paused", "undone"])
def test_a_run_that_is_not_applied_is_not_synced(move, state):
    move.execute("UPDATE ojeon.runs SET state = %s", state)
    with pytest.raises(UsageError, match=f"is {state}.*ojeon apply {RUN}"):
        synced(move)


def test_a_plan_of_another_version_is_not_gone_on_with(database, tmp_path, monkeypatch):
    create(database)
    monkeypatch.setattr(manifest, "versions", lambda: {"ojeon": "0.0.1"})
    move = Move(database, seal(tmp_path / RUN, database))
    move.apply()
    with pytest.raises(UsageError, match=r"decided by ojeon 0\.0\.1"):
        synced(move)


KILLED = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
from live_move import Move
from pipeline.backfill import sync
from pipeline.backfill.plan import find_plan

def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)

sync.apply = killed
move = Move(sys.argv[1], Path(sys.argv[2]))
with move.worker() as worker:
    sync.sync(worker, find_plan(move.folder))
"""


def test_killed_between_the_plan_and_the_rows_the_next_sync_fills_them(move):
    insert(move, "morning", NEW_MORNING)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", KILLED, move.url, str(move.folder)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert (len(plan(move)), periods(move)["morning"], move.state()) == (1, None, "applied")
    report = synced(move)
    assert (report.texts, report.changed, report.state) == (0, 1, "applied")
    assert events(move) == ["sync 1: 1 texts joined the plan"]


def test_joining_the_plan_twice_changes_nothing(move):
    arrival = arrivals.Arrival(NEW_MORNING, 1, decide(NEW_MORNING, Policy()))
    again = arrivals.Arrival(KNOWN, 1, decide("오후", Policy()))
    with psycopg.connect(move.url, autocommit=True) as connection:
        arrivals.add(connection, RUN, [arrival, again])
        arrivals.add(connection, RUN, [arrival])
    assert plan(move) == [(NEW_MORNING, "MORNING", "11:00", 1)]
    assert move.execute("SELECT period FROM ojeon.plan WHERE raw = %s", KNOWN) == [(DECIDED[KNOWN][0],)]
    assert events(move)[0] == "sync 1: 1 texts joined the plan"


def test_a_row_held_by_the_application_is_told_as_left(move):
    insert(move, "morning", NEW_MORNING)
    with psycopg.connect(move.url) as holder:
        holder.execute("SELECT FROM reservations WHERE id = 'morning' FOR UPDATE")
        report = synced(move)
        assert (report.state, report.left, report.changed) == ("paused", 1, 0)
    report = synced(move)
    assert (report.state, report.left, report.changed) == ("applied", 0, 1)


def test_services_alone_need_no_texts(database, tmp_path):
    create(database)
    move = Move(database, seal(tmp_path / RUN, database), fills=("service",))
    move.apply()
    insert(move, "r", NEW_MORNING)
    report = synced(move)
    assert (report.changed, report.texts, report.waiting_rows) == (1, 0, 0)
