"""Every refusal of a move: the sentence, its exit code, and that the table is as it was."""

import io
import json
import re
import socket
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import psycopg
import pytest
from live_move import Move, reseal, seal
from rich.console import Console

from pipeline.address import read_address
from pipeline.backfill import asking, evidence, ledger, session
from pipeline.backfill.plan import find_plan, read_plan
from pipeline.backfill.session import at_work
from pipeline.backfill.status import status, status_table
from pipeline.backfill.undo import refuse_undo
from pipeline.errors import OjeonError, RunError

TABLE = """
CREATE TABLE reservations (id text PRIMARY KEY, "preferredTime" text, "preferredDate" date, "createdAt" timestamp(3),
    period text, "timeSlotStart" varchar(5));
INSERT INTO reservations (id, "preferredTime") SELECT 'r' || n, '14:00' FROM generate_series(1, 9) n;
"""
RUN = "20261123-101500-3f2a"
TIMES = {"lock_timeout": 0.1, "statement_timeout": 10, "patience": 1}
CHANGES = """
CREATE FUNCTION public.change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF NEW.id = 'r9' THEN {} END IF; RETURN NEW; END $$;
CREATE TRIGGER change BEFORE UPDATE ON reservations FOR EACH ROW EXECUTE FUNCTION public.change();
"""
KEPT = (
    '1 rows are held by nobody and stay as they are whenever they are written: a trigger of "public"."reservations" '
    "keeps them so (change). Mend or disable it, then start the command again"
)
MADE_ANEW = """
CREATE TABLE made_anew (LIKE reservations INCLUDING ALL); INSERT INTO made_anew SELECT * FROM reservations;
DROP TABLE reservations; ALTER TABLE made_anew RENAME TO reservations;
"""


@pytest.fixture
def move(database, tmp_path):
    with psycopg.connect(database) as connection:
        connection.execute(TABLE)
    return Move(database, seal(tmp_path / RUN, database))


@contextmanager
def pooled(url, folder):
    """The server behind something that, like a pooler, names a process of its own to those who connect."""
    behind = psycopg.conninfo.conninfo_to_dict(url)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(folder / ".s.PGSQL.5432"))
    listening.listen()

    def serve():
        with suppress(OSError):
            while True:
                client, server = listening.accept()[0], socket.socket(socket.AF_UNIX)
                server.connect(f"{behind['host']}/.s.PGSQL.{behind.get('port', 5432)}")
                threading.Thread(target=forward, args=(client, server, lambda data: data)).start()
                threading.Thread(target=forward, args=(server, client, another_process)).start()

    threading.Thread(target=serve).start()
    try:
        yield psycopg.conninfo.make_conninfo(url, host=str(folder), port=5432)
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def forward(source, sink, change):
    with suppress(OSError), source, sink:
        while data := source.recv(1 << 16):
            sink.sendall(change(data))
        sink.shutdown(socket.SHUT_RDWR)


def another_process(data):
    """Change the process in a message BackendKeyData: K, its length, the process, the key."""
    return re.sub(
        rb"K(\0\0\0[\x0c-\x2c])....", lambda key: b"K" + key[1] + b"\x7f\0\0\1", data, count=1, flags=re.DOTALL
    )


def refusal(move, do, code):
    """What ``do`` says when it must leave the table as it was."""
    before = move.snapshot()
    with pytest.raises(OjeonError) as caught:
        do()
    said = str(caught.value)
    assert move.snapshot() == before
    assert caught.value.exit_code == code
    assert "\n" not in said
    assert "오전" not in said
    return said


def resealed(move, folder, **changes):
    return Move(move.url, seal(folder / RUN, move.url, **changes), move.fills)


def test_a_plan_that_its_own_run_refused(move, tmp_path):
    (tmp_path / "other").mkdir()
    why = "its check did not pass (see manifest.json beside it). Run again."
    refused = resealed(move, tmp_path / "other", apply="refused", why=why)
    assert refusal(refused, refused.apply, 2) == f"The plan in {refused.folder} is not to be applied: {why}"


