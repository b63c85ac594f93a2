"""The trigger that fills rows as an application writes them, beside that application and on a real PostgreSQL."""

import threading
import time
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_move import DECIDED, Move, seal
from psycopg import sql

from fixtures.clinic.load import create
from pipeline.address import read_address
from pipeline.backfill import dual_write
from pipeline.backfill.batch import fill_statement
from pipeline.backfill.plan import read_plan
from pipeline.backfill.session import at_work
from pipeline.errors import DatabaseError, UsageError
from pipeline.settings import TableNames

MORNING, AFTERNOON, WORD_ONLY, UNKNOWN = "오전 10시", "14:00", "오후", "아무때나"
RUN = "20261123-101500-3f2a"
COLUMNS = ("period", "timeSlotStart", "serviceId", "serviceName", "estimatedDuration")
INSERT = """
INSERT INTO reservations (
    id, "patientName", phone, "birthDate", gender, "treatmentType", "preferredDate", "preferredTime", "updatedAt",
    service{}
) VALUES (%s, 'n', '0', '2000-01-01', 'F', 't', '2026-01-01', %s, now(), 'SKIN_CARE'{})
"""
INSERT_WITH_PERIOD = INSERT.format(", period", ", %s")
INSERT = INSERT.format("", "")
ENUM = """
CREATE TYPE "Period" AS ENUM ('MORNING', 'AFTERNOON');
ALTER TABLE reservations DROP COLUMN period, ADD COLUMN period "Period";
"""
OBJECTS = """
SELECT 'trigger', tgname::text FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', proname::text FROM pg_proc WHERE pronamespace = to_regnamespace('ojeon')
"""


@pytest.fixture
def move(database, tmp_path):
    create(database)
    return Move(database, seal(tmp_path / RUN, database))


def plan_of(move):
    return read_plan(move.folder, max_age=timedelta(days=7))


def install(move, patience=10.0):
    times = {"lock_timeout": 0.1, "statement_timeout": 10, "patience": patience}
    with at_work(read_address(move.url), move.names.table_schema, **times) as session:
        return dual_write.install(session, plan_of(move), move.fills)


def remove(move, patience=10.0):
    with psycopg.connect(move.url, autocommit=True, options="-c statement_timeout=20s") as connection:
        return dual_write.remove(connection, move.run_id, patience)


def status(move):
    with psycopg.connect(move.url, autocommit=True) as connection:
        return dual_write.status(connection)


def insert(move, row_id, text, period=None):
    if period is None:
        move.execute(INSERT, row_id, text)
    else:
        move.execute(INSERT_WITH_PERIOD, row_id, text, period)


def update(move, row_id, **columns):
    sets = ", ".join(f'"{column}" = %s' for column in columns)
    move.execute(f"UPDATE reservations SET {sets} WHERE id = %s", *columns.values(), row_id)


def row(move, row_id, *columns):
    named = ", ".join(f'"{column}"' for column in columns or ("period",))
    return move.execute(f"SELECT {named} FROM reservations WHERE id = %s", row_id)[0]


@pytest.mark.parametrize("prelude", ["SELECT", ENUM], ids=["text", "enum"])
def test_an_insert_is_filled_where_its_text_is_known_and_its_period_empty(move, prelude):
    move.execute(prelude)
    assert install(move)
    insert(move, "known", MORNING)
    insert(move, "unknown", UNKNOWN)
    insert(move, "another spelling", MORNING + " ")
    insert(move, "own", MORNING, "AFTERNOON")
    filled = dict(move.execute("SELECT id, period::text FROM reservations"))
    assert filled == {"known": "MORNING", "unknown": None, "another spelling": None, "own": "AFTERNOON"}
    update(move, "known", preferredTime=AFTERNOON)
    assert row(move, "known") == ("AFTERNOON",)