@pytest.mark.parametrize("name", ["dictionary.jsonl", "manifest.json"])
def test_a_plan_edited_by_one_byte_whichever(move, name):
    path = move.folder / name
    content = path.read_bytes()
    for position, byte in enumerate(content):
        path.write_bytes(content[:position] + bytes([byte ^ (1 << position % 8)]) + content[position + 1 :])
        with pytest.raises(OjeonError, match=r"Put the files back, or plan again|Start a new run with `ojeon run`"):
            read_plan(move.folder, max_age=timedelta(days=7))
    path.write_bytes(content.replace(b"MORNING", b"MORNIN6", 1).replace(b"allowed", b"ALLOWED", 1))
    assert refusal(move, move.apply, 2) == (
        f"The plan in {move.folder} is not as its run left it ({name}: changed), and a plan never changes. "
        "Put the files back, or plan again with `ojeon run`."
    )


def test_a_plan_that_its_run_refused_and_somebody_allowed(move, tmp_path):
    (tmp_path / "other").mkdir()
    refused = resealed(move, tmp_path / "other", apply="refused", why="its check did not pass.")
    path = refused.folder / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"refused"', '"allowed"'), encoding="utf-8")
    assert "(manifest.json: changed), and a plan never changes" in refusal(refused, refused.apply, 2)


def test_a_plan_whose_file_and_hash_were_both_changed(move):
    path = move.folder / "dictionary.jsonl"
    edited = path.read_bytes().replace(b"MORNING", b"AFTERNOON")
    path.write_bytes(edited)
    sealed = json.loads((move.folder / "manifest.json").read_text(encoding="utf-8"))
    sealed["files"]["dictionary.jsonl"] = {"sha256": sha256(edited).hexdigest(), "bytes": len(edited)}
    (move.folder / "manifest.json").write_text(json.dumps(sealed, ensure_ascii=False, indent=2), encoding="utf-8")
    assert "(manifest.json: changed), and a plan never changes" in refusal(move, move.apply, 2)