# The period before, the text before, what the application then writes, the period after.
UPDATES = {
    "known to known": (None, MORNING, {"preferredTime": AFTERNOON}, "AFTERNOON"),
    "known to unknown": (None, MORNING, {"preferredTime": UNKNOWN}, None),
    "unknown to known": (None, UNKNOWN, {"preferredTime": MORNING}, "MORNING"),
    "the application's own period": ("AFTERNOON", MORNING, {"preferredTime": WORD_ONLY}, "AFTERNOON"),
    "its own period, then an unknown text": ("AFTERNOON", MORNING, {"preferredTime": UNKNOWN}, "AFTERNOON"),
    "its own period for an unknown text": ("AFTERNOON", UNKNOWN, {"preferredTime": MORNING}, "AFTERNOON"),
    "period in the same statement": (None, MORNING, {"preferredTime": AFTERNOON, "period": None}, None),
    "the other period in it": (None, AFTERNOON, {"preferredTime": WORD_ONLY, "period": "MORNING"}, "MORNING"),
    "the same text": ("AFTERNOON", MORNING, {"preferredTime": MORNING}, "AFTERNOON"),
    "the period alone": (None, MORNING, {"period": None}, None),
    "other columns": (None, MORNING, {"status": "CONFIRMED"}, "MORNING"),
}


@pytest.mark.parametrize("case", UPDATES)
def test_an_update_of_the_text_moves_only_a_period_that_was_the_plans(move, case):
    before, text, columns, after = UPDATES[case]
    install(move)
    insert(move, "r", text, before)
    update(move, "r", **columns)
    assert row(move, "r") == (after,)


def test_what_was_emptied_stays_empty_while_the_text_stays(move):
    install(move)
    insert(move, "r", MORNING)
    update(move, "r", period=None)
    update(move, "r", status="CONFIRMED", preferredTime=MORNING)
    assert row(move, "r") == (None,)


def test_slot_and_service_are_filled_like_apply_fills_them(move):
    move = replace(move, fills=("period", "slot", "service"))
    install(move)
    insert(move, "r", MORNING)
    insert(move, "own period", MORNING, "AFTERNOON")
    (service,) = move.execute(
        """SELECT id, name, "durationMinutes" + "bufferMinutes" FROM services WHERE code = 'SKIN_CARE'"""
    )
    assert row(move, "r", *COLUMNS) == ("MORNING", "10:00", *service)
    assert row(move, "own period", *COLUMNS) == ("AFTERNOON", None, *service)
    update(move, "r", preferredTime=WORD_ONLY)
    assert row(move, "r", *COLUMNS) == ("AFTERNOON", None, *service)
    update(move, "r", timeSlotStart="17:00")
    update(move, "r", preferredTime=MORNING)
    assert row(move, "r", *COLUMNS) == ("MORNING", "17:00", *service)
    update(move, "r", preferredTime=AFTERNOON, timeSlotStart="10:00")  # its own, though it was the old text's
    assert row(move, "r", *COLUMNS) == ("AFTERNOON", "10:00", *service)
    update(move, "r", serviceId=None, serviceName=None, estimatedDuration=None)
    update(move, "r", preferredTime=MORNING)
    assert row(move, "r", *COLUMNS) == ("MORNING", "10:00", None, None, None)
    update(move, "r", **dict(zip(COLUMNS[2:], service, strict=True)))
    remove(move)
    before = move.snapshot()
    move.apply()
    assert move.snapshot() == before  # nothing that apply would have filled was left


def test_services_alone_are_filled_on_insert(move):
    move = replace(move, fills=("service",))
    install(move)
    insert(move, "r", MORNING)
    update(move, "r", preferredTime=AFTERNOON)
    period, _, service, *_ = row(move, "r", *COLUMNS)
    assert (period, service is not None) == (None, True)