@pytest.mark.parametrize("missing", ["run", "settings", "source", "plan", "written_at"])
def test_a_manifest_that_lacks_what_a_run_writes_into_it(move, missing):
    content = json.loads((move.folder / "manifest.json").read_text(encoding="utf-8"))
    del content[missing]
    (move.folder / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(RunError, match=r"manifest\.json lacks what a run writes into it .* Put the file back"):
        find_plan(move.folder)


@pytest.mark.parametrize(("ahead", "shown"), [(timedelta(minutes=50), "50 minutes"), (timedelta(days=900), "900 days")])
def test_a_plan_from_the_future(move, tmp_path, ahead, shown):
    (tmp_path / "other").mkdir()
    written = (datetime.now(UTC) + ahead).isoformat(timespec="seconds")
    early = resealed(move, tmp_path / "other", written_at=written)
    assert refusal(early, early.apply, 2) == (
        f"The plan in {early.folder} was written {shown} in the future by this machine's clock, so nobody can tell how "
        "old it is. Set the clock that is wrong; if it was that of the run, plan again with `ojeon run`."
    )


def test_a_copy_that_was_restored_under_the_same_name(move, tmp_path):
    (tmp_path / "other").mkdir()
    source = json.loads((move.folder / "manifest.json").read_text(encoding="utf-8"))["source"]
    ((oid,),) = move.execute("SELECT oid::bigint FROM pg_database WHERE datname = current_database()")
    other = resealed(move, tmp_path / "other", source=source | {"database_oid": oid + 1})
    assert refusal(other, other.apply, 2) == (
        f"The database {source['database']} was made anew since the run read it (restored from a copy, perhaps), so "
        "the plan is about another one of that name. Plan again here with `ojeon run`."
    )
    (tmp_path / "same").mkdir()
    assert resealed(move, tmp_path / "same", source=source | {"database_oid": oid}).apply().changed == 9


def test_a_plan_with_files_added_and_missing(move):
    (move.folder / "dictionary.jsonl").unlink()
    for number in range(4):
        (move.folder / f"{number}.sql").touch()
    assert "(0.sql: added; 1.sql: added; 2.sql: added and 2 more)" in refusal(move, move.apply, 2)


def test_a_plan_without_its_dictionary(move):
    (move.folder / "dictionary.jsonl").unlink()
    reseal(move.folder)
    said = refusal(move, move.apply, 4)
    assert said.endswith("dictionary.jsonl cannot be read (FileNotFoundError). Plan again with `ojeon run`.")
    assert move.execute("SELECT count(*) FROM ojeon.runs") == [(0,)]


@pytest.mark.parametrize(
    ("age", "limit", "sentence"),
    [
        (timedelta(days=8), timedelta(days=7), "is 8 days old, and no plan older than 7 days is applied"),
        (timedelta(hours=30), timedelta(hours=24), "is 30 hours old, and no plan older than 24 hours is applied"),
    ],
)
def test_a_plan_that_is_too_old(move, tmp_path, age, limit, sentence):
    (tmp_path / "other").mkdir()
    written = (datetime.now(UTC) - age).isoformat(timespec="seconds")
    old = resealed(move, tmp_path / "other", written_at=written)
    said = refusal(move, lambda: read_plan(old.folder, max_age=limit), 2)
    assert sentence in said
    assert said.endswith("Plan again with `ojeon run`, or allow it with --max-age-days.")
    assert read_plan(old.folder, max_age=age + timedelta(minutes=1)).run_id == RUN


@pytest.mark.parametrize(
    ("differs", "of_another_server"), [({"database": "another"}, False), ({"system_identifier": "7"}, True)]
)
def test_a_plan_of_another_database(move, tmp_path, differs, of_another_server):
    (tmp_path / "other").mkdir()
    manifest = json.loads((move.folder / "manifest.json").read_text(encoding="utf-8"))
    other = resealed(move, tmp_path / "other", source=manifest["source"] | differs)
    said = refusal(move, other.apply, 2)
    assert "The plan was made for the database" in said
    assert ("of another server" in said) is of_another_server
    assert said.endswith("Give the address of that database, or plan again here with `ojeon run`.")
    assert move.execute("SELECT to_regclass('ojeon.runs')") == [(None,)]


def test_a_run_begun_by_its_files(move):
    move.execute("CREATE SCHEMA ojeon; CREATE TABLE ojeon.file_batches (run_id text, changed jsonb)")
    move.execute("""INSERT INTO ojeon.file_batches VALUES (%s, '{}'), ('another', '{"r1": "7"}')""", RUN)
    move.execute("""INSERT INTO ojeon.file_batches VALUES (%s, '{"r1": "7"}')""", RUN)
    assert refusal(move, move.apply, 2) == (
        f"Rows of this run were filled by its files (psql, {move.folder}/updates). Go on with the files, or take them "
        f"back with {move.folder}/undo/*.sql first."
    )
    move.execute("UPDATE ojeon.file_batches SET changed = '{}' WHERE run_id = %s", RUN)
    assert move.apply().changed == 9


def test_a_run_begun_to_fill_something_else(move):
    move.apply()
    other = Move(move.url, move.folder, ("period", "slot"))
    assert refusal(move, other.apply, 2) == (
        f"The run {RUN} was begun to fill period, now period, slot is asked. Go on with the first, or undo the run "
        "before."
    )


def test_a_plan_other_than_the_one_in_the_ledger(move, tmp_path):
    move.apply()
    (tmp_path / "other").mkdir()
    other = resealed(move, tmp_path / "other", decided={"14:00": ("MORNING", None)})
    said = refusal(move, other.apply, 2)
    assert said.startswith(f"The ledger knows a plan of the run {RUN} that is not the one in {other.folder}")


def test_a_table_made_anew_since_the_first_batch(move):
    move.apply()
    move.execute(MADE_ANEW)
    said = refusal(move, move.apply, 2)
    assert 'about another table than today\'s "public"."reservations"' in said
    with move.start("undo", "--yes") as process:
        said = process.communicate(timeout=30)[1]
    assert process.returncode == 2
    assert 'The ledger speaks of another table than today\'s "public"."reservations"' in said
    assert move.execute("SELECT count(period) FROM reservations") == [(9,)]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ('RENAME "preferredTime" TO wish', "has no column 'preferredTime'"),
        ("RENAME period TO half", 'There is no column \'period\' of "public"."reservations" yet'),
        ("RENAME id TO key", "has no column 'id'"),
        ("RENAME TO bookings", 'There is no table "public"."reservations"'),
    ],
)
@pytest.mark.parametrize("begun", [False, True])
def test_a_column_or_the_table_renamed_between_run_and_apply(move, change, sentence, begun):
    if begun:
        move.apply()
    before = move.snapshot()
    move.execute(f"ALTER TABLE reservations {change}")
    with pytest.raises(OjeonError) as caught:
        move.apply()
    assert sentence in str(caught.value)
    assert caught.value.exit_code == 4
    back = {"RENAME TO": "ALTER TABLE bookings RENAME TO reservations"}
    names = change.removeprefix("RENAME ").split(" TO ")
    undo_it = f"ALTER TABLE reservations RENAME {names[-1]} TO {names[0]}" if len(names) == 2 else back["RENAME TO"]
    move.execute(undo_it)
    assert move.snapshot() == before


@pytest.fixture
def reader(move):
    """The same plan by a role that may read the table and nothing else."""
    name = f"reader_{move.execute('SELECT pg_backend_pid()')[0][0]}"
    move.execute(f"CREATE ROLE {name} LOGIN")
    move.execute(f"GRANT SELECT ON reservations TO {name}")
    yield Move(psycopg.conninfo.make_conninfo(move.url, user=name), move.folder)
    move.execute(f"DROP OWNED BY {name}")
    move.execute(f"DROP ROLE {name}")


def test_no_right_to_make_the_ledger_or_to_write_the_table(move, reader):
    said = refusal(move, reader.apply, 4)
    assert "the role lacks a right (permission denied for database" in said
    name = reader.execute("SELECT current_user")[0][0]
    move.execute(f"GRANT CREATE ON DATABASE {move.execute('SELECT current_database()')[0][0]} TO {name}")
    said = refusal(move, reader.apply, 4)
    assert "the role lacks a right (permission denied for table reservations). Ask for it, or connect as" in said
    move.execute(f"GRANT UPDATE ON reservations TO {name}")
    assert reader.apply().changed == 9


def test_no_right_to_read_the_table(move, reader):
    name = reader.execute("SELECT current_user")[0][0]
    move.execute(f"REVOKE SELECT ON reservations FROM {name}")
    said = refusal(move, reader.apply, 4)
    assert f"The role {name} may not read" in said


def test_a_ledger_that_everybody_may_write(move):
    with psycopg.connect(move.url, autocommit=True) as connection:
        ledger.create(connection)
    move.execute("GRANT INSERT ON ojeon.batches TO PUBLIC")
    said = refusal(move, move.apply, 4)
    assert said.startswith("Everybody may write the ledger in the schema ojeon, so it cannot be trusted.")


@pytest.mark.parametrize("body", ["NEW.period = 'MORNING';", "NEW.period = NULL;"])
def test_a_trigger_that_changes_what_is_written(move, body):
    move.execute(CHANGES.format(body))
    assert refusal(move, move.apply, 4) == (
        'A trigger of "public"."reservations" changes what this plan writes, so the batch was taken back. Mend or '
        "disable the trigger, then apply again; what was done before stays done."
    )
    assert move.claimed() == []
    move.execute("ALTER TABLE reservations DISABLE TRIGGER change")
    assert move.apply().changed == 9
    move.execute(CHANGES.format("NEW.period = 'MORNING';").replace("change", "back"))
    said = refusal(move, move.undo, 4)
    assert "changes what undo writes, so the batch was taken back" in said
    move.execute("DROP TRIGGER back ON reservations")
    assert move.undo().undone == 9


def test_a_trigger_that_keeps_a_row_from_being_written(move, monkeypatch):
    monkeypatch.setattr("pipeline.backfill.apply._FRUITLESS_SWEEPS", 1)
    move.execute(CHANGES.format("RETURN NULL;"))
    report = move.apply()
    assert (report.state, report.changed, report.left) == ("paused", 8, 1)
    assert report.why_left == KEPT
    assert move.execute("SELECT note FROM ojeon.events WHERE state = 'paused'") == [(KEPT,)]
    assert len(move.claimed()) == 8
    with psycopg.connect(move.url) as holder:
        holder.execute("INSERT INTO reservations (id, \"preferredTime\") VALUES ('held', '14:00')")
        holder.commit()
        holder.execute("SELECT FROM reservations WHERE id = 'held' FOR UPDATE")
        assert move.apply().why_left == f"1 rows are held by other sessions; {KEPT}"
    move.execute("DROP TRIGGER change ON reservations")
    assert move.apply().changed == 2
    move.execute(CHANGES.format("RETURN NULL;").replace("change", "keep"))
    monkeypatch.setattr("pipeline.backfill.undo._FRUITLESS_ROUNDS", 1)
    report = move.undo()
    assert (report.state, report.undone, report.left) == ("undo_paused", 9, 1)
    assert report.why_left == KEPT.replace("(change)", "(keep)")
    move.execute("DROP TRIGGER keep ON reservations")
    assert move.undo().undone == 1