def test_the_application_needs_no_right_on_the_ledger_and_gets_none(move):
    role = move.url.rpartition("/")[2].partition("?")[0] + "_app"
    move.execute(f"CREATE ROLE {role} LOGIN")
    try:
        move.execute(f"GRANT SELECT, INSERT, UPDATE ON reservations TO {role}; GRANT CREATE ON SCHEMA public TO {role}")
        install(move)
        application = replace(move, url=move.url.replace("postgres@", f"{role}@"))
        insert(application, "r", MORNING)
        update(application, "r", preferredTime=AFTERNOON)
        assert row(application, "r") == ("AFTERNOON",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("SELECT FROM ojeon.plan")
        ((function,),) = move.execute("SELECT oid::regprocedure::text FROM pg_proc WHERE proname ~ '^dual_write'")
        move.execute(f"GRANT USAGE ON SCHEMA ojeon TO {role}")
        application.execute("CREATE TABLE public.bait (id text)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute(f"CREATE TRIGGER t BEFORE INSERT ON bait EXECUTE FUNCTION {function}")
    finally:
        move.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


MISHAPS = {
    "the plan is gone": "DROP TABLE ojeon.plan",
    "the notes are gone": "DROP TABLE ojeon.dual_writes",
    "the plan is of another make": "ALTER TABLE ojeon.plan RENAME raw TO text",
    "the period has another name": 'ALTER TABLE reservations RENAME period TO "half"',
    "the period has become too narrow": """ALTER TABLE reservations
        DROP CONSTRAINT reservations_period_check, ALTER period TYPE varchar(4) USING NULL""",
}


@pytest.mark.parametrize("case", MISHAPS)
def test_whatever_goes_wrong_inside_the_application_writes_its_row(move, case):
    install(move)
    insert(move, "before", MORNING)
    move.execute(MISHAPS[case])
    insert(move, "r", MORNING)
    update(move, "before", preferredTime=UNKNOWN)
    written = dict(move.execute('SELECT id, "preferredTime" FROM reservations'))
    assert written == {"before": UNKNOWN, "r": MORNING}
    ((period,),) = move.execute(
        "SELECT coalesce(to_jsonb(r) ->> 'period', to_jsonb(r) ->> 'half') FROM reservations r WHERE id = 'r'"
    )
    assert period is None
    assert remove(move)


def test_a_locked_plan_holds_the_application_up_for_a_moment_only(move):
    install(move)
    with psycopg.connect(move.url) as holder:
        holder.execute("LOCK TABLE ojeon.plan IN ACCESS EXCLUSIVE MODE")
        with psycopg.connect(move.url, options="-c statement_timeout=2s") as application:
            application.execute(INSERT, ("r", MORNING))
    assert row(move, "r") == (None,)


def test_installing_waits_in_short_steps_for_a_moment_between_writers(move):
    with move.worker():
        pass
    insert(move, "r", UNKNOWN)
    holder = psycopg.connect(move.url)
    holder.execute("UPDATE reservations SET notes = 'held'")
    done = threading.Event()
    worker = threading.Thread(target=lambda: (install(move), done.set()))
    worker.start()
    slowest = 0.0
    for number in range(30):
        started = time.monotonic()
        insert(move, f"meanwhile {number}", UNKNOWN)
        slowest = max(slowest, time.monotonic() - started)
        time.sleep(0.02)
    assert not done.is_set()
    assert slowest < 1
    holder.close()
    worker.join(timeout=10)
    assert done.is_set()
    insert(move, "known", MORNING)
    assert row(move, "known") == ("MORNING",)


def test_a_table_that_stays_busy_is_told_with_who_keeps_it_so(move):
    install(move)
    with psycopg.connect(move.url) as holder:
        holder.execute("SELECT FROM reservations")
        with pytest.raises(DatabaseError, match=rf"process id {holder.info.backend_pid}, since"):
            remove(move, patience=0.3)
    assert [found.table for found in status(move)] == ['"public"."reservations"']
    assert remove(move)


def test_remove_is_the_inverse_of_install_and_both_may_be_repeated(move):
    assert not remove(move)
    with move.worker():
        pass
    before = move.execute(OBJECTS)
    assert (install(move), install(move)) == (True, False)
    assert len(move.execute(OBJECTS)) == len(before) + 2
    ((definition,),) = move.execute("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal")
    assert 'INSERT OR UPDATE OF "preferredTime" ON' in definition  # nothing is paid for updates of other columns
    assert (remove(move), remove(move)) == (True, False)
    assert move.execute(OBJECTS) == before == []
    insert(move, "r", MORNING)
    assert row(move, "r") == (None,)
    notes = [note for (note,) in move.execute("SELECT note FROM ojeon.events ORDER BY at")]
    assert notes == ["dual-write installed", "dual-write removed"]


def test_the_dictionary_is_there_before_the_trigger_and_apply_goes_on_from_it(move):
    insert(move, "before", AFTERNOON)
    install(move)
    assert move.state() == "planned"
    assert move.execute("SELECT count(*) FROM ojeon.plan") == [(len(DECIDED),)]
    insert(move, "after", AFTERNOON)
    report = move.apply()
    assert (report.changed, report.state) == (1, "applied")
    assert move.execute("SELECT count(*) FROM reservations WHERE period = 'AFTERNOON'") == [(2,)]


def test_a_second_run_must_wait_until_the_first_ones_trigger_is_off(move, tmp_path):
    install(move)
    second = replace(move, folder=seal(tmp_path / "20261124-101500-aaaa", move.url))
    with pytest.raises(UsageError, match=f"ojeon dual-write remove {RUN}"):
        install(second)
    assert not remove(second)
    insert(move, "r", MORNING)
    assert remove(move)
    assert install(second)
    second.apply()
    told = [(found.run_id, found.enabled, found.noted) for found in status(move)]
    assert told == [(RUN, False, 1), (second.run_id, True, 0)]


def test_the_trigger_fills_what_the_run_was_begun_with(move):
    move.apply()
    assert install(replace(move, fills=("period", "slot")))
    insert(move, "r", MORNING)
    assert row(move, "r", *COLUMNS[:2]) == ("MORNING", None)


def test_a_run_that_was_undone_fills_no_new_rows(move):
    insert(move, "r", MORNING)
    move.apply()
    move.undo()
    with pytest.raises(UsageError, match="is undone"):
        install(move)


def test_only_who_can_take_the_trigger_off_may_put_it_on(move):
    role = move.url.rpartition("/")[2].partition("?")[0] + "_runner"
    move.execute(f"CREATE ROLE {role} LOGIN")
    try:
        install(move)
        remove(move)
        move.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public, ojeon TO {role}; GRANT ALL ON SCHEMA ojeon TO {role}")
        with pytest.raises(DatabaseError, match=f"GRANT postgres TO {role}"):
            install(replace(move, url=move.url.replace("postgres@", f"{role}@")))
    finally:
        move.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_status_tells_table_rows_filled_and_whether_it_fires(move):
    assert status(move) == []
    install(move)
    insert(move, "r", MORNING)
    insert(move, "s", UNKNOWN)
    (found,) = status(move)
    assert found == dual_write.DualWrite(RUN, '"public"."reservations"', enabled=True, noted=1)
    move.execute(f"ALTER TABLE reservations DISABLE TRIGGER {dual_write.trigger.NAME}")
    assert not status(move)[0].enabled
    remove(move)
    assert status(move) == [dual_write.DualWrite(RUN, None, enabled=False, noted=1)]


def test_undo_waits_for_remove_and_then_takes_back_what_the_trigger_filled(move):
    move = replace(move, fills=("period", "slot", "service"))
    insert(move, "first", MORNING)
    move.apply()
    install(move)
    for number in range(3):
        insert(move, f"new {number}", MORNING)
    insert(move, "own", WORD_ONLY, "AFTERNOON")
    insert(move, "touched", MORNING)
    update(move, "touched", notes="a later write")
    with pytest.raises(UsageError, match=f"ojeon dual-write remove {RUN}"):
        move.undo()
    assert move.state() == "applied"
    remove(move)
    report = move.undo()
    assert (report.state, report.left, report.undone) == ("undone", 0, 5)  # "own" loses the service columns
    emptied = (None,) * len(COLUMNS)
    assert {row(move, name, *COLUMNS) for name in ("first", "new 0", "new 1", "new 2")} == {emptied}
    assert row(move, "own", *COLUMNS) == ("AFTERNOON", *emptied[1:])
    assert row(move, "touched") == ("MORNING",)
    assert move.execute("SELECT left_alone FROM ojeon.batches WHERE left_alone <> '{}'") == [(["touched"],)]
    assert status(move) == []
    assert move.apply().changed == 5


def test_apply_gives_what_the_trigger_filled_its_lines_in_the_ledger(move):
    move.apply()
    install(move)
    insert(move, "r", MORNING)
    insert(move, "touched", MORNING)
    update(move, "touched", notes="a later write")
    assert status(move)[0].noted == 2
    assert move.apply().changed == 0
    assert status(move)[0].noted == 0
    assert move.claimed() == [("r", "period")]
    assert move.not_as_left() == []


def test_undo_takes_back_a_period_that_followed_its_text(move):
    insert(move, "r", MORNING)
    move.apply()
    install(move)
    update(move, "r", preferredTime=AFTERNOON)
    remove(move)
    assert move.undo().state == "undone"
    assert row(move, "r", "preferredTime", "period") == (AFTERNOON, None)


def test_undo_takes_back_what_was_filled_in_two_steps(move):
    """Its service by the trigger or the first batch, its period once the text was known."""
    move = replace(move, fills=("period", "slot", "service"))
    insert(move, "first", UNKNOWN)
    insert(move, "moved since", UNKNOWN)
    insert(move, "whole", MORNING)
    before = move.snapshot()
    move.apply()
    install(move)
    insert(move, "by the trigger", UNKNOWN)
    update(move, "moved since", serviceName="the application's")
    move.execute("INSERT INTO ojeon.plan VALUES (%s, %s, 'MORNING', '09:00', 1)", RUN, UNKNOWN)
    report = move.apply()
    assert (report.changed, report.changed_in_all) == (3, 5)
    counted = move.execute(
        "SELECT sum(changed), sum(cardinality(ids)), sum(cardinality(left_alone)) FROM ojeon.batches"
    )
    assert counted == [(5, 5, 0)]
    assert [row_id for *_, row_id in move.not_as_left()] == [
        "moved since"
    ]  # its service, which the application changed
    remove(move)
    report = move.undo()
    assert (report.undone, report.left_alone) == (4, 1)
    period, slot, _, name, _ = row(move, "moved since", *COLUMNS)
    assert (period, slot, name) == (None, None, "the application's")
    move.execute("DELETE FROM reservations WHERE id = 'by the trigger'")
    update(move, "moved since", serviceId=None, serviceName=None, estimatedDuration=None)
    assert move.snapshot() == before


def filled_in_two_steps(move, **more):
    """The trigger fills the period of a row whose text has become known, and a first sweep its service."""
    insert(move, "r", UNKNOWN)
    before = move.snapshot()
    install(move)
    update(move, "r", preferredTime=MORNING)
    assert move.apply(**more).changed == 1
    assert None not in row(move, "r", *COLUMNS)
    remove(move)
    return before


def is_taken_back_whole(move, before):
    report = move.undo()
    assert (report.state, report.undone, report.left_alone) == ("undone", 1, 0)
    update(move, "r", preferredTime=UNKNOWN)
    assert move.snapshot() == before


def test_undo_takes_back_what_the_trigger_filled_before_the_first_sweep(move):
    move = replace(move, fills=("period", "slot", "service"))
    before = filled_in_two_steps(move)
    assert move.claimed() == [("r", "+".join(COLUMNS))]
    is_taken_back_whole(move, before)


def test_undo_takes_back_what_the_trigger_filled_while_apply_was_at_work(move):
    """Apply turns the trigger's notes into lines when it begins; this one comes later."""
    move = replace(move, fills=("period", "slot", "service"))
    insert(move, "r", UNKNOWN)
    before = move.snapshot()
    install(move)
    assert move.apply(throttle=lambda _: update(move, "r", preferredTime=MORNING)).changed == 1
    assert None not in row(move, "r", *COLUMNS)
    remove(move)
    is_taken_back_whole(move, before)


@pytest.mark.parametrize("before_statement", ["+".join(COLUMNS[:2]), "+".join(COLUMNS[2:])])
def test_undo_takes_back_a_row_whose_text_became_known_in_the_middle_of_a_batch(move, monkeypatch, before_statement):
    """One statement of the batch has filled its service, or not yet; its period comes with the next sweep."""
    move = replace(move, fills=("period", "slot", "service"))
    insert(move, "r", UNKNOWN)
    before, seen = move.snapshot(), []

    def meanwhile(target, variant, *parts, **more):
        if variant.name == before_statement and not seen:
            seen.append(variant)
            update(move, "r", preferredTime=MORNING)
        return fill_statement(target, variant, *parts, **more)

    monkeypatch.setattr("pipeline.backfill.apply.fill_statement", meanwhile)
    assert move.apply().state == "applied"
    assert None not in row(move, "r", *COLUMNS)
    is_taken_back_whole(move, before)


def test_very_many_small_lines_are_taken_back_together(move):
    install(move)
    with psycopg.connect(move.url, autocommit=True) as connection:
        for number in range(299):
            connection.execute(INSERT, (f"r{number}", MORNING))
    remove(move)
    batches = []
    move.apply()
    report = move.undo(observe=batches.append)
    assert (report.undone, report.left) == (299, 0)
    assert [batch.changed for batch in batches] == [50] * 5 + [49]


UPSERT = INSERT + ' ON CONFLICT (id) DO UPDATE SET notes = \'upserted\', "preferredTime" = excluded."preferredTime"'
# What one transaction of the application does, and the period that undo leaves.
TRANSACTIONS = {
    "an upsert of a row with a period of its own": (
        [(INSERT_WITH_PERIOD, "r", MORNING, "MORNING"), ("COMMIT",), (UPSERT, "r", MORNING)],
        "MORNING",
    ),
    "an upsert that changes the text": (
        [(INSERT, "r", UNKNOWN), ("COMMIT",), (UPSERT, "r", MORNING)],
        None,
    ),
    "the other period later in the transaction": (
        [(INSERT, "r", MORNING), ("UPDATE reservations SET period = 'AFTERNOON'",)],
        "AFTERNOON",
    ),
    "another column later in the transaction": (
        [(INSERT, "r", MORNING), ("UPDATE reservations SET notes = 'x'",)],
        None,
    ),
    "another text later in the transaction": (
        [(INSERT, "r", MORNING), ('UPDATE reservations SET "preferredTime" = %s', AFTERNOON)],
        None,
    ),
    "an insert that was taken back": (
        [("SAVEPOINT s",), (INSERT, "r", MORNING), ("ROLLBACK TO s",), (INSERT_WITH_PERIOD, "r", MORNING, "MORNING")],
        "MORNING",
    ),
    "a savepoint: nobody can tell, so it is left alone": (
        [("SAVEPOINT s",), (INSERT, "r", MORNING), ("RELEASE s",)],
        "MORNING",
    ),
}


@pytest.mark.parametrize("case", TRANSACTIONS)
def test_undo_leaves_what_the_application_wrote_itself(move, case):
    statements, left = TRANSACTIONS[case]
    move.apply()
    install(move)
    with psycopg.connect(move.url) as connection:
        for query, *values in statements:
            connection.execute(query, values or None)
    assert row(move, "r")[0] is not None
    remove(move)
    assert move.undo().state == "undone"
    assert row(move, "r") == (left,)


def test_names_that_need_quoting_are_quoted(database, tmp_path):
    names = TableNames(
        table_schema='Clinic "A"',
        table='Reser"vations',
        id="the id's",
        preferred_time='"preferred" %s Time',
        period="pe{ri}od",
    )
    quoted = {key: sql.Identifier(value) for key, value in names.model_dump().items() if value}
    made = """
        CREATE SCHEMA {table_schema};
        CREATE TABLE {table_schema}.{table} ({id} int PRIMARY KEY, {preferred_time} varchar(40), {period} text);
    """
    with psycopg.connect(database) as connection:
        connection.execute(sql.SQL(made).format(**quoted))
    move = Move(database, seal(tmp_path / RUN, database, names=names), names=names)
    install(move)
    values = sql.SQL("INSERT INTO {table_schema}.{table} VALUES (1, {known}), (2, NULL), (3, {hostile})")
    hostile = next(text for text in DECIDED if "'" in text)
    move.execute(values.format(**quoted, known=MORNING, hostile=hostile).as_string(None))
    assert [line.rpartition(",")[2] for line in move.snapshot()] == ["MORNING)", ")", "MORNING)"]
    remove(move)
    move.apply()
    move.undo()
    assert [line.rpartition(",")[2] for line in move.snapshot()] == [")"] * 3


TEXTS = st.sampled_from([*DECIDED, UNKNOWN, ""])
PERIODS = st.sampled_from([None, "MORNING", "AFTERNOON"])
WRITES = st.lists(st.tuples(TEXTS, st.none() | st.tuples(PERIODS)), min_size=1, max_size=6)


@pytest.fixture
def application(move):
    install(move)
    with psycopg.connect(move.url, autocommit=True) as connection:
        yield connection


def modelled(writes):
    """The period after an insert and updates of a text, some of which set the period as well."""
    (text, given_period), *later = writes
    period = given_period[0] if given_period else None
    period = period or DECIDED.get(text, (None,))[0]
    for new, given_period in later:
        if given_period and given_period[0] != period:
            period = given_period[0]
        elif new != text and (period is None or period == DECIDED.get(text, (None,))[0]):
            period = DECIDED.get(new, (None,))[0]
        text = new
    return period


# The database is the same for all; each example begins with an empty table.
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=WRITES)
def test_any_sequence_of_writes_ends_as_the_model_says(application, writes):
    application.execute("DELETE FROM reservations")
    (text, period), *later = writes
    application.execute(INSERT_WITH_PERIOD, ("r", text, period[0] if period else None))
    for new, given_period in later:
        if given_period:
            query = 'UPDATE reservations SET "preferredTime" = %s, period = %s'
            application.execute(query, (new, *given_period))
        else:
            application.execute('UPDATE reservations SET "preferredTime" = %s', (new,))
    ended = application.execute("SELECT period FROM reservations").fetchone()
    assert ended == (modelled(writes),)