def test_a_constraint_that_forbids_what_is_written(move):
    move.execute("ALTER TABLE reservations ADD CONSTRAINT odd CHECK (period IS NULL OR id <> 'r9')")
    said = refusal(move, move.apply, 4)
    assert "a constraint of the table forbids what was to be written (new row for relation" in said
    assert "Mend row or constraint. What was done stays done: start the same command again to go on." in said


def test_a_run_nobody_began_here(move):
    with psycopg.connect(move.url, autocommit=True) as connection:
        for question in (asking.pause, asking.resume, asking.cancel):
            said = refusal(move, lambda question=question: question(connection, "another"), 2)
            assert said.startswith("This database knows nothing of the run another: it was never applied here.")


@pytest.mark.parametrize(
    ("state", "question", "sentence"),
    [
        ("planned", "pause", f"The run {RUN} is planned: there is nothing to pause."),
        ("applied", "pause", f"The run {RUN} is applied: there is nothing to pause."),
        ("applied", "resume", f"The run {RUN} is applied, not paused."),
        ("paused", "resume", f"The process that paused {RUN} is gone. Go on with: ojeon apply {RUN}"),
        ("undo_paused", "resume", f"The process that paused {RUN} is gone. Go on with: ojeon undo {RUN}"),
        ("undone", "cancel", f"The run {RUN} is undone: there is nothing to cancel."),
        ("applied", "cancel", f"The run {RUN} is applied: there is nothing to cancel."),
    ],
)
def test_what_cannot_be_asked_of_a_run(move, state, question, sentence):
    with move.worker():
        pass
    move.execute("UPDATE ojeon.runs SET state = %s", state)
    with psycopg.connect(move.url, autocommit=True) as connection:
        assert refusal(move, lambda: getattr(asking, question)(connection, RUN), 2) == sentence
    assert move.state() == state


@pytest.mark.parametrize(("state", "verb"), [("applying", "apply"), ("undoing", "undo")])
def test_resuming_what_was_asked_to_pause_and_died_before(move, state, verb):
    with move.worker():
        pass
    move.execute("UPDATE ojeon.runs SET state = %s, asked = 'pause'", state)
    said = f"The process asked to pause {RUN} ended before it did is gone. Go on with: ojeon {verb} {RUN}"
    said = said.replace(" is gone", "")
    # Somebody is at work, but on another run.
    with psycopg.connect(move.url, autocommit=True) as connection, at_work(read_address(move.url), "public", **TIMES):
        assert refusal(move, lambda: asking.resume(connection, RUN), 2) == said
        standing = status(connection, RUN)
    (run,) = standing.runs
    assert (standing.at_work, run.at_work, run.go_on) == (True, False, f"ojeon {verb} {RUN}")
    screen = Console(file=io.StringIO(), width=200)
    screen.print(status_table(standing))
    assert f"{state} (asked to pause) (no process)" in screen.file.getvalue()
    assert f"The process of {RUN} is gone. Go on with: ojeon {verb} {RUN}" in screen.file.getvalue()


def test_a_worker_is_told_from_a_dead_one_until_it_ends(move):
    seen = []

    def throttle(_connection):
        with psycopg.connect(move.url, autocommit=True) as connection:
            (run,) = status(connection, RUN).runs
            seen.append((run.state, run.at_work, run.go_on))
            seen.append(asking.pause(connection, RUN))
            seen.append(asking.resume(connection, RUN))

    move.apply(throttle=throttle)
    assert seen[:3] == [
        ("applying", True, None),
        f"The worker of {RUN} pauses after its batch. Let it go on with: ojeon resume {RUN}",
        f"The worker of {RUN} goes on; it had not paused yet.",
    ]
    with psycopg.connect(move.url, autocommit=True) as connection:
        (run,) = status(connection, RUN).runs
        assert (run.state, run.at_work, run.go_on) == ("applied", False, None)


def test_asking_in_the_very_moment_in_which_the_run_ends(move, monkeypatch):
    move.apply()
    move.execute("UPDATE ojeon.runs SET state = 'applying'")

    def ends(_connection, run_id):
        move.execute("UPDATE ojeon.runs SET state = 'applied' WHERE run_id = %s", run_id)
        return True

    monkeypatch.setattr(asking, "works_on", ends)
    with psycopg.connect(move.url, autocommit=True) as connection:
        said = refusal(move, lambda: asking.cancel(connection, RUN), 2)
    assert said == f"The run {RUN} was applying and became applied just now. See `ojeon status`."
    assert move.execute("SELECT asked FROM ojeon.runs") == [(None,)]


@pytest.mark.parametrize("lock_timeout", [1.0, 30.0])
def test_a_lock_time_out_that_makes_the_application_the_deadlocks_victim(move, lock_timeout):
    said = refusal(move, lambda: move.apply(lock_timeout=lock_timeout), 2)
    assert said == (
        f"A batch that waits {lock_timeout:g} s for a row outlasts this server's deadlock_timeout of 1 s, and then the "
        "application may be the one that is cut off. Set OJEON_MOVE__LOCK_TIMEOUT below 1."
    )
    name = move.execute("SELECT current_database()")[0][0]
    move.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '2s'")
    if lock_timeout < 2:
        assert move.apply(lock_timeout=lock_timeout).changed == 9


def test_a_standby(move, monkeypatch):
    monkeypatch.setattr(session, "_SERVER", session._SERVER.replace("pg_is_in_recovery()", "true"))
    said = refusal(move, move.apply, 2)
    assert "is a standby, and only its primary can be written. Give the primary's address, or all of them with" in said
    assert move.execute("SELECT to_regclass('ojeon.runs')") == [(None,)]


def test_a_pooler_in_front_of_the_server(move, database, tmp_path):
    with pooled(database, tmp_path) as url:
        behind = Move(url, move.folder)
        said = refusal(move, behind.apply, 2)
    assert "stands a pooler (PgBouncer, perhaps), which may give each transaction to another session" in said
    assert said.endswith("Give the address of the PostgreSQL server.")


def test_a_ledger_of_another_version(move):
    move.apply()
    assert move.execute("SELECT version FROM ojeon.ledger") == [(1,)]
    move.execute("UPDATE ojeon.ledger SET version = 7")
    sentence = (
        "The ledger in the schema ojeon is of version 7, and this ojeon knows version 1 only. Go on with the ojeon "
        "that wrote it, or a newer one."
    )
    with psycopg.connect(move.url, autocommit=True) as connection:
        for do in (
            move.apply,
            move.undo,
            lambda: status(connection, None),
            lambda: asking.pause(connection, RUN),
            lambda: evidence._run(connection, RUN),
        ):
            assert refusal(move, do, 2) == sentence


def test_a_ledger_from_before_versions_gets_its_number(move):
    move.apply()
    move.execute("DROP TABLE ojeon.ledger")
    assert move.undo().undone == 9
    assert move.execute("SELECT version FROM ojeon.ledger") == [(1,)]


def test_what_was_never_applied_cannot_be_undone(move):
    with move.worker():
        pass
    assert refusal(move, move.undo, 2) == (
        f"The run {RUN} is planned; undoing can follow applied, applying, cancelled, paused, undo_paused, undoing "
        f"only. See `ojeon status {RUN}`."
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Nobody can be asked here: give --yes to go ahead, or --dry-run to see the SQL."),
        (("--yes", "--max-age-days", "0"), "Setting move.max_age_days, from a flag, is wrong"),
        (("--yes", "--fill", "name"), "Setting move.fill.0, from a flag, is wrong"),
    ],
)
def test_a_command_that_cannot_go_ahead_says_so_in_one_sentence(move, arguments, sentence):
    with move.start("apply", *arguments) as process:
        out, said = process.communicate(timeout=30)
    assert (process.returncode, out) == (2, "")
    assert sentence in said
    assert "Traceback" not in said
    assert move.execute("SELECT count(period), to_regclass('ojeon.runs') FROM reservations") == [(0, None)]


def test_a_second_cycle_counts_its_own_rows(move):
    for _ in range(2):
        assert move.apply().changed == 9
        assert move.undo().undone == 9
    with psycopg.connect(move.url) as connection:
        [run] = status(connection, RUN).runs
        assert (run.standing, run.changed, run.undone, run.rows_per_second) == (0, 18, 18, None)
        said = refusal(move, lambda: refuse_undo(connection, RUN), 2)
    assert said.startswith(f"The run {RUN} is undone; undoing can follow")
